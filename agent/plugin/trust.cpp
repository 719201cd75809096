// SPDX-License-Identifier: Apache-2.0
#include "plugin/trust.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/safe_path.hpp"
#include "base/text.hpp"
#include "config/toml.hpp"
#include "plugin/manifest_options.hpp"
#include "plugin/manifest_reader.hpp"
#include "plugin/sha256.hpp"

namespace ronda::plugin {
namespace {

constexpr std::uint64_t max_trust_bytes = 1U << 20U;

bool is_granted_by_root_only(Grant grant) { return grant == Grant::setuid || grant == Grant::detached; }

Refusal refuse(LoadReason reason, std::string message, std::string remedy) {
  return {LoadStep::policy, reason, std::move(message), std::move(remedy)};
}

PluginTrust parse_entry(const config::Member& member, config::Diagnostics& diagnostics) {
  PluginTrust out;
  ManifestReader reader(*member.value.as_table(), member.key_place,
                        "[plugin.\"" + escape_controls(member.key) + "\"]", diagnostics);
  out.sha256 = reader.texts("sha256");
  for (const std::string& hash : out.sha256) {
    if (!is_sha256(hash))
      reader.error(reader.find("sha256")->place(), "'sha256' must be a list of 64 small hexadecimal digits each");
  }
  out.users = reader.texts("users");
  if (reader.find("grants") != nullptr) {
    out.grants.emplace();
    for (const std::string& name : reader.texts("grants")) {
      const auto grant = parse_grant(name);
      if (grant) {
        out.grants->push_back(*grant);
      } else {
        reader.error(reader.find("grants")->place(), "there is no grant '" + escape_controls(name) + "'");
      }
    }
  }
  reader.finish();
  return out;
}

void parse_plugins(const config::Table& plugins, Trust& trust, config::Diagnostics& diagnostics) {
  for (const config::Member& member : plugins) {
    // [plugin.org.example.disk] without quotes makes tables in tables
    if (member.value.as_table() == nullptr || member.key.find('.') == std::string::npos) {
      diagnostics.error(member.key_place, "write the id in quotes: [plugin.\"org.example.disk\"]");
    } else {
      trust.plugins[member.key] = parse_entry(member, diagnostics);
    }
  }
}

constexpr std::size_t max_verify_words = 64, max_verify_bytes = 4096;
constexpr std::array<std::string_view, 2> placeholders = {"file", "signature"};

/// The first word in braces that is no placeholder, from its brace on; empty when there is none.
std::string_view unknown_placeholder(std::string_view word) {
  for (std::size_t at = word.find('{'); at != std::string_view::npos; at = word.find('{', at + 1)) {
    const std::size_t end = word.find('}', at);
    if (end == std::string_view::npos) return word.substr(at);
    if (std::ranges::find(placeholders, word.substr(at + 1, end - at - 1)) == placeholders.end()) return word.substr(at, end + 1 - at);
  }
  return {};
}

/// What is wrong with one word of `verify`, or empty.
std::string word_problem(std::string_view word, bool first) {
  if (word.size() > max_verify_bytes || word.find('\0') != std::string_view::npos) return "holds a word that no program can be given";
  if (first && !word.starts_with('/')) return "begins with the program's absolute path, not with '" + escape_controls(word) + "'";
  const std::string_view unknown = unknown_placeholder(word);
  if (unknown.empty()) return first && word.find('{') != std::string_view::npos ? "has a placeholder in the program's path" : "";
  const std::string_view meant = nearest(unknown.substr(1, unknown.size() - (unknown.ends_with('}') ? 2 : 1)), placeholders);
  return "has no placeholder '" + escape_controls(unknown) + "'" +
         (meant.empty() ? "; there are {file} and {signature}" : "; did you mean '{" + std::string(meant) + "}'?");
}

/// A verification that nobody can carry out must not look like one.
InstallTrust parse_install(const config::Table& table, config::Place place, config::Diagnostics& diagnostics) {
  InstallTrust out;
  ManifestReader reader(table, place, "[install]", diagnostics);
  out.verify = reader.texts("verify");
  if (const config::Value* value = reader.find("verify"); value != nullptr && value->as_list() != nullptr) {
    out.place = value->place();
    const config::List& words = *value->as_list();
    if (words.empty() || words.size() > max_verify_words)
      reader.error(out.place, "'verify' must be a program and its arguments, at most " + std::to_string(max_verify_words) + " words");
    for (std::size_t i = 0; i < out.verify.size(); ++i) {
      const std::string problem = word_problem(out.verify[i], i == 0);
      if (!problem.empty()) reader.error(words[i].place(), "'verify' " + problem);
    }
    const auto is_given = [](const std::string& word) { return word.find("{signature}") != std::string::npos; };
    if (!out.verify.empty() && std::ranges::none_of(out.verify, is_given))
      reader.error(out.place, "'verify' must give the program the signature: {signature}");
  }
  reader.finish();
  return out;
}

std::string quoted_list(const std::vector<std::string>& items) {
  config::List list;
  for (const std::string& item : items) list.emplace_back(config::Value::Data(item), config::Place{});
  return toml_text(config::Value(std::move(list), {}));
}

}  // namespace

const PluginTrust* Trust::find(std::string_view id) const {
  const auto found = plugins.find(id);
  return found == plugins.end() ? nullptr : &found->second;
}

bool Trust::allows_user(std::string_view id, std::string_view user) const {
  const PluginTrust* entry = find(id);
  return entry != nullptr && std::ranges::find(entry->users, user) != entry->users.end();
}

std::optional<Trust> parse_trust(std::string_view text, std::uint32_t file, config::Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.errors();
  const auto table = config::parse_toml(text, file, diagnostics);
  if (!table) return std::nullopt;
  Trust trust;
  const std::size_t warnings = diagnostics.warnings();
  ManifestReader reader(*table, {file, 1, 1}, "trust", diagnostics);
  const std::string mode = reader.text_or("mode", "owner");
  if (mode == "pin") {
    trust.mode = TrustMode::pin;
  } else if (mode != "owner") {
    reader.error(reader.find("mode")->place(), "'mode' must be \"owner\" or \"pin\"");
  }
  if (const config::Table* install = reader.table("install"))
    trust.install = parse_install(*install, reader.find("install")->place(), diagnostics);
  if (const config::Table* plugins = reader.table("plugin")) parse_plugins(*plugins, trust, diagnostics);
  reader.finish();
  // a key that means nothing here may be a restriction that somebody believes in
  if (diagnostics.warnings() != warnings)
    diagnostics.error({file, 1, 1}, "trust: unknown keys are not obeyed, so this file is not either");
  if (diagnostics.errors() != before) return std::nullopt;
  return trust;
}

std::optional<Trust> load_trust(const std::string& path, uid_t uid, config::Sources& sources,
                                config::Diagnostics& diagnostics) {
  const auto index = static_cast<std::uint32_t>(sources.size());
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) return Trust{};
  sources.push_back({path, ""});
  const auto file = open_trusted_file(path, uid, max_trust_bytes);
  if (!file) {
    diagnostics.error({index, 0, 0}, file.error().message());
    return std::nullopt;
  }
  auto text = read_stable(file->get(), path, max_trust_bytes);
  if (!text) {
    diagnostics.error({index, 0, 0}, text.error().message());
    return std::nullopt;
  }
  sources.back().text = *std::move(text);
  return parse_trust(sources.back().text, index, diagnostics);
}

