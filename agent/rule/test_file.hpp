// SPDX-License-Identifier: Apache-2.0
// Unit tests of rules, for `ronda rules test FILE`: histories that somebody gives, and which level an alert has when.
// Pure: the text of the file and the generation of its `conf` come in, what is wrong or differs comes out with its place.
//
//   conf = "../conf.d"                  # a directory; its alerts are tested. Alerts may stand in this file too:
//   [alert.api-errors]                  # as in conf.d
//   p1 = "api.error_rate > 5%"
//   [check.api]                         # of a check only what rules ask for: every, timeout, after, severity, for
//   every = "30s"
//
//   [[test]]
//   name  = "errors for a minute page"
//   start = "2026-01-05T00:00:00Z"      # of time 0s; this if not said
//   [[test.series]]
//   check  = "api"
//   metric = "error_rate"               # or "status", whose values are ok, warning, critical and unknown, or "duration"
//   labels = { path = "/" }
//   kind   = "counter"                  # gauge if not said
//   every  = "30s"                      # the check's, if not said; values are results at from, from + every, ...
//   from   = "0s"
//   values = ["0%", "6% x10", "none x3", "0% to 10% x5"]   # once, ten times, no result, in five equal steps
//   points = { "1m30s" = "7%" }         # single ones besides
//   baseline = "2%"                     # what is usual, at every hour
//   [[test.task]]
//   task = "dump"
//   success = "10m"
//   [[test.expect]]
//   at    = "5m"
//   alert = "api-errors"
//   level = "p1"                        # or "none"
//   no_data = false                     # each of these only where it is said
//   blocked_by = "network"
//   fired = 1                           # times from the start up to `at`
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/diagnostic.hpp"
#include "config/generation.hpp"
#include "rule/alert.hpp"
#include "rule/given.hpp"

namespace ronda::rule {

struct Expectation {
  std::int64_t at_ns = 0;
  std::string alert;
  std::optional<config::Level> level;
  std::optional<bool> no_data;
  std::optional<std::string> blocked_by;
  std::optional<std::int64_t> fired;
  config::Place place;
};

struct RulesTest {
  std::string name;
  Given view;
  std::int64_t from_ns = 0;
  std::vector<Expectation> expectations;  // by time
  config::Place place;
};

struct TestFile {
  std::string conf;  // as written; empty: none
  config::Place conf_place;
  config::Generation own;          // alerts, checks and services that stand in the file
  std::vector<std::string> tasks;  // that the tests name
  std::vector<RulesTest> tests;
};

inline constexpr std::size_t most_values = 100'000;  // of one series
inline constexpr std::size_t most_tests = 1000;

/// The `conf` of a file, before its generation is at hand; also where the rest is wrong.
std::string conf_of(const config::Table& root, config::Place& place);
/// Nothing where there were errors. `file` is the index of the file among the sources of `diagnostics`; `conf` is the
/// generation of its `conf`, whose checks say how often they run.
std::optional<TestFile> read_test_file(const config::Table& root, const config::Generation& conf, config::Diagnostics& diagnostics);

/// The alerts of `conf` and of the file itself, whose own objects are taken. Errors are in `diagnostics`.
RuleSet rules_of(config::Generation conf, TestFile& file, const config::Sources& sources, config::Diagnostics& diagnostics);

/// Where what happened is not what was expected.
struct Difference {
  std::string test;
  config::Place place;
  std::string message;  // "alert api-errors at 5m has level p2, expected p1: api.error_rate is 3%, above 1%"
};
struct TestResult {
  std::size_t tests = 0, expectations = 0, failed = 0;
  std::vector<Difference> differences;  // the first of each test
};
TestResult run_tests(const TestFile& file, const RuleSet& rules);

}  // namespace ronda::rule
