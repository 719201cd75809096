// SPDX-License-Identifier: Apache-2.0
// What conditions may name, as it is known before anything runs: checks with their metrics, and tasks. A plain
// value, made from a candidate by facts_of (candidate_facts.hpp), or by hand in tests.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/task_prefix.hpp"

namespace ronda::rule {

struct MetricFacts {
  std::string name;
  std::string unit;  // in base units: "s", "B", "ratio", ...; empty: a plain number
  bool counter = false;
  std::vector<std::string> labels;
};

struct CheckFacts {
  std::string name;
  std::vector<MetricFacts> metrics;  // by name
  bool open_metrics = true;          // may bring others too: then neither their names nor their units are known
  std::int64_t patience_ns = 0;      // interval + timeout + 10 s: with no result for longer nothing is known; 0: no limit
  std::vector<std::string> after;    // checks that it depends on
  std::string service;
  /// Of one that has no interval: when it runs next after an instant; INT64_MAX: not by itself.
  std::function<std::int64_t(std::int64_t after_ns)> next_slot_ns = {};
  std::int64_t slot_grace_ns = 0;  // so long after that its result may come

  const MetricFacts* find(std::string_view metric) const;
};

using config::task_prefix;

struct Facts {
  std::vector<CheckFacts> checks;     // by name
  std::vector<CheckFacts> task_ends;  // how tasks ended, as if each were a check task.NAME; by name
  std::vector<std::string> tasks;     // sorted
  bool complete = true;               // false: part of conf.d could not be read, so a name that is not here may exist

  const CheckFacts* find(std::string_view check) const;  // or task.NAME
  bool has_task(std::string_view task) const;
  void sort();
};

}  // namespace ronda::rule
