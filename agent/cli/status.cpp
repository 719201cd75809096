// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <thread>

#include "base/counted.hpp"
#include "base/units.hpp"
#include "cli/cli.hpp"
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

void print_entry(const json::object& entry) {
  std::string summary = text_of(entry, "summary");
  summary = summary.substr(0, summary.find('\n'));
  if (const json::value* progress = entry.if_contains("progress"); progress != nullptr && progress->is_object()) {
    summary = progress_bar(number_of(progress->as_object(), "share")) + " " + text_of(progress->as_object(), "what");
  }
  std::cout << "  " << status_label(text_of(entry, "status"), 9) << padded(text_of(entry, "name"), name_width)
            << padded(age_of(entry.at("last_run")), 6) << summary << "\n";
}

void print_list(const json::object& status, std::string_view key, std::string_view title) {
  const json::array& all = status.at(key).as_array();
  if (all.empty()) return;
  std::vector<const json::object*> sorted;
  for (const json::value& one : all) sorted.push_back(&one.as_object());
  std::ranges::stable_sort(sorted, {}, [](const json::object* entry) { return rank(*entry); });
  std::cout << "\n" << title << "\n";
  for (const json::object* entry : sorted) print_entry(*entry);
}

void print_services(const json::array& services) {
  if (services.empty()) return;
  std::cout << "\nservices\n";
  for (const json::value& one : services) {
    const json::object& service = one.as_object();
    std::cout << "  " << status_label(text_of(service, "status"), 9) << padded(text_of(service, "name"), name_width)
              << text_of(service, "title");
    for (const json::value& failing : service.at("failing").as_array()) std::cout << "  " << text_of(failing);
    std::cout << "\n";
  }
}

void print_response(const json::object& status) {
  const json::array& incidents = status.at("incidents").as_array();
  if (!incidents.empty()) std::cout << "\nincidents\n";
  for (const json::value& one : incidents) print_incident_line(one.as_object());
  const json::array& alerts = status.at("alerts").as_array();
  if (!alerts.empty()) std::cout << "\nalerts\n";
  for (const json::value& one : alerts) print_alert_line(one.as_object());
  if (const std::int64_t firing = integer_of(status, "alerts_firing"); firing > static_cast<std::int64_t>(alerts.size()))
    std::cout << "  ... and " << firing - static_cast<std::int64_t>(alerts.size()) << " more; `ronda alert list` shows all\n";
}

void print_objectives(const json::object& status) {
  const json::array& slos = list_of(status, "slos");
  if (!slos.empty()) std::cout << "\nobjectives\n";
  for (const json::value& one : slos) print_slo_line(one.as_object());
}

/// What is owed to people and has not left.
void print_owed(const json::object& status) {
  const json::array& sinks = list_of(status, "sinks");
  if (!sinks.empty()) std::cout << "\nsinks\n";
  print_sinks(sinks);
}

void print_plugins(const json::array& plugins) {
  if (plugins.empty()) return;
  std::cout << "\nplugins\n";
  for (const json::value& one : plugins) {
    const json::object& plugin = one.as_object();
    const std::string id = text_of(plugin, "id").empty() ? text_of(plugin, "path") : text_of(plugin, "id");
    std::cout << "  " << padded(text_of(plugin, "state"), 11) << padded(id, name_width) << text_of(plugin, "version");
    if (const json::value* runners = plugin.if_contains("runners"); runners != nullptr) {
      for (const json::value& runner : runners->as_array()) {
        const std::string held_by = text_of(runner.as_object(), "held_by");
        const std::string limited_by = text_of(runner.as_object(), "limited_by");
        std::cout << "  pid " << integer_of(runner.as_object(), "pid") << ", kept by " << integer_of(runner.as_object(), "keeper") << " ("
                  << held_by << (held_by.empty() ? "" : "; ") << limited_by << ")";
      }
    }
    const std::string file = text_of(plugin, "file");
    if (file == "differs") std::cout << "  file differs: the code in use was read before; `ronda reload` takes the file";
    if (file == "missing") std::cout << "  file is missing: the code in use was read before";
    if (const std::string trouble = text_of(plugin, "trouble"); !trouble.empty()) std::cout << "  " << trouble;
    std::cout << "\n";
    const json::value* held = plugin.if_contains("quarantines");
    for (const json::value& quarantine : held == nullptr ? json::array() : held->as_array()) {
      const json::object& one_held = quarantine.as_object();
      std::cout << "    quarantined: " << text_of(one_held, "subject") << " since " << text_of(one_held, "since") << ": "
                << text_of(one_held, "reason") << "\n";
    }
  }
}

