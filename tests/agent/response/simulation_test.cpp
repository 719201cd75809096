// SPDX-License-Identifier: Apache-2.0
// Worlds from seeds around the whole desk: results, people, silences, clean restarts and kills that cost a decision. Moves
// mean something in whatever state they meet, so any part of a list of them is a world too; a failing one is made small.
#include <functional>
#include <optional>
#include <random>
#include <utility>

#include "agent/response/desk.hpp"
#include "shrink.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

const std::string estate = R"(
[check.net]
use = "a.b"
every = "30s"
timeout = "10s"
service = "infra"
severity = "p2"
[check.api]
use = "a.b"
every = "30s"
timeout = "10s"
service = "shop"
severity = "p1"
[check.page]
use = "a.b"
every = "30s"
timeout = "10s"
service = "shop"
after = ["net"]
severity = "p3"
[check.db]
use = "a.b"
every = "30s"
timeout = "10s"
service = "data"
[alert.db-down]
p1 = "db.status == critical"
p2 = "db.status >= warning"
for = "2m"
[service.shop]
checks = ["api", "page"]
[service.data]
checks = ["db"]
[service.infra]
checks = ["net"]
[contact.ana]
channels = [{ notifier = "log" }]
[contact.bo]
channels = [{ notifier = "mail", to = "bo@example.com" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ana"], repeat = ["15m"] }, { from = "30m", notify = ["bo"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["ana"] }, { from = "1h", notify = ["bo"] }]
)";

constexpr std::array checks = {"net", "api", "page", "db"};

struct Move {
  enum class What : std::uint8_t { status, ack, unack, resolve, silence, expire, restart, kill } what = What::status;
  std::int64_t steps = 0;  // of 30 s, before it
  std::uint32_t a = 0, b = 0;
};
constexpr std::array names = {"status", "ack", "unack", "resolve", "silence", "expire", "restart", "kill"};

/// What may be planted to see that it is found.
enum class Fault : std::uint8_t { none, lost_message, page_after_ack, double_page, lost_event, forgotten_notice };

std::vector<Move> random_moves(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  std::vector<Move> out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto dice = random() % 100;
    Move move;
    move.what = dice < 55 ? Move::What::status : static_cast<Move::What>(1 + random() % 7);
    move.steps = random() % 3 == 0 ? 0 : static_cast<std::int64_t>(random() % 20);
    move.a = static_cast<std::uint32_t>(random());
    move.b = static_cast<std::uint32_t>(random());
    out.push_back(move);
  }
  return out;
}

class Simulation {
 public:
  explicit Simulation(Fault fault = Fault::none) : fault_(fault), world_(estate) {
    for (const char* check : checks) now_[check] = Seen::ok;
  }

  /// What was broken first; none: all held.
  std::optional<std::string> run(const std::vector<Move>& moves) {
    for (std::size_t i = 0; i < moves.size(); ++i) {
      for (std::int64_t n = 0; n < moves[i].steps && !broken_; ++n) step();
      if (!broken_) make(moves[i]);
      check();
      if (broken_) return *broken_ + ", at move " + std::to_string(i + 1);
    }
    return std::nullopt;
  }
  std::size_t messages() const { return world_.held.outbox.size(); }
  std::size_t acks() const { return acks_; }

 private:
  const incident::State& state() const { return world_.desk().incidents(); }
  void fail(std::string what) {
    if (!broken_) broken_ = std::move(what);
  }

  void step() {
    const incident::State before = state();
    world_.run_to(world_.now - monday + 30 * second, now_);
    look_at_new(before);
    check();
  }

  void make(const Move& move) {
    const incident::State before = state();
    switch (move.what) {
      case Move::What::status:
        now_[checks[move.a % checks.size()]] = (std::array{Seen::ok, Seen::ok, Seen::warning, Seen::critical, Seen::critical})[move.b % 5];
        break;
      case Move::What::ack:
        return say(incident::Verb::ack, move);
      case Move::What::unack:
        return say(incident::Verb::unack, move);
      case Move::What::resolve:
        return say(incident::Verb::resolve, move);
      case Move::What::silence:
        return silence(move);
      case Move::What::expire:
        return expire(move);
      case Move::What::restart:
        return restart();
      case Move::What::kill:
        return kill(move);
    }
    look_at_new(before);
  }

