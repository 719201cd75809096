// SPDX-License-Identifier: Apache-2.0
// Fills a history from the store, one question after the other, so that what is owed never waits for more than a day of
// one check's samples.
#pragma once

#include <functional>

#include "measure/history.hpp"
#include "store/store.hpp"

namespace ronda::measure {

/// Both must live until `done` is called, or the store be closed. `done` is called once, on the thread on which the store
/// answers, with the first error there was: what could not be read is left out.
void load_history(store::Store& store, History& history, std::int64_t now_ns, std::function<void(ronda::Status)> done);

}  // namespace ronda::measure
