// SPDX-License-Identifier: Apache-2.0
// `ronda incident VERB`: people's side of an incident. The agent knows who speaks by the socket.
#include <algorithm>
#include <array>
#include <charconv>
#include <iostream>

#include "base/text.hpp"
#include "cli/ids.hpp"
#include "cli/incident_text.hpp"

namespace ronda::cli {

namespace {

struct IncidentVerb {
  std::string_view name, arguments;
  std::size_t least;  // words after the verb
  std::size_t most;   // those of a text may be many
  int (*run)(const Options& options);
};

int list_incidents(const Options& options) {
  const auto answer = ask_json(options, "GET", std::string("/v1/incidents") + (options.has("all") ? "?all=1" : ""));
  if (!answer) return answer.error();
  if (options.json) {
    std::cout << answer->text << "\n";
    return exit_done;
  }
  const json::array& all = answer->value.as_array();
  if (all.empty()) std::cout << (options.has("all") ? "there has been no incident\n" : "no incident is open\n");
  if (all.empty()) return exit_done;
  const schedule::ZonePtr zone = zone_of_agent(options);
  for (const json::value& one : all) std::cout << incident_line(one.as_object(), *zone) << "\n";
  return exit_done;
}

/// Of the incident that the word after the verb means; asked for only when the rest of the words is right.
Asked ask_of_incident(const Options& options, std::string_view method, std::string_view what, std::string_view body = {}) {
  const auto id = whole_incident_id(options, options.arguments[1]);
  if (!id) return id.error();
  return ask_json(options, method, "/v1/incidents/" + percent_encode(*id) + std::string(what), body);
}

int show_incident(const Options& options) {
  const auto answer = ask_of_incident(options, "GET", "");
  if (!answer) return answer.error();
  if (options.json)
    std::cout << answer->text << "\n";
  else
    print_incident(answer->value.as_object(), *zone_of_agent(options));
  return exit_done;
}

/// The words from the `first` on as one text.
std::string text_from(const Options& options, std::size_t first) {
  std::string out;
  for (std::size_t i = first; i < options.arguments.size(); ++i) out += (i > first ? " " : "") + options.arguments[i];
  return out;
}

/// What the flags say, as the body of a request; false: one of them is wrong, and that was said.
bool read_flags(const Options& options, json::object& body) {
  for (const auto& [flag, key] : {std::pair("level", "level"), {"service", "service"}, {"for", "for"}, {"impact", "subject"}}) {
    if (options.has(flag)) body[key] = std::string_view(flag) == "level" ? level_typed(options.value(flag)) : options.value(flag);
  }
  if (options.has("force")) body["force"] = true;
  if (options.has("based-on")) {
    const std::string text = options.value("based-on");
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 0) {
      complain("--based-on is the number of an event, `sequence` of `ronda incident show ID --output json`, not \"" +
               escape_controls(text) + "\"");
      return false;
    }
    body["based_on"] = number;
  }
  json::object fields;
  for (const auto& [flag, value] : options.flags) {
    if (flag != "set") continue;
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos || equals == 0) {
      complain("--set is PART=TEXT, like summary=\"the disk was full\", not \"" + escape_controls(value) + "\"");
      return false;
    }
    fields[value.substr(0, equals)] = value.substr(equals + 1);
  }
  if (!fields.empty()) body["fields"] = std::move(fields);
  return true;
}

/// Bytes that are no UTF-8 would make no JSON.
std::string body_of(json::object body) {
  for (auto& member : body) {
    if (const json::string* text = member.value().if_string(); text != nullptr) {
      const std::string_view all(text->data(), text->size());
      member.value() = repair_utf8(all, all.size() * 3);
    }
  }
  return json::serialize(body);
}

int print_reply(const Options& options, const Asked& answer) {
  if (!answer) return answer.error();
  const json::object& reply = answer->value.as_object();
  std::cout << (options.json ? answer->text : text_of(reply, "incident") + ": " + text_of(reply, "text")) << "\n";
  return exit_done;
}

