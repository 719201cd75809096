// SPDX-License-Identifier: Apache-2.0
// One instance inside the runner: its host side (ronda_inst) and the call it is in. Created by the first
// call, run by one thread at a time. What a call emits is encoded as it comes, bounded, and sent as one
// Outcome. Small on purpose: there may be a hundred thousand.
#pragma once

#include <atomic>
#include <chrono>
#include <forward_list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "plugin/messages.hpp"
#include "ronda/abi.h"
#include "runner/instance_spec.hpp"
#include "runner/kv_pending.hpp"
#include "runner/open_secrets.hpp"
#include "runner/options.hpp"
#include "runner/turn.hpp"

namespace ronda::runner {

class Link;
class PluginObject;
class Programs;
struct ActiveCall;

/// What a plugin holds as ronda_host: the plugin as a whole.
struct HostSide : ronda_host {
  Link* link = nullptr;
  const wire::Setup* setup = nullptr;
};

/// What all instances of this process share.
struct Surroundings {
  PluginObject& plugin;
  Link& link;
  const wire::Setup& setup;
  Programs* programs = nullptr;  // those that run, where what they leave alive stays; else null
};

/// Which of its functions the plugin is in: what a service may do depends on it.
enum class Inside : std::uint8_t { nothing, create, migrate, call, destroy };

class Instance : public ronda_inst {
 public:
  static constexpr std::size_t events_limit = 100;  // of one call

  /// The surroundings must outlive it.
  Instance(const wire::Create& spec, const Surroundings& around);
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance();

  static Instance* of(const ronda_inst* inst);

  /// Held by whoever runs, probes or destroys it: one at a time.
  Turn& turn() { return turn_; }

  /// Runs one call from create, if need be, to its outcome. [worker, with its turn]
  wire::Outcome run(ActiveCall& call, const wire::Message* message);
  /// Creates and destroys it, to see that it can be. [worker, with its turn]
  wire::Created probe();
  /// [worker, with its turn]
  void destroy();
  /// Of one that is destroyed for good: nothing secret is left in it. The plugin may still have its address. [worker, with its turn]
  void wipe();
  /// Tells the plugin that the call should end. [any]
  void cancel(ActiveCall& call) const noexcept;

  std::uint32_t id() const { return spec_.id; }
  const InstanceSpec& spec() const { return spec_; }
  const ronda_value& options() const { return options_; }
  Link& link() { return around_.link; }
  const wire::Setup& setup() const { return around_.setup; }
  Programs* programs() const { return around_.programs; }
  bool granted(std::string_view grant) const;
  ActiveCall* active() const { return active_.load(std::memory_order_acquire); }
  /// Whether it is in that very call now, and not only created for it.
  bool is_in(const ronda_call* call) const;
  /// Whether state may be read now (RONDA-P-032).
  bool may_read_state() const { return inside_.load(std::memory_order_relaxed) != Inside::nothing; }
  /// Whether it may be written: not while it is destroyed either (RONDA-P-038), which is then said in the log, once.
  bool may_write_state();

  /// Text with every secret of this instance replaced by "***".
  std::string scrub(std::string text) const;
  /// The same, then made UTF-8 of at most `limit` bytes.
  std::string fit(std::string_view text, std::size_t limit) const;
  /// Keeps a string for the plugin until its call or create ends.
  ronda_str keep(std::string text);

  KvPending kv_pending;  // of this call, sent with its outcome

 private:
  bool create(wire::Outcome& outcome);
  bool make(std::string& error);
  bool take_state_over(wire::Outcome& outcome);
  bool has_state();
  void call_plugin(ActiveCall& call, const wire::Message* message);

  using Secrets = std::vector<std::string_view>;

  const Surroundings& around_;
  InstanceSpec spec_;
  ronda_value options_;
  std::unique_ptr<const Secrets> secrets_;  // the longest first; null: none
  void* self_ = nullptr;
  std::atomic<ActiveCall*> active_{nullptr};
  std::forward_list<std::string> arena_;  // of a call; small while it is empty
  Turn turn_;
  std::atomic<bool> created_{false};
  std::atomic<Inside> inside_{Inside::nothing};
  std::atomic<bool> write_told_{false};
};

/// One run, as the plugin sees it and with what it has emitted so far.
struct ActiveCall : ronda_call {
  Instance* instance = nullptr;
  std::atomic<bool> cancelled{false};
  std::atomic<bool> timed_out{false};
  std::mutex cancel_mutex;  // the plugin's cancel never outlives the run
  bool over = false;
  std::mutex emit_mutex;
  bool has_result = false;
  bool result_twice = false;
  std::size_t metric_count = 0, event_count = 0;
  std::chrono::nanoseconds progress_at{0};  // when the last was sent, monotonic
  bool progress_ended = false;
  OpenSecrets secrets;
  wire::Outcome outcome;
};

}  // namespace ronda::runner
