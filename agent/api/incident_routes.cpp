// SPDX-License-Identifier: Apache-2.0
// Alerts, incidents, silences and messages on the API. What a person does is done under the identity that the door
// established; the answer leaves when it is durable.
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <memory>
#include <set>
#include <span>

#include "api/body.hpp"
#include "api/incident_door.hpp"
#include "api/incident_json.hpp"
#include "api/json.hpp"
#include "api/route.hpp"
#include "api/slo_json.hpp"
#include "base/clock.hpp"
#include "base/text.hpp"
#include "incident/document.hpp"
#include "incident/moment.hpp"

namespace ronda::api {
namespace json = boost::json;
using incident::Verb;

namespace {

constexpr std::int64_t usual_messages = 100, most_messages = 1000, most_closed = 200;
constexpr std::size_t most_matchers = 64;

int status_of(Errc code) {
  switch (code) {
    case Errc::invalid:
    case Errc::range:
      return 400;
    case Errc::denied:
      return 403;
    case Errc::not_found:
      return 404;
    case Errc::exists:
      return 409;
    default:
      return 503;
  }
}

}  // namespace

/// uid 0 is nobody in particular, whoever has it.
incident::Author author_of(const Context& c) {
  using Kind = incident::Author::Kind;
  constexpr std::string_view door = "unix:";
  const Identity& who = c.request.who;
  if (!who.contact.empty()) return {Kind::contact, who.contact};
  if (!who.name.starts_with(door)) return {Kind::token, who.name.substr(who.name.find(':') + 1)};
  const std::string user = who.name.substr(door.size());
  const people::Contact* contact = who.uid == 0 ? nullptr : desk_of(c.agent).plan().people.contact_of_unix(user);
  return contact == nullptr ? incident::Author{Kind::unix, user} : incident::Author{Kind::contact, contact->name};
}

Response error_of(const Error& error) {
  return error_response(status_of(error.code()), error.message());
}

namespace {

std::string no_incident(AgentView& agent, std::string_view id) {
  std::vector<std::string_view> ids;
  for (const auto& [known, incident] : desk_of(agent).incidents().incidents) ids.push_back(known);
  const std::string_view near = nearest(id, ids);
  return "there is no incident `" + repair_utf8(id, 64) + "`" +
         (near.empty() ? std::string() : "; did you mean `" + std::string(near) + "`?");
}

Response list_response(json::value list, bool hides) {
  if (hides) hide_all_from_viewer(list);
  return json_response(list);
}

// ---- alerts ---------------------------------------------------------------------------------

void get_alerts(Context& c) {
  c.respond(json_response(alerts_json(c.agent, c.request.parameter("firing") == "1")));
}

// ---- incidents: what is known ---------------------------------------------------------------

/// One that is no longer in mind: as it was opened, and when it changed last.
json::object stored_json(const store::IncidentSummary& stored) {
  json::object out{{"id", stored.id},
                   {"stage", incident::stage_name(incident::Stage::closed)},
                   {"detected", time_json(stored.opened)},
                   {"changed", time_json(stored.changed)}};
  const auto opened = incident::parse_event(stored.first);
  if (!opened || opened->kind != incident::Kind::opened) return out;  // damaged: the rest is known all the same
  out["level"] = level_json(opened->level);
  out["title"] = opened->text;
  out["service"] = opened->service.empty() ? json::value(nullptr) : json::value(opened->service);
  out["root"] = opened->root.empty() ? json::value(nullptr) : json::value(opened->root);
  return out;
}

/// Those that are live; with `all` also the others, of closed ones that are no longer in mind only when they were.
void get_incidents(Context& c) {
  const bool hides = !is_operator(c);
  if (c.request.parameter("all") != "1") return c.respond(list_response(incidents_json(c.agent, false), hides));
  c.agent.store().load_incident_ids(most_closed,
                                    [&agent = c.agent, respond = c.respond, hides](Result<std::vector<store::IncidentSummary>> stored) {
                                      if (!stored) return respond(error_of(stored.error()));
                                      json::array out = incidents_json(agent, true);
                                      for (const store::IncidentSummary& one : *stored) {
                                        if (desk_of(agent).incidents().find(one.id) != nullptr) continue;
                                        out.push_back(stored_json(one));
                                      }
                                      respond(list_response(std::move(out), hides));
                                    });
}

}  // namespace

void load_incident(const Context& c, const std::function<void(std::shared_ptr<ReadIncident>)>& then) {
  if (!incident::is_id(c.name)) return c.respond(error_response(404, no_incident(c.agent, c.name)));
  const std::string id(c.name);
  c.agent.store().load_incident(id, [&agent = c.agent, respond = c.respond, id, then](Result<std::vector<store::IncidentEvent>> stored) {
    auto told = std::make_shared<ReadIncident>();
    if (!stored) told->trouble = stored.error().message();
    for (const store::IncidentEvent& row : stored ? *stored : std::vector<store::IncidentEvent>()) {
      if (auto event = incident::parse_event(row.data)) told->events.push_back(*std::move(event));  // a damaged one is left out
    }
    const incident::State folded = incident::restore(told->events, {});
    const incident::Incident* found = desk_of(agent).incidents().find(id);
    if (found == nullptr) found = folded.find(id);
    if (found == nullptr) return respond(stored ? error_response(404, no_incident(agent, id)) : error_of(stored.error()));
    told->incident = *found;
    then(told);
  });
}

namespace {

/// How times are written in what is said of it: in the zone of conf.d, as it was when it began.
incident::DocumentOptions lines_of(const response::Plan& plan, const incident::Incident& incident) {
  incident::DocumentOptions out;
  const auto detected = std::chrono::floor<std::chrono::seconds>(
      std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(incident.detected_ns)));
  out.offset_s = plan.zone->span_at(detected).offset.count();
  out.zone = plan.zone->name();
  return out;
}

void get_incident(Context& c) {
  load_incident(c, [&agent = c.agent, respond = c.respond, hides = !is_operator(c)](const std::shared_ptr<ReadIncident>& told) {
    agent.store().list_outbox(told->incident.id, most_messages, [&agent, respond, told, hides](Result<std::vector<store::OutboxRow>> rows) {
      if (!rows) told->trouble = rows.error().message();
      if (rows) told->rows = *std::move(rows);
      agent.store().load_trail(told->incident.id, [&agent, respond, told, hides](const Result<std::vector<store::DeliveryAttempt>>& trail) {
        if (!trail) told->trouble = trail.error().message();
        json::object out = incident_json(told->incident, agent.response().now_ns());
        out["next_step"] = next_step_json(agent, told->incident);
        out["tickets"] = tickets_json(agent, told->incident);
        out["trouble"] = told->trouble.empty() ? json::value(nullptr) : json::value(told->trouble);
        out["timeline"] = timeline_json(told->events, lines_of(desk_of(agent).plan(), told->incident));
        out["deliveries"] = deliveries_json(told->rows, trail ? *trail : std::vector<store::DeliveryAttempt>());
        if (hides) hide_from_viewer(out);
        respond(json_response(out));
      });
    });
  });
}

/// The post-incident document.
void get_document(Context& c) {
  load_incident(c, [&agent = c.agent, respond = c.respond](const std::shared_ptr<ReadIncident>& told) {
    const response::Plan& plan = desk_of(agent).plan();
    incident::DocumentOptions options = lines_of(plan, told->incident);
    options.language = plan.language == notify::Language::es ? incident::Language::es : incident::Language::en;
    const auto title = plan.service_titles.find(told->incident.service);
    options.system = title == plan.service_titles.end() ? told->incident.service : title->second;
    respond(json_response(json::object{{"incident", told->incident.id},
                                       {"language", options.language == incident::Language::es ? "es" : "en"},
                                       {"markdown", incident::to_markdown(told->incident, told->events, options)}}));
  });
}

// ---- incidents: what people do --------------------------------------------------------------

Result<incident::Command> read_command(const std::string& text) {
  RONDA_TRY(const Body body, Body::parse(text, {"text", "level", "service", "for", "based_on", "force", "fields", "subject"}));
  incident::Command command;
  RONDA_TRY(command.text, body.text("text", incident::max_text_bytes));
  RONDA_TRY(command.level, body.level("level"));
  RONDA_TRY(command.service, body.text("service", incident::max_name_bytes));
  RONDA_TRY(command.for_ns, body.duration_ns("for"));
  RONDA_TRY(command.based_on, body.number("based_on"));
  RONDA_TRY(command.force, body.flag("force"));
  RONDA_TRY(command.subject, body.text("subject", incident::max_name_bytes));
  RONDA_TRY(command.fields, body.fields("fields", 32, incident::max_text_bytes));
  return command;
}

Status check_service(AgentView& agent, const std::string& service) {
  const auto& services = desk_of(agent).plan().names.services;
  if (service.empty() || std::ranges::find(services, service) != services.end()) return done();
  const std::vector<std::string_view> names(services.begin(), services.end());
  const std::string_view near = nearest(service, names);
  return Error(Errc::invalid, "no service is named `" + repair_utf8(service, 64) + "`" +
                                  (near.empty() ? std::string() : "; did you mean `" + std::string(near) + "`?"));
}

}  // namespace

