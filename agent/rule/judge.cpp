// SPDX-License-Identifier: Apache-2.0
#include "rule/judge.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "base/text.hpp"
#include "base/units.hpp"
#include "rule/parser.hpp"

namespace ronda::rule {
namespace {

using measure::Function;

template <class Names>
std::string did_you_mean(std::string_view word, const Names& names) {
  const std::vector<std::string_view> all(names.begin(), names.end());
  const std::string_view near = nearest(word, all);
  return near.empty() ? std::string() : "; did you mean " + tick(near) + "?";
}

template <class Items, class Member>
std::vector<std::string_view> names_of(const Items& items, Member member) {
  std::vector<std::string_view> names;
  for (const auto& item : items) names.push_back(item.*member);
  return names;
}

/// "B/s" of a number that comes in so much each second.
std::string unit_text(const Dimension& dimension) {
  constexpr std::array<std::string_view, 3> per = {"", "/s", "/h"};
  return dimension.unit + std::string(per[static_cast<std::size_t>(dimension.per)]);
}

/// How a constant for this unit is written.
std::string_view example_of(const Dimension& dimension) {
  if (dimension.unit == "s") return "500ms";
  if (dimension.unit == "B") return "10MiB";
  if (dimension.unit == "ratio") return "5%";
  return "5";
}

bool is_custom(std::string_view unit) {
  return !unit.empty() && unit != "s" && unit != "B" && unit != "ratio";
}

class Judge {
 public:
  Judge(Condition& condition, const Facts& facts, std::vector<Remark>& remarks) : condition_(condition), facts_(facts), remarks_(remarks) {}

  bool run() {
    for (Node& node : condition_.nodes) judge(node);
    for (const Node& node : condition_.nodes) warn_of_counters(node);
    return sound_;
  }

 private:
  void judge(Node& node);
  void judge_check(const Node& node);
  void judge_task(std::string_view task, std::size_t offset);
  void judge_metric(Node& node);
  void judge_labels(const Node& node, const MetricFacts& metric);
  void judge_comparison(const Node& node);
  void judge_ratio(Node& node);
  void warn_of_counters(const Node& node);
  const MetricFacts* metric_of(const Node& node) const;
  const Node& child(std::uint32_t index) const { return condition_.nodes[index]; }
  void error(std::size_t offset, std::string message) {
    sound_ = false;
    remarks_.push_back({offset, std::move(message), false});
  }

