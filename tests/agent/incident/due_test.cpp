// SPDX-License-Identifier: Apache-2.0
// What a ladder says at which instant. Times are minutes after detection; one answer a line.
#include <sstream>

#include "catch.hpp"
#include "incident/escalation.hpp"

using namespace ronda;
using namespace ronda::escalation;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t detected_ns = 1'800'000'000'000'000'000;

std::int64_t minute(std::int64_t n) {
  return detected_ns + Nanos(std::chrono::minutes(n)).count();
}

Step step(Nanos from, std::vector<std::string> targets, std::vector<Nanos> repeat = {}) {
  Step out;
  out.from = from;
  out.targets = std::move(targets);
  out.repeat = std::move(repeat);
  return out;
}

Ladder ladder(Level level, std::vector<Step> steps) {
  Ladder out;
  out.level = level;
  out.steps = std::move(steps);
  return out;
}

Policy policy(std::vector<Ladder> ladders) {
  Policy out;
  Escalation& escalation = out.escalations.emplace_back();
  escalation.name = "default";
  for (Ladder& one : ladders) escalation.ladders[people::level_index(one.level)] = std::move(one);
  return out;
}

IncidentClock clock_at(Level level) {
  IncidentClock out;
  out.detected_ns = detected_ns;
  out.level = level;
  return out;
}

/// "15 p1 ceo board (catch-up)" a line.
std::string told(const Policy& policy, const IncidentClock& clock, std::int64_t upto) {
  std::ostringstream out;
  for (const Due& one : due(policy, clock, never_asked, minute(upto)).due) {
    out << Nanos(one.at_ns - detected_ns) / 1min << " " << config::level_name(one.level);
    for (const std::string& target : one.targets) out << " " << target;
    if (one.why != Why::start) out << " (" << why_name(one.why) << ")";
    out << "\n";
  }
  return out.str();
}

/// The matrix of 5.1.2 for P1, with a P2 beside it.
Policy matrix() {
  Step ceo = step(15min, {"ceo"}), board = step(1h, {"board"});
  ceo.business = board.business = true;
  ceo.until_ack = board.until_ack = false;
  return policy({ladder(Level::p1, {step(0min, {"all"}, {15min, 30min, 1h}), ceo, board}),
                 ladder(Level::p2, {step(0min, {"lead"}), step(15min, {"all"}, {2h})})});
}

}  // namespace

TEST_CASE("a step repeats after each of its gaps, the last gap for ever", "[incident]") {
  CHECK(told(matrix(), clock_at(Level::p1), 230) ==
        "0 p1 all\n15 p1 all (repeat)\n15 p1 ceo\n45 p1 all (repeat)\n60 p1 board\n105 p1 all (repeat)\n165 p1 all (repeat)\n225 p1 all "
        "(repeat)\n");
}

TEST_CASE("nobody is told twice for one question and the next, and the next instant is when something is due", "[incident]") {
  const Policy two = matrix();
  const IncidentClock clock = clock_at(Level::p1);
  const Answer first = due(two, clock, never_asked, minute(0));
  CHECK(first.due.size() == 1);
  CHECK(first.next_ns == minute(15));
  const Answer between = due(two, clock, minute(0), minute(14));
  CHECK(between.due.empty());
  CHECK(between.next_ns == minute(15));
  CHECK(due(two, clock, minute(14), minute(15)).due.size() == 2);
  CHECK(due(two, clock, minute(15), minute(15)).due.empty());
  CHECK(due(two, clock, minute(15), minute(15)).next_ns == minute(45));
}

TEST_CASE("a step is over at its `to`", "[incident]") {
  Step early = step(0min, {"lead"}, {10min});
  early.to = 30min;
  CHECK(told(policy({ladder(Level::p2, {early})}), clock_at(Level::p2), 100) == "0 p2 lead\n10 p2 lead (repeat)\n20 p2 lead (repeat)\n");
}

