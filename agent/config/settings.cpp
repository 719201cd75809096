// SPDX-License-Identifier: Apache-2.0
#include "config/settings.hpp"

#include <algorithm>
#include <array>

namespace ronda::config {
namespace {

using namespace std::chrono_literals;

/// A name or a list of names.
std::vector<std::string> read_names(Scope& scope, std::string_view key, const Value& value, std::string_view kind,
                                    std::vector<Mention>& mentions) {
  std::vector<std::string> names;
  const auto take = [&](const Value& one) {
    if (auto name = read_text(scope, key, one)) {
      mentions.push_back({key, kind, *name, one.place()});
      names.push_back(*std::move(name));
    }
  };
  if (const List* list = value.as_list()) {
    for (const Value& element : *list) take(element);
  } else if (value.as_string() != nullptr) {
    take(value);
  } else {
    wrong_type(scope, key, value, "a list of names");
  }
  return names;
}

void read_language(Scope& scope, const Value& value, std::string& language) {
  constexpr std::array<std::string_view, 2> languages = {"en", "es"};
  if (const auto index = read_choice(scope, "language", value, languages)) language = languages[*index];
}

std::string read_absolute_path(Scope& scope, std::string_view key, const Value& value) {
  auto path = read_text(scope, key, value);
  if (path && !path->starts_with('/')) {
    wrong_text(scope, key, value, "\"" + path->substr(0, 64) + "\" must be an absolute path", "an absolute path");
    return {};
  }
  return path.value_or("");
}

void read_others(Scope& scope, const Value& value, bool& others_may_view) {
  constexpr std::array<std::string_view, 2> choices = {"viewer", "refuse"};
  if (const auto index = read_choice(scope, "others", value, choices)) others_may_view = *index == 0;
}

/// An address of this host alone. Whoever is to come in from elsewhere comes through a proxy, which speaks TLS.
bool is_loopback(std::string_view address) {
  if (address == "localhost" || address == "[::1]") return true;
  return address.starts_with("127.") && address.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// "127.0.0.1:8080", "[::1]:8080": a port at the end, a loopback address before it.
std::string read_listen(Scope& scope, const Value& value) {
  auto text = read_text(scope, "listen", value);
  if (!text) return {};
  const std::size_t colon = text->rfind(':');
  const std::string port = colon == std::string::npos ? "" : text->substr(colon + 1);
  const bool numeric = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
  if (colon != 0 && numeric && std::stoul(port) <= 65535) {
    if (is_loopback(std::string_view(*text).substr(0, colon))) return *text;
    wrong_text(scope, "listen", value,
               "\"" + text->substr(0, 64) + "\" is no loopback address: tokens would travel unencrypted; listen on 127.0.0.1 or " +
                   "[::1] and have a proxy that speaks TLS lead there",
               "a loopback address with a port");
    return {};
  }
  wrong_text(scope, "listen", value, "\"" + text->substr(0, 64) + "\" must be an address with a port, for example \"127.0.0.1:8080\"",
             "an address with a port");
  return {};
}

std::string read_public_url(Scope& scope, const Value& value) {
  auto url = read_text(scope, "public_url", value);
  if (url && !url->starts_with("http://") && !url->starts_with("https://")) {
    wrong_text(scope, "public_url", value, "must begin with https:// or http://", "a URL");
  }
  return url.value_or("");
}

/// A secret: what stands in conf.d itself would be shown.
std::string read_secret(Scope& scope, std::string_view key, const Value& value) {
  auto text = read_text(scope, key, value);
  if (!text) return {};
  if (value.origin() != Origin::literal) return *text;
  scope.error(value.place(), "`" + std::string(key) + "` is a secret: keep it in a file and write \"${file:/etc/ronda/secrets/NAME}\"");
  return {};
}

/// { notifier = "watcher", every = "60s" }
void read_heartbeat(Scope& scope, const Value& value, AgentSettings& settings, std::vector<Mention>& mentions) {
  constexpr std::array<std::string_view, 2> known = {"every", "notifier"};
  const Table* table = value.as_table();
  if (table == nullptr) return wrong_type(scope, "heartbeat", value, "a table like { notifier = \"NAME\", every = \"60s\" }");
  for (const auto& [key, place, one] : *table) {
    if (key == "every") {
      settings.heartbeat_every = read_duration(scope, "heartbeat.every", one, 1s).value_or(settings.heartbeat_every);
    } else if (key == "notifier") {
      const auto names = read_names(scope, "heartbeat", one, kind_name(Kind::notifier), mentions);
      if (names.size() == 1) settings.heartbeat = names.front();
    } else {
      scope.error(place, unknown_key(key, known));
    }
  }
  if (settings.heartbeat.empty() && scope.sound()) scope.error(value.place(), "`heartbeat` lacks `notifier`, the one that it leaves by");
}

/// Where people of an incident talk. Whoever can guess it can listen.
void read_war_room(Scope& scope, const Value& value, AgentSettings& settings) {
  constexpr std::string_view example = "a URL like \"https://meet.example/{id}-{random}\", or \"\" for none";
  constexpr std::size_t most_bytes = 512;
  const std::string* text = value.as_string();
  if (text == nullptr) return wrong_type(scope, "war_room", value, example);
  const bool is_url = text->starts_with("https://") || text->starts_with("http://");
  const bool is_plain = std::ranges::all_of(*text, [](char c) { return c > ' ' && c != '\x7f' && c != '"' && c != '<' && c != '>'; });
  std::string bare = *text;
  for (const std::string_view field : {"{id}", "{random}"}) {
    for (std::size_t at = bare.find(field); at != std::string::npos; at = bare.find(field)) bare.erase(at, field.size());
  }
  if (!text->empty() && (!is_url || !is_plain || text->size() > most_bytes))
    return wrong_text(scope, "war_room", value, "must be " + std::string(example), example);
  if (!text->empty() && text->find("{random}") == std::string::npos)
    return wrong_text(scope, "war_room", value, "it lacks {random}: a room that can be guessed is open to everybody", example);
  if (bare.find_first_of("{}") != std::string::npos)
    return wrong_text(scope, "war_room", value, "it may have {id} and {random}, and no other { or }", example);
  settings.war_room = *text;
}

}  // namespace

void read_agent(Scope& scope, const Table& table, AgentSettings& settings, std::vector<Mention>& mentions) {
  constexpr std::array<std::string_view, 11> known = {"drill",         "env_file", "heartbeat",    "host", "language", "last_resort",
                                                      "root_approves", "strict",   "stop_timeout", "tz",   "war_room"};
  for (const auto& [key, place, value] : table) {
    if (key == "drill") {
      settings.drill = value;
      if (value.as_table() == nullptr) wrong_type(scope, key, value, "a table like { at = \"Mon *-*-* 10:00\", notify = [\"GROUP\"] }");
    } else if (key == "heartbeat") {
      read_heartbeat(scope, value, settings, mentions);
    } else if (key == "env_file") {
      settings.env_file = read_absolute_path(scope, key, value);
    } else if (key == "host") {
      settings.host = read_text(scope, key, value).value_or("");
    } else if (key == "language") {
      read_language(scope, value, settings.language);
    } else if (key == "last_resort") {
      settings.last_resort = read_names(scope, "last_resort", value, kind_name(Kind::notifier), mentions);
    } else if (key == "root_approves") {
      settings.root_approves = read_flag(scope, key, value).value_or(false);
    } else if (key == "strict") {
      settings.strict = read_flag(scope, key, value).value_or(false);
    } else if (key == "stop_timeout") {
      settings.stop_timeout = read_duration(scope, key, value, 0ns).value_or(settings.stop_timeout);
    } else if (key == "tz") {
      settings.tz = read_zone(scope, key, value).value_or("");
      settings.tz_place = value.place();
    } else if (key == "war_room") {
      read_war_room(scope, value, settings);
    } else {
      scope.error(place, unknown_key(key, known));
    }
  }
}

void read_api(Scope& scope, const Table& table, ApiSettings& settings) {
  constexpr std::array<std::string_view, 6> known = {"hosts", "listen", "origins", "others", "public_url", "twilio_auth_token"};
  for (const auto& [key, place, value] : table) {
    if (key == "hosts") {
      settings.hosts = read_texts(scope, key, value);
    } else if (key == "listen") {
      settings.listen = read_listen(scope, value);
    } else if (key == "origins") {
      settings.origins = read_texts(scope, key, value);
    } else if (key == "others") {
      read_others(scope, value, settings.others_may_view);
    } else if (key == "public_url") {
      settings.public_url = read_public_url(scope, value);
    } else if (key == "twilio_auth_token") {
      settings.twilio_auth_token = read_secret(scope, key, value);
    } else {
      scope.error(place, unknown_key(key, known));
    }
  }
}

Service read_service(Scope& scope, const std::string& name, Place place, const Table& table, std::vector<Mention>& mentions) {
  constexpr std::array<std::string_view, 3> known = {"checks", "escalation", "title"};
  Service service;
  service.name = name;
  service.title = name;
  service.place = place;
  for (const auto& [key, key_place, value] : table) {
    if (key == "checks") {
      service.checks = read_names(scope, "checks", value, kind_name(Kind::check), mentions);
      if (service.checks.empty() && scope.sound()) {
        scope.warning(value.place(), "service `" + name + "` has no checks: it is always pending");
      }
    } else if (key == "escalation") {
      service.escalations = read_names(scope, "escalation", value, "escalation", mentions);
    } else if (key == "title") {
      service.title = read_text(scope, key, value).value_or(name);
    } else {
      scope.error(key_place, unknown_key(key, known));
    }
  }
  return service;
}

}  // namespace ronda::config
