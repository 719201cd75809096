// SPDX-License-Identifier: Apache-2.0
#include "sample.hpp"

#include "catch.hpp"

using postgresql::Counters;
using postgresql::decode;
using postgresql::difference;
using postgresql::encode;
using postgresql::Sample;

namespace {

constexpr std::int64_t second = 1000000000;

Sample sample(std::int64_t at, std::string epoch, std::map<std::string, Counters, std::less<>> rows, bool complete = true) {
  return {at * second, std::move(epoch), complete, std::move(rows)};
}

std::string joined(const std::vector<std::string>& pieces) {
  std::string all;
  for (const std::string& piece : pieces) all += piece;
  return all;
}

}  // namespace

TEST_CASE("the difference of two samples is what was counted in between", "[postgresql]") {
  const auto diff = difference(sample(10, "e", {{"a", {5, 7}}, {"gone", {1, 1}}}),
                               sample(40, "e", {{"a", {8, 7}}, {"new", {2, 3}}}));
  CHECK_FALSE(diff.first);
  CHECK_FALSE(diff.reset);
  CHECK(diff.seconds == 30);
  CHECK(diff.rows.at("a") == Counters{3, 0});
  CHECK(diff.rows.at("new") == Counters{2, 3});
  CHECK(diff.rows.count("gone") == 0);
}

TEST_CASE("a row that a cut list may have hidden is not new", "[postgresql]") {
  const auto diff = difference(sample(10, "e", {{"a", {5}}}, false), sample(40, "e", {{"a", {6}}, {"b", {900}}}));
  CHECK(diff.rows.count("b") == 0);
  CHECK(diff.rows.at("a") == Counters{1});
}

TEST_CASE("nothing is compared across a reset of the statistics", "[postgresql]") {
  const Sample before = sample(10, "e", {{"a", {5}}, {"b", {5}}, {"c", {5}}});
  SECTION("the server says so") { CHECK(difference(before, sample(40, "f", {{"a", {9}}})).reset); }
  SECTION("most counters went back, as after a crash") {
    const auto diff = difference(before, sample(40, "e", {{"a", {1}}, {"b", {0}}, {"c", {9}}}));
    CHECK(diff.reset);
    CHECK(diff.rows.empty());
  }
  SECTION("the clock went back") { CHECK(difference(before, sample(5, "e", {{"a", {9}}})).reset); }
  SECTION("one counter of many went back: only that row is left out") {
    const auto diff = difference(before, sample(40, "e", {{"a", {1}}, {"b", {6}}, {"c", {7}}}));
    CHECK_FALSE(diff.reset);
    CHECK(diff.rows.count("a") == 0);
    CHECK(diff.rows.at("c") == Counters{2});
  }
  SECTION("there is no sample yet") { CHECK(difference(std::nullopt, before).first); }
}

TEST_CASE("a sample comes back from its pieces as it was", "[postgresql]") {
  Sample big = sample(77, "2026-01-02 03:04:05+00", {}, false);
  for (std::int64_t i = 0; i < 3000; ++i)
    big.rows.emplace("16384:5:" + std::to_string(i * 1000003), Counters{i, -i, std::int64_t{1} << 62});
  const auto pieces = encode(big, 60000);
  CHECK(pieces.size() > 1);
  for (const std::string& piece : pieces) CHECK(piece.size() <= 60000);
  const auto back = decode(joined(pieces));
  REQUIRE(back);
  CHECK(back->wall_ns == big.wall_ns);
  CHECK(back->epoch == big.epoch);
  CHECK_FALSE(back->complete);
  CHECK(back->rows == big.rows);
}

TEST_CASE("a damaged sample is none", "[postgresql]") {
  const std::string text =
      GENERATE("", "pg1", "pg1 x 1 e\n", "pg2 1 1 e\n", "pg1 1 1 e\na 1 x\n", "pg1 1 1 e\na 99999999999999999999\n");
  CHECK_FALSE(decode(text));
}
