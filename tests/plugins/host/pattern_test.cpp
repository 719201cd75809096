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
  CHECK_THROWS_WITH(Pattern("(a)\\1"), "a pattern cannot refer back (\\1)");
  CHECK_THROWS_WITH(Pattern("(((a{1,50}){1,50}){1,50})"),
                    "the repeats of the pattern multiply to more than 10000");
  CHECK_THROWS_WITH(Pattern(std::string(1001, 'a')), "a pattern has at most 1000 bytes");
  CHECK_THROWS_WITH(Pattern("(a"), Catch::Contains("pattern '(a': "));
}

TEST_CASE("a pattern that ruins a backtracking matcher is matched in time", "[host]") {
  const Pattern pattern("^(a+)+$");
  const std::string line = std::string(4000, 'a') + "b";
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(pattern.found_in(line));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
}
