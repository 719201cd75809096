// SPDX-License-Identifier: Apache-2.0
#include "state.hpp"

#include <charconv>
#include <type_traits>

namespace heartbeat {
namespace {

/// Names every member but the tail once, for writing and for reading.
template <class S, class Visit>
void each_member(S& s, Visit visit) {
  visit("armed", s.armed);
  visit("looked", s.looked);
  visit("heard", s.heard);
  visit("deaf_from", s.deaf_from);
  visit("deaf_until", s.deaf_until);
  visit("signals_start", s.signals_start);
  visit("started", s.started);
  visit("beat", s.beat);
  visit("last_start", s.last_start);
  visit("last_end", s.last_end);
  visit("last_success", s.last_success);
  visit("last_took", s.last_took);
  visit("outcome", s.outcome);
  visit("code", s.code);
  visit("late_by", s.late_by);
  visit("gap", s.gap);
  visit("gap_at", s.gap_at);
  visit("overlapped", s.overlapped);
  visit("took_too_long", s.took_too_long);
  visit("covered", s.covered);
  visit("given_up", s.given_up);
  visit("unseen", s.unseen);
  visit("missed", s.missed);
  visit("runs", s.runs);
  visit("failures", s.failures);
}

void assign(std::string_view text, std::int64_t& value) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) value = number;
}

}  // namespace

std::string format(const State& state) {
  std::string out;
  each_member(state, [&](const char* name, const auto& value) {
    out += std::string(name) + " " + std::to_string(static_cast<std::int64_t>(value)) + "\n";
  });
  return out + "tail\n" + state.tail;
}

State parse_state(std::string_view text) {
  State state;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line == "tail") {
      state.tail = text.substr(0, tail_limit);
      break;
    }
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) continue;
    each_member(state, [&](const char* name, auto& value) {
      if (line.substr(0, space) != name) return;
      auto number = static_cast<std::int64_t>(value);
      assign(line.substr(space + 1), number);
      value = static_cast<std::remove_reference_t<decltype(value)>>(number);
    });
  }
  if (state.outcome > Outcome::failed) state.outcome = Outcome::none;
  return state;
}

}  // namespace heartbeat
