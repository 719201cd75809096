// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>

#include <set>

#include "agent/notify/support.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::notify;
using namespace ronda::notify::test;
using store::OutboxState;

using Ids = std::vector<std::string>;

TEST_CASE("a message goes at once, and its row says so before anything is sent", "[notify]") {
  Desk desk;
  const auto starts = desk.add({envelope("a")});
  REQUIRE(ids(starts) == Ids{"a"});
  CHECK(starts[0].number == 1);
  CHECK(desk.stored["a"].state == OutboxState::sending);
  CHECK(desk.stored["a"].attempts == 1);
  CHECK(desk.stored["a"].first_at == noon);
  CHECK(desk.stored["a"].queued_at == noon);
  desk.end(starts[0]);
  CHECK(desk.stored["a"].state == OutboxState::delivered);
  CHECK(desk.outbox.size() == 0);
  CHECK(desk.outbox.next_at() == 0);
}

TEST_CASE("ten thousand alerts of one group are two messages at once, then one every 30 s", "[notify]") {
  Desk desk;
  std::vector<std::pair<std::int64_t, std::size_t>> sent;  // when, how many it stood for
  std::vector<Start> running;
  const auto note = [&](const std::vector<Start>& starts) {
    for (const Start& start : starts) sent.emplace_back(desk.now - noon, start.carries.size() + 1);
    running.insert(running.end(), starts.begin(), starts.end());
  };
  for (int i = 0; i < 10'000; ++i) {
    desk.now = noon + i * (second_ns / 10'000);
    note(desk.add({envelope("m" + std::to_string(i), "slack", "INC", i == 0 ? "open" : "update")}));
    for (const Start& start : std::exchange(running, {})) note(desk.end(start));
  }
  note(desk.next());
  for (const Start& start : std::exchange(running, {})) note(desk.end(start));
  CHECK(sent == std::vector<std::pair<std::int64_t, std::size_t>>{{0, 1}, {second_ns, 9'999}});
  CHECK(desk.outbox.size() == 0);
  // and it goes on
  desk.now = noon + 2 * second_ns;
  for (int i = 0; i < 40; ++i) {
    note(desk.add({envelope("n" + std::to_string(i), "slack", "INC", "update")}));
    for (const Start& start : std::exchange(running, {})) note(desk.end(start));
    note(desk.next(2 * second_ns));
    for (const Start& start : std::exchange(running, {})) note(desk.end(start));
  }
  for (const auto& [when, count] : sent) UNSCOPED_INFO(when << " " << count);
  REQUIRE(sent.size() == 4);
  CHECK(sent[2].first == 30 * second_ns);
  CHECK(sent[3].first == 60 * second_ns);
}

TEST_CASE("another group, and another address, are another storm", "[notify]") {
  Desk desk;
  CHECK(desk.add({envelope("a"), envelope("b")}).size() == 1);
  CHECK(ids(desk.add({envelope("c", "slack", "OTHER")})) == Ids{"c"});
  auto elsewhere = envelope("d");
  elsewhere.to = "#second";
  CHECK(ids(desk.add({elsewhere})) == Ids{"d"});
}

TEST_CASE("a machine gets each message by itself and in order", "[notify]") {
  Desk desk;
  SinkPolicy policy;
  policy.merges = false;
  desk.outbox.set_policy("pagerduty", policy);
  auto starts =
      desk.add({envelope("a", "pagerduty"), envelope("b", "pagerduty", "INC", "update"), envelope("c", "pagerduty", "INC", "resolve")});
  for (const char* id : {"a", "b", "c"}) {
    REQUIRE(ids(starts) == Ids{id});
    CHECK(starts[0].carries.empty());
    starts = desk.end(starts[0]);
  }
  CHECK(desk.outbox.size() == 0);
}

TEST_CASE("a resolve waits for its open, however long that takes", "[notify]") {
  Desk desk;
  auto starts = desk.add({envelope("open")});
  desk.now += second_ns;
  CHECK(desk.add({envelope("resolve", "slack", "INC", "resolve")}).empty());
  for (int i = 0; i < 5; ++i) {
    REQUIRE(ids(starts) == Ids{"open"});
    CHECK(starts[0].number == i + 1);
    CHECK(desk.end(starts[0], retry()).empty());
    starts = desk.next();
  }
  REQUIRE(ids(starts) == Ids{"open"});
  CHECK(ids(desk.end(starts[0])) == Ids{"resolve"});
}

TEST_CASE("a transient failure is repeated by the same id, after 1 s to 15 min, for 72 hours, and then is a dead letter", "[notify]") {
  Desk desk;
  auto starts = desk.add({envelope("a")});
  std::int64_t number = 0, longest = 0;
  while (!starts.empty()) {
    REQUIRE(starts[0].id == "a");
    REQUIRE(starts[0].number == ++number);
    const std::int64_t ended = desk.now;
    desk.end(starts[0], retry());
    if (!desk.dead.empty()) break;
    starts = desk.next();
    while (starts.empty()) starts = desk.next();
    longest = std::max(longest, desk.now - ended);
    CHECK(desk.now - ended >= second_ns);
    CHECK(desk.now - ended <= 15 * minute_ns);
  }
  CHECK(desk.now - noon >= 72 * hour_ns);
  CHECK(desk.now - noon <= 72 * hour_ns + 15 * minute_ns);
  CHECK(number > 300);
  CHECK(longest > 10 * minute_ns);
  CHECK(desk.dead == Ids{"a"});
  CHECK(std::ranges::count(desk.troubles, SinkTrouble::What::given_up, &SinkTrouble::what) == 1);  // nobody refused it
  CHECK(desk.stored["a"].state == OutboxState::dead);
  CHECK(desk.stored["a"].last_error == "given up after 72 hours: 503");
}

TEST_CASE("jitter lies between its bounds and differs from message to message", "[notify]") {
  const OutboxRules rules;
  std::set<std::int64_t> seen;
  for (int id = 0; id < 200; ++id) {
    for (std::int64_t number = 1; number <= 64; ++number) {
      const std::int64_t delay = retry_delay(rules, std::to_string(id), number);
      CHECK(delay >= rules.retry_least);
      CHECK(delay <= std::min(rules.retry_most, number > 20 ? rules.retry_most : rules.retry_least * (std::int64_t{2} << (number - 1))));
      seen.insert(delay);
    }
  }
  CHECK(seen.size() > 12'000);
}

TEST_CASE("when the other side says when to come again, nothing goes there before, for at most an hour", "[notify]") {
  Desk desk;
  auto starts = desk.add({envelope("a")});
  std::int64_t wanted = 0;
  SECTION("in 20 minutes") {
    wanted = 20 * minute_ns;
  }
  SECTION("in a year") {
    wanted = 365 * 24 * hour_ns;
  }
  desk.end(starts[0], retry("429", noon + wanted));
  CHECK(desk.add({envelope("b", "slack", "OTHER")}).empty());
  CHECK(ids(desk.add({envelope("c", "mail", "OTHER")})) == Ids{"c"});
  const std::int64_t until = noon + std::min(wanted, hour_ns);
  while (desk.now < until) {
    starts = desk.next();
    if (!starts.empty()) break;
  }
  CHECK(desk.now == until);
  REQUIRE(starts.size() == 1);  // of an address that has failed one by one
  CHECK(desk.end(starts[0]).size() == 1);
}

TEST_CASE("a permanent failure is a dead letter at once, and what comes after it goes on", "[notify]") {
  Desk desk;
  auto starts = desk.add({envelope("a"), envelope("b", "slack", "INC", "update")});
  desk.end(starts[0], dropped("404: no such channel"));
  CHECK(desk.dead == Ids{"a"});
  REQUIRE(desk.troubles.size() == 1);
  CHECK(desk.troubles[0].what == SinkTrouble::What::dead_letter);
  CHECK(desk.troubles[0].notifier == "slack");
  CHECK(desk.troubles[0].id == "a");
  CHECK(desk.troubles[0].detail == "404: no such channel");
  CHECK(ids(desk.next()) == Ids{"b"});
}

TEST_CASE("all that a message carried ends as it ends", "[notify]") {
  Desk desk;
  auto starts = desk.add({envelope("a"), envelope("b"), envelope("c")});
  desk.end(starts[0]);
  starts = desk.next();
  REQUIRE(ids(starts) == Ids{"c"});
  CHECK(starts[0].carries == Ids{"b"});
  CHECK(desk.stored["b"].carrier == "c");
  SECTION("delivered") {
    desk.end(starts[0]);
    CHECK(desk.stored["b"].state == OutboxState::delivered);
    CHECK(desk.dead.empty());
  }
  SECTION("dropped") {
    desk.end(starts[0], dropped());
    CHECK(desk.stored["b"].state == OutboxState::dead);
    CHECK(desk.dead == Ids{"b", "c"});
    CHECK(desk.troubles.size() == 1);
  }
  CHECK(desk.outbox.size() == 0);
}

TEST_CASE("after ten failures a notifier gets one probe at a time, and all of its messages when that arrives", "[notify]") {
  Desk desk;
  std::vector<store::OutboxRow> rows;
  for (int i = 0; i < 50; ++i) rows.push_back(envelope("m" + std::to_string(i), "slack", "I" + std::to_string(i)));
  std::vector<Start> running = desk.add(rows);
  CHECK(running.size() == 3);  // as many as may be in flight at one address
  int failures = 0;
  while (failures < 10) {
    REQUIRE_FALSE(running.empty());
    const Start one = running.front();
    running.erase(running.begin());
    ++failures;
    for (const Start& start : desk.end(one, retry("connection refused"))) running.push_back(start);
    if (running.empty()) running = desk.next();
  }
  for (const Start& start : std::exchange(running, {})) CHECK(desk.end(start, retry("connection refused")).empty());
  REQUIRE(desk.outbox.status().size() == 1);
  CHECK(desk.outbox.status()[0].open);
  CHECK(desk.outbox.status()[0].last_error == "connection refused");
  for (int probe = 0; probe < 5; ++probe) {
    const std::int64_t before = desk.now;
    while (running.empty()) running = desk.next();
    CHECK(desk.now - before >= second_ns);
    CHECK(desk.now - before <= 15 * minute_ns);
    REQUIRE(running.size() == 1);
    CHECK(desk.tick().empty());
    if (probe < 4) CHECK(desk.end(std::exchange(running, {})[0], retry("connection refused")).empty());
  }
  const std::int64_t back = desk.now;
  while (!running.empty()) {
    std::vector<Start> more;
    for (const Start& start : running) {
      for (const Start& next : desk.end(start)) more.push_back(next);
    }
    running = std::move(more);
  }
  CHECK(desk.now == back);
  CHECK(desk.outbox.size() == 0);
}

TEST_CASE("a dead notifier with ten thousand messages delays no other", "[notify]") {
  Desk desk;
  std::vector<store::OutboxRow> rows;
  for (int i = 0; i < 10'000; ++i) rows.push_back(envelope("m" + std::to_string(i), "dead", "I" + std::to_string(i)));
  const auto stuck = desk.add(rows);  // never answered
  CHECK(stuck.size() == 3);
  for (int i = 0; i < 100; ++i) {
    desk.now += second_ns;
    const auto starts = desk.add({envelope("x" + std::to_string(i), "alive", "X" + std::to_string(i))});
    REQUIRE(starts.size() == 1);
    desk.end(starts[0]);
  }
}

TEST_CASE("what waits is as urgent and as early as its most urgent and its earliest, however far behind that stands", "[notify]") {
  Desk desk;
  SinkPolicy policy;
  policy.merges = false;
  policy.in_flight = 1;
  desk.outbox.set_policy("hook", policy);
  const std::int64_t morning = desk.now + 8 * hour_ns;
  std::vector<store::OutboxRow> rows;
  for (int i = 0; i < 300; ++i) {
    rows.push_back(envelope("held-" + std::to_string(i), "hook", "A", "open", "p3"));
    rows.back().next_at = morning;
  }
  CHECK(desk.add(rows).empty());
  auto starts = desk.add({envelope("p2", "hook", "B", "open", "p2")});
  REQUIRE(ids(starts) == Ids{"p2"});
  desk.add({envelope("p1", "hook", "A", "open", "p1"), envelope("p3", "hook", "C", "open", "p3")});
  starts = desk.end(starts[0]);
  for (int i = 0; i < 300; ++i) {  // in order, and before what is less urgent than the last of them
    REQUIRE(ids(starts) == Ids{"held-" + std::to_string(i)});
    starts = desk.end(starts[0]);
  }
  REQUIRE(ids(starts) == Ids{"p1"});
  CHECK(ids(desk.end(starts[0])) == Ids{"p3"});
}

TEST_CASE("a notifier that takes one message a second gets one a second, the urgent ones first", "[notify]") {
  Desk desk;
  SinkPolicy policy;
  policy.spacing = second_ns;
  desk.outbox.set_policy("slack", policy);
  std::vector<store::OutboxRow> rows;
  for (int i = 0; i < 20; ++i) rows.push_back(envelope("p3-" + std::to_string(i), "slack", "A" + std::to_string(i), "open", "p3"));
  rows.push_back(envelope("p1", "slack", "B", "open", "p1"));
  auto starts = desk.add(rows);
  CHECK(ids(starts) == Ids{"p1"});
  for (int i = 0; i < 20; ++i) {
    desk.end(starts[0]);
    starts = desk.next();
    REQUIRE(starts.size() == 1);
    CHECK(starts[0].id == "p3-" + std::to_string(i));
    CHECK(desk.now == noon + (i + 1) * second_ns);
  }
}

TEST_CASE("after a day's outage a group is one message with the newest state, and nothing is dropped", "[notify]") {
  Desk desk;
  SinkPolicy policy;
  policy.spacing = second_ns;
  desk.outbox.set_policy("slack", policy);
  auto running = desk.add({envelope("open", "slack", "A"), envelope("open-b", "slack", "B")});
  const auto fail_until = [&](std::int64_t until) {
    while (desk.now < until) {
      for (const Start& start : std::exchange(running, {})) desk.end(start, retry("timeout"));
      running = desk.next(minute_ns);
    }
  };
  for (int i = 0; i < 24; ++i) {
    desk.add({envelope("a" + std::to_string(i), "slack", "A", "update"), envelope("b" + std::to_string(i), "slack", "B", "update")});
    fail_until(desk.now + hour_ns);
  }
  while (running.empty()) running = desk.next(minute_ns);
  const std::int64_t back = desk.now;
  std::vector<std::string> arrived;
  while (desk.outbox.size() > 0) {
    for (const Start& start : std::exchange(running, {})) {
      arrived.insert(arrived.end(), start.carries.begin(), start.carries.end());
      arrived.push_back(start.id);
      const auto more = desk.end(start);
      running.insert(running.end(), more.begin(), more.end());
    }
    if (running.empty() && desk.outbox.size() > 0) running = desk.next(minute_ns);
  }
  CHECK(desk.now - back <= 4 * second_ns);  // four messages, one a second
  CHECK(arrived.size() == 50);
  CHECK(std::set<std::string>(arrived.begin(), arrived.end()).size() == 50);
}

TEST_CASE("what is held for quiet hours waits, or goes along with what may not wait", "[notify]") {
  Desk desk;
  auto quiet = envelope("p3", "slack", "INC", "open", "p3");
  quiet.next_at = noon + 8 * hour_ns;
  CHECK(desk.add({quiet}).empty());
  SECTION("until their end") {
    std::vector<Start> starts;
    while (starts.empty()) starts = desk.next();
    CHECK(desk.now == noon + 8 * hour_ns);
    CHECK(ids(starts) == Ids{"p3"});
  }
  SECTION("with what is urgent") {
    desk.now += minute_ns;
    CHECK(desk.add({envelope("p1", "slack", "INC", "update", "p1")}).empty());  // its text is made first
    const auto starts = desk.next();
    CHECK(desk.now == noon + minute_ns);
    REQUIRE(ids(starts) == Ids{"p1"});
    CHECK(starts[0].carries == Ids{"p3"});
  }
}

TEST_CASE("who waits longer than 15 minutes is told once, and once when it flows again", "[notify]") {
  Desk desk;
  auto starts = desk.add({envelope("a")});
  while (desk.now < noon + hour_ns) {
    for (const Start& start : std::exchange(starts, {})) desk.end(start, retry("timeout"));
    starts = desk.next(minute_ns);
  }
  REQUIRE(desk.troubles.size() == 1);
  CHECK(desk.troubles[0].what == SinkTrouble::What::stalled);
  CHECK(desk.troubles[0].detail.starts_with("1 messages wait, the oldest for 15 minutes: timeout"));
  while (starts.empty()) starts = desk.next();
  desk.end(starts[0]);
  REQUIRE(desk.troubles.size() == 2);
  CHECK(desk.troubles[1].what == SinkTrouble::What::flowing);
}

TEST_CASE("what was in flight at a kill is sent again by the same id with the next number, and what it carried with it", "[notify]") {
  Desk desk;
  auto starts = desk.add({envelope("a"), envelope("b"), envelope("c"), envelope("other", "mail", "X")});
  desk.end(starts[0]);
  starts = desk.next();
  REQUIRE(ids(starts) == Ids{"c"});
  Desk again;
  again.now = desk.now + second_ns;
  again.stored = desk.stored;
  const auto restarted = again.take(again.outbox.restore(desk.rows(), again.now));
  REQUIRE(restarted.size() == 2);
  for (const Start& start : restarted) {
    CHECK(start.number == 2);
    if (start.id == "c")
      CHECK(start.carries == Ids{"b"});
    else
      CHECK(start.id == "other");
    again.end(start);
  }
  CHECK(again.outbox.size() == 0);
  CHECK(again.stored["b"].state == OutboxState::delivered);
}

TEST_CASE("an attempt that was taken back never was", "[notify]") {
  Desk desk;
  const auto starts = desk.add({envelope("a")});
  CHECK(desk.take(desk.outbox.take_back("a", desk.now)).empty());
  CHECK(desk.stored["a"].state == OutboxState::queued);
  CHECK(desk.stored["a"].attempts == 0);
  CHECK(desk.end(starts[0]).empty());  // its end is nobody's
  CHECK(desk.outbox.size() == 1);
  const auto again = desk.next();
  REQUIRE(again.size() == 1);
  CHECK(again[0].number == 1);
}

TEST_CASE("ends that are unknown, late or double change nothing", "[notify]") {
  Desk desk;
  const auto starts = desk.add({envelope("a")});
  desk.end({"b", 1, {}});
  desk.end({"a", 2, {}});
  CHECK(desk.outbox.size() == 1);
  desk.end(starts[0], retry());
  desk.end(starts[0]);
  CHECK(desk.outbox.size() == 1);
  CHECK(desk.add({envelope("a")}).empty());
  CHECK(desk.outbox.size() == 1);
}

TEST_CASE("a clock that is set back by a day delays nothing by a day", "[notify]") {
  Desk desk;
  auto starts = desk.add({envelope("a"), envelope("b")});
  desk.end(starts[0], retry());
  desk.now -= 24 * hour_ns;
  desk.tick();
  CHECK(desk.outbox.next_at() <= desk.now + 2 * second_ns);
  starts = desk.next();
  CHECK(ids(starts) == Ids{"a"});
  CHECK(ids(desk.end(starts[0])) == Ids{"b"});
  CHECK(desk.now < noon - 23 * hour_ns);
}

TEST_CASE("where the clock is set forward, delays and the 72 hours stay what they are, and quiet hours go by it", "[notify]") {
  const std::int64_t by = GENERATE(3, 365 * 24) * hour_ns;
  CAPTURE(by / hour_ns);
  Desk desk;
  const auto first = desk.add({envelope("a", "slack", "A"), envelope("b", "mail", "B")});
  REQUIRE(first.size() == 2);
  desk.end(first[0], retry("503", desk.now + 20 * minute_ns));
  store::OutboxRow held = envelope("c", "sms", "C");
  held.next_at = noon + 17 * hour_ns;  // until it is seven
  CHECK(desk.add({held}).empty());
  const bool is_seven = by > 17 * hour_ns;
  desk.now += by;
  CHECK(desk.take(desk.outbox.set_clock(by, desk.now)).empty());
  CHECK(desk.stored["a"].first_at == desk.now);
  CHECK(desk.stored["a"].next_at == desk.now + 20 * minute_ns);
  CHECK(desk.stored["b"].first_at == desk.now);
  CHECK(desk.stored["c"].next_at == held.next_at);
  if (!is_seven) CHECK(desk.outbox.next_at() == desk.now + 15 * minute_ns);  // then the oldest has waited for too long
  CHECK(ids(desk.tick()) == (is_seven ? Ids{"c"} : Ids{}));
  while (desk.now < noon + by + 20 * minute_ns) {
    CHECK(desk.now < noon + by + 20 * minute_ns);
    const auto starts = desk.next();
    if (!starts.empty()) CHECK(ids(starts) == Ids{"a"});
  }
  CHECK(desk.now == noon + by + 20 * minute_ns);
  desk.end({"a", 2, {}}, retry());
  CHECK(desk.end({"b", 1, {}}, retry()).empty());
  // the next life goes by what was stored
  Desk later;
  later.now = noon + by + 71 * hour_ns;
  later.stored = desk.stored;
  auto again = later.take(later.outbox.restore(desk.rows(), later.now));
  REQUIRE(ids(again) == Ids{"b", "a", "c"});
  later.end(again[0], retry());
  CHECK(later.dead.empty());
  later.now += 2 * hour_ns;
  later.end(again[1], retry());
  CHECK(later.dead == Ids{"a"});
}

TEST_CASE("an attempt under way while the clock is set forward is neither overdue nor a long one", "[notify]") {
  Desk desk;
  desk.outbox.set_policy("slack", {.spacing = 0, .in_flight = 3, .merges = false});
  const auto first = desk.add({envelope("a", "slack", "A")});
  REQUIRE(first.size() == 1);
  desk.now += 3 * hour_ns;
  desk.take(desk.outbox.set_clock(3 * hour_ns, desk.now));
  CHECK(ids(desk.add({envelope("b", "slack", "B")})) == Ids{"b"});  // where one is overdue, none begins beside it
  CHECK(desk.troubles.empty());
}

TEST_CASE("what was stored by the right clock is given up in time where a start was behind it", "[notify]") {
  Desk desk;
  const auto first = desk.add({envelope("a")});
  desk.end(first[0], retry());
  Desk behind;
  behind.now = noon - 50 * 365 * 24 * hour_ns;
  behind.stored = desk.stored;
  behind.take(behind.outbox.restore(desk.rows(), behind.now));
  behind.now = noon + hour_ns;
  behind.take(behind.outbox.set_clock(50 * 365 * 24 * hour_ns + hour_ns, behind.now));
  CHECK(behind.stored["a"].first_at <= behind.now);
  std::vector<Start> starts = behind.tick();
  while (behind.dead.empty() && behind.now < noon + 100 * hour_ns) {
    for (const Start& start : std::exchange(starts, {})) behind.end(start, retry());
    if (behind.dead.empty()) starts = behind.next(hour_ns);
  }
  CHECK(behind.dead == Ids{"a"});
  CHECK(behind.now - noon < 74 * hour_ns);
}

TEST_CASE("a hundred thousand envelopes take less than 1000 bytes each in the machine", "[notify]") {
  const auto used = [] { return mallinfo2().uordblks + mallinfo2().hblkhd; };
  const std::size_t before = used();
  Outbox outbox;
  for (int i = 0; i < 100; ++i) {
    std::vector<store::OutboxRow> rows;
    for (int j = 0; j < 1000; ++j) {
      const std::string number = std::to_string(i * 1000 + j);
      rows.push_back(envelope("0193-incident-" + number + "/12/0123456789abcdef", "slack", "0193-incident-" + number));
    }
    outbox.add(rows, noon + i);
  }
  CHECK(outbox.size() == 100'000);
  const std::size_t bytes = used() - before;
  INFO(bytes / 1024 << " KiB");
  CHECK(bytes / 100'000 < 1000);
}
