// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "incident/event.hpp"
#include "incident/times.hpp"

namespace ronda::incident {

std::string_view named_text(const Event& event, std::string_view name) {
  const auto found = std::ranges::find(event.fields, name, &std::pair<std::string, std::string>::first);
  return found == event.fields.end() ? std::string_view() : std::string_view(found->second);
}

namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 36> kind_names = {"other",
                                                         "opened",
                                                         "alert_joined",
                                                         "alert_changed",
                                                         "alert_left",
                                                         "raised",
                                                         "lowered",
                                                         "acked",
                                                         "ack_reminded",
                                                         "ack_expired",
                                                         "unacked",
                                                         "note",
                                                         "impact",
                                                         "update",
                                                         "update_overdue",
                                                         "response_overdue",
                                                         "role",
                                                         "mitigated",
                                                         "resolved",
                                                         "reopened",
                                                         "flapping",
                                                         "settled",
                                                         "closed",
                                                         "notice_sent",
                                                         "notice_delivered",
                                                         "notice_failed",
                                                         "notice_owed",
                                                         "diagnosis",
                                                         "suppressed",
                                                         "unsuppressed",
                                                         "reviewed",
                                                         "ticket",
                                                         "ticket_answered",
                                                         "ticket_overdue",
                                                         "refused",
                                                         "clock_set"};
constexpr std::array<std::string_view, 5> levels = {"", "p1", "p2", "p3", "p4"};

struct TextMember {
  std::string_view name;
  std::string Event::*text;
  std::size_t most;
};
constexpr std::array text_members = {
    TextMember{"service", &Event::service, max_name_bytes}, TextMember{"root", &Event::root, max_name_bytes},
    TextMember{"alert", &Event::alert, max_name_bytes},     TextMember{"check", &Event::check, max_name_bytes},
    TextMember{"subject", &Event::subject, max_name_bytes}, TextMember{"role", &Event::role, max_name_bytes},
    TextMember{"channel", &Event::channel, max_name_bytes}, TextMember{"message", &Event::message, max_name_bytes},
    TextMember{"text", &Event::text, max_output_bytes},     TextMember{"title", &Event::title, max_text_bytes},
    TextMember{"war_room", &Event::war_room, 1024},
};
struct FlagMember {
  std::string_view name;
  bool Event::*flag;
};
constexpr std::array flag_members = {FlagMember{"forced", &Event::forced}, FlagMember{"blocked", &Event::blocked},
                                     FlagMember{"muted", &Event::muted}, FlagMember{"page", &Event::page}};
struct TimeMember {
  std::string_view name;
  std::int64_t Event::*time;
};
constexpr std::array time_members = {TimeMember{"effective_ns", &Event::effective_ns}, TimeMember{"within_ns", &Event::within_ns},
                                     TimeMember{"due_ns", &Event::due_ns}, TimeMember{"remind_ns", &Event::remind_ns},
                                     TimeMember{"until_ns", &Event::until_ns}};
constexpr std::array<std::string_view, 9> head_members = {"incident", "sequence", "at_ns", "host",  "author",
                                                          "source",   "kind",     "level", "fields"};

Error wrong(std::string_view member, std::string_view must) {
  return {Errc::corrupt, "event: `" + std::string(member) + "` must be " + std::string(must)};
}

Result<std::string> read_text(const json::value& value, std::string_view name, std::size_t most) {
  const json::string* text = value.if_string();
  if (text == nullptr || text->size() > most) return wrong(name, "a text of at most " + std::to_string(most) + " bytes");
  return std::string(*text);
}

Result<std::int64_t> read_time(const json::value& value, std::string_view name) {
  if (const std::int64_t* number = value.if_int64(); number != nullptr && *number >= 0 && *number <= latest_ns) return *number;
  return wrong(name, "a whole number of nanoseconds, not negative");
}

Status read_text_into(const json::object& object, std::string_view name, std::size_t most, bool required, std::string& out) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) {
    if (required) return wrong(name, "given");
    return done();
  }
  RONDA_TRY(out, read_text(*value, name, most));
  return done();
}

