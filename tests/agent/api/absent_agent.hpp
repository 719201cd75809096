// SPDX-License-Identifier: Apache-2.0
// An agent of which nothing is there. A test overrides what it has; whoever asks for anything else throws its name.
#pragma once

#include <functional>
#include <stdexcept>

#include "api/routes.hpp"
#include "schedule/candidate.hpp"

namespace ronda::test {

class AbsentAgent : public api::AgentView {
 public:
  const schedule::Scheduler& scheduler() const override { throw std::logic_error("scheduler"); }
  schedule::Scheduler& scheduler() override { throw std::logic_error("scheduler"); }
  store::Store& store() override { throw std::logic_error("store"); }
  response::Response& response() override { throw std::logic_error("response"); }
  const schedule::Candidate& active() const override { throw std::logic_error("active"); }
  std::uint64_t generation() const override { return 1; }
  std::int64_t started_wall_ns() const override { return 0; }
  std::string config_trouble() const override { return {}; }
  std::string safe_mode() const override { return {}; }
  std::string runner_limits() const override { return {}; }
  bool may_leave_safe_mode() const override { return true; }
  void leave_safe_mode() override {}
  std::string backup_directory() const override { return {}; }
  void reload(bool, std::function<void(api::ReloadResult)>) override {}

 protected:
  ~AbsentAgent() = default;
};

}  // namespace ronda::test
