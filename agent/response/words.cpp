// SPDX-License-Identifier: Apache-2.0
#include "response/words.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <tuple>
#include <vector>

#include "base/units.hpp"
#include "incident/document.hpp"
#include "incident/moment.hpp"
#include "response/message.hpp"

namespace ronda::response {

std::string time_text(const Plan& plan, std::int64_t at_ns) {
  if (at_ns == 0) return {};
  return people::moment_text(at_ns, *plan.zone);
}

namespace {

std::string_view status_of(incident::Stage stage) {
  switch (stage) {
    case incident::Stage::open:
      return "investigating";
    case incident::Stage::acknowledged:
      return "investigating";
    case incident::Stage::mitigating:
      return "mitigating";
    case incident::Stage::resolved:
    case incident::Stage::closed:
      return "resolved";
  }
  return "";
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

constexpr std::size_t most_named = 20;  // of the alerts of one incident, in a message
constexpr std::size_t most_called = 4;  // of those who are called

/// The one that stands for it: at the highest level, of its root first.
std::string first_alert(const incident::Incident& incident) {
  const auto* found = static_cast<const std::pair<const std::string, incident::Member>*>(nullptr);
  const auto rank = [&](const auto& one) { return std::tuple(!one.second.fires(), one.second.level, one.second.check != incident.root); };
  for (const auto& one : incident.members) {
    if (found == nullptr || rank(one) < rank(*found)) found = &one;
  }
  return found == nullptr ? std::string() : found->first;
}

/// What the check of an alert that fires said of itself.
std::string words_of(const incident::Incident& incident, const std::string& alert) {
  const auto found = incident.members.find(alert);
  return found == incident.members.end() || !found->second.fires() ? std::string() : found->second.said;
}

/// For machines: "2026-11-29T06:14:05Z".
std::string rfc3339(std::int64_t at_ns) {
  const auto at = static_cast<std::time_t>(at_ns / 1'000'000'000);
  std::tm parts{};
  if (at_ns == 0 || ::gmtime_r(&at, &parts) == nullptr) return {};
  std::array<char, 32> text{};
  return std::string(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts));
}

bool is_link(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

std::string review_part(const incident::Incident& incident, std::string_view name) {
  for (const auto& [part, text] : incident.review) {
    if (part == name) return text;
  }
  return {};
}

/// Of one person's; a URL with a name in it is none.
bool is_mail_address(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && at != 0 && at + 1 != text.size() && text.find('@', at + 1) == std::string_view::npos &&
         text.find_first_of("/: <>\t") == std::string_view::npos;
}

/// How people say it, and how to reach them: the first telephone number and the first e-mail address that conf.d has of them. One
/// that stands there by reference is not for everybody, and is left out.
std::string reached_by(const Plan& plan, const std::string& name) {
  const people::Contact* contact = plan.people.find_contact(name);
  if (contact == nullptr) return name;
  std::string number, mail;
  for (const people::Channel& channel : contact->channels) {
    if (channel.to != channel.shown) continue;
    if (number.empty() && people::is_e164(channel.to)) number = channel.to;
    if (mail.empty() && is_mail_address(channel.to)) mail = channel.to;
  }
  std::string out = contact->title.empty() ? contact->name : contact->title;
  if (!number.empty() || !mail.empty()) out += " (" + number + (number.empty() || mail.empty() ? "" : ", ") + mail + ")";
  return out;
}

/// What each impact says of itself, the newest word of each tag where the tag stood first.
std::string impact_text(const incident::Incident& incident) {
  std::vector<std::pair<std::string_view, std::string_view>> all;
  for (const incident::History::Impact& impact : incident.history.impacts) {
    const auto same = std::ranges::find(all, impact.tag, [](const auto& one) { return one.first; });
    if (same == all.end())
      all.emplace_back(impact.tag, impact.text);
    else if (!impact.text.empty())
      same->second = impact.text;
  }
  std::string out;
  for (const auto& [tag, text] : all) {
    if (!out.empty()) out += "\n";
    out += tag;
    if (!text.empty()) out.append(": ").append(text);
  }
  return out;
}

}  // namespace

/// Of many the worst: a message of all of them would be read by nobody, and by no runner.
Said situation_of(const incident::Incident& incident) {
  std::vector<const std::pair<const std::string, incident::Member>*> firing;
  for (const auto& one : incident.members) {
    if (one.second.fires()) firing.push_back(&one);
  }
  const auto named = firing.begin() + static_cast<std::ptrdiff_t>(std::min(firing.size(), most_named));
  const auto is_worse = [](const auto* a, const auto* b) {
    return std::tie(a->second.level, a->first) < std::tie(b->second.level, b->first);
  };
  if (named != firing.end()) std::ranges::partial_sort(firing, named, is_worse);
  Said out = incident.situation;
  const auto add = [&](const std::string& en, const std::string& es) {
    out.en += en;
    out.es += es;
  };
  for (auto one = firing.begin(); one != named; ++one) {
    const auto& [alert, member] = **one;
    const std::string line = (out.en.empty() ? "" : "\n") + upper(config::level_name(member.level)) + " " + alert;
    add(line, line);
    if (!member.check.empty() && member.check != alert) add(" (check " + member.check + ")", " (comprobación " + member.check + ")");
    if (member.blocked) add(", blocked by " + member.blocker, ", bloqueada por " + member.blocker);
  }
  const std::string others = std::to_string(firing.size() - std::min(firing.size(), most_named));
  if (firing.size() > most_named) add("\nand others: " + others, "\ny otras: " + others);
  return out;
}

Said contact_of(const Plan& plan, const incident::Incident& incident, const std::vector<std::string>& called) {
  const auto commander = incident.roles.find(std::string_view("commander"));
  if (commander != incident.roles.end()) return reached_by(plan, commander->second.contact);
  const bool has_owner = incident.ack.has_value();
  if (has_owner && incident.ack->author.is_named()) return reached_by(plan, incident.ack->author.name);
  std::vector<std::string> people;
  if (has_owner) people.push_back(reached_by(plan, incident.ack->author.name));
  for (const std::string& name : called) {
    std::string text = reached_by(plan, name);
    if (std::ranges::find(people, text) == people.end()) people.push_back(std::move(text));
  }
  std::string first;
  for (std::size_t i = 0; i < std::min(people.size(), most_called); ++i) first += (first.empty() ? "" : "; ") + people[i];
  if (people.size() <= most_called) return first;
  const std::string others = std::to_string(people.size() - most_called);
  return {first + " and " + others + " more", first + " y " + others + " más"};
}

Said pending_text(const incident::Incident& incident) {
  static const std::array<Said, incident::review_parts.size()> names = {
      Said("resolution summary", "resumen de la resolución"),    Said("impact summary", "resumen del impacto"),
      Said("root cause analysis", "análisis de causa raíz"),     Said("action items", "acciones"),
      Said("customer communication", "comunicación a clientes"), Said("next steps", "próximos pasos")};
  Said out;
  for (const std::string_view part : incident::missing_parts(incident.review, incident.peak_level)) {
    const Said& name = names[static_cast<std::size_t>(std::ranges::find(incident::review_parts, part) - incident::review_parts.begin())];
    out.en += (out.en.empty() ? "" : ", ") + name.en;
    out.es += (out.es.empty() ? "" : ", ") + name.es;
  }
  return out;
}

std::string system_of(const Plan& plan, const std::string& service) {
  const auto title = plan.service_titles.find(service);
  if (title != plan.service_titles.end()) return title->second;
  return service.empty() ? plan.settings.host : service;
}

notify::Fields fields_of(const Plan& plan, const incident::Incident& incident, std::int64_t now_ns) {
  const bool over = !incident.is_live();
  const std::string headline = incident::headline_of(incident), alert = first_alert(incident);
  const std::string said = words_of(incident, alert);
  const auto in_own_language = [&](const Said& both) { return plan.language == notify::Language::es ? both.es : both.en; };
  notify::Fields fields = {
      {"incident", incident.id},
      {"severity", upper(config::level_name(incident.level))},
      {"level", std::string(config::level_name(incident.level))},
      {"service", incident.service},
      {"system", system_of(plan, incident.service)},
      {"title", headline},
      {"time", time_text(plan, now_ns)},
      {"since", time_text(plan, incident.detected_ns)},
      {"status", std::string(status_of(incident.stage))},
      {"description", said.empty() ? headline : headline + "\n" + said},
      {"said", said},
      {"current_status", in_own_language(situation_of(incident))},
      {"next_update", time_text(plan, incident.update_due_ns)},
      {"war_room", incident.war_room},
      {"incident_url", is_link(incident.war_room) ? incident.war_room : ""},
      {"check", incident.root},
      {"host", plan.settings.host},
      {"duration", format_duration(std::chrono::floor<std::chrono::seconds>(Nanos(incident::duration_ns(incident, now_ns))))},
      {"owner", incident.ack ? incident.ack->author.name : ""},
      {"contact", in_own_language(contact_of(plan, incident, {incident.told.begin(), incident.told.end()}))},
      {"taken", incident.is_taken() && incident.ack ? time_text(plan, incident.ack->at_ns) : ""},
      {"untaken", incident.is_live() && !incident.is_taken() ? time_text(plan, incident.free_since_ns) : ""},
      {"resolved", over ? time_text(plan, incident.resolved_ns) : ""},
      {"summary", review_part(incident, "summary")},
      {"impact_summary", review_part(incident, "impact")},
      {"root_cause", review_part(incident, "root_cause")},
      {"action_items", review_part(incident, "action_items")},
      {"customer_communication", review_part(incident, "customer")},
      {"next_steps", review_part(incident, "next_steps")},
  };
  fields.emplace_back("impact", impact_text(incident));
  fields.emplace_back("alert", alert);
  fields.emplace_back("opened_at", rfc3339(incident.detected_ns));
  fields.emplace_back("state", std::string(incident::stage_name(incident.stage)));
  return fields;
}

}  // namespace ronda::response
