// SPDX-License-Identifier: Apache-2.0
#include "measure/history.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <unordered_map>
#include <utility>

#include "base/clock_set.hpp"
#include "measure/baseline.hpp"
#include "measure/series.hpp"
#include "plugin/grade.hpp"

namespace ronda::measure {
namespace {

constexpr std::int64_t minute = 60'000'000'000, week = 7 * 24 * store::hour_ns;
constexpr std::string_view status_metric = "status", duration_metric = "duration";

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class T>
using ByName = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

struct MetricWant {
  std::int64_t window_ns = 0;
  bool baseline = false;
};

struct Check {
  std::string name;
  std::int64_t interval_ns = 0;
  std::map<std::string, MetricWant, std::less<>> wants;
  std::optional<CheckNow> now;
  std::vector<SeriesId> series;  // by metric, then labels
};

struct TaskNow {
  std::int64_t last_success_ns = 0, known_since_ns = 0;  // 0: none, not known
  bool is_restored = false;                              // both are what the store said
};

/// How long single points of a window are kept, and what is kept in their place where that is too long.
Keep keep_for(const MetricWant& want, std::int64_t interval_ns) {
  Keep keep;
  const std::int64_t reach =
      interval_ns > 0 ? std::min<std::int64_t>(points_reach_ns, interval_ns * std::int64_t{History::points_max}) : points_reach_ns;
  if (want.window_ns > 0) {
    // one before the window, see with_one_before(), and a rule may be judged a little after the result
    keep.points_ns = std::min(want.window_ns, reach) + std::max(3 * interval_ns, 2 * minute);
    keep.points_max = History::points_max + 64;
  }
  if (want.window_ns > reach) keep.rollups_ns = want.window_ns + 2 * store::five_minutes_ns;
  if (want.baseline) keep.hours_ns = (2 * baseline_weeks + 1) * week;
  return keep;
}

bool before(const store::SeriesKey& key, std::string_view metric, const Labels& labels) {
  return key.metric != metric ? key.metric < metric : key.labels < labels;
}

}  // namespace

class History::Impl {
 public:
  explicit Impl(schedule::ZonePtr zone) : zone_(std::move(zone)) {}

  void want(const std::vector<Want>& wants, const std::vector<std::string>& tasks);
  std::optional<store::Sampled> observe(const Result& result);
  /// Null: beyond the caps.
  Series* series_of(Check& check, std::string_view metric, const Labels& labels, std::string_view unit, Shape shape, std::int64_t now_ns);
  Check* find(std::string_view name) const;
  const Series* find(SeriesId id) const { return id < series_.size() ? series_[id].get() : nullptr; }
  std::vector<SeriesId> ids(const Check& check, std::string_view metric) const;

  schedule::ZonePtr zone_;
  ByName<std::unique_ptr<Check>> checks_;
  ByName<TaskNow> tasks_;
  std::vector<std::unique_ptr<Series>> series_;
  std::vector<const Check*> owners_;  // of series_
  std::vector<SeriesId> free_;
  std::uint64_t dropped_ = 0, steps_ = 0;

