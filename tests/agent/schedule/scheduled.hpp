// SPDX-License-Identifier: Apache-2.0
// A real scheduler over a real store and real runners of the chaos plugin, on an event loop that the test turns.
// What the store answers can be held back, and the wall clock can be the test's own.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "schedule/scheduler.hpp"
#include "scratch.hpp"
#include "store/store.hpp"

namespace ronda::test {

using namespace std::chrono_literals;

/// What an instance of chaos is configured as.
struct Configured {
  std::string name;
  std::string mode = "ok";
  std::int64_t n = 0;
  schedule::Kind kind = schedule::Kind::check;
  std::chrono::nanoseconds every{0}, timeout = 20s;
  std::string at = {};  // a calendar, in UTC
  std::vector<std::string> after = {};
  config::Rare rare = {};
  config::Judgement limits = {};
};

class Scheduled {
 public:
  /// With a SQLite VFS of that name below the store, if any.
  explicit Scheduled(const std::string& vfs = {});
  ~Scheduled();
  Scheduled(const Scheduled&) = delete;
  Scheduled& operator=(const Scheduled&) = delete;

  /// A new scheduler with this first set; what the store remembers is given to it.
  void begin(std::vector<Configured> set, const std::optional<schedule::Remembered>& known = {});
  schedule::Remembered remembered();
  /// The set as a reload makes it.
  schedule::ApplyReport apply(std::vector<Configured> set);
  /// The scheduler goes without a word, as when the agent is killed; its runners too.
  void kill();

  /// Holds back what the store answers from here on, with what was asked so far answered. For entries with a slot each second:
  /// begun by begin_after_second(), none of them has come yet.
  void hold_all_answers();
  /// begin() just after a second of the wall clock, so that most of it is left.
  void begin_after_second(std::vector<Configured> set);

  bool until(const std::function<bool()>& condition, std::chrono::nanoseconds limit = 30s);
  void turn_for(std::chrono::nanoseconds span);
  /// Runs it by hand and waits for its end.
  const schedule::Entry& run(const std::string& name, schedule::Kind kind = schedule::Kind::check);
  const schedule::Entry& entry(const std::string& name, schedule::Kind kind = schedule::Kind::check) const;

  /// What the store says, waited for.
  store::KvContent kv(const std::string& name, const std::string& kind = "check");
  std::vector<store::InboxEvent> inbox(const std::string& name);
  std::vector<store::Slot> slots(const std::string& name, const std::string& kind = "task");
  void post(const std::string& name, const std::string& event);
  template <class T>
  T ask(const std::function<void(store::Done<T>)>& question) {
    const auto answer = std::make_shared<std::optional<Result<T>>>();  // it may come when nobody waits any more
    question([answer](Result<T> given) { answer->emplace(std::move(given)); });
    until([&] { return answer->has_value(); });
    return std::move(*answer->value());
  }

  schedule::Scheduler& scheduler() { return *scheduler_; }
  store::Store& store() { return *store_; }
  bool has_log(std::string_view part) const;

  boost::asio::io_context loop;
  Scratch scratch;
  bool hold_answers = false;  // of the store
  bool safe_mode = false;     // of the scheduler that begins next
  std::vector<std::function<void()>> held;
  std::optional<std::chrono::nanoseconds> wall;  // null: the real one
  std::vector<std::string> logs;
  std::function<void(const schedule::Entry&)> on_result;  // may be empty
  schedule::PluginRef plugin{"org.ronda.chaos", "1.0.0", "first", 1, 16, true, true};
  std::string object = RONDA_CHAOS_PLUGIN;  // the file of the plugin
  schedule::ZoneDatabase zones;

 private:
  schedule::Prepared prepare(const Configured& configured);
  std::vector<schedule::Prepared> prepare(std::vector<Configured>& set);
  std::unique_ptr<plugin::Supervisor> make_supervisor(const schedule::PluginRef& of, plugin::SupervisorClient& client) const;

  std::unique_ptr<store::Store> store_;
  std::unique_ptr<schedule::Scheduler> scheduler_;
};

}  // namespace ronda::test
