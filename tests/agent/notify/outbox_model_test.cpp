// SPDX-License-Identifier: Apache-2.0
// The outbox against a model that is only lists: what was accepted, what the sinks received. Random worlds with kills
// between any two steps; what a kill may lose or repeat, and nothing else, is lost or repeated. Addresses hang and fail
// beside others, which wait for nothing.
#include <deque>
#include <random>
#include <set>

#include "agent/notify/support.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::notify;
using namespace ronda::notify::test;
using store::OutboxState;

namespace {

struct Receipt {
  std::string id;
  std::int64_t number, at;
};

/// One world: an agent that is killed, sinks that do as they like, and what must hold of both.
class World {
 public:
  explicit World(unsigned seed) : random_(seed), desk_(std::make_unique<Desk>()) { set_policies(); }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
    settle();
    check_end();
  }
  const std::vector<std::string>& wrong() const { return wrong_; }
  std::size_t kills() const { return kills_; }
  std::size_t kills_in_flight() const { return kills_in_flight_; }

 private:
  struct Flight {
    Start start;
    bool received = false;
  };

  void set_policies() {
    SinkPolicy machine;
    machine.merges = false;
    desk_->outbox.set_policy("machine", machine);
    SinkPolicy slow;
    slow.spacing = second_ns;
    desk_->outbox.set_policy("slack", slow);
    SinkPolicy single;
    single.in_flight = 1;
    desk_->outbox.set_policy("mail", single);
  }
  std::size_t pick(std::size_t below) { return random_() % below; }
  void fail(std::string what) { wrong_.push_back(std::move(what)); }

  void step() {
    switch (pick(12)) {
      case 0:
      case 1:
      case 2:
        return add();
      case 3:
      case 4:
      case 5:
      case 6:
        return end_one();
      case 7:
      case 8:
        return pass(static_cast<std::int64_t>(pick(3 * second_ns)));
      case 9:
        return pass(static_cast<std::int64_t>(pick(20)) * minute_ns);
      case 10:
        is_down_[notifiers_[pick(3)] + std::string(addresses_[pick(2)])] = pick(2) == 0;
        return;
      default:
        if (pick(4) == 0) kill();
    }
  }

  void add() {
    std::vector<store::OutboxRow> rows;
    for (std::size_t n = 1 + pick(4) * pick(3); n > 0; --n) {
      const std::string incident = "I" + std::to_string(pick(4));
      const char* event = (std::array{"open", "update", "resolve"})[pick(3)];
      rows.push_back(envelope("m" + std::to_string(made_++), notifiers_[pick(3)], incident, event));
      rows.back().to = addresses_[pick(3) / 2];
    }
    std::vector<store::OutboxRow> owed = rows;
    Effects effects = desk_->outbox.add(owed, desk_->now);
    if (pick(20) == 0) return kill();  // before the commit: nothing was promised
    for (const store::OutboxRow& row : owed) {
      desk_->stored[row.id] = row;
      accepted_[lane(row.id)].push_back(row.id);
    }
    begin(std::move(effects));
  }

  /// What must be durable is; then what starts has started, unless the kill comes in between.
  void begin(Effects effects) {
    std::vector<Start> starts = desk_->take(std::move(effects));
    if (pick(40) == 0) return kill();
    for (Start& start : starts) take_off(std::move(start));
    find_idle();
  }

  std::size_t flights(const std::string& sink, bool at_all_of_notifier = false) const {
    return static_cast<std::size_t>(std::ranges::count_if(flights_, [&](const Flight& one) {
      const store::OutboxRow& row = desk_->stored.at(one.start.id);
      return at_all_of_notifier ? row.notifier == sink : row.notifier + row.to == sink;
    }));
  }

