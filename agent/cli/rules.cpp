// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/counted.hpp"
#include "base/text.hpp"
#include "cli/cli.hpp"
#include "cli/incident_text.hpp"
#include "cli/rules.hpp"
#include "cli/show.hpp"
#include "config/build.hpp"
#include "config/directory.hpp"
#include "config/toml.hpp"
#include "rule/test_file.hpp"

namespace ronda::cli {
namespace json = boost::json;

namespace {

/// One file of tests, read with the configuration that it names, and what came of it.
struct Tested {
  config::Sources sources;  // of `conf`, then the file itself
  config::Diagnostics diagnostics;
  std::size_t elsewhere = 0;  // errors of conf that are about no alert
  rule::TestResult result;

  int exit_code() const { return diagnostics.has_errors() ? exit_usage : result.failed > 0 ? exit_failed : exit_done; }
};

Result<std::string> read_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return Error(Errc::not_found, path + " is no file");
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) return Error(Errc::unavailable, path + " cannot be read");
  return text;
}

/// The generation of a directory. What is wrong with it counts only where it is about a whole file or an alert: a secret that
/// is not on this host says nothing of rules.
config::Generation read_conf(const Options& options, const std::string& directory, config::Place place, Tested& out) {
  config::Diagnostics found;
  auto snapshot = config::read_directory(directory, directory, ::geteuid(), found);
  out.sources = std::move(snapshot.sources);
  if (out.sources.empty() && !found.has_errors()) found.error({}, directory + " has no *.toml");
  if (out.sources.empty()) {
    out.diagnostics.error(place, found.all().front().message);
    return {};
  }
  config::Generation generation =
      config::build_generation(out.sources, config::environment_of_process(options.env_file, ::geteuid()), found);
  bool counts = false;
  for (const config::Disabled& one : generation.disabled) counts = counts || one.kind == "file" || one.kind == "alert";
  if (!counts) {
    out.elsewhere = found.errors();
    return generation;
  }
  for (const config::Diagnostic& one : found.all()) {
    if (one.severity == config::Severity::error) out.diagnostics.add(one);
  }
  return generation;
}

Tested test_file(const Options& options, const std::string& path, const std::string& text) {
  Tested out;
  config::Diagnostics ignored;
  config::Place place;
  std::string conf;
  if (const auto first = config::parse_toml(text, 0, ignored)) conf = rule::conf_of(*first, place);
  config::Generation generation;
  if (!conf.empty()) {
    const std::string directory = (std::filesystem::path(path).parent_path() / conf).lexically_normal().string();
    generation = read_conf(options, directory, place, out);
  }
  const auto index = static_cast<std::uint32_t>(out.sources.size());
  out.sources.push_back({path, text});
  const auto root = config::parse_toml(text, index, out.diagnostics);
  if (!root) return out;
  auto file = rule::read_test_file(*root, generation, out.diagnostics);
  if (!file) return out;
  const rule::RuleSet rules = rule::rules_of(std::move(generation), *file, out.sources, out.diagnostics);
  if (!out.diagnostics.has_errors()) out.result = rule::run_tests(*file, rules);
  return out;
}

config::Diagnostics differences_of(const Tested& tested) {
  config::Diagnostics out;
  for (const rule::Difference& one : tested.result.differences) out.error(one.place, one.test + ": " + one.message);
  return out;
}

void print_text(const std::string& path, const Tested& tested) {
  if (tested.diagnostics.has_errors()) {
    std::cerr << config::render_all(tested.diagnostics, tested.sources);
    return;
  }
  if (tested.elsewhere > 0)
    complain("conf has " + counted(tested.elsewhere, "error") + " in what is no alert ('ronda validate' shows them)");
  std::cerr << config::render_all(differences_of(tested), tested.sources);
  const rule::TestResult& result = tested.result;
  std::cout << path << ": " << counted(result.tests, "test") << ", " << counted(result.expectations, "expectation") << ": "
            << (result.failed == 0 ? std::string("all hold") : counted(result.failed, "test") + " failed") << "\n";
}

json::object as_json(const std::string& path, const Tested& tested) {
  json::object out{
      {"file", path}, {"tests", tested.result.tests}, {"expectations", tested.result.expectations}, {"failed", tested.result.failed}};
  out["errors"] = json::parse(config::to_json(tested.diagnostics, tested.sources));
  out["differences"] = json::parse(config::to_json(differences_of(tested), tested.sources));
  return out;
}

void print_rule(const json::object& rule) {
  if (const json::value* state = rule.if_contains("state"); state != nullptr && state->is_object())
    std::cout << alert_line(state->get_object()) << "\n";
  for (const json::value& one : list_of(rule, "levels")) {
    if (!one.is_object()) continue;
    const json::object& level = one.get_object();
    const std::string hold = text_of(level, "for"), clear = text_of(level, "clear");
    std::cout << "      " << level_label(member(level, "level")) << "  " << escape_controls(text_of(level, "condition"))
              << (hold.empty() || hold == "0s" ? "" : "  for " + hold) << "\n";
    if (!clear.empty()) std::cout << "          until " << escape_controls(clear) << "\n";
  }
  if (const std::string clear = text_of(rule, "clear"); !clear.empty()) std::cout << "          until " << escape_controls(clear) << "\n";
}

int rules_list(const Options& options) {
  if (options.arguments.size() > 1) {
    complain("usage: ronda rules list");
    return exit_usage;
  }
  const auto answer = ask_json(options, "GET", "/v1/rules");
  if (!answer) return answer.error();
  if (options.json) {
    std::cout << answer->text << "\n";
    return exit_done;
  }
  if (answer->value.as_array().empty()) std::cout << "there is no alert\n";
  for (const json::value& one : answer->value.as_array()) print_rule(one.as_object());
  return exit_done;
}

}  // namespace

int rules(const Options& options) {
  if (!options.arguments.empty() && options.arguments.front() == "list") return rules_list(options);
  if (!options.arguments.empty() && options.arguments.front() == "backtest") return rules_backtest(options);
  if (options.arguments.size() < 2 || options.arguments.front() != "test") {
    complain("usage: ronda rules list | test FILE ... | backtest [ALERT ...]");
    return exit_usage;
  }
  int worst = exit_done;
  json::array files;
  for (std::size_t i = 1; i < options.arguments.size(); ++i) {
    const std::string& path = options.arguments[i];
    const auto text = read_file(path);
    if (!text) {
      complain(text.error().message());
      return exit_usage;
    }
    Tested tested = test_file(options, path, *text);
    tested.diagnostics.sort();
    worst = std::max(worst, tested.exit_code());
    if (options.json)
      files.push_back(as_json(path, tested));
    else
      print_text(path, tested);
  }
  if (options.json) std::cout << json::serialize(json::object{{"files", std::move(files)}}) << "\n";
  return worst;
}

}  // namespace ronda::cli