TEST_CASE("after its last row a ladder begins anew with a step, or belongs to its owner", "[incident]") {
  Ladder rows = ladder(Level::p1, {step(0min, {"first"}), step(10min, {"second"}, {5min}), step(20min, {"third"})});
  rows.end = 30min;
  SECTION("a loop") {
    rows.loop_to = 1;
    CHECK(told(policy({rows}), clock_at(Level::p1), 50) ==
          "0 p1 first\n10 p1 second\n15 p1 second (repeat)\n20 p1 second (repeat)\n20 p1 third\n25 p1 second (repeat)\n"
          "30 p1 second\n35 p1 second (repeat)\n40 p1 second (repeat)\n40 p1 third\n45 p1 second (repeat)\n50 p1 second\n");
  }
  SECTION("an owner") {
    rows.owner = {"cto"};
    rows.owner_repeat = {1h};
    CHECK(told(policy({rows}), clock_at(Level::p1), 100) ==
          "0 p1 first\n10 p1 second\n15 p1 second (repeat)\n20 p1 second (repeat)\n20 p1 third\n25 p1 second (repeat)\n"
          "30 p1 cto (owner)\n90 p1 cto (repeat)\n");
  }
}

TEST_CASE("an ack stops the pages and not the notices; when it ends the ladder goes on where it stopped", "[incident]") {
  IncidentClock clock = clock_at(Level::p1);
  clock.acked = {{minute(10), Stretch::open}};
  CHECK(told(matrix(), clock, 300) == "0 p1 all\n15 p1 ceo\n60 p1 board\n");
  CHECK_FALSE(due(matrix(), clock, minute(60), minute(300)).next_ns);
  clock.acked = {{minute(10), minute(200)}};
  CHECK(told(matrix(), clock, 250) == "0 p1 all\n15 p1 ceo\n60 p1 board\n200 p1 all (resume)\n205 p1 all (repeat)\n235 p1 all (repeat)\n");
}

TEST_CASE("a window stops the clock: what it hid does not come all at once at its end", "[incident]") {
  IncidentClock clock = clock_at(Level::p1);
  SECTION("detected within it") {
    clock.suppressed = {{minute(-60), minute(120)}};
    CHECK(told(matrix(), clock, 140) == "120 p1 all\n135 p1 all (repeat)\n135 p1 ceo\n");
    CHECK(due(matrix(), clock, never_asked, minute(0)).next_ns == minute(120));
  }
  SECTION("open before it: told once more at its end, then the ladder goes on") {
    clock.suppressed = {{minute(5), minute(125)}};
    CHECK(told(matrix(), clock, 140) == "0 p1 all\n125 p1 all (resume)\n135 p1 all (repeat)\n135 p1 ceo\n");
  }
  SECTION("one that begins when a step is due holds that step back to its end") {
    clock.suppressed = {{minute(15), minute(60)}};
    CHECK(told(matrix(), clock, 70) == "0 p1 all\n60 p1 all (repeat)\n60 p1 ceo\n");
  }
  SECTION("two that overlap are one") {
    clock.suppressed = {{minute(40), minute(70)}, {minute(5), minute(50)}};
    CHECK(told(matrix(), clock, 79) == "0 p1 all\n70 p1 all (resume)\n");
  }
}

TEST_CASE("a raise goes on at the higher ladder's step and replays nothing to the same people", "[incident]") {
  IncidentClock clock = clock_at(Level::p2);
  clock.changes = {{minute(70), Level::p1}};
  // of P1's steps up to then each target is told once, in that instant; the pages go on as if it had been P1 from the start
  CHECK(told(matrix(), clock, 170) ==
        "0 p2 lead\n15 p2 all\n70 p1 board (catch-up)\n70 p1 ceo (catch-up)\n70 p1 all (catch-up)\n105 p1 all (repeat)\n165 p1 all "
        "(repeat)\n");
}

TEST_CASE("raised a second time, only the step that was reached tells its people again", "[incident]") {
  IncidentClock clock = clock_at(Level::p1);
  clock.changes = {{minute(70), Level::p2}, {minute(80), Level::p1}};
  CHECK(told(matrix(), clock, 100) ==
        "0 p1 all\n15 p1 all (repeat)\n15 p1 ceo\n45 p1 all (repeat)\n60 p1 board\n70 p2 lead (catch-up)\n80 p1 all (catch-up)\n");
}

TEST_CASE("a lowering tells those whom nobody has told, and no one else", "[incident]") {
  IncidentClock clock = clock_at(Level::p1);
  clock.changes = {{minute(20), Level::p2}};
  CHECK(told(matrix(), clock, 130) == "0 p1 all\n15 p1 all (repeat)\n15 p1 ceo\n20 p2 lead (catch-up)\n");
  CHECK(told(matrix(), clock, 135) == "0 p1 all\n15 p1 all (repeat)\n15 p1 ceo\n20 p2 lead (catch-up)\n135 p2 all (repeat)\n");
}

