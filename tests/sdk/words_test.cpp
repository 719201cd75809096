// SPDX-License-Identifier: Apache-2.0
// text, percent, ranges, grading and the worst of many: the pure half of plugin.hpp.
#include <ronda/plugin.hpp>

#include <clocale>

#include "catch.hpp"

using namespace std::chrono_literals;

TEST_CASE("text joins what a summary is made of", "[sdk]") {
  CHECK(ronda::text("a", 'b', std::string("c"), std::string_view("d")) == "abcd");
  CHECK(ronda::text(1, " ", -2L, " ", std::uint64_t(18446744073709551615u)) == "1 -2 18446744073709551615");
  CHECK(ronda::text(0.5, " ", 1e9, " ", 1.0 / 3) == "0.5 1e+09 0.333333");
  CHECK(ronda::text(true, false) == "truefalse");
  CHECK(ronda::text(1500ms, " ", 20ms, " ", 7us, " ", 3ns, " ", 0s) == "1.5s 20ms 7us 3ns 0s");
  const char* none = nullptr;
  CHECK(ronda::text(none) == "(null)");
  CHECK(ronda::text() == "");
}

TEST_CASE("numbers for people do not follow the locale", "[sdk]") {
  CHECK(ronda::percent(0.834) == "83.4%");
  CHECK(ronda::percent(1) == "100%");
  CHECK(ronda::percent(0) == "0%");
  CHECK(ronda::human_bytes(1536) == "1.5 KiB");
  CHECK(ronda::human_bytes(12) == "12 B");
  CHECK(ronda::human_bytes(-3.0 * 1024 * 1024) == "-3.0 MiB");
}

TEST_CASE("a range says which values are bad", "[sdk]") {
  struct row {
    const char* text;
    double good, bad;
  };
  auto r = GENERATE(row{"10", 10, 10.5}, row{"10", 0, -1}, row{"10:", 10, 9.9}, row{"~:10", -500, 11},
                    row{"10:20", 15, 21}, row{"@10:20", 9, 10}, row{"-5:-1.5", -2, -1}, row{":3", 3, -1});
  CAPTURE(r.text);
  auto parsed = ronda::range::parse(r.text);
  REQUIRE(parsed);
  CHECK_FALSE(parsed->bad(r.good));
  CHECK(parsed->bad(r.bad));
  auto again = ronda::range::parse(parsed->text());
  REQUIRE(again);
  CHECK(again->low == parsed->low);
  CHECK(again->high == parsed->high);
  CHECK(again->inside == parsed->inside);
}

TEST_CASE("what is no range is refused", "[sdk]") {
  auto wrong = GENERATE("", ":", "@", "x", "1:x", "20:10", "1e5", "1..2", "--1", "1 ", "~");
  CAPTURE(wrong);
  CHECK_FALSE(ronda::range::parse(wrong));
}

TEST_CASE("grade is critical past crit, warning past warn, and turns round for low-is-bad limits", "[sdk]") {
  using ronda::status;
  CHECK(ronda::grade(0.5, 0.8, 0.95).status == status::ok);
  CHECK(ronda::grade(0.8, 0.8, 0.95).status == status::ok);
  CHECK(ronda::grade(0.81, 0.8, 0.95).status == status::warning);
  CHECK(ronda::grade(0.96, 0.8, 0.95).status == status::critical);
  CHECK(ronda::grade(20, 10, 5).status == status::ok);
  CHECK(ronda::grade(7, 10, 5).status == status::warning);
  CHECK(ronda::grade(4, 10, 5).status == status::critical);
  CHECK(ronda::grade(4, {}, {}).status == status::ok);
  CHECK(ronda::grade(4, std::optional<double>(), 3).status == status::critical);
  CHECK(ronda::grade(4, std::nan(""), std::nan("")).status == status::ok);
  CHECK(ronda::grade(std::nan(""), 1, 2).status == status::unknown);
  CHECK(ronda::grade(5, *ronda::range::parse("@4:6"), {}).status == status::warning);
  CHECK(ronda::grade(0.9, 0.8, 0.95, "/ is ", ronda::percent(0.9), " full").summary == "/ is 90% full");
}

TEST_CASE("the worst of many keeps the others as detail", "[sdk]") {
  using namespace ronda;
  CHECK(worst(status::warning, status::unknown) == status::unknown);
  CHECK(worst(status::unknown, status::critical) == status::critical);
  result all = worst({ok("a"), warning("b"), critical("c"), unknown("d")});
  CHECK(all.status == status::critical);
  CHECK(all.summary == "c");
  CHECK(all.detail == "b\nd");
  CHECK(worst(std::vector<result>{}).status == status::unknown);
}

TEST_CASE("each kind has endings of its own type", "[sdk]") {
  static_assert(!std::is_convertible_v<ronda::result, ronda::task_result>);
  static_assert(!std::is_convertible_v<ronda::task_result, ronda::delivery>);
  CHECK(ronda::changed("x").status == ronda::task_status::changed);
  CHECK(ronda::skipped().status == ronda::task_status::skipped);
  CHECK(ronda::retry(5s, "busy").again_after == 5s);
  CHECK(ronda::drop("gone").status == ronda::delivery_status::drop);
  CHECK(ronda::ok("x").with_detail("y").detail == "y");
}