  void say(incident::Verb verb, const Move& move) {
    std::vector<std::string> live;
    for (const auto& [id, one] : state().incidents) {
      if (one.is_live()) live.push_back(id);
    }
    if (live.empty()) return;
    incident::Command command;
    command.verb = verb;
    command.incident = live[move.a % live.size()];
    command.author = {incident::Author::Kind::contact, move.b % 2 == 0 ? "ana" : "bo"};
    command.source = "cli";
    command.text = "text";
    command.force = move.b % 3 == 0;
    auto output = world_.desk().command(command, world_.now);
    if (verb == incident::Verb::ack && output.replies.front().done) ++acks_;
    take(std::move(output));
    look_at_new(state());
  }

  void silence(const Move& move) {
    incident::SilenceRequest request;
    request.what.checks = {checks[move.a % checks.size()]};
    request.owner = {incident::Author::Kind::contact, "ana"};
    request.reason = "deploy";
    request.for_ns = (1 + move.b % 60) * minute;
    auto made = incident::make_silence(request, world_.now, (std::uint64_t{move.a} << 32) + move.b + ++silences_);
    if (made) take(world_.desk().add_silence(*made, world_.now));
    seen_all();
  }

  void expire(const Move& move) {
    const auto& all = world_.desk().silences().silences;
    if (all.empty()) return;
    const std::string id = all[move.a % all.size()].id;
    if (auto output = world_.desk().expire_silence(id, {incident::Author::Kind::contact, "bo"}, 0, world_.now)) take(*std::move(output));
    seen_all();
  }

  /// Nothing is told again: a restart at an instant at which all was done has nothing to do.
  void restart() {
    take(world_.desk().tick(world_.now));
    seen_all();
    const std::size_t before = world_.held.outbox.size();
    if (fault_ == Fault::forgotten_notice) std::erase_if(world_.held.events, [](const auto& event) { return event.kind == "notice_sent"; });
    world_.restart();
    if (fault_ != Fault::forgotten_notice) compare();
    take(world_.desk().use(world_.desk().share_plan(), world_.now));
    take(world_.desk().tick(world_.now));
    if (world_.held.outbox.size() != before) fail("a restart told somebody something");
    seen_all();
  }

  /// What was decided last was not on the disk: nobody was promised anything, and it is decided once more.
  void kill(const Move& move) {
    const Held durable = world_.held;
    const char* check = checks[move.a % checks.size()];
    world_.result(check, now_[check]);
    world_.held = durable;
    world_.restart();
    take(world_.desk().use(world_.desk().share_plan(), world_.now));
    seen_all();
  }

  void take(response::Output output) { world_.take(std::move(output)); }

  /// After a person or a start: what was told then is not judged by the state before.
  void seen_all() { look_at_new(state()); }

  void look_at_new(const incident::State& before) {
    plant(before);
    for (const auto& [id, row] : world_.held.outbox) {
      if (!seen_.insert(id).second) continue;
      if (row.incident.empty()) continue;
      const incident::Incident* was = before.find(row.incident);
      const incident::Incident* is = state().find(row.incident);
      if (is == nullptr) {
        fail("a message about no incident: " + id);
        continue;
      }
      const bool calls = row.event == "open" || row.event == "escalation";
      // nothing but time went by, or it is as it was before a person spoke
      if (calls && was != nullptr && was->is_taken() && is->is_taken() && was->ack == is->ack) fail("a page for what somebody has: " + id);
      if (calls && was != nullptr && was->is_suppressed() && is->suppressed_by == was->suppressed_by) fail("a page for what is hidden: " + id);
      const std::string what = row.incident + row.event + row.contact + row.notifier + row.text.body + std::to_string(world_.now);
      if (calls && !said_.insert(what).second) fail("the same page twice at one instant: " + id);
    }
  }