bool is_kind_word(std::string_view word) {
  return !word.empty() && word.size() <= 64 && word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

Status read_kind(const json::object& object, Event& event) {
  std::string word;
  RONDA_TRY([[maybe_unused]] auto read, read_text_into(object, "kind", max_name_bytes, true, word));
  if (!is_kind_word(word) || word == kind_names[0]) return wrong("kind", "a word of small letters, digits and _");
  const auto found = std::ranges::find(kind_names, word);
  event.kind = found == kind_names.end() ? Kind::other : static_cast<Kind>(found - kind_names.begin());
  if (event.kind == Kind::other) event.kind_name = word;
  return done();
}

Status read_level(const json::object& object, Event& event) {
  std::string word;
  RONDA_TRY([[maybe_unused]] auto read, read_text_into(object, "level", max_name_bytes, false, word));
  const auto found = std::ranges::find(levels, word);
  if (found == levels.end()) return wrong("level", "p1, p2, p3 or p4");
  event.level = static_cast<config::Level>(found - levels.begin());
  return done();
}

Status read_head(const json::object& object, Event& event) {
  RONDA_TRY([[maybe_unused]] auto id, read_text_into(object, "incident", max_name_bytes, true, event.incident));
  if (!is_id(event.incident)) return wrong("incident", "an id like INC-20261129-K7Q2M4XD3A");
  const json::value* sequence = object.if_contains("sequence");
  const std::int64_t* number = sequence == nullptr ? nullptr : sequence->if_int64();
  if (number == nullptr || *number < 1) return wrong("sequence", "a whole number from 1");
  event.sequence = static_cast<std::uint64_t>(*number);
  const json::value* at = object.if_contains("at_ns");
  if (at == nullptr) return wrong("at_ns", "given");
  RONDA_TRY(event.at_ns, read_time(*at, "at_ns"));
  RONDA_TRY([[maybe_unused]] auto host, read_text_into(object, "host", max_name_bytes, false, event.host));
  RONDA_TRY([[maybe_unused]] auto source, read_text_into(object, "source", max_name_bytes, false, event.source));
  std::string author;
  RONDA_TRY([[maybe_unused]] auto who, read_text_into(object, "author", 2 * max_name_bytes, true, author));
  const auto parsed = parse_author(author);
  if (!parsed) return Error(Errc::corrupt, "event: `author`: " + parsed.error().message());
  event.author = *parsed;
  return done();
}

Status read_fields(const json::object& object, Event& event) {
  const json::value* value = object.if_contains("fields");
  if (value == nullptr) return done();
  const json::object* fields = value->if_object();
  if (fields == nullptr || fields->size() > 32) return wrong("fields", "an object of at most 32 texts");
  for (const auto& field : *fields) {
    if (field.key().size() > max_name_bytes) return wrong("fields", "an object of at most 32 texts");
    RONDA_TRY(auto text, read_text(field.value(), "fields", max_text_bytes));
    event.fields.emplace_back(std::string(field.key()), std::move(text));
  }
  return done();
}

Status read_rest(const json::object& object, Event& event) {
  for (const TextMember& member : text_members) {
    RONDA_TRY([[maybe_unused]] auto read, read_text_into(object, member.name, member.most, false, event.*member.text));
  }
  for (const FlagMember& member : flag_members) {
    const json::value* value = object.if_contains(member.name);
    if (value == nullptr) continue;
    if (!value->is_bool()) return wrong(member.name, "true or false");
    event.*member.flag = value->get_bool();
  }
  for (const TimeMember& member : time_members) {
    const json::value* value = object.if_contains(member.name);
    if (value == nullptr) continue;
    RONDA_TRY(event.*member.time, read_time(*value, member.name));
  }
  return read_fields(object, event);
}

bool is_known(std::string_view name) {
  const auto named = [&](const auto& member) { return member.name == name; };
  return std::ranges::find(head_members, name) != head_members.end() || std::ranges::any_of(text_members, named) ||
         std::ranges::any_of(flag_members, named) || std::ranges::any_of(time_members, named);
}

/// What a later version wrote beside.
std::string unknown_members(const json::object& object) {
  json::object extra;
  for (const auto& member : object) {
    if (!is_known(std::string_view(member.key()))) extra[member.key()] = member.value();
  }
  return extra.empty() ? std::string() : json::serialize(extra);
}

void write_head(json::object& out, const Event& event) {
  out["incident"] = event.incident;
  out["sequence"] = event.sequence;
  out["at_ns"] = event.at_ns;
  if (!event.host.empty()) out["host"] = event.host;
  out["author"] = to_text(event.author);
  if (!event.source.empty()) out["source"] = event.source;
  const std::string_view kind = event.kind == Kind::other ? std::string_view(event.kind_name) : kind_name(event.kind);
  out["kind"] = json::string_view(kind.data(), kind.size());
  const std::string_view level = levels[static_cast<std::size_t>(event.level)];
  if (!level.empty()) out["level"] = json::string_view(level.data(), level.size());
}

void write_extra(json::object& out, const std::string& extra) {
  if (extra.empty()) return;
  json::error_code failure;
  const json::value parsed = json::parse(extra, failure);
  if (failure || !parsed.is_object()) return;
  for (const auto& member : parsed.get_object()) {
    if (!is_known(std::string_view(member.key()))) out[member.key()] = member.value();
  }
}

json::string_view key(std::string_view name) {
  return {name.data(), name.size()};
}

}  // namespace

std::string_view kind_name(Kind kind) {
  return kind_names[static_cast<std::size_t>(kind)];
}

std::string to_json(const Event& event) {
  json::object out;
  write_head(out, event);
  for (const TextMember& member : text_members) {
    if (!(event.*member.text).empty()) out[key(member.name)] = event.*member.text;
  }
  for (const FlagMember& member : flag_members) {
    if (event.*member.flag) out[key(member.name)] = true;
  }
  for (const TimeMember& member : time_members) {
    if (event.*member.time != 0) out[key(member.name)] = event.*member.time;
  }
  if (!event.fields.empty()) {
    json::object fields;
    for (const auto& [name, text] : event.fields) fields[name] = text;
    out["fields"] = std::move(fields);
  }
  write_extra(out, event.extra);
  return json::serialize(out);
}

Result<Event> parse_event(std::string_view text) {
  if (text.size() > max_event_bytes) return Error(Errc::corrupt, "event: longer than " + std::to_string(max_event_bytes) + " bytes");
  json::error_code failure;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), failure);
  if (failure) return Error(Errc::corrupt, "event: not JSON: " + failure.message());
  const json::object* object = value.if_object();
  if (object == nullptr) return Error(Errc::corrupt, "event: not a JSON object");
  Event event;
  RONDA_TRY([[maybe_unused]] auto head, read_head(*object, event));
  RONDA_TRY([[maybe_unused]] auto kind, read_kind(*object, event));
  RONDA_TRY([[maybe_unused]] auto level, read_level(*object, event));
  RONDA_TRY([[maybe_unused]] auto rest, read_rest(*object, event));
  event.extra = unknown_members(*object);
  return event;
}

}  // namespace ronda::incident
