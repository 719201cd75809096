// SPDX-License-Identifier: Apache-2.0
#include "load.hpp"
#include "memory.hpp"
#include "under_test.hpp"

using namespace host;
using ronda::status;

TEST_CASE("memory of this host is measured and graded", "[host]") {
  UnderTest<Memory> check;
  check.set("warn_at", 1.0).set("crit_at", 1.0).set("stall_warn_at", 1.0).set("stall_crit_at", 1.0);
  const auto report = check.run();
  CHECK_THAT(report, Ended(status::ok, "memory is "));
  REQUIRE(report.find("used") != nullptr);
  CHECK(report.find("used")->value > 0);
  CHECK(report.find("used")->value < 1);
  check.restart();
  CHECK_THAT(check.set("warn_at", 0.0).run(), Ended(status::warning));
}

TEST_CASE("kills by the kernel count from the run before, and from zero after a boot", "[host]") {
  UnderTest<Memory> check;
  check.set("warn_at", 1.0).set("crit_at", 1.0).set("stall_warn_at", 1.0).set("stall_crit_at", 1.0);
  const auto first = check.run();
  const auto* kills = first.find("oom_kills");
  if (kills == nullptr) return skipped("oom-kills", "this kernel does not count kills");
  CHECK_THAT(first, Ended(status::ok));
  CHECK(kills->counter);
  check.host.keep("oom_kills", std::to_string(static_cast<long>(kills->value) - 2));
  CHECK_THAT(check.run(), Ended(status::critical, "the kernel killed 2 processes for lack of memory since the last run"));
  CHECK_THAT(check.run(), Ended(status::ok));
  check.host.keep("oom_kills", "1000000");
  const auto after_boot = check.run();
  CHECK(after_boot.is(kills->value > 0 ? status::critical : status::ok));
}

TEST_CASE("a control group that is not there is unknown, with its name as data", "[host]") {
  UnderTest<Memory> check;
  CHECK_THAT(check.set("cgroup", "/no/such\x1B").run(),
             Ended(status::unknown, "control group /no/such\\x1b has no memory controller or does not exist"));
}

TEST_CASE("load is graded per processor", "[host]") {
  UnderTest<Load> check;
  check.set("warn_at", 1e6).set("crit_at", 1e6).set("stall_warn_at", 1.0).set("stall_crit_at", 1.0);
  const auto report = check.run();
  CHECK_THAT(report, Ended(status::ok, " processor"));
  REQUIRE(report.find("load5_per_cpu") != nullptr);
  CHECK(report.find("load5_per_cpu")->warn == "~:1000000");
}
