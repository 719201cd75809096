// SPDX-License-Identifier: Apache-2.0
#include "plugin/trust.hpp"

#include <unistd.h>

#include <algorithm>

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