  /// What has never been tried, is the first of its lane, and goes to an address that does not fail, waits only for a place.
  void find_idle() {
    if (flights("machine", true) >= 4 || desk_->now < told_["machine"]) return;
    for (const char* to : addresses_) {
      const std::string sink = std::string("machine") + to;
      if (failing_[sink] || flights(sink) > 0) continue;
      for (const auto& [where, ids] : accepted_) {
        if (!where.starts_with(sink)) continue;
        const auto first = std::ranges::find_if(ids, [&](const std::string& id) {
          const OutboxState state = desk_->stored.at(id).state;
          return state == OutboxState::queued || state == OutboxState::sending;
        });
        if (first != ids.end() && desk_->stored.at(*first).attempts == 0) fail("waits beside a free place: " + *first);
      }
    }
  }

  void take_off(Start start) {
    const store::OutboxRow& row = desk_->stored.at(start.id);
    for (const Flight& other : flights_) {
      if (lane(other.start.id) == lane(start.id)) fail("two at once: " + other.start.id + " and " + start.id);
    }
    const std::string sink = row.notifier + row.to;
    if (row.notifier == "mail" && flights("mail", true) > 0) fail("two at a notifier that takes one: " + start.id);
    if (flights(sink) >= 3) fail("an address has all places: " + start.id);
    if (failing_[sink] && flights(sink) > 0) fail("two at an address that fails: " + start.id);
    if (row.state != OutboxState::sending || row.attempts != start.number) fail("not written before it is sent: " + start.id);
    if (start.number != ++attempts_[start.id]) attempts_[start.id] = start.number;  // a kill may leave one out, never repeat one
    if (start.number == 1) note_new(start);
    flights_.push_back({std::move(start), false});
  }

  std::string sink(const std::string& id) const { return desk_->stored.at(id).notifier + desk_->stored.at(id).to; }
  std::string lane(const std::string& id) const { return sink(id) + desk_->stored.at(id).incident; }

  void note_new(const Start& start) {
    if (desk_->stored.at(start.id).notifier == "machine") return;
    auto& when = begun_[lane(start.id)];
    when.push_back(desk_->now);
    // of any three of one life, the last is at least a group interval after the first
    if (when.size() >= 3 && desk_->now - when[when.size() - 3] < 30 * second_ns) fail("a third message within 30 s: " + start.id);
  }

  void receive(Flight& flight) {
    if (flight.received) return;
    flight.received = true;
    for (const std::string& id : flight.start.carries) received_.push_back({id, flight.start.number, desk_->now});
    received_.push_back({flight.start.id, flight.start.number, desk_->now});
  }

  void end_one() {
    if (flights_.empty()) return;
    const std::size_t at = pick(flights_.size());
    Flight flight = flights_[at];
    const std::string where = sink(flight.start.id);
    const bool down = is_down_[where];
    Delivery delivery = delivered();
    if (down) {
      delivery = retry("down", pick(3) == 0 ? desk_->now + static_cast<std::int64_t>(pick(7200)) * second_ns : 0);
    } else if (pick(30) == 0) {
      delivery = dropped();
    } else {
      receive(flights_[at]);
      if (pick(10) == 0) {
        delivery = retry("the answer was lost");
        for (const std::string& id : all_of(flight.start)) ++repeats_allowed_[id];
      }
      if (pick(30) == 0) return kill();  // it has it, and nobody knows
    }
    flights_.erase(flights_.begin() + static_cast<std::ptrdiff_t>(at));
    failing_[where] = delivery.what == Delivery::What::retry;
    if (delivery.again_at > desk_->now)
      told_[desk_->stored.at(flight.start.id).notifier] = std::min(delivery.again_at, desk_->now + hour_ns);
    begin(desk_->outbox.on_result(flight.start.id, flight.start.number, delivery, desk_->now));
  }

  static std::vector<std::string> all_of(const Start& start) {
    std::vector<std::string> ids = start.carries;
    ids.push_back(start.id);
    return ids;
  }

  void pass(std::int64_t time) {
    desk_->now += time;
    begin(desk_->outbox.tick(desk_->now));
  }

