// SPDX-License-Identifier: Apache-2.0
#include "pool.hpp"

#include <algorithm>
#include <map>

namespace postgresql {
namespace {

constexpr std::chrono::minutes surplus_age{5};

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<Pool>> pools;
};

/// Holds no instance's state: only which pools its instances share, and only while they live.
Registry& registry() {
  static Registry all;
  return all;
}

}  // namespace

std::shared_ptr<Pool> Pool::of(const std::string& key) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  for (auto at = all.pools.begin(); at != all.pools.end();)
    at = at->second.expired() ? all.pools.erase(at) : std::next(at);
  auto pool = all.pools[key].lock();
  if (!pool) all.pools[key] = pool = std::make_shared<Pool>();
  return pool;
}

std::unique_ptr<Session> Pool::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return nullptr;
  auto session = std::move(idle_.back().session);
  idle_.pop_back();
  return session;
}

void Pool::give_back(std::unique_ptr<Session> session, std::chrono::nanoseconds now) {
  std::vector<Kept> surplus;  // closed after the lock is gone
  const std::lock_guard lock(mutex_);
  const auto young = std::find_if(idle_.begin(), idle_.end(),
                                  [now](const Kept& kept) { return now - kept.since < surplus_age; });
  std::move(idle_.begin(), young, std::back_inserter(surplus));
  idle_.erase(idle_.begin(), young);
  idle_.push_back({std::move(session), now});
}

void Pool::clear() {
  std::vector<Kept> gone;
  const std::lock_guard lock(mutex_);
  gone.swap(idle_);
}

std::size_t Pool::idle() const {
  const std::lock_guard lock(mutex_);
  return idle_.size();
}

}  // namespace postgresql
