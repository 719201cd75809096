// SPDX-License-Identifier: Apache-2.0
// A store in a directory of its own, asked by a test that waits for the answers.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "scratch.hpp"
#include "store/store.hpp"
#include "store/sync.hpp"

namespace ronda::store::test {

using ronda::test::Scratch;
using Ids = std::vector<InstanceId>;

inline constexpr std::int64_t minute = 60'000'000'000, day = 24 * 60 * minute;
inline constexpr std::int64_t noon = 1'790'000'000'000'000'000;  // a wall time of the tests: 2026-09-21 14:13:20 UTC

/// The answers run on the store's thread, so the thread of the test may wait for them.
inline Options options_at(const std::string& directory) {
  Options options;
  options.directory = directory;
  options.post = [](const std::function<void()>& work) { work(); };
  options.wall_ns = [] { return noon; };
  options.mono_ns = [] { return monotonic().count(); };
  options.flush_after = std::chrono::milliseconds(100);
  options.retry_after = std::chrono::milliseconds(50);
  options.ballast_bytes = 256 * 1024;
  return options;
}

inline std::unique_ptr<Store> open_at(const std::string& directory) {
  auto store = Store::open(options_at(directory));
  if (!store) throw std::runtime_error(store.error().message());
  return *std::move(store);
}

/// Waits for a call, with the arguments before its callback: ask<Claim>(*store, &Store::claim_slot, id, at).
template <class T, class Method, class... Args>
Result<T> ask(Store& store, Method method, Args... args) {
  return sync<T>([&](Done<T> done) { (store.*method)(std::move(args)..., std::move(done)); });
}
template <class T, class Method, class... Args>
T must(Store& store, Method method, Args... args) {
  Result<T> result = ask<T>(store, method, std::move(args)...);
  if (!result) throw std::runtime_error(result.error().message());
  return *std::move(result);
}

inline Result<Claim> claim(Store& store, const InstanceId& id, std::int64_t at) {
  return ask<Claim>(store, &Store::claim_slot, id, at);
}
inline JournalEvent event_of(std::string subject) {
  JournalEvent event;
  event.kind = "test";
  event.subject = std::move(subject);
  return event;
}
inline Result<Unit> append(Store& store, const std::string& subject) {
  return ask<Unit>(store, &Store::append_journal, event_of(subject));
}
inline std::vector<JournalEvent> journal(Store& store) {
  return must<std::vector<JournalEvent>>(store, &Store::load_journal, std::int64_t{1'000'000});
}
inline std::size_t count_of(const std::vector<JournalEvent>& events, std::string_view kind) {
  std::size_t count = 0;
  for (const JournalEvent& event : events) count += event.kind == kind ? 1 : 0;
  return count;
}

/// Until `condition`, for at most `limit`; whether it came true.
template <class Condition>
bool wait_for(Condition condition, std::chrono::seconds limit = std::chrono::seconds(20)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}
inline bool wait_for_health(const Store& store, HealthState state) {
  return wait_for([&] { return store.health().state == state; });
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_bytes(const std::string& path, std::string_view bytes) {
  const bool is_new = !std::filesystem::exists(path);
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  // one that was there keeps its own, and a store that runs may set it aside meanwhile
  if (is_new) std::filesystem::permissions(path, std::filesystem::perms(0600));
}
/// What undoes the schema's steps after `version`, so that a database is as an older agent left it. SQL.
inline std::string back_to_schema(int version) {
  std::string sql;
  if (version < 5)
    sql += "DROP TABLE incident; DROP TABLE incident_event; DROP TABLE alert_state; DROP TABLE silence; DROP TABLE outbox; DROP TABLE delivery;";
  if (version < 4) sql += "DROP TABLE series; DROP TABLE sample; DROP TABLE raw; DROP TABLE five; DROP TABLE hours;";
  if (version < 3) sql += "DROP TABLE calendar;";
  const std::string number = std::to_string(version);
  return sql + "PRAGMA user_version=" + number + "; UPDATE meta SET value=" + number + " WHERE name='schema'";
}
/// The names in a directory that begin with `prefix`.
inline std::vector<std::string> names_in(const std::string& directory, std::string_view prefix) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().filename().string().starts_with(prefix)) names.push_back(entry.path().filename().string());
  }
  return names;
}

}  // namespace ronda::store::test
