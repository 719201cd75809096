// SPDX-License-Identifier: Apache-2.0
// Envelopes for tests, and a memory of what an outbox has said about them.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "notify/outbox.hpp"

namespace ronda::notify::test {

inline constexpr std::int64_t noon = 1'790'000'000'000'000'000;
inline constexpr std::int64_t ms = 1'000'000;

inline store::OutboxRow envelope(std::string id, std::string notifier = "slack", std::string incident = "INC", std::string event = "open",
                                 std::string level = "p1") {
  store::OutboxRow row;
  row.id = std::move(id);
  row.notifier = std::move(notifier);
  row.incident = std::move(incident);
  row.group = row.incident;
  row.contact = "cto";
  row.event = std::move(event);
  row.level = std::move(level);
  row.text = {"title of " + row.id, "body of " + row.id, "{}"};
  return row;
}

inline store::OutboxRow envelope_to(std::string to, std::string id, std::string incident, std::string level = "p1") {
  store::OutboxRow row = envelope(std::move(id), "slack", std::move(incident), "open", std::move(level));
  row.to = std::move(to);
  return row;
}

inline Delivery delivered() {
  return {};
}
inline Delivery retry(std::string detail = "503", std::int64_t again_at = 0) {
  return {Delivery::What::retry, again_at, std::move(detail)};
}
inline Delivery dropped(std::string detail = "404") {
  return {Delivery::What::dropped, 0, std::move(detail)};
}

/// An outbox, the instant it is, and the rows as a store would have them.
struct Desk {
  explicit Desk(OutboxRules rules = {}) : outbox(rules) {}

  std::vector<Start> add(std::vector<store::OutboxRow> rows) {
    Effects effects = outbox.add(rows, now);
    for (const store::OutboxRow& row : rows) stored[row.id] = row;
    return take(std::move(effects));
  }
  std::vector<Start> end(const Start& start, const Delivery& delivery = delivered()) {
    return take(outbox.on_result(start.id, start.number, delivery, now));
  }
  std::vector<Start> tick() { return take(outbox.tick(now)); }
  /// Goes to the next instant that the outbox names, at most `limit` from now; nothing to do until then: stays there.
  std::vector<Start> next(std::int64_t limit = 365 * 24 * hour_ns) {
    const std::int64_t at = outbox.next_at();
    now = at == 0 ? now + limit : std::min(std::max(at, now), now + limit);
    return tick();
  }
  std::vector<Start> take(Effects effects) {
    for (const store::OutboxChange& change : effects.changes) {
      store::OutboxRow& row = stored.at(change.id);
      row.state = change.state;
      row.carrier = change.carrier;
      row.attempts = change.attempts;
      row.next_at = change.next_at;
      row.first_at = change.first_at;
      row.last_error = change.last_error;
    }
    dead.insert(dead.end(), effects.dead.begin(), effects.dead.end());
    troubles.insert(troubles.end(), effects.troubles.begin(), effects.troubles.end());
    return std::move(effects.starts);
  }
  std::vector<store::OutboxRow> rows() const {
    std::vector<store::OutboxRow> all;
    for (const auto& [id, row] : stored) all.push_back(row);
    return all;
  }

  Outbox outbox;
  std::int64_t now = noon;
  std::map<std::string, store::OutboxRow> stored;
  std::vector<std::string> dead;
  std::vector<SinkTrouble> troubles;
};

inline std::vector<std::string> ids(const std::vector<Start>& starts) {
  std::vector<std::string> all;
  for (const Start& start : starts) all.push_back(start.id);
  return all;
}

}  // namespace ronda::notify::test
