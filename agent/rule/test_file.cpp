// SPDX-License-Identifier: Apache-2.0
#include "rule/test_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <map>
#include <set>

#include "base/text.hpp"
#include "config/core_keys.hpp"
#include "config/fields.hpp"
#include "config/objects.hpp"
#include "rule/test_values.hpp"

namespace ronda::rule {
namespace {

using config::Member;
using config::Place;
using config::Scope;
using config::Table;
using config::Value;

constexpr std::array<std::string_view, 5> top_keys = {"conf", "alert", "check", "service", "test"};
constexpr std::array<std::string_view, 5> test_keys = {"name", "start", "series", "task", "expect"};
constexpr std::array<std::string_view, 9> series_keys = {"check", "metric", "labels", "kind",    "every",
                                                         "from",  "values", "points", "baseline"};
constexpr std::array<std::string_view, 2> task_keys = {"task", "success"};
constexpr std::array<std::string_view, 6> expect_keys = {"at", "alert", "level", "no_data", "blocked_by", "fired"};

/// "2026-01-05T00:00:00Z" as nanoseconds since 1970.
std::optional<std::int64_t> parse_instant(std::string_view text) {
  std::array<int, 6> parts{};
  constexpr std::string_view form = "0000-00-00T00:00:00Z";
  if (text.size() != form.size()) return {};
  std::size_t part = 0;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '0') {
      if (text[i] != form[i]) return {};
      ++part;
    } else if (text[i] < '0' || text[i] > '9') {
      return {};
    } else {
      parts[part] = parts[part] * 10 + (text[i] - '0');
    }
  }
  const std::chrono::year_month_day day{std::chrono::year(parts[0]), std::chrono::month(static_cast<unsigned>(parts[1])),
                                        std::chrono::day(static_cast<unsigned>(parts[2]))};
  if (!day.ok() || parts[0] < 1971 || parts[0] > 2200 || parts[3] > 23 || parts[4] > 59 || parts[5] > 59) return {};
  const std::int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  const std::int64_t seconds = days * 86'400 + parts[3] * 3600 + parts[4] * 60 + parts[5];
  return seconds * 1'000'000'000;
}

class FileReader {
 public:
  FileReader(const config::Generation& conf, config::Diagnostics& diagnostics) : conf_(conf), scope_(diagnostics) {}

  std::optional<TestFile> run(const Table& root) {
    read_objects(root);
    for (const Member& member : root) {
      if (member.key == "test") read_tests(member.value);
    }
    if (out_.tests.empty() && scope_.sound())
      scope_.error(root.empty() ? Place{} : root.front().key_place, "no [[test]] stands in this file");
    if (!scope_.sound()) return {};
    return std::move(out_);
  }

 private:
  struct Results {
    std::map<std::int64_t, double> statuses;  // as given
    std::set<std::int64_t> instants;          // of all series of the check
  };

  void read_objects(const Table& root);
  void read_alerts(const Value& value);
  void read_checks(const Value& value);
  void read_services(const Value& value);
  void read_tests(const Value& value);
  void read_test(const Table& table, Place place);
  void read_series(const Value& value, RulesTest& test);
  void read_one_series(const Table& table, Place place, RulesTest& test);
  void read_points(const Value& value, bool is_status, std::int64_t from, std::map<std::int64_t, double>& points, std::string& unit);
  void read_tasks(const Value& value, RulesTest& test);
  void read_expectations(const Value& value, RulesTest& test);
  void read_expectation(const Table& table, Place place, RulesTest& test);
  void add_results(RulesTest& test);

  /// Each table of a list; unknown keys are errors.
  template <class Fn>
  void each_table(std::string_view key, const Value& value, std::span<const std::string_view> known, Fn&& fn);
  const Value* required(const Table& table, Place place, std::string_view what, std::string_view key);
  std::string text(const Table& table, Place place, std::string_view what, std::string_view key);
  Nanos duration(const Table& table, std::string_view key, Nanos otherwise);
  Nanos interval_of(const std::string& check) const;
  static const Value* find(const Table& table, std::string_view key) {
    const auto found = std::ranges::find(table, key, &Member::key);
    return found == table.end() ? nullptr : &found->value;
  }

