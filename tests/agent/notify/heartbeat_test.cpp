// SPDX-License-Identifier: Apache-2.0
#include "notify/heartbeat.hpp"

#include "agent/notify/support.hpp"
#include "catch.hpp"

using namespace ronda::notify;
using namespace ronda::notify::test;
using Change = Heartbeat::Change;

TEST_CASE("a beat leaves every minute while the agent is fit, and none while it is not", "[notify]") {
  Heartbeat heart;
  int beats = 0;
  for (int second = 0; second < 600; ++second) {
    const std::int64_t now = noon + second * second_ns;
    const bool fit = second < 300;
    if (!heart.tick(now, fit)) continue;
    ++beats;
    CHECK(fit);
    heart.on_result(delivered(), now);
  }
  CHECK(beats == 5);
  CHECK(heart.last_arrived() == noon + 240 * second_ns);
}

TEST_CASE("the loss of the way of the heartbeat shows after three beats, and its return at once", "[notify]") {
  Heartbeat heart;
  std::vector<Change> changes;
  for (int minute = 0; minute < 8; ++minute) {
    const std::int64_t now = noon + minute * minute_ns;
    REQUIRE(heart.tick(now, true));
    changes.push_back(heart.on_result(minute < 5 ? retry("refused") : delivered(), now));
  }
  CHECK(changes == std::vector<Change>{Change::none, Change::none, Change::lost, Change::none, Change::none, Change::back, Change::none,
                                       Change::none});
  CHECK(heart.missed() == 0);
}

TEST_CASE("a beat that does not come back is not sent twice, and a clock set back stops nothing", "[notify]") {
  Heartbeat heart;
  REQUIRE(heart.tick(noon, true));
  CHECK_FALSE(heart.tick(noon + minute_ns, true));
  heart.on_result(retry("timeout"), noon + minute_ns);
  CHECK(heart.last_error() == "timeout");
  CHECK(heart.tick(noon - hour_ns, true));
}
