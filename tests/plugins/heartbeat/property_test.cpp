// SPDX-License-Identifier: Apache-2.0
// Random lives of jobs: what must hold whatever happens.
#include <random>

#include "catch.hpp"
#include "machine.hpp"
#include "timeline.hpp"

using namespace heartbeat;

namespace {

Rules random_rules(std::mt19937& random) {
  Rules rules = random() % 2 == 0 ? calendar_rules(hour) : duration_rules(hour);
  rules.max_run = random() % 2 == 0 ? 20 * minute : 0;
  rules.max_silence = random() % 3 == 0 ? 3 * minute : 0;
  rules.not_more_often = random() % 3 == 0 ? 30 * minute : 0;
  rules.start_within = static_cast<Nanos>(random() % 10) * minute;
  return rules;
}

}  // namespace

TEST_CASE("whatever happens: a slot is missed at most once, and nothing is due in the past", "[heartbeat]") {
  const auto seed = GENERATE(range(1U, 60U));
  std::mt19937 random(seed);
  Life life(random_rules(random));
  constexpr int minutes = 3 * 24 * 60;
  std::uint64_t missed = 0;
  Nanos last_given_up = 0;
  for (int now = 1; now < minutes; ++now) {
    if (random() % 40 == 0)
      life.happens(now, static_cast<Signal>(random() % 5), random() % 5 == 0 ? 1 : 0, "text\n");
    const Judgement judgement = life.look(now);
    REQUIRE((judgement.due == 0 || judgement.due > at_minute(now)));
    REQUIRE(life.state.missed - missed <= 1);  // one slot an hour: never two in a minute
    if (life.state.missed > missed) {
      REQUIRE(life.state.given_up > last_given_up);
      last_given_up = life.state.given_up;
    }
    missed = life.state.missed;
    REQUIRE(life.state.tail.size() <= tail_limit);
    REQUIRE(parse_state(format(life.state)).missed == missed);
  }
  CHECK(missed <= minutes / 60);
}

TEST_CASE("between two looks that were asked for, nothing gets worse", "[heartbeat]") {
  const auto seed = GENERATE(range(100U, 130U));
  std::mt19937 random(seed);
  Life life(random_rules(random));
  double now = 0;
  for (int round = 0; round < 300; ++round) {
    now += 1 + static_cast<double>(random() % 50);
    if (random() % 2 == 0) life.happens(now, static_cast<Signal>(random() % 5));
    const Judgement judgement = life.look(now);
    if (judgement.due == 0) continue;
    State copy = life.state;
    const Judgement before = judge(copy, judgement.due - 1, life.rules);
    CHECK(ronda::severity(before.status) <= ronda::severity(judgement.status));
  }
}

TEST_CASE("a job that runs in time is never late, however long it lives", "[heartbeat]") {
  const auto seed = GENERATE(range(200U, 220U));
  std::mt19937 random(seed);
  Rules rules = calendar_rules(hour);
  rules.max_run = 20 * minute;
  Life life(rules);
  const bool says_start = random() % 2 == 0;
  for (int slot = 1; slot < 24 * 14; ++slot) {
    const double start = slot * 60 + static_cast<double>(random() % 5);
    const double end = start + 1 + static_cast<double>(random() % 19);
    if (says_start) life.happens(start, Signal::start);
    life.happens(end, Signal::success);
    REQUIRE(life.look(end).status == ronda::status::ok);
  }
  CHECK(life.state.missed == 0);
}
