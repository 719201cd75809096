// SPDX-License-Identifier: Apache-2.0
// Drives the timetable on the event loop: what is due goes to its plugin's supervisor, what comes back is graded,
// kept and written down, and becomes the reason of what is due next. Owns the entries and the supervisors.
// Knows no TOML and no plugin file; tells nobody anything: that is for incidents and notifiers. All [loop].
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "schedule/entry.hpp"
#include "schedule/id_map.hpp"
#include "schedule/timetable.hpp"
#include "store/store.hpp"

namespace ronda::schedule {

/// What the scheduler needs of the rest of the agent.
struct SchedulerPorts {
  boost::asio::io_context& loop;
  store::Store& store;
  ZoneDatabase& zones;
  ZonePtr zone;  // of expressions that name none
  std::string host;
  sys_seconds built;  // no wall clock before this is believed
  /// Starts nothing yet; the runner comes with the first call.
  std::function<std::unique_ptr<plugin::Supervisor>(const PluginRef&, const RunAs&, plugin::SupervisorClient&)> make_supervisor;
  std::function<void(std::int64_t level, std::string_view text)> log;
  bool safe_mode = false;                              // no task runs by its schedule
  std::function<Nanos()> wall = {};                    // since 1970; empty: the clock itself
  Nanos refused_slot_wait = std::chrono::seconds(10);  // until a slot that the store could not promise is tried again
  /// Every result that counts, graded: of a check, a task and a notifier. May be empty.
  std::function<void(const Entry&)> on_result = {};
  /// What is to be kept of results since the last call, for the batch that they are written with. May be empty.
  std::function<std::vector<store::Sampled>()> take_samples = {};
  /// What trouble_of says of this plugin may be another thing now. May be empty.
  std::function<void(std::string_view plugin)> on_plugin_trouble = {};
};

/// What the store kept of an agent that ran before.
struct Remembered {
  std::vector<store::InstanceState> states;
  std::vector<store::Slot> last_slots;  // the newest of every instance
  std::vector<store::KnownCalendar> calendars;
  std::vector<store::Slot> started_slots;  // runs that nobody owns any more
  std::vector<store::InstanceId> inbox_owners;
  std::vector<store::Quarantine> quarantines;
  std::vector<store::KvVersion> state_versions;
};

/// `reload #7: 112 kept, 2 replaced, 1 added, 0 removed`
struct ApplyReport {
  std::size_t kept = 0, replaced = 0, added = 0, removed = 0;
  std::vector<std::string> changes;  // "replaced check api-status", at most 100
};

/// How a run ended, before it counts.
struct Ending {
  Fate fate = Fate::finished;
  CheckStatus reported = CheckStatus::unknown;  // what the plugin said, or unknown
  bool told = false;                            // it said something
  std::string summary, detail, metrics;
  std::int64_t dropped_metrics = 0;
};

/// Runs that ended badly and are made once more before the result counts: the key `retry`.
struct Attempts {
  std::uint32_t made = 0;
  std::int64_t slot_wall = 0;  // that they are for; 0: none
  Ending last;
};

/// How the handing over of a message ended.
struct DeliveryEnd {
  enum class What : std::uint8_t { delivered, retry, dropped, not_begun } what = What::retry;  // not_begun: it is no attempt
  std::int64_t again_at_wall_ns = 0;  // of retry: not before, if the other side said so
  std::string detail;                 // for people
};
DeliveryEnd delivery_end_of(const plugin::CallEnd& end);
/// What the end of a run says, moved out of it; the end of its trip is noted there.
Ending ending_of(const Prepared& spec, Trip& trip, plugin::CallEnd& end);
/// The plugin gave more metrics than are kept: its detail says so. The text, empty where it did not.
std::string add_dropped(Ending& ending);

struct Progress {
  double share = 0;
  std::string what;
};

/// What a detached run has left alive, as it was at its end; at most plugin::left_alive_most.
struct LeftByRun {
  std::int64_t wall = 0;
  std::vector<plugin::LeftAlive> processes;
};

class Scheduler final : private plugin::SupervisorClient {
 public:
  explicit Scheduler(SchedulerPorts ports);
  ~Scheduler();

