// SPDX-License-Identifier: Apache-2.0
// `[oncall.NAME]`: a rota of members, or a calendar file that somebody else keeps.
#include <array>
#include <map>
#include <set>

#include "incident/ical.hpp"
#include "incident/moment.hpp"
#include "incident/people_read.hpp"
#include "incident/read_keys.hpp"

namespace ronda::people {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 9> known_keys = {"handover", "ical",  "members", "overrides", "people",
                                                        "shift",    "start", "title",   "tz"};
constexpr days calendar_before(31), calendar_after(400);  // of now: what is read of a calendar file

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

class RotaReader {
 public:
  RotaReader(const ReadContext& context, config::Scope& scope, const config::RawObject& object, const People& people,
             std::span<const std::string_view> contacts)
      : context_(context), scope_(scope), object_(object), people_(people), contacts_(contacts) {}

  std::optional<Rota> run();

 private:
  const config::Value* find(std::string_view key) const { return object_.value.find(key); }
  bool is_contact(std::string_view key, const config::Value& value, const std::string& name);
  void read_zone();
  void read_members(const config::Value& value);
  void read_shift();
  void read_start();
  void read_handover();
  void read_overrides(const config::Value& value);
  void read_override(const config::Value& value);
  void read_calendar(const config::Value& path);
  std::string contact_called(const std::string& who) const;