/// Those whose `enabled` is false, counted by kind.
void print_switched_off(const json::array& all) {
  if (all.empty()) return;
  std::map<std::string, std::size_t> kinds;
  for (const json::value& one : all) ++kinds[text_of(one.as_object(), "kind")];
  std::string text;
  for (const auto& [kind, count] : kinds) text += (text.empty() ? "" : ", ") + counted(count, kind);
  std::cout << "  switched off: " << text << "\n";
}

void print_agent(const json::object& status) {
  const json::object& agent = status.at("agent").as_object();
  std::cout << status_label(text_of(status, "status"), 0) << "  ronda " << text_of(agent, "version") << ", pid " << integer_of(agent, "pid")
            << ", up " << age_of(agent.at("started")) << ", generation " << integer_of(agent, "generation") << ", "
            << counted(status.at("checks").as_array().size(), "check") << ", " << counted(status.at("tasks").as_array().size(), "task")
            << "\n";
  if (const std::string config = text_of(agent, "config"); !config.empty()) std::cout << "  config: " << config << "\n";
  const json::object& store = agent.at("store").as_object();
  if (text_of(store, "state") != "ok") std::cout << "  store: " << text_of(store, "state") << ": " << text_of(store, "reason") << "\n";
  if (const std::int64_t dropped = integer_of(agent, "log_dropped"); dropped > 0)
    std::cout << "  log: " << dropped << " lines were dropped; what takes them does not keep up\n";
  if (agent.at("safe_mode").as_bool()) std::cout << "  safe mode: " << text_of(agent, "safe_mode_reason") << "\n";
  if (const json::array& changing = list_of(agent, "changing"); !changing.empty()) {
    std::cout << "  a restart now waits up to " << format_duration(std::chrono::seconds(std::llround(number_of(agent, "stop_timeout_s"))))
              << ", then interrupts";
    for (const json::value& name : changing) std::cout << " " << text_of(name);
    std::cout << "\n";
  }
  if (const std::string limits = text_of(agent, "runner_limits");
      limits.find("rlimits") != std::string::npos || limits.find("not limited") != std::string::npos)
    std::cout << "  runners: limited by " << limits << "\n";
  for (const json::value& disabled : agent.at("disabled").as_array()) {
    std::cout << "  disabled: " << text_of(disabled.as_object(), "kind") << " " << text_of(disabled.as_object(), "name") << ": "
              << text_of(disabled.as_object(), "reason") << "\n";
  }
  print_switched_off(agent.at("switched_off").as_array());
}

int show_once(const Options& options) {
  const auto answer = ask_json(options, "GET", "/v1/status");
  if (!answer) return exit_undetermined;
  const json::object& status = answer->value.as_object();
  if (options.json) {
    std::cout << answer->text << "\n";
  } else {
    print_agent(status);
    print_response(status);
    print_services(status.at("services").as_array());
    print_objectives(status);
    print_list(status, "checks", "checks");
    print_list(status, "tasks", "tasks");
    print_list(status, "notifiers", "notifiers");
    print_owed(status);
    print_plugins(status.at("plugins").as_array());
  }
  return static_cast<int>(integer_of(status, "exit"));
}

}  // namespace

int status(const Options& options) {
  if (!options.has("watch")) return show_once(options);
  for (;;) {
    if (::isatty(STDOUT_FILENO) != 0) std::cout << "\033[H\033[2J";
    show_once(options);
    std::cout << std::flush;
    std::this_thread::sleep_for(std::chrono::seconds(2));
  }
}

}  // namespace ronda::cli
