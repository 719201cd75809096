// SPDX-License-Identifier: Apache-2.0
// Whose turn it is, and who would hear what: what the verbs `oncall show` and `escalation simulate` answer, of the
// configuration that runs.
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>

#include "api/incident_json.hpp"
#include "api/json.hpp"
#include "api/people_json.hpp"
#include "api/route.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "incident/moment.hpp"
#include "response/upkeep.hpp"

namespace ronda::api {
namespace json = boost::json;

namespace {

using namespace std::chrono_literals;

constexpr unsigned usual_days = 14, most_days = 366;
constexpr Nanos usual_length = 24h, most_length = 31 * 24h;  // it is worked out while everything else waits

Result<std::int64_t> read_at(const Context& c) {
  const std::string_view text = c.request.parameter("at");
  if (text.empty()) return c.agent.response().now_ns() / 1'000'000'000 * 1'000'000'000;  // whose turn is judged by that clock
  auto at = people::parse_moment(text, *desk_of(c.agent).plan().zone);
  if (!at) return at.error().with_context("at");
  return *at;
}

template <class Known>
Error no_such(std::string_view kind, std::string_view name, const Known& names) {
  const std::string_view near = nearest(name, names);
  return {Errc::not_found, "there is no " + std::string(kind) + " `" + repair_utf8(name, 64) + "`" +
                               (near.empty() ? std::string() : "; did you mean `" + std::string(near) + "`?")};
}

// ---- on call --------------------------------------------------------------------------------

/// ?name=ops&at=TIME&days=14; without a name: all.
Result<json::array> rotas_json(const Context& c) {
  RONDA_TRY(const std::int64_t at, read_at(c));
  unsigned days = usual_days;
  if (const std::string_view text = c.request.parameter("days"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), days);
    if (error != std::errc() || end != text.data() + text.size() || days < 1 || days > most_days)
      return Error(Errc::invalid, "days is a number from 1 to " + std::to_string(most_days));
  }
  const response::Desk& desk = desk_of(c.agent);
  const std::string_view wanted = c.request.parameter("name");
  std::vector<std::string_view> names;
  for (const people::Rota& one : desk.plan().people.oncalls) names.push_back(one.name);
  if (!wanted.empty() && desk.plan().people.find_oncall(wanted) == nullptr) return no_such("oncall", wanted, names);
  const escalation::Overrides overrides = response::overrides_of(desk.upkeep());
  json::array out;
  for (const people::Rota& one : desk.plan().people.oncalls) {
    if (!wanted.empty() && one.name != wanted) continue;
    json::array by_hand;
    for (const incident::OnCallOverride& said : desk.upkeep().overrides) {
      if (said.rota == one.name && !said.is_over(at)) by_hand.push_back(override_json(said));
    }
    const auto more = overrides.find(one.name);
    const std::span<const people::Override> said = more == overrides.end() ? std::span<const people::Override>() : more->second;
    out.push_back(rota_json(one, {at, at + Nanos(std::chrono::days(days)).count()}, said, std::move(by_hand)));
  }
  return out;
}

void get_oncall(Context& c) {
  auto out = rotas_json(c);
  out ? c.respond(json_response(*std::move(out))) : c.respond(error_of(out.error()));
}

// ---- escalation -----------------------------------------------------------------------------

Result<Nanos> read_length(const Context& c, std::string_view key, Nanos usual) {
  const std::string_view text = c.request.parameter(key);
  if (text.empty()) return usual;
  const auto length = parse_duration(text);
  if (length && *length <= most_length) return *length;
  return Error(Errc::invalid, std::string(key) + " is a duration up to " + format_duration(most_length) + " like 24h");
}

/// ?level=p1&service=NAME&at=TIME&for=24h&ack=10m
Result<escalation::Scenario> read_scenario(const Context& c) {
  escalation::Scenario out;
  const std::string_view word = c.request.parameter("level");
  const auto level = std::ranges::find(people::all_levels, word, config::level_name);
  if (level == people::all_levels.end()) return Error(Errc::invalid, "level is p1, p2, p3 or p4");
  out.level = *level;
  RONDA_TRY(out.detected_ns, read_at(c));
  RONDA_TRY(out.lasts, read_length(c, "for", usual_length));
  if (!c.request.parameter("ack").empty()) {
    RONDA_TRY(out.ack_after, read_length(c, "ack", 0ns));
  }
  out.service = c.request.parameter("service");
  const auto& services = desk_of(c.agent).plan().names.services;
  if (out.service.empty() || std::ranges::find(services, out.service) != services.end()) return out;
  return no_such("service", out.service, std::vector<std::string_view>(services.begin(), services.end()));
}

void get_escalation(Context& c) {
  const auto scenario = read_scenario(c);
  if (!scenario) return c.respond(error_of(scenario.error()));
  const response::Plan& plan = desk_of(c.agent).plan();
  const auto told = escalation::simulate(plan.people, plan.policies, *scenario, response::overrides_of(desk_of(c.agent).upkeep()));
  json::object out = simulation_json(told, *scenario);
  if (!is_operator(c)) hide_addresses(out);
  c.respond(json_response(std::move(out)));
}

constexpr std::array people_table = {
    Route{"GET", "/v1/oncall", "", false, Role::viewer, get_oncall},
    Route{"GET", "/v1/escalation", "", false, Role::viewer, get_escalation},
};

}  // namespace

std::span<const Route> people_routes() {
  return people_table;
}

}  // namespace ronda::api
