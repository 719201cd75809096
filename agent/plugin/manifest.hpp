// SPDX-License-Identifier: Apache-2.0
// What a plugin says about itself, as typed values: identity, needs, limits, procedures and their options.
// Read from the TOML text of the ELF note; MANIFEST.md is the manual of that text. Runs and loads nothing.
// Everything that is wrong is reported in one pass, with line and column inside the manifest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.hpp"
#include "plugin/option.hpp"
#include "plugin/option_rule.hpp"

namespace ronda::plugin {

enum class Kind : std::uint8_t { check, task, notifier, unknown };

/// "check", "task", "notifier": the KIND of conf.d.
std::string_view to_string(Kind kind);
/// "ronda.check/1" as Kind::check; an id of a later SDK is unknown.
Kind parse_kind(std::string_view id);

enum class Grant : std::uint8_t { state, secrets, exec, net, db, files, threads, inbox, setuid, detached };
std::string_view to_string(Grant grant);
std::optional<Grant> parse_grant(std::string_view name);
const std::vector<std::string_view>& grant_names();

/// For one call in flight; the runner has these times max_concurrency and its own base.
struct Limits {
  std::int64_t memory = std::int64_t{64} << 20;  // bytes
  double cpu = 0;                                // share of one core, from 0.01; 0: no limit
  std::int64_t pids = 8;
  std::int64_t fds = 64;
};

struct MetricDeclaration {
  std::string name, unit, doc;
  bool counter = false;
  std::vector<std::string> labels;
};

/// What a notifier wants of the messages that it is given.
struct MessageWants {
  std::string markup = "plain";  // one of markup_names()
  bool each = false;             // a machine reads them: never several as one
  bool number = false;           // `to` of a channel is a telephone number, and must be given
  std::int64_t spacing_ns = 0;   // least time between two attempts
};
/// How a channel reads a text: what has a meaning there is escaped before a plugin sees it.
const std::vector<std::string_view>& markup_names();

/// One check, task or notifier that a plugin provides.
struct Procedure {
  Kind kind = Kind::unknown;
  std::string kind_id;  // as written: "ronda.check/1"
  std::string name;     // "http.request"
  std::string summary, doc;
  std::vector<Option> options;
  std::vector<Rule> rules;
  std::vector<MetricDeclaration> metrics;
  bool open_metrics = false;
  std::vector<std::string> locks;
  MessageWants messages;  // of a notifier
  config::Place place;
};

struct Abi {
  std::uint32_t major = 1;
  std::uint32_t minor = 0;
};

struct Manifest {
  std::string id, version, license, homepage;
  Abi abi;  // what it needs
  std::vector<Grant> needs;
  Limits limits;
  std::uint32_t max_concurrency = 8;
  std::uint32_t state_version = 1;
  std::vector<Procedure> provides;
};

/// Nothing when there were errors. `file` is the index of the manifest among the sources of `diagnostics`.
/// Unknown keys are warnings here and errors to lint.
std::optional<Manifest> parse_manifest(std::string_view text, std::uint32_t file, config::Diagnostics& diagnostics);

}  // namespace ronda::plugin
