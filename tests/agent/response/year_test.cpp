// SPDX-License-Identifier: Apache-2.0
// A year of the shop: the shipped conf.d as `ronda run` reads it, with the manifests of the plugins that ship, and the desk
// under a virtual clock. tests/cases/year/*.case: "environment" (NAME=value, what ${env:...} finds), "year" (the first and
// the last day), "usual" (CHECK METRIC VALUE UNIT, of each result unless the script says otherwise), "script"
// (TIME CHECK WHAT=VALUE[UNIT] for LENGTH, or TIME ack CONTACT) and "expect": each message with its time, event, level, alert and
// recipients. RONDA_WRITE_CASES=1 writes what came out instead: read the difference.
//
// Results come at the check's own interval from `lead` before a line of the script until `rest` after its end; in between
// the agent is stopped and its store kept, as for a restart.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "case_file.hpp"
#include "catch.hpp"
#include "incident/moment.hpp"
#include "plugin/host_libraries.hpp"
#include "plugin/messages.hpp"
#include "response/desk.hpp"
#include "response/words.hpp"

using namespace ronda;

namespace {

constexpr std::int64_t second = 1'000'000'000, minute = 60 * second, hour = 60 * minute;
constexpr std::int64_t lead = 7 * hour, rest = 2 * hour;

struct Shop {
  schedule::ZoneDatabase zones;
  plugin::HostLibraries libraries{plugin::system_library_directories()};
  schedule::Candidate candidate;
  std::shared_ptr<const response::Plan> plan;

  explicit Shop(std::map<std::string, std::string> environment) {
    schedule::CandidateRequest request;
    request.config_directory = RONDA_SOURCE_DIR "/conf.d";
    request.plugin_directories = {RONDA_BINARY_DIR "/plugins"};
    request.trust_file = RONDA_BINARY_DIR "/no-trust.toml";
    request.uid = ::geteuid();
    request.environment.variables = {environment.begin(), environment.end()};
    request.environment.read_file = [](const std::string& path, config::FileUse) -> Result<std::string> {
      return Error(Errc::not_found, "opening " + path + ": No such file or directory");  // nothing of this host
    };
    request.zones = &zones;
    request.libraries = &libraries;
    candidate = schedule::load_candidate(request);
    plan = response::compile(candidate, zones, {"shop1", 0, request.uid});
    INFO(config::render_all(candidate.diagnostics, candidate.sources));
    REQUIRE(candidate.diagnostics.errors() == 0);
  }
};

struct Line {
  std::int64_t at = 0, until = 0;
  std::string check, what, text;  // check "ack": of a person, who is `what`
};

struct Usual {
  std::string metric, unit;
  double value = 0;
};

class Year {
 public:
  Year(const Shop& shop, const test::Case& one) : shop_(shop), random_(1) {
    read_usual(one.section("usual"));
    read_script(one.section("script"));
    for (const schedule::Prepared& prepared : shop.candidate.set) {
      if (prepared.kind != config::Kind::check) continue;
      const std::int64_t every = prepared.when.every.count();
      every_[prepared.name] = every > 0 ? every : 60 * second;
    }
  }

  std::string run() {
    for (std::size_t i = 0; i < script_.size();) {
      std::int64_t begin = script_[i].at - lead, end = 0;
      for (; i < script_.size() && (end == 0 || script_[i].at - lead <= end); ++i) end = std::max(end, script_[i].until + rest);
      stretch(begin, end);
    }
    return told_;
  }

