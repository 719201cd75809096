// SPDX-License-Identifier: Apache-2.0
// Tries what is to take over before it does: loads plugin code in a runner of its own, makes and unmakes instances with
// their real options, one after the other. The code that runs now is not touched; what fails here never gets a run.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugin/supervisor.hpp"
#include "schedule/entry.hpp"

namespace ronda::schedule {

class Prober final : private plugin::SupervisorClient {
 public:
  using MakeSupervisor = std::function<std::unique_ptr<plugin::Supervisor>(const PluginRef&, const RunAs&, plugin::SupervisorClient&)>;

  struct Failure {
    const Prepared* subject = nullptr;
    std::string why;  // the plugin's words, or how its runner ended
    /// "check logins cannot be made: plugin org.ronda.host: `logs` names no file"
    std::string text() const;
  };
  struct Findings {
    std::vector<Failure> failures;
    std::vector<const Prepared*> tried;  // whatever came of it
    std::size_t untried = 0;             // the time was over, or their plugin does not load or died again and again
  };

  /// What it needs of the present set: the version that keeps an instance's state, and answers to what it asks.
  struct Present {
    std::function<std::uint32_t(const Prepared&)> state_from;
    std::function<void(const Prepared&, const wire::Request&, std::function<void(std::int32_t, std::string)>)> answer;
  };

  /// `subjects` outlive it. After `limit` none is begun any more, but at least one of each plugin; zero: there is no limit.
  Prober(boost::asio::io_context& loop, std::vector<const Prepared*> subjects, const MakeSupervisor& make, Present present,
         std::chrono::nanoseconds limit);
  ~Prober();

  /// `done` is called once, by the loop; the prober may be destroyed from then on.
  void start(std::function<void(Findings)> done);

 private:
  wire::Create describe(std::uint32_t instance) override;
  void on_probed(std::uint32_t instance, bool ok, std::string_view error) override;
  void on_call_end(plugin::CallEnd) override {}
  void on_log(std::string_view, std::uint32_t, std::int64_t, std::string_view) override {}
  void on_event(const wire::Event&) override {}
  void on_progress(const wire::Progress&) override {}
  void on_request(wire::Request request, std::function<void(std::int32_t, std::string)> reply) override;
  void on_trouble(std::string_view, std::uint32_t, std::string_view) override {}

  /// The instances that share a runner.
  struct Lane {
    std::unique_ptr<plugin::Supervisor> supervisor;
    std::vector<std::uint32_t> subjects;  // indices
    std::size_t next = 0;                 // which of them is tried next
    std::size_t losses = 0;               // there was no runner any more, or none could be started
    bool is_hopeless = false;             // it would go on like that
  };
  void advance(Lane& lane);
  void finish();

  boost::asio::io_context& loop_;
  std::vector<const Prepared*> subjects_;  // the number of an instance is its index + 1
  Present present_;
  const std::chrono::nanoseconds limit_;
  std::chrono::nanoseconds until_{0};
  std::vector<Lane*> lane_of_;         // of each subject
  std::map<std::string, Lane> lanes_;  // by hash and how they are started
  std::size_t open_lanes_ = 0;
  Findings findings_;
  std::function<void(Findings)> done_;
  std::shared_ptr<bool> lives_ = std::make_shared<bool>(true);  // for what was posted
};

}  // namespace ronda::schedule
