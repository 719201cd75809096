// SPDX-License-Identifier: Apache-2.0
// `ronda rules backtest`: the rules of conf.d as it is on disk, over what the agent's store has: what would have fired, and
// when. The agent only reads samples, piece by piece; the judging is done here.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>

#include "api/json.hpp"
#include "base/clock.hpp"
#include "base/counted.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/incident_text.hpp"
#include "cli/local.hpp"
#include "cli/rules.hpp"
#include "cli/show.hpp"
#include "incident/moment.hpp"
#include "measure/baseline.hpp"
#include "measure/load.hpp"
#include "measure/series.hpp"
#include "rule/candidate_facts.hpp"
#include "rule/given.hpp"
#include "rule/replay_objective.hpp"

namespace ronda::cli {
namespace {

using namespace std::chrono_literals;
using measure::Point;

constexpr std::int64_t day_ns = 24 * store::hour_ns, week_ns = 7 * day_ns;
/// As far back as a baseline that stands still looks, and so far a success of a task is looked for.
constexpr std::int64_t hours_before_ns = (2 * measure::baseline_weeks + 1) * week_ns;
/// Before that what the store has of a task's ends is there by the hour for sure.
constexpr std::int64_t ends_before_ns = 3 * store::hour_ns;
constexpr Nanos usual_length = 24h, longest_length = std::chrono::days(400);
constexpr std::string_view status_metric = "status";

struct Stretch {
  std::int64_t from_ns = 0, until_ns = 0;
};

/// What is read of one metric: as far back as the longest window that looks at it.
struct Wanted {
  std::string check, metric;
  std::int64_t before_ns = 0;
  bool hours = false;  // too, and by them as far back as hours_before_ns: for a baseline, or for when a task had succeeded
};

bool is_task(const Wanted& wanted) {
  return wanted.check.starts_with(rule::task_prefix);
}

/// One question to the agent.
struct Piece {
  std::size_t wanted = 0;
  store::SampleLevel level = store::SampleLevel::raw;
  std::int64_t after_ns = 0, until_ns = 0;
};

/// What is tested: an alert of conditions, or that of an objective.
struct Target {
  const rule::Alert* alert = nullptr;
  const rule::Slo* slo = nullptr;
};

std::vector<std::string_view> judged_metrics(const measure::slo::Objective& objective) {
  if (objective.counts) return {measure::good_requests_metric, measure::bad_requests_metric};
  return {measure::judgement_metric};
}

std::vector<Wanted> wanted_of(const std::vector<Target>& targets) {
  std::map<std::pair<std::string, std::string>, Wanted> out;
  const auto want = [&](const std::string& check, std::string_view metric, std::int64_t before, bool hours = false) {
    Wanted& known = out[{check, std::string(metric)}];
    known = {check, std::string(metric), std::max(known.before_ns, before), known.hours || hours};
  };
  const auto take = [&](const std::optional<rule::Condition>& condition) {
    if (!condition) return;
    for (const rule::Need& need : condition->needs) {
      want(need.check, need.metric.empty() ? status_metric : std::string_view(need.metric), need.window_ns, need.baseline);
      want(need.check, status_metric, need.window_ns);
    }
  };
  for (const auto& [alert, slo] : targets) {
    if (slo != nullptr) {
      const measure::slo::Objective& objective = slo->definition.objective;
      for (const std::string_view metric : judged_metrics(objective))
        want(measure::judgements_of(objective), metric, measure::slo::burn_rules.back().long_ns);
      continue;
    }
    for (const rule::Rung& rung : alert->rungs) take(rung.when), take(rung.clear);
    take(alert->clear);
    for (const auto* names : {&alert->checks, &alert->parents}) {
      for (const std::string& name : *names) want(name, status_metric, alert->patience_ns);
    }
    for (const std::string& task : alert->tasks) want(task, status_metric, ends_before_ns, true);
  }
  std::vector<Wanted> list;
  for (auto& [key, wanted] : out) list.push_back(std::move(wanted));
  return list;
}

/// On a terminal, on standard error, and only when it takes a while.
class Progress {
 public:
  explicit Progress(bool wanted) : shows_(wanted && ::isatty(STDERR_FILENO) != 0), since_(boottime()) {}
  ~Progress() {
    if (drawn_) std::cerr << "\r\033[K" << std::flush;
  }
  void show(double share, const std::string& what) {
    if (!shows_ || boottime() - since_ < 500ms) return;
    drawn_ = true;
    std::cerr << "\r\033[K" << progress_bar(share) << " " << what << std::flush;
  }

