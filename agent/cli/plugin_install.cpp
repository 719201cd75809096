// SPDX-License-Identifier: Apache-2.0
// `ronda plugin install`: what was verified and checked is what is put into the plugin directory, by one rename. The
// file that was there stays beside it as NAME.so.previous, which no agent reads. Which grants an upgrade adds is asked
// for by name (decision 0093).
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "base/text.hpp"
#include "cli/plugin_signature.hpp"
#include "cli/plugin_tools.hpp"
#include "plugin/lint.hpp"

namespace ronda::cli {
namespace json = boost::json;

namespace {

/// What the command line says about it.
struct Wish {
  std::string source, signature;
  bool signature_named = false;
  std::vector<plugin::Grant> accepted;  // by --accept-grants
};

/// What will be done, and why it may not be.
struct Plan {
  std::string directory, name;            // of the new file
  plugin::PluginPointer installed;        // what it replaces; null when it is new, or what is there is refused
  bool replaces = false;                  // a file of this plugin, refused or not
  std::vector<plugin::Grant> new_grants;  // that it will have and the installed one does not
  std::string note;                       // about it, for the question
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

std::vector<plugin::Grant> without(const std::vector<plugin::Grant>& grants, const std::vector<plugin::Grant>& others) {
  std::vector<plugin::Grant> out;
  for (const plugin::Grant grant : grants)
    if (std::ranges::find(others, grant) == others.end()) out.push_back(grant);
  return out;
}

/// trust.toml as it will be: with this content among the pins, where pins bind.
bool add_pin(plugin::Trust& trust, const PluginFile& file) {
  const plugin::PluginTrust* entry = trust.find(file.manifest->id);
  const bool binds = trust.mode == plugin::TrustMode::pin || (entry != nullptr && !entry->sha256.empty());
  const bool is_there = entry != nullptr && std::ranges::find(entry->sha256, file.content.sha256) != entry->sha256.end();
  if (!binds || is_there) return false;
  trust.plugins[file.manifest->id].sha256.push_back(file.content.sha256);
  return true;
}

/// What it will have against what the installed one has now. A file that is refused now holds nothing.
Status compare_grants(Plan& plan, const PluginFile& file, plugin::Trust trust) {
  add_pin(trust, file);
  const auto given = plugin::judge_trust(trust, *file.manifest, file.content.sha256);
  if (!given) return Error(Errc::denied, given.error().message + "; " + given.error().remedy);
  const std::vector<plugin::Grant> before = plan.installed == nullptr ? std::vector<plugin::Grant>() : plan.installed->grants;
  plan.new_grants = without(*given, before);
  plan.note += std::string(plan.replaces ? "; new grants: " : "; grants: ") + join(grant_words(plan.new_grants));
  if (const auto gone = without(before, *given); !gone.empty()) plan.note += "; no longer: " + join(grant_words(gone));
  if (const auto kept_from_it = without(file.manifest->needs, *given); !kept_from_it.empty())
    plan.note += "; without " + join(grant_words(kept_from_it)) + ", which only trust.toml gives";
  return done();
}

/// A file of this plugin in that directory that is refused there.
const plugin::RefusedFile* refused_file(const plugin::Catalogue& catalogue, const std::string& id) {
  const auto found = std::ranges::find(catalogue.refused, id, &plugin::RefusedFile::id);
  return found == catalogue.refused.end() ? nullptr : &*found;
}

Result<Plan> make_plan(const Options& options, const PluginFile& file, const plugin::Trust& trust) {
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
  const plugin::RefusedFile* refused = plan.installed == nullptr ? refused_file(catalogue, manifest.id) : nullptr;
  if (plan.installed != nullptr) {
    plan.name = base_name(plan.installed->path);
    plan.replaces = true;
    plan.note = "replaces version " + plan.installed->manifest.version;
  } else if (refused != nullptr) {
    plan.name = base_name(refused->path);
    // what was never pinned was never let in: this is its first consent, not an upgrade
    plan.replaces = refused->refusal.reason != plugin::LoadReason::not_pinned;
    plan.note = "replaces a file that is refused (" + std::string(plugin::to_string(refused->refusal.reason)) + ")";
  } else {
    for (const auto& [id, entry] : catalogue.plugins)
      if (base_name(entry->path) == plan.name)
        return Error(Errc::exists, plan.name + " is the plugin '" + id + "'; give the new file another name");
    plan.note = "is new";
  }
  if (const Status compared = compare_grants(plan, file, trust); !compared) return compared.error();
  return plan;
}

enum class Answer : std::uint8_t { yes, no, nobody_to_ask };

/// --yes answers the question, not the one about grants that were never consented to.
std::string unanswered(const Options& options, const Plan& plan, const Wish& wish) {
  if (!options.has("yes")) return "there is nobody to ask: say --yes";
  std::string names;
  for (const plugin::Grant grant : plan.new_grants) names += (names.empty() ? "" : ",") + std::string(plugin::to_string(grant));
  return "--yes does not accept new grants of an upgrade: " + join(grant_words(without(plan.new_grants, wish.accepted))) +
         "; if it may have them, say --yes --accept-grants " + names;
}

Answer ask(const Options& options, const Plan& plan, const Wish& wish) {
  const bool needs_consent = plan.replaces && !without(plan.new_grants, wish.accepted).empty();
  if (options.has("yes")) return needs_consent ? Answer::nobody_to_ask : Answer::yes;
  if (::isatty(STDIN_FILENO) == 0) return Answer::nobody_to_ask;
  const std::string grants = plan.replaces && !plan.new_grants.empty() ? " with the new grants " + join(grant_words(plan.new_grants)) : "";
  (options.json ? std::cerr : std::cout) << "install it as " << plan.directory << "/" << plan.name << grants << "? [y/N] " << std::flush;
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

/// The file that was there stays as .previous.
Status write_trust(const Options& options, const plugin::Trust& trust) {
  const std::filesystem::path path(options.trust);
  const Descriptor directory(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return system_error("open " + path.parent_path().string(), errno);
  const std::string text = plugin::format_trust(trust);
  bool kept = false;
  return put(directory.get(), path.filename().string(), {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, kept);
}

/// trust.toml, and where it asks for a signature: "[install] verify at PATH:LINE:COLUMN".
struct Policy {
  plugin::Trust trust;
  std::string place;
};

/// Read before anything else: one with errors may ask for what it does not say well.
Result<Policy> read_policy(const Options& options) {
  config::Sources sources;
  config::Diagnostics diagnostics;
  auto trust = plugin::load_trust(options.trust, ::geteuid(), sources, diagnostics);
  if (!trust) {
    std::string all;
    for (const config::Diagnostic& diagnostic : diagnostics.all()) all += (all.empty() ? "" : "\n") + headline(diagnostic, sources);
    return Error(Errc::invalid, std::move(all));
  }
  Policy policy{*std::move(trust), {}};
  const config::Place& at = policy.trust.install.place;
  policy.place = "[install] verify at " + escape_controls(options.trust) + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
  return policy;
}

std::string unknown_grant(std::string_view name) {
  const std::string_view meant = nearest(name, plugin::grant_names());
  return "there is no grant '" + escape_controls(name) + "'" + (meant.empty() ? "" : "; did you mean '" + std::string(meant) + "'?");
}

Result<Wish> read_wish(const Options& options) {
  Wish wish;
  wish.source = options.arguments[0];
  wish.signature_named = options.has("signature");
  wish.signature = options.value("signature", wish.source + ".sig");
  for (const auto& [flag, value] : options.flags) {
    if (flag != "accept-grants") continue;
    std::istringstream names(value);
    for (std::string name; std::getline(names, name, ',');) {
      const auto grant = plugin::parse_grant(trim(name));
      if (!grant) return Error(Errc::invalid, "--accept-grants: " + unknown_grant(trim(name)));
      wish.accepted.push_back(*grant);
    }
  }
  return wish;
}

/// What there is to say at the end.
struct Outcome {
  std::string path;
  bool changed = false, kept_previous = false;
};

json::value verified_json(const Policy& policy, const Wish& wish) {
  if (policy.trust.install.verify.empty()) return nullptr;
  return json::object{{"program", policy.trust.install.verify.front()}, {"signature", wish.signature}};
}

void print_json(const PluginFile& file, const Plan& plan, const Outcome& outcome, json::value verified) {
  json::array grants;
  for (const plugin::Grant grant : plan.new_grants) grants.emplace_back(plugin::to_string(grant));
  std::cout << json::serialize(
                   json::object{{"format", 1},
                                {"id", file.manifest->id},
                                {"version", file.manifest->version},
                                {"file", outcome.path},
                                {"sha256", file.content.sha256},
                                {"verified", std::move(verified)},
                                {"new_grants", std::move(grants)},
                                {"changed", outcome.changed},
                                {"previous", outcome.kept_previous ? json::value(outcome.path + ".previous") : json::value(nullptr)}})
            << "\n";
}

void print_done(const Outcome& outcome) {
  if (!outcome.changed) {
    std::cout << outcome.path << " has this content already\n";
    return;
  }
  std::cout << "installed " << outcome.path << "\n  use it   ronda reload\n  undo     "
            << (outcome.kept_previous ? "mv " + outcome.path + ".previous " + outcome.path : "rm " + outcome.path) << " && ronda reload\n";
}

int failed(const Error& error) {
  complain(error.message());
  return exit_failed;
}

int failed_usage(const std::string& text) {
  complain(text);
  return exit_usage;
}

/// The plugin as it will be written; before a byte of it is looked at, its signature is judged.
Result<PluginFile> read_verified(const Wish& wish, const Policy& policy) {
  auto content = plugin::read_any_plugin(wish.source);
  if (!content) return Error(Errc::invalid, escape_controls(wish.source) + " is refused: " + content.error().text());
  if (!policy.trust.install.verify.empty()) {
    const Status good = verify_signature(policy.trust.install, policy.place, {wish.source, content->bytes, wish.signature});
    if (!good) return good.error();
  }
  PluginFile file = examine_plugin(wish.source, *std::move(content));
  if (file.refusal) {
    for (const std::string& problem : file.problems) std::cerr << problem << "\n";
    return Error(Errc::invalid, escape_controls(wish.source) + " is refused: " + file.refusal->text());
  }
  if (!passes_lint(file)) return Error(Errc::invalid, "not installed: correct the errors above");
  return file;
}

/// The pin first: one too many lets nothing in, one too few would stop the plugin at the next reload. It goes into
/// trust.toml as it is now, not as it was before somebody thought about the question.
Status write_both(const Options& options, int directory, const PluginFile& file, const Plan& plan, Outcome& outcome) {
  RONDA_TRY(Policy policy, read_policy(options));
  if (add_pin(policy.trust, file)) {
    const Status pinned = write_trust(options, policy.trust);
    if (!pinned) return pinned;
  }
  outcome.changed = true;
  return put(directory, plan.name, file.content.bytes, outcome.kept_previous);
}

}  // namespace

int plugin_install(const Options& options) {
  const auto wish = read_wish(options);
  if (!wish) return failed_usage(wish.error().message());
  const auto policy = read_policy(options);
  if (!policy) return failed(policy.error());
  const bool verifies = !policy->trust.install.verify.empty();
  if (wish->signature_named && !verifies)
    return failed_usage("nothing would verify the signature: " + escape_controls(options.trust) + " has no [install] verify");
  const auto file = read_verified(*wish, *policy);
  if (!file) return failed(file.error());
  const auto plan = make_plan(options, *file, policy->trust);
  if (!plan) return failed(plan.error());
  const auto directory = plugin::open_plugin_directory(plan->directory, ::geteuid());
  if (!directory) return failed(Error(Errc::denied, plan->directory + ": " + directory.error().text()));
  Outcome outcome;
  outcome.path = plan->directory + "/" + plan->name;
  std::ostream& said = options.json ? std::cerr : std::cout;
  if (verifies)
    said << "verified by " << escape_controls(policy->trust.install.verify.front()) << " with " << escape_controls(wish->signature) << "\n";
  if (plan->installed == nullptr || plan->installed->sha256 != file->content.sha256) {
    said << file->manifest->id << " " << file->manifest->version << " " << plan->note << "\n";
    switch (ask(options, *plan, *wish)) {
      case Answer::yes:
        break;
      case Answer::no:
        said << "nothing was changed\n";
        return exit_failed;
      case Answer::nobody_to_ask:
        return failed_usage(unanswered(options, *plan, *wish));
    }
    const Status written = write_both(options, directory->get(), *file, *plan, outcome);
    if (!written) return failed(written.error());
  }
  if (options.json) {
    print_json(*file, *plan, outcome, verified_json(*policy, *wish));
  } else {
    print_done(outcome);
  }
  return exit_done;
}

}  // namespace ronda::cli
