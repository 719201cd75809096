// SPDX-License-Identifier: Apache-2.0
#include "notify/route.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/siphash.hpp"

namespace ronda::notify {
namespace {

/// The event as plugins know it; the topic goes with the fields.
std::string_view event_of(Topic topic) {
  switch (topic) {
    case Topic::open:
    case Topic::escalation:
      return "open";
    case Topic::resolve:
      return "resolve";
    case Topic::test:
      return "test";
    default:
      return "update";
  }
}

std::string level_text(config::Level level) {
  return level == config::Level::none ? "" : std::string(config::level_name(level));
}

std::string id_of(std::string_view key, const Channel& channel) {
  return std::string(key) + "/" + to_hex(siphash128(channel.notifier + '\0' + channel.to)).substr(0, 16);
}

void set(Fields& fields, std::string_view name, std::string value) {
  std::erase_if(fields, [&](const auto& field) { return field.first == name; });
  if (!value.empty()) fields.emplace_back(name, std::move(value));
}

void drop_personal(Fields& fields) {
  set(fields, "ack", "");
  set(fields, "ack_code", "");
}

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = text.find(by);
    if (end != 0) out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

/// Quiet hours of one who has that address are not asked: it stands in for what was configured.
std::vector<Channel> whole_channels(const std::vector<std::string>& notifiers, const People& people, config::Level level) {
  std::vector<Channel> out;
  for (const std::string& notifier : notifiers) {
    if (!people.is_usable(notifier)) continue;
    for (Channel& channel : people.everybody(notifier, level)) {
      channel.fallback = true;
      out.push_back(std::move(channel));
    }
  }
  return out;
}

/// Makes rows, each notifier and address once: who shares one with others stands in the same row.
class Rows {
 public:
  Rows(const Message& message, const People& people, const Templates& templates)
      : message_(message), people_(people), templates_(templates) {}

  void add(const Channel& channel, std::string_view contact) {
    const std::string id = id_of(message_.key, channel);
    for (store::OutboxRow& row : rows_) {
      if (row.id != id) continue;
      row.next_at = std::min(row.next_at, channel.not_before);
      const auto there = split(row.contact, ',');
      if (!contact.empty() && std::ranges::find(there, contact) == there.end()) join(row, channel, contact);
      return;
    }
    store::OutboxRow row;
    row.id = id;
    row.incident = message_.incident;
    row.group = message_.group;
    row.notifier = channel.notifier;
    row.contact = contact;
    row.to = channel.to;
    row.next_at = channel.not_before;
    row.level = level_text(message_.level);
    row.event = event_of(message_.topic);
    row.text = text(channel, contact);
    rows_.push_back(std::move(row));
  }
  std::vector<store::OutboxRow> take() { return std::move(rows_); }
  bool empty() const { return rows_.empty(); }

 private:
  /// What is one contact's alone leaves the words again.
  void join(store::OutboxRow& row, const Channel& channel, std::string_view contact) const {
    const std::string first = row.contact.substr(0, row.contact.find(','));
    row.contact += (row.contact.empty() ? "" : ",") + std::string(contact);
    row.text = text(channel, first, true);
  }

  store::OutboxText text(const Channel& channel, std::string_view contact, bool is_shared = false) const {
    const Language language = people_.language(contact.substr(0, contact.find(',')));  // of several that of the first
    const Markup markup = people_.markup(channel.notifier);
    Fields fields = message_.fields;
    for (const auto& [name, said] : message_.said) set(fields, name, language == Language::es ? said.es : said.en);
    if (is_shared || people_.is_shared(contact, channel)) drop_personal(fields);  // one that failed elsewhere may have had its own
    if (!is_shared) std::ranges::move(people_.personal(contact, channel), std::back_inserter(fields));
    const Text words = templates_.render({message_.topic, language, markup, channel.notifier, message_.drill}, fields);
    set(fields, "topic", std::string(topic_name(message_.topic)));
    set(fields, "language", language == Language::es ? "es" : "en");
    set(fields, "markup", std::string(markup_name(markup)));
    set(fields, "drill", message_.drill ? "yes" : "");
    set(fields, "fallback", channel.fallback ? "yes" : "");
    return {words.title, words.body, to_json(fields)};
  }