namespace {

/// All impacts that steps of ladders wait for, and the agent's own.
std::set<std::string_view> awaited_impacts(const response::Plan& plan) {
  std::set<std::string_view> out;
  const auto add = [&](const escalation::Policy& policy) {
    for (const escalation::Escalation& one : policy.escalations) {
      for (const auto& ladder : one.ladders) {
        for (const escalation::Step& step : ladder ? std::span(ladder->steps) : std::span<const escalation::Step>())
          out.insert(step.impact.begin(), step.impact.end());
      }
    }
  };
  add(plan.policies.general);
  std::ranges::for_each(plan.policies.services, add);
  return out;
}

/// An impact that no step waits for is recorded and calls nobody, which who said it may not know.
std::string impact_hint(AgentView& agent, const std::string& tag) {
  const std::set<std::string_view> awaited = awaited_impacts(desk_of(agent).plan());
  if (tag.empty() || awaited.empty() || awaited.contains(tag)) return {};
  const std::vector<std::string_view> names(awaited.begin(), awaited.end());
  const std::string_view near = nearest(tag, names);
  return "; no step of an escalation waits for the impact `" + repair_utf8(tag, 64) + "`" +
         (near.empty() ? std::string() : "; did you mean `" + std::string(near) + "`?");
}

}  // namespace

