// SPDX-License-Identifier: Apache-2.0
#include "moves.hpp"

#include <array>
#include <random>

namespace ronda::sim {
namespace {

constexpr std::array<const char*, move_kinds> names = {"status",  "flap", "say",  "silence", "expire", "maintain", "end_maintenance", "stand_in",
                                                       "inbound", "sink", "disk", "clock",   "reload", "stop",     "kill",            "retry"};
/// Of a hundred.
constexpr std::array<std::uint64_t, move_kinds> weights = {30, 5, 22, 5, 2, 3, 1, 2, 5, 9, 5, 2, 2, 2, 4, 1};

Move::What what_of(std::uint64_t dice) {
  for (std::size_t i = 0; i < move_kinds; ++i) {
    if (dice < weights[i]) return static_cast<Move::What>(i);
    dice -= weights[i];
  }
  return Move::What::status;
}

std::int64_t gap_of(std::uint64_t dice) {
  if (dice % 4 == 0) return 0;
  return static_cast<std::int64_t>(dice / 4 % (dice % 4 == 1 ? 1800 : 120));
}

}  // namespace

std::string to_text(const Move& move) {
  return "after " + std::to_string(move.after_s) + "s " + names[static_cast<std::size_t>(move.what)] + " {" + std::to_string(move.a) + ", " +
         std::to_string(move.b) + ", " + std::to_string(move.c) + "}";
}

std::vector<Move> random_moves(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  std::vector<Move> out;
  for (std::size_t i = 0; i < count; ++i) {
    Move move;
    move.what = what_of(random() % 100);
    move.after_s = gap_of(random() % 1'000'000);
    // small, so that people can read a printed list
    move.a = static_cast<std::uint32_t>(random() % 1000);
    move.b = static_cast<std::uint32_t>(random() % 1000);
    move.c = static_cast<std::uint32_t>(random() % 1000);
    out.push_back(move);
  }
  return out;
}

}  // namespace ronda::sim
