// SPDX-License-Identifier: Apache-2.0
// The shell around the desk: it brings results, time and people's words to it, commits what it decides before anything of
// that happens, hands messages to notifiers and what became of them back. It decides nothing. All [loop].
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "notify/delivery.hpp"
#include "response/desk.hpp"
#include "response/incident_time.hpp"
#include "schedule/scheduler.hpp"
#include "store/store.hpp"

namespace ronda::response {

/// What it needs of the rest of the agent.
struct Ports {
  boost::asio::io_context& loop;
  store::Store& store;
  std::function<void(std::string_view notifier, std::shared_ptr<const wire::Message> message,
                     std::function<void(const schedule::DeliveryEnd&)> ended)>
      deliver;
  std::function<void(std::int64_t level, std::string_view text)> log;
  std::function<std::int64_t()> wall_ns;
  Desk::Random random;
  /// For an alert's diagnosis; null: no check or task has that name. May be empty.
  std::function<const schedule::Entry*(std::string_view name)> find_run = {};
  /// Runs it through the scheduler, as when a person asks for it.
  std::function<Result<Unit>(schedule::Kind kind, std::string_view name, std::function<void(const schedule::Entry&)> ended)> run_now = {};
  /// What the store held is known at last: what the agent says of itself is to be said again, the store may have another life's.
  std::function<void()> recalled = {};
  std::function<std::int64_t()> boot_ns = {};  // CLOCK_BOOTTIME; empty: the clock itself
};

class Response final : private notify::CourierClient {
 public:
  Response(Ports ports, std::shared_ptr<const Plan> plan);
  ~Response();

  /// Reads what the store holds of alerts, incidents, silences and messages, then of samples; `then` is called when the
  /// first part is there. What comes in before waits.
  void start(std::function<void()> then);
  void use(std::shared_ptr<const Plan> plan);
  /// tzdata has other rules for the agent's zone: baselines go by them. Windows and rotas do with the next reload.
  void use_zone(schedule::ZonePtr zone) { desk_.history().use_zone(std::move(zone)); }
  /// Of a check or task; notifiers are the outbox's.
  void on_result(const schedule::Entry& entry);
  /// What the store is to keep of the results since the last call, for the batch that they are written with.
  std::vector<store::Sampled> take_samples() { return std::exchange(samples_, {}); }
  void on_store_health(const store::Health& health);
  /// It is looked at now, and followed once it has stood for a while (incident_time.hpp).
  void on_clock_set() {
    tick();
    if (begun_ && !stopping_) courier_.tick();
  }
  /// What time it is for incidents: the wall clock, but where that was set back, or forward just now.
  std::int64_t now_ns() { return wall_ns(); }
  /// The same without what the clock was set by in this life: what was handed out before (a link) lasts as long as was said. What is
  /// handed out after lasts longer by as much, for this life.
  std::int64_t unset_now_ns() { return wall_ns() - set_by_; }
  /// The reply comes when what was decided is durable, or at once when nothing was.
  void command(incident::Command command, std::function<void(const incident::Reply&)> reply);
  /// What others judged; the reply comes when it is durable.
  void inbound(InboundBatch batch, std::function<void(const incident::Reply&)> reply);
  /// Refused at once, or told when it is durable. Its names are looked at: what does not exist cannot be silenced.
  void silence(incident::SilenceRequest request, std::function<void(const Result<incident::Silence>&)> told);
  /// `based_on`: the revision that the person saw; 0: whichever.
  void expire_silence(std::string id, incident::Author author, std::uint64_t based_on,
                      std::function<void(const Result<incident::Silence>&)> told);
  /// As a silence; names of what it covers and of whom it tells are looked at.
  void maintain(incident::OneOffRequest request, std::function<void(const Result<incident::OneOff>&)> told);
  void end_maintenance(std::string id, incident::Author author, std::function<void(const Result<incident::OneOff>&)> told);
  void override_oncall(incident::OnCallOverride wanted, std::function<void(const Result<incident::OnCallOverride>&)> told);
  void end_override(std::string id, incident::Author author, std::function<void(const Result<incident::OnCallOverride>&)> told);
  /// A marked message by every channel of the contact, the group or who is on call; told how the ids of its envelopes begin.
  void send_test(std::string contact, incident::Author author, std::function<void(const Result<std::string>&)> told);
  /// A dead letter is owed again.
  void retry(std::string id, store::Done<Unit> told);
  /// Something about the agent itself; `level` none ends it.
  void on_own_trouble(std::string_view name, config::Level level, std::string_view text);
  /// No message leaves any more.
  void stop();

  const Desk& desk() const { return desk_; }
  const notify::Courier& courier() const { return courier_; }

 private:
  // CourierClient
  void deliver(notify::Parcel parcel) override;
  std::vector<store::OutboxRow> fallbacks(const store::OutboxRow& failed, const std::vector<store::OutboxRow>& others) override;
  void on_given_up(const std::vector<store::OutboxRow>& rows) override;
  void on_delivered(const std::vector<store::OutboxRow>& rows, const std::string& detail) override;
  void on_sink_trouble(const notify::SinkTrouble& trouble, const store::OutboxRow& row) override;
  void on_durability(bool durable, const std::string& reason) override;
  void wake_at(std::int64_t wall_ns) override;
  /// Of IncidentTime: it leaps by set_clock() alone.
  std::int64_t wall_ns() override;

  void apply(Output output, std::function<void(const incident::Reply&)> reply = {});
  void load_kept(std::function<void(std::shared_ptr<Kept>)> then);
  void begin(Kept& kept, const std::function<void()>& then);
  void recall();
  void diagnose(const incident::Diagnose& wanted);
  void note_diagnosis(const std::string& incident, const std::string& name, std::string output);
  void load_samples();
  void begin_looking();
  void load_objectives();
  void tick();
  void follow_clock();
  void set_clock(std::int64_t by_ns);
  measure::Result result_of(const schedule::Entry& entry, std::string_view name, std::int64_t now_ns) const;
  void arm();
  void hand_on();
  void note_store();
  void shift(std::vector<store::InstanceState>& checks);
  std::string why_not_stored(const Error& error) const;
  void end_foreign_troubles();
  void forget_addresses();
  void end_sink_trouble(const std::string& notifier, const std::string& why);

  /// What is wrong with a notifier: its trouble ends with the last of it.
  struct SinkFault {
    bool stalled = false;
    std::set<std::string> refused;  // addresses that refused a message for good, and have taken none since; of very many the first
  };

  Ports ports_;
  Desk desk_;
  notify::Courier courier_;
  boost::asio::steady_timer desk_timer_, courier_timer_, samples_timer_;
  std::int64_t armed_for_ = 0;
  IncidentTime time_;
  std::int64_t set_by_ = 0;  // the clock, in this life, in all: what was dated before is by another one
  bool begun_ = false, stopping_ = false;
  bool is_forgetful_ = false, recalling_ = false;  // the store could not be read; it is read again
  bool was_ok_ = true;                             // the store, when it last said how it is
  std::vector<std::function<void()>> waiting_;     // what came before the store had answered
  std::map<std::string, SinkFault> sink_faults_;   // by notifier, of this life
  std::vector<store::Sampled> samples_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ronda::response