  void kill() {
    ++kills_;
    kills_in_flight_ += flights_.empty() ? 0 : 1;
    for (Flight& flight : flights_) {
      if (pick(2) == 0) receive(flight);
      for (const std::string& id : all_of(flight.start)) repeats_allowed_[id] += flight.received ? 1 : 0;
    }
    flights_.clear();
    begun_.clear();
    failing_.clear();
    told_.clear();
    auto next = std::make_unique<Desk>();
    next->now = desk_->now + static_cast<std::int64_t>(pick(60)) * second_ns;
    next->stored = std::move(desk_->stored);
    next->dead = std::move(desk_->dead);
    desk_ = std::move(next);
    set_policies();
    begin(desk_->outbox.restore(desk_->rows(), desk_->now));
  }

  void settle() {
    is_down_.clear();
    for (int i = 0; desk_->outbox.size() > 0; ++i) {
      if (i > 100'000) return fail("it does not come to an end");
      if (!flights_.empty()) {
        end_one();
      } else {
        desk_->now = std::max(desk_->now, desk_->outbox.next_at());
        begin(desk_->outbox.tick(desk_->now));
      }
    }
  }

  void check_end() {
    std::map<std::string, std::size_t> count, first;
    for (std::size_t i = 0; i < received_.size(); ++i) {
      ++count[received_[i].id];
      first.emplace(received_[i].id, i);
    }
    const std::set<std::string> dead(desk_->dead.begin(), desk_->dead.end());
    for (const auto& [where, ids] : accepted_) {
      std::size_t last = 0;
      for (const std::string& id : ids) {
        const OutboxState state = desk_->stored.at(id).state;
        if (count[id] == 0 && state != OutboxState::dead) fail("lost: " + id);
        if (state != OutboxState::dead && state != OutboxState::delivered) fail("not at its end: " + id);
        if (count[id] > 1 + repeats_allowed_[id]) fail("too often: " + id);
        if (count[id] == 0) continue;
        if (first[id] < last) fail("out of order: " + id);
        last = std::max(last, first[id]);
      }
    }
    for (const auto& [id, times] : count) {
      if (!desk_->stored.contains(id)) fail("never accepted: " + id);
    }
  }

  static constexpr std::array<const char*, 3> notifiers_ = {"slack", "mail", "machine"};
  static constexpr std::array<const char*, 2> addresses_ = {"#a", "#b"};
  std::mt19937 random_;
  std::unique_ptr<Desk> desk_;
  std::vector<Flight> flights_;
  std::map<std::string, bool> is_down_, failing_;             // by sink; in this life the last attempt there failed
  std::map<std::string, std::int64_t> told_;                  // by notifier: not before
  std::map<std::string, std::vector<std::string>> accepted_;  // by sink and incident, in order
  std::vector<Receipt> received_;
  std::map<std::string, std::size_t> repeats_allowed_;
  std::map<std::string, std::int64_t> attempts_;
  std::map<std::string, std::vector<std::int64_t>> begun_;
  std::vector<std::string> wrong_;
  std::size_t made_ = 0, kills_ = 0, kills_in_flight_ = 0;
};

void run_worlds(unsigned count) {
  std::size_t kills = 0, in_flight = 0;
  for (unsigned seed = 1; seed <= count; ++seed) {
    World world(seed);
    world.run(400);
    INFO("seed " << seed);
    REQUIRE(world.wrong() == std::vector<std::string>{});
    kills += world.kills();
    in_flight += world.kills_in_flight();
  }
  CHECK(kills > 5 * count);
  CHECK(in_flight * 10 > kills * 3);
}

}  // namespace

TEST_CASE("in 300 random worlds with kills nothing accepted is lost, repeated without need or out of order", "[notify]") {
  run_worlds(300);
}

TEST_CASE("in 5000 random worlds with kills nothing accepted is lost, repeated without need or out of order", "[notify][.long]") {
  run_worlds(5000);
}
