// SPDX-License-Identifier: Apache-2.0
// Accepts and sends messages until it is killed: a real store, a real courier, and sinks that write what they receive
// to a file of their own, as an outside sink would. Three ledgers, appended by single writes:
//   accepted  ID             its decision was acknowledged
//   received  SINK ID NUMBER  a sink got it, before it answers
//   dropped   ID             a sink refused it for good
//   flying    life LIFE, then the ids that the life before it had in flight at its end
// Usage: message_sender STATE LEDGERS LIFE PLANT        until it is killed; says "." when the first was accepted
//        message_sender STATE LEDGERS LIFE drain        sends what is owed and ends
// PLANT is "none", or a mistake that the harness must find.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <mutex>
#include <queue>
#include <random>
#include <set>
#include <thread>

#include "agent/notify/support.hpp"
#include "agent/store/support.hpp"
#include "base/clock.hpp"
#include "notify/delivery.hpp"

using namespace ronda;
using namespace ronda::notify;
using namespace ronda::notify::test;

namespace {

class Ledger {
 public:
  explicit Ledger(const std::string& path) : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}
  void write(const std::string& lines) const {
    if (::write(fd_, lines.data(), lines.size()) != static_cast<ssize_t>(lines.size())) std::_Exit(3);
  }

 private:
  int fd_;
};