  const config::Generation& conf_;
  Scope scope_;
  TestFile out_;
  std::map<std::string, Results> results_;  // of the test at hand, by check
};

template <class Fn>
void FileReader::each_table(std::string_view key, const Value& value, std::span<const std::string_view> known, Fn&& fn) {
  const config::List* list = value.as_list();
  if (list == nullptr) return config::wrong_type(scope_, key, value, "written as [[" + std::string(key) + "]]");
  for (const Value& element : *list) {
    const Table* table = element.as_table();
    if (table == nullptr) {
      config::wrong_type(scope_, key, element, "a table");
      continue;
    }
    for (const Member& member : *table) {
      if (std::ranges::find(known, member.key) == known.end()) scope_.error(member.key_place, config::unknown_key(member.key, known));
    }
    fn(*table, element.place());
  }
}

const Value* FileReader::required(const Table& table, Place place, std::string_view what, std::string_view key) {
  const Value* value = find(table, key);
  if (value == nullptr) scope_.error(place, std::string(what) + " lacks `" + std::string(key) + "`");
  return value;
}

std::string FileReader::text(const Table& table, Place place, std::string_view what, std::string_view key) {
  const Value* value = required(table, place, what, key);
  return value == nullptr ? std::string() : config::read_text(scope_, key, *value).value_or("");
}

Nanos FileReader::duration(const Table& table, std::string_view key, Nanos otherwise) {
  const Value* value = find(table, key);
  return value == nullptr ? otherwise : config::read_duration(scope_, key, *value, Nanos(0)).value_or(otherwise);
}

Nanos FileReader::interval_of(const std::string& check) const {
  constexpr Nanos usual = std::chrono::seconds(60);
  for (const config::Generation* generation : {&out_.own, &conf_}) {
    const config::Instance* found = generation->find(config::Kind::check, check);
    if (found != nullptr && found->every) return *found->every;
  }
  return usual;
}

void FileReader::read_objects(const Table& root) {
  for (const Member& member : root) {
    if (std::ranges::find(top_keys, member.key) == top_keys.end())
      scope_.error(member.key_place, config::unknown_key(member.key, top_keys));
    if (member.key == "alert") read_alerts(member.value);
    if (member.key == "check") read_checks(member.value);
    if (member.key == "service") read_services(member.value);
  }
  std::ranges::sort(out_.own.instances, {}, &config::Instance::name);
  std::ranges::sort(out_.own.objects, {}, &config::RawObject::name);
  std::ranges::sort(out_.own.services, {}, &config::Service::name);
}

void FileReader::read_alerts(const Value& value) {
  const Table* table = value.as_table();
  if (table == nullptr) return config::wrong_type(scope_, "alert", value, "written as [alert.NAME]");
  for (const Member& member : *table) {
    config::RawObject object{"alert", member.key, member.value, member.key_place};
    if (conf_.find_raw("alert", member.key) != nullptr)
      scope_.error(member.key_place, "alert `" + member.key + "` stands in `conf` already");
    config::check_raw_object(scope_, object);
    out_.own.objects.push_back(std::move(object));
  }
}

/// Keys of the core; those of plugins may stand there too and say nothing.
void FileReader::read_checks(const Value& value) {
  const Table* table = value.as_table();
  if (table == nullptr) return config::wrong_type(scope_, "check", value, "written as [check.NAME]");
  for (const Member& member : *table) {
    const Table* keys = member.value.as_table();
    if (keys == nullptr) {
      config::wrong_type(scope_, "check", member.value, "written as [check.NAME]");
      continue;
    }
    config::Instance check;
    check.name = member.key;
    check.place = member.key_place;
    std::vector<config::Mention> mentions;
    for (const Member& key : *keys) config::read_core_key(scope_, key, check, mentions);
    if (!check.every && check.rare().at.empty() && check.rare().cron.empty()) check.every = std::chrono::seconds(60);
    out_.own.instances.push_back(std::move(check));
  }
}

void FileReader::read_services(const Value& value) {
  const Table* table = value.as_table();
  if (table == nullptr) return config::wrong_type(scope_, "service", value, "written as [service.NAME]");
  for (const Member& member : *table) {
    config::Service service;
    service.name = member.key;
    service.place = member.key_place;
    if (const Value* checks = member.value.find("checks")) service.checks = config::read_texts(scope_, "checks", *checks);
    out_.own.services.push_back(std::move(service));
  }
}

