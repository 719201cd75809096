// SPDX-License-Identifier: Apache-2.0
// trust.toml: which plugins may be loaded, with which content, grants and users. A file of root's alone.
// Without it the owner rule holds: a plugin whose file only root (or the agent's user) can change is trusted
// with everything but `setuid` and `detached`. Nothing here is ever enrolled by the agent itself.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/diagnostic.hpp"
#include "plugin/manifest.hpp"
#include "plugin/refusal.hpp"

namespace ronda::plugin {

enum class TrustMode : std::uint8_t {
  owner,  // pins bind where there are some
  pin,    // what has no pin is not loaded
};

struct PluginTrust {
  std::vector<std::string> sha256;
  std::optional<std::vector<Grant>> grants;  // exactly these; nothing: the usual seven
  std::vector<std::string> users;            // who its instances may run as, besides the default
};

/// What `ronda plugin install` asks of a file beside what the loader asks.
struct InstallTrust {
  std::vector<std::string> verify;  // a program and its arguments, with {signature} and perhaps {file}; empty: nothing
  config::Place place;              // of `verify`, for messages
};

struct Trust {
  TrustMode mode = TrustMode::owner;
  InstallTrust install;
  std::map<std::string, PluginTrust, std::less<>> plugins;

  const PluginTrust* find(std::string_view id) const;
  bool allows_user(std::string_view id, std::string_view user) const;
};

/// Nothing when there were errors; a wrong trust.toml is never half obeyed.
std::optional<Trust> parse_trust(std::string_view text, std::uint32_t file, config::Diagnostics& diagnostics);

/// Reads the file, adds it to `sources`. The owner rule when it does not exist; an error when it cannot be
/// trusted itself.
std::optional<Trust> load_trust(const std::string& path, uid_t uid, config::Sources& sources,
                                config::Diagnostics& diagnostics);

/// What the plugin is given of what it needs, or why it may not be loaded at all. `setuid` and `detached` in
/// its needs are wishes: without a grant it is loaded without them.
Loaded<std::vector<Grant>> judge_trust(const Trust& trust, const Manifest& manifest, std::string_view sha256);

/// trust.toml as text, as `ronda plugin install` writes it.
std::string format_trust(const Trust& trust);

}  // namespace ronda::plugin
