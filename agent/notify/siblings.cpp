// SPDX-License-Identifier: Apache-2.0
#include "notify/siblings.hpp"

#include <algorithm>

#include "notify/route.hpp"

namespace ronda::notify {
namespace {

std::string first_of(std::string_view message) {
  return std::string(message) + "/";
}

/// From `from` on, those that belong to the message; of what has a longer name, and begins so too, none.
template <class Map, class Visit>
void each_of(Map& rows, std::string_view message, Visit visit) {
  const std::string first = first_of(message);
  if (const auto alone = rows.find(std::string(message)); alone != rows.end() && message_of(alone->first) == message) visit(*alone);
  for (auto at = rows.lower_bound(first); at != rows.end() && at->first.starts_with(first); ++at) {
    if (message_of(at->first) == message) visit(*at);
  }
}

}  // namespace

store::OutboxRow without_text(const store::OutboxRow& row) {
  store::OutboxRow out;
  out.id = row.id;
  out.incident = row.incident;
  out.group = row.group;
  out.notifier = row.notifier;
  out.contact = row.contact;
  out.to = row.to;
  out.level = row.level;
  out.event = row.event;
  return out;
}

void Siblings::note_end(const store::OutboxRow& row, store::OutboxState state) {
  store::OutboxRow& kept = ended_[row.id] = without_text(row);
  kept.state = state;
}

void Siblings::tidy(const std::string& id) {
  const std::string_view message = message_of(id);
  bool is_owed = false;
  each_of(shelf_.held(), message, [&](const auto&) { is_owed = true; });
  if (is_owed) return;
  std::vector<std::string> all;
  each_of(ended_, message, [&](const auto& one) { all.push_back(one.first); });
  for (const std::string& one : all) ended_.erase(one);
}

void Siblings::add_unknown(const std::string& id, std::vector<std::string>& messages) const {
  const Held* held = shelf_.find(id);
  if (held == nullptr || held->is_whole) return;
  const std::string message(message_of(id));
  if (std::ranges::find(messages, message) == messages.end()) messages.push_back(message);
}

void Siblings::learn(const std::string& message, const std::vector<store::OutboxRow>& rows) {
  for (const store::OutboxRow& row : rows) {
    if (message_of(row.id) != message || shelf_.find(row.id) != nullptr || ended_.contains(row.id)) continue;
    note_end(row, row.state);
  }
  each_of(shelf_.held(), message, [](auto& one) { one.second.is_whole = true; });
}

std::vector<store::OutboxRow> Siblings::others(const std::string& id, const std::vector<std::string>& dying) const {
  const std::string_view message = message_of(id);
  std::vector<store::OutboxRow> out;
  each_of(shelf_.held(), message, [&](const auto& one) {
    if (one.first == id) return;
    out.push_back(without_text(one.second.row));
    const bool dies = std::ranges::find(dying, one.first) != dying.end();
    out.back().state = dies ? store::OutboxState::dead : store::OutboxState::queued;
  });
  each_of(ended_, message, [&](const auto& one) {
    if (one.first != id && shelf_.find(one.first) == nullptr) out.push_back(one.second);
  });
  return out;
}

}  // namespace ronda::notify
