// SPDX-License-Identifier: Apache-2.0
// Addresses of one notifier beside each other: one that hangs or fails delays only its own messages.
#include <algorithm>
#include <deque>

#include "agent/notify/support.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::notify;
using namespace ronda::notify::test;

using Ids = std::vector<std::string>;

namespace {

constexpr std::int64_t timeout = 30 * second_ns;

/// A notifier of which some addresses take a connection and never answer: an attempt there ends by its timeout.
struct Office {
  explicit Office(int in_flight = 4, std::int64_t spacing = 0) {
    SinkPolicy policy;
    policy.in_flight = in_flight;
    policy.spacing = spacing;
    desk.outbox.set_policy("slack", policy);
  }
  struct Hanging {
    Start start;
    std::int64_t until;
  };

  void add(std::vector<store::OutboxRow> rows) { begin(desk.add(std::move(rows))); }
  /// What does not hang is taken at once.
  void begin(std::vector<Start> starts) {
    std::deque<Start> todo(starts.begin(), starts.end());
    while (!todo.empty()) {
      const Start start = todo.front();
      todo.pop_front();
      const bool hangs = desk.stored.at(start.id).to == "#dead" && is_dead;
      if (hangs) {
        ++attempts;
        hanging.push_back({start, desk.now + timeout});
        most = std::max(most, hanging.size());
      } else {
        taken.emplace_back(start.id, desk.now);
        for (Start& next : desk.end(start)) todo.push_back(std::move(next));
      }
    }
  }
  /// To the next thing that happens, at most until then.
  void step(std::int64_t until) {
    const std::int64_t wake = desk.outbox.next_at();
    std::int64_t at = until;
    if (wake != 0) at = std::min(at, std::max(wake, desk.now));
    if (!hanging.empty()) at = std::min(at, hanging.front().until);
    held += hanging.empty() ? 0 : at - desk.now;
    desk.now = at;
    ++wakes;
    if (!hanging.empty() && hanging.front().until <= at) {
      const Start start = hanging.front().start;
      hanging.pop_front();
      return begin(desk.end(start, retry("timed out after 30s")));
    }
    begin(desk.tick());
  }
  void pass(std::int64_t time) {
    const std::int64_t until = desk.now + time;
    while (desk.now < until) step(until);
  }
  std::int64_t taken_at(const std::string& id) const {
    const auto found = std::ranges::find(taken, id, &std::pair<std::string, std::int64_t>::first);
    return found == taken.end() ? -1 : found->second;
  }

  Desk desk;
  bool is_dead = true;
  std::deque<Hanging> hanging;
  std::vector<std::pair<std::string, std::int64_t>> taken;
  std::size_t most = 0, attempts = 0, wakes = 0;
  std::int64_t held = 0;  // time in which an attempt hung
};

std::vector<store::OutboxRow> groups(int count, const std::string& to, const std::string& prefix, const std::string& level) {
  std::vector<store::OutboxRow> rows;
  for (int i = 0; i < count; ++i) rows.push_back(envelope_to(to, prefix + std::to_string(i), prefix + std::to_string(i), level));
  return rows;
}

}  // namespace

TEST_CASE("while twenty groups hang at one address a message for another one leaves at once, whatever its level", "[notify]") {
  Office office;
  office.add(groups(20, "#dead", "dead", "p1"));
  CHECK(office.hanging.size() == 3);
  for (int i = 0; i < 1200; ++i) {
    const std::string id = "ok" + std::to_string(i);
    office.add({envelope_to("#ok", id, id, i % 2 == 0 ? "p1" : "p4")});
    REQUIRE(office.taken_at(id) == office.desk.now);
    if (office.desk.now > noon + timeout) REQUIRE(office.hanging.size() <= 1);
    office.pass(500 * ms);
  }
  CHECK(office.most == 3);  // before it was known
  office.is_dead = false;
  office.pass(hour_ns);
  CHECK(office.desk.outbox.size() == 0);
}

