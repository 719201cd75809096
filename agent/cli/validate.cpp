// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <iostream>

#include "cli/cli.hpp"
#include "cli/layout.hpp"
#include "cli/local.hpp"
#include "config/parse_child.hpp"
#include "plugin/host_libraries.hpp"
#include "ronda/version.h"

namespace ronda::cli {

namespace {

std::string summary_of(const schedule::Candidate& candidate) {
  std::string text = std::to_string(candidate.files.sources.size()) + " files, " + std::to_string(candidate.checks) + " checks, " +
                     std::to_string(candidate.tasks) + " tasks, " + std::to_string(candidate.notifiers) + " notifiers, " +
                     std::to_string(candidate.catalogue.plugins.size()) + " plugins";
  text += ": " + std::to_string(candidate.diagnostics.errors()) + " errors, " + std::to_string(candidate.diagnostics.warnings()) + " warnings";
  return text;
}

void print_text(const schedule::Candidate& candidate, bool quiet) {
  std::cerr << config::render_all(candidate.diagnostics, candidate.sources);
  for (const plugin::RefusedFile& refused : candidate.catalogue.refused) {
    std::cerr << refused.path << ": warning: this plugin is refused: " << refused.refusal.text() << "\n";
  }
  if (!quiet) std::cout << (candidate.has_errors() ? "not valid: " : "valid: ") << summary_of(candidate) << "\n";
}

}  // namespace

schedule::Candidate load_local(const Options& options, LocalParts& parts) {
  schedule::CandidateRequest request;
  request.config_directory = options.config;
  request.plugin_directories = plugin_directories(options);
  request.trust_file = options.trust;
  request.uid = ::geteuid();
  request.environment = config::environment_of_process(options.env_file, request.uid);
  request.zones = &parts.zones;
  request.stage = parts.stage;
  request.libraries = &parts.libraries;
  request.vet_config = [&request](const config::Sources& sources) -> Status {
    auto answer = config::validate_in_child({"/proc/self/exe", "--parse-child"}, sources, request.environment, request.uid, std::chrono::seconds(15));
    if (!answer) return std::move(answer).error();
    return done();
  };
  return schedule::load_candidate(request);
}

int validate(const Options& options) {
  LocalParts parts;
  schedule::Candidate candidate = load_local(options, parts);
  candidate.diagnostics.sort();
  if (options.value("output") == "sarif") std::cout << config::to_sarif(candidate.diagnostics, candidate.sources, RONDA_VERSION) << "\n";
  else if (options.json) std::cout << config::to_json(candidate.diagnostics, candidate.sources) << "\n";
  else print_text(candidate, options.quiet);
  return candidate.has_errors() ? exit_failed : exit_done;
}

}  // namespace ronda::cli
