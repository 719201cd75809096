// SPDX-License-Identifier: Apache-2.0
// A desk over a configuration that stands in the test itself, with a store that is a row of decisions.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/incident/staffed.hpp"
#include "catch.hpp"
#include "measure/load.hpp"
#include "plugin/messages.hpp"
#include "response/desk.hpp"

namespace ronda::test {

using config::Level;
using Seen = measure::Status;  // of a check

/// One check of one service, and one person who hears of its P1 and P2 at once.
inline const std::string one_check_toml = R"(
[check.api]
use = "a.b"
every = "30s"
timeout = "10s"
service = "shop"
[service.shop]
title = "The shop"
checks = ["api"]
[contact.cto]
name = "CTO"
channels = [{ notifier = "log" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["cto"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["cto"] }]
)";

/// Two services of one person's, and a page that waits for a database.
inline const std::string three_checks = R"(
[check.api]
use = "a.b"
every = "30s"
timeout = "10s"
service = "shop"
severity = "p1"
[check.db]
use = "a.b"
every = "30s"
timeout = "10s"
service = "shop"
[check.page]
use = "a.b"
every = "30s"
timeout = "10s"
service = "shop"
after = ["db"]
severity = "p2"
[alert.db-down]
p1 = "db.status == critical"
for = "5m"
[service.shop]
title = "The shop"
checks = ["api", "db", "page"]
escalation = "default"
[contact.cto]
name = "CTO"
channels = [{ notifier = "log" }]
[contact.ceo]
name = "CEO"
channels = [{ notifier = "mail", to = "ceo@example.com" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["cto"], repeat = ["15m"] }, { from = "1h", notify = ["ceo"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["cto"] }]
)";

/// With `by` in place of the first `what`, which is there.
inline std::string with_other(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

inline constexpr std::int64_t second = 1'000'000'000, minute = 60 * second, hour = 60 * minute;
/// Monday, 2026-01-05T00:00:00Z.
inline constexpr std::int64_t monday = 1'767'571'200 * second;

inline std::vector<people::Notifier> log_and_mail() {
  return {{"log", true, false, machine()}, {"mail", true}};
}

/// As it is known of a candidate: when those without an interval run.
inline rule::Facts facts_with_slots(const config::Generation& generation) {
  rule::Facts facts = rule::facts_of(generation);
  const auto add = [&](rule::CheckFacts& runs, config::Kind kind, std::string_view name) {
    const config::Instance* one = generation.find(kind, name);
    if (one == nullptr || one->every) return;
    runs.slot_grace_ns = 100 * second;
    runs.next_slot_ns = [](std::int64_t) { return INT64_MAX; };
    if (one->rare().at.empty()) return;
    const auto calendar = schedule::parse_calendar(one->rare().at, zones(), zone("UTC"));
    REQUIRE(calendar);
    runs.next_slot_ns = [calendar = *calendar](std::int64_t after_ns) {
      return calendar.next(schedule::sys_seconds(std::chrono::seconds(after_ns / second)))->time_since_epoch().count() * second;
    };
  };
  for (rule::CheckFacts& check : facts.checks) add(check, config::Kind::check, check.name);
  for (rule::CheckFacts& task : facts.task_ends) add(task, config::Kind::task, task.name.substr(rule::task_prefix.size()));
  return facts;
}

inline std::shared_ptr<const response::Plan> plan_of(const std::string& text,
                                                     const std::vector<people::Notifier>& notifiers = log_and_mail()) {
  Staffed staffed = staff(text, notifiers);
  auto plan = std::make_shared<response::Plan>();
  std::vector<config::Disabled> disabled;
  plan->rules = rule::load_alerts(staffed.generation, facts_with_slots(staffed.generation), rule::severities_of(staffed.generation),
                                  staffed.sources, staffed.diagnostics, disabled);
  INFO(staffed.printed());
  REQUIRE_FALSE(staffed.diagnostics.has_errors());
  plan->people = std::move(staffed.people);
  plan->policies = std::move(staffed.policies);
  plan->notifiers = staffed.notifiers;
  plan->zone = zone("UTC");
  plan->settings.host = "shop1";
  for (const rule::Need& need : plan->rules.needs)
    plan->wants.push_back({need.check, need.metric, need.window_ns, need.baseline, 30 * second});
  response::add_objectives(
      rule::load_slos(staffed.generation, plan->rules.facts, staffed.sources, staffed.diagnostics, disabled),
      [](std::string_view) { return 30 * second; }, *plan);
  INFO(staffed.printed());
  REQUIRE_FALSE(staffed.diagnostics.has_errors());
  for (const config::Service& service : staffed.generation.services) plan->service_titles[service.name] = service.title;
  plan->titles = response::read_titles(staffed.generation, staffed.diagnostics);
  for (const config::RawObject& token : staffed.generation.raw("token")) plan->tokens.push_back(token.name);
  return plan;
}

/// What a store would hold after these decisions.
struct Held {
  std::vector<store::IncidentEvent> events;
  std::map<std::string, store::AlertState> alerts;
  std::map<std::string, store::SilenceRow> silences;
  std::map<std::string, store::OutboxRow> outbox;

  void take(const store::Decision& decision) {
    events.insert(events.end(), decision.events.begin(), decision.events.end());
    for (const store::AlertState& row : decision.alerts) alerts[row.name] = row;
    for (const store::SilenceRow& row : decision.silences) {
      silences[row.id] = row;
      if (!row.data) silences.erase(row.id);
    }
    for (const store::OutboxRow& row : decision.outbox) outbox.emplace(row.id, row);
  }
  response::Kept kept() const {
    response::Kept out;
    for (const store::IncidentEvent& row : events) {
      auto event = incident::parse_event(row.data);
      REQUIRE(event);
      out.events.push_back(*std::move(event));
    }
    // as the store gives them
    std::ranges::stable_sort(out.events, {}, [](const incident::Event& event) { return std::pair(event.incident, event.sequence); });
    for (const auto& [name, row] : alerts) {
      if (row.data) out.alerts.push_back(row);
    }
    for (const auto& [id, row] : silences) out.silences.push_back(row);
    return out;
  }
};

/// Runs by itself from one instant to the next, as the shell would wake it.
class World {
 public:
  explicit World(const std::string& text) : plan_(plan_of(text)), desk_(make()) {}

  std::int64_t now = monday;
  std::int64_t set_by = 0;  // by which the wall clock was set in all: what passed is without that
  Held held;
  std::vector<store::OutboxRow> order;  // all envelopes as they were decided
  std::vector<std::string> told;        // "5m open p1 cto log": since monday, one line an envelope
  std::vector<std::string> happened;    // "5m acked", of all incidents, but that the clock was set

  void result(const std::string& check, Seen status, const std::string& summary = "") {
    measure::Result result;
    result.check = check;
    result.status = status;
    result.summary = summary;
    const auto before = statuses_.find(check);
    if (before == statuses_.end() || before->second.first != status) statuses_[check] = {status, now};
    result.since_ns = statuses_[check].second;
    last_[check] = now;
    result.started_ns = result.ended_ns = now;
    take(desk_->on_result(result, now));
  }
  /// The end of a run of a task, as the shell hands it on.
  void task_ends(const std::string& task, Seen status) {
    if (status == Seen::ok) take(desk_->on_task_success(task, successes_[task] = now, now));
    result(std::string(rule::task_prefix) + task, status);
  }
  /// With metrics: counters of a result, as its plugin would give them; "all:500" is `all` with the label code="500".
  void result(const std::string& check, Seen status, const std::map<std::string, double>& counters) {
    std::string metrics;
    wire::Writer writer(metrics);
    for (const auto& [name, value] : counters) {
      wire::Metric metric;
      const std::size_t colon = name.find(':');
      metric.name = name.substr(0, colon);
      if (colon != std::string::npos) metric.labels = {{"code", name.substr(colon + 1)}};
      metric.value = value;
      metric.counter = true;
      wire::encode_metric(writer, metric);
    }
    measure::Result result;
    result.check = check;
    result.status = status;
    result.since_ns = result.started_ns = result.ended_ns = now;
    result.metrics = metrics;
    take(desk_->on_result(result, now));
  }
  void command(incident::Verb verb, const std::string& who = "cto", const std::string& text = "", bool force = false) {
    command(verb, incident::Author{incident::Author::Kind::contact, who}, text, force);
  }
  void command(incident::Verb verb, const incident::Author& who, const std::string& text = "", bool force = false) {
    incident::Command command;
    command.force = force;
    command.verb = verb;
    command.incident = only().id;
    command.author = who;
    command.source = "cli";
    command.text = text;
    auto output = desk_->command(command, now);
    REQUIRE(output.replies.size() == 1);
    INFO(output.replies.front().text);
    REQUIRE(output.replies.front().done);
    take(std::move(output));
  }
  void review(std::vector<std::pair<std::string, std::string>> parts) {
    incident::Command command;
    command.verb = incident::Verb::review;
    command.incident = only().id;
    command.author = {incident::Author::Kind::contact, "cto"};
    command.fields = std::move(parts);
    auto output = desk_->command(command, now);
    REQUIRE(output.replies.size() == 1);
    REQUIRE(output.replies.front().done);
    take(std::move(output));
  }
  /// Until that long after monday; `each_30s` gives results meanwhile.
  void run_to(std::int64_t since_monday, const std::map<std::string, Seen>& each_30s = {}) {
    const std::int64_t from = monday + set_by, until = from + since_monday;
    while (now < until) {
      std::int64_t next = std::min(until, each_30s.empty() ? until : now - (now - from) % (30 * second) + 30 * second);
      if (const auto wake = desk_->next_wake()) next = std::min(next, std::max(*wake, now + 1));
      now = next;
      take(desk_->tick(now));
      if ((now - from) % (30 * second) != 0) continue;
      for (const auto& [check, status] : each_30s) result(check, status);
    }
  }
  /// The wall clock is set forward, and believed. What is stored of checks and tasks stays by the clock of then.
  void set_clock(std::int64_t by) {
    set_by += by;
    now += by;
    take(desk_->on_clock_set(by, now));
  }
  /// Another configuration, by a reload.
  void use(const std::string& text, const std::vector<people::Notifier>& notifiers = log_and_mail()) {
    plan_ = plan_of(text, notifiers);
    take(desk_->use(plan_, now));
  }
  /// `results`: each check has one at once, as it was.
  void restart(bool results = true) {
    desk_ = make();
    response::Kept kept = held.kept();
    const auto statuses = statuses_;
    add_checks(kept, statuses);
    REQUIRE(desk_->restore(kept, now).empty());
    if (!results) return;
    for (const auto& [check, status] : statuses) result(check, status.first);
  }
  /// By a clock that is behind, until it is set right.
  void restart_behind(std::int64_t by) {
    set_by -= by;
    now -= by;
    desk_ = make();
    REQUIRE(desk_->restore(held.kept(), now).empty());
  }
  /// By an agent that can read nothing of what there was.
  void restart_blind() {
    desk_ = make();
    unread_ = std::exchange(statuses_, {});
    response::Kept nothing;
    nothing.is_whole = false;
    REQUIRE(desk_->restore(nothing, now).empty());
  }
  /// And now it can.
  void recall() {
    response::Kept kept = held.kept();
    add_checks(kept, unread_);
    take(desk_->recall(kept, now));
    take(desk_->use(plan_, now));
  }
  /// Those that are not over.
  std::vector<std::string> live() const {
    std::vector<std::string> out;
    for (const auto& [id, one] : desk_->incidents().incidents) {
      if (one.is_live()) out.push_back(id);
    }
    return out;
  }
  const incident::Incident& only() const {
    REQUIRE(desk_->incidents().incidents.size() == 1);
    return desk_->incidents().incidents.begin()->second;
  }
  const response::Desk& desk() const { return *desk_; }
  response::Desk& desk() { return *desk_; }

  void take(response::Output output) {
    for (const store::OutboxRow& row : output.decision.outbox) {
      if (held.outbox.contains(row.id)) continue;
      order.push_back(row);
      told.push_back(passed() + " " + row.event + " " + row.level + " " + row.contact + " " + row.notifier);
    }
    for (const store::IncidentEvent& event : output.decision.events) {
      if (event.kind != "clock_set") happened.push_back(passed() + " " + event.kind);
    }
    std::ranges::move(output.samples, std::back_inserter(samples));
    troubles.insert(troubles.end(), output.troubles.begin(), output.troubles.end());
    held.take(output.decision);
  }
  std::vector<std::string> troubles;
  std::vector<store::Sampled> samples;  // what the store would get
  /// What the store has of an objective, as it would be read back: each judgement stands until the next.
  std::vector<measure::slo::Stretch> judged(const measure::slo::Objective& objective) const {
    std::vector<std::pair<std::int64_t, double>> all;
    for (const store::Sampled& one : samples) {
      for (const auto& [key, value] : one.values) {
        if (key->check == measure::judgements_of(objective) && key->metric == "good" && key->labels == measure::judgement_labels(objective))
          all.emplace_back(one.at_ns, value);
      }
    }
    std::vector<measure::slo::Stretch> out;
    for (std::size_t i = 0; i < all.size(); ++i) {
      std::int64_t until = std::min(all[i].first + minute, now);  // the store has nothing of what is to come
      if (i + 1 < all.size()) until = std::min(until, all[i + 1].first);
      if (until <= all[i].first) continue;
      const double seconds = static_cast<double>(until - all[i].first) / 1e9;
      out.push_back(
          {all[i].first, until, all[i].second == 0 ? seconds : 0, all[i].second == 1 ? seconds : 0, all[i].second == 2 ? seconds : 0});
    }
    return out;
  }

 private:
  std::string passed() const { return format_duration(Nanos((now - monday - set_by) / second * second)); }
  std::unique_ptr<response::Desk> make() {
    return std::make_unique<response::Desk>(plan_, [this] { return ++random_ * 0x9E3779B97F4A7C15; });
  }

  std::shared_ptr<const response::Plan> plan_;
  std::uint64_t random_ = 0;
  std::map<std::string, std::pair<Seen, std::int64_t>> statuses_;
  std::map<std::string, std::pair<Seen, std::int64_t>> unread_;  // by a start that could not read the store
  void add_checks(response::Kept& kept, const decltype(statuses_)& statuses) {
    for (const auto& [check, status] : statuses) {
      const std::string task = check.starts_with(rule::task_prefix) ? check.substr(rule::task_prefix.size()) : "";
      const store::InstanceId id = task.empty() ? store::InstanceId{"check", check} : store::InstanceId{"task", task};
      kept.checks.push_back({id, static_cast<int>(status.first), "", "", status.second, last_[check], successes_[task], 0});
    }
  }
  std::map<std::string, std::int64_t> last_;       // result
  std::map<std::string, std::int64_t> successes_;  // of tasks
  std::unique_ptr<response::Desk> desk_;
};

}  // namespace ronda::test
