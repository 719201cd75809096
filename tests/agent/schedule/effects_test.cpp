// SPDX-License-Identifier: Apache-2.0
// What of a run is kept: what it wrote and took counts with its result, and with nothing else.
#include <algorithm>
#include <catch.hpp>

#include "agent/store/faulty_vfs.hpp"
#include "scheduled.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;

TEST_CASE("state and inbox of a run count with its result and not without", "[schedule]") {
  Scheduled bench;
  std::vector<Configured> set;
  for (const char* after : {"ok", "throw", "segv", "late"}) {
    set.push_back({std::string("kv-") + after, std::string("kv-then-") + after, 0, schedule::Kind::check, 0s,
                   std::string(after) == "late" ? 500ms : 20s});
    set.push_back({std::string("inbox-") + after, std::string("inbox-then-") + after, 0, schedule::Kind::check, 0s,
                   std::string(after) == "late" ? 500ms : 20s});
  }
  bench.begin(set);
  for (const Configured& one : set) {
    INFO(one.name);
    const bool counts = one.name.ends_with("-ok");
    bench.post(one.name, "success");
    const schedule::Entry& entry = bench.run(one.name);
    CHECK((entry.status == plugin::CheckStatus::ok) == counts);
    const bool kv = one.name.starts_with("kv");
    CHECK(bench.kv(one.name).entries.size() == (kv && counts ? 1 : 0));
    CHECK(bench.inbox(one.name).size() == (!kv && counts ? 0 : 1));
  }
}

TEST_CASE("what was committed stays, whatever becomes of the run", "[schedule]") {
  const std::string after = GENERATE("throw", "segv");
  Scheduled bench;
  bench.begin({{"committed", "kv-commit-then-" + after}});
  CHECK(bench.run("committed").status == plugin::CheckStatus::unknown);
  const auto kept = bench.kv("committed").entries;
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].key == "before");
}

TEST_CASE("a batch of a runner that dies before its result is kept as a whole, and the next runner reads it", "[schedule]") {
  Scheduled bench;
  bench.begin({{"batch", "kv-batch-then-die", 20}});
  for (int round = 0; round < 2; ++round) CHECK(bench.run("batch").status == plugin::CheckStatus::unknown);
  bench.apply({{"batch", "kv-look"}});
  CHECK(bench.run("batch").summary == "20 keys, 1 value, 2");
}

TEST_CASE("on a disk that takes no more a commit says to try again, and nothing of it is kept", "[schedule]") {
  store::test::FaultyVfs vfs;
  Scheduled bench(vfs.name());
  bench.begin({{"batch", "kv-batch", 20}});
  CHECK(bench.run("batch").summary == "committed 1");
  std::int64_t last = 1;
  int refused = 0;
  bool full = true;
  for (int nth = 1; full && nth < 100; nth += 5) {  // full from each fifth write on, until that is more than all that are made
    INFO("write " << nth);
    vfs.fail_writes(nth, 1'000'000, SQLITE_FULL);
    const std::string said = bench.run("batch").summary;
    full = vfs.failed();
    vfs.fail_writes(0, 0, SQLITE_OK);
    REQUIRE(bench.until([&] { return bench.store().health().state == store::HealthState::ok; }));
    if (said == "commit: -1 not now")  // RONDA_E_AGAIN
      ++refused;
    else
      CHECK(said == "committed " + std::to_string(++last));
    const auto kept = bench.kv("batch").entries;
    REQUIRE(kept.size() == 20);
    for (const auto& entry : kept) CHECK(entry.value.starts_with(std::to_string(last) + " "));
  }
  CHECK_FALSE(full);
  CHECK(refused >= 2);
  bench.kill();
  bench.begin({{"batch", "kv-look"}});
  CHECK(bench.run("batch").summary == "20 keys, 1 value, " + std::to_string(last));
}

