// SPDX-License-Identifier: Apache-2.0
#include "time.hpp"

#include <sys/timex.h>

#include "under_test.hpp"

using namespace host;
using ronda::status;

namespace {

constexpr std::int64_t now_s = 1'767'225'600;

ClockLimits limits() {
  return {true, 0.1, 1.0, 0.5};
}

ClockState clock_state(bool synchronised, double offset_s) {
  return {synchronised, offset_s, 0.02};
}

}  // namespace

TEST_CASE("the kernel's clock is graded", "[host]") {
  CHECK(judge_clock(clock_state(true, 0.004), std::nullopt, now_s, limits()).text ==
        "synchronised, offset 4ms, at most 20ms wrong");
  CHECK(judge_clock(clock_state(true, -0.2), std::nullopt, now_s, limits()).level == status::warning);
  CHECK(judge_clock(clock_state(true, 2), std::nullopt, now_s, limits()).level == status::critical);
  CHECK(judge_clock(clock_state(false, 0), std::nullopt, now_s, limits()).level == status::warning);
  CHECK(judge_clock(clock_state(true, 0), std::nullopt, 5000, limits()).level == status::critical);
  CHECK(judge_clock(clock_state(true, 0), 600.0, now_s, limits()).level == status::ok);
  CHECK(judge_clock(clock_state(true, 0), -3.0, now_s, limits()).text ==
        "synchronised, offset 0ms, at most 20ms wrong, it was set back by 3000ms since the last run");
}

TEST_CASE("micro- and nanoseconds of the kernel are told apart", "[host]") {
  timex t{};
  t.offset = 5000;
  t.maxerror = 16'000'000;
  CHECK(read_timex(t, TIME_OK).offset_s == Approx(0.005));
  CHECK(read_timex(t, TIME_OK).max_error_s == Approx(16));
  CHECK(read_timex(t, TIME_OK).synchronised);
  CHECK_FALSE(read_timex(t, TIME_ERROR).synchronised);
  t.status = STA_NANO | STA_UNSYNC;
  CHECK(read_timex(t, TIME_OK).offset_s == Approx(0.000005));
  CHECK_FALSE(read_timex(t, TIME_OK).synchronised);
}

TEST_CASE("a step is the wall clock against the monotonic one, within one boot", "[host]") {
  const ClockMark before{"b", 1000, 500};
  CHECK(*step_between(before, {"b", 1'000'000'000 + 1000, 500}) == Approx(1.0));
  CHECK(*step_between(before, {"b", 1000, 2'000'000'000 + 500}) == Approx(-2.0));
  CHECK_FALSE(step_between(before, {"other", 1000, 500}));
  CHECK_FALSE(step_between(before, {"b", 1000, 400}));
  CHECK(parse_mark(format(before))->wall_ns == 1000);
  CHECK_FALSE(parse_mark("x y"));
}

TEST_CASE("a clock that was set back between two runs is told", "[host]") {
  UnderTest<Time> check;
  check.set("synchronised", false);
  CHECK(check.run().find("step") == nullptr);
  check.host.advance(std::chrono::minutes(1));
  CHECK_THAT(check.run(), HasMetric("step", 0));
  check.host.set_wall(check.host.wall() - std::chrono::seconds(10));
  CHECK_THAT(check.run(), Ended(status::warning, "it was set back by 10000ms since the last run"));
}
