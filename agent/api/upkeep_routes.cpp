// SPDX-License-Identifier: Apache-2.0
// What people do by hand beside incidents: maintenance, another one on call, a test of the way, a dead letter sent again.
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>

#include "api/body.hpp"
#include "api/incident_json.hpp"
#include "api/json.hpp"
#include "api/route.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "config/diagnostic.hpp"
#include "incident/moment.hpp"
#include "response/upkeep.hpp"

namespace ronda::api {
namespace json = boost::json;

namespace {

constexpr std::size_t most_names = 64;
constexpr std::int64_t usual_dead = 100, most_dead = 1000;

json::array array_of(const std::vector<std::string>& names) {
  return json::array(names.begin(), names.end());
}

Status read_moment(const Body& body, std::string_view key, const schedule::Zone& zone, std::int64_t& out) {
  RONDA_TRY(const auto text, body.text(key, 64));
  if (text.empty()) return done();
  const auto moment = people::parse_moment(text, zone);
  if (!moment) return moment.error().with_context("`" + std::string(key) + "`");
  out = *moment;
  return done();
}

// ---- maintenance ----------------------------------------------------------------------------

json::object occurrence_json(AgentView& agent, std::string_view kind, std::string_view name, const incident::Coverage& what,
                             const incident::Occurrence& when, bool active) {
  json::array hides;
  if (active) {
    const response::Desk& desk = desk_of(agent);
    for (const incident::Firing& one : desk.incidents().firing(desk.plan().settings)) {
      if (!what.covers({one.alert, one.check, one.service, one.level, one.tags})) continue;
      hides.push_back(json::object{{"alert", one.alert.empty() ? json::value(nullptr) : json::value(one.alert)},
                                   {"title", one.title.empty() ? json::value(nullptr) : json::value(one.title)},
                                   {"incident", one.incident.empty() ? json::value(nullptr) : json::value(one.incident)},
                                   {"level", level_json(one.level)}});
    }
  }
  return {{"kind", kind},
          {"id", name},
          {"services", array_of(what.services)},
          {"checks", array_of(what.checks)},
          {"tags", array_of(what.tags)},
          {"from", time_json(when.begin_ns)},
          {"until", time_json(when.end_ns)},
          {"active", active},
          {"hides", std::move(hides)}};
}

json::object one_off_json(AgentView& agent, const incident::OneOff& one) {
  const std::int64_t now = agent.response().now_ns();
  const response::Desk& desk = desk_of(agent);
  const auto open = incident::active_at(one, now, desk.incidents().firing(desk.plan().settings));
  const incident::Occurrence planned{one.from_ns, one.from_ns + one.lasts_ns};
  json::object out = occurrence_json(agent, "one-off", one.id, one.what, open.value_or(planned), open.has_value());
  out["owner"] = to_text(one.owner);
  out["reason"] = one.reason;
  out["until_ok"] = one.until_ok;
  out["at_most"] = one.until_ok ? time_json(one.from_ns + one.at_most_ns) : json::value(nullptr);
  out["ended"] = time_json(one.ended_ns);
  out["ended_by"] = one.ended_ns == 0 ? json::value(nullptr) : json::value(to_text(one.ended_by));
  return out;
}

/// Begins at the last or the next instant of its calendar, whichever counts now.
json::object window_json(AgentView& agent, const incident::Window& window) {
  const std::int64_t now = agent.response().now_ns();
  const response::Desk& desk = desk_of(agent);
  const auto open = incident::active_at(window, now, desk.incidents().firing(desk.plan().settings));
  incident::Occurrence when = open.value_or(incident::Occurrence{});
  if (!open) {
    const auto at =
        std::chrono::floor<std::chrono::seconds>(std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(now)));
    if (const auto next = window.calendar.next(at)) {
      when.begin_ns = std::chrono::nanoseconds(next->time_since_epoch()).count();
      when.end_ns = when.begin_ns + window.lasts_ns;
    }
  }
  json::object out = occurrence_json(agent, "window", window.name, window.what, when, open.has_value());
  out["title"] = window.title.empty() ? json::value(nullptr) : json::value(window.title);
  out["owner"] = window.owner;
  out["reason"] = window.reason;
  out["until_ok"] = window.until_ok;
  return out;
}

void get_maintenance(Context& c) {
  json::array out;
  const response::Desk& desk = desk_of(c.agent);
  const bool all = c.request.parameter("all") == "1";
  for (const incident::OneOff& one : desk.upkeep().one_offs) {
    if (all || one.ended_ns == 0) out.push_back(one_off_json(c.agent, one));
  }
  for (const incident::Window& window : desk.plan().windows) out.push_back(window_json(c.agent, window));
  c.respond(json_response(out));
}

Result<incident::OneOffRequest> read_maintenance(const std::string& text, const schedule::Zone& zone) {
  RONDA_TRY(const Body body,
            Body::parse(text, {"services", "checks", "tags", "reason", "from", "for", "until_ok", "at_most", "announce", "notify"}));
  incident::OneOffRequest request;
  RONDA_TRY(request.what.services, body.texts("services", most_names, incident::max_name_bytes));
  RONDA_TRY(request.what.checks, body.texts("checks", most_names, incident::max_name_bytes));
  RONDA_TRY(request.what.tags, body.texts("tags", most_names, incident::max_name_bytes));
  RONDA_TRY(request.notify, body.texts("notify", most_names, incident::max_name_bytes));
  RONDA_TRY(request.reason, body.text("reason", incident::max_text_bytes));
  RONDA_TRY(request.lasts_ns, body.duration_ns("for"));
  RONDA_TRY(request.at_most_ns, body.duration_ns("at_most"));
  RONDA_TRY(request.until_ok, body.flag("until_ok"));
  RONDA_TRY(const auto before, body.texts("announce", most_names, 64));
  for (const std::string& one : before) {
    const auto length = parse_duration(one);
    if (!length) return Error(Errc::invalid, "`announce` must be a list of durations like \"1h\"");
    request.announce_ns.push_back(length->count());
  }
  RONDA_TRY([[maybe_unused]] auto from, read_moment(body, "from", zone, request.from_ns));
  return request;
}

std::function<void(const Result<incident::OneOff>&)> answer_one_off(const Context& c) {
  return [&agent = c.agent, respond = c.respond](const Result<incident::OneOff>& one) {
    one ? respond(json_response(one_off_json(agent, *one))) : respond(error_of(one.error()));
  };
}

void post_maintenance(Context& c) {
  auto request = read_maintenance(c.request.body, *desk_of(c.agent).plan().zone);
  if (!request) return c.respond(error_of(request.error()));
  request->owner = author_of(c);
  c.agent.response().maintain(*std::move(request), answer_one_off(c));
}

/// A window of conf.d comes again by its calendar: who ends it says so where it stands.
Error end_of_window(const Context& c, const incident::Window& window) {
  const response::Desk& desk = desk_of(c.agent);
  const auto open = incident::active_at(window, c.agent.response().now_ns(), desk.incidents().firing(desk.plan().settings));
  return {Errc::exists,
          "`" + window.name + "` is a window of conf.d (" + config::place_text(window.place, c.agent.active().sources) + "), " +
              (open ? "open until " + people::moment_text(open->end_ns, *desk.plan().zone) : std::string("not open now")) +
              ": only what `ronda maintenance start` began is ended by hand; shorten it there or take it out, then `ronda reload`"};
}

void end_maintenance(Context& c) {
  const auto& windows = desk_of(c.agent).plan().windows;
  const auto window = std::ranges::find(windows, c.name, &incident::Window::name);
  if (window != windows.end()) return c.respond(error_of(end_of_window(c, *window)));
  c.agent.response().end_maintenance(std::string(c.name), author_of(c), answer_one_off(c));
}

// ---- on call --------------------------------------------------------------------------------

}  // namespace

