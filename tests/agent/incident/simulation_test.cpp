// SPDX-License-Identifier: Apache-2.0
#include "simulation.hpp"

#include <iostream>

#include "catch.hpp"
#include "shrink.hpp"

using namespace ronda;
using namespace ronda::incident;

namespace {

std::optional<std::string> broken(const std::vector<Move>& moves, Fault fault) {
  return Simulation(fault).run(moves);
}

/// What a failing seed tells: the smallest list of moves that fails, and why.
std::string story(std::uint64_t seed, const std::vector<Move>& moves, const std::string& why, Fault fault) {
  const auto small = shrink(moves, [&](const std::vector<Move>& part) { return broken(part, fault).has_value(); });
  std::string out = "seed " + std::to_string(seed) + ": " + why + "\nsmallest part of its moves, " + std::to_string(small.size()) + ": " +
                    broken(small, fault).value_or("holds") + "\n";
  for (const Move& move : small) out += "  " + to_text(move) + "\n";
  return out;
}

}  // namespace

TEST_CASE("in five hundred worlds from seeds all that must always hold does", "[incident]") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const auto moves = random_moves(seed, 300, (seed % 4 == 0 ? 4 * hour_ns : 5 * minute_ns));
    if (const auto why = broken(moves, Fault::none)) FAIL(story(seed, moves, *why, Fault::none));
  }
}

TEST_CASE("a year of random inputs holds too, and everything that there is happens in it", "[incident]") {
  const auto moves = random_moves(2026, 20000, 36 * minute_ns);
  Simulation world;
  const auto why = world.run(moves);
  if (why) FAIL(story(2026, moves, *why, Fault::none));
  CHECK(world.now() - 1'796'000'000 * second_ns > 365 * day_ns);
  CHECK(world.opened() > 500);
  for (auto kind = static_cast<std::size_t>(Kind::opened); kind <= static_cast<std::size_t>(Kind::refused); ++kind) {
    const std::string name(kind_name(static_cast<Kind>(kind)));
    if (name == "diagnosis") continue;  // nobody runs one here
    INFO(name);
    CHECK(world.kinds().contains(name));
  }
}

TEST_CASE("an event that is lost is found, and of what is left of its moves none can be left out", "[incident]") {
  const auto fails = [](const std::vector<Move>& part) { return broken(part, Fault::lost_event).has_value(); };
  const auto moves = random_moves(7, 2000, 5 * minute_ns);
  REQUIRE(fails(moves));
  const auto small = shrink(moves, fails);
  CHECK(small.size() <= 20);
  CHECK(fails(small));
  CHECK_FALSE(broken(small, Fault::none));
  for (std::size_t i = 0; i < small.size(); ++i) {
    std::vector<Move> without = small;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK_FALSE(fails(without));
  }
}

TEST_CASE("a page after an ack is found", "[incident]") {
  bool found = false;
  for (std::uint64_t seed = 1; seed < 20 && !found; ++seed)
    found = broken(random_moves(seed, 300, 5 * minute_ns), Fault::page_after_ack).has_value();
  CHECK(found);
}

TEST_CASE("the same seed is the same world", "[incident]") {
  Simulation a, b;
  const auto moves = random_moves(11, 1000, 10 * minute_ns);
  CHECK_FALSE(a.run(moves));
  CHECK_FALSE(b.run(moves));
  CHECK(a.events() == b.events());
  CHECK(a.stored() == b.stored());
  CHECK(a.pages() == b.pages());
}
