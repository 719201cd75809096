// SPDX-License-Identifier: Apache-2.0
#include "api/json.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <ctime>
#include <set>
#include <vector>

#include "api/incident_json.hpp"
#include "api/slo_json.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "ronda/version.h"

namespace ronda::api {
namespace json = boost::json;
using plugin::CheckStatus;
using schedule::Entry;

namespace {

constexpr std::size_t most_alerts = 100;  // of those that fire: more of them nobody reads, and it is asked often

json::object lateness_json(const schedule::Scheduler& scheduler) {
  std::vector<std::int64_t> sorted(scheduler.lateness().begin(), scheduler.lateness().end());
  std::ranges::sort(sorted);
  json::object out;
  const auto at = [&](double share) {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
    return sorted.empty() ? 0.0 : seconds(sorted[std::min(index, sorted.size() - 1)]);
  };
  out["samples"] = sorted.size();
  out["p50_s"] = at(0.5);
  out["p99_s"] = at(0.99);
  out["max_s"] = at(1.0);
  return out;
}

json::array disabled_json(AgentView& agent) {
  const schedule::Candidate& active = agent.active();
  json::array out;
  for (const config::Disabled& disabled : active.generation.disabled) {
    config::Diagnostic where;
    where.where = disabled.place;
    where.message = disabled.reason;
    out.push_back(json::object{{"kind", disabled.kind}, {"name", disabled.name}, {"reason", config::headline(where, active.sources)}});
  }
  agent.scheduler().each([&](const Entry& entry) {
    const std::string_view why = agent.scheduler().why_disabled(entry);
    if (!why.empty()) out.push_back(json::object{{"kind", config::kind_name(entry.spec.kind)}, {"name", entry.spec.name}, {"reason", why}});
  });
  return out;
}

/// What its own configuration switches off: no fault, so it is no part of `disabled`.
json::array switched_off_json(const schedule::Candidate& active) {
  std::set<std::pair<std::string_view, std::string_view>> wrong;
  for (const config::Disabled& disabled : active.generation.disabled) wrong.emplace(disabled.kind, disabled.name);
  json::array out;
  for (const auto& [kind, name] : active.idle) {
    const std::string_view word = config::kind_name(kind);
    if (!wrong.contains({word, name})) out.push_back(json::object{{"kind", word}, {"name", name}});
  }
  return out;
}

std::string_view health_word(store::HealthState state) {
  constexpr std::array<std::string_view, 3> words = {"ok", "degraded", "failed"};
  return words[static_cast<std::size_t>(state)];
}

json::value heartbeat_json(AgentView& agent) {
  const HeartbeatView beat = agent.heartbeat();
  if (beat.notifier.empty()) return nullptr;
  return json::object{{"notifier", beat.notifier},
                      {"last_arrived", time_json(beat.last_arrived_ns)},
                      {"missed", beat.missed},
                      {"trouble", text_or_null(beat.trouble)}};
}

json::object agent_json(AgentView& agent) {
  const schedule::Candidate& active = agent.active();
  const store::Health health = agent.store().health();
  const std::string trouble = agent.config_trouble();
  json::array disabled = disabled_json(agent);
  const std::string safe = agent.safe_mode();
  const bool degraded = (!safe.empty() && agent.may_leave_safe_mode()) || !disabled.empty() || !active.catalogue.refused.empty() ||
                        !trouble.empty() || health.state != store::HealthState::ok;
  json::object out;
  out["version"] = RONDA_VERSION;
  out["pid"] = ::getpid();
  out["started"] = time_json(agent.started_wall_ns());
  out["uptime_s"] = seconds(wall_clock().count() - agent.started_wall_ns());
  out["generation"] = agent.generation();
  out["tz"] = agent.response().desk().plan().zone->name();
  out["state"] = degraded ? "degraded" : "ok";
  out["safe_mode"] = !safe.empty();
  out["safe_mode_reason"] = text_or_null(safe);
  out["config"] = text_or_null(trouble);
  out["store"] = json::object{
      {"state", health_word(health.state)}, {"reason", text_or_null(health.reason)}, {"dropped_observed", health.dropped_observed}};
  out["runner_limits"] = agent.runner_limits();
  out["disabled"] = std::move(disabled);
  out["switched_off"] = switched_off_json(active);
  out["lateness"] = lateness_json(agent.scheduler());
  out["heartbeat"] = heartbeat_json(agent);
  out["log_dropped"] = dropped_log_lines();
  out["in_flight"] = agent.scheduler().in_flight();
  // what a stop now would give its time, and then interrupt
  json::array changing;
  agent.scheduler().each([&](const Entry& entry) {
    if (entry.call != 0 && schedule::may_change(entry.spec)) changing.push_back(json::value(entry.spec.name));
  });
  out["changing"] = std::move(changing);
  out["stop_timeout_s"] = seconds(active.generation.agent.stop_timeout.count());
  return out;
}

CheckStatus service_status(AgentView& agent, const config::Service& service, json::array& failing) {
  CheckStatus worst = CheckStatus::ok;
  for (const std::string& name : service.checks) {
    const Entry* entry = agent.scheduler().find(config::Kind::check, name);
    if (entry != nullptr && !entry->blocked_by.empty()) {  // nobody knows, and it is not what fails
      worst = plugin::worse(worst, CheckStatus::unknown);
      continue;
    }
    if (entry == nullptr || !entry->has_result || entry->status == CheckStatus::ok) continue;
    worst = plugin::worse(worst, entry->status);
    failing.push_back(json::value(name));
  }
  return worst;
}

/// As they were at the end of the run: whether they are alive still is not asked.
json::array left_alive_json(const std::vector<plugin::LeftAlive>& left) {
  json::array out;
  for (const plugin::LeftAlive& one : left)
    out.push_back(json::object{{"pid", one.pid}, {"started", time_json(one.started_wall_ns)}, {"command", one.command}});
  return out;
}

std::string_view word(CheckStatus status) {
  constexpr std::array<std::string_view, 4> words = {"ok", "warning", "critical", "unknown"};
  return words[static_cast<std::size_t>(status)];
}

json::array services_json(AgentView& agent) {
  json::array out;
  for (const config::Service& service : agent.active().generation.services) {
    json::array failing;
    const CheckStatus status = service_status(agent, service, failing);
    out.push_back(
        json::object{{"name", service.name}, {"title", service.title}, {"status", word(status)}, {"failing", std::move(failing)}});
  }
  return out;
}

}  // namespace

double seconds(std::int64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

json::value text_or_null(std::string_view text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::value time_json(std::int64_t wall_ns) {
  if (wall_ns <= 0) return nullptr;
  const auto whole = static_cast<std::time_t>(wall_ns / 1'000'000'000);
  std::tm utc{};
  ::gmtime_r(&whole, &utc);
  std::array<char, 40> date{};
  std::array<char, 64> out{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(out.data(), out.size(), "%s.%03dZ", date.data(), static_cast<int>(static_cast<unsigned>(wall_ns / 1'000'000 % 1000)));
  return json::value(out.data());
}

json::object metrics_json(std::string_view encoded) {
  json::object out;
  for (const wire::Metric& metric : plugin::decode_metrics(encoded)) {
    std::string name = metric.name;
    for (const auto& [key, value] : metric.labels) name += (name == metric.name ? "[" : ",") + key + "=" + value;
    if (!metric.labels.empty()) name += "]";
    json::object one;
    if (metric.is_integer)
      one["value"] = metric.integer;
    else
      one["value"] = metric.value;
    one["unit"] = metric.unit;
    one["kind"] = metric.counter ? "counter" : "gauge";
    out[name] = std::move(one);
  }
  return out;
}

std::string_view status_word(const Entry& entry) {
  return entry.has_result ? word(entry.status) : "pending";
}

json::object entry_json(const schedule::Scheduler& scheduler, const Entry& entry, bool whole) {
  json::object out;
  out["name"] = entry.spec.name;
  out["use"] = entry.spec.procedure->name;
  out["status"] = entry.blocked_by.empty() ? status_word(entry) : std::string_view("blocked");
  out["summary"] = entry.blocked_by.empty() ? entry.summary : "blocked by " + entry.blocked_by.str();
  out["reason"] = text_or_null(entry.grade_reason.view());  // that its own summary does not know of
  out["since"] = time_json(entry.since_wall);
  out["last_run"] = time_json(entry.trip.ended_wall);
  out["running"] = entry.call != 0 || scheduler.lingers(entry);
  if (const auto* progress = scheduler.progress(entry))
    out["progress"] = json::object{{"share", progress->share}, {"what", progress->what}};
  out["metrics"] = metrics_json(entry.metrics.view());
  const store::Quarantine* held = scheduler.quarantine(entry);
  if (const auto* left = scheduler.left_alive(entry)) out["left_alive"] = left_alive_json(left->processes);
  out["quarantine"] = text_or_null(held == nullptr ? std::string_view() : std::string_view(held->reason));
  if (!whole) return out;
  out["plugin"] = entry.spec.procedure->plugin->id;
  out["detail"] = entry.detail.str();
  out["duration_s"] = seconds(entry.trip.duration_ns);
  out["failures"] = entry.failures;
  const schedule::Attempts* attempts = scheduler.attempts(entry);
  out["attempts"] =
      attempts == nullptr
          ? json::value(nullptr)
          : json::value(json::object{{"made", attempts->made}, {"of", entry.spec.rare->retry.times + 1}, {"last", attempts->last.summary}});
  out["runs"] = entry.runs;
  out["exit"] = entry.has_result ? static_cast<int>(entry.status) : 3;
  out["line"] = nagios_line(entry);
  return out;
}

namespace {

constexpr std::size_t most_files_looked_at = 256;  // for one answer, on the loop

json::array quarantines_json(const schedule::Scheduler& scheduler, std::string_view plugin) {
  json::array out;
  for (const store::Quarantine* held : scheduler.quarantines(plugin)) {
    out.push_back(json::object{
        {"subject", held->subject}, {"since", time_json(held->since)}, {"next_try", time_json(held->probe_at)}, {"reason", held->reason}});
  }
  return out;
}

}  // namespace

json::array plugins_json(AgentView& agent) {
  const schedule::Candidate& active = agent.active();
  std::vector<plugin::SupervisorStatus> hosted = agent.scheduler().plugins();
  json::array out;
  for (const auto& [id, entry] : active.catalogue.plugins) {
    json::object one{{"id", id}, {"version", entry->manifest.version}, {"sha256", entry->sha256}, {"path", entry->path}, {"state", "idle"}};
    one["file"] = out.size() < most_files_looked_at ? json::value(plugin::compare_file(entry->path, entry->file)) : json::value(nullptr);
    json::array runners;
    for (const plugin::SupervisorStatus& status : hosted) {
      if (status.plugin_id != id) continue;
      for (const auto& runner : status.runners) {
        runners.push_back(json::object{{"pid", runner.pid},
                                       {"keeper", runner.keeper},
                                       {"state", plugin::name_of(runner.life)},
                                       {"in_flight", runner.in_flight},
                                       {"sha256", status.sha256},
                                       {"held_by", text_or_null(runner.locked)},
                                       {"limited_by", runner.limited}});
      }
      if (!status.runners.empty())
        one["state"] = "running";
      else if (status.waits_for_turn.count() > 0 && one["state"] == "idle")
        one["state"] = "waiting";
      if (status.quarantined) one["state"] = "quarantined";
      if (!status.refused.empty()) one["state"] = "refused";
      one["waiting"] = status.waiting;
      one["deaths"] = status.deaths;
      one["late_results"] = status.late_results;
      one["trouble"] = text_or_null(status.refused.empty() ? status.last_trouble : status.refused);
      one["starts_in_s"] = seconds(status.starts_in.count());
      one["waits_for_turn_s"] = seconds(status.waits_for_turn.count());
    }
    one["runners"] = std::move(runners);
    one["quarantines"] = quarantines_json(agent.scheduler(), id);
    out.push_back(std::move(one));
  }
  for (const plugin::RefusedFile& refused : active.catalogue.refused) {
    out.push_back(
        json::object{{"id", text_or_null(refused.id)}, {"path", refused.path}, {"state", "refused"}, {"trouble", refused.refusal.text()}});
  }
  return out;
}

CheckStatus overall(AgentView& agent) {
  CheckStatus worst = CheckStatus::ok;
  agent.scheduler().each([&](const Entry& entry) {
    if (entry.spec.kind != config::Kind::check || !entry.has_result || !entry.blocked_by.empty()) return;
    worst = plugin::worse(worst, entry.status);
  });
  if (agent_json(agent)["state"] != "ok") worst = plugin::worse(worst, CheckStatus::warning);
  return plugin::worse(worst, status_of_incidents(agent));
}

json::object status_json(AgentView& agent) {
  json::object out;
  const CheckStatus worst = overall(agent);
  out["status"] = word(worst);
  out["exit"] = static_cast<int>(worst);
  out["agent"] = agent_json(agent);
  out["incidents"] = incidents_json(agent, false);
  out["alerts"] = alerts_json(agent, true, most_alerts);
  out["alerts_firing"] = count_firing(agent);
  json::array checks, tasks, notifiers;
  agent.scheduler().each([&](const Entry& entry) {
    json::array& list = entry.spec.kind == config::Kind::check ? checks : entry.spec.kind == config::Kind::task ? tasks : notifiers;
    list.push_back(entry_json(agent.scheduler(), entry, false));
  });
  out["checks"] = std::move(checks);
  out["tasks"] = std::move(tasks);
  out["notifiers"] = std::move(notifiers);
  out["sinks"] = sinks_json(agent);
  out["services"] = services_json(agent);
  out["slos"] = slos_json(agent);
  out["plugins"] = plugins_json(agent);
  return out;
}

namespace {

/// Of the trail that explain tells.
struct Step {
  std::string_view part;
  std::int64_t at = 0;
  std::string text;
};

/// Why its last run is graded as it is.
std::string grade_text(const schedule::Scheduler& scheduler, const Entry& entry) {
  const schedule::Attempts* const attempts = scheduler.attempts(entry);
  if (!entry.trip.told) return std::string(no_result_text) + ": " + (attempts == nullptr ? entry.summary : attempts->last.summary);
  return std::string(word(entry.status)) + ": " + (entry.grade_reason.empty() ? "as the plugin said" : entry.grade_reason.str());
}

}  // namespace

json::object explain_json(AgentView& agent, const Entry& entry) {
  json::object out = entry_json(agent.scheduler(), entry, true);
  const schedule::Trip& trip = entry.trip;
  const auto view = agent.scheduler().look(entry);
  std::vector<Step> trail;
  const auto step = [&](std::string_view part, std::int64_t at, std::string text) { trail.push_back({part, at, std::move(text)}); };
  // of another run, or of none: before what came later. The steps of the trip itself stay in their order whatever the clock did.
  const auto beside = [&](std::string_view part, std::int64_t at, std::string text) {
    const auto later = std::ranges::find_if(trail, [&](const Step& one) { return one.at > at; });
    trail.insert(later, Step{part, at, std::move(text)});
  };
  if (trip.started_wall > 0) {
    step("schedule", trip.due_wall, "due: " + std::string(schedule::text_of_reason(trip.reason)));
    step("plugin", trip.started_wall,
         "handed to a runner of " + entry.spec.procedure->plugin->id + ", " + format_duration(Nanos(trip.late_ns / 1000 * 1000)) + " late");
  }
  const schedule::Trip* const apart = agent.scheduler().apart(entry);
  if (trip.started_wall > 0 && (entry.call == 0 || apart != nullptr)) {
    step("plugin", trip.ended_wall,
         std::string(plugin::name_of(trip.fate)) + " after " + format_duration(Nanos(trip.duration_ns / 1000 * 1000)));
    step("grade", trip.ended_wall, grade_text(agent.scheduler(), entry));
  }
  if (const auto* attempts = agent.scheduler().attempts(entry); attempts != nullptr) {
    step("schedule", trip.ended_wall,
         std::string(repeats_text) + ", attempt " + std::to_string(attempts->made) + " of " +
             std::to_string(entry.spec.rare->retry.times + 1) + ": " + attempts->last.summary + "; again in " +
             format_duration(entry.spec.rare->retry.wait));
  }
  if (agent.scheduler().lingers(entry))
    step("plugin", trip.ended_wall, "its code has not ended: it keeps its locks, and its next run waits for that");
  if (const auto* left = agent.scheduler().left_alive(entry)) beside("plugin", left->wall, "left alive: " + text_of(left->processes));
  if (apart != nullptr) beside("schedule", apart->started_wall, "a dry run is under way; it counts for nothing");
  if (entry.skip != schedule::Skip::none) beside("schedule", entry.skip_wall, "not run: " + std::string(schedule::text_of(entry.skip)));
  if (!entry.blocked_by.empty()) beside("schedule", entry.skip_wall, "blocked by " + entry.blocked_by.str());
  json::array steps;
  for (Step& one : trail) steps.push_back(json::object{{"part", one.part}, {"at", time_json(one.at)}, {"text", std::move(one.text)}});
  out["trail"] = std::move(steps);
  out["skips"] = entry.skips;
  out["runs_since"] = time_json(agent.started_wall_ns());  // and skips; `failures` count on over restarts, from the last ok
  out["last_ok"] = time_json(entry.last_ok_wall);
  out["timeout_s"] = seconds(entry.spec.timeout.count());
  out["next_run"] = view.next ? time_json((wall_clock() + (*view.next - boottime())).count()) : json::value(nullptr);
  return out;
}

namespace {

/// In what Nagios reads, a bar begins perfdata, in the first line and in those after it.
std::string without_bars(std::string text) {
  std::ranges::replace(text, '|', '/');
  return text;
}

std::string line_of(const Entry& entry, CheckStatus status, std::string_view said) {
  static const config::Judgement none;
  const config::Judgement& limits = entry.spec.limits == nullptr ? none : *entry.spec.limits;
  std::string summary = escape_controls(said);
  if (!entry.grade_reason.empty()) summary += " (" + entry.grade_reason.str() + ")";
  if (!entry.has_result && summary.empty()) summary = "has not run yet";
  summary = without_bars(std::move(summary));
  std::string line = std::string(plugin::name_of(status)) + " - " + entry.spec.name + ": " + summary;
  line += plugin::perfdata(plugin::decode_metrics(entry.metrics.view()), limits);
  if (!entry.detail.empty()) line += "\n" + without_bars(entry.detail.str());
  return line;
}

}  // namespace

std::string nagios_line(const Entry& entry) {
  return line_of(entry, entry.has_result ? entry.status : CheckStatus::unknown, entry.summary);
}

/// `exit` is that of `ronda task run`. What a task did before it was cut off is not known, whatever it still said.
json::object run_json(const schedule::Scheduler& scheduler, const Entry& entry) {
  using plugin::Fate;
  json::object out = entry_json(scheduler, entry, true);
  const Fate fate = entry.trip.fate;
  out["fate"] = plugin::name_of(fate);
  if (entry.spec.kind != config::Kind::task) return out;
  const bool is_known = fate == Fate::finished && entry.trip.told;
  out["exit"] = !is_known ? 3 : entry.status == CheckStatus::ok ? 0 : 1;
  if (is_known || !entry.trip.begun || fate == Fate::unavailable || fate == Fate::spawn_failed) return out;  // these did not begin
  const std::string summary = "outcome unknown: " + entry.summary;
  out["status"] = word(CheckStatus::unknown);
  out["summary"] = summary;
  out["line"] = line_of(entry, CheckStatus::unknown, summary);
  return out;
}

}  // namespace ronda::api