  const ReadContext& context_;
  config::Scope& scope_;
  const config::RawObject& object_;
  const People& people_;
  std::span<const std::string_view> contacts_;
  std::map<std::string, std::string, std::less<>> called_;  // names in the calendar file
  Rota out_;
};

/// Told when it is none.
bool RotaReader::is_contact(std::string_view key, const config::Value& value, const std::string& name) {
  if (std::ranges::find(contacts_, name) != contacts_.end()) return true;
  if (context_.names_complete)
    scope_.error(value.place(), "`" + std::string(key) + "`: there is no contact " + quoted(name) + hint(name, contacts_));
  return false;
}

void RotaReader::read_zone() {
  out_.zone = context_.input.zone;
  const config::Value* tz = find("tz");
  if (tz == nullptr) return;
  const auto name = config::read_zone(scope_, "tz", *tz);
  if (!name) return;
  auto zone = context_.input.zones->find(*name);
  if (zone) {
    out_.zone = *zone;
  } else {
    scope_.error(tz->place(), zone.error().message());
  }
}

void RotaReader::read_members(const config::Value& value) {
  const config::List* list = value.as_list();
  for (const config::Value& one : list == nullptr ? config::List() : *list) {
    const auto name = config::read_text(scope_, "members", one);
    if (name && is_contact("members", one, *name)) out_.members.push_back(*name);
  }
}

void RotaReader::read_shift() {
  const config::Value* value = find("shift");
  if (value == nullptr) return;
  const auto shift = config::read_duration(scope_, "shift", *value, hours(1));
  if (!shift) return;
  const auto whole = duration_cast<seconds>(*shift);
  const bool fits = whole == *shift && (whole % days(1) == seconds(0) || days(1) % whole == seconds(0)) && whole <= days(366);
  if (!fits)
    return config::wrong_text(scope_, "shift", *value, "must be a part of a day like \"8h\", or whole days or weeks like \"1w\"",
                              "a part of a day or whole days");
  out_.shift = whole;
}

/// The date of `start`; a Monday if none is said.
void RotaReader::read_start() {
  out_.start = local_days(year(1970) / January / 5);
  const config::Value* value = find("start");
  const auto text = value == nullptr ? std::nullopt : config::read_text(scope_, "start", *value);
  if (!text) return;
  const auto date = parse_date(*text);
  if (!date) return config::wrong_text(scope_, "start", *value, date.error().message(), "a date like \"2026-12-24\"");
  out_.start = *date;
}

/// Moves the start on to the weekday and the time of day at which shifts change.
void RotaReader::read_handover() {
  constexpr std::array<std::string_view, 7> names = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  const config::Value* value = find("handover");
  const auto text = value == nullptr ? std::optional<std::string>("09:00") : config::read_text(scope_, "handover", *value);
  if (!text) return;
  std::string_view rest = *text;
  const auto day = std::ranges::find(names, rest.substr(0, 3));
  if (day != names.end()) {
    rest = trim(rest.substr(3));
    const weekday wanted(static_cast<unsigned>(day - names.begin()));
    out_.start += wanted - weekday(floor<days>(out_.start));
    if (out_.shift % days(7) != seconds(0))
      scope_.error(value->place(),
                   "`handover` names a day of the week: then `shift` must be whole weeks, and it is " + format_duration(out_.shift));
  }
  const auto time = parse_time_of_day(rest);
  if (!time || *time == hours(24))
    return config::wrong_text(scope_, "handover", *value, "must be a time like \"09:00\" or \"Mon 09:00\"", "a time like \"09:00\"");
  out_.start += *time;
}

void RotaReader::read_override(const config::Value& value) {
  constexpr std::array<std::string_view, 4> known = {"from", "reason", "to", "who"};
  const config::Table* table = value.as_table();
  if (table == nullptr) return;
  config::Scope scope(context_.diagnostics);
  Override one;
  read_keys(scope, *table, known, [&](std::string_view key, const config::Value& member) {
    const auto text = config::read_text(scope, key, member);
    if (!text) return;
    if (key == "reason") {
      one.reason = *text;
    } else if (key == "who") {
      if (is_contact(key, member, *text)) one.contact = *text;
    } else {
      const auto at = parse_moment(*text, *out_.zone);
      if (!at) return config::wrong_text(scope, key, member, at.error().message(), "a time like \"2026-12-24 09:00\"");
      (key == "from" ? one.when.begin_ns : one.when.end_ns) = *at;
    }
  });
  const auto lacks = [&](std::string_view key) { return value.find(key) == nullptr; };
  if (lacks("who") || lacks("from") || lacks("to")) {
    scope.error(value.place(), "an override needs `who`, `from` and `to`");
  } else if (scope.sound() && one.when.begin_ns >= one.when.end_ns) {
    scope.error(value.place(), "an override must end after it begins");
  }
  if (!scope.sound()) return scope_.spoil();
  if (!one.contact.empty()) out_.overrides.push_back(std::move(one));
}

void RotaReader::read_overrides(const config::Value& value) {
  const config::List* list = value.as_list();
  for (const config::Value& one : list == nullptr ? config::List() : *list) read_override(one);
}

std::string RotaReader::contact_called(const std::string& who) const {
  if (const auto found = called_.find(who); found != called_.end()) return found->second;
  for (const Contact& one : people_.contacts) {
    if (same_name(one.name, who) || same_name(one.title, who)) return one.name;
  }
  return {};
}

void RotaReader::read_calendar(const config::Value& path) {
  out_.from_calendar = true;
  const auto text = config::read_text(scope_, "ical", path);
  if (!text || !context_.input.read_file) return;
  if (!text->starts_with('/')) return config::wrong_text(scope_, "ical", path, "must be an absolute path", "an absolute path");
  const auto bytes = context_.input.read_file(*text);
  if (!bytes) return scope_.error(path.place(), "`ical`: " + bytes.error().message());
  out_.calendar_path = *text;
  out_.calendar_hash = siphash128(*bytes);
  const std::int64_t now_ns = context_.input.now_ns;
  auto file = read_icalendar(*bytes, now_ns - Nanos(calendar_before).count(), now_ns + Nanos(calendar_after).count(), *context_.input.zones,
                             out_.zone);
  const auto place = [&](std::uint32_t line) { return line == 0 ? *text + ": " : *text + ":" + std::to_string(line) + ": "; };
  if (!file) return scope_.error(path.place(), "`ical`: " + place(0) + file.error().message());
  for (const CalendarWarning& one : file->warnings) scope_.warning(path.place(), "`ical`: " + place(one.line) + one.text);
  std::set<std::string> unknown;
  for (CalendarShift& one : file->shifts) {
    std::string contact = contact_called(one.who);
    if (contact.empty()) {
      unknown.insert(one.who);
      continue;
    }
    one.who = std::move(contact);
    out_.calendar.push_back(std::move(one));
  }
  for (const std::string& who : unknown) {
    const std::string name = escape_controls(who);
    scope_.warning(path.place(), "`ical`: no contact is called \"" + name + "\", whose turns are left out; say who that is: people = { \"" +
                                     name + "\" = \"CONTACT\" }");
  }
}

std::optional<Rota> RotaReader::run() {
  const config::Table* table = object_.value.as_table();
  if (table == nullptr) return {};
  out_.name = out_.title = object_.name;
  read_keys(scope_, *table, known_keys, [&](std::string_view key, const config::Value& value) {
    if (key == "title") out_.title = shown_title(scope_, key, value, *context_.input.generation);
  });
  read_zone();
  read_shift();
  read_start();
  read_handover();
  if (const config::Value* value = find("members")) read_members(*value);
  if (const config::Value* value = find("overrides")) read_overrides(*value);
  if (const config::Value* value = find("people"); value != nullptr && value->as_table() != nullptr) {
    for (const config::Member& one : *value->as_table()) {
      const auto name = config::read_text(scope_, "people", one.value);
      if (name && is_contact("people", one.value, *name)) called_.emplace(one.key, *name);
    }
  }
  const config::Value* calendar = find("ical");
  if (calendar != nullptr && find("members") != nullptr)
    scope_.error(calendar->place(), "`ical` and `members` exclude each other: either the file says whose turn it is, or the rota");
  else if (calendar != nullptr)
    read_calendar(*calendar);
  else if (find("members") == nullptr)
    scope_.error(object_.place, "oncall `" + object_.name + "` lacks `members`, or `ical`, a calendar file");
  return scope_.sound() ? std::optional(std::move(out_)) : std::nullopt;
}

}  // namespace

std::optional<Rota> read_rota(const ReadContext& context, config::Scope& scope, const config::RawObject& object, const People& people,
                              std::span<const std::string_view> contacts) {
  return RotaReader(context, scope, object, people, contacts).run();
}

}  // namespace ronda::people
