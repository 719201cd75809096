// SPDX-License-Identifier: Apache-2.0
// The inside of step(), shared by its source files: engine.cpp (events, state), engine_alerts.cpp (what rules say),
// engine_commands.cpp (what people want), engine_mutes.cpp (silences and windows), engine_time.cpp (what time brings), engine_tickets.cpp
// (what is asked of vendors).
#pragma once

#include "base/said.hpp"
#include "incident/engine.hpp"

namespace ronda::incident {

/// P1 before P2; none is below all.
inline bool is_higher(config::Level a, config::Level b) {
  if (a == config::Level::none || b == config::Level::none) return a != config::Level::none && b == config::Level::none;
  return a < b;
}

inline bool is_grave(config::Level level) {
  return level == config::Level::p1 || level == config::Level::p2;
}

/// One input on its way through the state. Every change of an incident is an event that is applied at once.
class Stepper {
 public:
  Stepper(State& state, const Settings& settings, std::int64_t now_ns, const Entropy& entropy)
      : state_(state), settings_(settings), now_(now_ns), entropy_(entropy) {}

  void on(const rule::Change& change);
  void on(const Command& command);
  void on(const Tick&);
  void on(const MutesNow& mutes);
  void on(const RestlessNow& restless);
  void on(const Delivery& delivery);
  void on(const Diagnosis& diagnosis);
  void on(const Removed& removed);
  void on(const Recalled& recalled);
  void on(const ClockSet& set);

  Outcome take() { return std::move(outcome_); }

 private:
  // engine.cpp
  Event make(Kind kind, std::string text = {}) const;
  Event make(Kind kind, const Command& command) const;
  Incident& emit(const std::string& id, Event event);
  void owe(Incident& incident, std::string_view event, bool page, Said reason, std::vector<std::string> contacts = {});
  void remind(Incident& incident, Said reason);
  void sign(Event& event) const;
  void set_level_times(Event& event, config::Level level) const;
  std::string unused_id() const;
  Incident& open(Event opened);
  Incident* find(const std::string& id);

  // engine_alerts.cpp
  struct Target {
    Incident* incident = nullptr;  // null: none that it belongs to
    bool is_back = false;          // it is over and will be reopened
  };
  Target target_of(const rule::Change& change);
  Incident* incident_about(const std::string& check);
  bool may_reopen(const Incident& incident) const;
  void come(const rule::Change& change);
  void note_impact(const rule::Change& change);
  void end(const rule::Change& change);
  void block(const rule::Change& change);
  void unblock(const rule::Change& change);
  void remark(const rule::Change& change);
  void leave(Incident& incident, const std::string& alert, std::string text, const std::string& goes_on_in = {});
  void after_leave(Incident& incident, const Said& reason, const std::string& goes_on_in = {});
  void change_member(Incident& incident, const rule::Change& change);
  void open_for(const rule::Change& change);
  void join(Incident& incident, const rule::Change& change);
  void reopen(Incident& incident, config::Level level, std::string text);
  Event member_event(Kind kind, const rule::Change& change) const;
  void raise(Incident& incident, config::Level level, Event event, const std::string& alert = {});
  void look_into(const Incident& incident, config::Level before, const std::string& alert);
  void resolve(Incident& incident, Event event, Said notice);
  void close_removed(Incident& incident, const std::string& alert);

  // engine_commands.cpp
  void reply(const Incident& incident, std::string text);
  void refuse(Errc code, std::string text);
  void refuse(Incident& incident, const Command& command, Errc code, std::string text);
  bool is_first(Incident& incident, const Command& command);
  bool is_seen(Incident& incident, const Command& command);
  void renew_ack(const Incident& incident, Event& event) const;
  void tell(Incident& incident, Said reason);
  void tell_lowered(Incident& incident, Said reason);
  void open_by_hand(const Command& command);
  void ack(Incident& incident, const Command& command);
  void unack(Incident& incident, const Command& command);
  void note(Incident& incident, const Command& command);
  void update(Incident& incident, const Command& command);
  void set_level(Incident& incident, const Command& command);
  void mitigate(Incident& incident, const Command& command);
  void resolve(Incident& incident, const Command& command);
  void close(Incident& incident, const Command& command);
  void tell_resolution(Incident& incident, Said reason);
  void review(Incident& incident, const Command& command);
  void give_role(Incident& incident, const Command& command);
  std::int64_t ack_lasts(const Incident& incident, const Command& command) const;
  void take_acked(Incident& incident, const Command& command);
  bool record_review(Incident& incident, const Command& command);

  // engine_mutes.cpp
  const Mute* mute_of(const std::vector<Mute>& mutes, const std::string& alert, const std::string& check, const std::string& service,
                      config::Level level) const;
  const Mute* mute_of(const Incident& incident) const;
  void follow_mutes(Incident& incident, std::int64_t effective_ns = 0);
  /// The same, where nothing has changed but this one alert of it.
  void follow_mutes_for(Incident& incident, const std::string& moved);
  bool stays_hidden(const Incident& incident, const std::string& moved) const;
  void come_out(Incident& incident, const std::string& was);

  // engine_tickets.cpp
  void open_ticket(Incident& incident, const Command& command);
  void answer_ticket(Incident& incident, const Command& command);
  void watch_tickets(Incident& incident);

  // engine_time.cpp
  void watch_live(Incident& incident);
  void watch_ack(Incident& incident);
  void ease(Incident& incident);
  void watch_flapping(Incident& incident);
  bool is_restless(const Incident& incident) const;
  void follow_restless(const Incident& incident, std::int64_t calm_since_ns);
  void end_pause(const Incident& incident, std::string why);
  void end_pause_of_nobody(const Incident& incident);
  void watch_over(Incident& incident);
  void tell_joined(Incident& incident);

  State& state_;
  const Settings& settings_;
  std::int64_t now_;
  Entropy entropy_;
  std::string source_ = "rule";  // of what an alert brings
  Author judge_;
  Author by_;  // of the command
  Outcome outcome_;
};

/// "api-down, api-slow and 3 more"
std::string listed(const std::vector<std::string>& names);
Said said_list(const std::vector<std::string>& names);
std::vector<std::string> firing_names(const Incident& incident);
/// The person who has it, for a notice to that one alone; empty: nobody that can be reached.
std::vector<std::string> owner_of(const Incident& incident);

}  // namespace ronda::incident
