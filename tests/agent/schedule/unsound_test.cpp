// SPDX-License-Identifier: Apache-2.0
// What judges say while an object of the wrong shape stands beside the others.
#include "schedule/unsound.hpp"

#include <catch.hpp>
#include <tuple>

using namespace ronda;
using config::Place;
using config::Value;

TEST_CASE("what is said of one object is not taken for a wrong one's that stands above it", "[schedule]") {
  const auto alert = [](const std::string& name, std::uint32_t line) {
    config::Table table;
    table.push_back({"p1", {0, line + 1, 1}, Value(Value::Data(std::int64_t{5}), {0, line + 1, 6})});
    return config::RawObject{"alert", name, Value(std::move(table), {0, line, 1}), {0, line, 8}};
  };
  schedule::Candidate candidate;
  candidate.generation.services.push_back({"shop", {}, {}, {}, {0, 4, 10}});
  candidate.places.push_back({0, 7, 8});
  candidate.generation.disabled.push_back({"check", "wrong", {0, 9, 8}, "it is"});
  candidate.generation.agent.drill = Value(config::Table(), {0, 12, 9});
  candidate.generation.objects.push_back(alert("good", 14));
  const std::vector<Place> said = {{0, 1, 8}, {0, 2, 6}, {0, 2, 9}, {0, 4, 10}, {0, 5, 1}, {0, 7, 8}, {0, 9, 8}, {0, 12, 9}, {0, 15, 6}};
  const auto judge = [&](schedule::Candidate& seen) {
    if (seen.generation.find_raw("alert", "bad") == nullptr) return;
    for (const Place place : said) seen.diagnostics.error(place, "said");
  };
  schedule::judge_all({judge}, {alert("bad", 1)}, candidate);
  std::vector<std::tuple<std::uint32_t, std::uint32_t>> told;
  for (const config::Diagnostic& one : candidate.diagnostics.all()) told.emplace_back(one.where.line, one.where.column);
  CHECK(told == std::vector<std::tuple<std::uint32_t, std::uint32_t>>{{1, 8}, {2, 6}, {2, 9}});
}
