// SPDX-License-Identifier: Apache-2.0
#include "store/health_log.hpp"

#include <catch.hpp>

using namespace ronda::store;
using namespace std::chrono_literals;

TEST_CASE("a change of health is told at once, what is dropped once a minute", "[store]") {
  HealthLog log;
  Health health;
  CHECK(log.tell(health, 0s)->is_well);
  CHECK_FALSE(log.tell(health, 1s));
  health.state = HealthState::failed;
  health.reason = "no disk";
  CHECK(log.tell(health, 2s)->text == "the store is not well: no disk");
  int lines = 0;
  for (auto now = 3s; now < 183s; ++now) {
    ++health.dropped_observed;
    lines += log.tell(health, now) ? 1 : 0;
  }
  CHECK(lines == 3);
  ++health.dropped_observed;
  CHECK(log.tell(health, 200s)->text == "60 results of checks could not be kept, 181 since the start");
  health.state = HealthState::ok;
  health.reason.clear();
  CHECK(log.tell(health, 201s)->text == "the store is well");
}
