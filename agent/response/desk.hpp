// SPDX-License-Identifier: Apache-2.0
// What follows from a result, a person's word or the passing of time: the alerts that move, the incidents that they
// open, who is told, all of it as one decision to be committed before anything of it happens. Pure: it has no clock, no
// store and no event loop; (state, input, now) -> (state, output). Production, simulation and tests run the same code.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "incident/engine.hpp"
#include "incident/upkeep.hpp"
#include "measure/history.hpp"
#include "response/inbound.hpp"
#include "response/message.hpp"
#include "response/objectives.hpp"
#include "response/plan.hpp"
#include "rule/ladder.hpp"
#include "store/decision.hpp"

namespace ronda::response {

/// What one step owes and answers.
struct Output {
  store::Decision decision;
  std::vector<store::Sampled> samples;        // observed, not owed
  std::vector<incident::Reply> replies;       // to the person whose command it was; after the commit
  std::vector<incident::Diagnose> diagnoses;  // to be run; after the commit
  std::vector<std::string> troubles;          // for the log: who could not be told as configured
};

/// What the store held.
struct Kept {
  std::vector<incident::Event> events;  // of incidents that are not closed, each in its order
  std::vector<store::AlertState> alerts;
  std::vector<store::SilenceRow> silences;
  std::vector<store::InstanceState> checks;  // and tasks, as they were found last
  bool is_whole = true;                      // false: not all of it could be read
};

class Desk {
 public:
  using Random = std::function<std::uint64_t()>;

  Desk(std::shared_ptr<const Plan> plan, Random random);

  /// Once, before everything else. What cannot be read is left out and named.
  std::vector<std::string> restore(const Kept& kept, std::int64_t now_ns);
  /// What the store held, where it could not be read at the start: what this life has found stays, the rest is as after
  /// restore(). use() comes next. What cannot be read is left out and named as a trouble.
  Output recall(const Kept& kept, std::int64_t now_ns);
  /// Another configuration: alerts keep their state as rule::adopt says, those that left are told.
  Output use(std::shared_ptr<const Plan> plan, std::int64_t now_ns);
  /// False: its results change nothing here.
  bool cares_for(std::string_view check) const { return alerts_of_.contains(check) || history_.wants(check); }
  /// Results are only gathered until begin_looking(): with a window that is half empty a rule would fire falsely, or end what
  /// still holds. Before restore(); who never calls it looks at once.
  void wait_for_samples() { looking_ = false; }
  /// What was known before the start is there, or will not come. Nothing the second time.
  Output begin_looking(std::int64_t now_ns);
  /// Objectives whose past is to be read; each is named once, and again after load_objective_again().
  std::vector<measure::slo::Objective> take_unloaded_objectives() { return objectives_.take_unloaded(); }
  Output restore_objective(const measure::slo::Objective& asked, std::span<const measure::slo::Stretch> older, std::int64_t now_ns);
  void load_objective_again(std::string_view objective) { objectives_.load_again(objective); }
  Output on_result(const measure::Result& result, std::int64_t now_ns);
  /// How it ended is a result of "task.NAME", for those who care for that.
  Output on_task_success(std::string_view task, std::int64_t at_ns, std::int64_t now_ns);
  Output command(const incident::Command& command, std::int64_t now_ns);
  Output add_silence(incident::Silence silence, std::int64_t now_ns);
  Result<Output> expire_silence(std::string_view id, const incident::Author& author, std::uint64_t based_on, std::int64_t now_ns);
  Output start_maintenance(incident::OneOff one_off, std::int64_t now_ns);
  Result<Output> end_maintenance(std::string_view id, const incident::Author& author, std::int64_t now_ns);
  Output override_oncall(incident::OnCallOverride one, std::int64_t now_ns);
  Result<Output> end_override(std::string_view id, const incident::Author& author, std::int64_t now_ns);
  /// A marked message by every channel of a contact, of each of a group, of who is on call now; its envelopes have ids that
  /// begin with `key`.
  Result<Output> send_test(std::string_view target, const incident::Author& author, const std::string& key, std::int64_t now_ns) const;
  /// What became of messages; `contact` as in their rows, of which each who shares an address is noted.
  Output on_deliveries(const std::vector<incident::Delivery>& deliveries, std::int64_t now_ns);
  Output on_diagnosis(const incident::Diagnosis& diagnosis, std::int64_t now_ns);
  /// The own troubles that hold: "sink/mail", "store".
  std::vector<std::string> own_troubles() const;
  /// Something about the agent itself, as an alert that no rule makes: `level` none ends it.
  Output on_own_trouble(std::string_view name, config::Level level, std::string_view text, std::int64_t now_ns);
  /// What others judged. Of new ones those beyond most_inbound are left out.
  Output on_inbound(const InboundBatch& batch, std::int64_t now_ns);
  std::size_t inbound_count() const { return inbound_count_; }
  Output tick(std::int64_t now_ns);
  /// The clock was set forward by so much and shows `now_ns`: before anything else comes by it.
  Output on_clock_set(std::int64_t by_ns, std::int64_t now_ns);
  /// When tick() is wanted if nothing else happens.
  std::optional<std::int64_t> next_wake() const;

