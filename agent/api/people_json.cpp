// SPDX-License-Identifier: Apache-2.0
#include "api/people_json.hpp"

#include <boost/json.hpp>

#include "api/json.hpp"
#include "base/units.hpp"

namespace ronda::api {
namespace json = boost::json;

namespace {

json::array addresses_json(const std::vector<escalation::Address>& addresses) {
  json::array out;
  for (const escalation::Address& one : addresses) {
    json::object address;
    address["notifier"] = one.notifier;
    address["to"] = text_or_null(one.shown);
    address["held_until"] = one.held_until_ns ? time_json(*one.held_until_ns) : json::value();
    out.push_back(std::move(address));
  }
  return out;
}

json::array due_json(const std::vector<escalation::Due>& due) {
  json::array out;
  for (const escalation::Due& one : due) {
    json::object step;
    step["escalation"] = one.escalation;
    step["level"] = config::level_name(one.level);
    step["step"] = one.owner ? json::value("owner") : json::value(one.step + 1);
    step["why"] = escalation::why_name(one.why);
    step["business"] = one.business;
    step["targets"] = json::value_from(one.targets);
    out.push_back(std::move(step));
  }
  return out;
}

json::object told_json(const escalation::Told& told, const escalation::Scenario& scenario) {
  json::array recipients;
  for (const escalation::Recipient& one : told.reach.recipients) {
    json::object person;
    person["contact"] = one.contact;
    person["via"] = text_or_null(one.via);
    person["business"] = one.business;
    person["channels"] = addresses_json(one.addresses);
    person["fallback"] = addresses_json(one.fallback);
    recipients.push_back(std::move(person));
  }
  json::object out;
  out["at"] = time_json(told.at_ns);
  out["after"] = format_duration(Nanos(told.at_ns - scenario.detected_ns));
  out["how"] = escalation::how_name(told.reach.how);
  out["due"] = due_json(told.due);
  out["recipients"] = std::move(recipients);
  out["broadcast"] = addresses_json(told.reach.broadcast);
  out["missed"] = json::value_from(told.reach.missed);
  return out;
}

std::string_view source_name(people::Shift::Source source) {
  return source == people::Shift::Source::rota ? "rota" : source == people::Shift::Source::calendar ? "calendar" : "override";
}

json::object stretch_json(const people::Stretch& stretch) {
  json::object out;
  out["from"] = time_json(stretch.begin_ns);
  out["to"] = time_json(stretch.end_ns);
  return out;
}

void hide_in(json::object& object, std::string_view key) {
  json::value* addresses = object.if_contains(json::string_view(key.data(), key.size()));
  if (addresses == nullptr || !addresses->is_array()) return;
  for (json::value& address : addresses->get_array()) address.as_object()["to"] = nullptr;
}

}  // namespace

json::object simulation_json(const escalation::Simulation& simulation, const escalation::Scenario& scenario) {
  json::array told;
  for (const escalation::Told& one : simulation.told) told.push_back(told_json(one, scenario));
  json::object out;
  out["level"] = config::level_name(scenario.level);
  out["service"] = text_or_null(scenario.service);
  out["detected"] = time_json(scenario.detected_ns);
  out["for"] = format_duration(scenario.lasts);
  out["told"] = std::move(told);
  out["cut"] = simulation.is_cut;
  return out;
}

void hide_addresses(json::object& simulation) {
  for (json::value& told : simulation.at("told").as_array()) {
    hide_in(told.as_object(), "broadcast");
    for (json::value& person : told.as_object().at("recipients").as_array()) {
      hide_in(person.as_object(), "channels");
      hide_in(person.as_object(), "fallback");
    }
  }
}

json::object rota_json(const people::Rota& rota, const people::Stretch& asked, std::span<const people::Override> more,
                       json::array overrides) {
  json::array now, shifts, gaps;
  for (const people::Shift& one : people::on_call(rota, asked.begin_ns, more)) now.push_back(json::value(one.contact));
  for (const people::Shift& one : people::shifts(rota, asked.begin_ns, asked.end_ns, more)) {
    json::object shift = stretch_json(one.when);
    shift["contact"] = one.contact;
    shift["source"] = source_name(one.source);
    shifts.push_back(std::move(shift));
  }
  for (const people::Stretch& one : people::gaps(rota, asked.begin_ns, asked.end_ns, more)) gaps.push_back(stretch_json(one));
  json::object out;
  out["name"] = rota.name;
  out["title"] = rota.title;
  out["zone"] = rota.zone->name();
  out["at"] = time_json(asked.begin_ns);
  out["on_call"] = std::move(now);
  out["shifts"] = std::move(shifts);
  out["gaps"] = std::move(gaps);
  out["overrides"] = std::move(overrides);
  return out;
}

}  // namespace ronda::api
