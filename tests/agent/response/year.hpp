// SPDX-License-Identifier: Apache-2.0
// Days of the shop under a virtual clock: the shipped conf.d as `ronda run` reads it, with the manifests of the plugins
// that ship, and a desk that is fed with results without a break from the first day to the last.
//
// Near a line of the script each check runs at its own interval. For the quiet rest the agent is reloaded with a
// configuration in which none runs more often than every `quiet_step`, so that it knows how long to wait for a result:
// four million results a year at their own interval take a minute of CPU, nearly all of it for results that change nothing.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "case_file.hpp"
#include "catch.hpp"
#include "incident/moment.hpp"
#include "measure/load.hpp"
#include "plugin/host_libraries.hpp"
#include "plugin/messages.hpp"
#include "response/desk.hpp"
#include "response/words.hpp"
#include "schedule/candidate.hpp"

namespace ronda::test {

namespace year {

inline constexpr std::int64_t second = 1'000'000'000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
/// The longest window of a rule is six hours: it is full of results at their own interval when a line begins.
inline constexpr std::int64_t lead = 7 * hour, rest = 2 * hour;
inline constexpr std::int64_t quiet_step = 15 * minute;

/// `conf_d` as the agent would start with it; `quiet_plan` is of the same with longer intervals.
struct Shop {
  schedule::ZoneDatabase zones;
  plugin::HostLibraries libraries{plugin::system_library_directories()};
  schedule::Candidate candidate;
  std::shared_ptr<const response::Plan> plan, quiet_plan;
  std::map<std::string, std::int64_t> every;  // by check

  Shop(const std::string& conf_d, std::int64_t now_ns) {
    schedule::CandidateRequest request;
    request.config_directory = conf_d;
    request.plugin_directories = {RONDA_BINARY_DIR "/plugins"};
    request.trust_file = RONDA_BINARY_DIR "/no-trust.toml";
    request.uid = ::geteuid();
    request.environment.read_file = [](const std::string& path, config::FileUse) -> Result<std::string> {
      return Error(Errc::not_found, "opening " + path + ": No such file or directory");  // nothing of this host
    };
    request.zones = &zones;
    request.libraries = &libraries;
    candidate = schedule::load_candidate(request);
    plan = response::compile(candidate, zones, {"shop1", now_ns, request.uid});
    INFO(config::render_all(candidate.diagnostics, candidate.sources));
    REQUIRE(candidate.diagnostics.errors() == 0);
    for (schedule::Prepared& prepared : candidate.set) {
      if (prepared.kind == config::Kind::task) every[std::string(rule::task_prefix) + prepared.name] = minute;
      if (prepared.kind != config::Kind::check) continue;
      Nanos& own = prepared.when.every;
      every[prepared.name] = own.count() > 0 ? own.count() : minute;
      if (own.count() > 0) own = std::max(own, Nanos(quiet_step));
    }
    const auto quiet = std::const_pointer_cast<response::Plan>(response::compile(candidate, zones, {"shop1", now_ns, request.uid}));
    REQUIRE(candidate.diagnostics.errors() == 0);
    // how much must be bad follows from the intervals: longer ones would end what burns
    for (std::size_t i = 0; i < quiet->slos.size(); ++i)
      quiet->slos[i].definition.objective.least_bad = plan->slos[i].definition.objective.least_bad;
    quiet_plan = quiet;
  }
};

/// What a line of the script claims: `over` that the alert is told at this level, or `under` that it is not.
struct Claim {
  bool over = false;
  std::string alert, level;
};

/// "DAY TIME CHECK WHAT=VALUE for LENGTH [over|under ALERT LEVEL]...", "DAY TIME ack CONTACT" or "DAY TIME restart". VALUE may be
/// "0.5..0.8": from the one to the other in that time; or "0.2|0.6": the one and the other by turns.
struct Line {
  std::int64_t at = 0, until = 0;
  std::string text, check, what, value;  // check "ack": of a person, who is `what`
  std::vector<Claim> claims;
  bool done = false;  // of what happens once
};

struct Usual {
  std::string metric, unit;
  double value = 0;
};

/// What one message was about, for the claims.
struct Heard {
  std::int64_t at = 0;
  std::string event, level;
  std::set<std::string> alerts;  // that fired
};

class Year {
 public:
  Year(const Shop& shop, const Case& one) : shop_(shop) {
    std::istringstream days(one.section("days"));
    std::string first, last;
    days >> first >> last;
    begin_ = moment(first + " 00:00");
    end_ = moment(last + " 00:00") + day;
    read_usual(one.section("usual"));
    read_script(one.section("script"));
    for (const auto& [check, values] : usual_) {
      INFO(check);
      REQUIRE(shop.every.contains(check));
    }
  }

