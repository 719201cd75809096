// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>
#include <tuple>

#include "base/text.hpp"
#include "base/units.hpp"
#include "rule/replay.hpp"
#include "rule/test_file.hpp"

namespace ronda::rule {
namespace {

std::string level_text(config::Level level) {
  return level == config::Level::none ? "none" : std::string(config::level_name(level));
}

/// What is not as expected of one state, or nothing.
std::string compare(const Expectation& expect, const AlertState& state, std::uint32_t fired) {
  if (expect.level && *expect.level != state.level) {
    const std::string reason = state.reason.empty() ? "" : ": " + state.reason;
    return "has level " + level_text(state.level) + ", expected " + level_text(*expect.level) + reason;
  }
  if (expect.no_data && *expect.no_data != state.no_data)
    return state.no_data ? "has no data, expected some: " + state.reason : "has data, expected none";
  if (expect.blocked_by && *expect.blocked_by != state.blocked_by) {
    const auto by = [](const std::string& name) { return name.empty() ? std::string("not blocked") : "blocked by " + name; };
    return "is " + by(state.blocked_by) + ", expected " + by(*expect.blocked_by);
  }
  if (expect.fired && *expect.fired != fired) return "fired " + std::to_string(fired) + " times, expected " + std::to_string(*expect.fired);
  return {};
}

class TestRun {
 public:
  TestRun(const RulesTest& test, const RuleSet& rules) : test_(test), rules_(rules) {}

  std::optional<Difference> run() {
    std::set<std::string> names;
    for (const Expectation& one : test_.expectations) names.insert(one.alert);
    for (const std::string& name : names) {
      if (const Alert* alert = rules_.find(name))
        look_at(*alert);
      else
        note_missing(name);
    }
    return first_;
  }

 private:
  void note(const Expectation& expect, const std::string& what) {
    if (first_ && first_at_ <= expect.at_ns) return;
    first_at_ = expect.at_ns;
    const std::string at = format_duration(Nanos(expect.at_ns - test_.from_ns));
    first_ = Difference{test_.name, expect.place, "alert " + expect.alert + " at " + at + " " + what};
  }

  void note_missing(const std::string& name) {
    std::vector<std::string_view> names;
    for (const Alert& alert : rules_.alerts) names.push_back(alert.name);
    const std::string_view near = nearest(name, names);
    const auto expect = std::ranges::find(test_.expectations, name, &Expectation::alert);
    note(*expect, "is not there" + (near.empty() ? std::string() : "; did you mean " + std::string(near) + "?"));
  }

  void look_at(const Alert& alert) {
    std::vector<const Expectation*> mine;
    std::vector<std::int64_t> instants;
    for (const Expectation& one : test_.expectations) {
      if (one.alert != alert.name) continue;
      mine.push_back(&one);
      instants.push_back(one.at_ns);
    }
    auto next = mine.begin();
    std::uint32_t fired = 0;
    config::Level before = config::Level::none;
    const auto seen = [&](std::int64_t now, const AlertState& state) {
      fired += before == config::Level::none && state.level != config::Level::none ? 1 : 0;
      before = state.level;
      for (; next != mine.end() && (*next)->at_ns == now; ++next) {
        const std::string what = compare(**next, state, fired);
        if (!what.empty()) note(**next, what);
      }
    };
    const Replay whole = replay(alert, rules_.facts, test_.view, test_.from_ns, instants.back(), instants, seen);
    if (whole.is_cut) note(**next, "was not reached within " + std::to_string(most_looks) + " looks");
  }

  const RulesTest& test_;
  const RuleSet& rules_;
  std::optional<Difference> first_;
  std::int64_t first_at_ = 0;
};

}  // namespace

RuleSet rules_of(config::Generation conf, TestFile& file, const config::Sources& sources, config::Diagnostics& diagnostics) {
  config::Generation own = std::move(file.own);
  for (config::Instance& check : own.instances) {
    if (conf.find(config::Kind::check, check.name) == nullptr)
      conf.instances.push_back(std::move(check));
    else
      diagnostics.error(check.place, "check `" + check.name + "` stands in `conf` already");
  }
  for (config::RawObject& object : own.objects) conf.objects.push_back(std::move(object));
  for (config::Service& service : own.services) conf.services.push_back(std::move(service));
  std::ranges::sort(conf.instances, [](const auto& a, const auto& b) { return std::tie(a.kind, a.name) < std::tie(b.kind, b.name); });
  std::ranges::sort(conf.objects, [](const auto& a, const auto& b) { return std::tie(a.kind, a.name) < std::tie(b.kind, b.name); });
  std::ranges::sort(conf.services, {}, &config::Service::name);
  std::vector<config::Disabled> disabled;
  Facts facts = facts_of(conf);
  facts.tasks.insert(facts.tasks.end(), file.tasks.begin(), file.tasks.end());
  facts.sort();
  return load_alerts(conf, std::move(facts), severities_of(conf), sources, diagnostics, disabled);
}

TestResult run_tests(const TestFile& file, const RuleSet& rules) {
  TestResult out;
  for (const RulesTest& test : file.tests) {
    ++out.tests;
    out.expectations += test.expectations.size();
    auto difference = TestRun(test, rules).run();
    if (!difference) continue;
    ++out.failed;
    out.differences.push_back(*std::move(difference));
  }
  return out;
}

}  // namespace ronda::rule
