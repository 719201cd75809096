// SPDX-License-Identifier: Apache-2.0
#include "notify/outbox_lane.hpp"

#include <algorithm>

#include "base/siphash.hpp"

namespace ronda::notify {

// A bucket of `burst` messages that gets one back each group_interval, as one instant: the generic cell rate
// algorithm (ITU-T I.371).
std::int64_t Lane::open_at(const OutboxRules& rules, bool merges) const {
  if (!merges || last_start == 0) return 0;
  return std::max(fill_at - (rules.burst - 1) * rules.group_interval, last_start + rules.gather);
}

void Lane::count_start(const OutboxRules& rules, std::int64_t now) {
  last_start = now;
  fill_at = std::max(fill_at, now) + rules.group_interval;
}

void Notifier::list(Lane& lane, std::int64_t now) {
  unlist(lane);
  if (lane.is_empty() || lane.in_flight || lane.ready_at == never) return;
  lane.is_listed = true;
  lane.is_ready = lane.ready_at <= now;
  const Item* first = lane.active != nullptr ? lane.active : lane.queue.first;
  lane.listed_level = lane.level;
  lane.listed_order = first->order;
  lane.listed_at = lane.ready_at;
  if (lane.is_ready)
    ready.insert({lane.listed_level, lane.listed_order, &lane});
  else
    waiting.insert({lane.listed_at, &lane});
}

void Notifier::unlist(Lane& lane) {
  if (!lane.is_listed) return;
  lane.is_listed = false;
  if (lane.is_ready)
    ready.erase({lane.listed_level, lane.listed_order, &lane});
  else
    waiting.erase({lane.listed_at, &lane});
}

bool Notifier::may_start(std::int64_t now) const {
  return in_flight < (open ? 1 : policy.in_flight) && now >= not_before && now >= last_start + policy.spacing;
}

std::int64_t Notifier::next_start() const {
  std::int64_t next = waiting.empty() ? never : waiting.begin()->first;
  if (!ready.empty()) next = 0;
  if (next == never || in_flight >= (open ? 1 : policy.in_flight)) return never;
  return std::max({next, not_before, last_start + policy.spacing});
}

std::string lane_key(const store::OutboxRow& row) {
  const std::string& group = row.group.empty() ? row.incident : row.group;
  // without group and incident nothing has to be in order: each by itself
  return row.notifier + '\0' + row.to + '\0' + (group.empty() ? row.id : group);
}

int level_of(std::string_view level) {
  return level.size() == 2 && level[0] == 'p' && level[1] >= '1' && level[1] <= '4' ? level[1] - '0' : 5;
}

std::int64_t retry_delay(const OutboxRules& rules, std::string_view id, std::int64_t number) {
  const std::int64_t doubled =
      number > 30 ? rules.retry_most : rules.retry_least * (std::int64_t{2} << (std::max<std::int64_t>(number, 1) - 1));
  const std::int64_t range = std::min(doubled, rules.retry_most) - rules.retry_least;
  if (range <= 0) return rules.retry_least;
  const Hash128 hash = siphash128(std::string(id) + '\0' + std::to_string(number));
  return rules.retry_least + static_cast<std::int64_t>(hash.first % (static_cast<std::uint64_t>(range) + 1));
}

}  // namespace ronda::notify