  /// The messages, each with its recipients; in order of time.
  std::string run() {
    start(begin_);
    for (const auto& [check, values] : usual_) next_[check] = begin_;
    bool was_close = false;
    for (now_ = begin_; now_ < end_;) {
      const std::optional<std::int64_t> edge = edge_after(now_);
      const bool is_close = close_until_ > now_;
      if (is_close && !was_close) {
        for (auto& [check, at] : next_) at = now_;
      }
      if (!is_close && was_close) use(shop_.quiet_plan);
      for (auto& [check, at] : next_) {
        if (at > now_) continue;
        result(check);
        const std::int64_t every = shop_.every.at(check);
        at = now_ + (is_close ? every : std::max(every, quiet_step));
      }
      // after the results and not before: the last ones of the quiet rest are too old for the intervals of the shipped conf.d
      if (is_close && !was_close) use(shop_.plan);
      was_close = is_close;
      once();
      take(desk_->tick(now_));
      std::int64_t then = edge.value_or(end_);
      for (const auto& [check, at] : next_) then = std::min(then, at);
      // an objective is looked at once a minute, over 30 days: while nothing is wrong, a tick that is late misses nothing
      if (const auto wake = desk_->next_wake(); wake && (is_close || is_anything_wrong())) then = std::min(then, std::max(*wake, now_ + 1));
      now_ = then;
    }
    return told_;
  }

  const std::vector<Line>& script() const { return script_; }
  const std::vector<Heard>& heard() const { return heard_; }

 private:
  bool is_anything_wrong() const {
    return std::ranges::any_of(desk_->incidents().incidents, [](const auto& one) {
      return one.second.stage != incident::Stage::resolved && one.second.stage != incident::Stage::closed;
    });
  }

  std::int64_t moment(const std::string& text) const {
    const auto at = people::parse_moment(text, *shop_.plan->zone);
    INFO(text);
    REQUIRE(at);
    return *at;
  }

  void read_usual(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string check;
      Usual one;
      words >> check >> one.metric >> one.value >> one.unit;
      usual_[check].push_back(one);
    }
  }

  void read_script(const std::string& text) {
    std::istringstream lines(text);
    Line one;
    while (std::getline(lines, one.text)) {
      one.claims.clear();
      std::istringstream words(one.text);
      std::string date, time, what, word, length;
      words >> date >> time >> one.check >> what >> word >> length;
      INFO(one.text);
      one.at = one.until = moment(date + " " + time);
      one.what = what.substr(0, what.find('='));
      if (one.check != "ack" && one.check != "restart") {
        REQUIRE(usual_.contains(one.check));
        REQUIRE(word == "for");
        one.value = what.substr(what.find('=') + 1);
        one.until += parse_duration(length)->count();
        for (Claim claim; words >> word >> claim.alert >> claim.level;) {
          REQUIRE((word == "over" || word == "under"));
          claim.over = word == "over";
          one.claims.push_back(claim);
        }
      }
      REQUIRE(one.at >= begin_ + lead);
      REQUIRE(one.until + rest <= end_);
      REQUIRE((script_.empty() || script_.back().at <= one.at));
      script_.push_back(one);
    }
  }

