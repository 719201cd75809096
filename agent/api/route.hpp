// SPDX-License-Identifier: Apache-2.0
// What the files of routes share: one request on its way, and the rows of the table of routes.
#pragma once

#include <boost/json/value.hpp>
#include <span>
#include <string_view>

#include "api/routes.hpp"

namespace ronda::api {

struct Context {
  AgentView& agent;
  const Request& request;
  std::string_view name;  // the part of the path that a pattern leaves open
  Respond respond;
};

inline bool is_operator(const Context& c) {
  return static_cast<int>(c.request.who.role) >= static_cast<int>(Role::operator_);
}

struct Route {
  std::string_view method;
  std::string_view before, after;  // the path; a name stands between them where `named`
  bool named;
  Role role;
  void (*answer)(Context&);
};

Response json_response(const boost::json::value& value, int status = 200);

/// Alerts that others judged.
std::span<const Route> inbound_routes();
/// Alerts, incidents, silences and the outbox.
std::span<const Route> incident_routes();
/// Roles in an incident, and tickets at vendors.
std::span<const Route> help_routes();
/// Maintenance, overrides of on-call, tests and dead letters.
std::span<const Route> upkeep_routes();
/// Whose turn it is, and who would hear what.
std::span<const Route> people_routes();
/// What was measured.
std::span<const Route> sample_routes();

boost::json::object override_json(const incident::OnCallOverride& one);
/// Who asks, as it is recorded; uid 0 is nobody in particular, whoever has it.
incident::Author author_of(const Context& c);
Response error_of(const Error& error);

}  // namespace ronda::api
