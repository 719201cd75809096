// SPDX-License-Identifier: Apache-2.0
// The command line: a thin client of the API, and the verbs that also work with no agent running.
// Prints for people or as JSON; decides nothing that the agent decides.
#pragma once

#include <chrono>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "api/http.hpp"
#include "base/result.hpp"

namespace ronda::cli {

/// What every verb accepts, before or after it.
struct Options {
  std::string config = "/etc/ronda/conf.d";
  std::vector<std::string> plugins;  // empty: LIBDIR/ronda/plugins
  std::string state = "/var/lib/ronda";
  std::string socket;  // empty: $RONDA_SOCKET, /run/ronda/ronda.sock, else under the state directory
  std::string trust = "/etc/ronda/trust.toml";
  std::string env_file;
  bool json = false;
  std::vector<std::string> arguments;                      // of the verb: positional, then after "--"
  std::vector<std::pair<std::string, std::string>> flags;  // the verb's own options

  bool has(std::string_view flag) const;
  std::string value(std::string_view flag, std::string_view otherwise = {}) const;
};

// Exit codes of all verbs but check and status, which use the Nagios meaning. One rule, whoever finds out: this program or
// the agent that it asks.
inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;        // understood and not done: how things are, who asks or the machine is against it
inline constexpr int exit_usage = 2;         // what was typed is wrong: a word, a value, a name or an id that there is not
inline constexpr int exit_undetermined = 3;  // no agent, or no answer that settles it
/// Of a request that the agent refused with this status.
int exit_of_refusal(int status);

struct Flag {
  std::string_view name;      // without the dashes
  std::string_view argument;  // empty: none
  std::string_view help;
  std::string_view words = {};  // the verb's words that take it, with a blank between them; empty: all, or the verb has none
};

struct Verb {
  std::string_view name;
  std::string_view arguments;
  std::string_view help;
  std::vector<Flag> flags;
  int (*run)(const Options& options);
  int usage_exit = exit_usage;
  std::string (*usage)() = nullptr;  // what each of its words takes, a line each; null: `arguments` says it
};

const std::vector<Verb>& verbs();

/// The whole program: parses, runs the verb, returns the exit code.
int main(int argc, char** argv);

/// The socket of the agent that these options speak of.
std::string socket_path(const Options& options);
/// One request to the agent; prints the error and gives nothing when there is no answer.
Result<api::Response> ask_agent(const Options& options, std::string_view method, std::string_view target, std::string_view body = {},
                                std::chrono::milliseconds timeout = std::chrono::seconds(30));
std::string percent_encode(std::string_view text);
/// "ronda: TEXT" on stderr.
void complain(std::string_view text);
/// Whether stdout may get colours: a terminal, and NO_COLOR is not set.
bool colours();

// the verbs, each in the file of its name
int run_agent(const Options& options);
int validate(const Options& options);
int reload(const Options& options);
int status(const Options& options);
int check(const Options& options);
int task(const Options& options);
int explain(const Options& options);
int alert(const Options& options);
int slo(const Options& options);
int incident(const Options& options);
std::string incident_usage();  // its words, a line each
int silence(const Options& options);
int maintenance(const Options& options);
int notify(const Options& options);
int ping(const Options& options);
int wrap(const Options& options);
int calendar(const Options& options);
int escalation(const Options& options);
int oncall(const Options& options);
int config(const Options& options);
int plugin(const Options& options);
int rules(const Options& options);
int state(const Options& options);
int safe_mode(const Options& options);
int version(const Options& options);
int completion(const Options& options);
int help(const Options& options);

}  // namespace ronda::cli