/// What the flags and the words from the `text_at`th on say; false: something of it is wrong, and that was said.
bool read_command(const Options& options, std::size_t text_at, json::object& body) {
  if (!read_flags(options, body)) return false;
  if (const std::string text = text_from(options, text_at); !text.empty()) body["text"] = text;
  return true;
}

int open_incident(const Options& options) {
  if (!options.has("level")) {
    complain("an incident needs a level: ronda incident open --level p1|p2|p3|p4 TITLE");
    return exit_usage;
  }
  json::object body;
  if (!read_command(options, 1, body)) return exit_usage;
  return print_reply(options, ask_json(options, "POST", "/v1/incidents", body_of(std::move(body))));
}

/// Of the words behind an incident, one that is another: a whole id anywhere, or right behind it as much of one that goes on as no
/// common word is by chance. What the agent answers to is in its memory, so a store that has failed stands in nobody's way.
Result<std::string, int> another_incident(const Options& options) {
  constexpr std::size_t least_characters = 5;
  for (std::size_t i = 2; i < options.arguments.size(); ++i) {
    if (is_whole_incident_id(options.arguments[i])) return options.arguments[i];
  }
  const std::string& next = options.arguments[2];
  if (next.size() < least_characters || next.find(' ') != std::string::npos) return std::string();
  const auto answer = ask_json(options, "GET", "/v1/incidents");
  if (!answer) return answer.error();
  std::vector<std::string> ids;
  if (answer->value.is_array()) {
    for (const json::value& one : answer->value.get_array()) ids.push_back(text_of(one.as_object(), "id"));
  }
  return ids_meant(next, ids).empty() ? std::string() : next;
}

/// Several ids after each other: the second would be taken for the text of the first, and go on calling. Else than exit_done: so it
/// is, or the agent did not answer, and that was said.
int check_one_incident(const Options& options) {
  if (options.arguments.size() < 3) return exit_done;
  const auto another = another_incident(options);
  if (!another) return another.error();
  if (another->empty()) return exit_done;
  complain("one incident at a time, and \"" + escape_controls(*another) +
           "\" is another; nothing was done. As a part of a text it stands in quotes, with the rest of it");
  return exit_usage;
}

int act_on_incident(const Options& options) {
  json::object body;
  if (!read_command(options, 2, body)) return exit_usage;
  return print_reply(options, ask_of_incident(options, "POST", "/" + options.arguments[0], body_of(std::move(body))));
}

/// What decides something of it; a text of several words belongs to one incident.
int decide_on_incident(const Options& options) {
  const int code = check_one_incident(options);
  return code == exit_done ? act_on_incident(options) : code;
}

int note_incident(const Options& options) {
  if (options.arguments.size() < 3 && !options.has("impact")) {
    complain("a note needs a text: ronda incident note ID TEXT");
    return exit_usage;
  }
  return act_on_incident(options);
}

int set_level(const Options& options) {
  if (!options.has("level")) {
    complain("usage: ronda incident " + options.arguments[0] + " ID --level p1|p2|p3|p4 [REASON]");
    return exit_usage;
  }
  return decide_on_incident(options);
}

/// Sends what the flags and words do not say by themselves.
int post_help(const Options& options, std::string_view what, json::object body) {
  return print_reply(options, ask_of_incident(options, "POST", "/" + std::string(what), body_of(std::move(body))));
}

int give_role(const Options& options) {
  json::object body;
  if (!read_flags(options, body)) return exit_usage;
  json::object role{{"role", options.arguments[2]}, {"contact", options.arguments[3]}};
  if (const json::value* based_on = body.if_contains("based_on")) role["based_on"] = *based_on;
  return post_help(options, "role", std::move(role));
}

/// A level of a vendor is a number from 1; false: it is none, which was said.
bool read_vendor_level(const Options& options, std::uint64_t& out) {
  if (!options.has("level")) return true;
  const std::string text = options.value("level");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error == std::errc() && end == text.data() + text.size() && out > 0) return true;
  complain("--level of a vendor is a number from 1, not \"" + escape_controls(text) + "\"");
  return false;
}

