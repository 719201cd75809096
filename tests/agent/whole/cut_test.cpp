// SPDX-License-Identifier: Apache-2.0
// A file of conf.d that was cut short, given to an agent that runs, at every byte of it.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/clock.hpp"
#include "catch.hpp"
#include "config/digest.hpp"
#include "plugin/host_libraries.hpp"
#include "response/plan.hpp"
#include "schedule/candidate.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

/// Everything that a set says, by the name that a reload has for it.
using Said = std::map<std::string, Hash128>;

Said said_by(const schedule::Candidate& candidate) {
  Said out;
  for (const schedule::Prepared& one : candidate.set) out[schedule::label_of(one.kind, one.name)] = one.hash;
  for (const config::RawObject& one : candidate.generation.objects)
    out[one.kind + " " + one.name] = config::Digest().add(one.value).finish();
  for (const config::Service& one : candidate.generation.services) {
    config::Digest digest;
    digest.add(one.title);
    for (const std::string& name : one.checks) digest.add(name);
    out["service " + one.name] = digest.finish();
  }
  out["settings"] = candidate.generation.settings_hash;
  return out;
}

bool is_instance(const std::string& label) {
  return label.starts_with("check ") || label.starts_with("task ") || label.starts_with("notifier ");
}

/// What has to be named when the one takes the place of the other.
std::set<std::string> changes_of(const Said& before, const Said& after) {
  std::set<std::string> out;
  for (const auto& [label, hash] : before) {
    const auto found = after.find(label);
    if (found == after.end())
      out.insert("removed " + label);
    else if (found->second != hash)
      out.insert((is_instance(label) ? "replaced " : "changed ") + label);
  }
  for (const auto& [label, hash] : after) {
    if (!before.contains(label)) out.insert("added " + label);
  }
  return out;
}

/// The checks and tasks, by their labels, that an agent runs.
std::set<std::string> running_in(const json::value& status) {
  std::set<std::string> out;
  for (const auto& [list, kind] : {std::pair("checks", "check "), std::pair("tasks", "task ")}) {
    for (const json::value& one : status.at(list).as_array()) out.insert(kind + std::string(one.at("name").as_string()));
  }
  return out;
}

std::set<std::string> run_by(const Said& said) {
  std::set<std::string> out;
  for (const auto& [label, hash] : said) {
    if (label.starts_with("check ") || label.starts_with("task ")) out.insert(label);
  }
  return out;
}

/// The answer to one that asks, in the words of the log.
struct Answer {
  bool ok = false;
  std::string line;
  std::vector<std::string> details;
};

Answer reload_by_socket(const WholeAgent& agent) {
  Answer out;
  const json::value answer = json::parse(agent.ask("POST", "/v1/reload").body);
  out.ok = answer.at("ok").as_bool();
  out.line = std::string(answer.at("line").as_string());
  for (const json::value& one : answer.at("details").as_array()) out.details.emplace_back(one.as_string());
  return out;
}

/// Of the lines that begin so, what comes after it, split at commas.
std::set<std::string> listed_in(const std::string& log, const std::string& beginning) {
  std::set<std::string> out;
  for (std::size_t at = log.find(beginning); at != std::string::npos; at = log.find(beginning, at + 1)) {
    std::string rest = log.substr(at + beginning.size(), log.find('\n', at) - at - beginning.size());
    for (std::size_t comma = rest.find(", "); comma != std::string::npos; comma = rest.find(", ")) {
      out.insert(rest.substr(0, comma));
      rest.erase(0, comma + 2);
    }
    out.insert(rest);
  }
  return out;
}

bool holds_all_of(const std::set<std::string>& those, const std::set<std::string>& these) {
  return std::ranges::includes(those, these);
}

constexpr std::string_view stays = "[check.stays]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/echo\", \"here\"]\n";

constexpr std::string_view whole_file = R"([agent]
tz = "UTC"

[notifier.page]
use = "command"
command = ["/bin/true"]

[check.first]
use = "exec.nagios"
every = "1h"
command = ["/bin/true"]

[check.last]
use = "exec.nagios"
after = ["first"]
at = "*-*-* 03:00"
command = ["/bin/true"]
env = { A = "b" }

[task.tidy]
use = "exec.command"
command = ["/bin/true"]

[contact.ann]
name = "Ann"
channels = [{ notifier = "page" }]

[service.shop]
checks = ["first"]
title = "A shop"

[alert.down]
p3 = "first.status == critical"
service = "shop"
for = "5m"
)";

}  // namespace

