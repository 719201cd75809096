// SPDX-License-Identifier: Apache-2.0
// A door that breaks and is mended, who is called for it, and ana at the command line.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "whole_agent.hpp"

namespace ronda::test {

inline constexpr std::string_view door_configuration = R"([check.door]
use = "exec.nagios"
every = "1s"
severity = "p1"
tags = ["front"]
command = ["/bin/sh", "-c", "test ! -e OPEN/broken || { echo broken; exit 2; }; echo fine"]
[notifier.paper]
use = "command"
command = ["/bin/sh", "-c", "test ! -e OPEN/cut || exit 75; echo $RONDA_EVENT $RONDA_LEVEL $RONDA_INCIDENT $RONDA_TO >> OPEN/heard"]
[contact.ana]
name = "Ana"
unix = ["USER"]
channels = [{ notifier = "paper", to = "ana" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ana"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["ana"] }]
)";

/// A door that is broken while the file `broken` is there; who is called writes into the file `heard`, unless the line is cut.
class Door {
 public:
  Door() {
    if (::geteuid() == 0) agent_.become_nobody();  // uid 0 is nobody in particular; the agent's own user operates
    agent_.configure("10.toml", replaced(replaced(std::string(door_configuration), "OPEN", agent_.open_directory()), "USER", user()));
  }

  WholeAgent& agent() { return agent_; }
  void break_it() const { std::ofstream(agent_.open_directory() + "/broken") << "yes"; }
  void mend_it() const { std::filesystem::remove(agent_.open_directory() + "/broken"); }

  void cut_line() const { std::ofstream(agent_.open_directory() + "/cut") << "yes"; }
  void join_line() const { std::filesystem::remove(agent_.open_directory() + "/cut"); }

  /// The lines "EVENT LEVEL INCIDENT TO" that begin so.
  std::size_t heard(const std::string& start) const {
    std::istringstream lines(read_file(agent_.open_directory() + "/heard"));
    std::size_t out = 0;
    for (std::string line; std::getline(lines, line);) out += line.starts_with(start) ? 1 : 0;
    return out;
  }

  json::array incidents() const {
    const json::value all = agent_.get("/v1/incidents");
    return all.is_array() ? all.as_array() : json::array();
  }
  /// The id of the only open incident, once there is one.
  std::string await_incident() const {
    REQUIRE(eventually([&] { return incidents().size() == 1; }));
    return std::string(incidents().at(0).at("id").as_string());
  }
  json::value incident(const std::string& id) const { return agent_.get("/v1/incidents/" + id); }
  bool is_at_stage(const std::string& id, std::string_view stage) const {
    const json::value one = incident(id);
    return one.is_object() && one.at("stage").as_string() == json::string_view(stage.data(), stage.size());
  }
  /// The author of the first event of that kind; empty: there is none.
  std::string author_of(const std::string& id, std::string_view kind) const {
    const json::value one = incident(id);
    if (!one.is_object() || !one.at("timeline").is_array()) return {};
    for (const json::value& event : one.at("timeline").as_array()) {
      if (event.at("kind").as_string() == json::string_view(kind.data(), kind.size())) return std::string(event.at("author").as_string());
    }
    return {};
  }

  /// `ronda` as the user that ana is.
  Finished as_ana(std::vector<std::string> words) const {
    words.insert(words.begin(), {ronda_program(), "--socket", agent_.socket()});
    return agent_.run_as_agent(words);
  }

 private:
  static std::string user() {
    if (::geteuid() == 0) return "nobody";
    const char* login = ::getenv("USER");
    return login == nullptr ? "nobody" : login;
  }

  WholeAgent agent_;
};

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace ronda::test