  /// Takes over a whole set: what is unchanged keeps phase, state and run.
  ApplyReport apply(std::vector<Prepared> set);
  /// The first set, with what was known of it.
  ApplyReport begin(std::vector<Prepared> set, const Remembered& remembered);
  /// What could not be read at the start and is there now. What happened since is not undone and nothing runs twice.
  void recall_late(const Remembered& remembered);
  /// The store had failed and works again: what it refused may be in it or not, and what it was to know it is told again.
  void on_store_back();
  /// Runs it now, or waits for the run that goes on or has yet to get its lock; `ended` is told the entry afterwards;
  /// its skip is `stopping` when the agent stops before that run began.
  /// With `flags` (RONDA_CALL_*) it is a run apart: its end is told to who asked and counts for nothing else; refused (exists)
  /// while another one goes on.
  Result<Unit> run_now(Kind kind, std::string_view name, std::uint32_t flags, std::function<void(const Entry&)> ended);
  void run_all_now();
  /// From their next turn or slot on tasks run by their schedule; what was skipped stays so.
  void leave_safe_mode() { ports_.safe_mode = false; }
  /// The wall clock was set: what is due by it is due now.
  void on_clock_set() { pump(); }
  /// What the zone database says now holds: calendars whose zone has other rules are planned anew, runs go on. `zone` is
  /// that of expressions which name none. How many instances were planned anew.
  std::size_t use_zones(ZonePtr zone);
  /// An event for an instance has been stored: it is due now.
  void poke(Kind kind, std::string_view name);
  /// An event of that check is gone that it has not read: said in the log, once an hour and with how many it were.
  void tell_full_inbox(const std::string& name);
  /// Hands a message to a notifier, behind those that wait for it; `ended` is called once, never from inside.
  void deliver(std::string_view notifier, std::shared_ptr<const wire::Message> message, std::function<void(const DeliveryEnd&)> ended);

  /// No new runs. `drained` is called once nothing is in flight.
  void stop(std::function<void()> drained);
  /// Ends what still runs.
  void kill_all();

  const Entry* find(Kind kind, std::string_view name) const;
  void each(const std::function<void(const Entry&)>& visit) const;  // by kind, then name
  Timetable::View look(const Entry& entry) const;
  std::vector<std::string_view> names(Kind kind) const;
  std::vector<plugin::SupervisorStatus> plugins() const;
  bool clear_quarantine(std::string_view plugin_or_instance);
  /// Those that hold now, of one plugin: of it as a whole and of its instances.
  std::vector<const store::Quarantine*> quarantines(std::string_view plugin) const;
  const store::Quarantine* quarantine(const Entry& entry) const;  // null: it is not held itself
  /// What is wrong with a plugin beyond one result, for people: it or some of its instances are in quarantine, a runner of it
  /// cannot be killed. Empty: nothing.
  std::string trouble_of(std::string_view plugin) const;
  /// By which version of the plugin its state was kept, if that is not its own; 0: nothing is to be handed over.
  std::uint32_t state_from(const Prepared& spec) const;
  /// Answers what an instance asks that is only tried: it reads what is there, and what it writes is not kept.
  void answer_trial(const Prepared& spec, const wire::Request& request, std::function<void(std::int32_t, std::string)> reply);
  /// Why it is not run although it is configured; empty: it is run.
  std::string_view why_disabled(const Entry& entry) const;
  const Attempts* attempts(const Entry& entry) const;  // null: none that did not count
  const Progress* progress(const Entry& entry) const;
  /// Of its last run that left something alive; null: none did since the agent's start.
  const LeftByRun* left_alive(const Entry& entry) const;
  /// Of a run apart that is under way; null: none is.
  const Trip* apart(const Entry& entry) const;
  /// Its last run was told timed out and its code has not ended: it keeps its locks, and none of its runs begins.
  bool lingers(const Entry& entry) const;
  std::size_t in_flight() const { return in_flight_; }
  /// How long the earliest of what is due has waited to be taken up; 0 while the schedule is followed.
  Nanos overdue() const;
  const std::deque<std::int64_t>& lateness() const { return lateness_; }  // ns, of the last runs by schedule

 private:
  static constexpr unsigned call_position_bits = 24;  // of a call id: where its entry stands
  static std::uint32_t position_of_call(std::uint64_t call) { return static_cast<std::uint32_t>(call & ((1U << call_position_bits) - 1)); }

  struct Waiting {  // a message for a notifier
    std::shared_ptr<const wire::Message> message;
    std::function<void(const DeliveryEnd&)> ended;
  };
  struct Apart {
    Trip trip;
    std::function<void(const Entry&)> ended;  // may be empty
  };
  struct WaitingForLocks {
    Due due;                   // counted as running by the timetable
    bool is_delivery = false;  // the next message of a notifier, which the timetable knows nothing of
  };
  struct Hosted {
    std::string key;
    RunAs as;
    std::unique_ptr<plugin::Supervisor> supervisor;
    Group group = 0;
    std::size_t users = 0;
  };

  Nanos wall() const { return ports_.wall ? ports_.wall() : wall_clock(); }