void FileReader::read_tests(const Value& value) {
  each_table("test", value, test_keys, [&](const Table& table, Place place) {
    if (out_.tests.size() < most_tests) return read_test(table, place);
    if (out_.tests.size() == most_tests) scope_.error(place, "more than " + std::to_string(most_tests) + " tests");
  });
}

void FileReader::read_test(const Table& table, Place place) {
  constexpr std::int64_t usual_start = 1'767'571'200'000'000'000;  // 2026-01-05T00:00:00Z, a Monday
  RulesTest test;
  test.place = place;
  test.from_ns = usual_start;
  results_.clear();
  test.name = text(table, place, "a test", "name");
  if (const Value* start = find(table, "start")) {
    const auto written = config::read_text(scope_, "start", *start);
    const auto instant = written ? parse_instant(*written) : std::nullopt;
    if (written && !instant) config::wrong_text(scope_, "start", *start, "must be an instant like \"2026-01-05T00:00:00Z\"", "an instant");
    test.from_ns = instant.value_or(usual_start);
  }
  if (const Value* series = find(table, "series")) read_series(*series, test);
  if (const Value* tasks = find(table, "task")) read_tasks(*tasks, test);
  if (const Value* expect = required(table, place, "a test", "expect")) read_expectations(*expect, test);
  std::ranges::stable_sort(test.expectations, {}, &Expectation::at_ns);
  add_results(test);
  out_.tests.push_back(std::move(test));
}

void FileReader::read_series(const Value& value, RulesTest& test) {
  each_table("test.series", value, series_keys, [&](const Table& table, Place place) { read_one_series(table, place, test); });
}

void FileReader::read_one_series(const Table& table, Place place, RulesTest& test) {
  GivenSeries series;
  series.check = text(table, place, "a series", "check");
  series.metric = text(table, place, "a series", "metric");
  const bool is_status = series.metric == "status";
  const Nanos every = duration(table, "every", interval_of(series.check));
  const std::int64_t from = test.from_ns + duration(table, "from", Nanos(0)).count();
  std::map<std::int64_t, double> points;
  std::string unit;
  if (const Value* values = find(table, "values")) {
    const config::List* list = values->as_list();
    if (list == nullptr) config::wrong_type(scope_, "values", *values, "a list like [\"0%\", \"6% x10\"]");
    GivenValues given;
    for (const Value& element : list == nullptr ? config::List() : *list) {
      if (const Status added = add_values(element, is_status, given); !added)
        scope_.error(element.place(), "`values`: " + added.error().message());
    }
    for (std::size_t i = 0; i < given.values.size(); ++i) {
      if (given.values[i]) points[from + static_cast<std::int64_t>(i) * every.count()] = *given.values[i];
    }
    unit = given.unit;
  }
  if (const Value* single = find(table, "points")) read_points(*single, is_status, test.from_ns, points, unit);
  Results& results = results_[series.check];
  for (const auto& [at, one] : points) results.instants.insert(at);
  if (is_status) {
    results.statuses.insert(points.begin(), points.end());
    return;
  }
  series.info.unit = series.metric == "duration" ? "s" : unit;
  if (const Value* kind = find(table, "kind")) {
    constexpr std::array<std::string_view, 2> kinds = {"gauge", "counter"};
    const bool counter = config::read_choice(scope_, "kind", *kind, kinds).value_or(0) == 1;
    series.info.shape = counter ? measure::Shape::counter : measure::Shape::gauge;
  }
  if (const Value* labels = find(table, "labels")) {
    const Table* members = labels->as_table();
    if (members == nullptr) config::wrong_type(scope_, "labels", *labels, "a table like { path = \"/\" }");
    for (const Member& label : members == nullptr ? Table() : *members)
      series.info.labels.emplace_back(label.key, config::read_text(scope_, label.key, label.value).value_or(""));
    std::ranges::sort(series.info.labels);
  }
  if (const Value* usual = find(table, "baseline")) {
    GivenValues given;
    const Status added = add_values(*usual, false, given);
    if (!added) scope_.error(usual->place(), "`baseline`: " + added.error().message());
    if (added && !given.values.empty()) series.baseline = given.values.front();
  }
  for (const auto& [at, one] : points) series.points.push_back({at, one});
  test.view.set_interval(series.check, every.count());
  test.view.add(std::move(series));
}

