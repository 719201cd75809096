// SPDX-License-Identifier: Apache-2.0
// Messages on their way through a notifier: one at a time each, in the order in which they came, as a run of the
// notifier's entry. So a reload, a timeout and a crash mean for a message what they mean for a check.
#include <algorithm>
#include <boost/asio/post.hpp>

#include "ronda/abi.h"
#include "schedule/scheduler.hpp"

namespace ronda::schedule {

DeliveryEnd delivery_end_of(const plugin::CallEnd& end) {
  DeliveryEnd out;
  if (end.fate != Fate::finished) {
    out.detail = plugin::text_of(end);  // it may have arrived, so it is tried again; people then see it twice
    return out;
  }
  const wire::Outcome& outcome = end.outcome;
  out.detail = outcome.summary;
  if (outcome.end != wire::End::reported) {
    if (out.detail.empty()) out.detail = "the notifier said nothing";
    return out;
  }
  out.again_at_wall_ns = outcome.again_at_wall_ns;
  out.what = outcome.status == RONDA_DELIVERY_OK     ? DeliveryEnd::What::delivered
             : outcome.status == RONDA_DELIVERY_DROP ? DeliveryEnd::What::dropped
                                                     : DeliveryEnd::What::retry;
  return out;
}

void Scheduler::deliver(std::string_view notifier, std::shared_ptr<const wire::Message> message,
                        std::function<void(const DeliveryEnd&)> ended) {
  const auto refuse = [&](DeliveryEnd::What what, std::string why) {
    boost::asio::post(ports_.loop, [ended = std::move(ended), what, why = std::move(why)] { ended({what, 0, why}); });
  };
  if (stopping_) return refuse(DeliveryEnd::What::not_begun, "the agent is stopping");
  const auto position = position_of(Kind::notifier, notifier);
  // its fallback must not wait for somebody to configure it again
  if (!position) return refuse(DeliveryEnd::What::dropped, "no notifier is named \"" + std::string(notifier) + "\", or it is disabled");
  deliveries_[*position].push_back({std::move(message), std::move(ended)});
  deliver_next(*position);
}

/// The next message of a notifier that is free. One that left the configuration has the message that is under way as its
/// last, and the timetable does not know it any more.
void Scheduler::deliver_next(std::uint32_t position) {
  const auto waiting = deliveries_.find(position);
  if (waiting == deliveries_.end() || stopping_ || timetable_.look(position).running) return;
  Entry& entry = entries_[position];
  if (entry.removed) return;
  const Due due{position, 0, boottime(), std::nullopt, 0, Why::event};
  if (!take_locks(entry, position)) return wait_for_locks(due, true);
  timetable_.hold(position);
  launch(entry, position, due);
  launches_[entry.runner].back().message = waiting->second.front().message;
  flush_launches();
}

/// The run that ended was that of the first in the queue.
void Scheduler::end_delivery(std::uint32_t position, const DeliveryEnd& end) {
  const auto waiting = deliveries_.find(position);
  if (waiting == deliveries_.end()) return;
  const auto ended = std::move(waiting->second.front().ended);
  waiting->second.pop_front();
  if (waiting->second.empty()) deliveries_.erase(waiting);
  ended(end);
}

/// Those that have not begun: the notifier leaves, or the agent stops.
void Scheduler::refuse_deliveries(std::uint32_t position, std::string_view why) {
  const auto found = deliveries_.find(position);
  if (found == deliveries_.end()) return;
  const bool under_way = entries_[position].call != 0;
  std::deque<Waiting> refused(std::make_move_iterator(found->second.begin() + (under_way ? 1 : 0)),
                              std::make_move_iterator(found->second.end()));
  found->second.resize(under_way ? 1 : 0);
  if (!under_way) deliveries_.erase(found);
  for (const Waiting& one : refused) one.ended({DeliveryEnd::What::not_begun, 0, std::string(why)});
}

}  // namespace ronda::schedule
