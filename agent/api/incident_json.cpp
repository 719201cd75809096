// SPDX-License-Identifier: Apache-2.0
#include "api/incident_json.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <map>
#include <tuple>

#include "api/json.hpp"
#include "api/slo_json.hpp"
#include "base/units.hpp"
#include "incident/document.hpp"
#include "response/outlook.hpp"
#include "response/upkeep.hpp"
#include "rule/ladder.hpp"

namespace ronda::api {
namespace json = boost::json;
using incident::Incident;

namespace {

json::value number_json(double value) {
  return std::isfinite(value) ? json::value(value) : json::value(nullptr);
}

json::object alert_json(const response::Desk& desk, std::string_view name, const rule::Alert* alert) {
  static const rule::AlertState unseen;
  const rule::AlertState* held = desk.alert(name);
  const rule::AlertState& state = held == nullptr ? unseen : *held;
  const auto incident = desk.incidents().by_alert.find(name);
  const incident::Member* member = nullptr;  // of what no rule judges, the incident knows the rest
  if (incident != desk.incidents().by_alert.end()) member = &desk.incidents().incidents.at(incident->second).members.at(std::string(name));
  json::object out;
  out["name"] = name;
  out["title"] = text_or_null(alert == nullptr ? std::string_view() : std::string_view(alert->title));
  out["check"] = text_or_null(alert != nullptr ? std::string_view(alert->check) : member != nullptr ? std::string_view(member->check) : "");
  out["service"] = text_or_null(alert != nullptr    ? std::string_view(alert->service)
                                : member != nullptr ? std::string_view(member->service)
                                                    : response::own_service);
  out["level"] = level_json(state.level);
  out["since"] = time_json(state.level_since_ns);
  out["started"] = time_json(state.started_ns);
  out["reason"] = text_or_null(state.reason);
  out["value"] = number_json(state.value);
  out["blocked_by"] = text_or_null(state.blocked_by);
  out["no_data"] = state.no_data;
  out["flapping"] = state.flapping.holds();
  out["incident"] = incident == desk.incidents().by_alert.end() ? json::value(nullptr) : json::value(incident->second);
  return out;
}

struct Named {
  std::string_view name;
  const rule::Alert* rule = nullptr;  // null: what the agent says of itself and what others judged have none
};

std::vector<Named> named_alerts(const response::Desk& desk, bool firing_only) {
  std::vector<Named> out;
  const auto fires = [&](std::string_view name) {
    const rule::AlertState* state = desk.alert(name);
    return state != nullptr && state->level != config::Level::none;
  };
  for (const rule::Alert& alert : desk.plan().rules.alerts) {
    if (!firing_only || fires(alert.name)) out.push_back({alert.name, &alert});
  }
  for (const auto& [name, id] : desk.incidents().by_alert) {
    // its own, those of others, and those whose object cannot be read now
    if (desk.plan().rules.find(name) == nullptr && fires(name)) out.push_back({name, nullptr});
  }
  return out;
}

json::array conditions_json(const std::vector<rule::Explained>& all) {
  json::array out;
  for (const rule::Explained& one : all) {
    json::array steps;
    for (const rule::Step& step : one.steps) steps.push_back(json::object{{"holds", rule::truth_name(step.truth)}, {"text", step.text}});
    out.push_back(json::object{{"level", level_json(one.level)},
                               {"clear", one.is_clear},
                               {"condition", one.condition == nullptr ? json::value(nullptr) : json::value(one.condition->text)},
                               {"holds", rule::truth_name(one.finding.truth)},
                               {"reason", text_or_null(one.finding.reason)},
                               {"steps", std::move(steps)}});
  }
  return out;
}

json::value condition_text(const std::optional<rule::Condition>& condition) {
  return condition ? json::value(condition->text) : json::value(nullptr);
}

/// "5m" or "3 of 5"
std::string hold_text(const config::Hold& hold) {
  return hold.need > 0 ? std::to_string(hold.need) + " of " + std::to_string(hold.of) : format_duration(hold.time);
}

/// Of a condition its text; of an objective how fast it must burn, and how much must be bad.
json::array levels_json(const rule::Alert& alert, const rule::Slo* slo) {
  json::array out;
  for (const rule::Rung& rung : alert.rungs) {
    json::object level{
        {"level", level_json(rung.level)},
        {"condition", slo == nullptr ? condition_text(rung.when) : json::value(burn_condition(*slo, burn_rule_of(rung.level)))},
        {"for", hold_text(rung.hold)},
        {"clear", condition_text(rung.clear)}};
    if (slo != nullptr) {
      const auto index = static_cast<std::size_t>(&burn_rule_of(rung.level) - measure::slo::burn_rules.data());
      level["min_bad"] = slo->definition.objective.least_bad[index];
    }
    out.push_back(std::move(level));
  }
  return out;
}

json::object rule_json(const response::Desk& desk, const rule::Alert& alert) {
  const rule::Slo* slo = desk.objectives().of_alert(alert.name);
  json::object out;
  out["name"] = alert.name;
  out["title"] = text_or_null(alert.title);
  out["of"] = slo != nullptr ? "objective" : alert.of_severity ? "severity" : "conditions";
  out["service"] = text_or_null(alert.service);
  out["checks"] = json::value_from(slo != nullptr ? slo->checks : alert.checks);
  out["tasks"] = json::value_from(alert.tasks);
  out["levels"] = levels_json(alert, slo);
  out["clear"] = condition_text(alert.clear);
  out["keep_firing_for_s"] = seconds(alert.keep_firing_ns);
  const bool is_level = alert.no_data.level != config::Level::none;
  out["no_data"] = is_level ? level_json(alert.no_data.level) : json::value(alert.no_data.is_ok ? "ok" : "unknown");
  out["min_samples"] = alert.least_points;
  out["runbook"] = text_or_null(alert.runbook);
  out["diagnose"] = text_or_null(alert.diagnose);
  out["explain"] = slo != nullptr ? "/v1/explain/" + slo->name() + "?slo=1" : "/v1/explain/" + alert.name;
  out["state"] = alert_json(desk, alert.name, &alert);
  return out;
}

json::array members_json(const Incident& incident, std::size_t most) {
  using Member = std::pair<const std::string, incident::Member>;
  std::vector<const Member*> shown;
  for (const Member& one : incident.members) shown.push_back(&one);
  if (shown.size() > most) {
    const auto rank = [](const Member* one) { return std::tuple(!one->second.fires(), one->second.level, std::string_view(one->first)); };
    std::ranges::partial_sort(shown, shown.begin() + static_cast<std::ptrdiff_t>(most), {}, rank);
    shown.resize(most);
  }
  json::array out;
  for (const Member* one : shown) {
    const auto& [alert, member] = *one;
    out.push_back(json::object{{"name", alert},
                               {"check", text_or_null(member.check)},
                               {"service", text_or_null(member.service)},
                               {"level", level_json(member.level)},
                               {"said", text_or_null(member.said)},
                               {"blocked", member.blocked},
                               {"blocked_by", text_or_null(member.blocker)},
                               {"joined", time_json(member.joined_ns)},
                               {"changed", time_json(member.changed_ns)}});
  }
  return out;
}

json::value ack_json(const Incident& incident) {
  if (!incident.ack) return nullptr;
  return json::object{
      {"by", to_text(incident.ack->author)}, {"at", time_json(incident.ack->at_ns)}, {"until", time_json(incident.ack->until_ns)}};
}

json::object fields_json(const std::vector<std::pair<std::string, std::string>>& fields) {
  json::object out;
  for (const auto& [name, text] : fields) out[name] = text;
  return out;
}

constexpr std::size_t most_alerts_in_lists = 20;     // of one incident
constexpr std::size_t most_alerts_of_a_list = 1000;  // of all of them: in a storm it is asked most, and the loop writes it
constexpr std::ptrdiff_t most_over = 500;            // of those that are over, the ones that changed last

bool is_higher(const Incident* a, const Incident* b) {
  return a->level != b->level ? a->level < b->level : a->detected_ns < b->detected_ns;
}

std::string_view state_name(store::OutboxState state) {
  constexpr std::array<std::string_view, 4> names = {"queued", "sending", "delivered", "dead"};
  return names[static_cast<std::size_t>(state)];
}

}  // namespace

const response::Desk& desk_of(AgentView& agent) {
  return agent.response().desk();
}

json::value level_json(config::Level level) {
  return level == config::Level::none ? json::value(nullptr) : json::value(config::level_name(level));
}

json::array alerts_json(AgentView& agent, bool firing_only, std::size_t most) {
  const response::Desk& desk = desk_of(agent);
  std::vector<Named> shown = named_alerts(desk, firing_only);
  if (shown.size() > most) {
    const auto rank = [&](const Named& one) {
      const rule::AlertState* state = desk.alert(one.name);
      const config::Level level = state == nullptr ? config::Level::none : state->level;
      return std::tuple(level == config::Level::none, level, one.name);
    };
    std::ranges::partial_sort(shown, shown.begin() + static_cast<std::ptrdiff_t>(most), {}, rank);
    shown.resize(most);
  }
  json::array out;
  for (const Named& one : shown) out.push_back(alert_json(desk, one.name, one.rule));
  return out;
}

json::array rules_json(AgentView& agent) {
  const response::Desk& desk = desk_of(agent);
  json::array out;
  for (const rule::Alert& alert : desk.plan().rules.alerts) out.push_back(rule_json(desk, alert));
  return out;
}

std::size_t count_firing(AgentView& agent) {
  return named_alerts(desk_of(agent), true).size();
}

std::optional<json::object> explain_alert_json(AgentView& agent, std::string_view name) {
  const response::Desk& desk = desk_of(agent);
  const rule::Alert* alert = desk.plan().rules.find(name);
  static const rule::AlertState unseen;
  const rule::AlertState* state = desk.alert(name);
  if (alert == nullptr && state == nullptr) return {};
  json::object out = alert_json(desk, name, alert);
  out["kind"] = "alert";
  if (alert == nullptr) return out;  // the agent's own, or judged by others: no condition of conf.d says why
  out["runbook"] = text_or_null(alert->runbook);
  out["conditions"] = desk.objectives().of_alert(name) != nullptr
                          ? burns_as_conditions_json(desk, name)
                          : conditions_json(rule::explain(*alert, state == nullptr ? unseen : *state, desk.plan().rules.facts,
                                                          desk.history(), agent.response().now_ns()));
  return out;
}

json::object incident_json(const Incident& incident, std::int64_t now_ns, std::size_t most_alerts) {
  json::object out;
  out["id"] = incident.id;
  out["sequence"] = incident.sequence;
  out["stage"] = incident::stage_name(incident.stage);
  out["level"] = level_json(incident.level);
  out["peak_level"] = level_json(incident.peak_level);
  out["title"] = incident.title;
  out["headline"] = incident::headline_of(incident);
  out["service"] = text_or_null(incident.service);
  out["root"] = text_or_null(incident.root);
  out["by_hand"] = incident.by_hand;
  out["detected"] = time_json(incident.detected_ns);
  out["changed"] = time_json(incident.changed_ns);
  out["resolved"] = time_json(incident.resolved_ns);
  out["elapsed_s"] = seconds(incident.elapsed.at(now_ns));
  out["duration_s"] = seconds(incident::duration_ns(incident, now_ns));
  out["ack"] = ack_json(incident);
  out["responded"] = time_json(incident.responded_ns);
  out["responded_by"] = text_or_null(incident.responded_by);
  out["respond_by"] = time_json(incident.respond_by_ns().value_or(0));
  out["response_overdue"] = incident.response_overdue;
  out["update_due"] = time_json(incident.update_due_ns);
  out["update_overdue"] = incident.update_overdue;
  out["suppressed_by"] = text_or_null(incident.suppressed_by);
  out["flapping"] = incident.is_flapping;
  out["opened_count"] = incident.opened_count;
  out["war_room"] = text_or_null(incident.war_room);
  out["alerts"] = members_json(incident, most_alerts);
  out["alert_count"] = incident.members.size();
  json::object roles;
  for (const auto& [role, who] : incident.roles) roles[role] = who.contact;
  out["roles"] = std::move(roles);
  out["told"] = json::array(incident.told.begin(), incident.told.end());
  out["review"] = fields_json(incident.review);
  return out;
}

json::value next_step_json(AgentView& agent, const Incident& incident) {
  const response::Desk& desk = desk_of(agent);
  const auto next = response::next_step(desk.plan(), incident, response::overrides_of(desk.upkeep()), agent.response().now_ns());
  if (!next || next->due.empty()) return nullptr;
  json::array steps;
  for (const escalation::Due& one : next->due) {
    steps.push_back(json::object{{"escalation", one.escalation},
                                 {"step", one.owner ? json::value("owner") : json::value(one.step + 1)},
                                 {"why", escalation::why_name(one.why)},
                                 {"business", one.business},
                                 {"targets", json::array(one.targets.begin(), one.targets.end())}});
  }
  return json::object{
      {"at", time_json(next->at_ns)}, {"contacts", json::array(next->contacts.begin(), next->contacts.end())}, {"due", std::move(steps)}};
}

json::value status_check_json(AgentView& agent, std::string_view check) {
  if (check.empty()) return nullptr;
  const schedule::Entry* entry = agent.scheduler().find(config::Kind::check, check);
  if (entry == nullptr) return nullptr;
  const json::object all = entry_json(agent.scheduler(), *entry, false);
  json::object out;
  for (const char* key : {"name", "status", "summary", "since", "last_run"}) out[key] = all.at(key);
  return out;
}

json::array tickets_json(AgentView& agent, const Incident& incident) {
  const people::People& people = desk_of(agent).plan().people;
  const std::int64_t now = agent.response().now_ns();
  json::array out;
  for (const incident::Ticket& one : incident.tickets) {
    const people::Vendor* vendor = people.find_vendor(one.vendor);
    out.push_back(json::object{{"vendor", one.vendor},
                               {"level", text_or_null(one.level)},
                               {"text", text_or_null(one.text)},
                               {"by", to_text(one.by)},
                               {"opened", time_json(one.opened_ns)},
                               {"owed_until", time_json(one.owed_ns)},
                               {"overdue", one.is_late(now)},
                               {"answered", time_json(one.answered_ns)},
                               {"status_check", status_check_json(agent, vendor == nullptr ? std::string_view() : vendor->status_check)}});
  }
  return out;
}

json::array incidents_json(AgentView& agent, bool all) {
  std::vector<const Incident*> wanted;
  for (const auto& [id, incident] : desk_of(agent).incidents().incidents) {
    if (all || incident.is_live()) wanted.push_back(&incident);
  }
  std::ranges::sort(wanted, is_higher);
  // those that are live are never left out: an answer without them would look well
  const auto first_over = std::stable_partition(wanted.begin(), wanted.end(), [](const Incident* one) { return one->is_live(); });
  if (wanted.end() - first_over > most_over) {
    std::ranges::sort(first_over, wanted.end(), [](const Incident* a, const Incident* b) { return a->changed_ns > b->changed_ns; });
    wanted.erase(first_over + most_over, wanted.end());
  }
  const std::int64_t now = agent.response().now_ns();
  std::size_t alerts = 0, most = most_alerts_in_lists;
  for (const Incident* incident : wanted) alerts += std::min(incident->members.size(), most_alerts_in_lists);
  if (alerts > most_alerts_of_a_list) most = std::clamp<std::size_t>(most_alerts_of_a_list / wanted.size(), 1, most_alerts_in_lists);
  json::array out;
  for (const Incident* incident : wanted) out.push_back(incident_json(*incident, now, most));
  return out;
}

json::array timeline_json(std::span<const incident::Event> events, const incident::DocumentOptions& options) {
  json::array out;
  for (const incident::Event& event : events) {
    json::object one{{"sequence", event.sequence},
                     {"at", time_json(event.at_ns)},
                     {"author", to_text(event.author)},
                     {"source", text_or_null(event.source)},
                     {"kind", event.kind == incident::Kind::other ? std::string_view(event.kind_name) : kind_name(event.kind)},
                     {"line", incident::describe(event, options)},
                     {"level", level_json(event.level)},
                     {"text", text_or_null(event.text)}};
    const auto put = [&](const char* key, const std::string& text) {
      if (!text.empty()) one[key] = text;
    };
    put("alert", event.alert);
    put("check", event.check);
    put("subject", event.subject);
    put("role", event.role);
    put("channel", event.channel);
    put("message", event.message);
    if (event.forced) one["forced"] = true;
    if (!event.fields.empty()) one["fields"] = fields_json(event.fields);
    out.push_back(std::move(one));
  }
  return out;
}

json::object silence_json(AgentView& agent, const incident::Silence& silence) {
  const response::Desk& desk = desk_of(agent);
  json::object out;
  const std::int64_t now = agent.response().now_ns();
  out["id"] = silence.id;
  out["revision"] = silence.revision;
  out["what"] = to_text(silence.what);
  out["owner"] = to_text(silence.owner);
  out["reason"] = silence.reason;
  out["from"] = time_json(silence.from_ns);
  out["until"] = time_json(silence.until_ns);
  out["until_ok"] = silence.until_ok;
  out["active"] = silence.is_active(now);
  out["ended"] = time_json(silence.ended_ns);
  out["ended_by"] = silence.ended_ns == 0 ? json::value(nullptr) : json::value(to_text(silence.ended_by));
  json::array hides;
  if (silence.is_active(now)) {
    for (const incident::Firing& firing : incident::hidden_by(silence, desk.incidents().firing(desk.plan().settings)))
      hides.push_back(json::object{{"alert", text_or_null(firing.alert)},
                                   {"title", text_or_null(firing.title)},
                                   {"incident", text_or_null(firing.incident)},
                                   {"level", level_json(firing.level)}});
  }
  out["hides"] = std::move(hides);
  return out;
}

json::array deliveries_json(std::span<const store::OutboxRow> rows, std::span<const store::DeliveryAttempt> trail) {
  std::map<std::string_view, json::array> attempts;
  std::map<std::string_view, std::string_view> accepted;  // the words of what was only that
  for (const store::DeliveryAttempt& one : trail) {
    if (one.outcome == "delivered" && incident::is_only_accepted(one.detail)) accepted[one.id] = one.detail;
    attempts[one.id].push_back(json::object{{"number", one.number},
                                            {"started", time_json(one.started)},
                                            {"ended", time_json(one.ended)},
                                            {"outcome", one.outcome},
                                            {"detail", text_or_null(one.detail)}});
  }
  json::array out;
  for (const store::OutboxRow& row : rows) {
    json::object one{{"id", row.id},
                     {"incident", text_or_null(row.incident)},
                     {"notifier", row.notifier},
                     {"contact", text_or_null(row.contact)},
                     {"level", text_or_null(row.level)},
                     {"event", row.event},
                     {"state", state_name(row.state)},
                     {"carrier", text_or_null(row.carrier)},
                     {"attempts", row.attempts},
                     {"queued", time_json(row.queued_at)},
                     {"first_attempt", time_json(row.first_at)},
                     {"next_attempt", row.state == store::OutboxState::queued ? time_json(row.next_at) : json::value(nullptr)},
                     {"last_error", text_or_null(row.last_error)},
                     {"title", row.text.title},
                     {"accepted", nullptr}};
    const auto words = accepted.find(row.carrier.empty() ? row.id : row.carrier);
    if (row.state == store::OutboxState::delivered && words != accepted.end()) one["accepted"] = std::string(words->second);
    if (const auto found = attempts.find(row.id); found != attempts.end()) one["trail"] = std::move(found->second);
    out.push_back(std::move(one));
  }
  return out;
}

json::array sinks_json(AgentView& agent) {
  const response::Plan& plan = desk_of(agent).plan();
  const std::int64_t now = agent.response().now_ns();
  json::array out;
  for (const notify::SinkStatus& one : agent.response().courier().status()) {
    if (one.waiting == 0 && plan.find_notifier(one.notifier) == nullptr) continue;
    out.push_back(json::object{
        {"notifier", one.notifier},
        {"waiting", one.waiting},
        {"in_flight", one.in_flight},
        {"oldest", time_json(one.oldest)},
        {"oldest_age_s", one.waiting == 0 ? json::value(nullptr) : json::value(seconds(std::max<std::int64_t>(now - one.oldest, 0)))},
        {"failures", one.failures},
        {"circuit", one.open ? "open" : "closed"},
        {"last_error", text_or_null(one.last_error)}});
  }
  return out;
}

void hide_from_viewer(json::object& shown) {
  for (const char* key : {"war_room", "last_error", "detail"}) {
    if (json::value* value = shown.if_contains(key)) *value = nullptr;
  }
  if (json::value* accepted = shown.if_contains("accepted"); accepted != nullptr && accepted->is_string()) *accepted = "accepted";
  const json::value* kind = shown.if_contains("kind");
  const auto is = [&](json::string_view word) { return kind != nullptr && kind->is_string() && kind->get_string() == word; };
  if (is("notice_failed") || is("notice_delivered")) {  // what was delivered may have failed in part
    shown["line"] = json::string(kind->get_string());
    shown["text"] = nullptr;
  }
  for (const char* key : {"timeline", "deliveries", "trail"}) {
    json::value* parts = shown.if_contains(key);
    if (parts == nullptr || !parts->is_array()) continue;
    for (json::value& part : parts->get_array()) {
      if (part.is_object()) hide_from_viewer(part.get_object());
    }
  }
}

void hide_all_from_viewer(json::value& list) {
  if (!list.is_array()) return;
  for (json::value& one : list.get_array()) {
    if (one.is_object()) hide_from_viewer(one.get_object());
  }
}

void hide_words_of_notifier(json::object& shown) {
  for (const char* key : {"summary", "detail", "attempts"}) {
    if (json::value* value = shown.if_contains(key)) *value = nullptr;
  }
  if (json::value* line = shown.if_contains("line"); line != nullptr && line->is_string())
    *line = std::string(shown.at("status").as_string()) + " - " + std::string(shown.at("name").as_string());
  json::value* trail = shown.if_contains("trail");
  if (trail == nullptr || !trail->is_array()) return;
  for (json::value& step : trail->get_array()) {
    const std::string text(step.at("text").as_string());
    for (const std::string_view first : {repeats_text, no_result_text}) {
      if (text.starts_with(first)) step.at("text") = std::string(first);
    }
  }
}

plugin::CheckStatus status_of_incidents(AgentView& agent) {
  using plugin::CheckStatus;
  CheckStatus worst = CheckStatus::ok;
  for (const auto& [id, incident] : desk_of(agent).incidents().incidents) {
    if (!incident.is_live() || incident.is_suppressed()) continue;
    const bool grave = incident.level <= config::Level::p2 && incident.service != response::own_service;
    worst = plugin::worse(worst, grave ? CheckStatus::critical : CheckStatus::warning);
  }
  return worst;
}

}  // namespace ronda::api
