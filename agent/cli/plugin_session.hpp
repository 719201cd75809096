// SPDX-License-Identifier: Apache-2.0
// One call of one procedure under a real runner, with no agent: a loop, a supervisor, and services that
// answer from memory. Kept state starts empty and is gone afterwards, the inbox is empty. Blocks until the
// call has its end.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "cli/plugin_tools.hpp"
#include "plugin/supervisor.hpp"

namespace ronda::cli {

struct SessionRequest {
  const PluginFile& file;  // with a manifest
  const plugin::Procedure& procedure;
  std::string options;  // as encode_options makes them
  std::chrono::nanoseconds timeout{std::chrono::seconds(30)};
  bool dry_run = false;
};

struct SessionReport {
  plugin::CallEnd end;
  std::vector<wire::Metric> metrics;
  std::vector<std::string> logs;  // "warning: text"; stdout and stderr of the plugin too
  std::vector<std::string> events;
};

/// An error is one of ours; how the plugin's call ended is in the report. The first SIGINT cancels the call,
/// the second ends its runner.
Result<SessionReport> run_session(const SessionRequest& request);

/// "key=value" texts as an object of conf.d, checked against the procedure. `value` is TOML, or text as it is
/// for an option that takes text: command=["/bin/true"], url=https://example.org/, expect.status=204.
Result<std::string> encode_settings(const plugin::Procedure& procedure,
                                    const std::vector<std::string>& settings);

}  // namespace ronda::cli
