// SPDX-License-Identifier: Apache-2.0
#include "disk.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <utility>

namespace ronda::sim {

using store::Decision;
using store::OutboxRow;
using store::OutboxState;

const char* fault_name(Fault fault) {
  constexpr std::array names = {"none",          "lost_message",  "lost_event",     "early_answer",  "forgotten_end",   "forgotten_silence",
                                "forgotten_ack", "swapped_order", "page_after_ack", "swallowed_end", "double_delivery", "false_end"};
  static_assert(names.size() == faults);
  return names[static_cast<std::size_t>(fault)];
}

/// One request after the other; each takes as long as the disk says.
struct Disk::Life {
  using Work = std::function<void(bool answered)>;

  Life(Disk& disk, boost::asio::io_context& loop, std::function<void(const store::Health&)> on_health)
      : disk_(disk), timer_(loop), on_health_(std::move(on_health)) {
    disk_.life_ = this;
  }
  ~Life() {
    if (disk_.life_ == this) disk_.life_ = nullptr;
  }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  void ask(Work work) {
    waiting_.push_back(std::move(work));
    next();
  }
  void next() {
    if (busy_ || waiting_.empty()) return;
    busy_ = true;
    timer_.expires_after(std::chrono::nanoseconds(disk_.latency_ns_));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      const Work work = std::move(waiting_.front());
      waiting_.pop_front();
      busy_ = false;
      next();
      work(true);
    });
  }

  Disk& disk_;
  boost::asio::steady_timer timer_;
  std::function<void(const store::Health&)> on_health_;
  std::deque<Work> waiting_;
  bool busy_ = false;
};

void Disk::set_mode(Mode mode, std::int64_t latency_ns) {
  const bool changes = (mode_ == Mode::full) != (mode == Mode::full);
  mode_ = mode;
  latency_ns_ = latency_ns;
  if (!changes || life_ == nullptr) return;
  store::Health health;
  if (mode == Mode::full) health.state = store::HealthState::failed;
  life_->on_health_(health);
}

bool Disk::is_idle() const {
  return life_ == nullptr || (life_->waiting_.empty() && !life_->busy_);
}

void Disk::crash(std::size_t written) {
  if (life_ == nullptr) return;
  const auto waiting = std::exchange(life_->waiting_, {});
  for (std::size_t i = 0; i < waiting.size() && i < written; ++i) waiting[i](false);
}

void Disk::write_event(const store::IncidentEvent& event) {
  auto& all = events[event.incident];
  const auto known = std::ranges::find(all, event.seq, &store::IncidentEvent::seq);
  if (known != all.end()) {
    if (known->data != event.data || known->at != event.at) on_broken("two events " + std::to_string(event.seq) + " of " + event.incident);
    return;
  }
  if (++events_seen_ == 12 && fault == Fault::lost_event) return;
  all.push_back(event);
  on_event(event);
}

/// What an incident says of the clock and when a message was tried first are one decision (0122): whatever is tried and not at its end.
void Disk::check_step(const Decision& decision) {
  const auto step = std::ranges::find(decision.events, "clock_set", &store::IncidentEvent::kind);
  if (step == decision.events.end()) return;
  for (const auto& [id, row] : outbox) {
    const bool is_owed = row.state == OutboxState::queued || row.state == OutboxState::sending;
    if (!is_owed || row.first_at == 0 || row.first_at >= step->at || refused_.contains(id)) continue;
    if (std::ranges::find(decision.changes, id, &store::OutboxChange::id) == decision.changes.end())
      on_broken("a step of the clock is stored without what it moves of " + id);
  }
}

/// As the tables do it (store/decisions.cpp): a row that is there stays, what was delivered stays so.
Result<Unit> Disk::write(const Decision& decision) {
  const auto note_refused = [&] {
    for (const OutboxRow& row : decision.outbox) refused_.insert(row.id);
  };
  if (decision.order && decision.order->is_refused(decision.number)) {
    note_refused();
    return Error(Errc::unavailable, "what was decided before it is not stored");
  }
  if (mode_ == Mode::full) {
    note_refused();
    if (decision.order) decision.order->refuse_from(decision.number);
    return Error(Errc::unavailable, "no space left on the device");
  }
  check_step(decision);
  for (const store::IncidentEvent& event : decision.events) write_event(event);
  for (const store::IncidentMark& mark : decision.marks) closed[mark.incident] = mark.closed;
  for (const store::AlertState& row : decision.alerts) {
    const auto known = alerts.find(row.name);
    if (known != alerts.end() && known->second.at > row.at) continue;
    row.data ? void(alerts[row.name] = row) : void(alerts.erase(row.name));
  }
  for (const store::SilenceRow& row : decision.silences) row.data ? void(silences[row.id] = row) : void(silences.erase(row.id));
  for (const OutboxRow& row : decision.outbox) {
    if (++rows_seen_ == 3 && fault == Fault::lost_message) continue;
    const auto [known, fresh] = outbox.emplace(row.id, row);
    if (!fresh && known->second.text.body != row.text.body && known->second.text.fields != row.text.fields &&
        known->second.carrier.empty() && known->second.attempts == 0)
      on_broken("two messages have the id " + row.id);
  }
  for (const store::OutboxChange& change : decision.changes) {
    const auto found = outbox.find(change.id);
    if (found == outbox.end()) continue;
    OutboxRow& row = found->second;
    if (fault == Fault::forgotten_end && change.state == OutboxState::delivered) continue;
    on_change(change);
    if (change.text) row.text = *change.text;
    if (row.state == OutboxState::delivered) continue;
    if (row.state == OutboxState::dead && change.state != OutboxState::dead) revived.insert(row.id);
    row.state = change.state;
    row.carrier = change.carrier;
    row.attempts = change.attempts;
    row.next_at = change.next_at;
    row.first_at = change.first_at;
    row.last_error = change.last_error;
  }
  return done();
}

