// SPDX-License-Identifier: Apache-2.0
// What the store remembers of an agent that ran before, gathered for the scheduler. [loop]
#pragma once

#include <functional>

#include "schedule/scheduler.hpp"
#include "store/store.hpp"

namespace ronda {

/// It comes in pieces, each by the loop; `then` is called when all are there. `is_whole` is false when something could not
/// be read, which was logged.
void remember(store::Store& store, std::function<void(const schedule::Remembered&, bool is_whole)> then);

}  // namespace ronda