 private:
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
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string day, time, what, word, length;
      Line one;
      words >> day >> time >> one.check >> what >> word >> length;
      INFO(line);
      one.at = one.until = moment(day + " " + time);
      one.what = what.substr(0, what.find('='));
      if (one.check != "ack") {
        REQUIRE(usual_.contains(one.check));
        REQUIRE(word == "for");
        one.text = what.substr(what.find('=') + 1);
        one.until += parse_duration(length)->count();
      }
      REQUIRE((script_.empty() || script_.back().at <= one.at));
      script_.push_back(std::move(one));
    }
  }

  /// As after a restart: what is open goes on, windows over time begin to fill.
  void stretch(std::int64_t begin, std::int64_t end) {
    desk_ = std::make_unique<response::Desk>(shop_.plan, [this] { return ++random_ * 0x9E3779B97F4A7C15; });
    response::Kept kept;
    for (const store::IncidentEvent& row : events_) {
      auto event = incident::parse_event(row.data);
      REQUIRE(event);
      kept.events.push_back(*std::move(event));
    }
    for (const auto& [name, row] : alerts_) {
      if (row.data) kept.alerts.push_back(row);
    }
    REQUIRE(desk_->restore(kept, begin).empty());
    for (const auto& [check, values] : usual_) {
      for (const Usual& one : values) {
        if (one.unit == "c/s") remember_hours(check, one, begin);
      }
    }
    std::map<std::string, std::int64_t> next;
    for (const auto& [check, values] : usual_) next[check] = begin;
    for (now_ = begin; now_ < end;) {
      for (auto& [check, at] : next) {
        if (at > now_) continue;
        result(check);
        at += every_.at(check);
      }
      act();
      take(desk_->tick(now_));
      std::int64_t then = end;
      for (const auto& [check, at] : next) then = std::min(then, at);
      if (const auto wake = desk_->next_wake()) then = std::min(then, std::max(*wake, now_ + 1));
      before_ = now_;
      now_ = then;
    }
  }

  /// What the store would have of the eight weeks before: baselines are made of it.
  void remember_hours(const std::string& check, const Usual& one, std::int64_t begin) {
    std::vector<store::Rollup> hours;
    for (std::int64_t from = (begin / hour - std::int64_t{8} * 7 * 24) * hour; from + hour <= begin; from += hour) {
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
    for (const Line& line : script_) {
      if (line.check != check || now_ < line.at || now_ >= line.until) continue;
      if (line.what == "status") {
        status = line.text == "critical" ? measure::Status::critical : line.text == "unknown" ? measure::Status::unknown : measure::Status::warning;
        continue;
      }
      const auto found = std::ranges::find(values, line.what, &Usual::metric);
      REQUIRE(found != values.end());
      found->value = std::stod(line.text);
    }
    std::vector<wire::Metric> metrics;
    for (const Usual& one : values) {
      if (status == measure::Status::critical || one.metric == "-") continue;  // what failed measures nothing
      wire::Metric metric;
      metric.name = one.metric;
      metric.value = one.value;
      metric.unit = one.unit;
      if (one.unit == "c/s") {  // a counter that grows by so much a second
        metric.unit = "";
        metric.counter = true;
        double& total = totals_[check + "." + one.metric];
        metric.value = total += one.value * static_cast<double>(every_.at(check)) / 1e9;
      }
      metrics.push_back(std::move(metric));
    }
    std::string encoded;
    wire::Writer writer(encoded);
    for (const wire::Metric& metric : metrics) wire::encode_metric(writer, metric);
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

  void act() {
    for (const Line& line : script_) {
      if (line.check != "ack" || line.at > now_ || line.at <= before_) continue;
      std::vector<std::string> ids;
      for (const auto& [id, incident] : desk_->incidents().incidents) {
        if (incident.stage == incident::Stage::open) ids.push_back(id);
      }
      CHECK(ids.size() == 1);
      for (const std::string& id : ids) {
        incident::Command command;
        command.verb = incident::Verb::ack;
        command.incident = id;
        command.author = {incident::Author::Kind::contact, line.what};
        command.source = "cli";
        auto output = desk_->command(command, now_);
        REQUIRE(output.replies.size() == 1);
        INFO(output.replies.front().text);
        CHECK(output.replies.front().done);
        take(std::move(output));
      }
    }
  }

  std::string about(const store::OutboxRow& row) const {
    const incident::Incident* incident = desk_->incidents().find(row.incident);
    if (incident == nullptr) return "-";
    std::string out;
    for (const auto& [alert, member] : incident->members) out += (out.empty() ? "" : ",") + alert;
    return out;
  }

  void take(response::Output output) {
    std::map<std::string, std::vector<std::string>> to;  // by what stands before it
    for (const store::OutboxRow& row : output.decision.outbox) {
      std::string one = row.contact + " by " + row.notifier + (row.to.empty() ? "" : " " + row.to);
      if (row.next_at > now_) one += ", held until " + response::time_text(*shop_.plan, row.next_at);
      to[row.event + " " + row.level + " " + about(row)].push_back(std::move(one));
    }
    for (const auto& [what, recipients] : to) {
      told_ += response::time_text(*shop_.plan, now_) + " " + what + "\n";
      for (const std::string& one : recipients) told_ += "  " + one + "\n";
    }
    for (const std::string& trouble : output.troubles) told_ += response::time_text(*shop_.plan, now_) + " trouble: " + trouble + "\n";
    std::ranges::move(output.decision.events, std::back_inserter(events_));
    for (const store::AlertState& row : output.decision.alerts) alerts_[row.name] = row;
  }

  const Shop& shop_;
  std::uint64_t random_;
  std::map<std::string, std::vector<Usual>> usual_;
  std::vector<Line> script_;
  std::map<std::string, std::int64_t> every_;
  std::map<std::string, double> totals_;
  std::map<std::string, std::pair<measure::Status, std::int64_t>> statuses_;
  std::vector<store::IncidentEvent> events_;
  std::map<std::string, store::AlertState> alerts_;
  std::unique_ptr<response::Desk> desk_;
  std::int64_t now_ = 0, before_ = 0;
  std::string told_;
};

/// The first lines that differ, with the one before them.
std::string difference(const std::string& expected, const std::string& came) {
  std::istringstream a(expected), b(came);
  std::string left, right, before;
  for (int number = 1;; ++number, before = left) {
    const bool more = static_cast<bool>(std::getline(a, left)), other = static_cast<bool>(std::getline(b, right));
    if (!more && !other) return {};
    if (more && other && left == right) continue;
    return "line " + std::to_string(number) + " of expect, after \"" + before + "\":\n- " + (more ? left : "(end)") + "\n+ " + (other ? right : "(end)");
  }
}

}  // namespace

TEST_CASE("a year of the shop: each rule of the shipped conf.d over and under its limit, and who hears what when", "[year]") {
  const std::string directory = RONDA_SOURCE_DIR "/tests/cases/year";
  const bool writes = std::getenv("RONDA_WRITE_CASES") != nullptr;
  std::size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".case") continue;
    test::CaseFile file = test::read_cases(entry.path());
    for (test::Case& one : file.cases) {
      ++cases;
      std::map<std::string, std::string> environment;
      std::istringstream lines(one.section("environment"));
      for (std::string line; std::getline(lines, line);) environment[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
      const Shop shop(environment);
      const std::string came = Year(shop, one).run();
      INFO(entry.path().filename().string() << ", " << one.title << "\n" << difference(one.section("expect"), came));
      if (!writes) CHECK(came == one.section("expect"));
      for (auto& [name, text] : one.sections) {
        if (name == "expect") text = came;
      }
    }
    if (writes) std::ofstream(entry.path()) << test::to_text(file);
  }
  CHECK(cases > 0);
}
