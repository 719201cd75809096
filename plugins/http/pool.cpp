// SPDX-License-Identifier: Apache-2.0
#include "pool.hpp"

namespace http {

std::shared_ptr<ClientPool> ClientPool::shared() {
  static std::weak_ptr<ClientPool> current;  // create and destroy are serialised by the host
  auto pool = current.lock();
  if (!pool) current = pool = std::make_shared<ClientPool>();
  return pool;
}

std::unique_ptr<Client> ClientPool::take(const std::string& key) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) {
      const auto place = found->second.back();
      found->second.pop_back();
      if (found->second.empty()) by_key_.erase(found);
      auto client = std::move(place->client);
      idle_.erase(place);
      return client;
    }
  }
  return std::make_unique<Client>();
}

void ClientPool::give_back(std::string key, std::unique_ptr<Client> client, Clock::time_point now) {
  std::list<Idle> old;  // closed after the lock: a TLS connection says goodbye
  const std::lock_guard lock(mutex_);
  idle_.push_back({std::move(key), std::move(client), now});
  by_key_[idle_.back().key].push_back(std::prev(idle_.end()));
  while (idle_.size() > max_idle || now - idle_.front().since > max_idle_time) take_oldest(old);
}

void ClientPool::take_oldest(std::list<Idle>& to) {
  const auto found = by_key_.find(idle_.front().key);
  found->second.erase(found->second.begin());  // of one key the oldest also stands first
  if (found->second.empty()) by_key_.erase(found);
  to.splice(to.end(), idle_, idle_.begin());
}

std::size_t ClientPool::idle() const {
  const std::lock_guard lock(mutex_);
  return idle_.size();
}

}  // namespace http