json::object override_json(const incident::OnCallOverride& one) {
  return {{"id", one.id},
          {"oncall", one.rota},
          {"contact", one.contact},
          {"author", to_text(one.author)},
          {"reason", one.reason},
          {"from", time_json(one.from_ns)},
          {"to", time_json(one.until_ns)},
          {"ended", time_json(one.ended_ns)},
          {"ended_by", one.ended_ns == 0 ? json::value(nullptr) : json::value(to_text(one.ended_by))}};
}

namespace {

void get_overrides(Context& c) {
  json::array out;
  const std::int64_t now = c.agent.response().now_ns();
  const bool all = c.request.parameter("all") == "1";
  for (const incident::OnCallOverride& one : desk_of(c.agent).upkeep().overrides) {
    if (all || !one.is_over(now)) out.push_back(override_json(one));
  }
  c.respond(json_response(out));
}

Result<incident::OnCallOverride> read_override(const std::string& text, const schedule::Zone& zone, std::int64_t now_ns) {
  RONDA_TRY(const Body body, Body::parse(text, {"who", "from", "to", "for", "reason"}));
  incident::OnCallOverride out;
  RONDA_TRY(out.contact, body.text("who", incident::max_name_bytes));
  RONDA_TRY(out.reason, body.text("reason", incident::max_text_bytes));
  RONDA_TRY([[maybe_unused]] auto from, read_moment(body, "from", zone, out.from_ns));
  RONDA_TRY([[maybe_unused]] auto to, read_moment(body, "to", zone, out.until_ns));
  RONDA_TRY(const auto length, body.duration_ns("for"));
  if (length != 0 && out.until_ns != 0) return Error(Errc::invalid, "say `to` or `for`, not both");
  if (length > incident::longest_override_ns)
    return Error(Errc::range, "an override ends within " + format_duration(Nanos(incident::longest_override_ns)));
  if (length != 0) out.until_ns = std::max(out.from_ns, now_ns) + length;
  return out;
}

std::function<void(const Result<incident::OnCallOverride>&)> answer_override(const Context& c) {
  return [respond = c.respond](const Result<incident::OnCallOverride>& one) {
    one ? respond(json_response(override_json(*one))) : respond(error_of(one.error()));
  };
}

void post_override(Context& c) {
  const response::Plan& plan = desk_of(c.agent).plan();
  const people::Rota* rota = plan.people.find_oncall(c.name);
  auto wanted = read_override(c.request.body, rota == nullptr ? *plan.zone : *rota->zone, c.agent.response().now_ns());
  if (!wanted) return c.respond(error_of(wanted.error()));
  wanted->rota = c.name;
  wanted->author = author_of(c);
  c.agent.response().override_oncall(*std::move(wanted), answer_override(c));
}

void end_override(Context& c) {
  c.agent.response().end_override(std::string(c.name), author_of(c), answer_override(c));
}

// ---- messages -------------------------------------------------------------------------------

void post_test(Context& c) {
  const response::Desk& desk = desk_of(c.agent);
  const auto contacts =
      response::contacts_of(desk.plan(), {std::string(c.name)}, response::overrides_of(desk.upkeep()), c.agent.response().now_ns());
  const auto answer = [respond = c.respond, contacts](const Result<std::string>& key) {
    if (!key) return respond(error_of(key.error()));
    respond(json_response(json::object{{"test", key->substr(response::test_prefix.size())}, {"contacts", array_of(contacts)}}, 202));
  };
  c.agent.response().send_test(std::string(c.name), author_of(c), answer);
}

/// Each envelope of a test with its trail.
void get_test(Context& c) {
  const std::string prefix = std::string(response::test_prefix) + std::string(c.name) + "/";
  c.agent.store().list_outbox_prefix(
      prefix, [&store = c.agent.store(), respond = c.respond, prefix](Result<std::vector<store::OutboxRow>> rows) {
        if (!rows) return respond(error_of(rows.error()));
        if (rows->empty()) return respond(error_response(404, "there is no such test"));
        store.load_trail_prefix(prefix, [respond, rows = *std::move(rows)](const Result<std::vector<store::DeliveryAttempt>>& trail) {
          trail ? respond(json_response(deliveries_json(rows, *trail))) : respond(error_of(trail.error()));
        });
      });
}

void get_dead(Context& c) {
  std::int64_t limit = usual_dead;
  if (const std::string_view text = c.request.parameter("limit"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc() || end != text.data() + text.size() || limit < 1 || limit > most_dead)
      return c.respond(error_response(400, "limit is a number from 1 to " + std::to_string(most_dead)));
  }
  c.agent.store().list_dead(limit, [respond = c.respond, hides = !is_operator(c)](const Result<std::vector<store::OutboxRow>>& rows) {
    if (!rows) return respond(error_of(rows.error()));
    json::value out = deliveries_json(*rows, {});
    if (hides) hide_all_from_viewer(out);
    respond(json_response(std::move(out)));
  });
}

void get_sinks(Context& c) {
  json::value out = sinks_json(c.agent);
  if (!is_operator(c)) hide_all_from_viewer(out);
  c.respond(json_response(std::move(out)));
}

/// {"id": ".."}: an id has slashes, so it stands in the body.
void post_retry(Context& c) {
  const auto read = [&]() -> Result<std::string> {
    RONDA_TRY(const Body body, Body::parse(c.request.body, {"id"}));
    return body.text("id", 1024);
  };
  auto id = read();
  if (!id) return c.respond(error_of(id.error()));
  if (id->empty()) return c.respond(error_response(400, "`id` is missing: which message; GET /v1/dead-letters shows them"));
  c.agent.response().retry(*id, [respond = c.respond, id = *id](const Result<Unit>& owed) {
    owed ? respond(json_response(json::object{{"id", id}, {"owed", true}}, 202)) : respond(error_of(owed.error()));
  });
}

constexpr std::array upkeep_table = {
    Route{"GET", "/v1/maintenance", "", false, Role::viewer, get_maintenance},
    Route{"POST", "/v1/maintenance", "", false, Role::operator_, post_maintenance},
    Route{"POST", "/v1/maintenance/", "/end", true, Role::operator_, end_maintenance},
    Route{"GET", "/v1/overrides", "", false, Role::viewer, get_overrides},
    Route{"POST", "/v1/oncall/", "/override", true, Role::operator_, post_override},
    Route{"POST", "/v1/overrides/", "/end", true, Role::operator_, end_override},
    Route{"POST", "/v1/contacts/", "/test", true, Role::operator_, post_test},
    Route{"GET", "/v1/tests/", "", true, Role::operator_, get_test},
    Route{"GET", "/v1/sinks", "", false, Role::viewer, get_sinks},
    Route{"GET", "/v1/dead-letters", "", false, Role::viewer, get_dead},
    Route{"POST", "/v1/dead-letters/retry", "", false, Role::operator_, post_retry},
};

}  // namespace

std::span<const Route> upkeep_routes() {
  return upkeep_table;
}

}  // namespace ronda::api
