// SPDX-License-Identifier: Apache-2.0
// Idle clients by the origin they last spoke to, so that the next check of that origin finds an open connection
// whichever instance made it. One pool a process, shared by all instances and gone with the last of them.
// Holds nothing of an instance: neither its configuration nor its state.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "client.hpp"

namespace http {

class ClientPool {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t max_idle = 256;
  static constexpr std::chrono::seconds max_idle_time{120};

  /// The one of this process; [worker], from create.
  static std::shared_ptr<ClientPool> shared();

  /// The client of that key used last, or a new one. Nobody else has it until it is given back.
  std::unique_ptr<Client> take(const std::string& key);
  void give_back(std::string key, std::unique_ptr<Client> client, Clock::time_point now);
  std::size_t idle() const;

 private:
  struct Idle {
    std::string key;
    std::unique_ptr<Client> client;
    Clock::time_point since;
  };
  using Place = std::list<Idle>::iterator;

  void take_oldest(std::list<Idle>& to);

  mutable std::mutex mutex_;
  std::list<Idle> idle_;  // the longest unused first
  std::unordered_map<std::string, std::vector<Place>> by_key_;
};

/// A client on loan for one call.
class Lease {
 public:
  Lease(ClientPool& pool, std::string key) : pool_(pool), key_(std::move(key)), client_(pool.take(key_)) {}
  ~Lease() { pool_.give_back(std::move(key_), std::move(client_), ClientPool::Clock::now()); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Client* operator->() { return client_.get(); }
  Client& operator*() { return *client_; }

 private:
  ClientPool& pool_;
  std::string key_;
  std::unique_ptr<Client> client_;
};

}  // namespace http