 private:
  const bool shows_;
  const Nanos since_;
  bool drawn_ = false;
};

class Reader {
 public:
  Reader(const Options& options, const std::vector<Wanted>& wanted, Stretch stretch) : options_(options), wanted_(wanted) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      // the newest last: units and shapes are those of now
      using enum store::SampleLevel;
      if (wanted[i].hours) plan(i, hours, stretch.from_ns - hours_before_ns, stretch.until_ns, 12 * day_ns);
      plan(i, five_minutes, stretch.from_ns - wanted[i].before_ns, stretch.until_ns, 4 * day_ns);
      plan(i, raw, stretch.from_ns - wanted[i].before_ns, stretch.until_ns, store::hour_ns);
    }
  }

  /// 0, or the exit code of what could not be read.
  int read(Progress& progress) {
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      const Piece& piece = pieces_[i];
      const Wanted& wanted = wanted_[piece.wanted];
      progress.show(static_cast<double>(i) / static_cast<double>(pieces_.size()), "reading " + wanted.check + "." + wanted.metric);
      const auto answer = ask_json(options_, "GET",
                                   "/v1/samples?check=" + percent_encode(wanted.check) + "&metric=" + percent_encode(wanted.metric) +
                                       "&level=" + level_name(piece.level) + "&after_ns=" + std::to_string(piece.after_ns) +
                                       "&until_ns=" + std::to_string(piece.until_ns));
      if (!answer) return answer.error();
      for (const json::value& one : list_of(answer->value.as_object(), "series")) take(piece, wanted, one.as_object());
      if (is_task(wanted)) take_task(wanted, answer->value.as_object());
    }
    return 0;
  }

  /// What was read of an objective's judgements, without those of another condition. To be asked for before given().
  rule::Judged judged(const measure::slo::Objective& objective, std::string_view metric) const {
    for (const auto& [key, series] : found_) {
      const rule::GivenSeries& one = series.given;
      if (one.check == measure::judgements_of(objective) && one.metric == metric && one.info.labels == measure::judgement_labels(objective))
        return {series.stretches, series.raw};
    }
    return {};
  }

  /// What was read, as a history; the instant from which single results are known.
  rule::Given given(const schedule::ZonePtr& zone, std::int64_t& single_from_ns) {
    rule::Given out;
    out.use_zone(zone);
    single_from_ns = 0;
    add_tasks(out);
    for (auto& [key, series] : found_) {
      // stretches stand only for the time of which the single ones are gone
      const std::int64_t first = series.raw.empty() ? INT64_MAX : series.raw.front().at_ns;
      std::erase_if(series.rolled, [&](const Point& point) { return point.at_ns >= first; });
      if (!series.rolled.empty()) single_from_ns = std::max(single_from_ns, first);
      const std::int64_t first_point = series.rolled.empty() ? first : series.rolled.front().at_ns;
      std::erase_if(series.ends, [&](const Point& point) { return point.at_ns >= first_point; });
      std::vector<Point> points = std::move(series.ends);
      points.insert(points.end(), series.rolled.begin(), series.rolled.end());
      points.insert(points.end(), series.raw.begin(), series.raw.end());
      std::ranges::sort(points, {}, &Point::at_ns);
      if (series.given.metric == status_metric) out.add_statuses(series.given.check, points);
      series.given.points = std::move(points);
      out.add(std::move(series.given));
    }
    return out;
  }

 private:
  struct Found {
    rule::GivenSeries given;
    std::vector<measure::Rollup> stretches;
    std::vector<Point> rolled, raw;  // `rolled`: points that stand for the stretches
    std::vector<Point> ends;         // of a task: points that stand for the hours
  };

  struct TaskNow {
    std::int64_t last_success_ns = 0, known_since_ns = 0;  // 0: none
  };

  void plan(std::size_t wanted, store::SampleLevel level, std::int64_t after, std::int64_t until, std::int64_t length) {
    for (std::int64_t from = std::max<std::int64_t>(after, 0); from < until; from += length)
      pieces_.push_back({wanted, level, from, std::min(from + length, until)});
  }

  static std::string level_name(store::SampleLevel level) {
    return level == store::SampleLevel::raw ? "raw" : level == store::SampleLevel::hours ? "hours" : "five_minutes";
  }

  void take_task(const Wanted& wanted, const json::object& answer) {
    const json::value* task = answer.if_contains("task");
    if (task == nullptr || !task->is_object()) return;
    TaskNow& now = tasks_[wanted.check];
    now.last_success_ns = integer_of(task->get_object(), "last_success_ns");
    now.known_since_ns = integer_of(task->get_object(), "known_since_ns");
  }

  /// What the agent remembers of them. That a task never succeeded is known for as long as it is known to end otherwise.
  void add_tasks(rule::Given& out) const {
    for (const auto& [check, now] : tasks_) {
      const std::string name = check.substr(rule::task_prefix.size());
      if (now.last_success_ns != 0) out.add_task(name, now.last_success_ns);
      if (now.last_success_ns != 0 || now.known_since_ns == 0) continue;
      std::int64_t since = now.known_since_ns;
      for (const auto& [key, series] : found_) {
        if (series.given.check != check) continue;
        for (const auto* points : {&series.ends, &series.rolled, &series.raw}) {
          if (!points->empty()) since = std::min(since, points->front().at_ns);
        }
      }
      out.add_unsuccessful_task(name, since);
    }
  }

  void take(const Piece& piece, const Wanted& wanted, const json::object& one) {
    std::string key = wanted.check + "\n" + wanted.metric;
    measure::Labels labels;
    const json::value* named = one.if_contains("labels");
    for (const auto& [name, value] : named != nullptr && named->is_object() ? named->get_object() : json::object()) {
      labels.emplace_back(name, text_of(value));
      key += "\n" + labels.back().first + "=" + labels.back().second;
    }
    std::ranges::sort(labels);
    Found& found = found_[key];
    found.given.check = wanted.check;
    found.given.metric = wanted.metric;
    found.given.info = {labels, text_of(one, "unit"), is_set(one, "counter") ? measure::Shape::counter : measure::Shape::gauge};
    for (const json::value& row : list_of(one, "points")) {
      if (row.is_array()) take_row(piece, wanted, row.get_array(), found);
    }
  }

  static void take_row(const Piece& piece, const Wanted& wanted, const json::array& row, Found& found) {
    const auto number = [&](std::size_t i) { return row.at(i).to_number<double>(); };
    const auto instant = [&](std::size_t i) { return row.at(i).to_number<std::int64_t>(); };
    if (piece.level == store::SampleLevel::raw) {
      if (row.size() == 2) found.raw.push_back({instant(0), number(1)});
      return;
    }
    if (row.size() != 10) return;
    measure::Rollup rollup;
    rollup.from_ns = instant(0);
    rollup.count = static_cast<std::uint64_t>(instant(1));
    rollup.first_ns = instant(2), rollup.first = number(3);
    rollup.last_ns = instant(4), rollup.last = number(5);
    rollup.min = number(6), rollup.max = number(7);
    rollup.sum = number(8) * static_cast<double>(rollup.count);
    rollup.increase = number(9);
    if (piece.level == store::SampleLevel::hours) {
      if (!is_task(wanted)) return found.given.hours.push_back(measure::hour_value(rollup, found.given.info.shape));
      const auto ends = rule::spread(rollup, true);
      found.ends.insert(found.ends.end(), ends.begin(), ends.end());
      return;
    }
    found.stretches.push_back(rollup);
    const auto points = rule::spread(rollup, wanted.metric == status_metric);
    found.rolled.insert(found.rolled.end(), points.begin(), points.end());
  }

  const Options& options_;
  const std::vector<Wanted>& wanted_;
  std::vector<Piece> pieces_;
  std::map<std::string, Found> found_;
  std::map<std::string, TaskNow> tasks_;  // by "task.NAME"
};

