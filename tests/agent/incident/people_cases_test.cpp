// SPDX-License-Identifier: Apache-2.0
// Runs tests/cases/people/*.case: sections "file NAME" of conf.d, "shipped" (the shipped conf.d),
// "notifiers" (NAME PROCEDURE [wrong|off] a line; else those of the shop), "calendar" (the file /etc/ronda/oncall.ics),
// "now", "expect" (what validate prints of people), "disabled", and "simulate" (LEVEL SERVICE|- AT FOR [ACK]) with "told",
// what `ronda escalation simulate` says. RONDA_WRITE_CASES=1 writes what came out instead: read the difference.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "case_file.hpp"
#include "catch.hpp"
#include "incident/simulate.hpp"
#include "staffed.hpp"

using namespace ronda;

namespace {

std::vector<people::Notifier> read_notifiers(const std::string& text) {
  std::vector<people::Notifier> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    people::Notifier one;
    std::string state;
    words >> one.name >> state;
    one.usable = state.empty();
    one.wrong = state == "wrong";
    out.push_back(std::move(one));
  }
  return out;
}

std::string simulated(const test::Staffed& staffed, const std::string& asked) {
  std::istringstream words(asked);
  std::string level, service, at, length, ack;
  words >> level >> service >> at >> length >> ack;
  escalation::Scenario scenario;
  scenario.level = *std::ranges::find(people::all_levels, level, config::level_name);
  scenario.service = service == "-" ? "" : service;
  scenario.lasts = *parse_duration(length);
  if (!ack.empty()) scenario.ack_after = *parse_duration(ack);
  const schedule::ZonePtr zone = test::zone(staffed.generation.agent.tz.empty() ? "UTC" : staffed.generation.agent.tz);
  scenario.detected_ns = *people::parse_moment(at, *zone);
  return escalation::print(escalation::simulate(staffed.people, staffed.policies, scenario), staffed.people, scenario, *zone);
}

struct Outcome {
  std::string printed, disabled, told;
};

Outcome run(const test::Case& one) {
  const bool is_shipped = std::ranges::find(one.sections, "shipped", &std::pair<std::string, std::string>::first) != one.sections.end();
  config::Sources sources = is_shipped ? test::shipped() : config::Sources();
  auto notifiers = test::shop_notifiers();
  std::int64_t now_ns = 0;
  for (const auto& [name, text] : one.sections) {
    if (name.starts_with("file ")) sources.push_back({"conf.d/" + name.substr(5), text});
    if (name == "notifiers") notifiers = read_notifiers(text);
    if (name == "now") now_ns = test::at(std::string_view(text).substr(0, text.size() - 1));
  }
  const test::Staffed staffed = test::staff(std::move(sources), notifiers, now_ns, {{"/etc/ronda/oncall.ics", one.section("calendar")}});
  Outcome out;
  for (const config::Diagnostic& d : staffed.diagnostics.all()) {
    // what others say of checks is not at issue here
    const bool of_checks = d.message.find("has neither `severity` nor an alert") != std::string::npos ||
                           d.message.find("has no check, no task") != std::string::npos;
    if (!of_checks) out.printed += config::render(d, staffed.sources);
  }
  std::set<std::string> lines;
  for (const auto* list : {&staffed.generation.disabled, &staffed.people.disabled, &staffed.policies.disabled}) {
    for (const config::Disabled& d : *list) lines.insert(d.kind + (d.name.empty() ? "" : " " + d.name) + "\n");
  }
  for (const std::string& line : lines) out.disabled += line;
  if (const std::string asked = one.section("simulate"); !asked.empty()) out.told = simulated(staffed, asked);
  return out;
}

void run_file(const std::string& path) {
  test::CaseFile file = test::read_cases(path);
  REQUIRE_FALSE(file.cases.empty());
  const bool writes = std::getenv("RONDA_WRITE_CASES") != nullptr;
  for (test::Case& one : file.cases) {
    INFO(path << ": " << one.title);
    const Outcome outcome = run(one);
    if (writes) {
      std::erase_if(one.sections, [](const auto& s) { return s.first == "expect" || s.first == "disabled" || s.first == "told"; });
      if (!outcome.printed.empty()) one.sections.emplace_back("expect", outcome.printed);
      if (!outcome.disabled.empty()) one.sections.emplace_back("disabled", outcome.disabled);
      if (!outcome.told.empty()) one.sections.emplace_back("told", outcome.told);
    }
    CHECK(outcome.printed == one.section("expect"));
    CHECK(outcome.disabled == one.section("disabled"));
    CHECK(outcome.told == one.section("told"));
  }
  if (writes) std::ofstream(path) << test::to_text(file);
}

}  // namespace

TEST_CASE("every case of tests/cases/people says exactly what is expected, and tells exactly whom", "[incident]") {
  std::set<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(RONDA_SOURCE_DIR "/tests/cases/people")) {
    if (entry.path().extension() == ".case") paths.insert(entry.path().string());
  }
  REQUIRE_FALSE(paths.empty());
  for (const std::string& path : paths) run_file(path);
}
