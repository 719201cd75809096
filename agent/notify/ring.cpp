// SPDX-License-Identifier: Apache-2.0
#include "notify/ring.hpp"

#include <algorithm>
#include <utility>

namespace ronda::notify {
namespace {

void apply(const store::OutboxChange& change, store::OutboxRow& row) {
  row.state = change.state;
  row.carrier = change.carrier;
  row.attempts = change.attempts;
  row.next_at = change.next_at;
  row.first_at = change.first_at;
  row.last_error = change.last_error;
  if (change.text) row.text = *change.text;
}

}  // namespace

void Ring::push(store::Decision decision) {
  // Given before its row was refused, and refused after it: what change() told since is newer.
  std::erase_if(decision.changes, [this](const store::OutboxChange& change) {
    const auto found = rows_.find(change.id);
    if (found == rows_.end()) return false;
    if (!found->second.is_changed) apply(change, *found->second.row);
    return true;
  });
  if (decision.empty()) return;
  bytes_ += decision.bytes();
  held_.push_back(std::move(decision));
  for (store::OutboxRow& row : held_.back().outbox) rows_[row.id] = {&row};
  while (held_.size() > most_ || (bytes_ > most_bytes_ && held_.size() > 1)) {
    bytes_ -= std::min(bytes_, held_.front().bytes());
    for (const store::OutboxRow& row : held_.front().outbox) rows_.erase(row.id);
    held_.pop_front();
    ++lost_;
  }
}

bool Ring::change(const store::OutboxChange& change) {
  const auto found = rows_.find(change.id);
  if (found == rows_.end()) return false;
  apply(change, *found->second.row);
  found->second.is_changed = true;
  return true;
}

std::deque<store::Decision> Ring::take() {
  bytes_ = 0;
  rows_.clear();
  std::deque<store::Decision> out = std::exchange(held_, {});
  // one that the store's full queue sent back at once is here before those that waited in it
  std::ranges::stable_sort(out, {}, &store::Decision::number);
  return out;
}

}  // namespace ronda::notify
