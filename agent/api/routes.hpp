// SPDX-License-Identifier: Apache-2.0
// What can be asked of the agent and by whom: one table of routes for both doors. Turns state into JSON; decides
// nothing but who may ask.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/http.hpp"
#include "response/response.hpp"
#include "schedule/candidate.hpp"
#include "schedule/scheduler.hpp"
#include "store/store.hpp"

namespace ronda::api {

struct ReloadResult {
  bool ok = false;
  std::string line;                  // "reload #7: 112 kept, ..."
  std::vector<std::string> details;  // errors with place, kept plugins, changes
};

/// The agent's own sign of life.
struct HeartbeatView {
  std::string notifier;              // empty: none is configured
  std::int64_t last_arrived_ns = 0;  // 0: never
  int missed = 0;                    // one after the other
  std::string trouble;               // why none leaves, or the last did not arrive
};

/// What of the agent the routes show and trigger. Must outlive them. [loop]
class AgentView {
 public:
  virtual const schedule::Scheduler& scheduler() const = 0;
  virtual schedule::Scheduler& scheduler() = 0;
  virtual store::Store& store() = 0;
  virtual response::Response& response() = 0;
  /// The last candidate that became the generation; its `set` is empty.
  virtual const schedule::Candidate& active() const = 0;
  virtual std::uint64_t generation() const = 0;
  virtual std::int64_t started_wall_ns() const = 0;
  virtual std::string config_trouble() const = 0;  // of the start or of the last reload; empty when none
  virtual std::string safe_mode() const = 0;       // why no task runs by itself; empty: it does
  virtual std::string runner_limits() const = 0;   // by what runners are limited: "cgroup v2 (memory, pids, cpu)"
  virtual HeartbeatView heartbeat() const { return {}; }
  virtual bool may_leave_safe_mode() const = 0;  // false where it was asked for
  virtual void leave_safe_mode() = 0;
  /// Absolute, without a slash at its end; a directory of the agent's own, which need not be there.
  virtual std::string backup_directory() const = 0;
  virtual void reload(bool allow_empty, std::function<void(ReloadResult)> told) = 0;

 protected:
  ~AgentView() = default;
};

/// Answers one request.
Handler make_routes(AgentView& agent);

}  // namespace ronda::api
