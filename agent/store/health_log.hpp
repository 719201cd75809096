// SPDX-License-Identifier: Apache-2.0
// What is said about the store's health when it changes: each change of state at once, what is dropped meanwhile at most
// once a minute. Pure: the time is a parameter.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "store/types.hpp"

namespace ronda::store {

class HealthLog {
 public:
  static constexpr std::chrono::minutes drops_pause{1};

  struct Line {
    bool is_well = false;
    std::string text;
  };

  /// Nothing when there is nothing new to say. `now` never steps.
  std::optional<Line> tell(const Health& health, std::chrono::nanoseconds now);

 private:
  std::optional<HealthState> state_;
  std::string reason_;
  std::uint64_t dropped_ = 0;
  std::optional<std::chrono::nanoseconds> dropped_told_;
};

}  // namespace ronda::store
