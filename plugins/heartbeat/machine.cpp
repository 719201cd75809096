// SPDX-License-Identifier: Apache-2.0
#include "machine.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace heartbeat {
namespace {

/// A deadline found this much too late passed while nobody looked: a ping may have been lost then.
constexpr Nanos blind_after = 5 * minute;
constexpr int most_steps = 1000;

/// The last sign of a run, from which the next one is due when there is no calendar.
Nanos reference(const State& state) {
  return std::max(state.armed, state.signals_start ? state.last_start : state.last_end);
}

std::optional<Nanos> next_slot(const State& state, const Rules& rules, Nanos after) {
  if (rules.every == 0) return rules.next(after);
  const Nanos from = reference(state);
  const Nanos passed = std::max<Nanos>(0, after - from) / rules.every;
  return from + (passed + 1) * rules.every;
}

/// The slot that a run at `at` answers: the last one, or the coming one for a clock that is a little ahead.
std::optional<Nanos> slot_of(const Rules& rules, Nanos at) {
  const auto before = rules.previous(at);
  const auto coming = rules.next(at);
  if (!coming) return before;
  const Nanos early = before ? std::min(rules.grace, (*coming - *before) / 2) : rules.grace;
  return *coming - at <= early ? coming : before;
}

/// When an unanswered slot is given up.
Nanos deadline(const State& state, const Rules& rules, Nanos slot) {
  return slot + rules.start_within + rules.grace + (state.signals_start ? 0 : rules.max_run);
}

/// Marks the slot of a run as answered and returns how late the run is.
Nanos answer_slot(State& state, const Rules& rules, Nanos at) {
  Nanos slot = 0;
  if (rules.every > 0) {
    slot = reference(state) + rules.every;
    state.covered = at;
  } else {
    slot = slot_of(rules, at).value_or(0);
    if (slot <= std::max(state.covered, state.armed)) return 0;  // one more run in an answered slot
    state.covered = slot;
  }
  state.unseen = false;
  return at > slot + rules.start_within + rules.grace ? at - slot : 0;
}

void note_gap(State& state, const Rules& rules, Nanos before, Nanos at) {
  const bool too_close = rules.not_more_often > 0 && before > 0 && at - before < rules.not_more_often;
  state.gap = too_close ? std::max<Nanos>(1, at - before) : 0;
  state.gap_at = too_close ? at : 0;
}

void keep_tail(State& state, const std::string& text) {
  state.tail += text;
  if (!text.empty() && text.back() != '\n') state.tail += '\n';
  if (state.tail.size() > tail_limit) state.tail.erase(0, state.tail.size() - tail_limit);
}

void on_start(State& state, const Event& event, const Rules& rules) {
  note_gap(state, rules, state.last_start, event.at);
  state.overlapped = state.started;
  state.late_by = answer_slot(state, rules, event.at);
  state.signals_start = true;
  state.started = state.last_start = event.at;
  state.beat = 0;
  state.tail.clear();
  ++state.runs;
}

void on_end(State& state, const Event& event, const Rules& rules) {
  const bool failed = event.signal == Signal::fail || event.code != 0;
  if (state.started > 0) {
    state.last_took = event.at - state.started;
    state.took_too_long =
        rules.max_run > 0 && state.last_took > rules.max_run + rules.grace && state.beat == 0;
  } else {
    state.signals_start =
        false;  // or its start was lost: judged as one that never says it, until it does again
    note_gap(state, rules, state.last_end, event.at);
    answer_slot(state, rules, event.at);
    state.overlapped = 0;
    state.late_by = 0;
    state.last_took = -1;
    state.took_too_long = false;
    ++state.runs;
  }
  state.started = state.beat = 0;
  state.last_end = event.at;
  state.outcome = failed ? Outcome::failed : Outcome::success;
  state.code = event.code;
  if (failed) ++state.failures;
  if (!failed) state.last_success = event.at;
}

void on_heartbeat(State& state, const Event& event, const Rules& rules) {
  if (state.started > 0) {
    state.beat = event.at;
    return;
  }
  // a job that only ever says that it lives
  state.signals_start = false;
  answer_slot(state, rules, event.at);
  state.last_end = event.at;
}

/// Whether the run of this slot may have been reported while nobody listened.
bool may_be_lost(const State& state, const Rules& rules, Nanos slot, Nanos now) {
  const Nanos until = deadline(state, rules, slot);
  return now - until > blind_after || (slot - rules.grace < state.deaf_until && until > state.deaf_from);
}

/// Gives up every slot whose time is over; each is counted once.
void give_up(State& state, Nanos now, const Rules& rules) {
  for (int step = 0; step < most_steps; ++step) {
    const Nanos after = std::max({state.covered, state.given_up, state.armed});
    const auto slot = next_slot(state, rules, after);
    if (!slot || now < deadline(state, rules, *slot)) return;
    state.unseen = may_be_lost(state, rules, *slot, now);
    if (!state.unseen) ++state.missed;
    state.given_up = step + 1 < most_steps ? *slot : now;
  }
}

/// The clock was set back by much: what lies in its future now would keep us waiting for it.
void forget_future(State& state, Nanos now) {
  for (Nanos* instant : {&state.armed, &state.looked, &state.heard, &state.started, &state.beat,
                         &state.last_start, &state.last_end, &state.last_success, &state.gap_at,
                         &state.overlapped, &state.covered, &state.given_up, &state.deaf_from,
                         &state.deaf_until}) {
    *instant = std::min(*instant, now);
  }
}

/// When the open run is too long or too silent; 0: never.
Nanos run_limit(const State& state, const Rules& rules) {
  if (state.started == 0) return 0;
  const Nanos alive = std::max(state.started, state.beat);
  Nanos limit = rules.max_run > 0 ? alive + rules.max_run + rules.grace : 0;
  if (rules.max_silence > 0 && state.beat > 0) {
    const Nanos silent = state.beat + rules.max_silence + rules.grace;
    limit = limit == 0 ? silent : std::min(limit, silent);
  }
  return limit;
}

/// The last line that says something, as one line.
std::string last_line(std::string_view tail) {
  const std::size_t end = tail.find_last_not_of("\n\r \t");
  if (end == std::string_view::npos) return {};
  tail = tail.substr(0, end + 1);
  tail = tail.substr(tail.rfind('\n') + 1);  // npos + 1 is 0
  std::string line(tail.substr(0, 200));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return line.size() < tail.size() ? line + "..." : line;
}

struct Reason {
  ronda::status status = ronda::status::ok;
  std::string text;
};

Reason running_too_long(const State& state, Nanos now, const Rules& rules) {
  const Nanos limit = run_limit(state, rules);
  if (limit == 0 || now < limit) return {};
  if (state.beat > 0) {
    return {ronda::status::critical,
            "silent for " + span_text(now - state.beat) + ", running since " + instant_text(state.started)};
  }
  return {ronda::status::critical,
          "running for " + span_text(now - state.started) + ", longer than " + span_text(rules.max_run)};
}

Reason late(const State& state, Nanos now) {
  if (state.given_up <= state.covered) return {};
  if (state.unseen) {
    return {ronda::status::unknown, "the run due at " + instant_text(state.given_up) +
                                        " may have been missed: nobody looked at the time"};
  }
  return {ronda::status::critical, "late: the run due at " + instant_text(state.given_up) + " has not " +
                                       (state.signals_start ? "started" : "reported") + ", " +
                                       span_text(now - state.given_up) + " ago"};
}

/// A shell says 128 + n of a command that signal n ended.
std::string code_text(std::int32_t code) {
  const char* const signal = code > 128 ? ::sigabbrev_np(code - 128) : nullptr;
  return std::to_string(code) + (signal == nullptr ? std::string() : " (128 + SIG" + std::string(signal) + ")");
}

Reason failed(const State& state) {
  if (state.outcome != Outcome::failed) return {};
  std::string text = state.code != 0 ? "failed with exit code " + code_text(state.code) : std::string("failed");
  text += " at " + instant_text(state.last_end);
  const std::string line = last_line(state.tail);
  return {ronda::status::critical, line.empty() ? text : text + ": " + line};
}

Reason late_start(const State& state) {
  if (state.late_by == 0) return {};
  return {ronda::status::warning, "started " + span_text(state.late_by) + " after it was due"};
}

Reason too_often(const State& state, Nanos now, const Rules& rules) {
  if (state.gap == 0 || now >= state.gap_at + rules.not_more_often) return {};
  return {ronda::status::warning, "run again after " + span_text(state.gap) + ", not more often than every " +
                                      span_text(rules.not_more_often)};
}

Reason overlap(const State& state) {
  if (state.overlapped == 0) return {};
  return {ronda::status::warning,
          "started while the run of " + instant_text(state.overlapped) + " had not ended"};
}

Reason took_long(const State& state, const Rules& rules) {
  if (!state.took_too_long) return {};
  return {ronda::status::warning,
          "took " + span_text(state.last_took) + ", longer than " + span_text(rules.max_run)};
}

std::string all_well(const State& state, Nanos now) {
  if (state.started > 0) return "running for " + span_text(now - state.started);
  if (state.last_end == 0) return "waiting for the first run";
  const std::string took = state.last_took < 0 ? "" : ", took " + span_text(state.last_took);
  if (state.last_success == 0) return "alive " + span_text(now - state.last_end) + " ago";
  return "last success " + span_text(now - state.last_success) + " ago" + took;
}

Nanos earliest(Nanos a, Nanos b) {
  return a == 0 ? b : b == 0 ? a : std::min(a, b);
}

Nanos next_change(const State& state, Nanos now, const Rules& rules) {
  const auto slot = next_slot(state, rules, std::max({state.covered, state.given_up, state.armed}));
  Nanos due = slot ? deadline(state, rules, *slot) : 0;
  const Nanos limit = run_limit(state, rules);
  if (limit > now) due = earliest(due, limit);
  const Nanos gap_over = state.gap == 0 ? 0 : state.gap_at + rules.not_more_often;
  if (gap_over > now) due = earliest(due, gap_over);
  return due > now ? due : 0;
}

}  // namespace

