// SPDX-License-Identifier: Apache-2.0
#include "response/objectives.hpp"

#include <algorithm>
#include <set>

#include "base/clock_set.hpp"
#include "base/siphash.hpp"
#include "measure/load.hpp"
#include "rule/evaluate.hpp"

namespace ronda::response {
namespace {

constexpr std::size_t most_readings = 2048;  // of one counter: more than live at once
using measure::slo::Goodness;

/// The meter has to reach back as far as the longest window of a burn even where the objective does not.
std::int64_t window_of(const rule::Slo& slo) {
  return std::max(slo.definition.objective.window_ns, measure::slo::burn_rules.back().long_ns);
}

/// Another one means that what was judged before was about something else.
std::uint64_t mark_of(const rule::Slo& slo) {
  return siphash128(slo.definition.objective.judged_by + "\n" + std::to_string(slo.patience_ns)).first;
}

Goodness goodness_of(rule::Truth truth) {
  return truth == rule::Truth::yes ? Goodness::good : truth == rule::Truth::no ? Goodness::bad : Goodness::unknown;
}

}  // namespace

void Objectives::use(std::span<const rule::Slo> slos) {
  std::map<std::string, Kept, std::less<>> before;
  before.swap(kept_);
  by_alert_.clear();
  by_check_.clear();
  for (const rule::Slo& slo : slos) {
    by_alert_[slo.alert.name] = &slo;
    for (const std::string& check : slo.checks) by_check_[check].push_back(&slo);
    const auto known = before.find(slo.name());
    if (known != before.end() && known->second.mark == mark_of(slo) && known->second.window_ns >= window_of(slo)) {
      kept_.emplace(slo.name(), std::move(known->second));
      continue;
    }
    Kept fresh{measure::slo::Meter(window_of(slo), rule::hold_of(slo))};
    fresh.mark = mark_of(slo);
    fresh.judged_by = slo.definition.objective.judged_by;
    fresh.window_ns = window_of(slo);
    kept_.emplace(slo.name(), std::move(fresh));
  }
}

const rule::Slo* Objectives::of_alert(std::string_view alert) const {
  const auto found = by_alert_.find(alert);
  return found == by_alert_.end() ? nullptr : found->second;
}

std::span<const rule::Slo* const> Objectives::of_check(std::string_view check) const {
  const auto found = by_check_.find(check);
  return found == by_check_.end() ? std::span<const rule::Slo* const>() : std::span<const rule::Slo* const>(found->second);
}

void Objectives::on_result(const rule::Slo& slo, const ObjectiveInput& input, std::int64_t now_ns, std::vector<store::Sampled>& out) {
  Kept& kept = kept_.at(slo.name());
  slo.definition.objective.counts ? count(slo, kept, input, now_ns, out) : judge(slo, kept, input, now_ns, out);
}

/// While it is excluded nothing is judged: unknown is neither good nor bad, in the store as here.
void Objectives::judge(const rule::Slo& slo, Kept& kept, const ObjectiveInput& input, std::int64_t now_ns,
                       std::vector<store::Sampled>& out) {
  Goodness goodness = Goodness::unknown;
  if (!input.is_excluded) goodness = goodness_of(rule::evaluate(slo.good, {input.history, input.facts, now_ns}).truth);
  kept.meter.judge(now_ns, goodness);
  if (goodness != Goodness::unknown) kept.seen_ns = now_ns;
  kept.written_ns = now_ns;
  const measure::slo::Objective& objective = slo.definition.objective;
  auto sampled = input.history.observe_value(measure::judgements_of(objective), measure::judgement_metric, now_ns,
                                             static_cast<double>(goodness), measure::judgement_labels(objective));
  if (sampled) out.push_back(*std::move(sampled));
}

/// How much a counter grew since the last reading, over all its series. Of the first reading nothing can be said; a series
/// that comes later began at 0, else the first errors there ever were would be missed.
double Objectives::increase(const rule::Node& metric, const Kept& kept, Kept::Readings& readings, const measure::View& view) {
  double grown = 0;
  std::set<const measure::Labels*> there;
  for (const measure::SeriesId id : view.series(metric.check, metric.metric)) {
    const measure::Labels& labels = view.info(id).labels;
    const auto wanted = [&](const auto& label) { return std::ranges::find(labels, label) != labels.end(); };
    if (!std::ranges::all_of(metric.labels, wanted)) continue;
    const auto points = view.points(id, INT64_MIN / 2, INT64_MAX / 2);
    if (points.empty()) continue;
    const double now = points.back().value;
    const auto [reading, is_new] = readings.try_emplace(labels, 0);
    if (!is_new || kept.has_counted) grown += store::increase_between(reading->second, now);
    reading->second = now;
    there.insert(&reading->first);
  }
  // one that comes back goes on where it was; where there are ever new ones, those that are gone are let go
  if (readings.size() > most_readings) std::erase_if(readings, [&](const auto& one) { return !there.contains(&one.first); });
  return grown;
}

void Objectives::count(const rule::Slo& slo, Kept& kept, const ObjectiveInput& input, std::int64_t now_ns,
                       std::vector<store::Sampled>& out) {
  const rule::Node& good_metric = slo.good.nodes.front();
  const rule::Node& total_metric = slo.total.nodes.front();
  const auto check = input.history.check(total_metric.check);
  const auto ids = input.history.series(total_metric.check, total_metric.metric);
  // the result may have failed to bring its counters: then nothing was seen
  const auto came = [&](measure::SeriesId id) {
    return !input.history.points(id, check->last_result_ns - 1, check->last_result_ns).empty();
  };
  if (!check || check->last_result_ns == kept.counted_ns || std::ranges::none_of(ids, came)) return;
  const bool is_first = !kept.has_counted;
  const double total = increase(total_metric, kept, kept.total_readings, input.history);
  const double counted = std::min(increase(good_metric, kept, kept.good_readings, input.history), total);
  const double good = slo.definition.counts_bad ? total - counted : counted;
  kept.has_counted = true;
  kept.counted_ns = check->last_result_ns;
  if (is_first || input.is_excluded) return;
  kept.seen_ns = now_ns;
  kept.meter.count(now_ns, good, total - good);
  const std::string series = measure::judgements_of(slo.definition.objective);
  const measure::Labels labels = measure::judgement_labels(slo.definition.objective);
  for (const auto& [metric, value] :
       {std::pair(measure::good_requests_metric, good), std::pair(measure::bad_requests_metric, total - good)}) {
    if (auto sampled = input.history.observe_value(series, metric, now_ns, value, labels)) out.push_back(*std::move(sampled));
  }
}

rule::Reading Objectives::look(const rule::Slo& slo, const ObjectiveInput& input, std::int64_t now_ns, std::vector<store::Sampled>& out) {
  Kept& kept = kept_.at(slo.name());
  const measure::slo::Objective& objective = slo.definition.objective;
  // results speak for themselves; the minute speaks where none came, and about what is too old
  if (!objective.counts && (kept.written_ns > now_ns || now_ns - kept.written_ns >= rule::slo_look_ns))
    judge(slo, kept, input, now_ns, out);
  kept.seen.burns = measure::slo::burns(objective, kept.meter, now_ns);
  kept.seen.budget = measure::slo::budget(objective, kept.meter, now_ns);
  kept.seen.is_known = kept.is_loaded && kept.seen_ns != 0 && now_ns - kept.seen_ns <= rule::known_for(slo);
  kept.seen.at_ns = now_ns;
  return rule::read_burns(slo, kept.seen.burns, kept.seen.budget, kept.seen.is_known, now_ns);
}

std::vector<measure::slo::Objective> Objectives::take_unloaded() {
  std::vector<measure::slo::Objective> out;
  for (const auto& [alert, slo] : by_alert_) {
    Kept& kept = kept_.at(slo->name());
    if (std::exchange(kept.is_asked, true)) continue;
    out.push_back(slo->definition.objective);
    out.back().window_ns = kept.window_ns;
  }
  return out;
}

void Objectives::restore(const measure::slo::Objective& asked, std::span<const measure::slo::Stretch> older) {
  const auto found = kept_.find(asked.name);
  if (found == kept_.end() || found->second.judged_by != asked.judged_by) return;
  Kept& kept = found->second;
  kept.meter.restore(older);
  kept.is_loaded = true;
  for (const measure::slo::Stretch& one : older) {
    if (one.good + one.bad > 0) kept.seen_ns = std::max(kept.seen_ns, one.until_ns);
  }
}

void Objectives::load_again(std::string_view objective) {
  const auto found = kept_.find(objective);
  if (found != kept_.end()) found->second.is_asked = false;
}

void Objectives::move(std::int64_t by_ns, std::int64_t now_ns) {
  for (auto& [name, kept] : kept_) kept.counted_ns = moved_with_clock(kept.counted_ns, by_ns, now_ns);
}

const ObjectiveSeen* Objectives::seen(std::string_view objective) const {
  const auto found = kept_.find(objective);
  return found == kept_.end() ? nullptr : &found->second.seen;
}

}  // namespace ronda::response