/// The text that is to be sent, or what became of it.
int ticket(const Options& options) {
  std::uint64_t level = 0;
  if (!read_vendor_level(options, level)) return exit_usage;
  const bool opened = options.has("opened"), answered = options.has("answered");
  if ((opened && answered) || (answered && level != 0)) {
    complain("say --opened NUMBER, with --level if it is not the first, or --answered TEXT");
    return exit_usage;
  }
  const std::string& vendor = options.arguments[2];
  if (opened && trim(options.value("opened")).empty()) {
    complain("--opened is the number that the ticket has there");
    return exit_usage;
  }
  if (opened || answered) {
    json::object body{{"vendor", vendor}, {"text", options.value(opened ? "opened" : "answered")}};
    if (level != 0) body["level"] = level;
    if (answered) body["answered"] = true;
    return post_help(options, "ticket", std::move(body));
  }
  const auto answer =
      ask_of_incident(options, "GET", "/ticket?vendor=" + percent_encode(vendor) + (level == 0 ? "" : "&level=" + std::to_string(level)));
  if (!answer) return answer.error();
  if (options.json)
    std::cout << answer->text << "\n";
  else
    print_ticket(answer->value.as_object());
  return exit_done;
}

int review_incident(const Options& options) {
  if (options.has("set")) return act_on_incident(options);
  const auto answer = ask_of_incident(options, "GET", "/document");
  if (!answer) return answer.error();
  // line by line made fit for a terminal, as all that comes from outside
  std::cout << (options.json ? answer->text + "\n" : text_of(answer->value.as_object(), "markdown"));
  return exit_done;
}

constexpr std::size_t many = 1000;
constexpr std::array<IncidentVerb, 15> incident_verbs = {{
    {"list", "[--all]", 0, 0, list_incidents},
    {"show", "ID", 1, 1, show_incident},
    {"open", "--level LEVEL [--service NAME] TITLE", 1, many, open_incident},
    {"ack", "ID [--for DURATION] [--force] [TEXT]", 1, many, decide_on_incident},
    {"unack", "ID [TEXT]", 1, many, decide_on_incident},
    {"note", "ID TEXT | ID [TEXT] --impact TAG", 1, many, note_incident},
    {"update", "ID TEXT [--for DURATION] [--impact TAG]", 2, many, act_on_incident},
    {"raise", "ID --level LEVEL [REASON]", 1, many, set_level},
    {"lower", "ID --level LEVEL [REASON]", 1, many, set_level},
    {"mitigate", "ID [TEXT]", 1, many, decide_on_incident},
    {"resolve", "ID [--force] [--set PART=TEXT ...] [TEXT]", 1, many, decide_on_incident},
    {"close", "ID [--force] [--set PART=TEXT ...] [TEXT]", 1, many, decide_on_incident},
    {"role", "ID ROLE CONTACT", 3, 3, give_role},
    {"ticket", "ID VENDOR [--level N] [--opened NUMBER | --answered TEXT]", 2, 2, ticket},
    {"review", "ID --set PART=TEXT ... | ID --markdown", 1, 1, review_incident},
}};

}  // namespace

std::string incident_usage() {
  std::string out;
  for (const IncidentVerb& verb : incident_verbs) {
    out += "  ronda incident " + std::string(verb.name) + " " + std::string(verb.arguments);
    out += verb.name == "list" || verb.name == "show" || verb.name == "open" ? "\n" : " [--based-on N]\n";
  }
  return out;
}

int incident(const Options& options) {
  if (options.arguments.empty()) {
    complain("usage:\n" + incident_usage());
    return exit_usage;
  }
  const std::string& word = options.arguments.front();
  const auto* const verb = std::ranges::find(incident_verbs, word, &IncidentVerb::name);
  if (verb == incident_verbs.end()) {
    std::vector<std::string_view> names;
    for (const IncidentVerb& one : incident_verbs) names.push_back(one.name);
    return unknown_word("incident", word, names);
  }
  const std::size_t words = options.arguments.size() - 1;
  if (words < verb->least || words > verb->most) {
    complain("usage: ronda incident " + std::string(verb->name) + " " + std::string(verb->arguments));
    return exit_usage;
  }
  return verb->run(options);
}

}  // namespace ronda::cli