  /// Moves `close_until_` on to `now`; the next instant at which a line begins, ends, or comes near.
  std::optional<std::int64_t> edge_after(std::int64_t now) {
    std::int64_t next = end_;
    for (; passed_ < script_.size() && script_[passed_].at - lead <= now; ++passed_)
      close_until_ = std::max(close_until_, script_[passed_].until + rest);
    for (std::size_t i = first_; i < script_.size() && script_[i].at - lead <= next; ++i) {
      for (const std::int64_t edge : {script_[i].at - lead, script_[i].at, script_[i].until, script_[i].until + rest}) {
        if (edge > now) next = std::min(next, edge);
      }
    }
    while (first_ < script_.size() && script_[first_].until + day < now) ++first_;
    return next;
  }

  void use(std::shared_ptr<const response::Plan> plan) {
    plan_ = std::move(plan);
    take(desk_->use(plan_, now_));
    load_objectives();
  }

  /// What the store would have of them: the judgements of each five minutes.
  void load_objectives() {
    for (const measure::slo::Objective& objective : desk_->take_unloaded_objectives()) {
      std::vector<measure::slo::Stretch> older;
      for (const auto& [from, stretch] : judged_[measure::judgements_of(objective)]) {
        if (from >= now_ - objective.window_ns) older.push_back(stretch);
      }
      take(desk_->restore_objective(objective, older, now_));
    }
  }

  /// Each judgement stands until the next one; a stretch begins at whole five minutes.
  void remember_judgement(const std::string& series, double value, std::int64_t at) {
    auto& [good, since] = last_judged_[series];
    auto& stretches = judged_[series];
    for (std::int64_t from = since; since != 0 && from < at;) {
      const std::int64_t begin = from - from % (5 * minute), until = std::min(at, begin + 5 * minute);
      measure::slo::Stretch& stretch = stretches[begin];
      stretch.from_ns = begin;
      stretch.until_ns = until;
      (good == static_cast<double>(measure::slo::Goodness::good)  ? stretch.good
       : good == static_cast<double>(measure::slo::Goodness::bad) ? stretch.bad
                                                                  : stretch.unknown) += static_cast<double>(until - from) / 1e9;
      from = until;
    }
    good = value;
    since = at;
    stretches.erase(stretches.begin(), stretches.lower_bound(at - 32 * day));
  }

  /// Of an objective by requests, whose two series say how many there were.
  void remember_requests(const std::string& series, bool is_good, double value, std::int64_t at) {
    const std::int64_t begin = at - at % (5 * minute);
    measure::slo::Stretch& stretch = judged_[series][begin];
    stretch.from_ns = begin;
    stretch.until_ns = begin + 5 * minute;
    (is_good ? stretch.good : stretch.bad) += value;
  }

  /// The desk from nothing, or from what a store would hold.
  void start(std::int64_t now) {
    desk_ = std::make_unique<response::Desk>(plan_, [this] { return ++random_ * 0x9E3779B97F4A7C15; });
    desk_->wait_for_samples();
    response::Kept kept;
    for (const store::IncidentEvent& row : events_) {
      auto event = incident::parse_event(row.data);
      REQUIRE(event);
      kept.events.push_back(*std::move(event));
    }
    for (const auto& [name, row] : alerts_) {
      if (row.data) kept.alerts.push_back(row);
    }
    REQUIRE(desk_->restore(kept, now).empty());
    for (const auto& [check, status] : statuses_) desk_->history().restore_check(check, {status.first, status.second, now, 0.1});
    for (const auto& [check, values] : usual_) {
      for (const Usual& one : values) {
        if (one.unit == "c/s") remember_hours(check, one, now);
      }
    }
    take(desk_->begin_looking(now));
    load_objectives();
  }