TEST_CASE("an address that has failed has one attempt under way, until one is taken", "[notify]") {
  Desk desk;
  auto running = desk.add(groups(6, "#a", "a", "p1"));
  REQUIRE(ids(running) == Ids{"a0", "a1", "a2"});
  CHECK(desk.end(running[0], retry()).empty());  // two are still there
  CHECK(desk.end(running[1], retry()).empty());
  running = desk.end(running[2], retry());
  REQUIRE(running.size() == 1);
  CHECK(desk.end(running[0]).size() == 2);  // as many as there are
}

TEST_CASE("an address with an attempt of more than ten seconds begins none beside it", "[notify]") {
  Desk desk;
  CHECK(desk.add(groups(1, "#a", "first", "p1")).size() == 1);
  desk.now += 9 * second_ns;
  CHECK(desk.add(groups(1, "#a", "second", "p1")).size() == 1);
  desk.now += second_ns;
  CHECK(desk.add(groups(1, "#a", "third", "p1")).empty());
  CHECK(desk.tick().empty());
  CHECK(desk.add(groups(1, "#b", "other", "p1")).size() == 1);
  CHECK(ids(desk.end({"first0", 1, {}})) == Ids{"third0"});
}

TEST_CASE("all addresses that fail together leave a place to one that does not", "[notify]") {
  Desk desk;
  std::vector<store::OutboxRow> rows;
  for (int i = 0; i < 8; ++i) rows.push_back(envelope_to("#" + std::to_string(i), "m" + std::to_string(i), "I" + std::to_string(i)));
  std::deque<Start> running;
  for (Start& start : desk.add(rows)) running.push_back(std::move(start));
  for (int failed = 0; failed < 8; ++failed) {  // each once: nobody knows better
    REQUIRE_FALSE(running.empty());
    const Start one = running.front();
    running.pop_front();
    for (Start& start : desk.end(one, retry("timed out"))) running.push_back(std::move(start));
  }
  desk.now += 2 * second_ns;
  for (Start& start : desk.tick()) running.push_back(std::move(start));
  CHECK(running.size() == 3);
  CHECK(ids(desk.add({envelope_to("#well", "well", "W", "p4")})) == Ids{"well"});
}

TEST_CASE("a notifier with one place gives an address that hangs at most a fifth of the time, once that is known", "[notify]") {
  Office office(1);
  office.add(groups(20, "#dead", "dead", "p1"));
  office.pass(10 * minute_ns);
  office.held = 0;
  std::int64_t longest = 0;
  const std::int64_t begin = office.desk.now;
  for (int i = 0; i < 120; ++i) {
    const std::string id = "ok" + std::to_string(i);
    const std::int64_t owed = office.desk.now;
    office.add({envelope_to("#ok", id, id, "p3")});
    while (office.taken_at(id) < 0 && office.desk.now < owed + hour_ns) office.step(owed + hour_ns);
    longest = std::max(longest, office.desk.now - owed);
    office.pass(owed + minute_ns - office.desk.now);
  }
  CHECK(longest <= timeout);  // the attempt that it met
  CHECK(office.held * 5 <= office.desk.now - begin);
  CHECK(office.held > 0);  // it is tried nevertheless
}

