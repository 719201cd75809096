// SPDX-License-Identifier: Apache-2.0
// Runs tests/cases/config/*.case: sections "file NAME", "env" (NAME=VALUE lines), "expect" (what validate
// prints) and "disabled" (what does not run at start). RONDA_WRITE_CASES=1 writes what came out instead: read
// the difference.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "case_file.hpp"
#include "catch.hpp"
#include "config/build.hpp"

using namespace ronda;
using namespace ronda::config;

namespace {

struct Outcome {
  std::string printed;
  std::string disabled;
};

Result<std::string> read_known_file(const std::string& path, FileUse use) {
  if (path == "/etc/ronda/secret" && use == FileUse::secret) return std::string("s3cret-value\n");
  if (path == "/etc/ronda/env") return std::string("FROM_FILE=from file\nBAD_DURATION=5 secret minutes\n");
  if (path == "/etc/ronda/bad-env") return std::string("A=1\nC=3\nhunter2\nB=\"2\n");
  return Error(Errc::not_found, "opening " + path + ": No such file or directory");
}

Outcome run(const test::Case& one) {
  Sources sources;
  Environment environment;
  environment.read_file = read_known_file;
  for (const auto& [name, text] : one.sections) {
    if (name.starts_with("file ")) sources.push_back({"conf.d/" + name.substr(5), text});
    if (name == "env") REQUIRE(read_env_file(text, "env", environment.variables).empty());
  }
  Diagnostics diagnostics;
  const Generation generation = build_generation(sources, environment, diagnostics);
  Outcome outcome;
  outcome.printed = render_all(diagnostics, sources);
  std::set<std::string> lines;
  for (const Disabled& d : generation.disabled) lines.insert(d.kind + (d.name.empty() ? "" : " " + d.name) + "\n");
  for (const std::string& line : lines) outcome.disabled += line;
  CHECK(diagnostics.has_errors() == !generation.disabled.empty());
  return outcome;
}

void run_file(const std::string& path) {
  test::CaseFile file = test::read_cases(path);
  REQUIRE_FALSE(file.cases.empty());
  for (test::Case& one : file.cases) {
    INFO(path << ": " << one.title);
    const Outcome outcome = run(one);
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

TEST_CASE("every case of tests/cases/config says exactly what is expected", "[config]") {
  std::set<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(RONDA_SOURCE_DIR "/tests/cases/config")) {
    if (entry.path().extension() == ".case") paths.insert(entry.path().string());
  }
  REQUIRE_FALSE(paths.empty());
  for (const std::string& path : paths) run_file(path);
}