  // what is due
  void arm();
  void pump();
  void pump_soon();
  void handle(const Due& due);
  bool take_locks(const Entry& entry, std::uint32_t position);
  bool holds_locks(std::uint32_t position) const;
  void wait_for_locks(const Due& due, bool is_delivery);
  void release_locks(std::uint32_t position);
  void serve_waiting();
  Result<Unit> run_apart(std::uint32_t position, std::uint32_t flags, std::function<void(const Entry&)> ended);
  void end_apart(std::uint32_t position, plugin::CallEnd& end);
  bool is_apart(std::uint32_t position) const { return apart_.contains(position); }
  void start(Entry& entry, std::uint32_t position, const Due& due);
  void launch(Entry& entry, std::uint32_t position, const Due& due);
  void hand_over(Entry& entry, std::uint32_t position, Trip& trip, const Due& due, std::uint32_t flags);
  void flush_launches();
  void deliver_next(std::uint32_t position);
  void end_delivery(std::uint32_t position, const DeliveryEnd& end);
  void refuse_deliveries(std::uint32_t position, std::string_view why);
  void skip(Entry& entry, std::uint32_t position, Skip why);
  void close_slot(const Entry& entry, sys_seconds slot, std::string why);
  std::string blocker(const Entry& entry) const;
  void claim(std::uint32_t position, const Due& due);
  void leave_slot(Entry& entry, std::int64_t slot, bool claimed);
  void give_back_slot(const store::InstanceId& id, std::int64_t slot, std::string_view why);

  // what comes back
  wire::Create describe(std::uint32_t instance) override;
  void on_call_end(plugin::CallEnd end) override;
  void on_call_over(std::uint64_t call) override;
  void let_go(std::uint32_t position);
  void on_probed(std::uint32_t, bool, std::string_view) override {}  // a prober's business
  void on_log(std::string_view plugin, std::uint32_t instance, std::int64_t level, std::string_view text) override;
  void on_event(const wire::Event& event) override;
  void on_progress(const wire::Progress& progress) override;
  void on_left_alive(std::uint32_t instance, const std::vector<plugin::LeftAlive>& left) override;
  void on_request(wire::Request request, std::function<void(std::int32_t, std::string)> reply) override;
  void on_trouble(std::string_view plugin, std::uint32_t instance, std::string_view text) override;
  void on_trouble_over(std::string_view plugin) override { note_trouble(plugin); }
  void note_trouble(std::string_view plugin);
  void on_quarantine(const plugin::QuarantineChange& change) override;
  void forget_call(Entry& entry, std::uint64_t call);
  void free_after(std::uint32_t position, const plugin::CallEnd& end);
  void drain();
  bool settle(Entry& entry, plugin::CallEnd& end);
  void learn(Entry& entry, const plugin::CallEnd& end);
  plugin::Grade grade(const Entry& entry, const Ending& ending) const;
  bool will_retry(const Entry& entry, std::uint32_t position, const Ending& ending) const;
  void hold_back(Entry& entry, std::uint32_t position, Ending ending);
  void conclude(std::uint32_t position, std::string_view why);
  void count(Entry& entry, Ending& ending);
  void refuse_waiters();
  void unblock(const std::string& name);
  void tell_waiters(std::uint32_t position);
  bool waits_its_turn(const Entry& entry, std::uint32_t position) const;
  bool queue(const Skipped& skipped);
  void record_missed(const Missed& missed);
  void tell_dropped(const Entry& entry, Ending& ending);
  void disable(const Entry& entry, const std::string& why);
  void accept(Entry& entry, wire::Outcome& outcome, bool told, bool counts);
  void store_effects(const std::string& name, store::CallEffects effects);
  void mark_dirty(Entry& entry, std::uint32_t position);
  void write_dirty();
  void kv_read(const wire::Request& request, const store::KvSpace& space, std::function<void(std::int32_t, std::string)> reply);
  void kv_commit(wire::Request& request, const Entry& entry, std::function<void(std::int32_t, std::string)> reply);
  const ProcedureRef& procedure_in_flight(const Entry& entry) const;
  void inbox_read(const wire::Request& request, const Entry& entry, std::function<void(std::int32_t, std::string)> reply);
  void calendar_read(const wire::Request& request, std::function<void(std::int32_t, std::string)> reply);

