// SPDX-License-Identifier: Apache-2.0
// Looking things up in a catalogue, and saying why they are not there.
#include <algorithm>

#include "base/text.hpp"
#include "plugin/catalogue.hpp"

namespace ronda::plugin {
namespace {

std::string step_line(LoadStep step, const std::string& what) {
  std::string name = std::to_string(static_cast<int>(step)) + " " + std::string(to_string(step));
  name.resize(std::max<std::size_t>(name.size(), 10), ' ');
  return name + what + "\n";
}

std::string grant_list(const std::vector<Grant>& grants) {
  std::string out;
  for (const Grant grant : grants) out += (out.empty() ? "" : " ") + std::string(to_string(grant));
  return out.empty() ? "none" : out;
}

std::string trail_of(const PluginEntry& plugin) {
  std::string out = plugin.manifest.id + " " + plugin.manifest.version + " is usable\n";
  out += step_line(LoadStep::open, plugin.path + ", " + std::to_string(plugin.size) + " bytes");
  if (plugin.staged != nullptr) {
    out += step_line(LoadStep::stage, plugin.staged->path.empty() ? plugin.staged->note : plugin.staged->path);
  }
  out += step_line(LoadStep::read, "sha256 " + plugin.sha256);
  for (const std::string& warning : plugin.warnings) out += "          " + warning + "\n";
  out += step_line(LoadStep::policy, "entry " + std::to_string(plugin.entry_major) + ", grants: " +
                                         grant_list(plugin.grants));
  return out;
}

std::string trail_of(const RefusedFile& file) {
  std::string out = escape_controls(file.path) + " is refused\n";
  out += step_line(file.refusal.step, std::string(to_string(file.refusal.reason)) + ": " + file.refusal.message);
  for (const std::string& problem : file.problems) out += "          " + problem + "\n";
  if (!file.refusal.remedy.empty()) out += "remedy    " + file.refusal.remedy + "\n";
  return out;
}

bool is_other_kind(const Catalogue& catalogue, Kind kind, std::string_view name, std::string& out) {
  for (const Kind other : {Kind::check, Kind::task, Kind::notifier}) {
    if (other == kind || !catalogue.find(other, name)) continue;
    out = "'" + std::string(name) + "' is a " + std::string(to_string(other)) + ", not a " +
          std::string(to_string(kind));
    return true;
  }
  return false;
}

}  // namespace

std::optional<Catalogue::Found> Catalogue::find(Kind kind, std::string_view name) const {
  for (const auto& [id, plugin] : plugins) {
    for (const Procedure& procedure : plugin->manifest.provides)
      if (procedure.kind == kind && procedure.name == name) return Found{plugin, &procedure};
  }
  return std::nullopt;
}

std::string Catalogue::explain_missing(Kind kind, std::string_view name) const {
  const std::string shown = "'" + escape_controls(name) + "'";
  for (const RefusedFile& file : refused) {
    if (std::ranges::find(file.procedures, name) == file.procedures.end()) continue;
    return "the plugin that provides " + shown + " is refused: " + escape_controls(file.path) + ": " +
           file.refusal.text();
  }
  std::string out;
  if (is_other_kind(*this, kind, name, out)) return out;
  std::vector<std::string_view> names;
  for (const auto& [id, plugin] : plugins) {
    for (const Procedure& procedure : plugin->manifest.provides)
      if (procedure.kind == kind) names.push_back(procedure.name);
  }
  out = "no plugin provides the " + std::string(to_string(kind)) + " " + shown;
  const std::string_view meant = nearest(name, names);
  if (!meant.empty()) out += "; did you mean '" + std::string(meant) + "'?";
  return out;
}

std::string Catalogue::why(std::string_view id_or_path) const {
  std::string out;
  for (const auto& [id, plugin] : plugins)
    if (id == id_or_path || plugin->path == id_or_path) out += trail_of(*plugin);
  for (const RefusedFile& file : refused)
    if (file.path == id_or_path || (!file.id.empty() && file.id == id_or_path)) out += trail_of(file);
  return out;
}

}  // namespace ronda::plugin