/// False: not meant, which was said.
bool read_stretch(const Options& options, const schedule::Zone& zone, Stretch& out) {
  const auto moment = [&](std::string_view flag, std::int64_t& at) {
    if (!options.has(flag)) return true;
    const auto read = people::parse_moment(options.value(flag), zone);
    if (read) at = *read;
    if (!read) complain("--" + std::string(flag) + ": " + read.error().message());
    return read.has_value();
  };
  const std::int64_t now = wall_clock().count();
  out.until_ns = now;
  if (!moment("to", out.until_ns)) return false;
  Nanos since = usual_length;
  if (options.has("since")) {
    const auto length = parse_duration(options.value("since"));
    if (options.has("from") || !length || *length <= Nanos(0) || *length > longest_length) {
      complain(options.has("from")
                   ? "--since and --from exclude each other"
                   : "--since is a duration up to 400d like \"30d\", not \"" + escape_controls(options.value("since")) + "\"");
      return false;
    }
    since = *length;
  }
  out.from_ns = out.until_ns - since.count();
  if (!moment("from", out.from_ns)) return false;
  out.until_ns = std::min(out.until_ns, now);
  if (out.from_ns < out.until_ns && out.until_ns - out.from_ns <= longest_length.count()) return true;
  complain("what is looked at begins before it ends, and is at most 400d long");
  return false;
}

