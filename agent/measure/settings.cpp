// SPDX-License-Identifier: Apache-2.0
#include "measure/settings.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "config/fields.hpp"

namespace ronda::measure {
namespace {

using config::Diagnostics, config::Generation, config::Scope, config::Value;
using namespace std::chrono_literals;

constexpr Nanos least_kept = 1h, least_window = 1h;
constexpr std::array<std::string_view, 4> store_keys = {"five_minutes", "hours", "raw", "samples"};
constexpr std::array<std::string_view, 11> slo_keys = {"bad",       "good",    "levels", "maintenance", "min_bad", "min_samples",
                                                       "objective", "service", "title",  "total",       "window"};
constexpr std::array<std::string_view, 3> burn_levels = {"p1", "p2", "p3"};

void read_kept(Scope& scope, std::string_view key, const Value& value, std::int64_t& kept) {
  if (const auto time = config::read_duration(scope, key, value, least_kept)) kept = time->count();
}

void read_objective(Scope& scope, const Value& value, slo::Objective& objective) {
  const auto share = config::read_percent(scope, "objective", value);
  if (!share) return;
  objective.target = *share;
  if (*share > 0 && *share < 1) return;
  config::wrong_text(scope, "objective", value,
                     *share < 1 ? "must be above 0%" : "leaves no room for any failure; write for example \"99.9%\"",
                     "a percentage below 100%");
}

void read_maintenance(Scope& scope, const Value& value, bool& without_windows) {
  constexpr std::array<std::string_view, 2> choices = {"counts", "excluded"};
  if (const auto index = config::read_choice(scope, "maintenance", value, choices)) without_windows = *index == 1;
}

/// A length of time, or of an objective by requests a number of them. Nothing: it was wrong and is told.
std::optional<double> read_least_bad(Scope& scope, std::string_view key, const Value& value, bool counts) {
  if (!counts) {
    const auto time = config::read_duration(scope, key, value, 0ns);
    return time ? std::optional(static_cast<double>(time->count()) / 1e9) : std::nullopt;
  }
  if (value.as_string() != nullptr) {
    config::wrong_text(scope, key, value, "must be a number of requests, as this objective has a `total`", "a number of requests");
    return {};
  }
  const auto count = config::read_integer(scope, key, value, 0, 1'000'000'000);
  return count ? std::optional(static_cast<double>(*count)) : std::nullopt;
}

/// Of time only: more than the window that is looked at never fires.
void put_least_bad(Scope& scope, const std::string& key, const Value& value, bool counts, std::size_t rule, SloDefinition& out) {
  const auto least = read_least_bad(scope, key, value, counts);
  out.least_bad[rule] = least;
  const slo::BurnRule& of = slo::burn_rules[rule];
  if (!out.calls[rule] || !least || counts || *least * 1e9 <= static_cast<double>(of.long_ns)) return;
  const std::string level(config::level_name(of.level));
  scope.error(value.place(), "`" + key + "` is longer than the " + format_duration(Nanos(of.long_ns)) + " that " + level +
                                 " looks at, so that " + level + " would never fire" +
                                 (key == "min_bad" ? "; it can be said per level: { p1 = \"5m\", p2 = \"2h\" }" : ""));
}

/// One for all, or one per level.
void read_min_bad(Scope& scope, const Value& value, SloDefinition& out) {
  const bool counts = out.objective.counts;
  const config::Table* table = value.as_table();
  if (table == nullptr) {
    // the worst level that calls has the shortest window
    const auto first = static_cast<std::size_t>(std::ranges::find(out.calls, true) - out.calls.begin());
    put_least_bad(scope, "min_bad", value, counts, first < out.calls.size() ? first : 0, out);
    out.least_bad.fill(out.least_bad[first < out.calls.size() ? first : 0]);
    return;
  }
  for (const config::Member& member : *table) {
    const auto level = std::ranges::find(burn_levels, member.key);
    if (level == burn_levels.end())
      scope.error(member.key_place, config::unknown_key(member.key, burn_levels));
    else
      put_least_bad(scope, "min_bad." + member.key, member.value, counts, static_cast<std::size_t>(level - burn_levels.begin()), out);
  }
}

/// Which of the burns call: a promise about speed is no reason for the level of an outage, however fast it burns.
void read_levels(Scope& scope, const Value& value, std::array<bool, 3>& calls) {
  const config::List* list = value.as_list();
  if (list == nullptr || list->empty()) return config::wrong_type(scope, "levels", value, "a list of p1, p2 and p3, like [\"p2\", \"p3\"]");
  calls.fill(false);
  for (const Value& one : *list) {
    if (const auto level = config::read_choice(scope, "levels", one, burn_levels)) calls[*level] = true;
  }
}

void read_slo_key(Scope& scope, const config::Member& member, SloDefinition& out) {
  const auto& [key, place, value] = member;
  if (key == "objective") {
    read_objective(scope, value, out.objective);
  } else if (key == "window") {
    out.objective.window_ns = config::read_duration(scope, key, value, least_window).value_or(0ns).count();
  } else if (key == "good" || key == "bad" || key == "total") {
    (key == "total" ? out.total : out.good) = config::read_text(scope, key, value).value_or("");
    (key == "total" ? out.total_place : out.good_place) = value.place();
    if (key == "bad") out.counts_bad = true;
  } else if (key == "levels") {
    read_levels(scope, value, out.calls);
  } else if (key == "min_samples") {
    out.objective.least = static_cast<double>(config::read_integer(scope, key, value, 1, 1'000'000'000).value_or(1));
  } else if (key == "maintenance") {
    read_maintenance(scope, value, out.without_windows);
  } else if (key == "service" || key == "title") {
    (key == "service" ? out.service : out.title) = config::read_text(scope, key, value).value_or("");
  } else if (key != "min_bad") {
    scope.error(place, config::unknown_key(key, slo_keys));
  }
}

SloDefinition read_slo(Scope& scope, const config::RawObject& object) {
  SloDefinition out;
  out.objective.name = object.name;
  out.place = object.place;
  const config::Table* table = object.value.as_table();
  if (table == nullptr) {
    scope.spoil();
    return out;
  }
  for (const config::Member& member : *table) read_slo_key(scope, member, out);
  // that they are there at all config has seen to
  const Value* bad = object.value.find("bad");
  const bool has_good = object.value.find("good") != nullptr;
  if (object.value.find("objective") == nullptr || (!has_good && bad == nullptr)) scope.spoil();
  out.objective.counts = !out.total.empty();
  if (bad != nullptr && has_good) scope.error(bad->place(), "`bad` and `good`: one of the two says the other");
  if (bad != nullptr && !has_good && object.value.find("total") == nullptr)
    scope.error(bad->place(),
                "`bad` is a counter of requests that failed, and needs the `total` that they are of; of time say what is `good`");
  // whether it counts requests is not known of one whose `total` is wrong
  if (!out.objective.counts && object.value.find("total") != nullptr) return out;
  if (const Value* least = object.value.find("min_bad")) read_min_bad(scope, *least, out);
  if (const Value* least = object.value.find("min_samples"); least != nullptr && !out.objective.counts)
    scope.error(least->place(), "`min_samples` is of objectives that count requests; this one has no `total`");
  return out;
}

}  // namespace

StoreSettings read_store(const Generation& generation, Diagnostics& diagnostics) {
  StoreSettings out;
  const config::Table* table = generation.store.as_table();
  if (table == nullptr) return out;
  Scope scope(diagnostics);
  for (const auto& [key, place, value] : *table) {
    if (key == "raw") {
      read_kept(scope, key, value, out.retention.raw_ns);
    } else if (key == "five_minutes") {
      read_kept(scope, key, value, out.retention.five_minutes_ns);
    } else if (key == "hours") {
      read_kept(scope, key, value, out.retention.hours_ns);
    } else if (key == "samples") {
      constexpr std::array<std::string_view, 2> choices = {"named", "all"};
      if (const auto index = config::read_choice(scope, key, value, choices)) out.all = *index == 1;
    } else {
      scope.error(place, config::unknown_key(key, store_keys));
    }
  }
  const store::SampleRetention& kept = out.retention;
  if (scope.sound() && (kept.raw_ns > kept.five_minutes_ns || kept.five_minutes_ns > kept.hours_ns))
    scope.error(generation.store.place(), "`raw` (" + format_duration(Nanos(kept.raw_ns)) + ") must not be longer than `five_minutes` (" +
                                              format_duration(Nanos(kept.five_minutes_ns)) + "), nor that longer than `hours` (" +
                                              format_duration(Nanos(kept.hours_ns)) + ")");
  return scope.sound() ? out : StoreSettings();
}

std::vector<SloDefinition> read_slos(const Generation& generation, Diagnostics& diagnostics) {
  std::vector<SloDefinition> out;
  for (const config::RawObject& object : generation.raw("slo")) {
    Scope scope(diagnostics);
    SloDefinition one = read_slo(scope, object);
    if (scope.sound()) out.push_back(std::move(one));
  }
  return out;
}

std::vector<Want> service_wants(const Generation& generation, const StoreSettings& settings, std::span<const Running> running) {
  std::set<std::string_view> named;
  for (const config::Service& service : generation.services) named.insert(service.checks.begin(), service.checks.end());
  std::vector<Want> out;
  for (const Running& one : running) {
    if (settings.all || named.contains(one.check)) out.push_back({one.check, "", 0, false, one.interval_ns});
  }
  return out;
}

}  // namespace ronda::measure
