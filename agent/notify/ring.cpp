// SPDX-License-Identifier: Apache-2.0
#include "notify/ring.hpp"

#include <utility>

namespace ronda::notify {

void Ring::push(store::Decision decision) {
  bytes_ += decision.bytes();
  held_.push_back(std::move(decision));
  while (held_.size() > most_ || (bytes_ > most_bytes_ && held_.size() > 1)) {
    bytes_ -= std::min(bytes_, held_.front().bytes());
    held_.pop_front();
    ++lost_;
  }
}

bool Ring::change(const store::OutboxChange& change) {
  for (auto decision = held_.rbegin(); decision != held_.rend(); ++decision) {
    for (store::OutboxRow& row : decision->outbox) {
      if (row.id != change.id) continue;
      row.state = change.state;
      row.carrier = change.carrier;
      row.attempts = change.attempts;
      row.next_at = change.next_at;
      row.first_at = change.first_at;
      row.last_error = change.last_error;
      if (change.text) row.text = *change.text;
      return true;
    }
  }
  return false;
}

std::deque<store::Decision> Ring::take() {
  bytes_ = 0;
  return std::exchange(held_, {});
}

}  // namespace ronda::notify
