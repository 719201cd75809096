// SPDX-License-Identifier: Apache-2.0
// The life of one runner process and the policy of starting the next, as pure machines: state and event in,
// action out. No process is touched here, no clock is read.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string_view>
#include <vector>

namespace ronda::plugin {

using Mono = std::chrono::nanoseconds;  // since an arbitrary start, never stepping

// ---- one process ----------------------------------------------------------------------------

enum class Life : std::uint8_t {
  starting,  // spawned, the plugin not loaded yet
  serving,   // takes calls
  wedged,    // a call did not come back within its grace: no new work, siblings may finish as long as no task hangs in it
  leaving,   // told to shut down
  ending,    // SIGTERM sent, or it hung up
  killed,    // SIGKILL sent
  stuck,     // still there long after SIGKILL: uninterruptible
  gone,
};

enum class LifeEvent : std::uint8_t {
  loaded,   // it says that the plugin is ready
  refused,  // it says that the plugin does not load
  overdue,  // a call is past deadline and grace
  broken,   // it broke the protocol
  hung_up,  // it closed its end of the socket: most likely it is ending
  retire,   // no longer needed: reload, idle, stop
  drained,  // nothing is in flight any more
  waited,   // the state's own limit of time passed
  exited,   // the process is gone
};

enum class LifeAction : std::uint8_t { none, shut_down, terminate, kill, report_stuck };

struct LifeStep {
  Life next;
  LifeAction action;
};

/// What follows from `event` in `state`; an event that means nothing there changes nothing.
LifeStep next_life(Life state, LifeEvent event);

/// How long a state may last before LifeEvent::waited; zero: for ever.
std::chrono::nanoseconds life_limit(Life state);

std::string_view name_of(Life state);

// ---- starting again -------------------------------------------------------------------------

/// First respawn at once, then 1 s doubling to 5 min; quarantine after 5 failures in 10 min: of the instance
/// when one made them all, else of the plugin. Sources: sdk.md c5, c7.
class RestartPolicy {
 public:
  static constexpr std::size_t failure_limit = 5;
  static constexpr std::chrono::minutes failure_window{10};
  static constexpr std::chrono::minutes probe_interval{10};
  static constexpr std::uint32_t whole_plugin = 0;  // no instance: a failure to load

  enum class Verdict : std::uint8_t { nothing, quarantine_instance, quarantine_plugin };

  /// A failure: crash, limit, protocol error, a call not back within its grace.
  Verdict on_failure(std::uint32_t instance, Mono now);
  /// A process ended badly; the next may start at the answer.
  Mono on_death(Mono now);
  /// A process served well for a while.
  void on_healthy() { deaths_ = 0; }

  Mono start_allowed_at() const { return start_at_; }
  std::size_t deaths() const { return deaths_; }

  bool is_quarantined(std::uint32_t instance) const;
  /// When a quarantined instance (or the plugin) is to be tried once more.
  bool probe_due(std::uint32_t instance, Mono now) const;
  void on_probe(std::uint32_t instance, Mono now);
  /// Whether this very subject is held; an instance of a quarantined plugin is not held itself.
  bool holds(std::uint32_t instance) const { return quarantined_.contains(instance); }
  /// A quarantine from before the agent was restarted.
  void restore(std::uint32_t instance, Mono next_probe) { quarantined_[instance] = next_probe; }
  void clear(std::uint32_t instance);
  /// The plugin as a whole, with what its instances did to bring that about, and the back-off that came of it: those that are
  /// left would wait for what others did.
  void clear_plugin();
  void clear_all();
  /// Whose failures count against the plugin as a whole, each once, in the order in which they began.
  std::vector<std::uint32_t> culprits() const;
  const std::map<std::uint32_t, Mono>& quarantined() const { return quarantined_; }  // instance -> next probe

 private:
  struct Failure {
    std::uint32_t instance;
    Mono at;
  };

  std::deque<Failure> failures_;
  std::map<std::uint32_t, Mono> quarantined_;  // instance -> next probe
  std::size_t deaths_ = 0;
  Mono start_at_{0};
};

}  // namespace ronda::plugin
