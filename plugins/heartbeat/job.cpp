// SPDX-License-Identifier: Apache-2.0
#include "job.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace heartbeat {
namespace {

Nanos span(const char* key) {
  return ronda::cfg<std::optional<std::chrono::nanoseconds>>(key).value_or(std::chrono::nanoseconds(0)).count();
}

ronda::wall_time instant(Nanos at) {
  return ronda::wall_time(std::chrono::nanoseconds(at));
}

std::optional<Nanos> slot(const ronda::reply<ronda::wall_time>& answer) {
  if (!answer) return std::nullopt;
  return (*answer).time_since_epoch().count();
}

/// 0 for what is none.
Nanos number(const std::string& text) {
  Nanos out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

/// Nothing for an event of another word: newer senders may have more of them.
std::optional<Signal> signal_named(const std::string& name) {
  if (name == "start") return Signal::start;
  if (name == "success") return Signal::success;
  if (name == "fail") return Signal::fail;
  if (name == "heartbeat") return Signal::heartbeat;
  if (name == "log") return Signal::log;
  return std::nullopt;
}

}  // namespace

Job::Job() {
  rules_.start_within = span("start_within");
  rules_.max_run = span("max_run");
  rules_.max_silence = span("max_silence");
  rules_.not_more_often = span("not_more_often");
  rules_.grace = span("grace");
  rules_.every = parse_duration(expect_).value_or(0);
  if (rules_.every > 0 && rules_.not_more_often >= rules_.every) {
    throw std::invalid_argument("not_more_often = \"" + span_text(rules_.not_more_often) + "\" must be shorter than expect = \"" + expect_ +
                                "\": each run that comes in time would be too early");
  }
  if (rules_.every > 0) return;
  if (calendar().next(expect_, clock().wall()).code() == RONDA_E_INVALID) {
    throw std::invalid_argument("expect = \"" + expect_ + "\" is neither a duration (\"6h\") nor a calendar expression (\"*-*-* 02:00\")");
  }
  rules_.previous = [this](Nanos at) { return slot(calendar().previous(expect_, instant(at))); };
  rules_.next = [this](Nanos at) { return slot(calendar().next(expect_, instant(at))); };
}

ronda::result Job::run(ronda::call& c) {
  const Nanos now = clock().wall().time_since_epoch().count();
  State state = parse_state(kv().get("state").value_or(""));
  expect_from(state, now);
  if (const auto started = facts().get("agent.started_ns")) note_agent_start(state, std::min(number(*started), now));
  const std::uint64_t missed_before = state.missed;
  take_events(c, state, now);
  const Judgement judgement = judge(state, now, rules_);
  if (const auto kept = kv().put("state", format(state)); !kept) {
    return ronda::unknown("the state of this job cannot be kept: ", kept.error());
  }
  if (state.missed > missed_before) c.event("late", judgement.summary, {}, RONDA_LOG_WARNING);
  emit(c, state, now);
  ronda::result result{judgement.status, judgement.summary};
  if (!state.tail.empty()) result.detail = "output of the last run:\n" + state.tail;
  if (judgement.due > 0) result.again_at = instant(judgement.due);
  return result;
}

/// Runs are expected from the first look on, and anew when conf.d expects something else than before.
void Job::expect_from(State& state, Nanos now) {
  if (state.armed > 0 && kv().get("expect").value_or("") == expect_) return;
  kv().put("expect", expect_);
  state.armed = now;
  state.covered = state.given_up = 0;
  state.unseen = false;
}

void Job::take_events(ronda::call& c, State& state, Nanos now) {
  const auto events = inbox().take(c);
  if (!events) return;
  for (const ronda::inbox_event& event : *events) {
    const auto signal = signal_named(event.event);
    if (!signal) continue;
    // an event from the future is one from a clock that was set back since
    const Nanos at = std::min(event.at.time_since_epoch().count(), now);
    // what was due before this event is judged by what was known then
    judge(state, at, rules_);
    apply(state, {*signal, at, event.code, event.text}, rules_);
  }
}

void Job::emit(ronda::call& c, const State& state, Nanos now) const {
  const auto seconds = [](Nanos span) { return std::chrono::nanoseconds(span); };
  c.metric("running", state.started > 0 ? 1 : 0);
  if (state.last_success > 0) c.metric("since_success", seconds(now - state.last_success));
  if (state.last_took >= 0) c.metric("took", seconds(state.last_took));
  c.metric("runs", state.runs, ronda::counter);
  c.metric("failures", state.failures, ronda::counter);
  c.metric("missed", state.missed, ronda::counter);
}

}  // namespace heartbeat
