// SPDX-License-Identifier: Apache-2.0
#include "schedule/timetable.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include "schedule/spread.hpp"
#include "support.hpp"

using namespace ronda;
using namespace ronda::schedule;
using namespace std::chrono_literals;

namespace {

Calendar at(const std::string& text, const std::string& zone_name = "UTC") {
  ZoneDatabase zones;
  auto parsed = parse_calendar(text, zones, zone(zone_name));
  REQUIRE(parsed);
  return *parsed;
}

/// A timetable, the two clocks, and what the last look at it gave. The wall clock starts at `start` UTC.
struct World {
  explicit World(const std::string& start = "2027-06-01 12:00:00", sys_seconds sane_from = utc("2026-01-01 00:00:00"))
      : table(Timetable::Options{20ms, sane_from}), wall(utc(start).time_since_epoch()) {
    table.set_wall(now, wall);
  }

  Timetable table;
  Nanos now = 1000s;
  Nanos wall;
  Batch batch;

  void advance(Nanos by) {
    now += by;
    wall += by;
  }
  ClockChange step_wall(Nanos by) {
    wall += by;
    return table.set_wall(now, wall);
  }
  std::vector<Due> take() {
    batch.clear();
    table.take_due(now, batch);
    return batch.due;
  }
  /// Takes what comes due until then, at once and with runs that end at once; "HH:MM:SS why" of each.
  std::vector<std::string> run_for(Nanos span) {
    std::vector<std::string> out;
    const Nanos end = now + span;
    while (table.next_due() && *table.next_due() <= end) {
      advance(std::max(*table.next_due() - now, 0ns));
      for (const Due& due : take()) {
        out.push_back((due.slot ? show_utc(*due.slot).substr(5) : std::to_string(now / 1s)) + " " + std::string(to_text(due.why)));
        table.finished(due.id);
      }
      for (const Missed& missed : batch.missed) {
        out.push_back("missed " + std::to_string(missed.slots.count) + ": " + show_utc(missed.slots.first).substr(5) + " to " +
                      show_utc(missed.slots.last).substr(5));
      }
    }
    advance(end - now);
    return out;
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("what has no schedule of its own runs when it is made due, and only then", "[schedule]") {
  World w;
  w.table.add(0, OnDemand{}, w.now);
  CHECK_FALSE(w.table.next_due());
  w.table.make_due(0, w.now, Why::by_hand);
  CHECK(w.run_for(24h) == std::vector<std::string>{"1000 by hand"});
  w.table.replace(0, Every{0, 60s, 0s}, w.now);
  CHECK(w.table.next_due());
  w.table.replace(0, OnDemand{}, w.now);
  CHECK_FALSE(w.table.next_due());
}

TEST_CASE("a check is due on its grid, whenever it was added", "[schedule]") {
  World w;
  w.table.add(0, Every{0, 30s, 7s}, w.now);
  CHECK(w.run_for(100s) == Lines{"1027 grid", "1057 grid", "1087 grid"});
}

TEST_CASE("checks of one group start together within the slack, early and never late", "[schedule]") {
  World w;
  w.table.add(0, Every{1, 10s, 0s}, w.now - 1ms);
  w.table.add(1, Every{1, 10s, 15ms}, w.now - 1ms);
  w.table.add(2, Every{2, 10s, 15ms}, w.now - 1ms);        // another runner
  w.table.add(3, Every{1, 10s, 15ms, true}, w.now - 1ms);  // exec
  w.table.add(4, Every{1, 1s, 15ms}, w.now - 1ms);         // one percent is 10 ms
  w.table.add(5, Every{1, 10s, 21ms}, w.now - 1ms);
  const auto due = w.take();
  REQUIRE(due.size() == 2);
  CHECK(due[0].id == 0);
  CHECK(due[1].id == 1);
  CHECK(due[1].due == w.now + 15ms);
  CHECK(*w.table.next_due() == w.now + 15ms);
  w.table.finished(1);
  w.advance(30ms);
  CHECK(w.take().size() == 4);
  w.advance(9980ms);
  CHECK(w.table.look(1).next == 1010s + 15ms);
}

TEST_CASE("what is due is ordered by group", "[schedule]") {
  World w;
  for (Id id = 0; id < 100; ++id) w.table.add(id, Every{(id * 7) % 5, 10s, 0s}, w.now - 1ns);
  const auto due = w.take();
  REQUIRE(due.size() == 100);
  CHECK(std::is_sorted(due.begin(), due.end(), [](const Due& a, const Due& b) { return a.group < b.group; }));
}

TEST_CASE("a run that still goes on is not started again, and that is told", "[schedule]") {
  World w;
  w.table.add(0, Every{0, 10s, 0s}, w.now);
  w.advance(10s);
  REQUIRE(w.take().size() == 1);
  w.advance(10s);
  CHECK(w.take().empty());
  REQUIRE(w.batch.skipped.size() == 1);
  CHECK(w.batch.skipped[0].due == 1020s);
  w.table.finished(0);
  w.advance(10s);
  CHECK(w.take().size() == 1);
}

TEST_CASE("a slot that comes while the last run goes on is skipped with its instant and not repeated", "[schedule]") {
  World w;
  w.table.add(0, Slots{0, at("*:0/5"), {}, std::nullopt}, w.now);
  w.advance(5min);
  REQUIRE(w.take().size() == 1);
  w.advance(5min);
  CHECK(w.take().empty());
  REQUIRE(w.batch.skipped.size() == 1);
  CHECK(show_utc(*w.batch.skipped[0].slot) == "2027-06-01 12:10:00");
  w.table.finished(0);
  CHECK(w.run_for(5min) == Lines{"06-01 12:15:00 slot"});
}

TEST_CASE("an event makes due at once, and waits for the end of a run", "[schedule]") {
  World w;
  w.table.add(0, Every{0, 1h, 0s}, w.now);
  w.table.make_due(0, w.now, Why::event);
  REQUIRE(w.take().size() == 1);
  CHECK(w.batch.due[0].why == Why::event);
  w.table.make_due(0, w.now, Why::event);
  CHECK(w.take().empty());
  CHECK(w.batch.skipped.empty());
  w.table.finished(0);
  CHECK(w.take().size() == 1);
  w.table.finished(0);
  CHECK(w.take().empty());
}

TEST_CASE("again_at is due besides the schedule; a first run is not needed after a turn", "[schedule]") {
  World w;
  w.table.add(0, Every{0, 30s, 7s}, w.now);
  w.table.make_due(0, 1030s, Why::again);
  CHECK(w.run_for(60s) == Lines{"1027 grid", "1030 again", "1057 grid"});
  w.table.make_due(0, w.now + 60s, Why::first_run);
  CHECK(w.run_for(61s) == Lines{"1087 grid", "1117 grid"});
}

TEST_CASE("after an agent that stood still a check runs once, and the turns that went by are counted", "[schedule]") {
  World w;
  w.table.add(0, Every{0, 10s, 0s}, w.now);
  w.advance(65s);
  REQUIRE(w.take().size() == 1);
  CHECK(w.batch.due[0].due == 1010s);
  CHECK(w.batch.due[0].passed_over == 5);
  CHECK(*w.table.next_due() == 1070s);
}

TEST_CASE("after downtime the last slot is caught up once, delayed; the others are told as missed", "[schedule]") {
  World w("2027-06-01 12:30:00");
  const SlotOptions options{0s, 20s, std::nullopt};
  w.table.add(0, Slots{0, at("*-*-* 0/1:00"), options, utc("2027-06-01 03:00:00")}, w.now);
  CHECK(w.run_for(0s) == Lines{"missed 8: 06-01 04:00:00 to 06-01 11:00:00"});
  CHECK(w.run_for(1h) == Lines{"06-01 12:00:00 catch-up", "06-01 13:00:00 slot"});
}

TEST_CASE("a slot missed by seconds is a late slot, no catch-up", "[schedule]") {
  World w("2027-06-01 12:00:30");
  w.table.add(0, Slots{0, at("*-*-* 0/1:00"), {0s, 20s, std::nullopt}, utc("2027-06-01 11:00:00")}, w.now);
  CHECK(w.run_for(0s) == Lines{"06-01 12:00:00 slot"});
}

TEST_CASE("a slot older than its catch-up window is only told as missed", "[schedule]") {
  World w("2027-06-02 09:00:00");
  w.table.add(0, Slots{0, at("*-*-* 02:00"), {0s, 0s, 1h}, utc("2027-05-30 02:00:00")}, w.now);
  CHECK(w.run_for(0s) == Lines{"missed 3: 05-31 02:00:00 to 06-02 02:00:00"});
  CHECK(w.run_for(24h) == Lines{"06-03 02:00:00 slot"});
}

TEST_CASE("a catch-up that still waits when the next slot comes gives way to it", "[schedule]") {
  World w("2027-06-01 12:58:00");
  w.table.add(0, Slots{0, at("*-*-* 0/1:00"), {0s, 5min, std::nullopt}, utc("2027-06-01 11:00:00")}, w.now);
  CHECK(w.run_for(1h) == Lines{"06-01 13:00:00 slot", "missed 1: 06-01 12:00:00 to 06-01 12:00:00"});
}

TEST_CASE("a million missed slots disable nothing", "[schedule]") {
  World w("2029-04-25 18:40:30");
  const auto before = std::chrono::steady_clock::now();
  w.table.add(0, Slots{0, at("*:*"), {}, utc("2027-06-01 00:00:00")}, w.now);
  CHECK(w.run_for(60s) == Lines{"04-25 18:40:00 slot", "missed 1000479: 06-01 00:01:00 to 04-25 18:39:00", "04-25 18:41:00 slot"});
  // one by one it would be a million steps of the calendar, each of a microsecond at the least
  CHECK(std::chrono::steady_clock::now() - before < 500ms);
}

TEST_CASE("jitter starts a run after its slot, with the slot it is for", "[schedule]") {
  World w;
  w.table.add(0, Slots{0, at("*:0/10"), {90s, 0s, std::nullopt}, std::nullopt}, w.now);
  w.advance(10min + 89s);
  CHECK(w.take().empty());
  w.advance(1s);
  REQUIRE(w.take().size() == 1);
  CHECK(show_utc(*w.batch.due[0].slot) == "2027-06-01 12:10:00");
  CHECK(w.batch.due[0].due == w.now);
}

TEST_CASE("steps of the wall clock: no storm, no slot twice, no silence that a slot not yet run could fill", "[schedule]") {
  struct Row {
    const char* name;
    Nanos step;
    Lines lines;  // of the hour after the step; it comes at 12:30, after the slots 12:00, 12:10, 12:20 and
                  // 12:30
  };
  const auto row = GENERATE(values<Row>({
      {"+1 s",
       1s,
       {"06-01 12:40:00 slot", "06-01 12:50:00 slot", "06-01 13:00:00 slot", "06-01 13:10:00 slot", "06-01 13:20:00 slot",
        "06-01 13:30:00 slot"}},
      {"-1 s", -1s, {"06-01 12:40:00 slot", "06-01 12:50:00 slot", "06-01 13:00:00 slot", "06-01 13:10:00 slot", "06-01 13:20:00 slot"}},
      {"+1 h",
       1h,
       {"06-01 13:30:00 slot", "missed 5: 06-01 12:40:00 to 06-01 13:20:00", "06-01 13:40:00 slot", "06-01 13:50:00 slot",
        "06-01 14:00:00 slot", "06-01 14:10:00 slot", "06-01 14:20:00 slot", "06-01 14:30:00 slot"}},
      {"-15 min", -15min, {"06-01 12:40:00 slot", "06-01 12:50:00 slot", "06-01 13:00:00 slot", "06-01 13:10:00 slot"}},
      // before the agent's first slot nothing was run; from 12:00 to 12:30 all was
      {"-1 h", -1h, {"06-01 11:40:00 slot", "06-01 11:50:00 slot"}},
      {"+1 d",
       24h,
       {"06-02 12:30:00 slot", "missed 143: 06-01 12:40:00 to 06-02 12:20:00", "06-02 12:40:00 slot", "06-02 12:50:00 slot",
        "06-02 13:00:00 slot", "06-02 13:10:00 slot", "06-02 13:20:00 slot", "06-02 13:30:00 slot"}},
      {"-1 d",
       -24h,
       {"05-31 12:40:00 slot", "05-31 12:50:00 slot", "05-31 13:00:00 slot", "05-31 13:10:00 slot", "05-31 13:20:00 slot",
        "05-31 13:30:00 slot"}},
  }));
  INFO(row.name);
  World w("2027-06-01 11:59:00");
  w.table.add(0, Slots{0, at("*:0/10"), {}, std::nullopt}, w.now);
  REQUIRE(w.run_for(31min).size() == 4);
  const ClockChange change = w.step_wall(row.step);
  CHECK(change.step == row.step);
  CHECK(change.is_step == (std::chrono::abs(row.step) >= 2s));
  CHECK(w.run_for(1h) == row.lines);
}

TEST_CASE("a clock that stood ten years ahead for an hour: one catch-up there, and all goes on when it is right", "[schedule]") {
  World w("2027-06-01 11:59:00");
  w.table.add(0, Slots{0, at("*:0/30"), {}, std::nullopt}, w.now);
  CHECK(w.run_for(31min) == Lines{"06-01 12:00:00 slot", "06-01 12:30:00 slot"});
  w.step_wall(24h * 3652);
  CHECK(w.run_for(1h) ==
        Lines{"05-31 12:30:00 slot", "missed 175295: 06-01 13:00:00 to 05-31 12:00:00", "05-31 13:00:00 slot", "05-31 13:30:00 slot"});
  w.step_wall(-24h * 3652);
  CHECK(w.run_for(1h) == Lines{"06-01 14:00:00 slot", "06-01 14:30:00 slot"});
}

TEST_CASE("a clock that is set back to before the build stops the slots, not the checks, and all goes on when it is right", "[schedule]") {
  World w("2027-06-01 11:59:00");
  w.table.add(0, Slots{0, at("*:0/30"), {}, std::nullopt}, w.now);
  w.table.add(1, Every{0, 20min, 0s}, w.now);
  CHECK(w.run_for(2min) == Lines{"06-01 12:00:00 slot"});
  const ClockChange back = w.step_wall(-24h * 3652);
  CHECK(back.was_sane);
  CHECK_FALSE(back.sane);
  CHECK(w.run_for(1h) == Lines{"1200 grid", "2400 grid", "3600 grid"});
  w.step_wall(24h * 3652);
  // 13:01: the slots 12:30 and 13:00 were due meanwhile
  CHECK(w.run_for(0s) == Lines{"06-01 13:00:00 slot", "missed 1: 06-01 12:30:00 to 06-01 12:30:00"});
}

TEST_CASE("after a suspend of eight hours each of two hundred jobs is caught up once, spread, and the rest is told as missed",
          "[schedule]") {
  World w("2027-06-01 20:30:00");
  constexpr Id jobs = 200;
  for (Id id = 0; id < jobs; ++id) w.table.add(id, Slots{0, at("hourly"), {0s, (id + 1) * 150ms, std::nullopt}, std::nullopt}, w.now);
  w.advance(8h);
  CHECK(w.take().empty());  // all of them wait their time
  REQUIRE(w.batch.missed.size() == jobs);
  for (const Missed& missed : w.batch.missed) CHECK(missed.slots.count == 7);
  std::map<Id, int> ran;
  std::size_t most_at_once = 0;
  const Nanos end = w.now + 29min;
  while (w.table.next_due() && *w.table.next_due() <= end) {
    w.advance(*w.table.next_due() - w.now);
    const auto due = w.take();
    CHECK(w.batch.missed.empty());
    most_at_once = std::max(most_at_once, due.size());
    for (const Due& one : due) {
      ++ran[one.id];
      CHECK(one.why == Why::catch_up);
      CHECK(show_utc(*one.slot) == "2027-06-02 04:00:00");
      w.table.finished(one.id);
    }
  }
  CHECK(ran.size() == jobs);
  CHECK(std::ranges::all_of(ran, [](const auto& one) { return one.second == 1; }));
  CHECK(most_at_once <= 2);
}

TEST_CASE("slots over the end of 32 bits, a leap day and a year of 53 weeks", "[schedule]") {
  struct Row {
    const char *start, *expression;
    Nanos span;
    Lines lines;
  };
  const auto row = GENERATE(values<Row>({
      {"2038-01-19 03:13:30", "*:*", 2min + 40s, {"01-19 03:14:00 slot", "01-19 03:15:00 slot", "01-19 03:16:00 slot"}},
      {"2028-02-28 12:00:00", "*-02-29 00:00", 24h, {"02-29 00:00:00 slot"}},
      {"2027-02-27 12:00:00", "*-*-* 00:00", 72h, {"02-28 00:00:00 slot", "03-01 00:00:00 slot", "03-02 00:00:00 slot"}},
      {"2028-02-27 12:00:00", "*-*-* 00:00", 72h, {"02-28 00:00:00 slot", "02-29 00:00:00 slot", "03-01 00:00:00 slot"}},
      // 2032 has 53 weeks by ISO 8601: its last ends on 2033-01-02
      {"2032-12-19 12:00:00", "Mon 00:00", 24h * 21, {"12-20 00:00:00 slot", "12-27 00:00:00 slot", "01-03 00:00:00 slot"}},
  }));
  INFO(row.start << " " << row.expression);
  World w(row.start);
  w.table.add(0, Slots{0, at(row.expression), {}, std::nullopt}, w.now);
  CHECK(w.run_for(row.span) == row.lines);
}

TEST_CASE("with a wall clock from before the build no slot is planned, every check is", "[schedule]") {
  World w(GENERATE("1970-01-01 00:00:30", "2000-01-01 00:00:00"));
  w.table.add(0, Slots{0, at("*:*"), {}, utc("2027-06-01 12:00:00")}, w.now);
  w.table.add(1, Every{0, 20min, 0s}, w.now);
  CHECK(w.run_for(20min) == Lines{"1200 grid"});
  const ClockChange change = w.step_wall(utc("2027-06-01 12:03:20").time_since_epoch() - w.wall);
  CHECK(change.sane);
  CHECK_FALSE(change.was_sane);
  CHECK(w.run_for(0s) == Lines{"06-01 12:03:00 slot", "missed 2: 06-01 12:01:00 to 06-01 12:02:00"});
}

TEST_CASE("a slewed clock never makes a slot early", "[schedule]") {
  World w("2027-06-01 12:00:00");
  w.table.add(0, Slots{0, at("*:*"), {}, std::nullopt}, w.now);
  w.advance(59s);
  for (int i = 0; i < 1'200; ++i) {
    w.advance(1ms);
    w.wall -= 10us;
    w.table.set_wall(w.now, w.wall);
    const bool due = !w.take().empty();
    REQUIRE(due == (w.wall >= utc("2027-06-01 12:01:00").time_since_epoch()));
    if (due) break;
  }
}

TEST_CASE("a reload keeps phase, run and what is due", "[schedule]") {
  World w;
  w.table.add(0, Every{0, 30s, 7s}, w.now);
  w.table.add(1, Every{0, 30s, 7s}, w.now);
  w.table.add(2, Slots{0, at("*:0/5"), {}, std::nullopt}, w.now);
  w.table.add(3, Every{0, 30s, 7s}, w.now);
  w.advance(5min + 1s);
  w.table.remove(3);
  w.table.replace(0, Every{1, 30s, 7s}, w.now);                        // another runner, same schedule
  w.table.replace(1, Every{0, 60s, 20s}, w.now);                       // another schedule: the due turn is still run
  w.table.replace(2, Slots{0, at("*:2/5"), {}, std::nullopt}, w.now);  // its due slot is still run
  w.table.add(4, Every{0, 10s, 0s}, w.now);
  const auto due = w.take();
  REQUIRE(due.size() == 3);
  CHECK(due[0].id == 1);
  CHECK(due[0].due == 1027s);
  CHECK(due[1].id == 2);
  CHECK(show_utc(*due[1].slot) == "2027-06-01 12:05:00");
  CHECK(due[2].id == 0);
  CHECK(due[2].group == 1);
  CHECK(w.table.look(0).next == 1327s);
  CHECK(w.table.look(1).next == 1340s);
  CHECK(show_utc(*w.table.look(2).slot) == "2027-06-01 12:07:00");
  CHECK_FALSE(w.table.has(3));
  CHECK(w.table.look(0).running);
}

TEST_CASE("a reload after the clock was set back runs no slot of the same calendar again", "[schedule]") {
  World w("2027-06-01 11:59:00");
  w.table.add(0, Slots{0, at("*:0/10"), {}, std::nullopt}, w.now);
  REQUIRE(w.run_for(31min).size() == 4);  // 12:00 to 12:30
  w.step_wall(-25min);
  w.table.replace(0, Slots{1, at("*:0/10"), {}, std::nullopt}, w.now);
  CHECK(w.run_for(40min) == Lines{"06-01 12:40:00 slot"});
}

TEST_CASE("a slot that waits to be caught up is not lost when its calendar becomes another one", "[schedule]") {
  World world("2027-06-01 11:59:00");
  const auto daily = [](const std::string& text) { return Slots{0, at(text), {0ns, 30s, {}}, {}}; };
  world.table.add(1, daily("*-*-* 12:00:00"), world.now);
  world.advance(6min);  // nobody looked meanwhile: the slot is five minutes late
  world.table.set_wall(world.now, world.wall);
  CHECK(world.take().empty());  // it waits for its time among others
  world.table.replace(1, daily("*-*-* 18:00:00"), world.now);
  world.advance(31s);
  const std::vector<Due> due = world.take();
  REQUIRE(due.size() == 1);
  CHECK(due[0].why == Why::catch_up);
  REQUIRE(due[0].slot);
  CHECK(*due[0].slot == utc("2027-06-01 12:00:00"));
}
