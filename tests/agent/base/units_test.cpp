// SPDX-License-Identifier: Apache-2.0
#include "base/units.hpp"

#include <limits>

#include "catch.hpp"

using namespace ronda;
using namespace std::chrono_literals;

TEST_CASE("a duration is read back as it is written", "[base]") {
  auto [text, value] = GENERATE(
      table<std::string, Nanos>({{"500ms", 500ms}, {"30s", 30s}, {"1h30m", 90min}, {"2d", 48h}, {"1w", 168h}, {"1m500ms", 60500ms}}));
  REQUIRE(parse_duration(text));
  CHECK(*parse_duration(text) == value);
  CHECK(format_duration(value) == text);
}

TEST_CASE("a duration without a unit is refused with the unit named", "[base]") {
  CHECK(parse_duration("5").error().message() == "\"5\": a duration needs a unit, for example \"5s\"");
  CHECK_FALSE(parse_duration(""));
  CHECK_FALSE(parse_duration("1m1h"));
  CHECK_FALSE(parse_duration("5x"));
  CHECK_FALSE(parse_duration("-5s"));
  CHECK_FALSE(parse_duration("1.5.5s"));
  CHECK_FALSE(parse_duration("99999999999999w"));
  CHECK(*parse_duration("1.5s") == 1500ms);
}

TEST_CASE("sizes know both bases", "[base]") {
  CHECK(*parse_size("10MiB") == 10 * 1024 * 1024);
  CHECK(*parse_size("2GB") == 2'000'000'000);
  CHECK_FALSE(parse_size("10"));
  CHECK_FALSE(parse_size("10 MiB"));
  CHECK(format_size(10 * 1024 * 1024) == "10MiB");
  CHECK(format_size(512) == "512B");
  CHECK(format_size(6304763018308164722) == "5734149TiB");
}

TEST_CASE("a percentage is a ratio", "[base]") {
  CHECK(*parse_percent("80%") == Approx(0.8));
  CHECK_FALSE(parse_percent("80"));
  CHECK(format_percent(0.83) == "83%");
}

TEST_CASE("Nagios ranges alert where the guideline says", "[base]") {
  struct Row {
    std::string range;
    double value;
    bool alerts;
  };
  const auto row = GENERATE(values<Row>({{"10", 10, false},
                                         {"10", 10.5, true},
                                         {"10", -1, true},
                                         {"10:", 9, true},
                                         {"10:", 10, false},
                                         {"~:10", -5, false},
                                         {"~:10", 11, true},
                                         {"10:20", 15, false},
                                         {"10:20", 21, true},
                                         {"@10:20", 10, true},
                                         {"@10:20", 21, false},
                                         {"500ms", 0.6, true},
                                         {"1GiB:", 1e9, true},
                                         {"80%", 0.81, true}}));
  INFO(row.range << " at " << row.value);
  const auto range = parse_range(row.range);
  REQUIRE(range);
  CHECK(range->alerts(row.value) == row.alerts);
}

TEST_CASE("what is no range says so", "[base]") {
  CHECK_FALSE(parse_range(""));
  CHECK_FALSE(parse_range("@"));
  CHECK_FALSE(parse_range("20:10"));
  CHECK_FALSE(parse_range("a:b"));
}

TEST_CASE("a number that no integer holds becomes the nearest one", "[base]") {
  constexpr auto largest = std::numeric_limits<std::int64_t>::max(), least = std::numeric_limits<std::int64_t>::min();
  CHECK(clamp_to_int64(static_cast<double>(largest)) == largest);  // which is 2^63
  CHECK(clamp_to_int64(static_cast<double>(least)) == least);
  CHECK(clamp_to_int64(1e300) == largest);
  CHECK(clamp_to_int64(-1e300) == least);
  CHECK(clamp_to_int64(std::numeric_limits<double>::infinity()) == largest);
  CHECK(clamp_to_int64(std::numeric_limits<double>::quiet_NaN()) == 0);
  CHECK(clamp_to_int64(-2.9) == -2);
  CHECK(clamp_to_int64(9007199254740993.0) == 9007199254740992);
}
