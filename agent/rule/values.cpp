// SPDX-License-Identifier: Apache-2.0
#include "rule/values.hpp"

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "base/units.hpp"
#include "rule/judge.hpp"

namespace ronda::rule {
namespace {

using measure::SeriesId;
using measure::Status;

std::string tick(std::string_view text) {
  return "`" + escape_controls(repair_utf8(text, 150)) + "`";
}

std::string span_text(std::int64_t ns) {
  constexpr std::int64_t second = 1'000'000'000;
  return format_duration(Nanos(ns < second ? ns : ns / second * second));
}

Item problem_item(std::string problem, bool pending = false, bool thin = false) {
  Item item;
  item.problem = std::move(problem);
  item.pending = pending;
  item.thin = thin;
  return item;
}

const measure::Labels& labels_of(const Item& item) {
  static const measure::Labels none;
  return item.labels == nullptr ? none : *item.labels;
}

}  // namespace

std::string labels_text(const Node& node, const Item& item) {
  constexpr std::size_t most_shown = 120;
  std::string out;
  for (const auto& [name, text] : labels_of(item)) {
    if (std::ranges::find(node.labels, name, &std::pair<std::string, std::string>::first) != node.labels.end()) continue;
    out += (out.empty() ? "" : ", ") + name + "=\"" + text + "\"";
  }
  return out.empty() ? out : " [" + escape_controls(repair_utf8(out, most_shown)) + "]";
}

void Values::look_again(std::int64_t at_ns) {
  if (at_ns > moment_.now_ns && (next_ns_ == 0 || at_ns < next_ns_)) next_ns_ = at_ns;
}

Known Values::known(const std::string& check) {
  if (const auto found = known_.find(check); found != known_.end()) return found->second;
  Known out;
  const auto now = moment_.view.check(check);
  const CheckFacts* facts = moment_.facts.find(check);
  const std::int64_t patience = facts == nullptr ? 0 : facts->patience_ns;
  if (!now || now->status == Status::pending) {
    out.problem = "no result of " + tick(check) + " yet";
    out.pending = true;
  } else {
    out.now = *now;
    const std::int64_t old = moment_.now_ns - now->last_result_ns;
    if (!now->duration_s) {  // what it was in a life before may be older than what was decided of it in that life
      out.problem = tick(check) + " has not run since the agent began";
      out.pending = true;
      if (facts != nullptr && facts->next_slot_ns) out.slot_ns = facts->next_slot_ns(now->last_result_ns);
    } else if (patience > 0) {
      if (old > patience) out.problem = "no result of " + tick(check) + " for " + span_text(old);
      if (old <= patience) look_again(now->last_result_ns + patience + 1);
    }
  }
  known_.emplace(check, out);
  return out;
}

std::int64_t Values::newest_result_ns() const {
  std::int64_t newest = 0;
  for (const auto& [name, known] : known_) newest = std::max(newest, known.now.last_result_ns);
  return newest;
}

std::int64_t Values::slot_ns() const {
  std::int64_t first = 0;
  for (const auto& [name, known] : known_) {
    if (!known.pending) continue;
    if (known.slot_ns == 0) return 0;
    first = first == 0 ? known.slot_ns : std::min(first, known.slot_ns);
  }
  return first;
}

Item Values::item_of(SeriesId id, Per per, double value) const {
  const measure::SeriesInfo& info = moment_.view.info(id);
  Item item;
  item.labels = &info.labels;
  item.value = value;
  item.dimension = {info.unit, per, true};
  if (!std::isfinite(value)) item.problem = "what came is no number";
  return item;
}

std::vector<SeriesId> Values::select(const Node& node, std::string& problem) {
  std::vector<SeriesId> all = moment_.view.series(node.check, node.metric);
  if (!node.labels.empty()) {
    std::erase_if(all, [&](SeriesId id) { return !std::ranges::includes(moment_.view.info(id).labels, node.labels); });
  }
  if (all.size() > most_series) {
    problem = tick(condition_.text_of(node)) + " has " + std::to_string(all.size()) + " series, more than " + std::to_string(most_series);
    all.clear();
  }
  return all;
}

/// `ask` gives an item for a series, or none for one that has nothing to say. What is too old says nothing at all.
template <class Ask>
Values::Items Values::each_series(const Node& node, std::int64_t window_ns, Ask&& ask) {
  const Known known = this->known(node.check);
  if (!known.problem.empty()) return {problem_item(known.problem, known.pending)};
  const CheckFacts* facts = moment_.facts.find(node.check);
  if (window_ns > 0 && (facts == nullptr || facts->patience_ns == 0)) look_again(moment_.now_ns + window_ns);
  std::string problem;
  Items out;
  for (const SeriesId id : select(node, problem)) {
    if (std::optional<Item> item = ask(id)) out.push_back(*std::move(item));
  }
  if (!problem.empty()) return {problem_item(std::move(problem))};
  return out;
}

Values::Items Values::newest(const Node& node) {
  const std::int64_t last = known(node.check).now.last_result_ns;
  Items out = each_series(node, 0, [&](SeriesId id) -> std::optional<Item> {
    const auto points = moment_.view.points(id, last - 1, moment_.now_ns);
    if (points.empty()) return std::nullopt;  // this label did not come again
    return item_of(id, Per::nothing, points.back().value);
  });
  if (out.empty()) out.push_back(problem_item("the last result of " + tick(node.check) + " has no " + tick(node.metric)));
  return out;
}

std::string Values::too_few(const Node& metric, std::int64_t window_ns, SeriesId id) const {
  const auto count = measure::over(moment_.view, id, measure::Function::count, window_ns, moment_.now_ns);
  const std::size_t there = count ? static_cast<std::size_t>(*count) : 0;
  return "too few samples of " + tick(condition_.text_of(metric)) + " in " + span_text(window_ns) + ": " + std::to_string(there);
}

Values::Items Values::over_time(const Node& node) {
  const Node& metric = condition_.nodes[node.left];
  const Per per = node.dimension.per;
  Items out = each_series(metric, node.window_ns, [&](SeriesId id) -> std::optional<Item> {
    const auto count = measure::over(moment_.view, id, measure::Function::count, node.window_ns, moment_.now_ns);
    if (!count || *count <= 0) return std::nullopt;
    const auto value = measure::over(moment_.view, id, node.function, node.window_ns, moment_.now_ns, node.number);
    Item item = item_of(id, per, value.value_or(0));
    if (!value || *count < moment_.least_points) return problem_item(too_few(metric, node.window_ns, id), true, true);
    return item;
  });
  if (out.empty())
    out.push_back(problem_item("no samples of " + tick(condition_.text_of(metric)) + " in " + span_text(node.window_ns), true));
  return out;
}

Values::Items Values::count_statuses(const Node& node, const Node& compared, const Node& status) {
  const Known known = this->known(status.check);
  if (!known.problem.empty()) return {problem_item(known.problem, known.pending)};
  double count = 0;
  for (const measure::Point& point : moment_.view.statuses(status.check, moment_.now_ns - node.window_ns, moment_.now_ns)) {
    const auto seen = static_cast<Status>(static_cast<int>(std::clamp(point.value, 0.0, 4.0)));
    if (compared.form != Form::compared || status_counts(seen, compared.relation, condition_.nodes[compared.right].word)) ++count;
  }
  Item item;
  item.value = count;
  return {item};
}

Values::Items Values::counted(const Node& node) {
  const Node& inside = condition_.nodes[node.left];
  const bool compares = inside.form == Form::compared;
  const Node& history = compares ? condition_.nodes[inside.left] : inside;
  if (history.form == Form::status) return count_statuses(node, inside, history);
  Items out = each_series(history, node.window_ns, [&](SeriesId id) -> std::optional<Item> {
    Item item = item_of(id, Per::nothing, 0);
    if (!compares) {
      item.value = measure::over(moment_.view, id, measure::Function::count, node.window_ns, moment_.now_ns).value_or(0);
    } else {
      const Node& constant = condition_.nodes[inside.right];
      item.problem = why_not_comparable(condition_, history, item.dimension, constant, constant.dimension);
      for (const measure::Point& point : moment_.view.points(id, moment_.now_ns - node.window_ns, moment_.now_ns))
        item.value += number_counts(point.value, inside.relation, constant.number) ? 1 : 0;
    }
    item.dimension = {};
    return item;
  });
  if (out.empty()) out.emplace_back();  // nothing came: that is a count too
  return out;
}

Values::Items Values::quotients(const Node& node) {
  Items out;
  for (auto& [a, b] : pairs(node)) {
    Item item = a;
    item.labels = a.labels != nullptr ? a.labels : b.labels;
    item.dimension = {"ratio", Per::nothing, true};
    if (item.problem.empty()) item.problem = b.problem;
    item.pending = a.pending || b.pending;
    item.thin = only_thin(a, b);
    const Node& left = condition_.nodes[node.left];
    const Node& right = condition_.nodes[node.right];
    if (item.problem.empty()) item.problem = why_not_comparable(condition_, left, a.dimension, right, b.dimension);
    const double divisor = right.form == Form::number ? constant_beside(right, a.dimension) : b.value;
    const auto quotient = measure::ratio(a.value, divisor);
    if (item.problem.empty() && !quotient) {
      item.problem = tick(condition_.text_of(right)) + " is 0: nothing can be divided by it";
      item.thin = true;  // a quiet night
    }
    item.value = quotient.value_or(0);
    out.push_back(std::move(item));
  }
  return out;
}

Values::Items Values::usual(const Node& node) {
  const Node& metric = condition_.nodes[node.left];
  Items out = each_series(metric, 0, [&](SeriesId id) -> std::optional<Item> {
    const auto value = moment_.view.baseline(id, moment_.now_ns, moment_.frozen_at_ns);
    const bool grows = moment_.view.info(id).shape == measure::Shape::counter;
    Item item = item_of(id, grows ? Per::second : Per::nothing, value.value_or(0));
    if (!value) return problem_item("too little history for the baseline of " + tick(condition_.text_of(metric)), true, true);
    return item;
  });
  if (out.empty()) out.push_back(problem_item("no samples of " + tick(condition_.text_of(metric)), true));
  return out;
}

Values::Items Values::ahead(const Node& node) {
  const Node& metric = condition_.nodes[node.left];
  Items out = each_series(metric, node.window_ns, [&](SeriesId id) -> std::optional<Item> {
    const auto value = measure::forecast_over(moment_.view, id, node.window_ns, moment_.now_ns);
    Item item = item_of(id, Per::nothing, value.value_or(0));
    if (!value) return problem_item(too_few(metric, measure::forecast_window_ns(node.window_ns), id), true, true);
    return item;
  });
  if (out.empty()) out.push_back(problem_item("no samples of " + tick(condition_.text_of(metric)), true));
  return out;
}

/// Its age says something above all when nothing comes any more: it is known as long as there was a result once.
Values::Items Values::of_check(const Node& node) {
  const Known known = this->known(node.check);
  const bool age = node.form == Form::age;
  if (known.pending || (!age && !known.problem.empty())) return {problem_item(known.problem, known.pending)};
  if (!age && !known.now.duration_s) return {problem_item("check " + tick(node.check) + " has not run since the agent began", true)};
  Item item;
  item.dimension = node.dimension;
  const std::int64_t since = std::max<std::int64_t>(0, moment_.now_ns - known.now.last_result_ns);
  item.value = age ? static_cast<double>(since) / 1e9 : *known.now.duration_s;
  return {item};
}

/// One that never succeeded counts from when it is known: else it would be silence for as long as it fails.
std::optional<std::int64_t> Values::success_of(const std::string& task) const {
  const auto last = moment_.view.task_last_success_ns(task);
  return last ? last : moment_.view.task_known_since_ns(task);
}

Values::Items Values::since_success(const Node& node) {
  const auto last = success_of(node.check);
  if (!last) return {problem_item("task " + tick(node.check) + " has not succeeded yet", true)};
  Item item;
  item.dimension = node.dimension;
  item.value = static_cast<double>(std::max<std::int64_t>(0, moment_.now_ns - *last)) / 1e9;
  return {item};
}

Values::Items Values::of(std::uint32_t index) {
  const Node& node = condition_.nodes[index];
  switch (node.form) {
    case Form::number: {
      Item item;
      item.value = node.number;
      item.dimension = node.dimension;
      return {item};
    }
    case Form::metric:
      return newest(node);
    case Form::over_time:
      return over_time(node);
    case Form::counted:
      return counted(node);
    case Form::ratio:
      return quotients(node);
    case Form::baseline:
      return usual(node);
    case Form::forecast:
      return ahead(node);
    case Form::task_age:
      return since_success(node);
    default:
      return of_check(node);
  }
}

/// An age passes a constant by time alone.
void Values::look_at_crossing(const Node& compared) {
  const Node& left = condition_.nodes[compared.left];
  const Node& right = condition_.nodes[compared.right];
  if (right.form != Form::number || right.number < 0 || right.number > 1e9) return;
  std::int64_t since = 0;
  if (left.form == Form::age) since = known(left.check).now.last_result_ns;
  if (left.form == Form::task_age) since = success_of(left.check).value_or(0);
  if (since != 0) look_again(since + static_cast<std::int64_t>(right.number * 1e9) + 1);
}

std::vector<std::pair<Item, Item>> Values::pairs(const Node& node) {
  look_at_crossing(node);
  const Items left = of(node.left), right = of(node.right);
  std::vector<std::pair<Item, Item>> out;
  const auto whole = [](const Items& items) { return items.size() == 1 && (items[0].labels == nullptr || items[0].labels->empty()); };
  if (whole(right) || whole(left) || (left.size() == 1 && right.size() == 1)) {
    for (const Item& a : left) {
      for (const Item& b : right) out.emplace_back(a, b);
    }
    return out;
  }
  std::map<measure::Labels, const Item*> by_labels;
  for (const Item& b : right) by_labels.emplace(labels_of(b), &b);
  for (const Item& a : left) {
    const auto found = by_labels.find(labels_of(a));
    if (found != by_labels.end()) out.emplace_back(a, *found->second);
  }
  const std::string names =
      tick(condition_.text_of(condition_.nodes[node.left])) + " and " + tick(condition_.text_of(condition_.nodes[node.right]));
  if (out.empty()) out.emplace_back(problem_item(names + " have no labels in common"), Item());
  return out;
}

}  // namespace ronda::rule
