// SPDX-License-Identifier: Apache-2.0
// The clock that incidents, alerts and messages are judged by. It shows the wall clock and never goes back: where that is set back, it
// goes on as CLOCK_BOOTTIME does. Where that leaps forward, it goes on so too until the leap has stood for a while, so that a glitch
// leaves nothing, and is then set as well by whoever asks take_step() and moves all that is dated by as much, so that no duration
// changes. Pure: both clocks are parameters. Decision 0122.
#pragma once

#include <cstdint>
#include <optional>

namespace ronda::response {

class IncidentTime {
 public:
  /// Less is no step, it is followed at once: guests of a machine that is copied or moved leap by seconds, many times a day.
  static constexpr std::int64_t step_ns = 60'000'000'000;
  /// A sixtieth of the leap must pass before it is believed, within these: what a wrong one ends does not come back.
  static constexpr std::int64_t least_proof_ns = 10'000'000'000, most_proof_ns = 60 * least_proof_ns;
  /// 2020-01-01: a wall clock before it was never set. It is not followed, and to leave it takes no long proof.
  static constexpr std::int64_t earliest_ns = 1'577'836'800'000'000'000;

  /// What it shows. The first time that is the wall clock.
  std::int64_t read(std::int64_t boot_ns, std::int64_t wall_ns);
  /// What is known to have happened has happened: it is at least so late. By how much it leapt for that.
  std::int64_t not_before(std::int64_t at_ns);
  /// By how much the wall clock is ahead, as was read last; 0: by no step.
  std::int64_t apart_ns() const { return apart_since_ ? apart_ns_ : 0; }
  /// By this clock, when take_step() will have something; none: it follows the wall clock, or that is behind.
  std::optional<std::int64_t> step_at_ns() const;
  /// Once the wall clock has been ahead for long enough: this one is set, by so much. 0: not now.
  std::int64_t take_step();

 private:
  std::int64_t proof_ns() const;

  std::int64_t now_ns_ = 0, boot_ns_ = 0;
  std::int64_t apart_ns_ = 0, first_apart_ns_ = 0;
  std::optional<std::int64_t> apart_since_;  // CLOCK_BOOTTIME
};

}  // namespace ronda::response
