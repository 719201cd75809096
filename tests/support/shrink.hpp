// SPDX-License-Identifier: Apache-2.0
// Makes a failing list of inputs small: delta debugging (Zeller and Hildebrandt, "Simplifying and isolating
// failure-inducing input", 2002). `fails` runs a whole world from its beginning on a list.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace ronda {

/// A part of `inputs`, in order, that still fails and of which no single one can be left out; fewer tries if `budget` runs
/// of `fails` are used up before.
template <class Input, class Fails>
std::vector<Input> shrink(std::vector<Input> inputs, Fails fails, std::size_t budget = 5000) {
  std::size_t chunk = inputs.size() / 2;
  while (chunk > 0) {
    bool smaller = false;
    for (std::size_t begin = 0; begin < inputs.size() && budget > 0;) {
      const auto from = inputs.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto to = inputs.begin() + static_cast<std::ptrdiff_t>(std::min(begin + chunk, inputs.size()));
      std::vector<Input> without(inputs.begin(), from);
      without.insert(without.end(), to, inputs.end());
      --budget;
      if (fails(without)) {
        inputs = std::move(without);
        smaller = true;
      } else {
        begin += chunk;
      }
    }
    if (budget == 0) break;
    if (!smaller || chunk > 1) chunk = chunk == 1 ? 0 : chunk / 2;
  }
  return inputs;
}

}  // namespace ronda