/// None named: all. False: there is none of that name, which was said.
bool find_alerts(const Options& options, const rule::RuleSet& rules, const rule::SloSet& objectives, std::vector<Target>& out) {
  std::vector<Target> all;
  for (const rule::Alert& alert : rules.alerts) all.push_back({&alert, nullptr});
  for (const rule::Slo& slo : objectives.slos) all.push_back({&slo.alert, &slo});
  for (std::size_t i = 1; i < options.arguments.size(); ++i) {
    const std::string& name = options.arguments[i];
    const auto found = std::ranges::find_if(all, [&](const Target& one) { return one.alert->name == name; });
    if (found == all.end()) {
      std::vector<std::string_view> names;
      for (const Target& one : all) names.push_back(one.alert->name);
      const std::string_view near = nearest(name, names);
      complain("there is no alert \"" + escape_controls(name) + "\"" +
               (near.empty() ? std::string() : "; did you mean \"" + std::string(near) + "\"?"));
      return false;
    }
    out.push_back(*found);
  }
  if (options.arguments.size() == 1) out = std::move(all);
  return true;
}

struct Replayed {
  const rule::Alert* alert = nullptr;
  std::size_t results = 0;  // of its checks and tasks in the time that was looked at; of an objective its judgements
  bool is_judged = false;   // there was something to judge
  rule::Backtest test;
  std::vector<std::string> unread;  // what of it the store does not tell, and why
};

/// Of what a condition calls usual: the agent made it of hours then, and of those the store may have fewer now.
void tell_of_usual(const rule::Given& given, const rule::Need& need, std::int64_t from_ns, const schedule::Zone& zone,
                   std::vector<std::string>& out) {
  const std::string what = "what was usual of " + need.check + "." + (need.metric.empty() ? "status" : need.metric);
  std::int64_t first = INT64_MAX;
  for (const measure::SeriesId id : given.series(need.check, need.metric)) {
    if (!given.hours(id).empty()) first = std::min(first, given.hours(id).front().at_ns);
  }
  const std::int64_t known_ns = first == INT64_MAX ? first : first + measure::baseline_least_weeks * week_ns;
  if (first == INT64_MAX)
    out.push_back(what + ": baseline() asks for hours of weeks before, and the store has none");
  else if (known_ns > from_ns)
    out.push_back(what + " before " + people::moment_text(known_ns, zone) + ": the store has hours of it since " +
                  people::moment_text(first, zone) + " and baseline() needs " +
                  counted(static_cast<std::uint64_t>(measure::baseline_least_weeks), "week"));
}

/// From when on the age of a task is known; INT64_MAX: never.
std::int64_t age_known_from(const rule::Given& given, const std::string& task) {
  std::int64_t from = INT64_MAX;
  for (const Point& end : given.statuses(task, INT64_MIN, INT64_MAX)) {
    if (end.value != static_cast<double>(measure::Status::ok)) continue;
    from = end.at_ns;
    break;
  }
  const std::string_view name = std::string_view(task).substr(rule::task_prefix.size());
  for (const auto& one : {given.task_last_success_ns(name), given.task_known_since_ns(name)}) from = std::min(from, one.value_or(from));
  return from;
}

void tell_of_age(const rule::Given& given, const std::string& task, std::int64_t from_ns, const schedule::Zone& zone,
                 std::vector<std::string>& out) {
  const std::int64_t known_ns = age_known_from(given, task);
  const std::string what = "when " + task + " had succeeded last";
  if (known_ns == INT64_MAX)
    out.push_back(what + ": neither the store nor the agent knows of a success, or of since when there was none");
  else if (known_ns > from_ns)
    out.push_back(what + " before " + people::moment_text(known_ns, zone) + ": that is the first that is known of it");
}