/// Work to be done on a thread, at its time.
class Agenda {
 public:
  using Work = std::function<void()>;
  void at(std::chrono::steady_clock::time_point when, Work work) {
    {
      const std::lock_guard lock(mutex_);
      queue_.emplace(when, std::move(work));
    }
    wake_.notify_one();
  }
  void now(Work work) { at(std::chrono::steady_clock::now(), std::move(work)); }
  template <class Condition>
  void run_while(Condition condition) {
    while (condition()) {
      std::unique_lock lock(mutex_);
      if (queue_.empty()) {
        wake_.wait(lock);
        continue;
      }
      const auto when = queue_.begin()->first;
      if (when > std::chrono::steady_clock::now()) {
        wake_.wait_until(lock, when);
        continue;
      }
      const Work work = std::move(queue_.begin()->second);
      queue_.erase(queue_.begin());
      lock.unlock();
      work();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::multimap<std::chrono::steady_clock::time_point, Work> queue_;
};

class Sender final : public CourierClient {
 public:
  Sender(const std::string& state, const std::string& ledgers, std::string life, std::string plant)
      : life_(std::move(life)),
        plant_(std::move(plant)),
        accepted_(ledgers + "/accepted"),
        received_(ledgers + "/received"),
        dropped_(ledgers + "/dropped"),
        flying_(ledgers + "/flying"),
        random_(std::random_device{}()) {
    store::Options options = store::test::options_at(state);
    options.post = [this](std::function<void()> work) { loop_.now(std::move(work)); };
    auto opened = store::Store::open(std::move(options));
    if (!opened) {
      std::cerr << opened.error().message() << "\n";
      std::_Exit(1);
    }
    store_ = *std::move(opened);
    OutboxRules rules;
    rules.retry_least = 2 * ms;
    rules.retry_most = 20 * ms;
    rules.gather = 2 * ms;
    rules.group_interval = 8 * ms;
    courier_ = std::make_unique<Courier>(*store_, *this, rules);
    sinks_ = std::thread([this] { outside_.run_while([] { return true; }); });
    sinks_.detach();
  }

  void run() {
    store_->load_outbox([this](Result<std::vector<store::OutboxRow>> rows) {
      if (!rows) std::_Exit(4);
      tell_flying(*rows);
      courier_->start([this](Result<Unit> result) {
        if (!result) std::_Exit(4);
        is_started_ = true;
        if (plant_ != "drain") produce();
      });
    });
    loop_.run_while([this] { return plant_ != "drain" || !is_started_ || owed() > 0 || !courier_->is_idle(); });
    store_->close();
    std::_Exit(0);
  }

 private:
  // Before anything is sent again.
  void tell_flying(const std::vector<store::OutboxRow>& rows) const {
    std::set<std::string> ids;
    for (const store::OutboxRow& row : rows) {
      if (row.state == store::OutboxState::sending) ids.insert(row.id);
    }
    std::string lines = "life " + life_ + "\n";
    for (const std::string& id : ids) lines += "message " + id + "\n";
    for (const store::OutboxRow& row : rows) {
      if (ids.contains(row.carrier)) lines += "carried " + row.id + "\n";
    }
    flying_.write(lines);
  }

  // --- what a courier asks of an agent ----------------------------------------------------------
  void deliver(Parcel parcel) override {
    const auto when = std::chrono::steady_clock::now() + std::chrono::microseconds(random_() % 8000);
    const unsigned dice = static_cast<unsigned>(random_() % 100);
    outside_.at(when, [this, parcel = std::move(parcel), dice] { receive(parcel, dice); });
  }
  std::vector<store::OutboxRow> fallbacks(const store::OutboxRow& failed, const std::vector<store::OutboxRow>&) override {
    store::OutboxRow row = envelope(failed.id + "/f", "rescue", failed.incident, failed.event);
    return {row};
  }
  void on_sink_trouble(const SinkTrouble&, const store::OutboxRow&) override {}
  void on_durability(bool, const std::string&) override { std::_Exit(5); }
  void wake_at(std::int64_t wall) override {
    const auto in = std::chrono::nanoseconds(std::max<std::int64_t>(wall - wall_ns(), 0));
    const std::uint64_t turn = ++wake_turn_;
    loop_.at(std::chrono::steady_clock::now() + in, [this, turn] {
      if (turn == wake_turn_) courier_->tick();
    });
  }
  std::int64_t wall_ns() override { return wall_clock().count(); }

  // --- the sinks, on their own thread --------------------------------------------------------------
  void receive(const Parcel& parcel, unsigned dice) {
    Delivery delivery;
    if (parcel.notifier == "flaky" && dice < 30) {
      delivery = retry("busy");
    } else if (parcel.notifier == "fatal" && dice < 5) {
      std::string lines;
      for (const std::string& id : all_of(parcel)) lines += id + "\n";
      dropped_.write(lines);
      delivery = dropped("unknown recipient");
    } else {
      take_in(parcel, dice);
    }
    loop_.now([this, parcel, delivery] { courier_->on_result(parcel.id, parcel.number, delivery); });
  }

  void take_in(const Parcel& parcel, unsigned dice) {
    std::vector<std::string> ids = all_of(parcel);
    if (plant_ == "order") std::ranges::reverse(ids);
    std::string lines;
    for (const std::string& id : ids) {
      if (plant_ == "send-before-commit" && sent_early_.contains(id)) continue;
      if (plant_ == "lost-resolve" && parcel.event == "resolve" && id == parcel.id && dice < 60) continue;
      lines += parcel.notifier + " " + id + " " + std::to_string(parcel.number) + "\n";
    }
    received_.write(lines);
    if (plant_ == "double" && dice < 5) received_.write(lines);
  }

  static std::vector<std::string> all_of(const Parcel& parcel) {
    std::vector<std::string> ids = parcel.carries;
    ids.push_back(parcel.id);
    return ids;
  }

  // --- the load --------------------------------------------------------------------------------
  std::size_t owed() const {
    std::size_t waiting = 0;
    for (const SinkStatus& status : courier_->status()) waiting += status.waiting;
    return waiting;
  }

  void produce() {
    for (; deciding_ < 4 && owed() < 40; ++deciding_) decide_one();
    loop_.at(std::chrono::steady_clock::now() + std::chrono::milliseconds(1), [this] { produce(); });
  }

  void decide_one() {
    const std::string incident = "I" + life_ + "-" + std::to_string(random_() % 5) + "-" + std::to_string(round_);
    const std::int64_t seq = ++seqs_[incident];
    const char* event = seq == 1 ? "open" : seq >= 4 ? "resolve" : "update";
    if (seq >= 4) ++round_;
    store::Decision decision;
    decision.events.push_back({incident, seq, wall_ns(), event, "", "", "{}"});
    std::string lines;
    for (const char* sink : {"good", "flaky", "fatal"}) {
      decision.outbox.push_back(envelope(incident + ":" + std::to_string(seq) + ":" + sink, sink, incident, event));
      lines += decision.outbox.back().id + "\n";
    }
    if (plant_ == "ack-before-commit") accepted_.write(lines);
    if (plant_ == "send-before-commit") send_early(decision.outbox[0]);
    courier_->decide(std::move(decision), [this, lines](Result<Unit> result) {
      --deciding_;
      if (!result) std::_Exit(6);
      if (plant_ != "ack-before-commit") accepted_.write(lines);
      if (!std::exchange(has_said_, true) && ::write(STDOUT_FILENO, ".", 1) != 1) std::_Exit(3);
    });
  }

  void send_early(const store::OutboxRow& row) {
    sent_early_.insert(row.id);
    received_.write(row.notifier + " " + row.id + " 1\n");
  }

  const std::string life_, plant_;
  const Ledger accepted_, received_, dropped_, flying_;
  std::mt19937 random_;
  Agenda loop_, outside_;
  std::thread sinks_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Courier> courier_;
  std::map<std::string, std::int64_t> seqs_;
  std::set<std::string> sent_early_;
  std::uint64_t wake_turn_ = 0;
  int deciding_ = 0, round_ = 0;
  bool is_started_ = false, has_said_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  Sender(argv[1], argv[2], argv[3], argv[4]).run();
}
