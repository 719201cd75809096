// SPDX-License-Identifier: Apache-2.0
// Everything around the runners of ONE plugin (for one user and one set of grants): starts them on demand,
// hands calls over and brings each to exactly one end, cuts off what hangs, names who crashed, backs off,
// quarantines, lets an idle runner go. Knows no schedule and judges no result. All [loop].
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.hpp"
#include "plugin/group_limits.hpp"
#include "plugin/left_alive.hpp"
#include "plugin/messages.hpp"
#include "plugin/runner_life.hpp"

namespace boost::asio {
class io_context;
}

namespace ronda::plugin {

class Cgroups;
class StartGate;

/// What a runner of this plugin is started from.
struct RunnerSpec {
  std::string runner_path;  // of ronda-runner, absolute
  std::string plugin_id;
  std::string sha256;
  std::string user;                             // as configured; empty: the default
  std::shared_ptr<const Descriptor> plugin_fd;  // the staged object
  std::string refused;                          // why no runner may be started with this; empty: one may
  wire::Setup setup;                            // all but pid_namespace, detached and what groups hold is used as it is
  bool pid_namespace = false;
  bool detached = false;        // what programs leave alive stays; then without pid_namespace and with a concurrency of 1
  Cgroups* cgroups = nullptr;   // null: runners have no group; must outlive the supervisor
  StartGate* starts = nullptr;  // null: a runner is started when it is wanted; must outlive the supervisor
  GroupLimits group;            // of the runner and all that it starts
};

struct CallSpec {
  std::uint64_t id = 0;        // unique for the life of the agent, never 0
  std::uint32_t instance = 0;  // unique for the life of the agent, never 0
  wire::Kind kind = wire::Kind::check;
  std::chrono::nanoseconds timeout{0};
  std::uint32_t reason = 0, flags = 0;
  std::int64_t scheduled_wall_ns = 0;
  bool quick = false;                            // known to take well under a millisecond
  bool exclusive = false;                        // nothing may take its place before its code has ended: a task, one that holds a lock
  std::shared_ptr<const wire::Message> message;  // of a notifier's call
};

/// How a call ended, as far as the runner is concerned.
enum class Fate : std::uint8_t {
  finished,      // the outcome is the plugin's
  timeout,       // not back in time
  crashed,       // this call's thread crashed or exited
  limit,         // a limit of memory, descriptors or processes was hit
  protocol,      // the runner broke the wire while this call ran
  lost,          // a task or message that was in flight when somebody else crashed: may be half done
  unavailable,   // no runner: refused, backing off, quarantined, one that cannot be killed
  spawn_failed,  // the runner program cannot be started: no process, memory or descriptor is left, or no such file
};
std::string_view name_of(Fate fate);

struct CallEnd {
  std::uint64_t id = 0;
  std::uint32_t instance = 0;
  Fate fate = Fate::finished;
  std::string cause;      // for people; empty when finished
  wire::Outcome outcome;  // filled when finished
  bool goes_on = false;   // of an exclusive one that timed out: its code may still run, on_call_over follows
};
/// Of one that did not finish, for people: "crashed: killed by SIGSEGV", "limit(memory): ...".
std::string text_of(const CallEnd& end);

/// A quarantine began, is about to be tried once more, or is over.
struct QuarantineChange {
  std::string_view plugin, user;
  bool detached = false;
  std::uint32_t instance = 0;  // 0: the whole plugin
  bool holds = false;
  std::string_view reason;                 // of one that holds
  std::chrono::nanoseconds next_probe{0};  // from now
};

/// Whom a supervisor tells and asks. Must outlive it.
class SupervisorClient {
 public:
  /// What a runner needs to make this instance.
  virtual wire::Create describe(std::uint32_t instance) = 0;
  virtual void on_call_end(CallEnd end) = 0;
  /// Nothing of a call whose end said `goes_on` runs any more; always after that end.
  virtual void on_call_over(std::uint64_t) {}
  virtual void on_probed(std::uint32_t instance, bool ok, std::string_view error) = 0;
  virtual void on_log(std::string_view plugin, std::uint32_t instance, std::int64_t level, std::string_view text) = 0;
  virtual void on_event(const wire::Event& event) = 0;
  virtual void on_progress(const wire::Progress& progress) = 0;
  /// A call of a detached instance has left these alive; at most left_alive_most. Before its end is told.
  virtual void on_left_alive(std::uint32_t, const std::vector<LeftAlive>&) {}
  /// `reply` may be called later, from the loop; it is harmless when the runner is gone by then.
  virtual void on_request(wire::Request request, std::function<void(std::int32_t code, std::string payload)> reply) = 0;
  /// Something about the plugin itself that people should know: quarantine, a runner that cannot be killed.
  virtual void on_trouble(std::string_view plugin, std::uint32_t instance, std::string_view text) = 0;
  /// A runner that could not be killed is gone after all.
  virtual void on_trouble_over(std::string_view) {}
  /// To be remembered beyond the agent's life; see restore_quarantine. Of no meaning to who only tries a plugin.
  virtual void on_quarantine(const QuarantineChange&) {}

 protected:
  ~SupervisorClient() = default;
};

struct RunnerStatus {
  int pid = -1;     // where the plugin's code runs: what a debugger wants; the keeper's until that has said its own
  int keeper = -1;  // who started it and is left last
  Life life = Life::gone;
  std::size_t in_flight = 0;
  std::string locked;   // what holds its plugin besides its user, for people; empty: it has not said yet
  std::string limited;  // by what it is limited, for people: "rlimits", "cgroup v2: memory 192MiB, 96 tasks"
};

struct SupervisorStatus {
  std::string plugin_id, sha256;
  std::vector<RunnerStatus> runners;
  std::size_t waiting = 0;       // calls not handed over yet
  std::size_t deaths = 0;        // of runners since the start
  std::size_t late_results = 0;  // dropped: their call had ended
  std::string last_trouble;      // empty: none
  std::string refused;           // why it does not load; empty: it does
  bool quarantined = false;
  std::chrono::nanoseconds starts_in{0};       // back-off left
  std::chrono::nanoseconds waits_for_turn{0};  // so long for its turn to start a runner (StartGate)
};

class Supervisor {
 public:
  Supervisor(boost::asio::io_context& loop, RunnerSpec spec, SupervisorClient& client);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Takes calls over; each comes back through on_call_end, never from inside this function.
  void dispatch(std::vector<CallSpec> calls);
  void cancel(std::uint64_t call);
  /// Creates and destroys an instance in a runner, to see that it can be; answer by on_probed.
  void probe(std::uint32_t instance);
  /// The instance is gone from the configuration; its call in flight finishes.
  void forget(std::uint32_t instance);
  /// An idle runner leaves after this long without a call.
  void set_idle_limit(std::chrono::nanoseconds limit);
  /// No new calls; runners leave when theirs are done. True from `is_empty` on when all are gone.
  void retire();
  /// Interrupts what still runs: the agent's stop has waited long enough.
  void kill_all();
  bool is_empty() const;
  /// An operator's word; with 0 the plugin and all of its instances.
  void clear_quarantine(std::uint32_t instance);
  /// The instances or their configuration are others now: the plugin as a whole is tried again.
  void end_plugin_quarantine();
  /// One that held when the agent ended; nobody is told of it.
  void restore_quarantine(std::uint32_t instance, std::chrono::nanoseconds next_probe, std::string reason);
  bool is_quarantined(std::uint32_t instance) const;

  SupervisorStatus status() const;
  const std::string& plugin_id() const;
  const std::string& sha256() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ronda::plugin
