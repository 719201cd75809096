// SPDX-License-Identifier: Apache-2.0
// A real supervisor with a real ronda-runner and a real plugin on a real event loop; what it tells is kept
// here. As root the runners are confined as the agent would do it; otherwise they run as this user.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugin/cgroups.hpp"
#include "plugin/options.hpp"
#include "plugin/runner_process.hpp"
#include "plugin/supervisor.hpp"

namespace ronda::test {

using namespace std::chrono_literals;

/// Whether runners get a PID namespace: as root, unless RONDA_TEST_HOST_PIDS is set.
bool has_pid_namespaces();

struct PluginUnderTest {
  std::string path = RONDA_CHAOS_PLUGIN;
  std::string id = "org.ronda.chaos";
  std::string hostname = "testhost";  // as ronda.facts/1 tells it
  std::vector<wire::Kind> kinds = {wire::Kind::check, wire::Kind::task, wire::Kind::notifier};
  std::vector<std::string> grants = {"state", "secrets", "exec", "inbox", "threads"};
  std::int64_t concurrency = 16;
  std::int64_t memory_bytes = 0, pids = 0, fds = 0;
  std::string build = RONDA_BUILD;
  std::string runner = RONDA_RUNNER;
  plugin::Cgroups* cgroups = nullptr;
  plugin::StartGate* starts = nullptr;
  plugin::GroupLimits group;
  bool detached = false;                      // then without pid_namespace and with a concurrency of 1
  bool as_root = false;                       // stays who this test is
  bool pid_namespace = has_pid_namespaces();  // chaos holds the grant exec and is tried both ways all the same
};

bool is_root();

class Supervised final : public plugin::SupervisorClient {
 public:
  explicit Supervised(boost::asio::io_context& loop, const PluginUnderTest& plugin = {});
  ~Supervised();
  Supervised(const Supervised&) = delete;
  Supervised& operator=(const Supervised&) = delete;

  /// A new instance of a procedure.
  std::uint32_t add(wire::Kind kind, const std::string& procedure, plugin::OptionTable options);
  /// A new instance of chaos.check and so on.
  std::uint32_t chaos(const std::string& mode, std::int64_t n = 0, wire::Kind kind = wire::Kind::check);
  std::uint64_t dispatch(std::uint32_t instance, std::chrono::nanoseconds timeout = 20s);
  std::vector<std::uint64_t> dispatch_together(const std::vector<std::uint32_t>& instances, std::chrono::nanoseconds timeout = 20s,
                                               bool quick = false);

  /// Turns the loop until the call has ended; fails the test when it does not within `limit`.
  const plugin::CallEnd& end_of(std::uint64_t call, std::chrono::nanoseconds limit = 30s);
  const plugin::CallEnd& run(std::uint32_t instance, std::chrono::nanoseconds timeout = 20s) { return end_of(dispatch(instance, timeout)); }
  const plugin::CallEnd& run(const std::string& mode, std::int64_t n = 0, std::chrono::nanoseconds timeout = 20s) {
    return run(chaos(mode, n), timeout);
  }
  bool until(const std::function<bool()>& condition, std::chrono::nanoseconds limit = 30s);
  void turn_for(std::chrono::nanoseconds span);
  /// The one runner's process, its keeper, as /proc of this namespace knows it; -1 when there is none.
  int runner_pid() const;
  /// Where the plugin's code runs.
  int worker_pid() const;
  bool has_log(std::string_view part) const;

  plugin::Supervisor& supervisor() { return *supervisor_; }
  plugin::SupervisorStatus status() const { return supervisor_->status(); }

  std::map<std::uint64_t, std::vector<plugin::CallEnd>> ends;  // by call: exactly one each
  std::map<std::uint64_t, std::chrono::nanoseconds> ended_at;
  std::vector<std::uint64_t> over;                                            // calls that ended before their code did
  bool exclusive = false;                                                     // of what is dispatched from now on
  wire::Message message{"m1", "somebody", "a title", {}, {}, {}, {}, 1, {}};  // what notifiers are given from now on
  std::vector<std::string> logs, troubles;
  int troubles_over = 0;
  std::map<std::string, std::uint32_t, std::less<>> logged_by;   // the instance of the last line of that text
  std::map<std::uint32_t, std::vector<plugin::LeftAlive>> left;  // by instance
  std::vector<wire::Event> events;
  std::vector<wire::Progress> progress;
  std::map<std::uint32_t, std::pair<bool, std::string>> probed;
  std::map<std::string, std::string> state;  // what kv answers from
  std::vector<std::pair<std::string, std::string>> inbox;
  std::function<bool(const wire::Request&)> leave_unanswered;

 private:
  wire::Create describe(std::uint32_t instance) override { return instances_.at(instance); }
  void on_call_end(plugin::CallEnd end) override;
  void on_call_over(std::uint64_t call) override { over.push_back(call); }
  void on_probed(std::uint32_t instance, bool ok, std::string_view error) override { probed[instance] = {ok, std::string(error)}; }
  void on_log(std::string_view plugin, std::uint32_t instance, std::int64_t level, std::string_view text) override;
  void on_event(const wire::Event& event) override { events.push_back(event); }
  void on_progress(const wire::Progress& told) override { progress.push_back(told); }
  void on_left_alive(std::uint32_t instance, const std::vector<plugin::LeftAlive>& told) override {
    for (const plugin::LeftAlive& one : told) left[instance].push_back(one);
  }
  void on_request(wire::Request request, std::function<void(std::int32_t, std::string)> reply) override;
  void on_trouble(std::string_view plugin, std::uint32_t instance, std::string_view text) override;
  void on_trouble_over(std::string_view) override { ++troubles_over; }

  boost::asio::io_context& loop_;
  std::map<std::uint32_t, wire::Create> instances_;
  std::uint64_t next_call_ = 1;
  std::unique_ptr<plugin::Supervisor> supervisor_;
};

/// What half of them took at most: of a bound in time, for one pause of a busy machine is nobody's fault.
inline std::chrono::nanoseconds median_of(std::vector<std::chrono::nanoseconds> times) {
  if (times.empty()) return std::chrono::nanoseconds::max();
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  return *middle;
}

// ---- processes, seen through /proc ----------------------------------------------------------

/// All that descend from a process now, without it.
std::vector<int> descendants_of(int pid);
/// True while a process exists and is no zombie.
bool is_alive(int pid);
/// Whether any process has this name (of at most 15 characters) in one of several looks: some live very shortly.
bool has_process(std::string_view name);

}  // namespace ronda::test