  void plant(const incident::State& before) {
    if (fault_ == Fault::lost_message && world_.held.outbox.size() > 3) {
      std::erase_if(world_.held.outbox, [&](const auto& row) { return !seen_.contains(row.first) && row.second.event == "open"; });
    }
    if (fault_ == Fault::lost_event && world_.held.events.size() > 20 && !std::exchange(planted_, true)) world_.held.events.erase(world_.held.events.begin() + 10);
    for (const auto& [id, one] : state().incidents) {
      const incident::Incident* was = before.find(id);
      const bool is_wanted = (fault_ == Fault::page_after_ack && one.is_taken() && was != nullptr && was->ack == one.ack) || (fault_ == Fault::double_page && one.is_live());
      if (!is_wanted || std::exchange(planted_, true)) continue;
      for (const char* copy : {"planted-1", "planted-2"}) {
        store::OutboxRow row;
        row.id = copy;
        row.incident = id;
        row.event = "open";
        world_.held.outbox.emplace(row.id, row);
      }
    }
  }

  void compare() {
    const incident::State kept = incident::restore(world_.held.kept().events, state().mutes);
    if (!(kept.incidents == state().incidents)) fail("incidents are not the fold over their events");
  }

  void check() {
    std::set<std::string> causes;
    for (const auto& [id, one] : state().incidents) {
      if (one.is_live() && !one.cause.empty() && !causes.insert(one.cause).second) fail("two live incidents for " + one.cause);
      const bool is_owed = std::ranges::any_of(world_.held.outbox, [&](const auto& row) { return row.second.incident == id; });
      if (one.level == Level::p1 && one.is_paging() && !is_owed) fail("nobody is told of " + id);
    }
    for (const char* name : {"net", "api", "page", "db-down"}) {
      const rule::AlertState* alert = world_.desk().alert(name);
      const bool fires = alert != nullptr && alert->level != Level::none;
      if (fires && alert->blocked_by.empty() && !state().by_alert.contains(name)) fail(std::string(name) + " fires and is in no incident");
    }
    const auto wake = world_.desk().next_wake();
    if (wake && *wake < world_.now - minute) fail("a wake-up that is never served");
  }

  Fault fault_;
  World world_;
  std::map<std::string, Seen> now_;
  std::set<std::string> seen_, said_;
  std::optional<std::string> broken_;
  std::size_t acks_ = 0;
  std::uint64_t silences_ = 0;
  bool planted_ = false;
};

std::optional<std::string> broken(const std::vector<Move>& moves, Fault fault = Fault::none) {
  return Simulation(fault).run(moves);
}

/// What a failing seed tells: the smallest part of its moves that fails, and why.
std::string story(std::uint64_t seed, const std::vector<Move>& moves) {
  const auto small = shrink(moves, [](const std::vector<Move>& part) { return broken(part).has_value(); }, 300);
  std::string out = "seed " + std::to_string(seed) + ": " + broken(small).value_or("holds") + "\n";
  for (const Move& move : small)
    out += "  after " + std::to_string(move.steps * 30) + "s " + names[static_cast<std::size_t>(move.what)] + " (" + std::to_string(move.a) + ", " + std::to_string(move.b) + ")\n";
  return out;
}

void run_worlds(std::uint64_t count) {
  std::size_t messages = 0, acks = 0;
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    const auto moves = random_moves(seed, 60);
    Simulation world;
    if (world.run(moves)) FAIL(story(seed, moves));
    messages += world.messages();
    acks += world.acks();
  }
  CHECK(messages > 2 * count);
  CHECK(acks > count / 4);
}

}  // namespace

TEST_CASE("in worlds from seeds with people, silences, restarts and kills what the desk promises holds", "[response]") {
  run_worlds(60);
}

TEST_CASE("in a thousand worlds from seeds what the desk promises holds", "[.long]") {
  run_worlds(1000);
}

TEST_CASE("what is planted in a world is found", "[response]") {
  const auto fault = GENERATE(Fault::lost_message, Fault::page_after_ack, Fault::double_page, Fault::lost_event, Fault::forgotten_notice);
  INFO("fault " << static_cast<int>(fault));
  bool found = false;
  for (std::uint64_t seed = 1; seed < 40 && !found; ++seed) found = broken(random_moves(seed, 60), fault).has_value();
  CHECK(found);
}
