// SPDX-License-Identifier: Apache-2.0
#include "estate.hpp"

#include <stdexcept>

#include "agent/incident/staffed.hpp"

namespace ronda::sim {
namespace {

const std::string net = R"(
[check.net]
use = "a.b"
every = "1m"
timeout = "10s"
service = "infra"
)";

const std::string checks = R"(
[check.api]
use = "a.b"
every = "1m"
timeout = "10s"
service = "shop"
severity = "p1"
[check.page]
use = "a.b"
every = "1m"
timeout = "10s"
service = "shop"
after = ["net"]
severity = "p3"
[check.db]
use = "a.b"
every = "1m"
timeout = "10s"
service = "data"
[service.shop]
checks = ["api", "page"]
[service.data]
checks = ["db"]
[service.infra]
checks = ["net"]
)";

const std::string first = net + "severity = \"p2\"\n" + checks + R"(
[check.disk]
use = "a.b"
every = "1m"
timeout = "10s"
severity = "p2"
[alert.db-down]
p1 = "db.status == critical"
p2 = "db.status >= warning"
for = "2m"
[contact.ana]
channels = [{ notifier = "log" }, { notifier = "chat", levels = ["p1"] }, { notifier = "mail", to = "ana@example.com", fallback = true }]
[contact.bo]
channels = [{ notifier = "mail", to = "bo@example.com" }]
[contact.cy]
channels = [{ notifier = "chat", levels = ["p1", "p2", "p3"] }, { notifier = "log", fallback = true }]
[oncall.ops]
members = ["ana"]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ops"], repeat = ["15m"] }, { from = "30m", notify = ["bo"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["ops", "cy"] }, { from = "1h", notify = ["bo"] }]
[window.backup]
at = "*-*-* *:40"
lasts = "8m"
checks = ["disk"]
announce = ["5m"]
owner = "ana"
reason = "the backup fills it"
)";

/// Without the check of disks, with other conditions and another ladder; and nothing judges what `page` waits for.
const std::string second = net + checks + R"(
[alert.db-down]
p2 = "db.status == critical"
p3 = "db.status >= warning"
for = "1m"
[contact.ana]
channels = [{ notifier = "log" }]
[contact.bo]
channels = [{ notifier = "mail", to = "bo@example.com" }, { notifier = "chat", fallback = true }]
[contact.cy]
channels = [{ notifier = "chat" }]
[oncall.ops]
members = ["bo"]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ops", "cy"], repeat = ["10m", "20m"] }]
[escalation.default.p2]
steps = [{ from = "5m", notify = ["ops"] }]
)";

incident::KnownNames names_of(const config::Generation& generation, const rule::RuleSet& rules) {
  incident::KnownNames names;
  for (const rule::Alert& alert : rules.alerts) names.alerts.push_back(alert.name);
  names.checks.assign(check_names.begin(), check_names.end());
  for (const config::Service& service : generation.services) names.services.push_back(service.name);
  return names;
}

std::shared_ptr<const response::Plan> compile(const std::string& text) {
  test::Staffed staffed = test::staff(text, {{"chat", true, false, test::chat()}, {"log", true, false, test::machine()}, {"mail", true}});
  auto plan = std::make_shared<response::Plan>();
  std::vector<config::Disabled> disabled;
  plan->rules = rule::load_alerts(staffed.generation, rule::facts_of(staffed.generation), rule::severities_of(staffed.generation),
                                  staffed.sources, staffed.diagnostics, disabled);
  plan->people = std::move(staffed.people);
  plan->policies = std::move(staffed.policies);
  plan->notifiers = staffed.notifiers;
  plan->zone = test::zone("UTC");
  plan->settings.host = "shop1";
  for (const rule::Need& need : plan->rules.needs)
    plan->wants.push_back({need.check, need.metric, need.window_ns, need.baseline, std::int64_t{60} * 1'000'000'000});
  for (const config::Service& service : staffed.generation.services) plan->service_titles[service.name] = service.title;
  plan->names = names_of(staffed.generation, plan->rules);
  plan->windows = incident::compile_windows(staffed.generation.raw("window"), plan->names, test::zones(), plan->zone, staffed.diagnostics);
  plan->tokens = {"prometheus"};
  if (staffed.diagnostics.has_errors()) throw std::runtime_error(staffed.printed());
  return plan;
}

}  // namespace

std::shared_ptr<const response::Plan> plan(std::size_t number) {
  static const std::array plans = {compile(first), compile(second)};
  return plans[number % plans.size()];
}

}  // namespace ronda::sim
