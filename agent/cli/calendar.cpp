// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <charconv>
#include <iostream>

#include "api/json.hpp"
#include "base/clock.hpp"
#include "cli/cli.hpp"
#include "cli/local.hpp"
#include "schedule/preview.hpp"

namespace ronda::cli {
namespace json = boost::json;

namespace {

constexpr unsigned default_days = 14, most_days = 366;

std::vector<schedule::PreviewItem> items_of(const schedule::Candidate& candidate) {
  std::vector<schedule::PreviewItem> items;
  for (const schedule::Prepared& one : candidate.set) {
    if (one.when.calendar == nullptr && one.when.every.count() == 0) continue;
    schedule::PreviewItem item;
    item.name = std::string(config::kind_name(one.kind)) + " " + one.name;
    if (one.when.calendar != nullptr) item.calendar = *one.when.calendar;
    item.interval = one.when.every;
    if (one.rare != nullptr) item.shares = one.rare->locks;
    items.push_back(std::move(item));
  }
  return items;
}

json::value instant_json(schedule::sys_seconds instant) { return api::time_json(std::chrono::nanoseconds(instant.time_since_epoch()).count()); }

void print_json(const schedule::Preview& preview, const std::vector<schedule::PreviewItem>& items) {
  json::array runs, frequent, conflicts;
  for (const auto& one : preview.occurrences) runs.push_back(json::object{{"at", instant_json(one.at)}, {"name", items[one.item].name}});
  for (const auto& one : preview.frequent) frequent.push_back(json::object{{"name", items[one.item].name}, {"count", one.count}});
  for (const auto& one : preview.conflicts) {
    conflicts.push_back(json::object{{"at", instant_json(one.at)},
                                     {"first", items[one.first].name},
                                     {"second", items[one.second].name},
                                     {"count", one.count},
                                     {"shared", one.shared}});
  }
  std::cout << json::serialize(json::object{{"from", instant_json(preview.from)},
                                            {"upto", instant_json(preview.upto)},
                                            {"runs", std::move(runs)},
                                            {"frequent", std::move(frequent)},
                                            {"conflicts", std::move(conflicts)},
                                            {"cut", preview.is_cut}})
            << "\n";
}

}  // namespace

int calendar(const Options& options) {
  unsigned days = default_days;
  const std::string text = options.value("days", std::to_string(default_days));
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), days);
  if (error != std::errc() || end != text.data() + text.size() || days < 1 || days > most_days) {
    complain("--days is a number from 1 to 366, not \"" + text + "\"");
    return exit_usage;
  }
  LocalParts parts;
  schedule::Candidate candidate = load_local(options, parts);
  if (candidate.has_errors()) {
    complain("the configuration has " + std::to_string(candidate.diagnostics.errors()) + " errors ('ronda validate' shows them); this is the rest");
  }
  const auto items = items_of(candidate);
  const schedule::sys_seconds now(std::chrono::duration_cast<std::chrono::seconds>(wall_clock()));
  const auto preview = schedule::make_preview(items, now, days);
  if (options.json) print_json(preview, items);
  else std::cout << schedule::print(preview, items, *candidate.zone);
  return candidate.has_errors() ? exit_failed : exit_done;
}

}  // namespace ronda::cli
