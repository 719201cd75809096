// SPDX-License-Identifier: Apache-2.0
// Small builders for tests of rules: facts, histories, alerts from TOML.
#pragma once

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "catch.hpp"
#include "config/build.hpp"
#include "rule/given.hpp"
#include "rule/ladder.hpp"
#include "rule/past.hpp"
#include "rule/replay.hpp"

namespace ronda::test {

using config::Level;
using What = rule::Change::What;

inline constexpr std::int64_t second = 1'000'000'000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
/// Monday, 2026-01-05T00:00:00Z.
inline constexpr std::int64_t monday = 1'767'571'200 * second;

/// conf.d of one file; what it says must be without errors.
struct Rules {
  explicit Rules(const std::string& text) {
    sources.push_back({"conf.d/10-rules.toml", text, false});
    config::Diagnostics diagnostics;
    generation = config::build_generation(sources, {}, diagnostics);
    std::vector<config::Disabled> disabled;
    set = rule::load_alerts(generation, rule::facts_of(generation), rule::severities_of(generation), sources, diagnostics, disabled);
    INFO(config::render_all(diagnostics, sources));
    REQUIRE_FALSE(diagnostics.has_errors());
  }
  const rule::Alert& operator[](const std::string& name) const {
    const rule::Alert* found = set.find(name);
    REQUIRE(found != nullptr);
    return *found;
  }

  config::Sources sources;
  config::Generation generation;
  rule::RuleSet set;
};

/// A check every 30 s (patience 50 s with a timeout of 10 s).
inline std::string check(const std::string& name, const std::string& more = "") {
  return "[check." + name + "]\nuse = \"a.b\"\nevery = \"30s\"\ntimeout = \"10s\"\n" + more;
}

inline std::vector<measure::Point> points(std::int64_t from, std::int64_t every, const std::vector<double>& values) {
  std::vector<measure::Point> out;
  for (std::size_t i = 0; i < values.size(); ++i) out.push_back({from + static_cast<std::int64_t>(i) * every, values[i]});
  return out;
}

/// What a condition reads in a history, as of `now`.
inline rule::Finding ask(const std::string& text, const measure::View& whole, std::int64_t now, const rule::Facts& facts,
                         std::uint32_t least = 1, std::vector<rule::Step>* steps = nullptr) {
  std::vector<rule::Remark> remarks;
  const auto condition = rule::parse_condition(text, facts, remarks);
  INFO(text << ": " << (remarks.empty() ? "" : remarks.front().message));
  REQUIRE(condition);
  rule::Past past(whole);
  past.move_to(now);
  return rule::evaluate(*condition, {past, facts, now, 0, least}, steps);
}

inline const char* name_of(What what) {
  return rule::what_name(what).data();
}

/// "5m fired p1" for each change, the times since `from` to the next millisecond.
inline std::vector<std::string> told(const std::vector<rule::Change>& changes, std::int64_t from) {
  std::vector<std::string> out;
  for (const rule::Change& change : changes) {
    std::string line =
        format_duration(Nanos((change.at_ns - from + 500'000) / 1'000'000 * 1'000'000)) + " " + std::string(rule::what_name(change.what));
    if (change.to != Level::none) line += " " + std::string(config::level_name(change.to));
    if (!change.blocked_by.empty()) line += " by " + change.blocked_by;
    out.push_back(line);
  }
  return out;
}

inline std::uint64_t pick(std::mt19937_64& random, std::uint64_t low, std::uint64_t high) {
  return low + random() % (high - low + 1);
}

}  // namespace ronda::test
