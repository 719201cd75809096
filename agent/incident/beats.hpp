// SPDX-License-Identifier: Apache-2.0
// When a step of a ladder is due, as readings of its clock: its start, its repeats, and again in each round of a
// ladder that begins anew. By arithmetic: a step that has repeated for a year costs no more than a new one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "incident/escalation.hpp"

namespace ronda::escalation {

struct Beat {
  Nanos value{0};
  std::uint64_t cycle = 0;
  std::uint64_t round = 0;
};

class Beats {
 public:
  /// `step` is an index into the ladder's steps, or their number for its owner. `not_before`: when the incident
  /// got a tag that the step waits for.
  Beats(const Ladder& ladder, std::size_t step, Nanos not_before);

  /// Those in (after, upto], at most `most`: the latest.
  std::vector<Beat> between(Nanos after, Nanos upto, std::size_t most) const;
  /// The first after that reading.
  std::optional<Nanos> next(Nanos after) const;
  /// When the step started that holds at that reading: the latest start at or before it of a round that is not over.
  std::optional<Nanos> holding_since(Nanos reading) const;
  /// The very first start; none: it never starts.
  std::optional<Nanos> first() const;

 private:
  struct Window {
    Nanos begin{0};
    Nanos end{0};  // exclusive
    bool empty() const { return begin >= end; }
  };

  std::optional<Window> window(std::uint64_t cycle) const;
  std::uint64_t cycle_at(Nanos reading) const;
  Nanos offset(std::uint64_t round) const;
  std::optional<std::uint64_t> last_round(Nanos offset) const;
  std::optional<Nanos> next_in(std::uint64_t cycle, Nanos after) const;

  const Ladder& ladder_;
  Nanos from_{0};
  Nanos to_{0};
  Nanos not_before_{0};
  Nanos period_{0};  // of the ladder's rounds; 0: it has one
  bool loops_ = false;
  std::vector<Nanos> sums_;  // of the gaps of `repeat`
  Nanos last_gap_{0};
};

}  // namespace ronda::escalation
