// SPDX-License-Identifier: Apache-2.0
// What a run ends with: a status, a summary line, perhaps details and when to run again. Each kind has
// a type of its own, so that a task cannot return "critical". Also thresholds and grading.
// Never measures, never emits: the glue hands the value to the host once.
#pragma once

#include <ronda/text.hpp>

#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace ronda {

enum class status : std::int32_t {
  ok = RONDA_STATUS_OK,
  warning = RONDA_STATUS_WARNING,
  critical = RONDA_STATUS_CRITICAL,
  unknown = RONDA_STATUS_UNKNOWN,
};
enum class task_status : std::int32_t {
  changed = RONDA_TASK_CHANGED,
  unchanged = RONDA_TASK_UNCHANGED,
  failed = RONDA_TASK_FAILED,
  skipped = RONDA_TASK_SKIPPED,
};
enum class delivery_status : std::int32_t {
  delivered = RONDA_DELIVERY_OK,
  retry = RONDA_DELIVERY_RETRY,
  drop = RONDA_DELIVERY_DROP,
};

template <class Status>
struct basic_result {
  Status status;
  std::string summary;                      // one line
  std::string detail = {};                  // more lines, or nothing
  wall_time again_at = {};                  // the epoch: nothing; else due then, besides the schedule
  std::chrono::nanoseconds again_after{0};  // the same, counted from the end of the run

  basic_result with_detail(std::string text) && { return detail = std::move(text), std::move(*this); }
  basic_result at(wall_time due) && { return again_at = due, std::move(*this); }
  basic_result again(std::chrono::nanoseconds after) && { return again_after = after, std::move(*this); }
};

using result = basic_result<status>;             // of a check
using task_result = basic_result<task_status>;   // of a task
using delivery = basic_result<delivery_status>;  // of a notifier

/// A check's ending; the parts are joined as text() does.
template <class... Parts>
result ok(const Parts&... parts) {
  return {status::ok, text(parts...)};
}
template <class... Parts>
result warning(const Parts&... parts) {
  return {status::warning, text(parts...)};
}
template <class... Parts>
result critical(const Parts&... parts) {
  return {status::critical, text(parts...)};
}
/// It could not be measured. Not for "measured and bad".
template <class... Parts>
result unknown(const Parts&... parts) {
  return {status::unknown, text(parts...)};
}

/// A task's ending. In a dry run: changed means "would change".
template <class... Parts>
task_result changed(const Parts&... parts) {
  return {task_status::changed, text(parts...)};
}
template <class... Parts>
task_result unchanged(const Parts&... parts) {
  return {task_status::unchanged, text(parts...)};
}
template <class... Parts>
task_result failed(const Parts&... parts) {
  return {task_status::failed, text(parts...)};
}
template <class... Parts>
task_result skipped(const Parts&... parts) {
  return {task_status::skipped, text(parts...)};
}

/// A notifier's ending. `after` of zero leaves the back-off to the agent. Where the other side only took the message to hand it on, the
/// words of delivered() begin with "accepted": people are shown that, with the rest of them, and not that it was delivered.
template <class... Parts>
delivery delivered(const Parts&... parts) {
  return {delivery_status::delivered, text(parts...)};
}
template <class... Parts>
delivery retry(std::chrono::nanoseconds after, const Parts&... why) {
  return delivery{delivery_status::retry, text(why...)}.again(after);
}
/// It will never work for this message: a wrong address, a message refused for good.
template <class... Parts>
delivery drop(const Parts&... why) {
  return {delivery_status::drop, text(why...)};
}

/// ok < warning < unknown < critical: what could not be measured may be worse than a warning.
inline int severity(status s) noexcept {
  switch (s) {
    case status::ok:
      return 0;
    case status::warning:
      return 1;
    case status::critical:
      return 3;
    default:
      return 2;
  }
}
inline status worst(status a, status b) noexcept {
  return severity(a) < severity(b) ? b : a;
}

/// One result of many: the summary of the worst (the first of equals), the other not-ok ones as detail.
inline result worst(const std::vector<result>& all) {
  if (all.empty()) return unknown("nothing was measured");
  std::size_t at = 0;
  for (std::size_t i = 1; i < all.size(); ++i)
    if (severity(all[i].status) > severity(all[at].status)) at = i;
  result merged = all[at];
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == at || all[i].status == status::ok) continue;
    if (!merged.detail.empty()) merged.detail += '\n';
    merged.detail += all[i].summary;
  }
  return merged;
}

}  // namespace ronda