  /// What the store would have of the weeks before: baselines are made of it.
  void remember_hours(const std::string& check, const Usual& one, std::int64_t now) {
    std::vector<store::Rollup> hours;
    for (std::int64_t from = (now / hour - std::int64_t{8} * 7 * 24) * hour; from + hour <= now; from += hour) {
      store::Rollup rollup;
      rollup.from_ns = from;
      rollup.count = 120;
      rollup.first_ns = from;
      rollup.last_ns = from + hour;
      rollup.increase = one.value * 3600;
      hours.push_back(rollup);
    }
    desk_->history().restore({check, one.metric, {}, "", store::Shape::counter}, {}, {}, hours);
  }

  void result(const std::string& check) {
    measure::Status status = measure::Status::ok;
    std::vector<Usual> values = usual_.at(check);
    for (std::size_t i = first_; i < script_.size() && script_[i].at <= now_; ++i) {
      const Line& line = script_[i];
      if (line.check != check || now_ >= line.until) continue;
      if (line.what == "status") {
        status = line.value == "critical"  ? measure::Status::critical
                 : line.value == "unknown" ? measure::Status::unknown
                                           : measure::Status::warning;
        continue;
      }
      const auto found = std::ranges::find(values, line.what, &Usual::metric);
      REQUIRE(found != values.end());
      found->value = value_now(line);
    }
    const std::int64_t before = std::exchange(resulted_[check], now_);
    std::string encoded;
    wire::Writer writer(encoded);
    for (const Usual& one : values) {
      if (status == measure::Status::critical || one.metric == "-") continue;  // what failed measures nothing
      wire::Metric metric;
      metric.name = one.metric;
      metric.value = one.value;
      metric.unit = one.unit;
      if (one.unit == "c/s") {  // a counter that grows by so much a second
        metric.unit = "";
        metric.counter = true;
        metric.value = totals_[check + "." + one.metric] += before == 0 ? 0 : one.value * static_cast<double>(now_ - before) / 1e9;
      }
      wire::encode_metric(writer, metric);
    }
    measure::Result result;
    result.check = check;
    result.status = status;
    auto& [known, since] = statuses_[check];
    if (known != status || since == 0) since = now_;
    known = status;
    result.since_ns = since;
    result.started_ns = result.ended_ns = now_;
    result.metrics = encoded;
    take(desk_->on_result(result, now_));
  }

  double value_now(const Line& line) const {
    const double first = std::stod(line.value);
    if (const std::size_t bar = line.value.find('|'); bar != std::string::npos)
      return (now_ - line.at) / shop_.every.at(line.check) % 2 == 0 ? first : std::stod(line.value.substr(bar + 1));
    const std::size_t dots = line.value.find("..");
    if (dots == std::string::npos) return first;
    const double passed = static_cast<double>(now_ - line.at) / static_cast<double>(line.until - line.at);
    return first + (std::stod(line.value.substr(dots + 2)) - first) * passed;
  }

  void once() {
    for (std::size_t i = first_; i < script_.size() && script_[i].at <= now_; ++i) {
      Line& line = script_[i];
      if (line.done) continue;
      line.done = true;
      if (line.check == "restart") start(now_);
      if (line.check == "ack") ack(line.what);
    }
  }

  void ack(const std::string& who) {
    std::vector<std::string> ids;
    for (const auto& [id, incident] : desk_->incidents().incidents) {
      if (incident.stage == incident::Stage::open) ids.push_back(id);
    }
    CHECK(ids.size() == 1);
    for (const std::string& id : ids) {
      incident::Command command;
      command.verb = incident::Verb::ack;
      command.incident = id;
      command.author = {incident::Author::Kind::contact, who};
      command.source = "cli";
      auto output = desk_->command(command, now_);
      REQUIRE(output.replies.size() == 1);
      INFO(output.replies.front().text);
      CHECK(output.replies.front().done);
      take(std::move(output));
    }
  }

