// SPDX-License-Identifier: Apache-2.0
// Waits for a call of the store: for tests and for verbs that have no loop.
// Never use it on the thread that Options::post posts to; with a `post` that runs at once any other thread will do.
#pragma once

#include <future>
#include <memory>

#include "store/store.hpp"

namespace ronda::store {

/// sync<Claim>([&](auto done) { store->claim_slot(id, at, done); })
template <class T, class Start>
Result<T> sync(Start&& start) {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  auto future = promise->get_future();
  start(Done<T>([promise](Result<T> result) { promise->set_value(std::move(result)); }));
  return future.get();
}

}  // namespace ronda::store
