// SPDX-License-Identifier: Apache-2.0
#include "incident/simulate.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "incident/moment.hpp"

namespace ronda::escalation {
namespace {

std::string address_text(const Address& address, const schedule::Zone& zone) {
  std::string out = address.notifier;
  if (!address.shown.empty()) out += " " + escape_controls(address.shown);
  if (address.held_until_ns) out += " (held until " + people::moment_text(*address.held_until_ns, zone) + ")";
  return out;
}

std::string addresses_text(const std::vector<Address>& addresses, const schedule::Zone& zone) {
  std::string out;
  for (const Address& one : addresses) out += (out.empty() ? "" : "; ") + address_text(one, zone);
  return out;
}

/// "default p1 step 2, severity p1 step 1"
std::string reasons_text(const std::vector<Due>& due) {
  std::string out;
  for (const Due& one : due) {
    out += (out.empty() ? "" : ", ") + one.escalation + " " + std::string(config::level_name(one.level));
    const bool says_all = one.escalation == "last-resort" || one.owner;
    if (one.owner) out += " owner";
    if (!says_all) out += " step " + std::to_string(one.step + 1);
    if (one.why != Why::start && one.why != Why::owner) out += " (" + std::string(why_name(one.why)) + ")";
  }
  return out;
}

std::string head_text(const Scenario& scenario, const schedule::Zone& zone) {
  std::string level(config::level_name(scenario.level));
  std::ranges::transform(level, level.begin(), [](char c) { return c == 'p' ? 'P' : c; });
  std::string out = level + (scenario.service.empty() ? " of no service" : " of service " + scenario.service);
  out += ", detected " + people::moment_text(scenario.detected_ns, zone) + ", for " + format_duration(scenario.lasts);
  return out + (scenario.ack_after ? ", acknowledged after " + format_duration(*scenario.ack_after) : ", never acknowledged") + "\n";
}

std::string told_text(const Told& told, const people::People& people, const schedule::Zone& zone) {
  std::string out;
  for (const Recipient& one : told.reach.recipients) {
    const people::Contact* contact = people.find_contact(one.contact);
    out += "  " + one.contact;
    if (contact != nullptr && contact->title != contact->name) out += " (" + escape_controls(contact->title) + ")";
    if (!one.via.empty()) out += ", " + one.via;
    out += ": " + addresses_text(one.addresses, zone);
    if (!one.fallback.empty()) out += "; else " + addresses_text(one.fallback, zone);
    if (one.business) out += " [notice]";
    out += "\n";
  }
  for (const Address& one : told.reach.broadcast) out += "  everybody on " + address_text(one, zone) + "\n";
  if (told.reach.how == How::nowhere) out += "  NOBODY: there is no notifier that can be used\n";
  if (told.reach.how == How::unnamed) out += "  nobody: neither a ladder nor [agent] last_resort names anybody for it\n";
  if (told.reach.how != How::people) out += "  -- " + std::string(how_name(told.reach.how)) + "\n";
  for (const std::string& one : told.reach.missed) out += "  -- " + one + "\n";
  return out;
}

}  // namespace

Simulation simulate(const people::People& people, const Policies& policies, const Scenario& scenario, const Overrides& overrides) {
  const Policy& policy = policies.of(scenario.service);
  IncidentClock clock;
  clock.detected_ns = scenario.detected_ns;
  clock.level = scenario.level;
  if (scenario.ack_after) clock.acked.push_back({scenario.detected_ns + scenario.ack_after->count(), Stretch::open});
  const std::int64_t last_ns = scenario.detected_ns + scenario.lasts.count();
  Simulation out;
  std::int64_t asked_ns = never_asked;
  for (std::optional<std::int64_t> now_ns = scenario.detected_ns; now_ns && *now_ns <= last_ns;) {
    if (out.told.size() == max_told) {
      out.is_cut = true;
      break;
    }
    Answer answer = due(policy, clock, asked_ns, *now_ns);
    if (!answer.due.empty()) {
      Reach reach = route(people, policy, scenario.level, answer.due, *now_ns, overrides);
      out.told.push_back({*now_ns, std::move(answer.due), std::move(reach)});
    }
    asked_ns = *now_ns;
    now_ns = answer.next_ns;
  }
  return out;
}

std::string print(const Simulation& simulation, const people::People& people, const Scenario& scenario, const schedule::Zone& zone) {
  std::string out = head_text(scenario, zone);
  for (const Told& told : simulation.told) {
    out += "+" + format_duration(Nanos(told.at_ns - scenario.detected_ns)) + "  " + people::moment_text(told.at_ns, zone) + "  " +
           reasons_text(told.due) + "\n";
    out += told_text(told, people, zone);
  }
  if (simulation.told.empty()) out += "nobody is told within that time\n";
  if (simulation.is_cut) out += "cut after " + std::to_string(max_told) + " messages\n";
  return out;
}

}  // namespace ronda::escalation
