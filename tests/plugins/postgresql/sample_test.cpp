// SPDX-License-Identifier: Apache-2.0
#include "sample.hpp"

#include <limits>
#include <ronda/testing.hpp>

#include "catch.hpp"

using postgresql::Counters;
using postgresql::decode;
using postgresql::difference;
using postgresql::encode;
using postgresql::load_sample;
using postgresql::Sample;
using postgresql::save_sample;

namespace {

constexpr std::int64_t second = 1000000000;

Sample sample(std::int64_t at, std::string epoch, std::map<std::string, Counters, std::less<>> rows, bool complete = true) {
  return {at * second, std::move(epoch), complete, std::move(rows)};
}

/// A check that takes one sample a run, of as many statements as it is told.
class Keeps : public ronda::check {
 public:
  ronda::result run(ronda::call&) override {
    Sample now = sample(clock().wall().time_since_epoch().count() / second, "e", {});
    const std::int64_t base = wide_ ? std::int64_t{1} << 62 : 1000000;
    for (std::int64_t i = 0; i < statements_; ++i) {
      const std::int64_t id = (i % 2 == 0 ? 1 : -1) * (std::numeric_limits<std::int64_t>::max() - i);
      const std::string role = std::to_string(wide_ ? 4294000000 + i : 16384 + i % 3);  // in the worst case one for each
      now.rows.emplace(role + ":16385:" + std::to_string(id), Counters{base + i, base * (wide_ ? 1 : 1000) + i, base + 1});
    }
    const auto before = load_sample(kv());
    if (auto refused = save_sample(kv(), now)) return *std::move(refused);
    return ronda::ok(before ? before->rows == now.rows ? "as before" : "other" : "nothing");
  }

 private:
  std::int64_t statements_ = ronda::cfg<std::int64_t>("statements");
  bool wide_ = ronda::cfg<bool>("wide");
};

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
  for (const char* key : {"", "0", "-0", "00", "a", "a:", "a:b", ":7", "a:+7", "a:-7", "99999999999999999999", "-9223372036854775808"})
    big.rows.emplace(key, Counters{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), 0});
  big.rows.emplace("none", Counters{});
  const auto pieces = encode(big, 20000);
  CHECK(pieces.size() > 1);
  for (const std::string& piece : pieces) CHECK(piece.size() <= 20000);
  const auto back = decode(pieces);
  REQUIRE(back);
  CHECK(back->wall_ns == big.wall_ns);
  CHECK(back->epoch == big.epoch);
  CHECK_FALSE(back->complete);
  CHECK(back->rows == big.rows);
}

TEST_CASE("a damaged sample is none", "[postgresql]") {
  const auto pieces = encode(sample(1, "e", {{"5:1", {1, 300}}, {"5:2", {2}}, {"other", {3}}}), 20);
  REQUIRE(pieces.size() > 1);
  REQUIRE(decode(pieces));
  CHECK_FALSE(decode({}));
  CHECK_FALSE(decode({""}));
  CHECK_FALSE(decode({"pg1 1 1 e\n"}));
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    auto cut = pieces;
    for (cut[i].pop_back(); !cut[i].empty(); cut[i].pop_back())
      if (const auto rest = decode(cut)) CHECK(rest->rows.size() < 3);  // whole rows are gone, no half of one is there
  }
  auto of_two = pieces;
  of_two[1] = encode(sample(2, "e", {{"5:1", {1, 300}}, {"5:2", {2}}, {"other", {3}}}), 20)[1];
  CHECK_FALSE(decode(of_two));
}

TEST_CASE("a sample of 10,000 statements is kept from run to run, however large its numbers are", "[postgresql]") {
  const bool wide = GENERATE(false, true);
  CAPTURE(wide);
  ronda::testing::host side;
  side.set("statements", 10000).set("wide", wide);
  auto check = ronda::testing::make<Keeps>(side);
  REQUIRE(check.run().summary == "nothing");
  CHECK(check.run().summary == "as before");
  std::size_t bytes = 0;
  for (const auto& [key, piece] : side.kept()) bytes += key.size() + piece.size();
  CHECK(bytes < (std::size_t{1} << 20));
  CHECK(side.broken().empty());
}

TEST_CASE("a sample that cannot be kept is unknown with the remedy, and not a first one for ever", "[postgresql]") {
  ronda::testing::host side;
  SECTION("it is too large") {
    side.set("statements", 60000).set("wide", true);
    auto check = ronda::testing::make<Keeps>(side);
    for (int run = 0; run < 2; ++run) {
      const auto done = check.run();
      CHECK(done.is(ronda::status::unknown));
      CHECK(done.summary.find("more than a check may keep: have it compare less, with a lower max_statements") != std::string::npos);
    }
  }
  SECTION("it may not keep anything") {
    side.set("statements", 10).set("wide", false).deny(RONDA_SERVICE_KV);
    auto check = ronda::testing::make<Keeps>(side);
    const auto done = check.run();
    CHECK(done.is(ronda::status::unknown));
    CHECK(done.summary.find("the plugin needs the grant \"state\" in trust.toml") != std::string::npos);
  }
}

TEST_CASE("a shorter sample leaves nothing of a longer one", "[postgresql]") {
  ronda::testing::host side;
  side.set("statements", 10000).set("wide", true);
  ronda::testing::make<Keeps>(side).run();
  CHECK(side.kept().size() > 5);
  side.set("statements", 10);
  auto check = ronda::testing::make<Keeps>(side);
  CHECK(check.run().summary == "other");
  CHECK(side.kept().size() == 2);
}
