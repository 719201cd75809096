// SPDX-License-Identifier: Apache-2.0
// `ronda plugin list`: what is in the plugin directories, usable or not. Needs no agent.
#include <boost/json.hpp>
#include <iostream>

#include "base/text.hpp"
#include "cli/plugin_tools.hpp"

namespace ronda::cli {
namespace json = boost::json;

namespace {

std::vector<std::string> procedure_words(const plugin::Manifest& manifest) {
  std::vector<std::string> out;
  for (const plugin::Procedure& procedure : manifest.provides) out.push_back(procedure.name);
  return out;
}

json::array provides_json(const plugin::Manifest& manifest) {
  json::array out;
  for (const plugin::Procedure& procedure : manifest.provides)
    out.push_back(
        json::object{{"kind", procedure.kind_id}, {"name", procedure.name}, {"summary", procedure.summary}});
  return out;
}

void print_json(const plugin::Catalogue& catalogue) {
  json::array plugins;
  for (const auto& [id, entry] : catalogue.plugins) {
    json::array grants;
    for (const std::string& grant : grant_words(entry->grants)) grants.push_back(json::value(grant));
    plugins.push_back(json::object{{"state", "ok"},
                                   {"id", id},
                                   {"version", entry->manifest.version},
                                   {"file", entry->path},
                                   {"sha256", entry->sha256},
                                   {"grants", std::move(grants)},
                                   {"provides", provides_json(entry->manifest)}});
  }
  for (const plugin::RefusedFile& refused : catalogue.refused) {
    plugins.push_back(
        json::object{{"state", "refused"},
                     {"id", refused.id.empty() ? json::value(nullptr) : json::value(refused.id)},
                     {"file", refused.path},
                     {"step", plugin::to_string(refused.refusal.step)},
                     {"reason", plugin::to_string(refused.refusal.reason)},
                     {"message", refused.refusal.message},
                     {"remedy", refused.refusal.remedy}});
  }
  json::array skipped;
  for (const std::string& path : catalogue.skipped) skipped.push_back(json::value(path));
  std::cout << json::serialize(json::object{
                   {"format", 1}, {"plugins", std::move(plugins)}, {"skipped", std::move(skipped)}})
            << "\n";
}

void print_text(const plugin::Catalogue& catalogue, const std::vector<std::string>& directories) {
  std::vector<std::vector<std::string>> rows = {{"STATE", "ID", "VERSION", "FILE", "PROVIDES"}};
  for (const auto& [id, entry] : catalogue.plugins)
    rows.push_back({"ok", id, entry->manifest.version, escape_controls(entry->path),
                    join(procedure_words(entry->manifest))});
  for (const plugin::RefusedFile& refused : catalogue.refused)
    rows.push_back({"refused", refused.id.empty() ? "-" : refused.id, "-", escape_controls(refused.path),
                    refused.refusal.text()});
  if (rows.size() == 1)
    std::cout << "no plugins in " << join(directories) << "\n";
  else
    std::cout << columns(rows);
}

}  // namespace

int plugin_list(const Options& options) {
  const std::vector<std::string> directories = plugin_directories(options);
  const plugin::Catalogue catalogue = scan(options, directories);
  if (options.json)
    print_json(catalogue);
  else
    print_text(catalogue, directories);
  return catalogue.refused.empty() ? exit_done : exit_failed;
}

}  // namespace ronda::cli