TEST_CASE("an ack of a P2 does not keep a P1 silent", "[incident]") {
  IncidentClock clock = clock_at(Level::p2);
  clock.acked = {{minute(1), Stretch::open}};
  clock.changes = {{minute(30), Level::p1}};
  CHECK(told(matrix(), clock, 50) == "0 p2 lead\n30 p1 ceo (catch-up)\n30 p1 all (catch-up)\n44 p1 all (repeat)\n");
  // one that was given at P1 holds for P1 again after a while as P2
  clock = clock_at(Level::p1);
  clock.acked = {{minute(1), Stretch::open}};
  clock.changes = {{minute(2), Level::p2}, {minute(3), Level::p1}};
  CHECK(told(matrix(), clock, 14) == "0 p1 all\n");
}

TEST_CASE("a step that waits for an impact is due when the incident has the tag, and not before its time", "[incident]") {
  Step director = step(30min, {"director"}, {1h});
  director.impact = {"sla", "business"};
  const Policy one = policy({ladder(Level::p1, {step(0min, {"ops"}), director})});
  IncidentClock clock = clock_at(Level::p1);
  CHECK(told(one, clock, 1000) == "0 p1 ops\n");
  clock.impacts = {{minute(5), "users"}, {minute(50), "sla"}};
  CHECK(told(one, clock, 111) == "0 p1 ops\n50 p1 director\n110 p1 director (repeat)\n");
  clock.impacts = {{minute(5), "business"}};
  CHECK(told(one, clock, 40) == "0 p1 ops\n30 p1 director\n");
}

TEST_CASE("two escalations run side by side by one clock", "[incident]") {
  Policy both = matrix();
  Escalation& second = both.escalations.emplace_back();
  second.name = "technical";
  second.ladders[0] = ladder(Level::p1, {step(0min, {"operations"}), step(30min, {"lead"})});
  CHECK(told(both, clock_at(Level::p1), 40) == "0 p1 all\n0 p1 operations\n15 p1 all (repeat)\n15 p1 ceo\n30 p1 lead\n");
}

TEST_CASE("nothing is due of what has ended, nor of a level that has no ladder", "[incident]") {
  IncidentClock clock = clock_at(Level::p1);
  clock.ended_ns = minute(15);
  CHECK(told(matrix(), clock, 300) == "0 p1 all\n");
  CHECK_FALSE(due(matrix(), clock, never_asked, minute(300)).next_ns);
  CHECK(told(matrix(), clock_at(Level::p4), 300).empty());
}

TEST_CASE("ten years of repeats are answered at once, the latest thousand of each step", "[incident]") {
  const Answer answer = due(matrix(), clock_at(Level::p1), never_asked, minute(10 * 366 * 1440));
  CHECK(answer.due.size() == 1002);
  CHECK(answer.next_ns == answer.due.back().at_ns + Nanos(1h).count());
}

TEST_CASE("after a time without an agent of each step the last is said", "[incident]") {
  const auto all = due(matrix(), clock_at(Level::p1), minute(0), minute(110)).due;
  const auto kept = without_stale(all);
  REQUIRE(kept.size() == 3);
  CHECK(kept[0].targets == std::vector<std::string>{"ceo"});
  CHECK(kept[1].targets == std::vector<std::string>{"board"});
  CHECK(kept[2].at_ns == minute(105));
}

TEST_CASE("the clock stands in pauses and never goes back", "[incident]") {
  const PausedTime time(minute(0), {{minute(10), minute(20)}, {minute(-5), minute(2)}, {minute(20), minute(25)}, {minute(40), minute(40)}});
  CHECK(time.reading(minute(-1)) == 0min);
  CHECK(time.reading(minute(2)) == 0min);
  CHECK(time.reading(minute(9)) == 7min);
  CHECK(time.reading(minute(15)) == 8min);
  CHECK(time.reading(minute(30)) == 13min);
  CHECK(time.instant(0min) == minute(2));
  CHECK(time.instant(8min) == minute(25));
  CHECK(time.instant(9min) == minute(26));
  CHECK_FALSE(PausedTime(minute(0), {{minute(10), Stretch::open}}).instant(10min));
  CHECK(PausedTime(minute(0), {{minute(10), Stretch::open}}).instant(9min) == minute(9));
}
