// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iostream>
#include <map>

#include "base/text.hpp"
#include "cli/cli.hpp"
#include "cli/layout.hpp"
#include "cli/local.hpp"
#include "config/build.hpp"
#include "config/core_keys.hpp"
#include "config/redact.hpp"
#include "config/toml.hpp"

namespace ronda::cli {
namespace json = boost::json;

namespace {

/// One procedure's word on which of its options are secret, whatever stood in the file.
bool is_secret(const plugin::Procedure* procedure, std::string_view key) {
  if (procedure == nullptr) return true;  // nobody says that it is not
  const auto option = std::ranges::find(procedure->options, key, &plugin::Option::key);
  return option == procedure->options.end() || option->type == plugin::OptionType::secret;
}

class Shower {
 public:
  explicit Shower(const config::Generation& generation) : generation_(generation) {}

  json::value show(std::string_view key, const config::Value& value, bool secret) const {
    if (const auto* list = value.as_list()) {
      json::array out;
      for (const config::Value& item : *list) out.push_back(show(key, item, secret));
      return out;
    }
    if (const auto* table = value.as_table()) {
      json::object out;
      for (const config::Member& member : *table) out[member.key] = show(member.key, member.value, secret);
      return out;
    }
    if (const auto* truth = value.as_bool()) return *truth;
    if (const auto* whole = value.as_int()) return *whole;
    if (const auto* real = value.as_float()) return *real;
    const std::string_view written = generation_.written_at(value.place());
    if (secret && written.empty()) return "***";
    return json::value(config::hide_secrets(config::shown_text(value, written, config::is_address_key(key)), generation_.secrets));
  }

 private:
  const config::Generation& generation_;
};

/// The objects as they stand in the files, references unresolved: "check.web", "defaults.check", "agent".
class Files {
 public:
  explicit Files(const config::Sources& sources) {
    config::Diagnostics told_already;
    for (std::uint32_t file = 0; file < sources.size(); ++file) {
      if (!sources[file].refused) tables_.push_back(config::parse_toml(sources[file].text, file, told_already).value_or(config::Table()));
    }
    for (const config::Table& table : tables_) {
      for (const config::Member& kind : table) add(kind);
    }
  }
  const config::Table* find(const std::string& name) const {
    const auto found = objects_.find(name);
    return found == objects_.end() ? nullptr : found->second;
  }
  const std::map<std::string, const config::Table*>& all() const { return objects_; }

 private:
  void add(const config::Member& kind) {
    const config::Table* table = kind.value.as_table();
    if (table == nullptr) return;
    if (kind.key == "agent" || kind.key == "api" || kind.key == "store") objects_.emplace(kind.key, table);
    for (const config::Member& one : *table) {
      if (const config::Table* object = one.value.as_table()) objects_.emplace(kind.key + "." + one.key, object);
    }
  }

