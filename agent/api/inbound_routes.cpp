// SPDX-License-Identifier: Apache-2.0
// Where others post alerts that they judged. Whose they are is said by the door, never by what is posted.
#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "api/inbound.hpp"
#include "api/route.hpp"
#include "base/clock.hpp"

namespace ronda::api {
namespace json = boost::json;

namespace {

constexpr std::string_view token_door = "token:";

/// Operators; and reporters whose token names this inbox.
bool may_post(const Identity& who, std::string_view inbox) {
  if (static_cast<int>(who.role) >= static_cast<int>(Role::operator_)) return true;
  return who.role == Role::reporter && std::ranges::find(who.inboxes, inbox) != who.inboxes.end();
}

std::string_view sender_of(const Identity& who) {
  std::string_view name = who.name;
  if (name.starts_with(token_door)) name.remove_prefix(token_door.size());
  return name;
}

void post(Context& c, std::string_view inbox, Result<response::InboundBatch> (*parse)(const std::string&, const InboundContext&)) {
  const Identity& who = c.request.who;
  if (!may_post(who, inbox)) {
    return c.respond(error_response(403, who.name + " is " + std::string(name_of(who.role)) +
                                             "; this needs operator, or a reporter's token with `inbox = [\"" + std::string(inbox) +
                                             "\"]`"));
  }
  const response::Desk& desk = c.agent.response().desk();
  auto batch = parse(c.request.body, {sender_of(who), desk.plan().names.services, wall_clock().count()});
  if (!batch) return c.respond(error_response(400, batch.error().message()));
  batch->author = who.name;
  const auto is_new = [&](const response::InboundAlert& one) {
    return one.level != config::Level::none && desk.alert(one.name) == nullptr;
  };
  const auto added = static_cast<std::size_t>(std::ranges::count_if(batch->alerts, is_new));
  if (desk.inbound_count() + added > response::most_inbound)
    return c.respond(error_response(
        429, "more than " + std::to_string(response::most_inbound) + " alerts of others would fire at once; nothing of this was taken"));
  const std::size_t count = batch->alerts.size();
  c.agent.response().inbound(*std::move(batch), [respond = c.respond, count](const incident::Reply& reply) {
    if (!reply.done) return respond(error_response(503, reply.text));
    respond(json_response(json::object{{"taken", count}}));
  });
}

void post_alertmanager(Context& c) {
  post(c, "@alertmanager", parse_alertmanager);
}
void post_event(Context& c) {
  post(c, "@events", parse_event);
}

constexpr std::array inbound_table = {
    Route{"POST", "/v1/alertmanager", "", false, Role::reporter, post_alertmanager},
    Route{"POST", "/v1/events", "", false, Role::reporter, post_event},
};

}  // namespace

std::span<const Route> inbound_routes() {
  return inbound_table;
}

}  // namespace ronda::api