namespace {

struct Opening {
  Disk* disk;
  boost::asio::io_context* loop;
  std::function<void(const store::Health&)> on_health;
};
Opening opening;

}  // namespace

std::unique_ptr<store::Store> Disk::open(boost::asio::io_context& loop, std::function<void(const store::Health&)> on_health) {
  opening = {this, &loop, std::move(on_health)};
  return *store::Store::open({});
}

}  // namespace ronda::sim

// ---- the store's own functions, those that alerts, incidents and messages use ---------------

namespace ronda::store {

class Store::Impl {
 public:
  Impl() : disk(*sim::opening.disk), life(disk, *sim::opening.loop, std::move(sim::opening.on_health)) {}

  template <class T, class Read>
  void read(Done<T> done, Read from) {
    life.ask([done = std::move(done), from = std::move(from)](bool answered) {
      if (answered) done(from());
    });
  }

  sim::Disk& disk;
  sim::Disk::Life life;
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(Options) {
  return std::unique_ptr<Store>(new Store(std::make_unique<Impl>()));
}

Health Store::health() const {
  Health health;
  if (impl_->disk.mode() == sim::Disk::Mode::full) health.state = HealthState::failed;
  return health;
}

void Store::decide(Decision decision, Done<Unit> done) {
  sim::Disk& disk = impl_->disk;
  disk.on_decide(decision);
  if (disk.fault == sim::Fault::early_answer && disk.latency_ns() > 0) {
    impl_->life.ask([&disk, decision](bool) { std::ignore = disk.write(decision); });
    return done(ronda::done());
  }
  impl_->life.ask([&disk, decision = std::move(decision), done = std::move(done)](bool answered) {
    auto written = disk.write(decision);
    if (!answered) return;
    if (written) disk.on_written(decision);
    done(std::move(written));
  });
}

void Store::keep_samples(SampleRetention) {}

void Store::load_samples(SampleQuery, Done<std::vector<LoadedSeries>> done) {
  impl_->read(std::move(done), [] { return std::vector<LoadedSeries>(); });
}

void Store::load_incidents(Done<std::vector<IncidentEvent>> done) {
  impl_->read(std::move(done), [&disk = impl_->disk] {
    std::vector<IncidentEvent> out;
    for (const auto& [id, events] : disk.events) {
      const auto closed = disk.closed.find(id);
      if (closed != disk.closed.end() && closed->second != 0) continue;
      for (const IncidentEvent& event : events) {
        if (disk.fault != sim::Fault::forgotten_ack || event.kind != "acked") out.push_back(event);
      }
    }
    return out;
  });
}

void Store::load_instances(Done<std::vector<InstanceState>> done) {
  impl_->read(std::move(done), [&disk = impl_->disk] { return disk.checks; });
}

void Store::load_alert_states(Done<std::vector<AlertState>> done) {
  impl_->read(std::move(done), [&disk = impl_->disk] {
    std::vector<AlertState> out;
    for (const auto& [name, row] : disk.alerts) out.push_back(row);
    return out;
  });
}

void Store::load_silences(Done<std::vector<SilenceRow>> done) {
  impl_->read(std::move(done), [&disk = impl_->disk] {
    std::vector<SilenceRow> out;
    for (const auto& [id, row] : disk.silences) {
      if (disk.fault != sim::Fault::forgotten_silence || !id.starts_with("S-")) out.push_back(row);
    }
    return out;
  });
}

void Store::load_outbox(Done<std::vector<OutboxRow>> done) {
  impl_->read(std::move(done), [&disk = impl_->disk] {
    std::vector<OutboxRow> out;
    for (const auto& [id, row] : disk.outbox) {
      if (row.state != OutboxState::queued && row.state != OutboxState::sending) continue;
      out.push_back(row);
      out.back().text = {row.text.title, "", "{}"};
    }
    std::ranges::sort(out, {}, &OutboxRow::order);
    if (disk.fault == sim::Fault::swapped_order) {
      for (std::size_t i = 0; i < out.size() / 2; ++i) std::swap(out[i].order, out[out.size() - 1 - i].order);
    }
    return out;
  });
}

void Store::load_outbox_rows(std::vector<std::string> ids, Done<std::vector<OutboxRow>> done) {
  impl_->read(std::move(done), [&disk = impl_->disk, ids = std::move(ids)] {
    std::vector<OutboxRow> out;
    for (const std::string& id : ids) {
      if (const auto found = disk.outbox.find(id); found != disk.outbox.end()) out.push_back(found->second);
    }
    return out;
  });
}

void Store::list_outbox_prefix(std::string prefix, Done<std::vector<OutboxRow>> done) {
  impl_->read(std::move(done), [&disk = impl_->disk, prefix = std::move(prefix)] {
    std::vector<OutboxRow> out;
    for (auto at = disk.outbox.lower_bound(prefix); at != disk.outbox.end() && at->first.starts_with(prefix); ++at)
      out.push_back(at->second);
    std::ranges::sort(out, {}, &OutboxRow::order);
    return out;
  });
}

}  // namespace ronda::store