  Condition& condition_;
  const Facts& facts_;
  std::vector<Remark>& remarks_;
  bool sound_ = true;
};

void Judge::judge(Node& node) {
  const auto as_child = [&](Per per) {
    node.dimension = child(node.left).dimension;
    node.dimension.per = per;
  };
  switch (node.form) {
    case Form::metric:
      return judge_metric(node);
    case Form::status:
      return judge_check(node);
    case Form::duration:
    case Form::age:
      node.dimension = {"s", Per::nothing, true};
      return judge_check(node);
    case Form::task_age:
      node.dimension = {"s", Per::nothing, true};
      return judge_task(node.check, condition_.text.find(task_prefix, node.begin) + task_prefix.size());
    case Form::over_time:
      return as_child(node.function == Function::rate ? Per::second : node.function == Function::trend ? Per::hour : Per::nothing);
    case Form::baseline: {  // of a counter: how fast it usually grows
      const MetricFacts* metric = metric_of(child(node.left));
      return as_child(metric != nullptr && metric->counter ? Per::second : Per::nothing);
    }
    case Form::forecast:
      return as_child(Per::nothing);
    case Form::counted:
      node.dimension = {"", Per::nothing, true};
      return;
    case Form::ratio:
      return judge_ratio(node);
    case Form::compared:
      return judge_comparison(node);
    default:
      return;
  }
}

void Judge::judge_task(std::string_view task, std::size_t offset) {
  if (!facts_.complete || facts_.has_task(task)) return;
  error(offset, "there is no task " + tick(task) + did_you_mean(task, facts_.tasks));
}

void Judge::judge_check(const Node& node) {
  if (node.check.starts_with(task_prefix))
    return judge_task(std::string_view(node.check).substr(task_prefix.size()), node.begin + task_prefix.size());
  if (!facts_.complete || facts_.find(node.check) != nullptr) return;
  const std::string hint = did_you_mean(node.check, names_of(facts_.checks, &CheckFacts::name));
  error(node.begin, "there is no check " + tick(node.check) + hint);
}

const MetricFacts* Judge::metric_of(const Node& node) const {
  const CheckFacts* check = facts_.find(node.check);
  return check == nullptr ? nullptr : check->find(node.metric);
}

void Judge::judge_metric(Node& node) {
  node.dimension.known = false;
  judge_check(node);
  const CheckFacts* check = facts_.find(node.check);
  if (check == nullptr) return;
  if (const MetricFacts* metric = check->find(node.metric)) {
    node.dimension = {metric->unit, Per::nothing, true};
    return judge_labels(node, *metric);
  }
  if (check->open_metrics) return;
  std::vector<std::string_view> names = names_of(check->metrics, &MetricFacts::name);
  for (const std::string_view always : {"status", "duration", "age"}) names.push_back(always);
  error(node.begin + node.check.size() + 1,
        "check " + tick(node.check) + " has no metric " + tick(node.metric) + did_you_mean(node.metric, names));
}

void Judge::judge_labels(const Node& node, const MetricFacts& metric) {
  if (metric.labels.empty() && !node.labels.empty() && !facts_.find(node.check)->open_metrics) {
    const std::size_t bracket = condition_.text.find('[', node.begin);
    return error(bracket, tick(node.metric) + " has no labels");
  }
  for (const auto& [name, text] : node.labels) {
    if (metric.labels.empty() || std::ranges::find(metric.labels, name) != metric.labels.end()) continue;
    // of several labels with a name inside of another's text the first that fits is pointed at
    const std::size_t place = condition_.text.find(name, condition_.text.find('[', node.begin));
    error(place, tick(node.metric) + " has no label " + tick(name) + did_you_mean(name, metric.labels));
  }
}

void Judge::judge_comparison(const Node& node) {
  const Node& left = child(node.left);
  const Node& right = child(node.right);
  if (left.form == Form::status) return;
  const std::string why = why_not_comparable(condition_, left, left.dimension, right, right.dimension);
  if (!why.empty()) error(right.begin, why);
}

void Judge::judge_ratio(Node& node) {
  const Node& left = child(node.left);
  const Node& right = child(node.right);
  node.dimension = {"ratio", Per::nothing, true};
  const std::string why = why_not_comparable(condition_, left, left.dimension, right, right.dimension);
  if (!why.empty()) error(right.begin, why);
}

/// What only grows is compared with a constant: it fires once and for ever.
void Judge::warn_of_counters(const Node& node) {
  const auto is_counter = [&](const Node& one) {
    const MetricFacts* metric = one.form == Form::metric ? metric_of(one) : nullptr;
    return metric != nullptr && metric->counter;
  };
  const auto warn = [&](const Node& one) {
    const std::string text(condition_.text_of(one));
    remarks_.push_back(
        {one.begin, tick(text) + " is a counter, which only grows; " + tick("rate(" + text + ", 5m)") + " is how fast", true});
  };
  if (node.form == Form::compared) {
    for (const std::uint32_t side : {node.left, node.right}) {
      if (is_counter(child(side))) warn(child(side));
    }
  }
  const bool of_values = node.function != Function::rate && node.function != Function::trend;
  if (node.form == Form::over_time && of_values && is_counter(child(node.left))) warn(child(node.left));
}

}  // namespace

bool judge_nodes(Condition& condition, const Facts& facts, std::vector<Remark>& remarks) {
  return Judge(condition, facts, remarks).run();
}

double constant_beside(const Node& constant, const Dimension& other) {
  constexpr double seconds_an_hour = 3600;
  const bool hourly = constant.dimension.per == Per::second && other.per == Per::hour;
  return hourly ? constant.number * seconds_an_hour : constant.number;
}

std::string why_not_comparable(const Condition& condition, const Node& left, const Dimension& left_is, const Node& right,
                               const Dimension& right_is) {
  if (!left_is.known || !right_is.known) return {};
  const auto named = [&](const Node& one, const Dimension& is) {
    const std::string unit = unit_text(is);
    return tick(condition.text_of(one)) + (unit.empty() ? " has no unit" : " is in \"" + unit + "\"");
  };
  if (right.form != Form::number) {
    // a quotient, and a plain number, are the same kind of thing
    const auto kind = [](const Node& one, const Dimension& is) {
      return one.form == Form::ratio ? Dimension{"ratio", Per::nothing, true} : is;
    };
    const Dimension a = kind(left, left_is), b = kind(right, right_is);
    const bool quotient = (left.form == Form::ratio && b == Dimension{}) || (right.form == Form::ratio && a == Dimension{});
    if (a == b || quotient) return {};
    return named(left, left_is) + " and " + named(right, right_is) + ": they cannot be compared";
  }
  const bool same_unit = right_is.unit == left_is.unit;
  const bool same_per = right_is.per == Per::nothing || left_is.per != Per::nothing;
  const bool plain = right_is.unit.empty() && (right.number == 0 || left.form == Form::ratio || is_custom(left_is.unit));
  if ((same_unit || plain) && same_per) return {};
  std::string text = named(left, left_is) + ", which cannot be compared with \"" + std::string(condition.text_of(right)) + "\"";
  if (same_unit || left_is.unit.empty() || is_custom(left_is.unit)) return text + "; write for example " + std::string(example_of(left_is));
  return text + "; write for example " + std::string(example_of(left_is)) + (left_is.per == Per::second ? "/s" : "");
}

void note_needs(Condition& condition) {
  std::map<std::pair<std::string, std::string>, Need> needs;
  const auto want = [&](const Node& node, std::int64_t window, bool baseline) {
    const bool of_values = node.form == Form::metric || (node.form == Form::duration && window > 0);
    const std::string metric = of_values ? node.metric : std::string();
    Need& need = needs[{node.check, metric}];
    need.check = node.check;
    need.metric = metric;
    need.window_ns = std::max(need.window_ns, window);
    need.baseline = need.baseline || baseline;
  };
  const auto history = [&](const Node& node, std::int64_t window, bool baseline) {
    const Node& left = condition.nodes[node.left];
    want(left.form == Form::compared ? condition.nodes[left.left] : left, window, baseline);
  };
  for (const Node& node : condition.nodes) {
    const bool of_check = node.form == Form::metric || node.form == Form::status || node.form == Form::duration || node.form == Form::age;
    if (of_check) {
      want(node, 0, false);
      if (std::ranges::find(condition.checks, node.check) == condition.checks.end()) condition.checks.push_back(node.check);
    }
    if (node.form == Form::task_age) {
      const std::string task = std::string(task_prefix) + node.check;
      if (std::ranges::find(condition.tasks, task) == condition.tasks.end()) condition.tasks.push_back(task);
      Need& need = needs[{task, std::string()}];  // so that how it ends is kept: for a look back
      need.check = task;
    }
    if (node.form == Form::over_time || node.form == Form::counted) history(node, node.window_ns, false);
    if (node.form == Form::forecast) history(node, measure::forecast_window_ns(node.window_ns), false);
    if (node.form == Form::baseline) history(node, 0, true);
  }
  for (auto& [key, need] : needs) condition.needs.push_back(std::move(need));
}

}  // namespace ronda::rule