  /// The alerts of it that fire; of one that is over, those that did.
  std::set<std::string> about(const std::string& id) const {
    std::set<std::string> all, firing;
    const incident::Incident* incident = desk_->incidents().find(id);
    if (incident == nullptr) return all;
    for (const auto& [alert, member] : incident->members) {
      all.insert(alert);
      if (member.fires()) firing.insert(alert);
    }
    return firing.empty() ? all : firing;
  }

  /// Ids are random: another number of messages before would give another one.
  static std::string without_id(std::string text, const std::string& id) {
    for (std::size_t at = 0; !id.empty() && (at = text.find(id, at)) != std::string::npos;) text.replace(at, id.size(), "INC");
    return text;
  }

  void take(response::Output output) {
    struct Message {
      std::set<std::string> subjects;  // an SMS has none
      std::vector<std::string> recipients;
    };
    std::map<std::string, Message> messages;  // by what stands before its subject
    for (const store::OutboxRow& row : output.decision.outbox) {
      std::string one = row.contact + " by " + row.notifier + (row.to.empty() ? "" : " " + row.to);
      if (row.next_at > now_) one += ", held until " + response::time_text(*shop_.plan, row.next_at);
      const std::set<std::string> alerts = about(row.incident);
      std::string names;
      for (const std::string& alert : alerts) names += (names.empty() ? "" : ",") + alert;
      Message& message = messages[row.event + " " + row.level + " " + names];
      if (!row.text.title.empty()) message.subjects.insert(without_id(row.text.title, row.incident));
      message.recipients.push_back(std::move(one));
      heard_.push_back({now_, row.event, row.level, alerts});
    }
    const std::string at = response::time_text(*shop_.plan, now_) + " ";
    for (const auto& [what, message] : messages) {
      told_ += at + what;
      for (const std::string& subject : message.subjects) told_ += ": " + subject;
      told_ += "\n";
      for (const std::string& one : message.recipients) told_ += "  " + one + "\n";
    }
    for (const std::string& trouble : output.troubles) told_ += at + "trouble: " + trouble + "\n";
    for (const store::Sampled& sampled : output.samples) {
      for (const auto& [series, value] : sampled.values) {
        if (!series->check.starts_with("slo:")) continue;
        if (series->metric == measure::judgement_metric)
          remember_judgement(series->check, value, sampled.at_ns);
        else
          remember_requests(series->check, series->metric == measure::good_requests_metric, value, sampled.at_ns);
      }
    }
    std::ranges::move(output.decision.events, std::back_inserter(events_));
    for (const store::AlertState& row : output.decision.alerts) alerts_[row.name] = row;
  }

  const Shop& shop_;
  std::int64_t begin_ = 0, end_ = 0, now_ = 0;
  std::map<std::string, std::vector<Usual>> usual_;
  std::vector<Line> script_;
  std::size_t first_ = 0, passed_ = 0;  // of the script: not over for a day, not near yet
  std::int64_t close_until_ = 0;
  std::shared_ptr<const response::Plan> plan_ = shop_.quiet_plan;                // that the desk has
  std::map<std::string, std::int64_t> next_, resulted_;                          // by check
  std::map<std::string, std::map<std::int64_t, measure::slo::Stretch>> judged_;  // by series, by the instant from which on
  std::map<std::string, std::pair<double, std::int64_t>> last_judged_;           // by series: what, and since when
  std::map<std::string, double> totals_;
  std::map<std::string, std::pair<measure::Status, std::int64_t>> statuses_;
  std::vector<store::IncidentEvent> events_;
  std::map<std::string, store::AlertState> alerts_;
  std::unique_ptr<response::Desk> desk_;
  std::uint64_t random_ = 1;
  std::vector<Heard> heard_;
  std::string told_;
};

}  // namespace year
}  // namespace ronda::test
