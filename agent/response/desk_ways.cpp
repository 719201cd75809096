// SPDX-License-Identifier: Apache-2.0
// Whether messages find their people: that they do not is trouble of the agent's own, told by whatever way is left.
#include <algorithm>
#include <utility>

#include "response/desk.hpp"
#include "response/own_troubles.hpp"

namespace ronda::response {
namespace {

std::string lost_way(std::string_view service) {
  return std::string(incident::lost_trouble) + "/" + std::string(service.empty() ? "-" : service);
}

/// Whether the steps that begin the ladders of that service have somebody who can be reached; a level without one is nobody's.
bool can_reach(const Plan& plan, const std::string& service) {
  for (const escalation::Escalation& one : plan.policies.of(service).escalations) {
    for (const config::Level level : people::all_levels) {
      const escalation::Ladder* ladder = one.at(level);
      if (ladder == nullptr || ladder->steps.empty()) continue;
      const auto is_there = [&](const std::string& target) {
        return target == escalation::last_resort_target || plan.people.reachable(target, level, plan.people.notifiers);
      };
      if (std::ranges::none_of(ladder->steps.front().targets, is_there)) return false;
    }
  }
  return true;
}

}  // namespace

/// What was due while nobody could hear of it is due until somebody can.
void Desk::ask_again_for_unheard() {
  for (const auto& [id, since] : std::exchange(unheard_, {})) {
    if (since == escalation::never_asked)
      asked_.erase(id);
    else
      asked_[id] = since;
  }
}

/// That a service's messages do not go where they are to go is a trouble of the agent's own until one does; no way left is a P1.
/// Its own message may be lost, too: that is said once.
void Desk::tell_lost_ways(Output& out, std::int64_t now_ns) {
  for (const auto& [service, way] : std::exchange(ways_, {})) {
    const std::string whose = service.empty() ? "messages of no service" : "messages of service " + service;
    const std::string name = lost_way(service);
    // a message of one level says nothing of the ladder of another
    if (way == Way::as_said && can_reach(*plan_, service))
      set_own_trouble(name, config::Level::none, whose + " reach their people again", out, now_ns);
    if (way == Way::last_resort)
      set_own_trouble(name, config::Level::p2, whose + " reach none of their people: the last resort hears them", out, now_ns);
    if (way == Way::nobody)
      set_own_trouble(name, config::Level::p1, whose + " reach nobody: there is no notifier that can be used", out, now_ns);
  }
  if (!touched_.empty() || !notices_.empty()) tell(out, now_ns);
}

/// By another configuration; the next message says whether it is so. What is said of the agent itself goes by no notifier that has a
/// trouble of its own, whatever the configuration says.
void Desk::end_found_ways(Output& out, std::int64_t now_ns) {
  if (plan_->lost.way) return;
  const std::string of_services = std::string(incident::lost_trouble) + "/";
  const auto is_troubled = [&](const people::Notifier& one) {
    const rule::AlertState* sink = alert(std::string(own_prefix) + std::string(sink_trouble_prefix) + one.name);
    return sink != nullptr && sink->level != config::Level::none;
  };
  for (const std::string& name : own_troubles()) {
    if (!name.starts_with(of_services)) continue;
    std::string service = name.substr(of_services.size());
    if (service == "-") service.clear();
    if (service == own_service && std::ranges::all_of(plan_->notifiers, is_troubled)) continue;
    if (can_reach(*plan_, service))
      set_own_trouble(name, config::Level::none, "by the configuration its people can be reached", out, now_ns);
  }
}

}  // namespace ronda::response
