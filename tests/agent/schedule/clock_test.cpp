// SPDX-License-Identifier: Apache-2.0
// A wall clock that is set. The real one is never touched here: the scheduler is given a clock of the test's, and the
// kernel's notification is called by hand. That the kernel gives it is not tested.
#include <unistd.h>
#include <boost/asio/io_context.hpp>

#include <catch.hpp>
#include <filesystem>

#include "base/clock.hpp"
#include "schedule/candidate.hpp"
#include "schedule/clock_watch.hpp"
#include "scheduled.hpp"

using namespace ronda;
using namespace ronda::test;

TEST_CASE("a slot that the clock was set past runs at once, not at the next look", "[schedule]") {
  Scheduled bench;
  // 2026-03-01 11:30 UTC
  bench.wall = std::chrono::seconds(1'772'364'600);
  bench.begin({{"noon", "ok", 0, schedule::Kind::task, 0s, 20s, "*-*-* 12:00:00"}});
  bench.turn_for(200ms);
  const schedule::Entry& entry = bench.entry("noon", schedule::Kind::task);
  CHECK(entry.runs == 0);
  bench.wall = *bench.wall + 30min + 1s;
  bench.turn_for(1s);
  CHECK(entry.runs == 0);  // nobody has looked yet
  bench.scheduler().on_clock_set();
  CHECK(bench.until([&] { return entry.runs == 1; }, 10s));
  CHECK(bench.has_log("the wall clock stepped by"));
  bench.scheduler().on_clock_set();
  bench.turn_for(200ms);
  CHECK(entry.runs == 1);
}

TEST_CASE("an agent that boots in 1970 runs its checks and no slot, and plans when the clock is set", "[schedule]") {
  Scheduled bench;
  bench.wall = 30s;
  bench.begin({{"minutely", "ok", 0, schedule::Kind::task, 0s, 20s, "*:*"}, {"steady", "ok", 0, schedule::Kind::check, 100ms}});
  const auto& slots = bench.entry("minutely", schedule::Kind::task);
  const auto& steady = bench.entry("steady");
  CHECK(bench.until([&] { return steady.runs >= 3; }));
  bench.wall = 2min + 1s;  // two slots of 1970 went by
  bench.scheduler().on_clock_set();
  bench.turn_for(500ms);
  CHECK(slots.runs == 0);
  CHECK(bench.slots("minutely").empty());
  const auto runs = steady.runs;
  bench.wall = std::chrono::seconds(1'772'364'659);  // 2026-03-01 11:30:59 UTC, as NTP says
  bench.scheduler().on_clock_set();
  bench.turn_for(500ms);
  CHECK(slots.runs == 0);
  bench.wall = *bench.wall + 2s;
  bench.scheduler().on_clock_set();
  CHECK(bench.until([&] { return slots.runs == 1; }, 10s));
  CHECK(bench.until([&] { return bench.slots("minutely").size() == 1; }));
  CHECK(bench.slots("minutely").front().scheduled == 1'772'364'660'000'000'000);
  CHECK(steady.runs > runs);
}

TEST_CASE("an agent that boots in 1970 owes nothing of the decades before its clock is set", "[schedule]") {
  Scheduled bench;
  const auto monday = std::chrono::seconds(1'772'452'800);  // 2026-03-02 12:00 UTC
  const std::vector<Configured> set{{"weekly", "ok", 0, schedule::Kind::task, 0s, 20s, "Sun *-*-* 02:00:00"}};
  const auto next = [&] { return bench.scheduler().look(bench.entry("weekly", schedule::Kind::task)).slot; };
  const auto set_clock = [&](std::chrono::nanoseconds wall) {
    bench.wall = wall;
    bench.scheduler().on_clock_set();
    bench.turn_for(100ms);
  };
  SECTION("with a calendar that the store has known since before") {
    bench.wall = monday;
    bench.begin(set);
    REQUIRE(bench.until([&] { return bench.remembered().calendars.size() == 1; }));
    bench.kill();
    bench.wall = 30s;
    bench.begin(set);
    set_clock(monday + 24h);
    CHECK(next()->time_since_epoch() == monday + 5 * 24h + 14h);  // Sunday
  }
  SECTION("with one that is new in 1970: it is known since the clock was set") {
    bench.wall = 30s;
    bench.begin(set);
    bench.turn_for(100ms);
    CHECK(bench.remembered().calendars.empty());
    set_clock(monday);
    REQUIRE(bench.until([&] { return bench.remembered().calendars.size() == 1; }));
    CHECK(bench.remembered().calendars[0].since == std::chrono::nanoseconds(monday).count());
    bench.kill();
    bench.wall = monday + 24h;
    bench.begin(set);
    CHECK(next()->time_since_epoch() == monday + 5 * 24h + 14h);
  }
  SECTION("with another one than the store knows") {
    bench.wall = monday;
    bench.begin({{"weekly", "ok", 0, schedule::Kind::task, 0s, 20s, "Sat *-*-* 02:00:00"}});
    REQUIRE(bench.until([&] { return bench.remembered().calendars.size() == 1; }));
    bench.kill();
    bench.wall = 30s;
    bench.begin(set);
    set_clock(monday + 24h);
    CHECK(next()->time_since_epoch() == monday + 5 * 24h + 14h);
  }
  // neither run nor missed, and none is put off as a catch-up
  bench.turn_for(200ms);
  CHECK(bench.slots("weekly").empty());
  const auto missed = bench.ask<std::vector<store::MissedRange>>([&](auto done) {
    bench.store().load_missed({"task", "weekly"}, 10, std::move(done));
  });
  CHECK(missed.empty());
  const auto look = bench.scheduler().look(bench.entry("weekly", schedule::Kind::task));
  CHECK(*look.next - boottime() > 24h);
}

TEST_CASE("the kernel is asked to tell of a clock that is set, and tells nothing when it is not", "[schedule]") {
  boost::asio::io_context loop;
  int told = 0;
  {
    const schedule::ClockWatch watch(loop, [&] { ++told; });
    CHECK(watch.is_armed());
    loop.run_for(200ms);
  }
  loop.restart();
  loop.poll();
  CHECK(told == 0);
}

TEST_CASE("slots of a zone whose rules are replaced are planned anew, what runs goes on, and a zone that is gone keeps its rules",
          "[schedule]") {
  namespace fs = std::filesystem;
  Scheduled bench;
  const std::string tzdata = bench.scratch / "zoneinfo";
  fs::create_directories(tzdata + "/Europe");
  const auto put = [&](const std::string& rules) {
    fs::copy_file("/usr/share/zoneinfo/" + rules, tzdata + "/new", fs::copy_options::overwrite_existing);
    fs::rename(tzdata + "/new", tzdata + "/Europe/Berlin");
  };
  put("Europe/Berlin");
  bench.zones = schedule::ZoneDatabase(tzdata);
  bench.wall = std::chrono::seconds(1'772'364'600);  // 2026-03-01 11:30 UTC
  const std::vector<Configured> set = {{"late", "ok", 0, schedule::Kind::task, 0s, 20s, "*-*-* 20:00:00 Europe/Berlin"},
                                       {"long", "slow", 1500, schedule::Kind::task, 0s, 20s, "*-*-* 21:00:00 Europe/Berlin"},
                                       {"other", "ok", 0, schedule::Kind::task, 0s, 20s, "*-*-* 20:00:00"}};
  bench.begin(set);
  const auto hour = [&](const std::string& name) {
    const auto slot = bench.scheduler().look(bench.entry(name, schedule::Kind::task)).slot;
    return slot ? (slot->time_since_epoch() - 1'772'323'200s) / 1h : -1;  // of that day, in UTC
  };
  const auto use = [&] { return bench.scheduler().use_zones(*bench.zones.find("UTC")); };
  bench.turn_for(50ms);
  REQUIRE(hour("late") == 19);
  REQUIRE(hour("long") == 20);
  REQUIRE(bench.scheduler().run_now(schedule::Kind::task, "long", 0, [](const schedule::Entry&) {}));
  REQUIRE(bench.until([&] { return bench.entry("long", schedule::Kind::task).call != 0; }));

  put("America/New_York");
  CHECK(bench.zones.refresh().changed == std::vector<std::string>{"Europe/Berlin"});
  CHECK(use() == 2);
  CHECK(hour("late") == 25);  // 20:00 at UTC-5
  CHECK(hour("long") == 26);
  CHECK(hour("other") == 20);
  CHECK(use() == 0);
  CHECK(bench.until([&] { return bench.entry("long", schedule::Kind::task).runs == 1; }));
  CHECK(bench.entry("long", schedule::Kind::task).trip.fate == schedule::Fate::finished);

  fs::remove(tzdata + "/Europe/Berlin");
  CHECK(bench.zones.refresh().kept_old == std::vector<std::string>{"Europe/Berlin"});
  CHECK(use() == 0);
  CHECK(hour("late") == 25);
  const schedule::ApplyReport report = bench.apply(set);  // as a reload would
  CHECK(report.kept == 3);
  CHECK(hour("late") == 25);
}

namespace {

std::string task(const std::string& name, const std::string& when) {
  return "[task." + name + "]\nuse = \"chaos.task\"\nmode = \"ok\"\n" + when + "\n";
}

/// Of what is in conf.d there, on a host that does not say its zone.
schedule::CandidateRequest request_in(const Scratch& scratch, schedule::ZoneDatabase& zones) {
  schedule::CandidateRequest request;
  request.config_directory = scratch / "conf.d";
  request.plugin_directories = {std::filesystem::path(RONDA_CHAOS_PLUGIN).parent_path()};
  request.trust_file = scratch / "none";
  request.uid = ::geteuid();
  request.zones = &zones;
  request.localtime = scratch / "nothing";
  return request;
}

}  // namespace

TEST_CASE("a host that does not say its zone gets UTC with a warning where the zone matters, and nowhere else", "[schedule]") {
  const Scratch scratch;
  scratch.write("conf.d/10.toml", task("bare", "at = \"daily\"") + task("named", "at = \"daily UTC\"") +
                                      task("other", "at = \"daily\"\ntz = \"Europe/Berlin\"") + task("never", "every = \"1h\""));
  schedule::ZoneDatabase zones;
  schedule::CandidateRequest request = request_in(scratch, zones);
  const auto warned = [&] {
    const schedule::Candidate candidate = schedule::load_candidate(request);
    CHECK(candidate.set.size() == 4);
    std::vector<std::uint32_t> lines;
    for (const config::Diagnostic& one : candidate.diagnostics.all()) {
      if (one.message.ends_with("does not tell this host's time zone; set tz in [agent]; until then this is UTC"))
        lines.push_back(one.where.line);
    }
    return lines;
  };
  CHECK(warned() == std::vector<std::uint32_t>{4});
  std::filesystem::create_symlink("/usr/share/zoneinfo/Etc/UTC", request.localtime);
  CHECK(warned().empty());
}

TEST_CASE("a date that has passed and a zone that says nothing are warned of", "[schedule]") {
  const Scratch scratch;
  scratch.write("conf.d/10.toml", "[defaults.task]\ntz = \"America/Argentina/Buenos_Aires\"\n" +  // no contradiction: `at` may name another
                                      task("past", "at = \"2020-01-01 00:00 UTC\"") +
                                      task("twice", "at = \"02:30 Europe/Berlin\"\ntz = \"Asia/Tokyo\"") +
                                      task("one", "at = \"02:30\"\ntz = \"Asia/Tokyo\"") + task("usual", "at = \"02:30 UTC\""));
  schedule::ZoneDatabase zones;
  schedule::CandidateRequest request = request_in(scratch, zones);
  request.now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 30);
  const schedule::Candidate candidate = schedule::load_candidate(request);
  CHECK(candidate.set.size() == 4);
  const auto lines_of = [&](const std::string& text) {
    std::vector<std::uint32_t> lines;
    for (const config::Diagnostic& one : candidate.diagnostics.all()) {
      if (one.message == text && one.severity == config::Severity::warning) lines.push_back(one.where.line);
    }
    return lines;
  };
  CHECK(lines_of("the last such date was Wed 2020-01-01 00:00:00 +0000: nothing is due any more") == std::vector<std::uint32_t>{6});
  CHECK(lines_of("`tz` has no effect: `at` names its own zone") == std::vector<std::uint32_t>{11});
}
