// SPDX-License-Identifier: Apache-2.0
// A calendar file of a rota that changed is taken without a reload: of what else stands in conf.d nobody said that it is finished.
#include <algorithm>

#include "agent_impl.hpp"
#include "base/counted.hpp"
#include "base/log.hpp"
#include "incident/moment.hpp"
#include "response/upkeep.hpp"

namespace ronda {
namespace {

/// "ana, bob are on call until ..."
std::string turn_text(const people::Rota& rota, std::int64_t now_ns, const escalation::Overrides& overrides) {
  const auto more = overrides.find(rota.name);
  const auto now = people::on_call(rota, now_ns, more == overrides.end() ? std::span<const people::Override>() : more->second);
  if (now.empty()) return "nobody is on call now";
  std::string names;
  std::int64_t until_ns = now.front().when.end_ns;
  for (const people::Shift& one : now) {
    names += (names.empty() ? "" : ", ") + one.contact;
    until_ns = std::min(until_ns, one.when.end_ns);
  }
  return names + (now.size() == 1 ? " is" : " are") + " on call until " + people::moment_text(until_ns, *rota.zone);
}

/// A load refuses a ladder that tells a rota in which nobody can be told; so does this.
Status still_reaches(const std::string& rota, const people::People& before, const people::People& after) {
  using config::Level;
  for (const Level level : {Level::p1, Level::p2, Level::p3, Level::p4}) {
    if (before.reachable(rota, level, before.notifiers) && !after.reachable(rota, level, before.notifiers))
      return Error(Errc::invalid, "nobody who is on call by it has a channel for " + std::string(config::level_name(level)));
  }
  return done();
}

}  // namespace

void Agent::watch_calendars(std::chrono::seconds wait) {
  calendar_timer_.expires_after(wait);
  calendar_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !stopping_) look_at_calendars();
  });
}

void Agent::look_at_calendars() {
  if (trial_ != nullptr) return watch_calendars(people::CalendarWatch::soon);  // that one reads them too
  const auto plan = response_->desk().share_plan();
  const std::string before = calendars_.trouble();
  const auto next = calendars_.look(plan->people.oncalls);
  const std::string trouble = calendars_.trouble();
  if (trouble != before) {
    if (!trouble.empty()) log(LogLevel::warning, trouble);
    tell_config_trouble();
  }
  watch_calendars(next);
}

Status Agent::take_calendar(const people::Rota& rota, const std::string& bytes) {
  const auto before = response_->desk().share_plan();
  config::Diagnostics diagnostics;
  auto anew = escalation::rota_anew(active_, zones_, before->people, rota.name, bytes, wall_clock().count(), diagnostics);
  if (!anew) {
    const auto& all = diagnostics.all();
    const auto error = std::ranges::find(all, config::Severity::error, &config::Diagnostic::severity);
    return Error(Errc::invalid, error == all.end() ? "it cannot be read" : error->message);
  }
  const auto plan = std::make_shared<response::Plan>(*before);
  *std::ranges::find(plan->people.oncalls, rota.name, &people::Rota::name) = *anew;
  if (const Status reached = still_reaches(rota.name, before->people, plan->people); !reached) return reached;
  const std::string warnings =
      diagnostics.warnings() == 0 ? "" : "; " + counted(diagnostics.warnings(), "warning") + ", 'ronda validate' shows them";
  log(diagnostics.warnings() == 0 ? LogLevel::info : LogLevel::warning,
      "oncall " + rota.name + ": " + rota.calendar_path + " has changed and is taken: " +
          turn_text(*anew, response_->now_ns(), response::overrides_of(response_->desk().upkeep())) + warnings);
  if (compiled_ == before) compiled_ = plan;
  response_->use(plan);
  return done();
}

}  // namespace ronda
