// SPDX-License-Identifier: Apache-2.0
// A job's life as a table: what happens when, and what is thought of it then. Time is minutes after midnight
// of a day.
#pragma once

#include "machine.hpp"

namespace heartbeat {

constexpr Nanos day_begin = 1'767'225'600 * second;  // 2026-01-01T00:00:00Z
constexpr Nanos hour = 60 * minute;

inline Nanos at_minute(double minutes) {
  return day_begin + static_cast<Nanos>(minutes * 60) * second;
}

/// Slots at every full `period`, as "*:00" is one of hours.
inline Rules calendar_rules(Nanos period) {
  Rules rules;
  rules.previous = [period](Nanos at) { return std::optional<Nanos>(at / period * period); };
  rules.next = [period](Nanos at) { return std::optional<Nanos>((at / period + 1) * period); };
  rules.start_within = 5 * minute;
  rules.grace = minute;
  return rules;
}

inline Rules duration_rules(Nanos every) {
  Rules rules;
  rules.every = every;
  rules.start_within = 5 * minute;
  rules.grace = minute;
  return rules;
}

/// A job that is looked at whenever it asked to be, as a scheduler would.
struct Life {
  Rules rules;
  State state;

  explicit Life(Rules given, Nanos armed = day_begin) : rules(std::move(given)) {
    state.armed = state.looked = armed;
  }

  Judgement look(double minutes) {
    const Nanos until = at_minute(minutes);
    Judgement judgement = judge(state, state.looked, rules);
    while (judgement.due > 0 && judgement.due < until) judgement = judge(state, judgement.due, rules);
    return judge(state, until, rules);
  }
  void happens(double minutes, Signal signal, std::int32_t code = 0, const std::string& text = {}) {
    look(minutes);
    apply(state, {signal, at_minute(minutes), code, text}, rules);
  }
};

}  // namespace heartbeat