/// What of its conditions stays unknown here, and until when.
std::vector<std::string> unread_of(const rule::Given& given, const rule::Alert& alert, Stretch stretch, const schedule::Zone& zone) {
  std::map<std::string, rule::Need> usual;
  const auto take = [&](const std::optional<rule::Condition>& condition) {
    if (!condition) return;
    for (const rule::Need& need : condition->needs) {
      if (need.baseline) usual.emplace(need.check + "." + need.metric, need);
    }
  };
  for (const rule::Rung& rung : alert.rungs) take(rung.when), take(rung.clear);
  take(alert.clear);
  std::vector<std::string> out;
  for (const auto& [name, need] : usual) tell_of_usual(given, need, stretch.from_ns, zone, out);
  for (const std::string& task : alert.tasks) tell_of_age(given, task, stretch.from_ns, zone, out);
  return out;
}

bool is_in(std::int64_t at_ns, Stretch stretch) {
  return at_ns > stretch.from_ns && at_ns <= stretch.until_ns;
}

Replayed test_slo(const Reader& reader, const rule::Slo& slo, Stretch stretch) {
  Replayed out{&slo.alert, 0, false, {}, {}};
  const measure::slo::Objective& objective = slo.definition.objective;
  const std::vector<std::string_view> metrics = judged_metrics(objective);
  const rule::Judged good = reader.judged(objective, metrics.front());
  const rule::Judged bad = metrics.size() > 1 ? reader.judged(objective, metrics.back()) : rule::Judged();
  const std::int64_t first = good.single.empty() ? INT64_MAX : good.single.front().at_ns;
  for (const Point& point : good.single) out.results += is_in(point.at_ns, stretch) ? 1 : 0;
  for (const measure::Rollup& one : good.rolled) {
    if (one.last_ns < first && is_in(one.last_ns, stretch)) out.results += one.count;
  }
  out.is_judged = out.results > 0;
  if (out.is_judged) out.test = rule::backtest(slo, rule::stretches_of(slo, good, bad), stretch.from_ns, stretch.until_ns);
  if (!out.is_judged)
    out.unread.emplace_back("what `good` was: only the agent judges it, and keeps nothing of a condition that it never had");
  return out;
}

/// Before the first result that is known of its checks nothing is judged: the agent that would have looked then was not there, and
/// that nothing was known to it, and then was, is no coming and going of the alert.
std::int64_t begin_of(const rule::Given& given, const rule::Alert& alert, Stretch stretch) {
  if (!alert.tasks.empty()) return stretch.from_ns;
  std::int64_t first = INT64_MAX;
  for (const std::string& name : alert.checks) {
    const auto known = given.statuses(name, INT64_MIN, stretch.until_ns);
    if (!known.empty()) first = std::min(first, known.front().at_ns);
  }
  return first == INT64_MAX ? stretch.from_ns : std::max(stretch.from_ns, first);
}

Replayed test_alert(const rule::Given& given, const rule::RuleSet& rules, const rule::Alert& alert, Stretch stretch,
                    const schedule::Zone& zone) {
  Replayed out{&alert, 0, false, {}, unread_of(given, alert, stretch, zone)};
  for (const auto* names : {&alert.checks, &alert.tasks}) {
    for (const std::string& name : *names) out.results += given.statuses(name, stretch.from_ns, stretch.until_ns).size();
  }
  // a task that does not run any more grows old without a result
  const auto is_known = [&](const std::string& task) { return age_known_from(given, task) <= stretch.until_ns; };
  out.is_judged = out.results > 0 || std::ranges::any_of(alert.tasks, is_known);
  if (out.is_judged) out.test = rule::backtest(alert, rules.facts, given, begin_of(given, alert, stretch), stretch.until_ns);
  return out;
}

void print_text(const Replayed& tested, const schedule::Zone& zone) {
  const rule::Backtest& test = tested.test;
  std::cout << tested.alert->name << ": "
            << (!tested.is_judged ? std::string(tested.alert->name.starts_with(rule::slo_prefix) ? "there is no judgement of it"
                                                                                                 : "there is no result of its checks")
                                  : "would have fired " + counted(test.fired, "time"))
            << (test.replay.is_cut ? ", and not all of it was looked at" : "") << "\n";
  for (const std::string& one : tested.unread) std::cout << "  not known here: " << one << "\n";
  for (const rule::Change& change : test.replay.changes) {
    std::cout << "  " << people::moment_text(change.at_ns, zone) << "  "
              << level_label(change.to == config::Level::none ? json::value(nullptr) : json::value(config::level_name(change.to))) << "  "
              << padded(std::string(rule::what_name(change.what)), 13) << escape_controls(change.reason) << "\n";
  }
  if (test.replay.state.flapping.holds()) std::cout << "  at the end it is held at its level: it comes and goes\n";
  for (std::size_t i = 0; i < test.reached.size(); ++i) {
    if (test.reached[i] == 0) continue;
    std::cout << "  p" << i + 1 << ": " << counted(test.reached[i], "time") << ", "
              << format_duration(Nanos(test.time_ns[i] / 1'000'000'000 * 1'000'000'000)) << " in all\n";
  }
}

