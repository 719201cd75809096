// SPDX-License-Identifier: Apache-2.0
// The dead-man's switch: (state, event) -> state, and (state, now) -> state, verdict. Pure: it knows no
// clock.
//
// A slot is an instant at which a run is due: of the calendar, or last run + every. A run answers the slot
// that it starts in (or ends in, for a job that never says when it starts). A slot that nobody answered in
// time is given up once, is counted once, and makes the job late until a run answers.
#pragma once

#include <ronda/result.hpp>

#include <cstdint>
#include <string>

#include "rules.hpp"
#include "state.hpp"

namespace heartbeat {

enum class Signal : std::uint8_t { start, success, fail, heartbeat, log };

struct Event {
  Signal signal = Signal::success;
  Nanos at = 0;
  std::int32_t code = 0;  // an exit code other than 0 is a failure, whatever the signal
  std::string text;
};

/// Events in the order of arrival; one that claims to be older than the one before counts as of then.
void apply(State& state, const Event& event, const Rules& rules);

/// The agent runs since `at`: from the last look until then nobody may have listened. To be called before the events
/// and judgements of a call; a start that is known already changes nothing.
void note_agent_start(State& state, Nanos at);

struct Judgement {
  ronda::status status = ronda::status::ok;
  std::string summary;
  Nanos due = 0;  // when it would become worse by itself; 0: never
};

/// A clock that is set back a little is waited for, one that is set back by much is believed.
Judgement judge(State& state, Nanos now, const Rules& rules);

}  // namespace heartbeat
