// SPDX-License-Identifier: Apache-2.0
// State that one version of a plugin kept, in the hands of the next.
#include <algorithm>
#include <catch.hpp>

#include "ronda/abi.h"
#include "scheduled.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

void use_counter(Scheduled& bench, std::uint32_t version, const std::string& hash) {
  bench.plugin = {"org.ronda.counter", std::to_string(version) + ".0.0", hash, version, 4, false, true};
  bench.object = version == 1 ? RONDA_COUNTER_V1 : RONDA_COUNTER_V2;
}

std::vector<std::string> keys_of(Scheduled& bench, const std::string& name) {
  std::vector<std::string> out;
  for (const auto& entry : bench.kv(name).entries) out.push_back(entry.key);
  return out;
}

/// A set whose first version has run twice.
void count_to_two(Scheduled& bench, const std::string& mode = "") {
  use_counter(bench, 1, "one");
  bench.begin({{"counts", mode}});
  bench.run("counts");
  REQUIRE(bench.run("counts").summary == "count 2");
  REQUIRE(bench.until([&] { return bench.kv("counts").entries.size() == 1; }));
}

}  // namespace

TEST_CASE("state of version 1 is handed to version 2 before its first run", "[schedule]") {
  Scheduled bench;
  count_to_two(bench);
  SECTION("at a reload") {
    use_counter(bench, 2, "two");
    CHECK(bench.apply({{"counts", ""}}).replaced == 1);
  }
  SECTION("at a start") {
    bench.kill();
    use_counter(bench, 2, "two");
    bench.begin({{"counts", ""}});
  }
  SECTION("after it left the configuration and came back") {
    bench.apply({});
    use_counter(bench, 2, "two");
    bench.apply({{"counts", ""}});
  }
  CHECK(bench.run("counts").summary == "total 3");
  CHECK(bench.run("counts").summary == "total 4");  // and only once
  CHECK(keys_of(bench, "counts") == std::vector<std::string>{"total"});
  CHECK(bench.kv("counts").state_version == 2);
  bench.kill();
  bench.begin({{"counts", ""}});
  CHECK(bench.run("counts").summary == "total 5");
}

TEST_CASE("a dry run with new code keeps what that made of the state, and nothing of the run", "[schedule]") {
  const std::string mode = GENERATE("", "commits");
  CAPTURE(mode);
  Scheduled bench;
  count_to_two(bench, mode);
  use_counter(bench, 2, "two");
  bench.apply({{"counts", mode}});
  std::string told;
  REQUIRE(bench.scheduler().run_now(schedule::Kind::check, "counts", RONDA_CALL_DRY_RUN,
                                    [&](const schedule::Entry& entry) { told = entry.summary; }));
  REQUIRE(bench.until([&] { return !told.empty(); }));
  CHECK(told == "total 3");
  CHECK(bench.kv("counts").state_version == 2);
  CHECK(keys_of(bench, "counts") == std::vector<std::string>{"total"});
  CHECK(bench.run("counts").summary == "total 3");
  CHECK(bench.run("counts").summary == "total 4");
  bench.kill();
  bench.begin({{"counts", mode}});
  CHECK(bench.run("counts").summary == "total 5");
}

TEST_CASE("state that is not taken over stays as it is, and the instance is disabled", "[schedule]") {
  const std::string mode = GENERATE("refuse", "refuse-late");
  Scheduled bench;
  count_to_two(bench, mode);
  bench.kill();
  use_counter(bench, 2, "two");
  std::vector<Configured> set{{"counts", mode}};
  set[0].every = 200ms;
  bench.begin(set);
  REQUIRE(bench.until([&] { return !bench.scheduler().why_disabled(bench.entry("counts")).empty(); }));
  const std::string why(bench.scheduler().why_disabled(bench.entry("counts")));
  CHECK(why.find("its state of version 1 is not taken over by version 2: ") == 0);
  CHECK(bench.entry("counts").status == plugin::CheckStatus::unknown);
  CHECK_FALSE(bench.entry("counts").trip.begun);
  CHECK(keys_of(bench, "counts") == std::vector<std::string>{"count"});
  CHECK(bench.kv("counts").state_version == 1);
  // it is due again and again, and not run
  REQUIRE(bench.until([&] { return bench.entry("counts").skip == schedule::Skip::disabled; }));
  CHECK(bench.entry("counts").runs == 1);

  SECTION("the old version goes on with it") {
    use_counter(bench, 1, "one");
    bench.apply({{"counts", mode}});
    CHECK(bench.scheduler().why_disabled(bench.entry("counts")).empty());
    CHECK(bench.run("counts").summary == "count 3");
  }
  SECTION("a version that takes it goes on with it") {
    use_counter(bench, 2, "three");
    bench.apply({{"counts", ""}});
    CHECK(bench.run("counts").summary == "total 3");
  }
}

TEST_CASE("state of a newer version is not given to older code", "[schedule]") {
  Scheduled bench;
  use_counter(bench, 2, "two");
  bench.begin({{"counts", ""}});
  REQUIRE(bench.run("counts").summary == "total 1");
  bench.kill();
  use_counter(bench, 1, "one");
  bench.begin({{"counts", ""}});
  CHECK(bench.run("counts").summary == "its state of version 2 is not taken over by version 1: it is newer");
  CHECK(keys_of(bench, "counts") == std::vector<std::string>{"total"});
}

TEST_CASE("where nothing was kept there is nothing to take over", "[schedule]") {
  Scheduled bench;
  use_counter(bench, 1, "one");
  bench.begin({{"counts", "refuse"}});
  use_counter(bench, 2, "two");
  bench.apply({{"counts", "refuse"}});
  CHECK(bench.run("counts").summary == "total 1");
}
