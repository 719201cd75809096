// SPDX-License-Identifier: Apache-2.0
// What must hold in a world after each thing that happens in it. It looks at what the desk holds, what was decided, what
// is on the disk and what was handed to notifiers, and changes none of it. The first thing that is broken is kept.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "disk.hpp"
#include "response/response.hpp"

namespace ronda::sim {

class Judge {
 public:
  explicit Judge(Disk& disk) : disk_(disk) {}

  const std::optional<std::string>& broken() const { return broken_; }
  void fail(std::string what);

  /// The agent of this life; null: none runs.
  void watch(response::Response* response, std::int64_t passed_ns);
  /// What an incident was before does not bind what comes: another configuration, a start.
  void forget_pace();
  void on_clock_set(std::int64_t passed_ns);

  void on_decide(const store::Decision& decision, std::int64_t passed_ns);
  void on_written(const store::Decision& decision);
  void on_event(const store::IncidentEvent& event);
  void on_change(const store::OutboxChange& change);
  void on_handed(const std::string& notifier, const wire::Message& message);
  /// Called only in the life that handed it over.
  void on_ended(const std::string& notifier, const std::string& id, schedule::DeliveryEnd::What what);
  void on_received(const std::string& notifier, const std::string& id);
  void on_reply(const incident::Reply& reply);

  /// After each thing that happened.
  void check(std::int64_t passed_ns);
  /// When nothing is left to be done at this instant, which the agent takes for `now_ns`.
  void check_still(std::int64_t now_ns);
  /// After a long time in which all notifiers and the disk were well.
  void check_calm();
  /// After a long time in which nothing failed besides.
  void check_well();

  /// What happened, a line each, for who looks at a broken world.
  const std::vector<std::string>& diary() const { return diary_; }
  void note(std::int64_t passed_ns, const std::string& what);

  std::size_t messages() const { return rows_.size(); }
  std::size_t received() const { return received_.size(); }
  const std::map<std::string, std::size_t>& kinds() const { return kinds_; }

 private:
  struct Before {
    bool live = false, taken = false;
    std::int64_t acked_ns = 0;
    std::string suppressed_by;
    std::int64_t below_ns = 0;  // since when nothing was as high, and it was called for by nothing else; 0: not
  };
  using Ways = std::set<std::pair<std::string, std::string>>;  // contact, notifier
  struct Below {  // an incident that no alert is as high as: for so long, while nothing hid it, in this life
    config::Level level = config::Level::none;
    std::int64_t since = -1, spent = 0, leapt = 0;  // since -1: it stands
    std::int64_t lately = 0;                        // the same, and since the clock was set forward last
    std::int64_t due = -1;                          // since when there is something that it is to be lowered to
  };
  struct Eased {  // by the agent: when last, and whether an alert raised it since
    std::int64_t at = 0;
    bool returned = false;
  };
  struct Pace {  // of calls for an incident
    std::int64_t since = 0, called = 0;
  };

  const incident::State& state() const { return response_->desk().incidents(); }
  bool is_stored_in_time() const {
    return disk_.mode() != Disk::Mode::full && response_ != nullptr && response_->courier().ring().size() == 0;
  }
  void judge_row(const store::OutboxRow& row);
  void take_before(const std::string& id);
  void follow_clock(std::int64_t passed_ns);
  void forgive(std::int64_t leap_ns, std::int64_t passed_ns);
  void move_known(std::int64_t by_ns);
  void check_incident(const incident::Incident& incident, std::int64_t passed_ns);
  void check_level(const incident::Incident& incident);
  void check_below(const incident::Incident& incident, std::int64_t passed_ns);
  void note_level(const incident::Event& event);
  void note_called(const incident::Event& event, const store::OutboxRow* message);
  void check_told(const std::string& id, const Ways& owed, const store::Decision& decision);
  void judge_eased(const incident::Event& event, std::int64_t passed_ns);
  void check_pace(const incident::Incident& incident, std::int64_t passed_ns);
  void check_alerts(std::int64_t passed_ns);
  void check_unknown(const rule::Alert& rule, const rule::AlertState& alert, const std::string& id, const incident::Member& member,
                     std::int64_t passed_ns);
  void check_untold(const rule::Alert& rule, const rule::AlertState* alert, std::int64_t passed_ns);
  void check_waiting(const rule::Alert& rule, const rule::AlertState* alert, std::int64_t passed_ns);
  void check_stored();

  Disk& disk_;
  response::Response* response_ = nullptr;
  std::optional<std::string> broken_;
  bool clock_was_set_ = false;
  std::optional<std::int64_t> lead_ns_;  // of the agent's clock before what passed, when it was looked at last in this life
  std::int64_t clock_set_at_ns_ = 0;     // by what passed
  std::map<std::string, Before> before_;
  std::map<std::string, Pace> pace_;
  std::map<std::string, std::int64_t> fired_;  // by alert: when its member was changed last while the alert had a level
  /// By alert: when its member was changed last while nothing was known of it; of all lives, a kill brings older ones back.
  std::set<std::pair<std::string, std::int64_t>> was_unknown_;
  std::map<std::string, std::int64_t>
      untold_;  // by alert: since when nothing is known of it, or it waits for a check that nobody was told of, and it is in no incident
  struct Watched {  // an alert that nothing is known of: since when, and so much of that was only the clock's
    std::int64_t since = 0, leapt = 0;
  };
  std::map<std::string, Watched> watched_;
  std::set<std::string> rows_;                    // decided, by id
  std::set<std::string> was_refused_;             // by id: its decision was once refused, it may leave from memory
  std::set<std::string> lowered_;                 // incidents whose level is a person's
  std::map<std::string, config::Level> persons_;  // by incident: the level that a person set last
  std::map<std::string, Below> below_;
  std::map<std::string, Ways> called_;                       // by incident: who was called by what since it was opened or reopened
  std::set<std::pair<std::string, std::uint64_t>> decided_;  // events of this life, by incident and sequence
  std::map<std::string, Eased> eased_;                       // by what is on the disk
  std::set<std::string> was_eased_;                          // and in memory
  incident::State shadow_;                                   // the fold over what is on the disk
  std::set<std::string> touched_;                            // of these, incidents that changed
  std::map<std::string, std::int64_t> number_;               // by message: the last attempt
  std::map<std::string, std::int64_t> lane_;                 // by lane: the order of what was handed over last
  std::map<std::string, std::string> in_flight_;             // by notifier
  std::set<std::string> told_delivered_, told_end_;          // the agent was told so; told_end_: for good
  std::set<std::string> confirmed_;                          // and the disk has it
  std::map<std::string, std::size_t> handed_, received_;
  std::vector<std::string> diary_;
  std::map<std::string, std::size_t> kinds_;  // of events, by name
};

}  // namespace ronda::sim
