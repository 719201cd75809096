// SPDX-License-Identifier: Apache-2.0
#include "rule/facts.hpp"

#include <algorithm>

namespace ronda::rule {

const MetricFacts* CheckFacts::find(std::string_view metric) const {
  const auto found = std::ranges::lower_bound(metrics, metric, {}, &MetricFacts::name);
  return found != metrics.end() && found->name == metric ? &*found : nullptr;
}

const CheckFacts* Facts::find(std::string_view check) const {
  const auto& all = check.starts_with(task_prefix) ? task_ends : checks;
  const auto found = std::ranges::lower_bound(all, check, {}, &CheckFacts::name);
  return found != all.end() && found->name == check ? &*found : nullptr;
}

bool Facts::has_task(std::string_view task) const {
  return std::ranges::binary_search(tasks, task);
}

void Facts::sort() {
  std::ranges::sort(checks, {}, &CheckFacts::name);
  std::ranges::sort(task_ends, {}, &CheckFacts::name);
  std::ranges::sort(tasks);
  for (CheckFacts& check : checks) std::ranges::sort(check.metrics, {}, &MetricFacts::name);
}

}  // namespace ronda::rule
