// SPDX-License-Identifier: Apache-2.0
// The sessions that are kept between runs, shared by all instances that lead to the same database: a new
// session costs the server fifty times a statement on a kept one. Any number of runs may take one at once.
// Never connects and never waits: a run that finds none opens its own and leaves it here.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "session.hpp"

namespace postgresql {

class Pool {
 public:
  /// The pool of that key, the same one as long as anybody holds it.
  static std::shared_ptr<Pool> of(const std::string& key);

  /// The session that was used last, or none.
  std::unique_ptr<Session> take();
  /// Keeps it, and closes those that were not needed for a while: what a burst of runs left behind.
  void give_back(std::unique_ptr<Session> session, std::chrono::nanoseconds now);
  /// The server went away: none of them can be alive.
  void clear();
  std::size_t idle() const;

 private:
  struct Kept {
    std::unique_ptr<Session> session;
    std::chrono::nanoseconds since;
  };
  mutable std::mutex mutex_;
  std::vector<Kept> idle_;  // the last is the one used last
};

}  // namespace postgresql
