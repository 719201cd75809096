// SPDX-License-Identifier: Apache-2.0
#include "cli/incident_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>

#include "base/counted.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "incident/moment.hpp"

namespace ronda::cli {

const json::value& member(const json::object& object, std::string_view key) {
  static const json::value none;
  const json::value* value = object.if_contains(json::string_view(key.data(), key.size()));
  return value == nullptr ? none : *value;
}

bool is_set(const json::object& object, std::string_view key) {
  const json::value& value = member(object, key);
  return value.is_bool() && value.get_bool();
}

const json::array& list_of(const json::object& object, std::string_view key) {
  static const json::array none;
  const json::value& value = member(object, key);
  return value.is_array() ? value.get_array() : none;
}

namespace {

constexpr std::size_t name_width = 26, who_width = 18;

struct Shade {
  std::string_view level, label, colour;
};
constexpr std::array<Shade, 4> shades = {
    {{"p1", "P1", "\033[31;1m"}, {"p2", "P2", "\033[31m"}, {"p3", "P3", "\033[33m"}, {"p4", "P4", "\033[2m"}}};

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

/// "since", then "X" where there is one.
void print_field(std::string_view name, const std::string& value) {
  if (!value.empty()) std::cout << "  " << padded(std::string(name), 12) << value << "\n";
}

std::string firing_text(const json::object& incident) {
  std::string out;
  for (const json::value& one : list_of(incident, "alerts")) {
    if (!one.is_object() || member(one.get_object(), "level").is_null()) continue;
    out += (out.empty() ? "" : ", ") + text_of(one.get_object(), "name") + " " + text_of(one.get_object(), "level");
    if (is_set(one.get_object(), "blocked")) out += " (blocked)";
  }
  return out;
}

/// Who has it, and what holds it back.
std::string state_text(const json::object& incident, const schedule::Zone& zone) {
  std::string out = text_of(incident, "stage");
  const json::value& ack = member(incident, "ack");
  if (ack.is_object()) {
    out += " by " + text_of(ack.get_object(), "by");
    if (const std::string until = instant_text(member(ack.get_object(), "until"), zone); !until.empty()) out += " until " + until;
  }
  if (const std::string by = text_of(incident, "suppressed_by"); !by.empty()) out += ", nobody is told: " + by;
  if (is_set(incident, "flapping")) out += firing_text(incident).empty() ? ", flapping: nothing fires now" : ", flapping";
  if (is_set(incident, "response_overdue")) out += ", RESPONSE OVERDUE";
  if (is_set(incident, "update_overdue")) out += ", update overdue";
  return out;
}

void print_timeline(const json::array& events, const schedule::Zone& zone) {
  std::cout << "\ntimeline\n";
  for (const json::value& one : events) {
    if (!one.is_object()) continue;
    const json::object& event = one.get_object();
    std::cout << "  " << padded(instant_text(member(event, "at"), zone), instant_width) << padded(text_of(event, "author"), who_width)
              << one_line(text_of(event, "line")) << "\n";
    if (text_of(event, "kind") != "diagnosis") continue;
    const std::string output = text_of(event, "text");
    for (std::size_t at = 0; at < output.size();) {
      const std::size_t end = std::min(output.find('\n', at), output.size());
      std::cout << "      | " << output.substr(at, end - at) << "\n";
      at = end + 1;
    }
  }
}

/// "commander: ana, scribe: bo"
std::string roles_text(const json::object& incident) {
  const json::value& roles = member(incident, "roles");
  std::string out;
  for (const auto& role : roles.is_object() ? roles.get_object() : json::object())
    out += (out.empty() ? "" : ", ") + text_of(json::value(role.key())) + ": " + text_of(role.value());
  return out;
}

/// "2026-11-29 03:30:00 UTC: ceo (default, step 2, start)"
std::string next_step_text(const json::object& incident, const schedule::Zone& zone) {
  const json::value& next = member(incident, "next_step");
  if (!next.is_object()) return {};
  std::string who, why;
  for (const json::value& contact : list_of(next.get_object(), "contacts")) who += (who.empty() ? "" : ", ") + text_of(contact);
  for (const json::value& value : list_of(next.get_object(), "due")) {
    if (!value.is_object()) continue;
    const json::object& due = value.get_object();
    const json::value& step = member(due, "step");
    why += (why.empty() ? "" : "; ") + text_of(due, "escalation") + ", " +
           (step.is_string() ? text_of(step) : "step " + std::to_string(integer_of(due, "step"))) + ", " + text_of(due, "why");
  }
  return instant_text(member(next.get_object(), "at"), zone) + ": " + (who.empty() ? "the last resort" : who) + " (" + why + ")";
}

/// "vendor WARNING, 3m: partial outage"
std::string status_check_text(const json::object& object) {
  const json::value& value = member(object, "status_check");
  if (!value.is_object()) return {};
  const json::object& check = value.get_object();
  std::string out = "status page: " + text_of(check, "name") + " " + text_of(check, "status");
  if (const json::value& ran = member(check, "last_run"); !ran.is_null()) out += ", " + age_of(ran) + " ago";
  const std::string summary = one_line(text_of(check, "summary"));
  return summary.empty() ? out : out + ": " + summary;
}

void print_tickets(const json::array& tickets, const schedule::Zone& zone) {
  if (tickets.empty()) return;
  std::cout << "\nvendors\n";
  for (const json::value& one : tickets) {
    if (!one.is_object()) continue;
    const json::object& ticket = one.get_object();
    std::cout << "  " << text_of(ticket, "vendor") << ", " << text_of(ticket, "level");
    if (const std::string text = text_of(ticket, "text"); !text.empty()) std::cout << ", " << one_line(text);
    std::cout << ": asked " << instant_text(member(ticket, "opened"), zone) << " by " << text_of(ticket, "by");
    const std::string until = instant_text(member(ticket, "owed_until"), zone), answered = instant_text(member(ticket, "answered"), zone);
    std::cout << (until.empty() ? ", no answer is promised" : ", answer owed until " + until);
    if (!answered.empty()) std::cout << ", answered " << answered;
    if (is_set(ticket, "overdue")) std::cout << (answered.empty() ? ", OVERDUE" : ", late");
    std::cout << "\n";
    if (const std::string page = status_check_text(ticket); !page.empty()) std::cout << "    " << page << "\n";
  }
}

void print_review(const json::object& incident) {
  const json::value& review = member(incident, "review");
  if (!review.is_object() || review.get_object().empty()) return;
  std::cout << "\nreview\n";
  for (const auto& part : review.get_object())
    std::cout << "  " << padded(text_of(json::value(part.key())), 14) << one_line(text_of(part.value())) << "\n";
}

}  // namespace

std::string level_label(const json::value& level) {
  const std::string word = text_of(level);
  const auto* shade = std::ranges::find(shades, word, &Shade::level);
  if (shade == shades.end()) return "--";
  const std::string label(shade->label);
  return colours() ? std::string(shade->colour) + label + "\033[0m" : label;
}

void print_hidden(const json::array& hides) {
  for (const json::value& one : hides) {
    const json::object& hidden = one.as_object();
    std::cout << "      hides " << text_of(hidden, hidden.at("alert").is_null() ? "title" : "alert") << " " << text_of(hidden, "level") << " "
              << text_of(hidden, "incident") << "\n";
  }
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text + " ";
}

schedule::ZonePtr zone_named(const std::string& name) {
  schedule::ZoneDatabase zones;
  const auto found = zones.find(name);
  return found ? *found : *zones.find("UTC");  // of an older agent, or this host lacks what the agent's has
}

schedule::ZonePtr zone_of_agent(const Options& options) {
  const auto answer = ask_agent(options, "GET", "/v1/config");
  boost::system::error_code error;
  const json::value value = answer && answer->status == 200 ? json::parse(answer->body, error) : json::value();
  return zone_named(value.is_object() ? text_of(value.get_object(), "tz") : std::string());
}

std::string instant_text(const json::value& instant, const schedule::Zone& zone) {
  std::string text = text_of(instant);  // "2026-11-24T03:04:05.678Z"
  if (text.size() < 19) return text;
  if (zone.name() == "UTC" || zone.name() == "Etc/UTC") {
    text[10] = ' ';
    return text.substr(0, 19) + " UTC";
  }
  constexpr std::size_t weekday = 4;  // "Tue "
  const auto at = people::parse_moment(text.substr(0, 19) + "Z", zone);
  return at ? people::moment_text(*at, zone).substr(weekday) : text;
}

std::string alert_line(const json::object& alert) {
  const bool fires = !member(alert, "level").is_null();
  std::string why = one_line(text_of(alert, "reason"));
  if (const std::string by = text_of(alert, "blocked_by"); !by.empty()) why = "blocked by " + by;
  if (is_set(alert, "no_data")) why = "nothing is known: " + why;
  if (const std::string incident = text_of(alert, "incident"); fires && !incident.empty()) why = incident + "  " + why;
  return "  " + level_label(member(alert, "level")) + "  " + padded(text_of(alert, "name"), name_width) +
         padded(fires ? age_of(member(alert, "since")) : "", 6) + why;
}

/// What it is about now, as messages say it; an older agent knows only what it was opened for.
std::string headline_of(const json::object& incident) {
  const std::string now = text_of(incident, "headline");
  return one_line(now.empty() ? text_of(incident, "title") : now);
}

std::string incident_line(const json::object& incident, const schedule::Zone& zone) {
  return "  " + level_label(member(incident, "level")) + "  " + padded(text_of(incident, "id"), 23) +
         padded(age_of(member(incident, "detected")), 6) + state_text(incident, zone) + ": " + headline_of(incident);
}

void print_explained(const json::object& alert, const schedule::Zone& zone) {
  const bool fires = !member(alert, "level").is_null();
  std::cout << "alert " << text_of(alert, "name") << ": "
            << (fires ? level_label(member(alert, "level")) + " since " + instant_text(member(alert, "since"), zone) + " (" +
                            age_of(member(alert, "since")) + ")"
                      : std::string("does not fire"))
            << "\n";
  print_field("reason", one_line(text_of(alert, "reason")));
  print_field("incident", text_of(alert, "incident"));
  print_field("blocked by", text_of(alert, "blocked_by"));
  if (is_set(alert, "no_data")) print_field("no data", "nothing is known of what it looks at");
  if (is_set(alert, "flapping")) print_field("flapping", "it comes and goes: its level is held");
  print_field("runbook", text_of(alert, "runbook"));
  for (const json::value& one : list_of(alert, "conditions")) {
    if (!one.is_object()) continue;
    const json::object& condition = one.get_object();
    const json::value& level = member(condition, "level");
    std::cout << "\n  " << (level.is_null() ? std::string("clear") : level_label(level) + (is_set(condition, "clear") ? " clear" : ""))
              << ": " << text_of(condition, "condition") << "\n    holds: " << text_of(condition, "holds");
    if (const std::string reason = text_of(condition, "reason"); !reason.empty()) std::cout << ": " << one_line(reason);
    std::cout << "\n";
    const json::array& steps = list_of(condition, "steps");
    for (const json::value& step : steps.size() > 1 ? steps : json::array()) {
      if (step.is_object())
        std::cout << "      " << padded(text_of(step.get_object(), "holds"), 8) << one_line(text_of(step.get_object(), "text")) << "\n";
    }
  }
}

std::string outcome_of(const json::object& message) {
  return member(message, "accepted").is_string() ? "accepted" : text_of(message, "state");
}

void print_messages(const json::array& messages, const schedule::Zone& zone) {
  for (const json::value& one : messages) {
    if (!one.is_object()) continue;
    const json::object& message = one.get_object();
    std::cout << "  " << padded(instant_text(member(message, "queued"), zone), instant_width) << padded(outcome_of(message), 9)
              << padded(text_of(message, "event"), 10) << level_label(member(message, "level")) << "  "
              << padded(text_of(message, "contact"), 12) << padded(text_of(message, "notifier"), 12) << one_line(text_of(message, "title"));
    if (integer_of(message, "attempts") > 1) std::cout << " (" << integer_of(message, "attempts") << " attempts)";
    if (const std::string error = text_of(message, "last_error"); !error.empty()) std::cout << ": " << one_line(error);
    if (const std::string words = text_of(message, "accepted"); !words.empty()) std::cout << ": " << one_line(words);
    if (outcome_of(message) == "dead") std::cout << " [" << text_of(message, "id") << "]";
    std::cout << "\n";
  }
}

std::string sink_line(const json::object& sink) {
  const std::int64_t waiting = integer_of(sink, "waiting"), failures = integer_of(sink, "failures");
  std::string out = "  " + padded(text_of(sink, "notifier"), name_width);
  if (waiting == 0)
    out += "nothing waits";
  else
    out += counted(static_cast<std::size_t>(waiting), "message") + ", the oldest for " + age_of(member(sink, "oldest"));
  if (failures > 0) out += ", " + counted(static_cast<std::size_t>(failures), "failure") + " one after the other";
  if (text_of(sink, "circuit") == "open") out += ", CIRCUIT OPEN: tried now and then";
  if (const std::string error = text_of(sink, "last_error"); failures > 0 && !error.empty()) out += ": " + one_line(error);
  return out;
}

void print_sinks(const json::array& sinks) {
  for (const json::value& one : sinks) {
    if (one.is_object()) std::cout << sink_line(one.get_object()) << "\n";
  }
}

void print_ticket(const json::object& ticket) {
  std::cout << text_of(ticket, "title") << ", " << text_of(ticket, "level_name") << " (level " << integer_of(ticket, "level") << " of "
            << integer_of(ticket, "levels") << ")\n";
  for (const char* way : {"use", "url", "email", "phone"}) print_field(way, text_of(ticket, way));
  const double within = number_of(ticket, "respond_within_s");
  print_field("answer",
              within > 0 ? "within " + format_duration(std::chrono::seconds(static_cast<std::int64_t>(within))) : "none is promised");
  if (const std::string page = status_check_text(ticket); !page.empty()) std::cout << "  " << page << "\n";
  std::cout << "\n";
  const std::string text = text_of(ticket, "text");
  std::cout << text << (text.ends_with('\n') ? "" : "\n");
}

void print_incident(const json::object& incident, const schedule::Zone& zone) {
  std::cout << text_of(incident, "id") << "  " << level_label(member(incident, "level")) << "  " << state_text(incident, zone) << "\n"
            << one_line(text_of(incident, "title")) << "\n\n";
  if (const std::string now = headline_of(incident); now != one_line(text_of(incident, "title"))) print_field("told as", now);
  print_field("service", text_of(incident, "service"));
  print_field("cause", text_of(incident, "root"));
  print_field("times in", zone.name());
  print_field("detected", instant_text(member(incident, "detected"), zone));
  const double lasted = number_of(incident, "duration_s");
  print_field(member(incident, "resolved").is_null() ? "lasts" : "lasted",
              format_duration(std::chrono::seconds(static_cast<std::int64_t>(std::max(lasted, 0.0)))));
  print_field("clock", format_duration(std::chrono::seconds(static_cast<std::int64_t>(std::max(number_of(incident, "elapsed_s"), 0.0)))));
  print_field("next call", next_step_text(incident, zone));
  print_field("roles", roles_text(incident));
  print_field("firing", firing_text(incident));
  print_field("respond by", instant_text(member(incident, "respond_by"), zone));
  print_field("next update", instant_text(member(incident, "update_due"), zone));
  print_field("resolved", instant_text(member(incident, "resolved"), zone));
  print_field("war room", text_of(incident, "war_room"));
  if (const std::string trouble = text_of(incident, "trouble"); !trouble.empty())
    std::cout << "\nnot all of it could be read: " << one_line(trouble) << "\n";
  print_tickets(list_of(incident, "tickets"), zone);
  print_timeline(list_of(incident, "timeline"), zone);
  if (const json::array& messages = list_of(incident, "deliveries"); !messages.empty()) {
    std::cout << "\nmessages\n";
    print_messages(messages, zone);
  }
  print_review(incident);
}

bool has_words(const Options& options, std::string_view flag) {
  const std::string text = options.value(flag);
  return !trim(text).empty();
}

int lacks(std::string_view text) {
  complain(text);
  return exit_usage;
}

int unknown_word(std::string_view verb, const std::string& word, std::span<const std::string_view> known) {
  const std::string_view near = nearest(word, known);
  std::string text = std::string(verb) + " has no verb \"" + escape_controls(word) + "\"";
  if (!near.empty()) {
    text += "; did you mean \"" + std::string(near) + "\"?";
  } else {
    text += "; it has";
    for (const std::string_view one : known) text += " " + std::string(one);
  }
  complain(text);
  return exit_usage;
}

}  // namespace ronda::cli
