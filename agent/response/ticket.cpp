// SPDX-License-Identifier: Apache-2.0
#include "response/ticket.hpp"

#include "base/units.hpp"
#include "incident/document.hpp"
#include "response/message.hpp"
#include "response/words.hpp"

namespace ronda::response {
namespace {

using incident::Kind;

/// Who was told of it, and how that went, is of the house.
bool is_for_vendors(Kind kind) {
  return kind != Kind::notice_sent && kind != Kind::notice_delivered && kind != Kind::notice_failed && kind != Kind::notice_owed &&
         kind != Kind::refused && kind != Kind::diagnosis;
}

std::string person(const Plan& plan, const incident::Author& author) {
  const people::Contact* contact = author.is_named() ? plan.people.find_contact(author.name) : nullptr;
  return contact == nullptr ? author.name : contact->title;
}

std::string timeline_of(const Plan& plan, std::span<const incident::Event> events, incident::Language language) {
  std::string out;
  for (const incident::Event& event : events) {
    if (!is_for_vendors(event.kind)) continue;
    out += (out.empty() ? "" : "\n") + time_text(plan, event.at_ns) + "  " + incident::describe(event, language);
  }
  return out;
}

/// What was said last of those kinds that have a text; empty: nothing.
std::string last_text(std::span<const incident::Event> events, std::initializer_list<Kind> kinds) {
  for (std::size_t i = events.size(); i-- > 0;) {
    for (const Kind kind : kinds) {
      if (events[i].kind == kind && !events[i].text.empty()) return events[i].text;
    }
  }
  return {};
}

}  // namespace

people::TicketFields ticket_fields_of(const Plan& plan, const incident::Incident& incident, std::span<const incident::Event> events,
                                      const incident::Author& reporter, std::int64_t now_ns) {
  const auto language = plan.language == notify::Language::es ? incident::Language::es : incident::Language::en;
  people::TicketFields out;
  const notify::Fields known = fields_of(plan, incident, now_ns);
  const auto put = [&](const char* field, std::string_view from) {
    for (const auto& [name, value] : known) {
      if (name == from) out[field] = value;
    }
  };
  put("incident", "incident");
  put("level", "severity");
  put("service", "system");
  put("title", "title");
  put("host", "host");
  put("status", "state");
  put("impact", "impact");
  put("detected", "since");
  put("summary", "summary");
  if (out["summary"].empty()) out["summary"] = incident.title;
  out["elapsed"] = format_duration(std::chrono::floor<std::chrono::seconds>(Nanos(incident.elapsed.at(now_ns))));
  out["reason"] = last_text(events, {Kind::alert_joined, Kind::alert_changed, Kind::raised, Kind::opened});
  out["description"] = last_text(events, {Kind::update});
  if (out["description"].empty()) out["description"] = out["reason"];
  out["reporter"] = person(plan, reporter);
  out["timeline"] = timeline_of(plan, events, language);
  return out;
}

}  // namespace ronda::response