TEST_CASE("a slot is recorded with what its task said", "[schedule]") {
  Scheduled bench;
  bench.begin({{"each-second", "ok", 0, schedule::Kind::task, 0s, 20s, "*-*-* *:*:*"}});
  REQUIRE(bench.until([&] { return bench.entry("each-second", schedule::Kind::task).runs >= 1; }));
  REQUIRE(bench.until(
      [&] { return std::ranges::any_of(bench.slots("each-second"), [](const auto& slot) { return slot.outcome == "changed"; }); }));
}

TEST_CASE("whoever hears of a result decides before the store has let go of what the run took and of its slot", "[schedule]") {
  Scheduled bench;
  std::optional<std::size_t> reports, slots;  // that the store still has for who asks it then: it answers in the order of the questions
  bench.on_result = [&](const schedule::Entry& entry) {
    if (entry.spec.kind == schedule::Kind::check) {
      bench.store().peek_inbox({"check", "job"}, 100, [&](Result<std::vector<store::InboxEvent>> all) { reports = all->size(); });
    } else if (!slots) {
      bench.store().load_started_slots([&](Result<std::vector<store::Slot>> all) { slots = all->size(); });
    }
  };
  bench.begin({{"job", "inbox-then-ok"}, {"each-second", "ok", 0, schedule::Kind::task, 0s, 20s, "*-*-* *:*:*"}});
  bench.post("job", "fail");
  bench.run("job");
  REQUIRE(bench.until([&] { return reports && slots; }));
  CHECK(*reports == 1);
  CHECK(*slots == 1);
  CHECK(bench.inbox("job").empty());
  bench.on_result = nullptr;
}

TEST_CASE("metrics that were dropped are told: in each result, and in the log when it begins", "[schedule]") {
  constexpr std::string_view told = "metrics were dropped: more than 1,000 or 256 KiB of one run, or not finite";
  Scheduled bench;
  bench.begin({{"busy", "metrics", 1500}});
  const auto lines = [&] {
    return std::ranges::count_if(bench.logs, [&](const std::string& line) { return line.find(told) != std::string::npos; });
  };
  for (int run = 0; run < 2; ++run) {
    const schedule::Entry& entry = bench.run("busy");
    CHECK(entry.status == plugin::CheckStatus::ok);
    CHECK(entry.detail.str() == "500 " + std::string(told));
  }
  CHECK(bench.has_log("busy: 500 " + std::string(told)));
  CHECK(lines() == 1);
  bench.apply({{"busy", "metrics", 1000}});
  CHECK(bench.run("busy").detail.str().empty());
  bench.apply({{"busy", "metrics", 1001}});
  CHECK(bench.run("busy").detail.str() == "1 " + std::string(told));
  CHECK(lines() == 2);
}

TEST_CASE("a limit on what may have been dropped is not taken to hold", "[schedule]") {
  Scheduled bench;
  Configured busy{"busy", "metrics-of-one-name", 1500};
  busy.limits.warn.push_back({"same", "2000", *parse_range("2000"), {}});
  bench.begin({busy});
  CHECK(bench.run("busy").status == plugin::CheckStatus::unknown);
  CHECK(bench.entry("busy").grade_reason.str().find("\"same\" has a limit, and may be among those dropped") != std::string::npos);
  busy.n = 1000;
  bench.apply({busy});
  CHECK(bench.run("busy").status == plugin::CheckStatus::ok);
  busy.n = 1500, busy.limits.warn[0] = {"same", "900", *parse_range("900"), {}};  // what is kept breaks it already
  bench.apply({busy});
  CHECK(bench.run("busy").status == plugin::CheckStatus::warning);
}

TEST_CASE("events that a full inbox gave up unread are told once an hour", "[schedule]") {
  Scheduled bench;
  bench.begin({{"nightly"}, {"other"}});
  for (int i = 0; i < 5; ++i) bench.scheduler().tell_full_inbox("nightly");
  bench.scheduler().tell_full_inbox("other");
  CHECK(bench.has_log("nightly: its inbox is full (1000 events), and 1 that it had not read are gone"));
  CHECK(bench.has_log("other: its inbox is full"));
  CHECK(std::ranges::count_if(bench.logs, [](const std::string& line) { return line.find("its inbox is full") != std::string::npos; }) ==
        2);
}