void FileReader::read_points(const Value& value, bool is_status, std::int64_t from, std::map<std::int64_t, double>& points,
                             std::string& unit) {
  const Table* table = value.as_table();
  if (table == nullptr) return config::wrong_type(scope_, "points", value, "a table like { \"1m30s\" = \"7%\" }");
  for (const Member& member : *table) {
    const auto at = parse_duration(member.key);
    if (!at) {
      scope_.error(member.key_place, "`points`: " + at.error().message());
      continue;
    }
    GivenValues given;
    given.unit = unit;
    const Status added = add_values(member.value, is_status, given);
    if (!added) scope_.error(member.value.place(), "`points`: " + added.error().message());
    if (added && given.values.size() == 1 && given.values.front()) points[from + at->count()] = *given.values.front();
    unit = given.unit;
  }
}

/// A result of a check is where any of its series has a value; its status is the last one given, else ok.
void FileReader::add_results(RulesTest& test) {
  for (auto& [check, results] : results_) {
    std::vector<measure::Point> statuses;
    for (const std::int64_t at : results.instants) {
      const auto given = results.statuses.upper_bound(at);
      statuses.push_back({at, given == results.statuses.begin() ? 0 : std::prev(given)->second});
    }
    test.view.add_statuses(check, std::move(statuses));
  }
}

void FileReader::read_tasks(const Value& value, RulesTest& test) {
  each_table("test.task", value, task_keys, [&](const Table& table, Place place) {
    const std::string name = text(table, place, "a task", "task");
    out_.tasks.push_back(name);
    if (required(table, place, "a task", "success") == nullptr) return;
    test.view.add_task(name, test.from_ns + duration(table, "success", Nanos(0)).count());
  });
}

void FileReader::read_expectations(const Value& value, RulesTest& test) {
  each_table("test.expect", value, expect_keys, [&](const Table& table, Place place) { read_expectation(table, place, test); });
}

void FileReader::read_expectation(const Table& table, Place place, RulesTest& test) {
  constexpr std::array<std::string_view, 5> levels = {"none", "p1", "p2", "p3", "p4"};
  Expectation expect;
  expect.place = place;
  required(table, place, "an expectation", "at");
  expect.at_ns = test.from_ns + duration(table, "at", Nanos(0)).count();
  expect.alert = text(table, place, "an expectation", "alert");
  if (const Value* level = find(table, "level")) {
    const auto choice = config::read_choice(scope_, "level", *level, levels);
    if (choice) expect.level = static_cast<config::Level>(*choice);
    expect.place = level->place();
  }
  if (const Value* no_data = find(table, "no_data")) expect.no_data = config::read_flag(scope_, "no_data", *no_data);
  if (const Value* parent = find(table, "blocked_by")) {
    const std::string* written = parent->as_string();
    if (written == nullptr)
      config::wrong_type(scope_, "blocked_by", *parent, "the name of a check, or \"\"");
    else
      expect.blocked_by = *written;
  }
  if (const Value* fired = find(table, "fired")) expect.fired = config::read_integer(scope_, "fired", *fired, 0, 1'000'000);
  const bool says =
      std::ranges::any_of(expect_keys, [&](std::string_view key) { return key != "at" && key != "alert" && find(table, key) != nullptr; });
  if (!says) scope_.error(place, "an expectation says at least one of level, no_data, blocked_by and fired");
  test.expectations.push_back(std::move(expect));
}

}  // namespace

std::optional<TestFile> read_test_file(const Table& root, const config::Generation& conf, config::Diagnostics& diagnostics) {
  auto out = FileReader(conf, diagnostics).run(root);
  if (out) out->conf = conf_of(root, out->conf_place);
  return out;
}

std::string conf_of(const Table& root, Place& place) {
  const auto found = std::ranges::find(root, "conf", &Member::key);
  if (found == root.end()) return {};
  place = found->value.place();
  const std::string* text = found->value.as_string();
  return text == nullptr ? std::string() : *text;
}

}  // namespace ronda::rule