  const Plan& plan() const { return *plan_; }
  std::shared_ptr<const Plan> share_plan() const { return plan_; }
  const incident::State& incidents() const { return state_; }
  const incident::SilenceBook& silences() const { return silences_; }
  const incident::UpkeepBook& upkeep() const { return upkeep_; }
  const Objectives& objectives() const { return objectives_; }
  const measure::History& history() const { return history_; }
  measure::History& history() { return history_; }
  const rule::AlertState* alert(std::string_view name) const;

 private:
  struct Held {  // the state of an alert
    rule::AlertState state;
    std::int64_t written_ns = 0;  // when it was last part of a decision
    std::int64_t row_ns = 0;      // the instant that stands at its row in the store: of two rows that keeps the later one
    std::int64_t blocked_ns = 0;  // since when it has waited for the same check, in this life; 0: it does not
    /// At a start after the wall clock was set back the store's row is the later one, and what is decided now must be kept.
    std::int64_t next_row_ns(std::int64_t now_ns) { return row_ns = std::max(row_ns, now_ns); }
  };

  /// A set of names by when each wants to be looked at again.
  class Alarms {
   public:
    void set(const std::string& name, std::int64_t at_ns);  // 0: not by time alone
    void clear(const std::string& name) { set(name, 0); }
    void move(std::int64_t by_ns);
    std::vector<std::string> due(std::int64_t now_ns) const;
    std::optional<std::int64_t> next() const;

   private:
    std::map<std::string, std::int64_t, std::less<>> at_;
    std::set<std::pair<std::int64_t, std::string>> order_;
  };

