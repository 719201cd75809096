// SPDX-License-Identifier: Apache-2.0
// A small world for tests of the engine: it gives inputs, keeps what came out, and speaks of time in minutes.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "catch.hpp"
#include "incident/engine.hpp"

namespace ronda::incident {

using config::Level;

inline Author contact(std::string name) {
  return {Author::Kind::contact, std::move(name)};
}
inline Author unix_user(std::string name) {
  return {Author::Kind::unix, std::move(name)};
}

inline rule::Change change(std::string alert, std::string check, std::string service, Level to, std::string blocked_by = {}) {
  rule::Change out;
  out.alert = std::move(alert);
  out.check = std::move(check);
  out.service = std::move(service);
  out.to = to;
  using What = rule::Change::What;
  out.what = !blocked_by.empty() ? What::blocked : to == Level::none ? What::resolved : What::fired;
  out.blocked_by = std::move(blocked_by);
  out.reason = to == Level::none ? "recovered" : "over its limit";
  return out;
}

class World {
 public:
  static constexpr std::int64_t start = 1'796'000'000 * second_ns;  // 2026-11-30

  World() { settings.host = "shop-1"; }

  Outcome give(const Input& input) {
    ++entropy_;
    last = step(state, settings, input, now, {entropy_ * 0x9E3779B97F4A7C15ULL, entropy_ * 0xD1B54A32D192ED03ULL});
    events.insert(events.end(), last.events.begin(), last.events.end());
    for (const Effect& effect : last.effects) {
      if (const auto* notice = std::get_if<Notice>(&effect)) notices.push_back(*notice);
    }
    return last;
  }
  Outcome fire(const std::string& alert, Level to, const std::string& service = "api", const std::string& blocked_by = {}) {
    return give(change(alert, "c-" + alert, service, to, blocked_by));
  }
  Outcome recover(const std::string& alert, const std::string& service = "api") { return fire(alert, Level::none, service); }

  Reply say(Command command) {
    if (command.source.empty()) command.source = "cli";
    give(command);
    for (const Effect& effect : last.effects) {
      if (const auto* reply = std::get_if<Reply>(&effect)) return *reply;
    }
    FAIL("no reply");
    return {};
  }
  Reply say(Verb verb, const Author& author, std::string text = {}, std::uint64_t based_on = 0) {
    Command command;
    command.verb = verb;
    command.incident = only().id;
    command.author = author;
    command.text = std::move(text);
    command.based_on = based_on;
    return say(std::move(command));
  }

  /// Time goes by, with a Tick whenever the engine wants one.
  void pass(std::int64_t minutes) {
    const std::int64_t until = now + minutes * minute_ns;
    for (auto wake = next_wake(state, settings); wake && *wake <= until; wake = next_wake(state, settings)) {
      now = std::max(now, *wake);
      give(Tick{});
    }
    now = until;
  }

  const Incident& only() const {
    REQUIRE_FALSE(state.incidents.empty());
    REQUIRE(state.incidents.size() == 1);
    return state.incidents.begin()->second;
  }
  /// The events of the last input, as words: "opened alert_joined notice_owed".
  std::string said() const {
    std::string out;
    for (const Event& event : last.events) out += (out.empty() ? "" : " ") + std::string(kind_name(event.kind));
    return out;
  }
  std::size_t pages() const {
    return static_cast<std::size_t>(std::count_if(notices.begin(), notices.end(), [](const Notice& one) { return one.page; }));
  }
  const Notice& last_notice() const {
    REQUIRE_FALSE(notices.empty());
    return notices.back();
  }

  State state;
  Settings settings;
  std::int64_t now = start;
  std::vector<Event> events;
  std::vector<Notice> notices;
  Outcome last;

 private:
  std::uint64_t entropy_ = 0;
};

}  // namespace ronda::incident