TEST_CASE("a file cut at any byte is refused as a whole, or is what the cut says and named", "[whole]") {
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins();
  for (const auto& entry : std::filesystem::directory_iterator(plugins)) {
    const std::string name = entry.path().filename();
    if (name != "exec.so" && name != "command.so") std::filesystem::remove(entry.path());
  }
  agent.configure("05-stays.toml", stays);
  agent.configure("10.toml", whole_file);
  REQUIRE(agent.start());

  schedule::ZoneDatabase zones;
  plugin::HostLibraries libraries{plugin::system_library_directories()};
  schedule::CandidateRequest request;
  request.config_directory = agent.config_directory();
  request.plugin_directories = {plugins};
  request.uid = ::geteuid();
  request.environment = config::environment_of_process({}, request.uid);
  request.zones = &zones;
  request.libraries = &libraries;
  request.judges.push_back([&](schedule::Candidate& candidate) {
    response::compile(candidate, zones, {"host", wall_clock().count(), request.uid});
  });
  const schedule::Candidate first = schedule::load_candidate(request);
  REQUIRE_FALSE(first.has_errors());
  request.previous = &first.catalogue;  // whose files are not read again
  Said running = said_by(first);
  REQUIRE(running_in(agent.status()) == run_by(running));

  auto generation = agent.status().at("agent").at("generation").as_int64();
  std::size_t refused = 0, changed = 0, by_signal = 0;
  for (std::size_t cut = 0; cut < whole_file.size(); ++cut) {
    agent.configure("10.toml", cut == 0 ? " " : whole_file.substr(0, cut));
    const schedule::Candidate candidate = schedule::load_candidate(request);
    const bool is_refused = candidate.has_errors();
    const Said said = said_by(candidate);
    const std::set<std::string> changes = is_refused ? std::set<std::string>() : changes_of(running, said);
    refused += is_refused ? 1 : 0;
    generation += is_refused ? 0 : 1;
    changed += changes.empty() ? 0 : 1;
    INFO("cut at " << cut << " of " << whole_file.size());
    if (!is_refused) CHECK(said.contains("check stays"));
    const std::string number = "reload #" + std::to_string(cut + 1) + ": ";
    // a signal is served no sooner than a second after the reload before: a few of them, of each sort
    const bool signals = is_refused ? refused % 300 == 150 : !changes.empty() && changed % 8 == 4;
    if (signals) {
      ++by_signal;
      const std::size_t logged = agent.log().size();
      agent.signal(SIGHUP);
      const std::string end = is_refused ? "refused, nothing changed: " : " failed\n";
      REQUIRE(eventually([&] {
        const std::string log = agent.log();
        const std::size_t at = log.find(number);
        return at != std::string::npos && log.find(end, at) != std::string::npos;
      }));
      // who asks by signal reads it in the log alone
      if (is_refused)
        CHECK(agent.log().find("10.toml:", logged) != std::string::npos);
      else
        CHECK(eventually([&] { return holds_all_of(listed_in(agent.log(), number), changes); }, 10s));
    } else {
      const Answer answer = reload_by_socket(agent);
      CHECK(answer.ok == !is_refused);
      CHECK(answer.line.starts_with(number + (is_refused ? "refused, nothing changed: " : "")));
      const std::set<std::string> details(answer.details.begin(), answer.details.end());
      const auto is_placed = [](const std::string& one) { return one.find("10.toml:") != std::string::npos; };
      if (is_refused) CHECK(std::ranges::any_of(details, is_placed));
      INFO(Catch::StringMaker<std::set<std::string>>::convert(details));
      INFO(Catch::StringMaker<std::set<std::string>>::convert(changes));
      CHECK(holds_all_of(details, changes));
    }
    if (!is_refused) running = said;
    const json::value status = agent.status();
    CHECK(running_in(status) == run_by(running));
    CHECK(status.at("agent").at("generation").as_int64() == generation);
  }
  CHECK(refused > 300);
  CHECK(changed > 8);
  CHECK(by_signal > 2);
  // and the whole file brings back what the cuts took
  agent.configure("10.toml", whole_file);
  CHECK(reload_by_socket(agent).ok);
  CHECK(running_in(agent.status()) == run_by(said_by(first)));
  CHECK(agent.stop() == 0);
}

TEST_CASE("of more changes than a reload tells it says how many more there are", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", "[service.first]\ntitle = \"The first\"\n");
  REQUIRE(agent.start());
  std::string text;
  for (int i = 0; i < 130; ++i) {
    const std::string number = std::to_string(i);
    text += "[service.s" + number + "]\ntitle = \"One of many\"\n[check.c" + number + "]\nuse = \"heartbeat.job\"\nevery = \"24h\"\nexpect = \"1d\"\n";
  }
  agent.configure("20.toml", text);
  const Answer answer = reload_by_socket(agent);
  CHECK(answer.ok);
  CHECK(std::ranges::count_if(answer.details, [](const std::string& one) { return one.starts_with("added "); }) == 200);
  CHECK(std::ranges::count(answer.details, "... and 30 more") == 2);
  CHECK(agent.log().find(" and 240 more") != std::string::npos);
  CHECK(agent.stop() == 0);
}