Loaded<std::vector<Grant>> judge_trust(const Trust& trust, const Manifest& manifest, std::string_view sha256) {
  const PluginTrust* entry = trust.find(manifest.id);
  const bool pinned = entry != nullptr && !entry->sha256.empty();
  if (trust.mode == TrustMode::pin && !pinned)
    return refuse(LoadReason::not_pinned, "trust.toml has no pin for '" + manifest.id + "', and mode is \"pin\"",
                  "ronda plugin install writes one");
  if (pinned && std::ranges::find(entry->sha256, sha256) == entry->sha256.end())
    return refuse(LoadReason::wrong_hash,
                  "its sha256 " + std::string(sha256) + " is not among the pins of '" + manifest.id + "'",
                  "if the change is yours, ronda plugin install writes the new pin");
  std::vector<Grant> given;
  for (const Grant need : manifest.needs) {
    const bool listed = entry != nullptr && entry->grants &&
                        std::ranges::find(*entry->grants, need) != entry->grants->end();
    if (listed || ((entry == nullptr || !entry->grants) && !is_granted_by_root_only(need))) {
      given.push_back(need);
    } else if (!is_granted_by_root_only(need)) {
      return refuse(LoadReason::grant_refused,
                    "needs the grant '" + std::string(to_string(need)) + "', which trust.toml does not give '" +
                        manifest.id + "'",
                    "add it to `grants` there if the plugin may have it");
    }
  }
  return given;
}

std::string format_trust(const Trust& trust) {
  std::string out = "# Which plugins may be loaded, and with what. Only root may change this file.\n";
  out += trust.mode == TrustMode::pin ? "mode = \"pin\"\n" : "mode = \"owner\"\n";
  if (!trust.install.verify.empty()) out += "\n[install]\nverify = " + quoted_list(trust.install.verify) + "\n";
  for (const auto& [id, entry] : trust.plugins) {
    out += "\n[plugin.\"" + id + "\"]\nsha256 = " + quoted_list(entry.sha256) + "\n";
    if (entry.grants) {
      std::vector<std::string> names;
      for (const Grant grant : *entry.grants) names.emplace_back(to_string(grant));
      out += "grants = " + quoted_list(names) + "\n";
    }
    if (!entry.users.empty()) out += "users = " + quoted_list(entry.users) + "\n";
  }
  return out;
}

}  // namespace ronda::plugin
