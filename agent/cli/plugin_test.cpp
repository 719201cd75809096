// SPDX-License-Identifier: Apache-2.0
// `ronda plugin test`: every rule of the contract on every procedure, each in a child process with a time
// limit. Exit code 0 when all hold, 1 when one is broken.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "base/text.hpp"
#include "cli/plugin_child.hpp"
#include "cli/plugin_session.hpp"
#include "cli/plugin_trial.hpp"
#include "plugin/contract_rules.hpp"

namespace ronda::cli {
namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr auto rule_limit = 60s;
constexpr int not_applicable = 77;  // of ronda-contract

struct Trial {
  std::string procedure, rule, title;
  std::string verdict;  // "pass", "fail", "skip"
  std::string reason;
};

std::string contract_host_path() {
  return (std::filesystem::path(runner_path()).parent_path() / "ronda-contract").string();
}

/// One procedure and what it is tried with.
struct Subject {
  const PluginFile& file;
  const plugin::Procedure& procedure;
  std::string options;   // as encode_options makes them
  bool network = false;  // somebody gave options that may mean a real server
  std::uint64_t seed = 1;
};

std::vector<std::string> argv_for(const Subject& subject, std::string_view rule) {
  const auto& [file, procedure, options, network, seed] = subject;
  std::string kinds;
  for (const plugin::Procedure& one : file.manifest->provides) kinds += one.kind_id + ",";
  return {contract_host_path(),       file.path, kinds, procedure.kind_id, procedure.name, std::string(rule), std::to_string(seed),
          network ? "shared" : "none"};
}

Trial judge(const ChildEnd& end) {
  Trial trial;
  trial.verdict = end.exit_code == 0 ? "pass" : end.exit_code == not_applicable ? "skip" : "fail";
  trial.reason = escape_controls(trim(end.output.substr(0, 2000)));
  if (end.exit_code == 1 && trial.reason.empty())
    trial.reason = "it closed the descriptor by which the reason is told, and with it all others";
  if (end.too_late)
    trial.reason = "did not end within " + std::to_string(rule_limit.count()) + " s";
  else if (end.signal != 0)
    trial.reason = std::string("the process was killed by ") + strsignal(end.signal);
  else if (end.exit_code > 2 && end.exit_code != not_applicable)
    trial.reason = "the plugin ended the process with exit code " + std::to_string(end.exit_code);
  return trial;
}

Trial try_rule(const Subject& subject, const plugin::ContractRule& rule) {
  const auto end = run_child(argv_for(subject, rule.number), subject.options, rule_limit);
  Trial trial = end ? judge(*end) : Trial{{}, {}, {}, "fail", end.error().message()};
  trial.procedure = subject.procedure.name;
  trial.rule = rule.number;
  trial.title = rule.title;
  return trial;
}

void print(const Trial& trial) {
  std::cout << trial.verdict << "  " << trial.rule << "  " << trial.procedure << ": " << trial.title << "\n";
  if (!trial.reason.empty() && trial.verdict != "pass") std::cout << "      " << trial.reason << "\n";
  std::cout.flush();
}

json::object to_json(const Trial& trial) {
  return {
      {"procedure", trial.procedure}, {"rule", trial.rule}, {"title", trial.title}, {"verdict", trial.verdict}, {"reason", trial.reason}};
}

/// The first key of "expect.status=204".
std::string_view key_of(std::string_view setting) {
  return setting.substr(0, setting.find_first_of(".="));
}

/// What was set of the options that this procedure has; the others are another procedure's.
std::vector<std::string> settings_for(const plugin::Procedure& procedure, const Options& options) {
  std::vector<std::string> out;
  for (const auto& [flag, value] : options.flags)
    if (flag == "set" && plugin::find_option(procedure.options, key_of(value)) != nullptr) out.push_back(value);
  return out;
}

/// A setting that no procedure knows; empty when there is none.
std::string unknown_setting(const plugin::Manifest& manifest, const Options& options) {
  for (const auto& [flag, value] : options.flags) {
    const std::string_view key = key_of(value);
    const auto known = [key](const plugin::Procedure& procedure) { return plugin::find_option(procedure.options, key) != nullptr; };
    if (flag == "set" && std::ranges::none_of(manifest.provides, known)) return std::string(key);
  }
  return {};
}

/// Becomes ronda-contract, so that a debugger started on this program is on the plugin.
int become_contract_host(const Subject& subject, std::string_view rule) {
  const std::string& options = subject.options;
  char name[] = "/tmp/ronda-options-XXXXXX";
  const int input = ::mkstemp(name);
  if (input < 0 || ::unlink(name) != 0 || ::write(input, options.data(), options.size()) != static_cast<ssize_t>(options.size())) {
    complain("cannot hand over the options");
    return exit_failed;
  }
  ::lseek(input, 0, SEEK_SET);
  ::dup2(input, STDIN_FILENO);
  const std::vector<std::string> argv = argv_for(subject, rule);
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execv(words[0], words.data());
  complain("cannot start " + argv[0]);
  return exit_failed;
}

struct Wanted {
  std::string only;
  std::uint64_t seed = 1;
  bool in_process = false;
};

Result<Wanted> wanted_of(const Options& options) {
  Wanted out;
  out.only = options.value("only");
  out.in_process = options.has("in-process");
  const auto known = [&](const plugin::ContractRule& rule) { return rule.number == out.only; };
  if (!out.only.empty() && std::ranges::none_of(plugin::contract_rules, known))
    return Error(Errc::invalid, "there is no rule \"" + escape_controls(out.only) + "\"; rules are " +
                                    std::string(plugin::contract_rules.front().number) + " to " +
                                    std::string(plugin::contract_rules.back().number));
  if (out.in_process && out.only.empty()) return Error(Errc::invalid, "--in-process runs one rule: name it with --only");
  const std::string seed = options.value("seed", "1");
  const auto [end, failed] = std::from_chars(seed.data(), seed.data() + seed.size(), out.seed);
  if (failed != std::errc{} || end != seed.data() + seed.size()) return Error(Errc::invalid, "--seed is a whole number");
  return out;
}

/// Counts and prints what was tried.
class Tally {
 public:
  explicit Tally(bool as_json) : as_json_(as_json) {}

