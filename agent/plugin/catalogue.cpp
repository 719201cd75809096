// SPDX-License-Identifier: Apache-2.0
#include "plugin/catalogue.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <set>

#include "base/text.hpp"
#include "plugin/abi_window.hpp"
#include "plugin/plugin_file.hpp"

namespace ronda::plugin {
namespace {

constexpr std::size_t max_files = 10'000;
constexpr std::size_t begun_bytes_most = std::size_t{64} << 20;
constexpr std::size_t begun_most = 4;  // files held in memory; what reads them works while the next are read and staged

bool is_leftover(std::string_view name) {
  return name.starts_with('.') || name.ends_with('~') || name.ends_with(".bak") || name.find(".dpkg-") != std::string_view::npos ||
         name.find(".rpm") != std::string_view::npos;
}

/// Names in byte order, the same on every host.
std::vector<std::string> list_names(int directory) {
  std::vector<std::string> names;
  const int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> list(fdopendir(copy), closedir);
  if (!list) {
    close(copy);
    return names;
  }
  while (const dirent* entry = readdir(list.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && names.size() < max_files) names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

class Scan {
 public:
  explicit Scan(const ScanRequest& request) : request_(request) {
    if (request.previous == nullptr) return;
    for (const auto& [id, plugin] : request.previous->plugins) known_[plugin->sha256] = plugin;
  }

  Catalogue run() {
    for (const std::string& path : request_.directories) scan_directory(path);
    settle_begun(0);
    settle_names();
    return std::move(out_);
  }

 private:
  /// A file that is sound and trusted: what is left to judge is whether others have its names.
  struct Fit {
    PluginEntry entry;
    RefusedFile refused;  // what is told of it if so
  };

  /// A file whose bytes are being vetted, or that was refused before they were.
  struct Begun {
    std::string path;
    Loaded<PluginBytes> bytes;
    std::function<Status()> vetted;  // null: nothing to wait for
  };

  void refuse(const std::string& path, Refusal refusal) { out_.refused.push_back({path, std::move(refusal), {}, {}, {}}); }

  void scan_directory(const std::string& path) {
    const auto directory = open_plugin_directory(path, request_.uid);
    if (!directory) {
      settle_begun(0);
      return refuse(path, directory.error());
    }
    struct stat facts {};
    if (::fstat(directory->get(), &facts) == 0 && !seen_.emplace(facts.st_dev, facts.st_ino).second) return;
    for (const std::string& name : list_names(directory->get())) {
      const std::string full = path + "/" + name;
      if (is_leftover(name)) {
        out_.skipped.push_back(full);
      } else if (name.ends_with(".so")) {
        begun_.push_back(begin(directory->get(), name, full));
        settle_begun(begun_most - 1);
      }
    }
  }

  Begun begin(int directory, const std::string& name, const std::string& path) const {
    const auto file = open_plugin_entry(directory, name, request_.uid);
    if (!file) return {path, file.error(), nullptr};
    Begun begun{path, read_plugin_bytes(file->get()), nullptr};
    if (begun.bytes && request_.vet && !known_.contains(begun.bytes->sha256)) begun.vetted = request_.vet(*begun.bytes);
    return begun;
  }

  /// The oldest first, until no more than `most` are under way.
  void settle_begun(std::size_t most) {
    for (; begun_.size() > most || held_bytes() > begun_bytes_most; begun_.pop_front()) settle(begun_.front());
  }

  std::size_t held_bytes() const {
    std::size_t out = 0;
    for (const Begun& one : begun_) out += one.bytes ? one.bytes->bytes.size() : 0;
    return out;
  }

  void settle(const Begun& begun) {
    if (!begun.bytes) return refuse(begun.path, begun.bytes.error());
    RefusedFile refused{begun.path, {}, {}, {}, {}};
    auto entry = load(begun, refused);
    if (entry) {
      entry->path = begun.path;
      entry->size = begun.bytes->bytes.size();
      entry->file = begun.bytes->file;
      if (auto refusal = admit(*entry)) {
        refused.refusal = *std::move(refusal);
      } else {
        fit_.push_back({*std::move(entry), std::move(refused)});
        return;
      }
    } else {
      refused.refusal = entry.error();
    }
    out_.refused.push_back(std::move(refused));
  }

  /// Stages and reads; a file with a known hash was read before.
  Loaded<PluginEntry> load(const Begun& begun, RefusedFile& refused) {
    const PluginBytes& bytes = *begun.bytes;
    PluginEntry entry;
    if (const auto known = known_.find(bytes.sha256); known != known_.end()) {
      entry = *known->second;
      remember(entry.manifest, refused);
      if (entry.staged != nullptr || request_.stage == nullptr) return entry;
    }
    entry.sha256 = bytes.sha256;
    if (request_.stage != nullptr) {
      RONDA_TRY(StagedFile staged, request_.stage->put(bytes));
      entry.staged = std::make_shared<const StagedFile>(std::move(staged));
    }
    if (!entry.manifest.id.empty()) return entry;
    if (begun.vetted) {
      if (const Status sound = begun.vetted(); !sound)
        return Refusal{LoadStep::read, LoadReason::vetting_failed, sound.error().message(), "build it again"};
    }
    RONDA_TRY(entry.facts, read_plugin_elf(bytes.bytes));
    if (request_.libraries != nullptr) {
      if (auto refusal = request_.libraries->check(entry.facts)) return *std::move(refusal);
    }
    RONDA_TRY(entry.manifest, read_manifest(entry, refused));
    return entry;
  }

  static void remember(const Manifest& manifest, RefusedFile& refused) {
    refused.id = manifest.id;
    for (const Procedure& procedure : manifest.provides) refused.procedures.push_back(procedure.name);
  }

  static Loaded<Manifest> read_manifest(PluginEntry& entry, RefusedFile& refused) {
    config::Diagnostics diagnostics;
    auto manifest = parse_manifest(entry.facts.manifest, 0, diagnostics);
    diagnostics.sort();
    const config::Sources sources = {{"plugin.toml", entry.facts.manifest}};
    std::vector<std::string> lines;
    for (const config::Diagnostic& diagnostic : diagnostics.all()) lines.push_back(headline(diagnostic, sources));
    if (manifest) {
      entry.warnings = std::move(lines);
      remember(*manifest, refused);
      return *std::move(manifest);
    }
    refused.problems = std::move(lines);
    return Refusal{LoadStep::read, LoadReason::bad_manifest,
                   "its manifest has errors: " + (refused.problems.empty() ? "" : refused.problems.front()),
                   "ronda plugin lint FILE shows all of them"};
  }

  /// Step 4, of the file alone: ABI window, trust.
  std::optional<Refusal> admit(PluginEntry& entry) {
    if (const auto unfit = request_.unfit.find(entry.sha256); unfit != request_.unfit.end())
      return Refusal{LoadStep::probe, LoadReason::probe_failed, "does not work: " + unfit->second, "mend the plugin, or its options"};
    const auto major = choose_entry(request_.abi, entry.facts.entry_majors, entry.manifest.abi);
    if (!major) return major.error();
    entry.entry_major = *major;
    auto grants = judge_trust(request_.trust, entry.manifest, entry.sha256);
    if (!grants) return std::move(grants).error();
    entry.grants = *std::move(grants);
    const PluginTrust* trust = request_.trust.find(entry.manifest.id);
    entry.users = trust == nullptr ? std::vector<std::string>() : trust->users;
    return std::nullopt;
  }

  /// Step 4, of the files among each other. An id that more than one of them has is nobody's: which of them is meant is
  /// not to be guessed from a file's name.
  void settle_names() {
    std::map<std::string, std::vector<std::string>, std::less<>> paths;
    for (const Fit& fit : fit_) paths[fit.entry.manifest.id].push_back(fit.entry.path);
    for (const auto& [id, files] : paths) hold_running(id, files);
    for (Fit& fit : fit_) {
      const std::vector<std::string>& same = paths.at(fit.entry.manifest.id);
      auto refusal = same.size() > 1 ? refuse_ambiguous(fit.entry, same) : check_procedures(fit.entry);
      if (refusal) {
        fit.refused.refusal = *std::move(refusal);
        out_.refused.push_back(std::move(fit.refused));
      } else {
        add(std::move(fit.entry));
      }
    }
  }

  /// The code that runs under an ambiguous id goes on, so its procedures stay taken.
  void hold_running(const std::string& id, const std::vector<std::string>& files) {
    if (files.size() < 2 || request_.previous == nullptr) return;
    if (const auto running = request_.previous->plugins.find(id); running != request_.previous->plugins.end())
      held_.plugins.insert(*running);
  }

  static Refusal refuse_ambiguous(const PluginEntry& entry, const std::vector<std::string>& same) {
    std::string others;
    for (const std::string& path : same)
      if (path != entry.path) others += (others.empty() ? "" : " and ") + path;
    return {LoadStep::policy, LoadReason::duplicate_id,
            "has the id '" + entry.manifest.id + "', as " + others + (same.size() > 2 ? " have" : " has"),
            same.size() > 2 ? "remove all of these files but one" : "remove one of the two files"};
  }

  std::optional<Refusal> check_procedures(const PluginEntry& entry) const {
    for (const Procedure& procedure : entry.manifest.provides) {
      if (procedure.kind == Kind::unknown) continue;
      auto taken = out_.find(procedure.kind, procedure.name);
      if (!taken) taken = held_.find(procedure.kind, procedure.name);
      if (!taken) continue;
      return Refusal{LoadStep::policy, LoadReason::duplicate_procedure,
                     "provides the " + std::string(to_string(procedure.kind)) + " '" + procedure.name + "', as " + taken->plugin->path +
                         " ('" + taken->plugin->manifest.id + "') does",
                     "remove one of the two files"};
    }
    return std::nullopt;
  }

  void add(PluginEntry entry) {
    const std::string id = entry.manifest.id;
    out_.plugins[id] = std::make_shared<const PluginEntry>(std::move(entry));
  }

  const ScanRequest& request_;
  std::map<std::string, PluginPointer, std::less<>> known_;
  std::set<std::pair<dev_t, ino_t>> seen_;  // directories, however they were named
  std::deque<Begun> begun_;                 // in the order of the scan
  std::vector<Fit> fit_;                    // the same
  Catalogue held_;                          // what runs now and whose id is ambiguous in this scan
  Catalogue out_;
};

}  // namespace

Catalogue scan_plugins(const ScanRequest& request) {
  return Scan(request).run();
}

std::vector<std::string> list_plugin_files(const std::vector<std::string>& directories, uid_t uid) {
  std::vector<std::string> out;
  for (const std::string& path : directories) {
    const auto directory = open_plugin_directory(path, uid);
    if (!directory) continue;
    for (const std::string& name : list_names(directory->get())) {
      if (!is_leftover(name) && name.ends_with(".so")) out.push_back(path + "/" + name);
    }
  }
  return out;
}

std::optional<PluginBytes> read_listed_plugin(const std::string& path, uid_t uid) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return std::nullopt;
  const auto directory = open_plugin_directory(path.substr(0, slash), uid);
  if (!directory) return std::nullopt;
  const auto file = open_plugin_entry(directory->get(), path.substr(slash + 1), uid);
  if (!file) return std::nullopt;
  auto bytes = read_plugin_bytes(file->get());
  if (!bytes) return std::nullopt;
  return *std::move(bytes);
}

void read_hostile_bytes(std::span<const std::uint8_t> bytes) {
  const auto facts = read_plugin_elf(bytes);
  config::Diagnostics ignored;
  if (facts) static_cast<void>(parse_manifest(facts->manifest, 0, ignored));
}

std::vector<CatalogueChange> diff(const Catalogue& before, const Catalogue& after) {
  std::vector<CatalogueChange> out;
  for (const auto& [id, plugin] : before.plugins) {
    const auto now = after.plugins.find(id);
    const std::string hash = now == after.plugins.end() ? std::string() : now->second->sha256;
    if (hash != plugin->sha256) out.push_back({id, plugin->sha256, hash});
  }
  for (const auto& [id, plugin] : after.plugins)
    if (!before.plugins.contains(id)) out.push_back({id, "", plugin->sha256});
  std::ranges::sort(out, {}, &CatalogueChange::id);
  return out;
}

std::set<std::string, std::less<>> hashes_of(const Catalogue& catalogue) {
  std::set<std::string, std::less<>> out;
  for (const auto& [id, plugin] : catalogue.plugins) out.insert(plugin->sha256);
  return out;
}

}  // namespace ronda::plugin
