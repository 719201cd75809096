// SPDX-License-Identifier: Apache-2.0
#include "pattern.hpp"

#include <chrono>
#include <stdexcept>

#include "catch.hpp"

using namespace host;

TEST_CASE("a pattern matches anywhere in any bytes", "[host]") {
  const Pattern pattern("ERR(OR)?|FATAL$");
  CHECK(pattern.found_in("x ERROR y"));
  CHECK(pattern.found_in(std::string_view("\0\xFF ERR", 6)));
  CHECK(pattern.found_in("it is FATAL"));
  CHECK_FALSE(pattern.found_in("FATAL no"));
  CHECK_FALSE(pattern.found_in(""));
  CHECK_FALSE(Pattern().found_in("anything"));
}

TEST_CASE("a match does not look past the end of the line", "[host]") {
  const std::string buffer = "no match here|ERROR";
  CHECK_FALSE(Pattern("ERROR").found_in(std::string_view(buffer).substr(0, 13)));
}

TEST_CASE("dear and wrong patterns are refused with the reason", "[host]") {
  CHECK_THROWS_WITH(Pattern("(a)\\1"), "pattern '(a)\\1': back-references such as \\1 are not supported");
  CHECK_THROWS_WITH(Pattern("(((a{1,50}){1,50}){1,50})"), Catch::Contains("invalid repetition size"));
  CHECK_THROWS_WITH(Pattern("((a|b){1,255}){3}"), Catch::Contains("it is too large once its repeats are written out"));
  CHECK_THROWS_WITH(Pattern(std::string(1001, 'a')), Catch::Contains("it is longer than 1000 bytes"));
  CHECK_THROWS_WITH(Pattern("(a"), "pattern '(a': missing ): (a");
}

TEST_CASE("a pattern that ruins other matchers takes one pass", "[host]") {
  const std::string expression = GENERATE(as<std::string>(), "^(a+)+$", "(a+)+$", "a[a-z]*y", "a.*a.*a.*ay");
  const Pattern pattern(expression);
  const std::string line = std::string(1 << 20, 'a') + "b";  // sixteen times the longest line that host.log takes
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(pattern.found_in(line));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
}
