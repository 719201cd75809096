// SPDX-License-Identifier: Apache-2.0
// The clock that incidents, alerts and messages are judged by. It goes as CLOCK_BOOTTIME does, shows the wall clock, and never
// leaps with it: where the wall clock is set, it goes on as before until that has stood for a while, so that a glitch leaves
// nothing, and is then set as well by whoever asks take_step(). Whoever does so moves all that is dated by as much, so that no
// duration changes. Pure: both clocks are parameters.
#pragma once

#include <cstdint>
#include <optional>

namespace ronda::response {

class IncidentTime {
 public:
  /// Less is no step: forward it follows at once, backward it waits until the wall clock has caught up.
  static constexpr std::int64_t step_ns = 2'000'000'000;
  static constexpr std::int64_t believed_after_ns = 10'000'000'000;
  /// 2020-01-01: a wall clock before it was never set, and nothing is moved to there.
  static constexpr std::int64_t earliest_ns = 1'577'836'800'000'000'000;

  /// What it shows. The first time that is the wall clock.
  std::int64_t read(std::int64_t boot_ns, std::int64_t wall_ns);
  /// What is known to have happened has happened: of before a start, where the wall clock was set back meanwhile.
  void not_before(std::int64_t at_ns);
  /// By how much the wall clock is ahead (behind: less than 0), as was read last; 0: less than a step.
  std::int64_t apart_ns() const { return apart_since_ ? apart_ns_ : 0; }
  /// By this clock, when take_step() will have something; none: it shows the wall clock.
  std::optional<std::int64_t> step_at_ns() const;
  /// Once the wall clock has been apart for long enough: this one is set, by so much. 0: not now.
  std::int64_t take_step();

 private:
  std::int64_t now_ns_ = 0, boot_ns_ = 0;
  std::int64_t apart_ns_ = 0;
  std::optional<std::int64_t> apart_since_;  // CLOCK_BOOTTIME
};

}  // namespace ronda::response
