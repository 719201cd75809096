// SPDX-License-Identifier: Apache-2.0
// Runs tests/cases/rule/*.case. Sections: "file NAME" (conf.d), "facts" (one line a check: NAME METRIC:UNIT[:LABEL,..] ...,
// "+" at the end for open metrics, "task NAME"), "expect" (what validate prints of the alerts), "disabled".
// RONDA_WRITE_CASES=1 writes what came out instead: read the difference.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "case_file.hpp"
#include "rule/objective.hpp"
#include "support.hpp"

using namespace ronda;
using namespace ronda::rule;

namespace {

MetricFacts metric_of(const std::string& text) {
  std::istringstream in(text);
  MetricFacts out;
  std::string labels;
  std::getline(in, out.name, ':');
  std::getline(in, out.unit, ':');
  std::getline(in, labels);
  std::istringstream names(labels);
  for (std::string name; std::getline(names, name, ',');) out.labels.push_back(name);
  out.counter = out.name == "errors";
  return out;
}

Facts facts_of_case(const test::Case& one, const config::Generation& generation) {
  const std::string text = one.section("facts");
  if (text.empty()) return facts_of(generation);
  Facts facts;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name == "task") {
      words >> name;
      facts.tasks.push_back(name);
      continue;
    }
    CheckFacts check;
    check.name = name;
    check.open_metrics = false;
    for (std::string word; words >> word;) {
      if (word == "+")
        check.open_metrics = true;
      else
        check.metrics.push_back(metric_of(word));
    }
    facts.checks.push_back(std::move(check));
  }
  facts.sort();
  return facts;
}

struct CaseOutcome {
  std::string printed, disabled;
};

CaseOutcome run(const test::Case& one) {
  config::Sources sources;
  config::Environment environment;
  environment.variables["CONDITION"] = "api.status =! critical";
  for (const auto& [name, text] : one.sections) {
    if (name.starts_with("file ")) sources.push_back({"conf.d/" + name.substr(5), text, false});
  }
  config::Diagnostics ignored, told;
  const config::Generation generation = config::build_generation(sources, environment, ignored);
  std::vector<config::Disabled> disabled;
  const Facts facts = facts_of_case(one, generation);
  load_alerts(generation, facts, severities_of(generation), sources, told, disabled);
  load_slos(generation, facts, sources, told, disabled);
  told.sort();
  CaseOutcome out;
  out.printed = config::render_all(told, sources);
  for (const config::Disabled& d : disabled) out.disabled += d.kind + " " + d.name + "\n";
  CHECK(told.has_errors() == !disabled.empty());
  return out;
}

void run_file(const std::string& path) {
  test::CaseFile file = test::read_cases(path);
  REQUIRE_FALSE(file.cases.empty());
  for (test::Case& one : file.cases) {
    INFO(path << ": " << one.title);
    const CaseOutcome outcome = run(one);
    if (std::getenv("RONDA_WRITE_CASES") != nullptr) {
      std::erase_if(one.sections, [](const auto& s) { return s.first == "expect" || s.first == "disabled"; });
      one.sections.emplace_back("expect", outcome.printed);
      if (!outcome.disabled.empty()) one.sections.emplace_back("disabled", outcome.disabled);
    }
    CHECK(outcome.printed == one.section("expect"));
    CHECK(outcome.disabled == one.section("disabled"));
  }
  if (std::getenv("RONDA_WRITE_CASES") != nullptr) std::ofstream(path) << test::to_text(file);
}

}  // namespace

TEST_CASE("every case of tests/cases/rule says exactly what is expected", "[rule]") {
  std::set<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(RONDA_SOURCE_DIR "/tests/cases/rule")) {
    if (entry.path().extension() == ".case") paths.insert(entry.path().string());
  }
  REQUIRE_FALSE(paths.empty());
  for (const std::string& path : paths) run_file(path);
}
