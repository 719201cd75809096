// SPDX-License-Identifier: Apache-2.0
#include "schedule/idle.hpp"

#include "catch.hpp"

using namespace ronda::schedule;
using namespace std::chrono_literals;

TEST_CASE("a runner is idle after twice the longest interval of its instances, and never within a minute", "[schedule]") {
  CHECK(idle_limit(0ns) == 60s);  // nothing of it has an interval
  CHECK(idle_limit(1ns) == 60s);
  CHECK(idle_limit(10s) == 60s);
  CHECK(idle_limit(30s) == 60s);
  CHECK(idle_limit(30s + 1ns) == 60s + 2ns);
  CHECK(idle_limit(60s) == 120s);
  CHECK(idle_limit(1h) == 2h);
  CHECK(idle_limit(24h) == 48h);
  CHECK(idle_limit(std::chrono::nanoseconds::max()) > 24h * 365 * 200);
  // whatever is run each interval is run again before its runner would leave
  for (std::chrono::nanoseconds every = 1s; every < 24h * 400; every += every / 3) CHECK(idle_limit(every) >= 2 * every);
}