  Status take_up(const store::AlertState& row, std::int64_t now_ns);
  Status take_up(const store::SilenceRow& row);
  void note_asked(const std::vector<incident::Event>& events);
  /// What a check that is not ok says of itself, for those who are told of it.
  void note_words(const measure::Result& result);
  void look_at(const rule::Alert& alert, Output& out, std::int64_t now_ns);
  rule::Reading read(const rule::Alert& alert, const rule::AlertState& state, Output& out, std::int64_t now_ns);
  bool is_excluded(const rule::Slo& slo) const;
  ObjectiveInput input_of(const rule::Slo& slo) { return {history_, plan_->rules.facts, is_excluded(slo)}; }
  void judge_objectives(std::string_view check, Output& out, std::int64_t now_ns);
  void tell_unknown(const rule::Alert& alert, rule::AlertState& state, bool is_thin, Output& out, std::int64_t now_ns);
  void tell_waiting(const rule::Alert& alert, Held& held, Output& out, std::int64_t now_ns);
  bool is_told_of(std::string_view check) const;
  bool waits_in_incident(std::string_view alert) const;
  void end_unknown(const rule::Alert& alert, const rule::AlertState& state, Output& out, std::int64_t now_ns);
  void look_at_all(Output& out, std::int64_t now_ns);
  void look_at_those_of(std::string_view check, Output& out, std::int64_t now_ns);
  void feed(const incident::Input& input, Output& out, std::int64_t now_ns);
  void note_break(std::int64_t now_ns);
  void move_mutes(std::int64_t by_ns, std::int64_t before_ns, Output& out);
  void settle(Output& out, std::int64_t now_ns);
  bool may_mute_later(std::int64_t now_ns);
  void pause_restless(Output& out, std::int64_t now_ns);
  void note_restless(const std::string& alert, const rule::AlertState& state);
  void mute(Output& out, std::int64_t now_ns);
  void keep_windows(const std::vector<incident::Firing>& firing, Output& out, std::int64_t now_ns);
  void drill(Output& out, std::int64_t now_ns);
  void tell(Output& out, std::int64_t now_ns);
  void wake_engine_for(const std::string& id);
  void tell_incident(const std::string& id, const std::vector<incident::Notice>& notices, Output& out, std::int64_t now_ns);
  void forget_old(Output& out, std::int64_t now_ns);
  void set_own_trouble(std::string_view name, config::Level level, std::string_view text, Output& out, std::int64_t now_ns);
  void ask_again_for_unheard();
  void tell_lost_ways(Output& out, std::int64_t now_ns);
  void end_found_ways(Output& out, std::int64_t now_ns);
  void owe(const Told& told, const std::string& incident, Output& out, std::int64_t now_ns);
  void count_inbound();
  void note_over(const std::string& alert);
  void end_over(const Kept& kept, Output& out, std::int64_t now_ns);
  void forget_inbound(const std::string& name, Output& out, std::int64_t now_ns);
  void end_silent(const std::string& name, Output& out, std::int64_t now_ns);
  void write_alert(const std::string& name, Held& held, Output& out, std::int64_t now_ns);
  void index();

  std::shared_ptr<const Plan> plan_;
  Random random_;
  measure::History history_;
  Objectives objectives_;
  bool looking_ = true;  // false: what was known before the start is still being read
  std::map<std::string, Held, std::less<>> alerts_;
  bool is_read_ = true;                      // false: what the store held is not known yet
  std::set<std::string, std::less<>> over_;  // alerts that no rule makes, of which was said meanwhile that they are over
  std::size_t inbound_count_ = 0;            // of them, what others judged
  std::map<std::string, std::vector<const rule::Alert*>, std::less<>> alerts_of_;  // by check or task.NAME that they name or depend on
  std::map<std::string, std::string, std::less<>> said_;                           // by check that is not ok: its last words
  incident::State state_;
  incident::SilenceBook silences_;
  incident::UpkeepBook upkeep_;
  std::int64_t drilled_ns_ = 0;                               // the last drill that was due; 0: none was planned yet
  std::map<std::string, std::int64_t, std::less<>> asked_;    // by incident that is not closed: until when its escalation has been asked
  std::map<std::string, std::int64_t, std::less<>> unheard_;  // the same of those of which nobody could hear since then
  Alarms alert_alarms_, incident_alarms_, engine_alarms_;     // the last two by incident: its escalation, its own times
  std::optional<std::int64_t> boundary_wake_;                 // of silences, windows and drills
  std::int64_t muted_ns_ = 0;                                 // when what hides alerts was looked at last
  std::int64_t cleaned_ns_ = 0;
  std::set<std::string> touched_;                   // incidents of this step
  std::vector<incident::Notice> notices_;           // of this step, not told yet
  std::map<std::string, Way> ways_;                 // by service, of this step's messages; not judged yet
  bool is_fresh_ = false;                           // restored or reconfigured, and mutes have not been looked at since
  std::set<std::string, std::less<>> restless_;     // alerts that come and go, and are held
  bool restless_moved_ = false;                     // since the engine was told
  std::int64_t calm_since_ns_ = 0, paused_ns_ = 0;  // for what it is told next, and when it was told last
  bool muting_ = true;                              // mutes may be other ones than those that the engine knows
};

}  // namespace ronda::response