  const Message& message_;
  const People& people_;
  const Templates& templates_;
  std::vector<store::OutboxRow> rows_;
};

/// Where nothing else is left. What has a day (P4) wakes nobody whom conf.d does not name for it.
RouteTrouble::What add_last_resort(Rows& rows, const People& people, config::Level level, const std::vector<std::string>& tried,
                                   std::string_view contact) {
  const auto untried = [&](std::vector<Channel> channels) {
    std::erase_if(channels, [&](const Channel& channel) { return std::ranges::find(tried, channel.notifier) != tried.end(); });
    return channels;
  };
  const bool is_small = level == config::Level::p4;
  std::vector<Channel> channels = untried(whole_channels(people.last_resort(), people, level));
  if (channels.empty() && !is_small) channels = untried(whole_channels(people.usable(), people, level));
  for (const Channel& channel : channels) rows.add(channel, contact);
  if (!rows.empty()) return RouteTrouble::What::last_resort;
  return is_small ? RouteTrouble::What::unnamed : RouteTrouble::What::nobody;
}

}  // namespace

Routed route(const Message& message, const People& people, const Templates& templates) {
  Routed out;
  Rows rows(message, people, templates);
  const auto add_channels = [&](const std::string& contact, const std::vector<std::string>& avoid) {
    std::vector<Channel> channels = people.channels(contact, message.level);
    std::erase_if(channels, [&](const Channel& channel) {
      return !people.is_usable(channel.notifier) || std::ranges::find(avoid, channel.notifier) != avoid.end();
    });
    const bool primary = std::ranges::any_of(channels, [](const Channel& channel) { return !channel.fallback; });
    for (const Channel& channel : channels) {
      if (!primary || !channel.fallback) rows.add(channel, contact);
    }
    return !channels.empty();
  };
  for (const std::string& contact : message.contacts) {
    if (!add_channels(contact, message.avoid)) out.troubles.push_back({RouteTrouble::What::no_channel, contact});
  }
  for (const Channel& channel : whole_channels(message.notifiers, people, message.level)) {
    if (std::ranges::find(message.avoid, channel.notifier) == message.avoid.end()) rows.add(channel, "");
  }
  // what follows for those who heard of it as the last resort alone is no reason to tell everybody
  if (rows.empty() && message.notifiers.empty()) {
    RouteTrouble::What trouble = add_last_resort(rows, people, message.level, message.avoid, "");
    if (!message.avoid.empty() && rows.empty()) {
      for (const std::string& contact : message.contacts) add_channels(contact, {});
      if (!rows.empty()) trouble = RouteTrouble::What::last_resort;
    }
    out.troubles.push_back({trouble, ""});
  }
  out.rows = rows.take();
  return out;
}

std::string_view message_of(std::string_view id) {
  const std::size_t end = id.rfind('/');
  return end == std::string_view::npos ? id : id.substr(0, end);
}

Routed route_fallback(const store::OutboxRow& failed, const std::vector<store::OutboxRow>& others, const People& people,
                      const Templates& templates) {
  Routed out;
  Message message;
  message.key = message_of(failed.id);
  message.incident = failed.incident;
  message.group = failed.group;
  message.fields = fields_from_json(failed.text.fields);
  message.topic = find_topic(value_of(message.fields, "topic")).value_or(Topic::update);
  message.drill = value_of(message.fields, "drill") == "yes";
  for (const config::Level level : {config::Level::p1, config::Level::p2, config::Level::p3, config::Level::p4}) {
    if (level_text(level) == failed.level) message.level = level;
  }
  const auto may_arrive = [](const store::OutboxRow& other) { return other.state != store::OutboxState::dead; };
  const auto has_it = [&](const std::string& contact) {
    return std::ranges::any_of(others, [&](const store::OutboxRow& other) {
      const auto there = split(other.contact, ',');
      return may_arrive(other) && std::ranges::find(there, contact) != there.end();
    });
  };
  const std::vector<std::string> said = split(value_of(message.fields, "tried"), ' ');  // also where the others are not known
  std::vector<std::string> tried = said;
  tried.push_back(failed.notifier);
  for (const store::OutboxRow& other : others) tried.push_back(other.notifier);
  std::ranges::sort(tried);
  tried.erase(std::unique(tried.begin(), tried.end()), tried.end());
  const auto is_tried = [&](const Channel& channel) {
    const auto is_it = [&](const store::OutboxRow& row) { return row.notifier == channel.notifier && row.to == channel.to; };
    return is_it(failed) || std::ranges::any_of(others, is_it) || std::ranges::find(said, channel.notifier) != said.end();
  };
  std::string list;
  for (const std::string& notifier : tried) list += (list.empty() ? "" : " ") + notifier;
  set(message.fields, "tried", list);
  set(message.fields, "merged", "");
  Rows rows(message, people, templates);
  for (const std::string& contact : split(failed.contact, ',')) {
    if (has_it(contact)) continue;
    for (const Channel& channel : people.channels(contact, message.level)) {
      if (channel.fallback && people.is_usable(channel.notifier) && !is_tried(channel)) rows.add(channel, contact);
    }
  }
  if (rows.empty() && std::ranges::none_of(others, may_arrive)) {
    drop_personal(message.fields);  // others may read it there
    out.troubles.push_back({add_last_resort(rows, people, message.level, tried, ""), failed.contact});
  }
  out.rows = rows.take();
  return out;
}

}  // namespace ronda::notify