void give_command(Context& c, incident::Command command) {
  command.incident = c.name;
  const bool names_impact = command.verb == Verb::note || command.verb == Verb::update;
  const std::string hint = names_impact ? impact_hint(c.agent, command.subject) : std::string();
  command.author = author_of(c);
  command.source = "api";
  c.agent.response().command(std::move(command), [&agent = c.agent, respond = c.respond, id = std::string(c.name),
                                                  hint](const incident::Reply& reply) {
    if (reply.done)
      return respond(json_response(json::object{{"incident", reply.incident}, {"sequence", reply.sequence}, {"text", reply.text + hint}}));
    if (reply.code == Errc::not_found)
      return respond(error_response(404, no_incident(agent, id) + "; one that was closed before the agent's start can only be shown"));
    respond(json_response(json::object{{"error", escape_controls(reply.text)}, {"incident", reply.incident}, {"sequence", reply.sequence}},
                          status_of(reply.code)));
  });
}

namespace {

void do_command(Context& c, Verb verb) {
  auto command = read_command(c.request.body);
  if (!command) return c.respond(error_of(command.error()));
  if (const auto known = check_service(c.agent, command->service); !known) return c.respond(error_of(known.error()));
  command->verb = verb;
  give_command(c, *std::move(command));
}

template <Verb verb>
void post_verb(Context& c) {
  do_command(c, verb);
}

// ---- silences -------------------------------------------------------------------------------

void get_silences(Context& c) {
  json::array out;
  const std::int64_t now = c.agent.response().now_ns();
  for (const incident::Silence& silence : desk_of(c.agent).silences().silences) {
    const bool is_over = silence.ended_ns != 0 || silence.until_ns <= now;
    if (!is_over || c.request.parameter("all") == "1") out.push_back(silence_json(c.agent, silence));
  }
  c.respond(json_response(out));
}

Result<incident::SilenceRequest> read_silence(const std::string& text, const schedule::Zone& zone) {
  RONDA_TRY(const Body body, Body::parse(text, {"what", "reason", "from", "for", "until_ok"}));
  incident::SilenceRequest request;
  RONDA_TRY(const auto words, body.texts("what", most_matchers, 2 * incident::max_name_bytes));
  RONDA_TRY(request.what, incident::parse_matcher(words));
  RONDA_TRY(request.reason, body.text("reason", incident::max_text_bytes));
  RONDA_TRY(request.for_ns, body.duration_ns("for"));
  RONDA_TRY(request.until_ok, body.flag("until_ok"));
  RONDA_TRY(const auto from, body.text("from", 64));
  if (from.empty()) return request;
  const auto moment = people::parse_moment(from, zone);
  if (!moment) return moment.error().with_context("`from`");
  request.from_ns = *moment;
  return request;
}

std::function<void(const Result<incident::Silence>&)> answer_silence(const Context& c) {
  return [&agent = c.agent, respond = c.respond](const Result<incident::Silence>& silence) {
    silence ? respond(json_response(silence_json(agent, *silence))) : respond(error_of(silence.error()));
  };
}

void post_silence(Context& c) {
  auto request = read_silence(c.request.body, *desk_of(c.agent).plan().zone);
  if (!request) return c.respond(error_of(request.error()));
  request->owner = author_of(c);
  c.agent.response().silence(*std::move(request), answer_silence(c));
}

void expire_silence(Context& c) {
  const auto read = [&]() -> Result<std::uint64_t> {
    RONDA_TRY(const Body body, Body::parse(c.request.body, {"based_on"}));
    return body.number("based_on");
  };
  const auto based_on = read();
  if (!based_on) return c.respond(error_of(based_on.error()));
  c.agent.response().expire_silence(std::string(c.name), author_of(c), *based_on, answer_silence(c));
}

// ---- outbox ---------------------------------------------------------------------------------

/// The newest first; of one incident in their order.
void get_outbox(Context& c) {
  std::int64_t limit = usual_messages;
  if (const std::string_view text = c.request.parameter("limit"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc() || end != text.data() + text.size() || limit < 1 || limit > most_messages)
      return c.respond(error_response(400, "limit is a number from 1 to " + std::to_string(most_messages)));
  }
  c.agent.store().list_outbox(std::string(c.request.parameter("incident")), limit,
                              [&agent = c.agent, respond = c.respond, hides = !is_operator(c)](Result<std::vector<store::OutboxRow>> rows) {
                                if (!rows) return respond(error_of(rows.error()));
                                std::vector<std::string> delivered;
                                for (const store::OutboxRow& row : *rows) {
                                  if (row.state == store::OutboxState::delivered)
                                    delivered.push_back(row.carrier.empty() ? row.id : row.carrier);
                                }
                                agent.store().load_last_attempts(
                                    std::move(delivered),
                                    [respond, hides, rows = *std::move(rows)](const Result<std::vector<store::DeliveryAttempt>>& last) {
                                      if (!last) return respond(error_of(last.error()));
                                      json::array out = deliveries_json(rows, *last);
                                      for (json::value& one : out) one.get_object().erase("trail");  // it would be its last line
                                      respond(list_response(std::move(out), hides));
                                    });
                              });
}

constexpr std::string_view below_incidents = "/v1/incidents/";
constexpr std::array incident_table = {
    Route{"GET", "/v1/alerts", "", false, Role::viewer, get_alerts},
    Route{"GET", "/v1/rules", "", false, Role::viewer, [](Context& c) { c.respond(json_response(rules_json(c.agent))); }},
    Route{"GET", "/v1/slos", "", false, Role::viewer, [](Context& c) { c.respond(json_response(slos_json(c.agent))); }},
    Route{"GET", "/v1/incidents", "", false, Role::viewer, get_incidents},
    Route{"GET", below_incidents, "", true, Role::viewer, get_incident},
    Route{"GET", below_incidents, "/document", true, Role::operator_, get_document},
    Route{"POST", "/v1/incidents", "", false, Role::operator_, post_verb<Verb::open>},
    Route{"POST", below_incidents, "/ack", true, Role::operator_, post_verb<Verb::ack>},
    Route{"POST", below_incidents, "/unack", true, Role::operator_, post_verb<Verb::unack>},
    Route{"POST", below_incidents, "/note", true, Role::operator_, post_verb<Verb::note>},
    Route{"POST", below_incidents, "/update", true, Role::operator_, post_verb<Verb::update>},
    Route{"POST", below_incidents, "/raise", true, Role::operator_, post_verb<Verb::raise>},
    Route{"POST", below_incidents, "/lower", true, Role::operator_, post_verb<Verb::lower>},
    Route{"POST", below_incidents, "/mitigate", true, Role::operator_, post_verb<Verb::mitigate>},
    Route{"POST", below_incidents, "/resolve", true, Role::operator_, post_verb<Verb::resolve>},
    Route{"POST", below_incidents, "/close", true, Role::operator_, post_verb<Verb::close>},
    Route{"POST", below_incidents, "/review", true, Role::operator_, post_verb<Verb::review>},
    Route{"GET", "/v1/silences", "", false, Role::viewer, get_silences},
    Route{"POST", "/v1/silences", "", false, Role::operator_, post_silence},
    Route{"POST", "/v1/silences/", "/expire", true, Role::operator_, expire_silence},
    Route{"GET", "/v1/outbox", "", false, Role::viewer, get_outbox},
};

}  // namespace

std::span<const Route> incident_routes() {
  return incident_table;
}

}  // namespace ronda::api
