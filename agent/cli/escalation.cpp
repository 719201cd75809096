// SPDX-License-Identifier: Apache-2.0
// `ronda escalation simulate LEVEL`: who would hear what, when, through which channel. Needs no agent, and asks the one that
// runs for the overrides that people made by hand: they decide who is called.
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

#include "api/people_json.hpp"
#include "base/clock.hpp"
#include "base/text.hpp"
#include "cli/by_hand.hpp"
#include "cli/cli.hpp"
#include "cli/ids.hpp"
#include "cli/local.hpp"
#include "cli/show.hpp"
#include "incident/moment.hpp"
#include "incident/people_candidate.hpp"
#include "incident/simulate.hpp"

namespace ronda::cli {
namespace json = boost::json;

namespace {

using namespace std::chrono_literals;

constexpr Nanos usual_length = 24h, most_length = std::chrono::days(366);

/// An option that is a duration; false: it is none, which was said.
bool read_length(const Options& options, std::string_view flag, std::optional<Nanos>& out) {
  if (!options.has(flag)) return true;
  const std::string text = options.value(flag);
  const auto length = parse_duration(text);
  if (length && *length <= most_length) {
    out = *length;
    return true;
  }
  complain("--" + std::string(flag) + " is a duration up to 366d like \"24h\", not \"" + escape_controls(text) + "\"");
  return false;
}

/// False: not meant, which was said.
bool read_scenario(const Options& options, const schedule::Candidate& candidate, const schedule::Zone& zone, escalation::Scenario& out) {
  const std::string word = level_typed(options.arguments[1]);
  const auto level = std::ranges::find(people::all_levels, word, config::level_name);
  if (level == people::all_levels.end()) {
    complain("\"" + escape_controls(word) + "\" is no level; it is p1, p2, p3 or p4");
    return false;
  }
  out.level = *level;
  std::optional<Nanos> lasts = usual_length;
  if (!read_length(options, "for", lasts) || !read_length(options, "ack", out.ack_after)) return false;
  out.lasts = *lasts;
  out.detected_ns = std::chrono::nanoseconds(std::chrono::floor<std::chrono::seconds>(wall_clock())).count();
  if (options.has("at")) {
    const auto at = people::parse_moment(options.value("at"), zone);
    if (!at) {
      complain("--at: " + at.error().message());
      return false;
    }
    out.detected_ns = *at;
  }
  out.service = options.value("service");
  if (out.service.empty() || candidate.generation.find_service(out.service) != nullptr) return true;
  std::vector<std::string_view> names;
  for (const config::Service& one : candidate.generation.services) names.push_back(one.name);
  const std::string_view near = nearest(out.service, names);
  complain("there is no service \"" + escape_controls(out.service) + "\"" +
           (near.empty() ? std::string() : "; did you mean \"" + std::string(near) + "\"?"));
  return false;
}

}  // namespace

int escalation(const Options& options) {
  if (options.arguments.size() != 2 || options.arguments.front() != "simulate") {
    complain("write: ronda escalation simulate p1 [--service NAME] [--at TIME] [--for 24h] [--ack 10m]");
    return exit_usage;
  }
  LocalParts parts;
  const schedule::Candidate candidate = load_local(options, parts);
  if (is_unread(candidate)) return exit_undetermined;
  const schedule::ZonePtr zone = candidate.zone;
  escalation::Scenario scenario;
  if (!read_scenario(options, candidate, *zone, scenario)) return exit_usage;
  config::Diagnostics told_already;
  const escalation::Staff staff = escalation::staff_of(candidate, parts.zones, scenario.detected_ns, ::geteuid(), told_already);
  if (candidate.has_errors()) complain(errors_text(candidate) + "; this is what holds with them");
  const ByHand by_hand = read_by_hand(options, **parts.zones.find("UTC"));
  const escalation::Simulation simulation = escalation::simulate(staff.people, staff.policies, scenario, by_hand.overrides);
  json::array overrides = by_hand.within(scenario.detected_ns, scenario.detected_ns + scenario.lasts.count());
  if (options.json) {
    json::object shown = api::simulation_json(simulation, scenario);
    shown["overrides"] = std::move(overrides);
    std::cout << json::serialize(shown) << "\n";
  } else {
    std::cout << escalation::print(simulation, staff.people, scenario, *zone);
    for (const json::value& one : overrides) {
      const json::object& object = one.as_object();
      std::cout << "on call by " << text_of(object, "oncall") << ": " << override_text(object) << "\n";
    }
  }
  const bool is_lost =
      std::ranges::any_of(simulation.told, [](const escalation::Told& one) { return one.reach.how == escalation::How::nowhere; });
  return candidate.has_errors() || is_lost ? exit_failed : exit_done;
}

}  // namespace ronda::cli
