// SPDX-License-Identifier: Apache-2.0
// Tries new plugin code before it takes over: loads it in a runner of its own, makes and unmakes instances with
// their real options. The code that runs now is not touched; what fails here never gets a run.
#pragma once

#include <boost/asio/io_context.hpp>
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
  /// At most so many instances of one plugin are made.
  static constexpr std::size_t instances_per_plugin = 32;
  using MakeSupervisor = std::function<std::unique_ptr<plugin::Supervisor>(const PluginRef&, const RunAs&, plugin::SupervisorClient&)>;
  /// sha256 of the plugin -> why it is not fit
  using Failures = std::map<std::string, std::string>;

  /// What it needs of the present set: the version that keeps an instance's state, and answers to what it asks.
  struct Present {
    std::function<std::uint32_t(const Prepared&)> state_from;
    std::function<void(const Prepared&, const wire::Request&, std::function<void(std::int32_t, std::string)>)> answer;
  };

  /// `subjects` outlive it.
  Prober(boost::asio::io_context& loop, std::vector<const Prepared*> subjects, const MakeSupervisor& make, Present present);
  ~Prober();

  /// `done` is called once, by the loop; the prober may be destroyed from then on.
  void start(std::function<void(Failures)> done);

 private:
  wire::Create describe(std::uint32_t instance) override;
  void on_probed(std::uint32_t instance, bool ok, std::string_view error) override;
  void on_call_end(plugin::CallEnd) override {}
  void on_log(std::string_view, std::uint32_t, std::int64_t, std::string_view) override {}
  void on_event(const wire::Event&) override {}
  void on_progress(const wire::Progress&) override {}
  void on_request(wire::Request request, std::function<void(std::int32_t, std::string)> reply) override;
  void on_trouble(std::string_view, std::uint32_t, std::string_view) override {}
  void finish();

  boost::asio::io_context& loop_;
  std::vector<const Prepared*> subjects_;  // the number of an instance is its index + 1
  Present present_;
  std::map<std::string, std::unique_ptr<plugin::Supervisor>> supervisors_;  // by hash and how they are started
  std::vector<bool> open_;
  std::size_t open_count_ = 0;
  Failures failures_;
  std::function<void(Failures)> done_;
};

}  // namespace ronda::schedule