TEST_CASE("an address that fails goes behind those that do not, and has one turn a minute before what is no more urgent", "[notify]") {
  Desk desk;
  SinkPolicy policy;
  policy.in_flight = 1;
  policy.spacing = second_ns;
  desk.outbox.set_policy("slack", policy);
  const std::string level = GENERATE("p1", "p3");
  CAPTURE(level);
  auto rows = groups(20, "#dead", "dead", level);
  std::ranges::move(groups(200, "#ok", "ok", "p2"), std::back_inserter(rows));
  std::deque<Start> running;
  std::map<std::string, int> turns;  // by address
  int dead_in_a_row = 0, most_in_a_row = 0;
  for (Start& start : desk.add(rows)) running.push_back(std::move(start));
  while (turns["#ok"] < 200) {
    while (running.empty()) {
      for (Start& start : desk.next()) running.push_back(std::move(start));
    }
    const Start start = running.front();
    running.pop_front();
    const std::string to = desk.stored.at(start.id).to;
    ++turns[to];
    dead_in_a_row = to == "#dead" ? dead_in_a_row + 1 : 0;
    most_in_a_row = std::max(most_in_a_row, dead_in_a_row);
    for (Start& next : desk.end(start, to == "#dead" ? retry("refused") : delivered())) running.push_back(std::move(next));
  }
  CHECK(most_in_a_row <= 1);
  CHECK(turns["#dead"] == (level == "p1" ? 4 : 0));  // at once and after each minute; or behind what is more urgent
}

TEST_CASE("an address that has failed ten times delays no other one of its notifier, and is tried now and then", "[notify]") {
  const int in_flight = GENERATE(1, 4);
  CAPTURE(in_flight);
  Desk desk;
  SinkPolicy policy;
  policy.in_flight = in_flight;
  desk.outbox.set_policy("slack", policy);
  auto running = desk.add(groups(20, "#dead", "dead", "p1"));
  for (int failures = 0; failures < 12; ++failures) {
    while (running.empty()) running = desk.next();
    const Start one = running.front();
    running.erase(running.begin());
    for (Start& start : desk.end(one, retry("refused"))) running.push_back(std::move(start));
  }
  REQUIRE(running.empty());
  REQUIRE(desk.outbox.status().size() == 1);
  CHECK(desk.outbox.status()[0].open);
  CHECK(desk.outbox.status()[0].is_dead);  // nobody else has been tried
  CHECK(desk.outbox.status()[0].failures == 12);
  CHECK(desk.outbox.status()[0].last_error == "refused");
  const std::int64_t before = desk.now;
  const auto other = desk.add({envelope_to("#ok", "ok", "OK", "p4")});
  REQUIRE(ids(other) == Ids{"ok"});
  desk.end(other[0]);
  CHECK(desk.now == before);
  CHECK(desk.outbox.status()[0].open);
  CHECK_FALSE(desk.outbox.status()[0].is_dead);   // one address is: what asks whether there is a way to people hears yes
  CHECK(desk.outbox.status()[0].failures == 12);  // that another address takes its messages does not make it well
  CHECK(desk.outbox.status()[0].last_error == "refused");
}

TEST_CASE("when an address answers after all had failed, all others are tried at once", "[notify]") {
  Desk desk;
  std::vector<store::OutboxRow> rows;
  for (int i = 0; i < 6; ++i) rows.push_back(envelope_to("#" + std::to_string(i), "m" + std::to_string(i), "I" + std::to_string(i)));
  auto running = desk.add(rows);
  for (int failures = 0; failures < 60; ++failures) {
    while (running.empty()) running = desk.next();
    const Start one = running.front();
    running.erase(running.begin());
    for (Start& start : desk.end(one, retry("down"))) running.push_back(std::move(start));
  }
  while (running.empty()) running = desk.next();
  const std::int64_t back = desk.now;
  while (!running.empty()) {
    const Start one = running.front();
    running.erase(running.begin());
    for (Start& start : desk.end(one)) running.push_back(std::move(start));
  }
  CHECK(desk.outbox.size() == 0);
  CHECK(desk.now == back);
}

TEST_CASE("ten thousand groups of an address that hangs cost no more wake-ups than they have attempts and delays", "[notify]") {
  Office office;
  office.add(groups(10'000, "#dead", "dead", "p2"));
  office.pass(timeout + second_ns);
  office.attempts = office.wakes = 0;
  office.pass(2 * hour_ns);
  CHECK(office.attempts >= 15);
  CHECK(office.wakes <= 4 * office.attempts + 10);  // the attempt, its end, the delay of its group, the rest of the address
}
