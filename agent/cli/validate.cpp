// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <iostream>
#include <set>

#include "api/tokens.hpp"
#include "base/clock.hpp"
#include "base/counted.hpp"
#include "cli/cli.hpp"
#include "cli/layout.hpp"
#include "cli/local.hpp"
#include "cli/stage_directory.hpp"
#include "cli/waiting.hpp"
#include "config/parse_child.hpp"
#include "incident/people_candidate.hpp"
#include "plugin/host_libraries.hpp"
#include "plugin/runner_process.hpp"
#include "plugin/runner_spec.hpp"
#include "response/plan.hpp"
#include "ronda/abi.h"
#include "ronda/version.h"
#include "schedule/prober.hpp"

namespace ronda::cli {

namespace {

std::string summary_of(const schedule::Candidate& candidate) {
  std::string text = counted(candidate.files.sources.size(), "file") + ", " + counted(candidate.checks, "check") + ", " +
                     counted(candidate.tasks, "task") + ", " + counted(candidate.notifiers, "notifier") + ", " +
                     counted(candidate.catalogue.plugins.size(), "plugin");
  text += ": " + counted(candidate.diagnostics.errors(), "error") + ", " + counted(candidate.diagnostics.warnings(), "warning");
  return text;
}

/// Loads every plugin that is used, makes and unmakes each of its instances, in runners as the agent's would be. Each
/// instance that cannot be made is an error of the candidate; the number of plugins that were tried.
std::size_t try_plugins(schedule::Candidate& candidate) {
  boost::asio::io_context loop(1);
  std::vector<const schedule::Prepared*> subjects;
  std::set<std::string_view> plugins;
  for (const schedule::Prepared& prepared : candidate.set) {
    subjects.push_back(&prepared);
    plugins.insert(prepared.procedure->plugin->id);
  }
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const config::AgentSettings& agent = candidate.generation.agent;
  plugin::RunnerSettings settings{runner_path(),
                                  plugin::can_use_pid_namespace(),
                                  ::geteuid() == 0,
                                  {},
                                  {{"hostname", agent.host.empty() ? host.data() : agent.host},
                                   {"agent.version", RONDA_VERSION},
                                   {"language", agent.language},
                                   {"tz", agent.tz}}};
  const auto make = [&](const schedule::PluginRef& plugin, const schedule::RunAs& as, plugin::SupervisorClient& client) {
    settings.user = as.user;
    settings.detached = as.detached;
    return std::make_unique<plugin::Supervisor>(loop, plugin::make_runner_spec(*candidate.catalogue.plugins.at(plugin.id), settings),
                                                client);
  };
  // no agent: there is no state that could be handed over, nor read
  const schedule::Prober::Present nothing{
      [](const schedule::Prepared&) { return 0U; },
      [](const schedule::Prepared&, const wire::Request&, const auto& reply) { reply(RONDA_E_NOTFOUND, {}); }};
  schedule::Prober prober(loop, std::move(subjects), make, nothing, std::chrono::nanoseconds(0));
  prober.start([&](const schedule::Prober::Findings& findings) {
    for (const schedule::Prober::Failure& failure : findings.failures)
      candidate.diagnostics.error(candidate.place_of(*failure.subject), failure.text());
    if (findings.untried > 0)
      candidate.diagnostics.warning(
          {config::no_file, 0, 0},
          counted(findings.untried, "instance") + " more could not be tried: their plugin does not load, or ended each time");
    loop.stop();
  });
  loop.run();
  return plugins.size();
}

/// A name may stand in a file that could not be read: that others lead nowhere is not known, and silence about it is no praise.
void note_unread(schedule::Candidate& candidate) {
  const auto& disabled = candidate.generation.disabled;
  const auto first = std::ranges::find(disabled, "file", &config::Disabled::kind);
  if (first == disabled.end()) return;
  const auto count = static_cast<std::size_t>(std::ranges::count(disabled, "file", &config::Disabled::kind));
  candidate.diagnostics.warning(first->place, (count == 1 ? std::string("what this file declares is not known")
                                                          : "what this file and " + counted(count - 1, "other") + " declare is not known") +
                                                  ", so names to which the rest refers were not looked up: mend it and validate again");
}

void print_text(const schedule::Candidate& candidate, const std::string& more) {
  std::cerr << config::render_all(candidate.diagnostics, candidate.sources);
  for (const plugin::RefusedFile& refused : candidate.catalogue.refused) {
    std::cerr << refused.path << ": warning: this plugin is refused: " << refused.refusal.text() << "\n";
  }
  std::cout << (candidate.has_errors() ? "not valid: " : "valid: ") << summary_of(candidate) << more << "\n";
}

}  // namespace

std::string errors_text(const schedule::Candidate& candidate) {
  return "the configuration has " + counted(candidate.diagnostics.errors(), "error") + " ('ronda validate' shows them)";
}

bool is_unread(const schedule::Candidate& candidate) {
  if (candidate.files.readable && candidate.zone != nullptr) return false;  // no zone: its parser did not come to an end
  for (const config::Diagnostic& one : candidate.diagnostics.all()) {
    if (one.severity == config::Severity::error) complain(one.message);
  }
  complain("so nothing is known of what it says: --config names the directory, and who may not read it asks as root");
  return true;
}

schedule::Candidate load_local(const Options& options, LocalParts& parts) {
  return load_judged(options, parts, escalation::judge_staff(parts.zones, wall_clock().count(), ::geteuid()));
}

schedule::Candidate load_judged(const Options& options, LocalParts& parts, std::function<void(schedule::Candidate&)> judge) {
  schedule::CandidateRequest request;
  request.config_directory = options.config;
  request.plugin_directories = plugin_directories(options);
  request.trust_file = options.trust;
  request.uid = ::geteuid();
  request.environment = config::environment_of_process(options.env_file, request.uid);
  request.zones = &parts.zones;
  request.now = schedule::sys_seconds(std::chrono::floor<std::chrono::seconds>(wall_clock()));
  request.stage = parts.stage;
  request.libraries = &parts.libraries;
  request.vet_config = [&request](const config::Sources& sources) -> Status {
    auto answer =
        config::validate_in_child({"/proc/self/exe", "--parse-child"}, sources, request.environment, request.uid, std::chrono::seconds(15));
    if (!answer) return std::move(answer).error();
    return done();
  };
  request.judges.push_back(std::move(judge));
  request.judges.push_back([](schedule::Candidate& candidate) { api::read_tokens(candidate.generation, candidate.diagnostics); });
  return schedule::load_candidate(request);
}

int validate(const Options& options) {
  LocalParts parts;
  std::optional<StageDirectory> directory;
  std::optional<plugin::Stage> stage;
  const bool probe = options.has("probe");
  if (probe) parts.stage = &stage.emplace(directory.emplace().path(), ::geteuid());
  // all that an agent would say of it
  schedule::Candidate candidate = load_judged(options, parts, [&](schedule::Candidate& read) {
    response::compile(read, parts.zones, {read.generation.agent.host, wall_clock().count(), ::geteuid()});
  });
  note_unread(candidate);
  std::string tried;
  if (probe) {
    const Waiting waiting(options, "trying the plugins");
    tried = "; " + counted(try_plugins(candidate), "plugin") + " tried";
  }
  candidate.diagnostics.sort();
  if (options.value("output") == "sarif")
    std::cout << config::to_sarif(candidate.diagnostics, candidate.sources, RONDA_VERSION) << "\n";
  else if (options.json)
    std::cout << config::to_json(candidate.diagnostics, candidate.sources) << "\n";
  else
    print_text(candidate, tried);
  return candidate.has_errors() ? exit_failed : exit_done;
}

}  // namespace ronda::cli