json::object as_json(const Replayed& tested) {
  const auto level = [](config::Level one) {
    return one == config::Level::none ? json::value(nullptr) : json::value(config::level_name(one));
  };
  json::array changes;
  for (const rule::Change& change : tested.test.replay.changes) {
    changes.push_back(json::object{{"at", api::time_json(change.at_ns)},
                                   {"what", rule::what_name(change.what)},
                                   {"from", level(change.from)},
                                   {"to", level(change.to)},
                                   {"reason", change.reason},
                                   {"value", change.value}});
  }
  json::object reached, time;
  for (std::size_t i = 0; i < tested.test.reached.size(); ++i) {
    const std::string name = "p" + std::to_string(i + 1);
    reached[name] = tested.test.reached[i];
    time[name] = static_cast<double>(tested.test.time_ns[i]) / 1e9;
  }
  return {{"name", tested.alert->name},       {"results", tested.results},
          {"fired", tested.test.fired},       {"reached", std::move(reached)},
          {"time_s", std::move(time)},        {"looks", tested.test.replay.looks},
          {"cut", tested.test.replay.is_cut}, {"flapping", tested.test.replay.state.flapping.holds()},
          {"changes", std::move(changes)},    {"not_known", json::value_from(tested.unread)}};
}

}  // namespace

int rules_backtest(const Options& options) {
  LocalParts parts;
  schedule::Candidate candidate = load_local(options, parts);
  if (is_unread(candidate)) return exit_undetermined;
  const schedule::ZonePtr zone = candidate.zone;
  Stretch stretch;
  if (!read_stretch(options, *zone, stretch)) return exit_usage;
  const rule::RuleSet rules = rule::load_alerts(candidate);
  const rule::SloSet objectives = rule::load_slos(candidate, rules.facts);
  if (candidate.diagnostics.has_errors())
    complain("conf.d has " + counted(candidate.diagnostics.errors(), "error") + ": what is wrong is left out ('ronda validate' shows it)");
  std::vector<Target> targets;
  if (!find_alerts(options, rules, objectives, targets)) return exit_usage;
  if (targets.empty()) {
    complain("there is no alert in " + options.config);
    return exit_usage;
  }
  Progress progress(!options.json);
  const std::vector<Wanted> wanted = wanted_of(targets);
  Reader reader(options, wanted, stretch);
  if (const int failed = reader.read(progress); failed != 0) return failed;
  std::vector<Replayed> all;
  bool any_judged = false;
  const auto add = [&](Replayed tested) {
    any_judged = any_judged || tested.is_judged;
    all.push_back(std::move(tested));
  };
  const auto show = [&](const Target& target) {
    progress.show(static_cast<double>(all.size()) / static_cast<double>(targets.size()), "judging " + target.alert->name);
  };
  for (const Target& target : targets) {
    if (target.slo == nullptr) continue;
    show(target);
    add(test_slo(reader, *target.slo, stretch));
  }
  std::int64_t single_from_ns = 0;
  const rule::Given given = reader.given(zone, single_from_ns);
  for (const Target& target : targets) {
    if (target.slo != nullptr) continue;
    show(target);
    add(test_alert(given, rules, *target.alert, stretch, *zone));
  }
  if (options.json) {
    json::array out;
    for (const Replayed& one : all) out.push_back(as_json(one));
    const bool any_single = single_from_ns != INT64_MAX;
    std::cout << json::serialize(json::object{{"from", api::time_json(stretch.from_ns)},
                                              {"to", api::time_json(stretch.until_ns)},
                                              {"single_results_from", any_single ? api::time_json(single_from_ns) : json::value(nullptr)},
                                              {"alerts", std::move(out)}})
              << "\n";
  } else {
    std::cout << "from " << people::moment_text(stretch.from_ns, *zone) << " to " << people::moment_text(stretch.until_ns, *zone) << "\n";
    if (single_from_ns != 0)
      std::cout << "what is older than " << (single_from_ns == INT64_MAX ? std::string("that") : people::moment_text(single_from_ns, *zone))
                << " is kept as five-minute stretches: instants there are not exact\n";
    for (const Replayed& one : all) print_text(one, *zone);
  }
  return any_judged ? exit_done : exit_undetermined;
}

}  // namespace ronda::cli
