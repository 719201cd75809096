// SPDX-License-Identifier: Apache-2.0
#include "incident/people_read.hpp"

#include <array>

#include "config/redact.hpp"
#include "incident/moment.hpp"
#include "incident/read_keys.hpp"

namespace ronda::people {
namespace {

constexpr std::size_t most_channels = 50;

LevelSet read_levels(config::Scope& scope, std::string_view key, const config::Value& value) {
  LevelSet out;
  const config::List* list = value.as_list();
  if (list == nullptr) {
    config::wrong_type(scope, key, value, "a list of levels like [\"p1\", \"p2\"]");
    return out;
  }
  for (const config::Value& one : *list) {
    if (const auto level = config::read_level(scope, key, one)) out.add(*level);
  }
  if (list->empty()) scope.error(value.place(), "`" + std::string(key) + "` is empty: leave it out for all levels");
  return out;
}

void judge_notifier(const ReadContext& context, config::Scope& scope, const config::Value& value, const std::string& name) {
  if (context.notifiers.empty() || !context.names_complete) return;  // told once, for all
  if (std::ranges::find(context.notifiers, name) != context.notifiers.end()) return;
  scope.error(value.place(), "`notifier`: there is no notifier " + quoted(name) + hint(name, context.notifiers));
}

void judge_number(const ReadContext& context, config::Scope& scope, const config::Value& value, const Channel& channel) {
  const auto notifier = std::ranges::find(context.input.notifiers, channel.notifier, &Notifier::name);
  if (notifier == context.input.notifiers.end() || !notifier->wants.number || is_e164(channel.to)) return;
  config::wrong_text(scope, "to", value, "must be a number like \"+5491155550000\", with + and the country's code, digits only",
                     "a telephone number like \"+5491155550000\"");
}

/// Where the notifier itself points to, and in a chat, many read.
bool is_usually_shared(const ReadContext& context, const Channel& channel) {
  const auto notifier = std::ranges::find(context.input.notifiers, channel.notifier, &Notifier::name);
  return channel.to.empty() || (notifier != context.input.notifiers.end() && notifier->wants.markup == "mrkdwn");
}

std::optional<Channel> read_channel(const ReadContext& context, config::Scope& scope, const config::Value& value) {
  constexpr std::array<std::string_view, 6> known = {"fallback", "levels", "notifier", "quiet", "shared", "to"};
  const config::Table* table = value.as_table();
  if (table == nullptr) return {};  // told by the core
  Channel out;
  std::optional<bool> shared;
  const config::Value* to = nullptr;
  read_keys(scope, *table, known, [&](std::string_view key, const config::Value& one) {
    if (key == "notifier") {
      out.notifier = config::read_text(scope, key, one).value_or("");
      if (!out.notifier.empty()) judge_notifier(context, scope, one, out.notifier);
    } else if (key == "to") {
      to = &one;
      out.to = config::read_text(scope, key, one).value_or("");
      out.shown = config::shown_text(one, context.input.generation->written_at(one.place()), false);
    } else if (key == "levels") {
      out.levels = read_levels(scope, key, one);
    } else if (key == "fallback") {
      out.fallback = config::read_flag(scope, key, one).value_or(false);
    } else if (key == "shared") {
      shared = config::read_flag(scope, key, one);
    } else {
      out.quiet = read_quiet(context.input, scope, one);
    }
  });
  if (out.notifier.empty() && scope.sound()) scope.error(value.place(), "a channel needs a `notifier`");
  if (to != nullptr && scope.sound()) judge_number(context, scope, *to, out);
  if (to == nullptr && scope.sound()) {
    const auto notifier = std::ranges::find(context.input.notifiers, out.notifier, &Notifier::name);
    if (notifier != context.input.notifiers.end() && notifier->wants.number)
      scope.error(value.place(), "a channel on " + quoted(out.notifier) + " needs `to`, the number");
  }
  out.shared = shared.value_or(is_usually_shared(context, out));
  return scope.sound() ? std::optional(std::move(out)) : std::nullopt;
}

void read_channels(const ReadContext& context, const config::Value& value, Contact& contact, People& people) {
  const config::List* list = value.as_list();
  if (list == nullptr) return;  // told by the core
  if (list->size() > most_channels) context.diagnostics.error(value.place(), "more than 50 channels; those after the 50th are not used");
  for (std::size_t i = 0; i < list->size() && i < most_channels; ++i) {
    config::Scope scope(context.diagnostics);
    if (auto channel = read_channel(context, scope, (*list)[i])) {
      contact.channels.push_back(*std::move(channel));
    } else {
      people.disabled.push_back({"contact", contact.name, (*list)[i].place(), "channel " + std::to_string(i + 1) + ": " + scope.reason()});
    }
  }
  const bool only_fallback = !contact.channels.empty() && std::ranges::all_of(contact.channels, &Channel::fallback);
  if (only_fallback)
    context.diagnostics.warning(
        value.place(), "all channels of contact `" + contact.name + "` are fallbacks: the first of them is used as if it were none");
}

/// "22:00-07:00"
bool read_hours(config::Scope& scope, const config::Value& value, Quiet& quiet) {
  const auto text = config::read_text(scope, "quiet", value);
  if (!text) return false;
  const std::size_t dash = text->find('-');
  const auto from = parse_time_of_day(trim(std::string_view(*text).substr(0, dash)));
  const auto to = parse_time_of_day(dash == std::string::npos ? std::string_view() : trim(std::string_view(*text).substr(dash + 1)));
  if (!from || !to || *from == *to || *from == std::chrono::hours(24)) {
    config::wrong_text(scope, "quiet", value, "must be hours like \"22:00-07:00\"", "hours like \"22:00-07:00\"");
    return false;
  }
  quiet.from = *from;
  quiet.to = *to;
  return true;
}

}  // namespace

std::optional<Quiet> read_quiet(const Input& input, config::Scope& scope, const config::Value& value) {
  constexpr std::array<std::string_view, 3> known = {"hours", "levels", "tz"};
  Quiet out;
  out.zone = input.zone;
  out.levels.add(Level::p3);
  out.levels.add(Level::p4);
  const config::Table* table = value.as_table();
  if (table == nullptr) return read_hours(scope, value, out) ? std::optional(std::move(out)) : std::nullopt;
  bool has_hours = false, is_good = true;
  read_keys(scope, *table, known, [&](std::string_view key, const config::Value& one) {
    if (key == "hours") {
      has_hours = true;
      is_good = read_hours(scope, one, out) && is_good;
    } else if (key == "levels") {
      out.levels = read_levels(scope, "quiet.levels", one);
      if (out.levels.has(Level::p1) || out.levels.has(Level::p2))
        scope.error(one.place(), "`quiet.levels` may name p3 and p4: p1 and p2 are never held back");
    } else if (const auto name = config::read_zone(scope, "quiet.tz", one)) {
      auto zone = input.zones->find(*name);
      if (zone) {
        out.zone = *zone;
      } else {
        scope.error(one.place(), zone.error().message());
      }
    }
  });
  if (!has_hours) scope.error(value.place(), "`quiet` lacks `hours`, for example \"22:00-07:00\"");
  return has_hours && is_good && scope.sound() ? std::optional(std::move(out)) : std::nullopt;
}

/// Names that stand for nobody: what is done under them is never this contact's, and nothing else would say so.
void judge_unix_users(config::Scope& scope, const config::Value& value) {
  for (const config::Value& one : value.as_list() == nullptr ? config::List{value} : *value.as_list()) {
    const std::string* user = one.as_string();
    if (user == nullptr) continue;  // told
    if (*user == "root")
      scope.warning(
          one.place(),
          "`unix`: root is nobody in particular, whoever has it: what uid 0 does counts for no contact; name the user that they log in as");
    else if (user->find_first_of(" \t:/,") != std::string::npos || user->find_first_not_of("0123456789") == std::string::npos)
      scope.warning(one.place(), "`unix`: " + quoted(*user) + " is the name of no user: nobody logs in as that");
  }
}

std::optional<Contact> read_contact(const ReadContext& context, const config::RawObject& object, People& people) {
  constexpr std::array<std::string_view, 5> known = {"channels", "language", "name", "quiet", "unix"};
  constexpr std::array<std::string_view, 2> languages = {"en", "es"};
  const config::Table* table = object.value.as_table();
  if (table == nullptr) return {};
  config::Scope scope(context.diagnostics);
  Contact out;
  out.name = out.title = object.name;
  out.place = object.place;
  read_keys(scope, *table, known, [&](std::string_view key, const config::Value& value) {
    if (key == "name") {
      out.title = shown_title(scope, key, value, *context.input.generation);
    } else if (key == "language") {
      if (const auto index = config::read_choice(scope, key, value, languages)) out.language = languages[*index];
    } else if (key == "unix") {
      out.unix_users = config::read_texts(scope, key, value);
      judge_unix_users(scope, value);
    } else if (key == "quiet") {
      out.quiet = read_quiet(context.input, scope, value);
    } else {
      read_channels(context, value, out, people);
    }
  });
  if (scope.sound()) return out;
  people.disabled.push_back({"contact", object.name, object.place, scope.reason()});
  return {};
}

std::optional<Group> read_group(const ReadContext& context, config::Scope& scope, const config::RawObject& object) {
  constexpr std::array<std::string_view, 2> known = {"members", "title"};
  const config::Table* table = object.value.as_table();
  if (table == nullptr) return {};
  Group out;
  out.name = out.title = object.name;
  out.place = object.place;
  read_keys(scope, *table, known, [&](std::string_view key, const config::Value& value) {
    if (key == "title") {
      out.title = shown_title(scope, key, value, *context.input.generation);
    } else {
      out.members = config::read_texts(scope, key, value);
    }
  });
  return scope.sound() ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace ronda::people
