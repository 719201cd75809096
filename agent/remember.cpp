// SPDX-License-Identifier: Apache-2.0
#include "remember.hpp"

#include <memory>

#include "base/log.hpp"

namespace ronda {
namespace {

struct Gathered {
  schedule::Remembered known;
  bool is_whole = true;
};

}  // namespace

void remember(store::Store& store, std::function<void(const schedule::Remembered&, bool)> then) {
  auto gathered = std::make_shared<Gathered>();
  const auto part = [gathered]<class T>(std::vector<T> schedule::Remembered::*member, std::function<void()> next) {
    return [gathered, member, next = std::move(next)](Result<std::vector<T>> loaded) {
      if (loaded)
        gathered->known.*member = std::move(*loaded);
      else
        log(LogLevel::error, "not remembered: " + loaded.error().message());
      gathered->is_whole = gathered->is_whole && loaded.has_value();
      if (next) next();
    };
  };
  store.load_instances(part(&schedule::Remembered::states, nullptr));
  store.load_last_slots(part(&schedule::Remembered::last_slots, nullptr));
  store.load_calendars(part(&schedule::Remembered::calendars, nullptr));
  store.load_started_slots(part(&schedule::Remembered::started_slots, nullptr));
  store.load_kv_versions(part(&schedule::Remembered::state_versions, nullptr));
  store.load_inbox_owners(part(&schedule::Remembered::inbox_owners, nullptr));
  store.load_quarantines(part(&schedule::Remembered::quarantines, [gathered, then = std::move(then)] { then(gathered->known, gathered->is_whole); }));
}

}  // namespace ronda
