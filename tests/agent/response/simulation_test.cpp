// SPDX-License-Identifier: Apache-2.0
// Worlds from seeds around the real response part. RONDA_SEED=N runs that world alone; a world in which something is broken
// prints its seed and the smallest part of its moves that still breaks it.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>

#include "catch.hpp"
#include "shrink.hpp"
#include "simulation/estate.hpp"
#include "simulation/world.hpp"

using namespace ronda;
using namespace ronda::sim;

namespace {

constexpr std::size_t moves_of_a_world = 60;

std::optional<std::string> broken(const std::vector<Move>& moves, Fault fault = Fault::none) {
  return World(fault).run(moves);
}

/// Which promise is broken, whoever it is about: a part of the moves must break the same.
std::string promise_of(const std::string& why) {
  std::string out = why.substr(0, why.find(':'));
  std::erase_if(out, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
  return out.substr(0, out.find(" (at"));
}

std::vector<Move> smallest(const std::vector<Move>& moves, const std::string& why, Fault fault, std::size_t tries) {
  return shrink(
      moves,
      [&](const std::vector<Move>& part) {
        const auto other = broken(part, fault);
        return other && promise_of(*other) == promise_of(why);
      },
      tries);
}

/// What a failing seed tells.
std::string story(std::uint64_t seed, const std::vector<Move>& moves, const std::string& why, Fault fault = Fault::none) {
  const auto small = smallest(moves, why, fault, 600);
  std::string out = "seed " + std::to_string(seed) + ": " + why + "\nthe smallest part of its moves, " + std::to_string(small.size()) +
                    ": " + broken(small, fault).value_or("holds") + "\n";
  for (const Move& move : small) out += "  " + to_text(move) + "\n";
  World again(fault);
  std::ignore = again.run(small);
  const auto& diary = again.judge().diary();
  out += "its last lines:\n";
  for (std::size_t i = diary.size() - std::min<std::size_t>(diary.size(), 60); i < diary.size(); ++i) out += "  " + diary[i] + "\n";
  return out + "once more: RONDA_SEED=" + std::to_string(seed) + " test_response_simulation\n";
}

struct Sum {
  std::size_t worlds = 0, messages = 0, received = 0, lives = 0, replies = 0;
  std::int64_t passed_ns = 0;
  std::map<std::string, std::size_t> kinds;
};

void run_world(std::uint64_t seed, Sum& sum) {
  const auto moves = random_moves(seed, moves_of_a_world);
  World world;
  if (const auto why = world.run(moves)) {
    std::cout << story(seed, moves, *why) << std::flush;  // not by Catch, which would break its lines
    FAIL("seed " << seed << ": " << *why);
  }
  ++sum.worlds;
  sum.messages += world.judge().messages();
  sum.received += world.judge().received();
  sum.lives += world.lives();
  sum.replies += world.told();
  sum.passed_ns += world.passed_ns();
  for (const auto& [kind, count] : world.judge().kinds()) sum.kinds[kind] += count;
}

void print(const Sum& sum) {
  std::cout << sum.worlds << " worlds, " << sum.passed_ns / 3'600'000'000'000 << " hours, " << sum.lives << " lives, " << sum.messages
            << " messages, " << sum.received << " of them arrived, " << sum.replies << " replies to people\n";
}

std::optional<std::uint64_t> wanted_seed() {
  const char* text = std::getenv("RONDA_SEED");
  return text == nullptr || *text == '\0' ? std::nullopt : std::optional<std::uint64_t>(std::strtoull(text, nullptr, 10));
}

}  // namespace

TEST_CASE("in worlds from seeds what the agent promises holds after everything that happens", "[response]") {
  Sum sum;
  if (const auto seed = wanted_seed()) {
    run_world(*seed, sum);
    return print(sum);
  }
  for (std::uint64_t seed = 1; seed <= 200; ++seed) run_world(seed, sum);
  run_world(1'562'560'950, sum);  // a reload brings a step that was due before what it was for was over
  run_world(3'969'048'045, sum);  // what comes and goes is given back while it is still
  print(sum);
  // they are no empty worlds
  CHECK(sum.messages > 10 * sum.worlds);
  CHECK(sum.received > 5 * sum.worlds);
  CHECK(sum.replies > 3 * sum.worlds);
  CHECK(sum.kinds["clock_set"] > sum.worlds);
}

TEST_CASE("in worlds from seeds that nobody has seen what the agent promises holds", "[.long]") {
  const std::uint64_t first = wanted_seed().value_or(std::random_device()());
  std::cout << "seeds from " << first << " on" << std::endl;
  Sum sum;
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; sum.worlds < 500 || std::chrono::steady_clock::now() - began < std::chrono::seconds(60); ++seed)
    run_world(seed, sum);
  print(sum);
}

/// What people are told, and when, in a world whose clock is set forward by so many days, again and again. Without what the clock on
/// the wall decides (windows, and who stands in until when), and where disk and notifiers are well: what is lost is not known, and
/// retries have their jitter by the ids of messages.
std::vector<std::string> told_where_the_clock_is_set(std::uint64_t seed, std::uint32_t days) {
  using What = Move::What;
  std::vector<Move> moves;
  for (const Move& move : random_moves(seed, moves_of_a_world)) {
    const bool is_check = move.what == What::status || move.what == What::flap;
    const bool is_hidden_by_window = is_check && std::string_view(check_names[move.a % check_names.size()]) == "disk";
    const bool is_of_wall = move.what == What::clock || move.what == What::stand_in || move.what == What::maintain;
    if (is_hidden_by_window || is_of_wall || move.what == What::disk || move.what == What::sink) continue;
    moves.push_back(move);
    if (moves.size() % 4 != 0) continue;
    moves.push_back({What::clock, 1, 1, days, 6});
    moves.push_back({What::retry, 610, 0, 0, 0});  // it is believed before the agent is killed
  }
  World world;
  if (const auto why = world.run(moves)) FAIL("seed " << seed << ", by " << days << " d: " << *why);
  std::vector<std::string> out;
  for (const std::string& line : world.judge().diary()) {
    const std::size_t decided = line.find(" decided ");
    if (decided == std::string::npos || line.find("window/") != std::string::npos) continue;
    const std::size_t id = decided + std::string_view(" decided ").size();
    out.push_back(line.substr(0, id) + line.substr(line.find(' ', id) + 1));
  }
  return out;
}

TEST_CASE("who is told, and when, is the same where the wall clock is set forward by two and by three days", "[response]") {
  std::size_t lines = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    const auto told = told_where_the_clock_is_set(seed, 2);
    lines += told.size();
    CHECK(told_where_the_clock_is_set(seed, 3) == told);
  }
  CHECK(lines > 20 * 10);
}

TEST_CASE("the same seed is the same world", "[response]") {
  const auto moves = random_moves(7, moves_of_a_world);
  // each event and message, and what was handed over, in order; one world after the other, for they share their clock
  const auto diary = [&] {
    World world;
    REQUIRE_FALSE(world.run(moves));
    std::vector<std::string> out = world.judge().diary();
    out.push_back(std::to_string(world.passed_ns()));
    return out;
  };
  const auto first = diary(), second = diary();
  CHECK(first.size() > 10 * moves_of_a_world);
  for (std::size_t i = 0; i < std::min(first.size(), second.size()); ++i) {
    INFO("line " << i);
    REQUIRE(second[i] == first[i]);
  }
  CHECK(second.size() == first.size());
}

TEST_CASE("what is planted in worlds is found, and its moves are made few", "[response]") {
  const auto fault = static_cast<Fault>(GENERATE(range(1, faults)));
  INFO(fault_name(fault));
  std::uint64_t seed = 1;
  std::vector<Move> moves;
  std::optional<std::string> why;
  for (; seed <= 80 && !why; ++seed) {
    moves = random_moves(seed, moves_of_a_world);
    why = broken(moves, fault);
  }
  REQUIRE(why);
  const auto small = smallest(moves, *why, fault, 100);
  std::cout << fault_name(fault) << ": seed " << seed - 1 << ", " << small.size() << " moves, " << *broken(small, fault) << "\n";
  CHECK(small.size() < moves.size() / 2);
  CHECK(broken(small).value_or("") == "");
}