void note_agent_start(State& state, Nanos at) {
  if (at <= state.looked || state.looked == 0) return;
  state.deaf_from = state.looked;
  state.deaf_until = at;
}

void apply(State& state, const Event& given, const Rules& rules) {
  Event event = given;
  event.at = std::max(event.at, state.heard);
  state.heard = event.at;
  switch (event.signal) {
    case Signal::start:
      on_start(state, event, rules);
      break;
    case Signal::success:
    case Signal::fail:
      on_end(state, event, rules);
      break;
    case Signal::heartbeat:
      on_heartbeat(state, event, rules);
      break;
    case Signal::log:
      break;
  }
  keep_tail(state, event.text);
}

Judgement judge(State& state, Nanos at, const Rules& rules) {
  if (std::max(state.looked, state.heard) > at + blind_after) forget_future(state, at);
  const Nanos now = std::max({at, state.heard, state.looked});
  Judgement judgement;
  give_up(state, now, rules);
  state.looked = now;
  const std::array<Reason, 7> reasons = {
      running_too_long(state, now, rules), late(state, now), failed(state),          late_start(state),
      too_often(state, now, rules),        overlap(state),   took_long(state, rules)};
  for (const Reason& reason : reasons) {
    judgement.status = ronda::worst(judgement.status, reason.status);
    if (!reason.text.empty()) judgement.summary += (judgement.summary.empty() ? "" : "; ") + reason.text;
  }
  if (judgement.summary.empty()) judgement.summary = all_well(state, now);
  judgement.due = next_change(state, now, rules);
  return judgement;
}

}  // namespace heartbeat
