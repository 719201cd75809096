// SPDX-License-Identifier: Apache-2.0
#include "cli/plugin_tools.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "plugin/host_libraries.hpp"

namespace ronda::cli {
namespace {

bool is_file(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0;
}

/// The file of a plugin with that id, as far as its manifest can be read.
std::string path_of_id(const plugin::Catalogue& catalogue, std::string_view id) {
  for (const auto& [known, entry] : catalogue.plugins)
    if (known == id) return entry->path;
  for (const plugin::RefusedFile& refused : catalogue.refused)
    if (refused.id == id) return refused.path;
  return {};
}

void read_manifest(PluginFile& file) {
  config::Diagnostics diagnostics;
  file.manifest = plugin::parse_manifest(file.facts.manifest, 0, diagnostics);
  diagnostics.sort();
  const config::Sources sources = {{"plugin.toml", file.facts.manifest}};
  for (const config::Diagnostic& diagnostic : diagnostics.all()) file.problems.push_back(headline(diagnostic, sources));
  if (file.manifest) return;
  file.refusal = plugin::Refusal{plugin::LoadStep::read, plugin::LoadReason::bad_manifest, "its manifest has errors",
                                 "correct plugin.toml and build it again"};
}

}  // namespace

plugin::Catalogue scan(const Options& options, std::vector<std::string> directories) {
  plugin::ScanRequest request;
  request.directories = std::move(directories);
  request.uid = ::geteuid();
  plugin::HostLibraries libraries(plugin::system_library_directories());
  request.libraries = &libraries;
  config::Sources sources;
  config::Diagnostics diagnostics;
  if (auto trust = plugin::load_trust(options.trust, request.uid, sources, diagnostics)) {
    request.trust = *std::move(trust);
  } else {
    for (const config::Diagnostic& diagnostic : diagnostics.all())
      complain(headline(diagnostic, sources) + "; going on as if there were no such file");
  }
  return plugin::scan_plugins(request);
}

Result<std::string> find_plugin_file(const Options& options, const std::string& file_or_id) {
  const bool is_path = file_or_id.find('/') != std::string::npos || file_or_id.ends_with(".so");
  if (is_path || is_file(file_or_id)) return file_or_id;
  const std::vector<std::string> directories = plugin_directories(options);
  const plugin::Catalogue catalogue = scan(options, directories);
  for (const plugin::RefusedFile& refused : catalogue.refused) {
    // one of two would be taken by chance
    if (refused.id == file_or_id && refused.refusal.reason == plugin::LoadReason::duplicate_id)
      return Error(Errc::exists, escape_controls(refused.path) + " " + escape_controls(refused.refusal.message) + "; name the file, or " +
                                     refused.refusal.remedy);
  }
  if (std::string path = path_of_id(catalogue, file_or_id); !path.empty()) return path;
  for (const std::string& directory : directories) {
    std::string path = directory + "/" + file_or_id + ".so";
    if (is_file(path)) return path;
  }
  std::vector<std::string_view> ids;
  for (const auto& [id, entry] : catalogue.plugins) ids.push_back(id);
  const std::string_view meant = nearest(file_or_id, ids);
  return Error(Errc::not_found, "there is no plugin '" + escape_controls(file_or_id) + "' in " + join(directories) +
                                    (meant.empty() ? "" : "; did you mean '" + std::string(meant) + "'?"));
}

PluginFile read_plugin_file(const std::string& path) {
  if (auto content = plugin::read_any_plugin(path)) {
    return examine_plugin(path, *std::move(content));
  } else {
    PluginFile file;
    file.path = path;
    file.refusal = content.error();
    return file;
  }
}

PluginFile examine_plugin(const std::string& path, plugin::PluginBytes content) {
  PluginFile file;
  file.path = path;
  file.content = std::move(content);
  auto facts = plugin::read_plugin_elf(file.content.bytes);
  if (!facts) {
    file.refusal = facts.error();
    return file;
  }
  file.facts = *std::move(facts);
  read_manifest(file);
  if (!file.manifest) return file;
  file.refusal = plugin::HostLibraries(plugin::system_library_directories()).check(file.facts);
  if (file.refusal) return file;
  const auto major = plugin::choose_entry(plugin::this_agents_abi(), file.facts.entry_majors, file.manifest->abi);
  if (major)
    file.entry_major = *major;
  else
    file.refusal = major.error();
  return file;
}

Result<PluginFile> open_plugin(const Options& options, const std::string& file_or_id) {
  RONDA_TRY(const std::string path, find_plugin_file(options, file_or_id));
  PluginFile file = read_plugin_file(path);
  if (!file.refusal) return file;
  std::string text = escape_controls(path) + " " + file.refusal->message;
  for (const std::string& problem : file.problems) text += "\n  " + problem;
  if (!file.refusal->remedy.empty()) text += "\n  remedy: " + file.refusal->remedy;
  return Error(Errc::invalid, std::move(text));
}

int complain_of(const Error& error) {
  complain(error.message());
  return error.code() == Errc::not_found ? exit_usage : exit_failed;
}

Result<const plugin::Procedure*> choose_procedure(const plugin::Manifest& manifest, std::string_view name) {
  std::vector<std::string> names;
  std::vector<std::string_view> known;
  for (const plugin::Procedure& procedure : manifest.provides) {
    if (procedure.name == name) return &procedure;
    names.push_back(procedure.name);
    known.push_back(procedure.name);
  }
  if (name.empty() && names.size() == 1) return &manifest.provides.front();
  if (name.empty()) return Error(Errc::invalid, "say which procedure: " + join(names));
  const std::string_view meant = nearest(name, known);
  return Error(Errc::not_found, manifest.id + " provides no '" + escape_controls(name) + "'; " +
                                    (meant.empty() ? "it provides " + join(names) : "did you mean '" + std::string(meant) + "'?"));
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out.empty() ? "none" : out;
}

std::vector<std::string> grant_words(const std::vector<plugin::Grant>& grants) {
  std::vector<std::string> out;
  for (const plugin::Grant grant : grants) out.emplace_back(plugin::to_string(grant));
  return out;
}

std::string columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - row[i].size() + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

}  // namespace ronda::cli
