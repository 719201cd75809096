// SPDX-License-Identifier: Apache-2.0
// `ronda plugin install`: what was checked is what is put into the plugin directory, by one rename. The file
// that was there stays beside it as NAME.so.previous, which no agent reads.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <filesystem>
#include <iostream>

#include "base/text.hpp"
#include "cli/plugin_tools.hpp"
#include "plugin/lint.hpp"

namespace ronda::cli {
namespace json = boost::json;

namespace {

/// What will be done, and why it may not be.
struct Plan {
  std::string directory, name;      // of the new file
  plugin::PluginPointer installed;  // what it replaces; null when it is new
  std::string note;                 // about it, for the question
};

std::string base_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

/// Lint over the very bytes that will be written; false when there is an error.
bool passes_lint(const PluginFile& file) {
  bool good = true;
  for (const plugin::LintFinding& finding : plugin::lint(file.content.bytes, plugin::system_library_directories())) {
    std::cerr << plugin::to_string(finding.severity) << " " << finding.rule << ": " << escape_controls(finding.message) << "\n";
    if (!finding.remedy.empty()) std::cerr << "  remedy: " << finding.remedy << "\n";
    good = good && finding.severity != plugin::LintSeverity::error;
  }
  return good;
}

/// A procedure that another plugin has already.
std::optional<std::string> taken_procedure(const plugin::Catalogue& catalogue, const plugin::Manifest& manifest) {
  for (const plugin::Procedure& procedure : manifest.provides) {
    const auto found = catalogue.find(procedure.kind, procedure.name);
    if (found && found->plugin->manifest.id != manifest.id)
      return "provides the " + std::string(plugin::to_string(procedure.kind)) + " '" + procedure.name + "', as '" +
             found->plugin->manifest.id + "' does already";
  }
  return std::nullopt;
}

/// Files with this id of which none can be replaced so that one is left: two of them, or one in another directory.
std::optional<std::string> taken_id(const Options& options, const std::string& directory, const std::string& id) {
  const plugin::Catalogue all = scan(options, plugin_directories(options));
  for (const plugin::RefusedFile& refused : all.refused) {
    if (refused.id == id && refused.refusal.reason == plugin::LoadReason::duplicate_id)
      return escape_controls(refused.path) + " " + escape_controls(refused.refusal.message) + "; " + refused.refusal.remedy + " first";
  }
  const auto found = all.plugins.find(id);
  if (found == all.plugins.end() || found->second->path == directory + "/" + base_name(found->second->path)) return std::nullopt;
  return "has the id '" + id + "', as " + escape_controls(found->second->path) +
         " has, which lies in another plugin directory; remove that one first";
}

std::string grants_note(const plugin::Manifest& manifest, const plugin::Manifest* before) {
  std::vector<std::string> fresh;
  for (const plugin::Grant grant : manifest.needs) {
    const bool had = before != nullptr && std::ranges::find(before->needs, grant) != before->needs.end();
    if (!had) fresh.emplace_back(plugin::to_string(grant));
  }
  return std::string(before == nullptr ? "grants: " : "new grants: ") + join(fresh);
}

Result<Plan> make_plan(const Options& options, const PluginFile& file) {
  const plugin::Manifest& manifest = *file.manifest;
  Plan plan;
  plan.directory = plugin_directories(options).front();
  plan.name = base_name(file.path);
  if (!plan.name.ends_with(".so") || plan.name.starts_with('.'))
    return Error(Errc::invalid, "the name of a plugin ends in .so and does not begin with a dot");
  if (auto taken = taken_id(options, plan.directory, manifest.id)) return Error(Errc::exists, *std::move(taken));
  const plugin::Catalogue catalogue = scan(options, {plan.directory});
  if (const auto found = catalogue.plugins.find(manifest.id); found != catalogue.plugins.end()) plan.installed = found->second;
  if (auto taken = taken_procedure(catalogue, manifest)) return Error(Errc::exists, *std::move(taken));
  if (plan.installed != nullptr) {
    plan.name = base_name(plan.installed->path);
    plan.note = "replaces version " + plan.installed->manifest.version + "; " + grants_note(manifest, &plan.installed->manifest);
    return plan;
  }
  for (const auto& [id, entry] : catalogue.plugins)
    if (base_name(entry->path) == plan.name)
      return Error(Errc::exists, plan.name + " is the plugin '" + id + "'; give the new file another name");
  plan.note = "is new; " + grants_note(manifest, nullptr);
  return plan;
}

enum class Answer : std::uint8_t { yes, no, nobody_to_ask };

Answer ask(const Options& options, const std::string& question) {
  if (options.has("yes")) return Answer::yes;
  if (::isatty(STDIN_FILENO) == 0) return Answer::nobody_to_ask;
  (options.json ? std::cerr : std::cout) << question << " [y/N] " << std::flush;
  std::string line;
  std::getline(std::cin, line);
  return line == "y" || line == "Y" || line == "yes" ? Answer::yes : Answer::no;
}

Status write_whole(int file, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(file, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return system_error("write the plugin", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  if (::fchmod(file, 0644) != 0 || ::fsync(file) != 0) return system_error("write the plugin", errno);
  return done();
}

/// New file under a hidden name, the old one kept under another, then one rename: at no moment is there none
/// or half of one.
Status put(int directory, const std::string& name, std::span<const std::uint8_t> bytes, bool& kept_previous) {
  const std::string fresh = "." + name + ".new", previous = name + ".previous";
  ::unlinkat(directory, fresh.c_str(), 0);
  const Descriptor file(::openat(directory, fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return system_error("make " + fresh, errno);
  Status written = write_whole(file.get(), bytes);
  if (!written) {
    ::unlinkat(directory, fresh.c_str(), 0);
    return written;
  }
  ::unlinkat(directory, previous.c_str(), 0);
  kept_previous = ::linkat(directory, name.c_str(), directory, previous.c_str(), 0) == 0;
  if (!kept_previous && errno != ENOENT) return system_error("keep the file that is there as " + previous, errno);
  if (::renameat(directory, fresh.c_str(), directory, name.c_str()) != 0) return system_error("rename " + fresh, errno);
  ::fsync(directory);
  return done();
}

/// trust.toml with this content among its pins, where pins bind. The file that was there stays as .previous.
Status pin(const Options& options, const PluginFile& file) {
  config::Sources sources;
  config::Diagnostics diagnostics;
  auto trust = plugin::load_trust(options.trust, ::geteuid(), sources, diagnostics);
  if (!trust) return Error(Errc::invalid, headline(diagnostics.all().front(), sources));
  const plugin::PluginTrust* entry = trust->find(file.manifest->id);
  const bool binds = trust->mode == plugin::TrustMode::pin || (entry != nullptr && !entry->sha256.empty());
  const bool is_there = entry != nullptr && std::ranges::find(entry->sha256, file.content.sha256) != entry->sha256.end();
  if (!binds || is_there) return done();
  trust->plugins[file.manifest->id].sha256.push_back(file.content.sha256);
  const std::filesystem::path path(options.trust);
  const Descriptor directory(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return system_error("open " + path.parent_path().string(), errno);
  const std::string text = plugin::format_trust(*trust);
  bool kept = false;
  return put(directory.get(), path.filename().string(), {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, kept);
}

void print_json(const PluginFile& file, const std::string& path, bool changed, bool kept_previous) {
  std::cout << json::serialize(json::object{{"format", 1},
                                            {"id", file.manifest->id},
                                            {"version", file.manifest->version},
                                            {"file", path},
                                            {"sha256", file.content.sha256},
                                            {"changed", changed},
                                            {"previous", kept_previous ? json::value(path + ".previous") : json::value(nullptr)}})
            << "\n";
}

void print_done(const Options& options, const PluginFile& file, const std::string& path, bool kept_previous) {
  if (options.json) return print_json(file, path, true, kept_previous);
  std::cout << "installed " << path << "\n  use it   ronda reload\n  undo     "
            << (kept_previous ? "mv " + path + ".previous " + path : "rm " + path) << " && ronda reload\n";
}

int failed(const Error& error) {
  complain(error.message());
  return exit_failed;
}

}  // namespace

int plugin_install(const Options& options) {
  const std::string& source = options.arguments[0];
  const PluginFile file = read_plugin_file(source);
  if (file.refusal) {
    for (const std::string& problem : file.problems) std::cerr << problem << "\n";
    return failed(Error(Errc::invalid, escape_controls(source) + " is refused: " + file.refusal->text()));
  }
  if (!passes_lint(file)) return failed(Error(Errc::invalid, "not installed: correct the errors above"));
  const auto plan = make_plan(options, file);
  if (!plan) return failed(plan.error());
  const auto directory = plugin::open_plugin_directory(plan->directory, ::geteuid());
  if (!directory) return failed(Error(Errc::denied, plan->directory + ": " + directory.error().text()));
  const std::string path = plan->directory + "/" + plan->name;
  if (plan->installed != nullptr && plan->installed->sha256 == file.content.sha256) {
    if (options.json) {
      print_json(file, path, false, false);
    } else {
      std::cout << path << " has this content already\n";
    }
    return exit_done;
  }
  std::ostream& said = options.json ? std::cerr : std::cout;
  said << file.manifest->id << " " << file.manifest->version << " " << plan->note << "\n";
  switch (ask(options, "install it as " + path + "?")) {
    case Answer::yes:
      break;
    case Answer::no:
      said << "nothing was changed\n";
      return exit_failed;
    case Answer::nobody_to_ask:
      complain("there is nobody to ask: say --yes");
      return exit_usage;
  }
  // the pin first: one too many lets nothing in, one too few would stop the plugin at the next reload
  if (const Status pinned = pin(options, file); !pinned) return failed(pinned.error());
  bool kept_previous = false;
  if (const Status put_there = put(directory->get(), plan->name, file.content.bytes, kept_previous); !put_there)
    return failed(put_there.error());
  print_done(options, file, path, kept_previous);
  return exit_done;
}

}  // namespace ronda::cli