  // the set
  std::uint32_t add(Prepared spec, Nanos now);
  void replace(std::uint32_t position, Prepared spec, Nanos now);
  void remove(std::uint32_t position);
  void release(std::uint32_t position);
  void remember(Entry& entry, const store::InstanceState& state);
  void recall(const Remembered& remembered);
  void recall_quarantines(const Remembered& remembered);
  void recall_state_versions(const Remembered& remembered);
  void close_orphan(const store::Slot& slot);
  void note_state_left(const Prepared& spec);
  void note_state_taken(const Prepared& spec);
  void note_state_versions(const Remembered& remembered);
  void restore_quarantine(Entry& entry);
  void restore_plugin_quarantines();
  void end_quarantine(const std::string& subject, std::string_view why);
  bool forget_quarantine(std::string_view subject);
  void put_quarantine(const store::Quarantine& quarantine);
  std::string fingerprint_of(const Hosted& hosted) const;
  std::vector<std::uint32_t> take_over(std::vector<Prepared> set, ApplyReport& report);
  void drop_others(const std::vector<std::uint32_t>& stay, ApplyReport& report);
  void settle_set(const std::vector<std::uint32_t>& fresh);
  void set_idle_limits();
  void use_calendar(std::uint32_t position, std::shared_ptr<const Calendar> calendar, Nanos now);
  void plan_first_runs(const std::vector<std::uint32_t>& fresh, Nanos now);
  Spec spec_of(const Entry& entry);
  std::optional<sys_seconds> done_until(const Prepared& spec) const;
  bool is_believed(Nanos at_wall) const { return at_wall >= ports_.built.time_since_epoch(); }
  std::optional<sys_seconds> known_since(const Prepared& spec) const;
  void note_calendars();
  Hosted& host_for(const Prepared& spec);
  void leave(Entry& entry);
  std::optional<std::uint32_t> position_of(Kind kind, std::string_view name) const;
  std::optional<std::uint32_t> position_of(const store::InstanceId& id) const;
  Entry* by_instance(std::uint32_t id);
  std::string name_of_instance(std::uint32_t id) const;

  SchedulerPorts ports_;
  Timetable timetable_;
  std::deque<Entry> entries_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> outlasted_;  // positions of those that left, by runs that go on
  std::vector<std::uint32_t> by_name_;    // positions, by kind and name
  IdMap position_of_id_;
  std::vector<std::unique_ptr<Hosted>> hosted_;  // by group; null: free
  std::vector<std::unique_ptr<plugin::Supervisor>> retired_;
  std::map<plugin::Supervisor*, std::vector<plugin::CallSpec>> launches_;
  std::unordered_map<std::uint32_t, std::vector<std::function<void(const Entry&)>>> waiters_;  // by position
  std::unordered_map<std::uint64_t, std::vector<std::int64_t>> inbox_taken_;                   // by call
  std::unordered_map<std::uint32_t, std::deque<Waiting>> deliveries_;                          // by position; the first may be under way
  std::unordered_map<std::uint64_t, Progress> progress_;
  std::unordered_map<std::uint32_t, LeftByRun> left_alive_;  // by position
  std::unordered_map<std::uint32_t, Apart> apart_;           // by position; of runs apart that are under way
  std::map<std::string, Calendar, std::less<>> calendars_;
  struct FullInbox {
    Nanos told{0};               // boot time
    std::uint64_t not_told = 0;  // events since
  };
  std::map<std::string, FullInbox, std::less<>> full_inboxes_;  // by the name of the check; of those that overflowed
  std::vector<std::uint32_t> dirty_;
  std::map<std::string, std::uint32_t, std::less<>> locks_;     // held, by position
  std::unordered_map<std::uint32_t, std::uint64_t> claims_;     // by position: the slot that its entry waits for, as it was asked for
  struct Lingering {
    std::uint64_t call = 0;
    bool was_apart = false;
  };
  std::unordered_map<std::uint32_t, Lingering> lingering_;  // by position: calls that ended before their code did
  std::vector<WaitingForLocks> waiting_for_locks_;              // in the order in which they came
  std::map<store::InstanceId, std::int64_t> slots_done_;
  std::map<store::InstanceId, store::KnownCalendar> calendars_known_;
  std::map<std::string, std::uint32_t, std::less<>> other_state_;  // versions of state that are not the configured plugin's
  std::unordered_map<std::uint32_t, Attempts> attempts_;           // by position
  std::unordered_map<std::uint32_t, std::string> disabled_;        // by position, with the reason
  std::unordered_set<std::uint32_t> dropping_;                     // by position: metrics of the last run were dropped, and that was told
  std::unordered_map<std::uint64_t, std::shared_ptr<const ProcedureRef>> replaced_;  // of calls in flight whose instance was replaced
  std::map<std::string, store::Quarantine, std::less<>> quarantines_;                // by subject; of those not configured too
  std::deque<std::int64_t> lateness_;
  boost::asio::steady_timer timer_, write_timer_;
  Nanos armed_for_ = Nanos::max();
  bool pump_posted_ = false;
  std::uint64_t next_call_ = 1, next_claim_ = 1;
  std::uint32_t next_id_ = 1;
  std::size_t in_flight_ = 0;
  bool stopping_ = false;
  std::int64_t began_wall_ = 0;
  std::function<void()> drained_;
  Batch batch_;
};

}  // namespace ronda::schedule
