// SPDX-License-Identifier: Apache-2.0
// What is known of a job: plain data, kept as text in ronda.kv/1 between calls.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rules.hpp"

namespace heartbeat {

enum class Outcome : std::uint8_t { none, success, failed };

/// Instants are 0 when there was none.
struct State {
  Nanos armed = 0;   // since when runs are expected
  Nanos looked = 0;  // the last judgement
  Nanos heard = 0;   // the last event
  Nanos deaf_from = 0, deaf_until = 0;  // the agent did not run in there: what was reported then is lost

  bool signals_start = false;  // this job says when it starts
  Nanos started = 0;           // the open run; 0: none is
  Nanos beat = 0;              // its last heartbeat
  Nanos last_start = 0;
  Nanos last_end = 0;
  Nanos last_success = 0;
  Nanos last_took = -1;  // -1: not known

  Outcome outcome = Outcome::none;
  std::int32_t code = 0;
  Nanos late_by = 0;     // how late the last run started; 0: in time
  Nanos gap = 0;         // how close the last run was to the one before, when that is too close
  Nanos gap_at = 0;      // when that was
  Nanos overlapped = 0;  // start of a run that was still open when the last one started
  bool took_too_long = false;

  Nanos covered = 0;    // the last slot that a run answered
  Nanos given_up = 0;   // the last slot that no run answered in time
  bool unseen = false;  // that was while nobody looked
  std::uint64_t missed = 0;
  std::uint64_t runs = 0;
  std::uint64_t failures = 0;

  std::string tail;  // the end of what the last run printed
};

constexpr std::size_t tail_limit = 4096;

std::string format(const State& state);
/// What is damaged or unknown is left at its default.
State parse_state(std::string_view text);

}  // namespace heartbeat
