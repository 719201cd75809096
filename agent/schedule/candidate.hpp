// SPDX-License-Identifier: Apache-2.0
// A candidate: everything that conf.d and the plugin files say right now, read, checked and made ready to run,
// with all that is wrong. Start, reload and `validate` are this one function; what is done with errors is
// the caller's decision. Runs no plugin code and changes nothing.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/directory.hpp"
#include "config/generation.hpp"
#include "plugin/catalogue.hpp"
#include "schedule/entry.hpp"
#include "schedule/zone.hpp"

namespace ronda::schedule {

/// conf.d as it was read, and what throw-away readers said of it and of plugin files that are new.
struct VettedFiles {
  config::Snapshot files;
  config::Diagnostics diagnostics;                                // of reading
  Result<Unit> verdict = done();                                  // an error rejects the configuration
  std::map<std::string, Result<Unit>, std::less<>> plugins = {};  // by hash; an error refuses the file
};

struct Candidate;

struct CandidateRequest {
  std::string config_directory;
  std::vector<std::string> plugin_directories;
  std::string trust_file;
  config::Environment environment;
  uid_t uid = 0;  // besides root, who may own files
  ZoneDatabase* zones = nullptr;
  sys_seconds now{};  // what was due last before it, and never is again, is told; 1970: nothing is
  std::string localtime = "/etc/localtime";  // says the zone of this host, where [agent] tz does not
  plugin::Stage* stage = nullptr;            // null: nothing is staged, nothing can be run
  plugin::HostLibraries* libraries = nullptr;
  const plugin::Catalogue* previous = nullptr;  // running now: its plugins stay usable where the new file is refused
  std::map<std::string, std::string> unfit;     // hashes of plugins that were tried and failed, with the reason
  /// Parses the bytes in a throw-away process first; an error rejects the configuration.
  std::function<Result<Unit>(const config::Sources&)> vet_config;
  std::optional<VettedFiles> vetted;  // done already: then neither read nor vetted again
  /// The same for the bytes of a plugin that is in neither `previous` nor `vetted`: ScanRequest::vet.
  std::function<std::function<Result<Unit>()>(const plugin::PluginBytes&)> vet_plugin;
  /// What parts that schedule does not know say of their own objects (people, rules, ...), once the set is made.
  std::vector<std::function<void(Candidate&)>> judges;
};

struct Candidate {
  config::Snapshot files;
  config::Sources sources;  // of the diagnostics: files, then trust.toml
  config::Diagnostics diagnostics;
  config::Generation generation;  // without its instances, which went into `set`
  plugin::Catalogue catalogue;
  std::vector<Prepared> set;
  std::vector<config::Place> places;                                    // of each of the set, in its order: until it is taken over
  std::map<std::string, std::string, std::less<>> known_procedures;     // of checks that are not in the set: what they would run
  std::vector<std::pair<Kind, std::string>> idle;                       // configured and not in the set: not enabled, or disabled here
  std::map<std::string, std::vector<std::string>, std::less<>> tags;    // of checks that have any, also idle and disabled ones
  std::map<std::string, config::Place, std::less<>> example_notifiers;  // in the set; their options hold a name reserved for examples
  std::size_t checks = 0, tasks = 0, notifiers = 0;
  std::vector<std::string> kept_plugins;         // refused now, their running code is kept: with the reason
  std::map<std::string, std::string> untrusted;  // plugins of the generation before that trust.toml does not let run any more, and why
  std::vector<std::string> taken_back;  // instances that trust.toml allowed before and does not any more: disabled, with place and reason
  ZonePtr zone;                         // [agent] tz, or this host's
  std::string zone_trouble;             // why it is UTC although nobody said so

  bool has_errors() const { return diagnostics.has_errors(); }
  /// `one` is of the set.
  config::Place place_of(const Prepared& one) const { return places[static_cast<std::size_t>(&one - set.data())]; }
};

Candidate load_candidate(const CandidateRequest& request);

}  // namespace ronda::schedule
