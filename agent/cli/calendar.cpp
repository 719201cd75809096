// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <memory>

#include "api/json.hpp"
#include "base/clock.hpp"
#include "base/text.hpp"
#include "cli/cli.hpp"
#include "cli/local.hpp"
#include "cli/plugin_tools.hpp"
#include "cli/show.hpp"
#include "incident/moment.hpp"
#include "response/plan.hpp"
#include "schedule/preview.hpp"

namespace ronda::cli {
namespace json = boost::json;

namespace {

constexpr unsigned default_days = 14, most_days = 366;
constexpr std::size_t shown_instants = 5, most_instants = 1000;  // of an expression: without --days, with it

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

/// What conf.d says that people are to know of: when it is quiet on purpose, and when a drill goes out.
void add_upkeep(const response::Plan& plan, std::vector<schedule::PreviewItem>& items) {
  for (const incident::Window& window : plan.windows) {
    schedule::PreviewItem item;
    item.name = "window " + window.name;
    item.calendar = window.calendar;
    item.lasts = Nanos(window.lasts_ns);
    items.push_back(std::move(item));
  }
  if (!plan.drill) return;
  schedule::PreviewItem drill;
  drill.name = "drill to " + join(plan.drill->targets);
  drill.calendar = plan.drill->calendar;
  items.push_back(std::move(drill));
}

/// Maintenance that people planned by hand: the agent that runs knows it, conf.d does not.
void add_one_offs(const Options& options, schedule::ZoneDatabase& zones, std::vector<schedule::PreviewItem>& items) {
  std::error_code error;
  if (!std::filesystem::exists(socket_path(options), error)) return;
  const auto answer = ask_agent(options, "GET", "/v1/maintenance");
  boost::system::error_code failure;
  const json::value value = answer && answer->status == 200 ? json::parse(answer->body, failure) : json::value();
  if (!value.is_array()) return complain("the agent does not answer: maintenance that was planned by hand is not in this");
  for (const json::value& one : value.get_array()) {
    if (!one.is_object() || text_of(one.get_object(), "kind") != "one-off") continue;
    const std::string from = text_of(one.get_object(), "from"), until = text_of(one.get_object(), "until");
    const auto begin = people::parse_moment(from.substr(0, 19) + "Z", **zones.find("UTC"));
    const auto end = people::parse_moment(until.substr(0, 19) + "Z", **zones.find("UTC"));
    if (!begin || !end) continue;
    auto at = schedule::parse_calendar(from.substr(0, 10) + " " + from.substr(11, 8) + " UTC", zones, *zones.find("UTC"));
    if (!at) continue;
    schedule::PreviewItem item;
    item.name = "maintenance " + text_of(one.get_object(), "id") + ": " + text_of(one.get_object(), "reason");
    item.calendar = std::move(*at);
    item.lasts = Nanos(*end - *begin);
    items.push_back(std::move(item));
  }
}

json::value instant_json(schedule::sys_seconds instant) {
  return api::time_json(std::chrono::nanoseconds(instant.time_since_epoch()).count());
}

void print_json(const schedule::Preview& preview, const std::vector<schedule::PreviewItem>& items) {
  json::array runs, frequent, conflicts;
  for (const auto& one : preview.occurrences) {
    json::object run{{"at", instant_json(one.at)}, {"name", items[one.item].name}};
    if (const auto& lasts = items[one.item].lasts) run["lasts_s"] = std::chrono::duration<double>(*lasts).count();
    runs.push_back(std::move(run));
  }
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

/// An expression as `at` takes it, else as `cron` does; the error is of the first.
Result<schedule::Calendar> read_expression(const std::string& text, schedule::ZoneDatabase& zones, const schedule::ZonePtr& zone) {
  auto parsed = schedule::parse_calendar(text, zones, zone);
  if (parsed) return parsed;
  auto cron = schedule::parse_cron(text, zone);
  return cron ? std::move(cron) : std::move(parsed);
}

bool ends_with_zone(std::string_view written, std::string_view zone) {
  while (written.ends_with(' ')) written.remove_suffix(1);
  if (written.size() <= zone.size()) return false;
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(written.substr(written.size() - zone.size()), zone, {}, small, small);
}

/// Without the zone where none was written: it has a line of its own.
std::string normal_form(const schedule::Calendar& calendar, std::string_view written) {
  std::string normal = calendar.print();
  const std::string& zone = calendar.zone()->name();
  if (!ends_with_zone(written, zone)) normal.resize(normal.size() - zone.size() - 1);
  return normal;
}

std::vector<schedule::sys_seconds> instants_of(const schedule::Calendar& calendar, schedule::sys_seconds from,
                                               const std::optional<unsigned>& days) {
  std::vector<schedule::sys_seconds> out;
  for (auto at = calendar.next(from); at && out.size() < (days ? most_instants : shown_instants); at = calendar.next(*at)) {
    if (days && *at > from + std::chrono::days(*days)) break;
    out.push_back(*at);
  }
  return out;
}

void print_expression(const schedule::Calendar& calendar, const std::string& written, const std::vector<schedule::sys_seconds>& next,
                      bool is_over) {
  const std::string normal = normal_form(calendar, written);
  std::cout << "written     " << escape_controls(written) << "\n";
  if (normal != written) std::cout << "normalised  " << normal << "\n";
  std::cout << "zone        " << calendar.zone()->name() << "\n";
  std::string_view label = "next        ";
  for (const schedule::sys_seconds at : next) {
    std::cout << label << schedule::print_instant(at, *calendar.zone()) << "\n";
    label = "            ";
  }
  if (next.empty()) std::cout << label << (is_over ? "never again" : calendar.possible() ? "not within that time" : "never") << "\n";
}

/// What an expression means and when it is due, by the zone of the configuration where it names none.
int explain_expression(const Options& options, const std::optional<unsigned>& days) {
  const std::string& written = options.arguments.front();
  LocalParts parts;
  const schedule::Candidate candidate = load_local(options, parts);
  const schedule::ZonePtr zone = candidate.zone != nullptr ? candidate.zone : *parts.zones.find("UTC");  // no conf.d that can be parsed
  const auto calendar = read_expression(written, parts.zones, zone);
  if (!calendar) {
    complain("\"" + escape_controls(written) + "\" is no calendar expression: " + calendar.error().message());
    return exit_usage;
  }
  for (const std::string& warning : calendar->warnings()) complain("warning: " + warning);
  if ((!candidate.files.readable || candidate.zone == nullptr) && calendar->zone() == zone)
    complain("warning: " + options.config + " could not be read, so this is in " + zone->name() + ": `tz` of [agent] may be another");
  if (!candidate.zone_trouble.empty() && calendar->zone() == zone)
    complain("warning: " + candidate.zone_trouble + "; until then this is UTC");
  const schedule::sys_seconds now(std::chrono::duration_cast<std::chrono::seconds>(wall_clock()));
  const std::string over = schedule::why_over(*calendar, now);
  if (!over.empty()) complain("warning: " + over);
  const auto next = instants_of(*calendar, now, days);
  if (!options.json) {
    print_expression(*calendar, written, next, !over.empty());
    return exit_done;
  }
  json::array instants;
  for (const schedule::sys_seconds at : next) instants.push_back(instant_json(at));
  const std::string normal = normal_form(*calendar, written);
  std::cout << json::serialize(json::object{{"written", written},
                                            {"normalised", normal},
                                            {"differs", normal != written},
                                            {"zone", calendar->zone()->name()},
                                            {"next", std::move(instants)}})
            << "\n";
  return exit_done;
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
  if (options.arguments.size() > 1) {
    complain("calendar takes one expression; put it in quotes: ronda calendar 'Sun *-*-* 02:30'");
    return exit_usage;
  }
  if (!options.arguments.empty()) return explain_expression(options, options.has("days") ? std::optional(days) : std::nullopt);
  LocalParts parts;
  std::shared_ptr<const response::Plan> plan;
  const schedule::Candidate candidate = load_judged(options, parts, [&](schedule::Candidate& read) {
    plan = response::compile(read, parts.zones, {read.generation.agent.host, wall_clock().count(), ::geteuid()});
  });
  if (is_unread(candidate)) return exit_undetermined;
  if (candidate.has_errors()) complain(errors_text(candidate) + "; this is the rest");
  auto items = items_of(candidate);
  if (plan != nullptr) add_upkeep(*plan, items);
  add_one_offs(options, parts.zones, items);
  const schedule::sys_seconds now(std::chrono::duration_cast<std::chrono::seconds>(wall_clock()));
  const auto preview = schedule::make_preview(items, now, days);
  if (options.json)
    print_json(preview, items);
  else
    std::cout << schedule::print(preview, items, *candidate.zone);
  return candidate.has_errors() ? exit_failed : exit_done;
}

}  // namespace ronda::cli