  void add(const Trial& trial) {
    ++(trial.verdict == "pass" ? passed_ : trial.verdict == "skip" ? skipped_ : failed_);
    if (as_json_)
      all_.push_back(to_json(trial));
    else
      print(trial);
  }
  void finish(std::uint64_t seed) {
    if (as_json_)
      std::cout << json::serialize(json::object{{"format", 1},
                                                {"seed", seed},
                                                {"passed", passed_},
                                                {"failed", failed_},
                                                {"skipped", skipped_},
                                                {"rules", std::move(all_)}})
                << "\n";
    else
      std::cout << passed_ << " hold, " << failed_ << " broken, " << skipped_ << " not tried (seed " << seed << ")\n";
  }
  bool all_hold() const { return failed_ == 0; }

 private:
  bool as_json_;
  std::size_t passed_ = 0, failed_ = 0, skipped_ = 0;
  json::array all_;
};

/// The rules after "an instance is created" mean nothing for a plugin that makes none.
constexpr std::string_view create_rule = "RONDA-P-016";

void try_rules(const Subject& subject, const std::string& only, Tally& tally) {
  bool creates = true;
  for (const plugin::ContractRule& rule : plugin::contract_rules) {
    if (!only.empty() && rule.number != only) continue;
    const Trial trial =
        creates ? try_rule(subject, rule)
                : Trial{subject.procedure.name, std::string(rule.number), std::string(rule.title), "skip", "there is no instance to try"};
    if (rule.number == create_rule && trial.verdict != "pass") creates = false;
    tally.add(trial);
  }
}

}  // namespace

int plugin_test(const Options& options) {
  const auto wanted = wanted_of(options);
  if (!wanted) {
    complain(wanted.error().message());
    return exit_usage;
  }
  const auto file = open_plugin(options, options.arguments[0]);
  if (!file) return complain_of(file.error());
  if (const std::string unknown = unknown_setting(*file->manifest, options); !unknown.empty()) {
    complain(file->manifest->id + " has no option '" + escape_controls(unknown) + "'");
    return exit_usage;
  }
  Tally tally(options.json);
  for (const plugin::Procedure& procedure : file->manifest->provides) {
    if (procedure.kind == plugin::Kind::unknown) continue;
    const auto given = settings_for(procedure, options);
    auto encoded = encode_settings(procedure, trial_settings(procedure, given));
    if (!encoded) {
      tally.add({procedure.name, std::string(create_rule), "an instance is created with its options, and destroyed", "fail",
                 encoded.error().message() + "; give what it needs with --set KEY=VALUE"});
      continue;
    }
    const Subject subject{*file, procedure, *std::move(encoded), !given.empty(), wanted->seed};
    if (wanted->in_process) return become_contract_host(subject, wanted->only);
    try_rules(subject, wanted->only, tally);
  }
  tally.finish(wanted->seed);
  return tally.all_hold() ? exit_done : exit_failed;
}

}  // namespace ronda::cli