  std::vector<config::Table> tables_;
  std::map<std::string, const config::Table*> objects_;
};

/// Keys of the core that the instance says, or else its kind's defaults, where `out` has them not yet.
void add_core_keys(json::object& out, const Shower& shower, const Files& files, const std::string& kind, const std::string& name) {
  for (const std::string& object : {kind + "." + name, "defaults." + kind}) {
    const config::Table* table = files.find(object);
    if (table == nullptr) continue;
    for (const config::Member& member : *table) {
      const bool other_time = (member.key == "every" || member.key == "at" || member.key == "cron") && object != kind + "." + name;
      if (config::is_core_key(member.key) && !other_time && !out.contains(member.key))
        out[member.key] = shower.show(member.key, member.value, false);
    }
  }
}

json::object show_instance(const Shower& shower, const config::Instance& instance, const plugin::Catalogue& catalogue) {
  const auto found = catalogue.find(static_cast<plugin::Kind>(instance.kind), instance.use);
  json::object out{{"use", instance.use}, {"enabled", instance.enabled}};
  if (instance.every) out["every"] = format_duration(*instance.every);
  if (!instance.rare().at.empty()) out["at"] = instance.rare().at;
  if (!instance.rare().cron.empty()) out["cron"] = instance.rare().cron;
  if (instance.timeout) out["timeout"] = format_duration(*instance.timeout);
  if (!instance.after.empty()) out["after"] = json::value_from(instance.after);
  for (const config::Member& member : instance.options) {
    out[member.key] = shower.show(member.key, member.value, is_secret(found ? found->procedure : nullptr, member.key));
  }
  return out;
}

/// A value as TOML: an inline table and a list are written on one line.
std::string toml_of(const json::value& value) {
  if (const json::object* object = value.if_object()) {
    std::string out;
    for (const auto& [key, member] : *object)
      out += (out.empty() ? "{ " : ", ") + json::serialize(json::value(key)) + " = " + toml_of(member);
    return out.empty() ? "{}" : out + " }";
  }
  if (const json::array* list = value.if_array()) {
    std::string out;
    for (const json::value& item : *list) out += (out.empty() ? "" : ", ") + toml_of(item);
    return "[" + out + "]";
  }
  return json::serialize(value);
}

int show(const Options& options) {
  LocalParts parts;
  const schedule::Candidate candidate = load_local(options, parts);
  if (is_unread(candidate)) return exit_undetermined;
  config::Diagnostics again;  // told by the candidate already
  const config::Environment environment = config::environment_of_process(options.env_file, ::geteuid());
  const config::Generation generation = config::build_generation(candidate.files.sources, environment, again);
  const Shower shower(generation);
  const Files files(candidate.files.sources);
  json::object all;
  for (const auto& [name, table] : files.all()) {
    // what defaults say is shown where it holds
    if (name.starts_with("check.") || name.starts_with("task.") || name.starts_with("notifier.") || name.starts_with("defaults.")) continue;
    json::object out;
    for (const config::Member& member : *table) out[member.key] = shower.show(member.key, member.value, false);
    all[name] = std::move(out);
  }
  for (const config::Instance& instance : generation.instances) {
    const std::string kind(config::kind_name(instance.kind));
    json::object out = show_instance(shower, instance, candidate.catalogue);
    add_core_keys(out, shower, files, kind, instance.name);
    all[kind + "." + instance.name] = std::move(out);
  }
  if (options.json) {
    std::cout << json::serialize(all) << "\n";
  } else {
    for (const auto& [name, table] : all) {
      std::cout << "[" << std::string_view(name) << "]\n";
      for (const auto& [key, value] : table.as_object()) std::cout << std::string_view(key) << " = " << toml_of(value) << "\n";
      std::cout << "\n";
    }
  }
  if (candidate.has_errors()) complain("the configuration has errors; 'ronda validate' shows them");
  return candidate.has_errors() ? exit_failed : exit_done;
}

int list_files(const Options& options) {
  config::Diagnostics diagnostics;
  const config::Snapshot snapshot = config::read_directory(options.config, options.config, ::geteuid(), diagnostics);
  json::array files, skipped;
  for (const config::Source& source : snapshot.sources)
    files.push_back(json::object{{"path", source.path}, {"bytes", source.text.size()}, {"refused", source.refused}});
  for (const config::Skipped& one : snapshot.skipped) skipped.push_back(json::object{{"name", one.name}, {"reason", one.reason}});
  if (options.json) {
    std::cout << json::serialize(json::object{{"files", files}, {"skipped", skipped}}) << "\n";
  } else {
    for (const config::Source& source : snapshot.sources)
      std::cout << (source.refused ? "refused  " : "read     ") << escape_controls(source.path) << "\n";
    for (const config::Skipped& one : snapshot.skipped) std::cout << "skipped  " << escape_controls(one.name) << ": " << one.reason << "\n";
  }
  std::cerr << config::render_all(diagnostics, snapshot.sources);
  return diagnostics.has_errors() ? exit_failed : exit_done;
}

}  // namespace

int config(const Options& options) {
  if (options.arguments.empty()) return list_files(options);
  if (options.arguments.size() == 1 && options.arguments.front() == "show") return show(options);
  complain("usage: ronda config [show]");
  return exit_usage;
}

}  // namespace ronda::cli
