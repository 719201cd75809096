// SPDX-License-Identifier: Apache-2.0
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <thread>

#include "base/counted.hpp"
#include "base/units.hpp"
#include "cli/cli.hpp"
#include "cli/fit.hpp"
#include "cli/incident_text.hpp"
#include "cli/show.hpp"

namespace ronda::cli {

namespace {

constexpr std::size_t name_width = 26;

/// Trouble first; then by name, as the agent sent them.
int rank(const json::object& entry) {
  const std::string word = text_of(entry, "status");
  if (word == "critical") return 0;
  if (word == "unknown") return 1;
  if (word == "warning") return 2;
  return word == "blocked" ? 3 : 4;
}

/// What fires, by its level; nothing does: well.
int rank_of_level(const json::object& one) {
  const std::string level = text_of(one, "level");
  return level.empty() ? well : level == "p1" || level == "p2" ? 0 : 2;
}

std::string entry_line(const json::object& entry) {
  std::string summary = text_of(entry, "summary");
  summary = summary.substr(0, summary.find('\n'));
  if (const std::string reason = text_of(entry, "reason"); !reason.empty() && text_of(entry, "status") != "blocked")
    summary += " (" + reason + ")";
  if (const json::value* progress = entry.if_contains("progress"); progress != nullptr && progress->is_object()) {
    summary = progress_bar(number_of(progress->as_object(), "share")) + " " + text_of(progress->as_object(), "what");
  }
  return "  " + status_label(text_of(entry, "status"), 9) + padded(text_of(entry, "name"), name_width) +
         padded(age_of(entry.at("last_run")), 6) + summary;
}

ViewSection entries_of(const json::object& status, std::string_view key) {
  ViewSection out{std::string(key), {}};
  for (const json::value& one : status.at(key).as_array()) out.lines.push_back({rank(one.as_object()), entry_line(one.as_object())});
  std::ranges::stable_sort(out.lines, {}, &ViewLine::rank);
  return out;
}

ViewSection services_of(const json::object& status) {
  ViewSection out{"services", {}};
  for (const json::value& one : status.at("services").as_array()) {
    const json::object& service = one.as_object();
    std::string line =
        "  " + status_label(text_of(service, "status"), 9) + padded(text_of(service, "name"), name_width) + text_of(service, "title");
    for (const json::value& failing : service.at("failing").as_array()) line += "  " + text_of(failing);
    out.lines.push_back({rank(service), std::move(line)});
  }
  return out;
}

ViewSection incidents_of(const json::object& status, const schedule::Zone& zone) {
  ViewSection out{"incidents", {}};
  for (const json::value& one : status.at("incidents").as_array()) out.lines.push_back({0, incident_line(one.as_object(), zone)});
  return out;
}

ViewSection alerts_of(const json::object& status) {
  ViewSection out{"alerts", {}};
  const json::array& alerts = status.at("alerts").as_array();
  for (const json::value& one : alerts) out.lines.push_back({rank_of_level(one.as_object()), alert_line(one.as_object())});
  std::ranges::stable_sort(out.lines, {}, &ViewLine::rank);
  if (const std::int64_t firing = integer_of(status, "alerts_firing"); firing > static_cast<std::int64_t>(alerts.size()))
    out.lines.push_back(
        {2, "  ... and " + std::to_string(firing - static_cast<std::int64_t>(alerts.size())) + " more; `ronda alert list` shows all"});
  return out;
}

ViewSection objectives_of(const json::object& status) {
  ViewSection out{"objectives", {}};
  for (const json::value& one : list_of(status, "slos")) out.lines.push_back({rank_of_level(one.as_object()), slo_line(one.as_object())});
  return out;
}

/// What is owed to people and has not left.
ViewSection sinks_of(const json::object& status) {
  ViewSection out{"sinks", {}};
  for (const json::value& one : list_of(status, "sinks")) {
    if (!one.is_object()) continue;
    const json::object& sink = one.get_object();
    const bool fails = integer_of(sink, "failures") > 0 || text_of(sink, "circuit") == "open";
    out.lines.push_back({fails ? 1 : well, sink_line(sink)});
  }
  return out;
}

std::string runners_text(const json::object& plugin) {
  std::string out;
  for (const json::value& one : list_of(plugin, "runners")) {
    const json::object& runner = one.as_object();
    const std::string held_by = text_of(runner, "held_by");
    out += "  pid " + std::to_string(integer_of(runner, "pid")) + ", kept by " + std::to_string(integer_of(runner, "keeper")) + " (" +
           held_by + (held_by.empty() ? "" : "; ") + text_of(runner, "limited_by") + ")";
  }
  return out;
}

ViewSection plugins_of(const json::object& status) {
  ViewSection out{"plugins", {}};
  std::set<std::string> refused;  // files
  for (const json::value& one : status.at("plugins").as_array()) {
    if (text_of(one.as_object(), "state") == "refused") refused.insert(text_of(one.as_object(), "path"));
  }
  for (const json::value& one : status.at("plugins").as_array()) {
    const json::object& plugin = one.as_object();
    const std::string id = text_of(plugin, "id").empty() ? text_of(plugin, "path") : text_of(plugin, "id");
    const std::string state = text_of(plugin, "state"), file = text_of(plugin, "file"), trouble = text_of(plugin, "trouble");
    std::string line = "  " + padded(state, 11) + padded(id, name_width) + text_of(plugin, "version") + runners_text(plugin);
    if (file == "differs")
      line += std::string("  file differs: the code in use was read before; ") +
              (refused.contains(text_of(plugin, "path")) ? "the file was refused, see there" : "`ronda reload` takes the file");
    if (file == "missing") line += "  file is missing: the code in use was read before";
    if (!trouble.empty()) line += "  " + trouble;
    const bool is_held = state == "quarantined" || state == "refused" || !trouble.empty();
    out.lines.push_back({is_held ? 1 : well + 1, std::move(line)});
    for (const json::value& quarantine : list_of(plugin, "quarantines")) {
      const json::object& held = quarantine.as_object();
      out.lines.push_back(
          {1, "    quarantined: " + text_of(held, "subject") + " since " + text_of(held, "since") + ": " + text_of(held, "reason")});
    }
  }
  return out;
}

/// Those whose `enabled` is false, counted by kind.
void print_switched_off(const json::array& all, std::ostream& out) {
  if (all.empty()) return;
  std::map<std::string, std::size_t> kinds;
  for (const json::value& one : all) ++kinds[text_of(one.as_object(), "kind")];
  std::string text;
  for (const auto& [kind, count] : kinds) text += (text.empty() ? "" : ", ") + counted(count, kind);
  out << "  switched off: " << text << "\n";
}

void print_agent(const json::object& status, std::ostream& out) {
  const json::object& agent = status.at("agent").as_object();
  out << status_label(text_of(status, "status"), 0) << "  ronda " << text_of(agent, "version") << ", pid " << integer_of(agent, "pid")
      << ", up " << age_of(agent.at("started")) << ", generation " << integer_of(agent, "generation") << ", "
      << counted(status.at("checks").as_array().size(), "check") << ", " << counted(status.at("tasks").as_array().size(), "task") << "\n";
  if (const std::string config = text_of(agent, "config"); !config.empty()) out << "  config: " << config << "\n";
  const json::object& store = agent.at("store").as_object();
  if (text_of(store, "state") != "ok") out << "  store: " << text_of(store, "state") << ": " << text_of(store, "reason") << "\n";
  if (const std::int64_t dropped = integer_of(agent, "log_dropped"); dropped > 0)
    out << "  log: " << dropped << " lines were dropped; what takes them does not keep up\n";
  if (agent.at("safe_mode").as_bool()) out << "  safe mode: " << text_of(agent, "safe_mode_reason") << "\n";
  if (const json::array& changing = list_of(agent, "changing"); !changing.empty()) {
    out << "  a restart now waits up to " << format_duration(std::chrono::seconds(std::llround(number_of(agent, "stop_timeout_s"))))
        << ", then interrupts";
    for (const json::value& name : changing) out << " " << text_of(name);
    out << "\n";
  }
  if (const std::string limits = text_of(agent, "runner_limits");
      limits.find("rlimits") != std::string::npos || limits.find("not limited") != std::string::npos)
    out << "  runners: limited by " << limits << "\n";
  for (const json::value& disabled : agent.at("disabled").as_array()) {
    out << "  disabled: " << text_of(disabled.as_object(), "kind") << " " << text_of(disabled.as_object(), "name") << ": "
        << text_of(disabled.as_object(), "reason") << "\n";
  }
  print_switched_off(agent.at("switched_off").as_array(), out);
}

View view_of(const json::object& status) {
  View out;
  std::stringstream head;
  print_agent(status, head);
  for (std::string line; std::getline(head, line);) out.head.push_back(line);
  const schedule::ZonePtr zone = zone_named(text_of(status.at("agent").as_object(), "tz"));
  out.sections = {incidents_of(status, *zone),
                  alerts_of(status),
                  services_of(status),
                  objectives_of(status),
                  entries_of(status, "checks"),
                  entries_of(status, "tasks"),
                  entries_of(status, "notifiers"),
                  sinks_of(status),
                  plugins_of(status)};
  return out;
}

struct Size {
  std::size_t rows = 24, columns = 80;
};

/// Of the terminal that stdout is; nothing where it is none.
std::optional<Size> terminal() {
  if (::isatty(STDOUT_FILENO) == 0) return {};
  struct winsize size {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return Size();
  return Size{size.ws_row, size.ws_col};
}

/// The exit code that it stands for; nothing where there was no answer, which is said.
std::optional<int> show_once(const Options& options, const std::optional<Size>& page) {
  const auto answer = ask_json(options, "GET", "/v1/status");
  if (!answer) return std::nullopt;
  const json::object& status = answer->value.as_object();
  if (options.json)
    std::cout << answer->text << "\n";
  else
    std::cout << (page ? fit_view(view_of(status), page->rows, page->columns) : whole_view(view_of(status)));
  return static_cast<int>(integer_of(status, "exit"));
}

}  // namespace

/// Ends only where there was no agent from the start on, or nobody who reads; one that goes away may be on its way back.
int status(const Options& options) {
  if (!options.has("watch")) return show_once(options, {}).value_or(exit_undetermined);
  bool was_there = false;
  for (;;) {
    const std::optional<Size> page = terminal();  // anew each time: it may be drawn larger meanwhile
    if (page) std::cout << "\033[H\033[2J";
    const bool is_there = show_once(options, page).has_value();
    if (!is_there && !was_there) return exit_undetermined;
    if (!is_there) std::cerr << "asked again every two seconds until it is back\n";
    was_there = true;
    if (!std::cout.flush()) return exit_undetermined;
    std::this_thread::sleep_for(std::chrono::seconds(2));
  }
}

}  // namespace ronda::cli