 private:
  void apply(Check& check);
  void release(SeriesId id);
  bool let_stale_go(Check& check, std::int64_t now_ns);
  void add_metrics(Check& check, const Result& result, store::Sampled& sampled);
};

// ---- what is wanted -------------------------------------------------------------------------

void History::Impl::want(const std::vector<Want>& wants, const std::vector<std::string>& tasks) {
  for (auto& [name, check] : checks_) {
    check->wants.clear();
    check->interval_ns = 0;
  }
  for (const Want& want : wants) {
    auto& check = checks_[want.check];
    if (check == nullptr) {
      check = std::make_unique<Check>();
      check->name = want.check;
    }
    check->interval_ns = std::max(check->interval_ns, want.interval_ns);
    MetricWant& metric = check->wants[want.metric.empty() ? std::string(status_metric) : want.metric];
    metric.window_ns = std::max(metric.window_ns, want.window_ns);
    metric.baseline |= want.baseline;
  }
  std::erase_if(checks_, [&](auto& entry) {
    if (!entry.second->wants.empty()) return false;
    for (const SeriesId id : entry.second->series) release(id);
    return true;
  });
  for (auto& [name, check] : checks_) apply(*check);
  auto known = std::exchange(tasks_, {});
  for (const std::string& task : tasks) tasks_[task] = known[task];
}

void History::Impl::apply(Check& check) {
  for (const SeriesId id : check.series) {
    const auto want = check.wants.find(series_[id]->key()->metric);
    series_[id]->set_keep(keep_for(want == check.wants.end() ? MetricWant() : want->second, check.interval_ns));
  }
}

void History::Impl::release(SeriesId id) {
  series_[id].reset();
  owners_[id] = nullptr;
  free_.push_back(id);
}

// ---- what comes -----------------------------------------------------------------------------

Check* History::Impl::find(std::string_view name) const {
  const auto found = checks_.find(name);
  return found == checks_.end() ? nullptr : found->second.get();
}

std::vector<SeriesId> History::Impl::ids(const Check& check, std::string_view metric) const {
  const auto metric_of = [&](SeriesId id) { return std::string_view(series_[id]->key()->metric); };
  return {std::ranges::lower_bound(check.series, metric, {}, metric_of), std::ranges::upper_bound(check.series, metric, {}, metric_of)};
}

/// Series of labels that do not come any more make room for new ones.
bool History::Impl::let_stale_go(Check& check, std::int64_t now_ns) {
  const auto is_stale = [&](SeriesId id) {
    const auto want = check.wants.find(series_[id]->key()->metric);
    const std::int64_t kept = want == check.wants.end() ? 0 : want->second.window_ns;
    return series_[id]->newest_ns() < now_ns - std::max(kept, store::hour_ns);
  };
  return std::erase_if(check.series, [&](SeriesId id) {
           if (!is_stale(id)) return false;
           release(id);
           return true;
         }) > 0;
}

Series* History::Impl::series_of(Check& check, std::string_view metric, const Labels& labels, std::string_view unit, Shape shape,
                                 std::int64_t now_ns) {
  const auto place = [&] {
    return std::ranges::partition_point(check.series, [&](SeriesId id) { return before(*series_[id]->key(), metric, labels); });
  };
  auto found = place();
  if (found != check.series.end()) {
    Series& series = *series_[*found];
    const store::SeriesKey& key = *series.key();
    if (key.metric == metric && key.labels == labels) {
      if (key.unit != unit || key.shape != shape)
        series.rename(std::make_shared<store::SeriesKey>(store::SeriesKey{check.name, key.metric, labels, std::string(unit), shape}));
      return &series;
    }
  }
  const auto full = [&] { return check.series.size() >= series_per_check_max || ids(check, metric).size() >= series_per_metric_max; };
  if (full() && !(let_stale_go(check, now_ns) && !full())) return nullptr;
  const auto want = check.wants.find(metric);
  auto key = std::make_shared<store::SeriesKey>(store::SeriesKey{check.name, std::string(metric), labels, std::string(unit), shape});
  auto series =
      std::make_unique<Series>(std::move(key), keep_for(want == check.wants.end() ? MetricWant() : want->second, check.interval_ns));
  if (free_.empty()) {
    free_.push_back(static_cast<SeriesId>(series_.size()));
    series_.emplace_back();
    owners_.emplace_back();
  }
  const SeriesId id = free_.back();
  free_.pop_back();
  series_[id] = std::move(series);
  owners_[id] = &check;
  check.series.insert(place(), id);
  return series_[id].get();
}

void History::Impl::add_metrics(Check& check, const Result& result, store::Sampled& sampled) {
  for (wire::Metric& metric : plugin::decode_metrics(result.metrics)) {
    if (metric.name == status_metric || metric.name == duration_metric) continue;  // a condition means the check's own
    const auto [value, unit] = plugin::in_base_unit(metric.value, metric.unit);
    std::ranges::sort(metric.labels);
    Series* series = std::isfinite(value) ? series_of(check, metric.name, metric.labels, unit,
                                                      metric.counter ? Shape::counter : Shape::gauge, result.ended_ns)
                                          : nullptr;
    if (series == nullptr) {
      ++dropped_;
      continue;
    }
    series->add({result.ended_ns, value});
    sampled.values.emplace_back(series->key(), value);
  }
}

std::optional<store::Sampled> History::Impl::observe(const Result& result) {
  Check* check = find(result.check);
  if (check == nullptr) return {};
  if (check->now && result.ended_ns < check->now->last_result_ns) ++steps_;
  const double seconds = static_cast<double>(result.duration_ns) / 1e9;
  check->now = CheckNow{result.status, result.since_ns, result.ended_ns, seconds};
  store::Sampled sampled{result.ended_ns, {}};
  const auto own = [&](std::string_view metric, std::string_view unit, double value) {
    Series* series = series_of(*check, metric, {}, unit, Shape::gauge, result.ended_ns);
    if (series == nullptr) return;
    series->add({result.ended_ns, value});
    sampled.values.emplace_back(series->key(), value);
  };
  own(status_metric, "", static_cast<double>(result.status));
  own(duration_metric, "s", seconds);
  add_metrics(*check, result, sampled);
  return sampled;
}

// ---- History --------------------------------------------------------------------------------

History::History(schedule::ZonePtr zone) : impl_(std::make_unique<Impl>(std::move(zone))) {}
History::~History() = default;
void History::want(const std::vector<Want>& wants, const std::vector<std::string>& tasks) {
  impl_->want(wants, tasks);
}
void History::use_zone(schedule::ZonePtr zone) {
  impl_->zone_ = std::move(zone);
}
bool History::wants(std::string_view check) const {
  return impl_->find(check) != nullptr;
}
std::optional<store::Sampled> History::observe(const Result& result) {
  return impl_->observe(result);
}

std::optional<store::Sampled> History::observe_value(std::string_view check, std::string_view metric, std::int64_t at_ns, double value,
                                                     const Labels& labels) {
  Check* owner = impl_->find(check);
  if (owner == nullptr) return {};
  Series* series = std::isfinite(value) ? impl_->series_of(*owner, metric, labels, "", Shape::gauge, at_ns) : nullptr;
  if (series == nullptr) {
    ++impl_->dropped_;
    return {};
  }
  series->add({at_ns, value});
  return store::Sampled{at_ns, {{series->key(), value}}};
}

void History::task_succeeded(std::string_view task, std::int64_t at_ns) {
  const auto found = impl_->tasks_.find(task);
  if (found == impl_->tasks_.end()) return;
  found->second.last_success_ns = at_ns;
  found->second.is_restored = false;
}

void History::move(std::int64_t by_ns, std::int64_t now_ns) {
  for (auto& [name, check] : impl_->checks_) {
    if (!check->now || !check->now->duration_s) continue;  // it has not run in this life
    check->now->since_ns = moved_with_clock(check->now->since_ns, by_ns, now_ns);
    check->now->last_result_ns = moved_with_clock(check->now->last_result_ns, by_ns, now_ns);
  }
  for (auto& [name, task] : impl_->tasks_) {
    if (task.is_restored) continue;
    task.last_success_ns = moved_with_clock(task.last_success_ns, by_ns, now_ns);
    task.known_since_ns = moved_with_clock(task.known_since_ns, by_ns, now_ns);
  }
  for (const auto& series : impl_->series_) {
    if (series != nullptr) series->move(by_ns, now_ns);
  }
}

void History::note_tasks(std::int64_t now_ns) {
  for (auto& [name, task] : impl_->tasks_) {
    if (task.known_since_ns == 0) task.known_since_ns = now_ns;
  }
}

void History::restore_task(std::string_view task, std::int64_t last_success_ns, std::int64_t known_since_ns) {
  const auto found = impl_->tasks_.find(task);
  if (found == impl_->tasks_.end()) return;
  found->second.is_restored = found->second.last_success_ns <= last_success_ns;
  found->second.last_success_ns = std::max(found->second.last_success_ns, last_success_ns);
  found->second.known_since_ns = known_since_ns;
}

std::vector<History::Load> History::loads(std::int64_t now_ns) const {
  std::vector<Load> out;
  for (const auto& [name, check] : impl_->checks_) {
    for (const auto& [metric, want] : check->wants) {
      const Keep keep = keep_for(want, check->interval_ns);
      Load load{name, metric, 0, 0, 0};
      load.points_after_ns = now_ns - std::max({keep.points_ns, 3 * check->interval_ns, 2 * minute});
      if (keep.rollups_ns > 0) load.rollups_after_ns = now_ns - keep.rollups_ns;
      if (keep.hours_ns > 0) load.hours_after_ns = now_ns - keep.hours_ns;
      out.push_back(std::move(load));
    }
  }
  std::ranges::sort(out, {}, [](const Load& load) { return std::pair(load.check, load.metric); });
  return out;
}

void History::restore(const store::SeriesKey& key, std::span<const Point> points, std::span<const Rollup> five_minutes,
                      std::span<const Rollup> hours) {
  Check* check = impl_->find(key.check);
  if (check == nullptr || (points.empty() && five_minutes.empty() && hours.empty())) return;
  for (const SeriesId id : impl_->ids(*check, key.metric)) {
    const store::SeriesKey& now = *impl_->series_[id]->key();
    if (now.labels == key.labels && (now.unit != key.unit || now.shape != key.shape)) return;  // of another unit: from before
  }
  Series* series = impl_->series_of(*check, key.metric, key.labels, key.unit, key.shape, points.empty() ? 0 : points.back().at_ns);
  if (series != nullptr) series->restore(points, five_minutes, hours);
}

void History::restore_check(std::string_view name, const CheckNow& now) {
  Check* check = impl_->find(name);
  if (check != nullptr && !check->now) check->now = now;
}

// ---- View -----------------------------------------------------------------------------------

namespace {

template <class T, class At>
std::span<const T> between(std::span<const T> all, std::int64_t after_ns, std::int64_t until_ns, At at) {
  const auto begin = std::ranges::upper_bound(all, after_ns, {}, at);
  const auto end = std::ranges::upper_bound(begin, all.end(), until_ns, {}, at);
  return {begin, end};
}

}  // namespace

std::optional<CheckNow> History::check(std::string_view name) const {
  const Check* check = impl_->find(name);
  return check != nullptr ? check->now : std::nullopt;
}

std::vector<SeriesId> History::series(std::string_view name, std::string_view metric) const {
  const Check* check = impl_->find(name);
  return check != nullptr ? impl_->ids(*check, metric) : std::vector<SeriesId>();
}

const SeriesInfo& History::info(SeriesId id) const {
  static const SeriesInfo none;
  const Series* series = impl_->find(id);
  return series != nullptr ? series->info() : none;
}

std::span<const Point> History::points(SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const {
  const Series* series = impl_->find(id);
  if (series == nullptr || after_ns >= until_ns) return {};
  return between(series->points(), after_ns, until_ns, &Point::at_ns);
}

std::span<const Rollup> History::rollups(SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const {
  const Series* series = impl_->find(id);
  if (series == nullptr || after_ns >= until_ns) return {};
  // (after, until] as stretches: from after to until, a beginning at `after` is inside
  return between(series->rollups(), after_ns - 1, until_ns - store::five_minutes_ns, &Rollup::from_ns);
}

std::optional<double> History::baseline(SeriesId id, std::int64_t at_ns, std::int64_t frozen_at_ns) const {
  const Series* series = impl_->find(id);
  if (series == nullptr || impl_->zone_ == nullptr) return {};
  return measure::baseline(series->hours(), at_ns, frozen_at_ns, *impl_->zone_);
}

std::optional<std::int64_t> History::task_last_success_ns(std::string_view task) const {
  const auto found = impl_->tasks_.find(task);
  return found != impl_->tasks_.end() && found->second.last_success_ns != 0 ? std::optional(found->second.last_success_ns) : std::nullopt;
}

std::optional<std::int64_t> History::task_known_since_ns(std::string_view task) const {
  const auto found = impl_->tasks_.find(task);
  const bool is_so = found != impl_->tasks_.end() && found->second.last_success_ns == 0 && found->second.known_since_ns != 0;
  return is_so ? std::optional(found->second.known_since_ns) : std::nullopt;
}

std::span<const Point> History::statuses(std::string_view name, std::int64_t after_ns, std::int64_t until_ns) const {
  const auto ids = series(name, status_metric);
  return ids.empty() ? std::span<const Point>() : points(ids.front(), after_ns, until_ns);
}

std::int64_t History::interval_ns(SeriesId id) const {
  return id < impl_->owners_.size() && impl_->owners_[id] != nullptr ? impl_->owners_[id]->interval_ns : 0;
}

std::int64_t History::reach_ns(SeriesId id) const {
  const std::int64_t interval = interval_ns(id);
  return interval > 0 ? std::min<std::int64_t>(points_reach_ns, interval * std::int64_t{points_max}) : points_reach_ns;
}

History::Size History::size() const {
  Size out;
  out.checks = impl_->checks_.size();
  for (const auto& series : impl_->series_) {
    if (series == nullptr) continue;
    ++out.series;
    out.points += series->points().size();
    out.bytes += series->bytes();
  }
  out.dropped_values = impl_->dropped_;
  out.clock_steps = impl_->steps_;
  return out;
}

}  // namespace ronda::measure
