// SPDX-License-Identifier: Apache-2.0
// The whole agent as a test's own child: the program that is installed, with its runners and real plugins, on
// a scratch conf.d, state directory and socket. It ends with its owner, and with the test whatever ends that.
#pragma once

#include <sys/types.h>

#include <boost/json.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http.hpp"
#include "scratch.hpp"

namespace ronda::test {
namespace json = boost::json;

/// Asks again and again until it is so; false when it is not within the limit. The limits are for a busy
/// machine.
bool eventually(const std::function<bool()>& is_so, std::chrono::milliseconds limit = std::chrono::seconds(30));

/// What a program did.
struct Finished {
  int code = -1;  // 128+n for a signal
  std::string out, err;
};

/// Starts a program whose end is bound to this process's; `environment` is added to ours. The output goes to
/// files.
pid_t start_program(const std::vector<std::string>& argv, const std::string& out, const std::string& err,
                    const std::vector<std::string>& environment = {});
/// Waits for it; 128+n for a signal, -1 when it still ran at the end of the limit.
int wait_program(pid_t pid, std::chrono::milliseconds limit);

std::string read_file(const std::string& path);
/// Every process below `root`, itself not counted.
std::vector<pid_t> descendants(pid_t root);
bool is_alive(pid_t pid);  // a zombie is not
bool is_stopped(pid_t pid);

class WholeAgent {
 public:
  WholeAgent();
  ~WholeAgent();
  WholeAgent(const WholeAgent&) = delete;
  WholeAgent& operator=(const WholeAgent&) = delete;

  const Scratch& scratch() const { return scratch_; }
  /// A directory that runners can write to, whatever user they are.
  const std::string& open_directory() const { return open_; }
  /// Puts a file into conf.d, by renaming; an empty text takes it away.
  void configure(const std::string& name, std::string_view text) const;
  /// Plugins of a directory of this test's own: copies of the built ones that a test may replace.
  std::string copy_plugins();

  /// The agent will see `directory` in place of `target`, in a mount namespace of its own; for a test that is root. False:
  /// that cannot be had here.
  bool see_instead(const std::string& directory, const std::string& target);
  /// The agent will run as nobody and own what it needs; for a test that is root.
  void become_nobody();
  /// The agent will lead a session and a process group of its own.
  void lead_group() { lead_by({"/usr/bin/setsid"}); }
  /// These words, a program's that becomes the agent, stand before its own from the next start on.
  void lead_by(std::vector<std::string> words) { lead_ = std::move(words); }
  /// Its stderr goes there instead; call it before it starts.
  void log_to(const std::string& path) { log_ = path; }
  /// It starts this runner instead, of a copy of the program beside it; call it before it starts.
  void use_runner(const std::string& runner);
  /// Its socket is there instead.
  void serve_at(const std::string& path) { socket_ = path; }

  /// `ronda run` with `arguments`; waits until it answers. False: it ended, or does not answer.
  bool start(const std::vector<std::string>& arguments = {}, const std::vector<std::string>& environment = {});
  /// The same, without waiting.
  void launch(const std::vector<std::string>& arguments = {}, const std::vector<std::string>& environment = {});
  bool answers() const;
  pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// The exit code, once it ended; -1: it still runs.
  int wait(std::chrono::milliseconds limit = std::chrono::seconds(60));
  /// TERM, and its exit code.
  int stop();
  void kill_hard();

  /// One request; a response with status 0 when nobody answers.
  api::Response ask(std::string_view method, std::string_view target, std::string_view body = {}) const;
  json::value get(std::string_view target) const;  // null when there is no answer
  json::value status() const { return get("/v1/status"); }
  /// A check as `status` shows it; null when there is none.
  json::value check(std::string_view name) const;
  std::string check_status(std::string_view name) const;
  /// A plugin by its id, as `status` shows it; empty when it shows none.
  json::object plugin(std::string_view id) const;
  /// What fires now of this name, as `status` shows it; empty when it does not.
  json::object firing(std::string_view alert) const;

  /// `ronda` with the options of this agent, then `arguments`.
  Finished ronda(const std::vector<std::string>& arguments, std::chrono::milliseconds limit = std::chrono::seconds(60)) const;
  /// A program as the user that the agent is after become_nobody().
  Finished run_as_agent(const std::vector<std::string>& command) const;
  std::string log() const { return read_file(log_); }

  std::string config_directory() const { return scratch_ / "conf.d"; }
  std::string state_directory() const { return scratch_ / "state"; }
  std::string socket() const { return socket_; }
  std::vector<std::string> options() const;

 private:
  Finished finish(const std::vector<std::string>& argv, std::chrono::milliseconds limit) const;

  Scratch scratch_;
  std::string open_, plugins_, log_, socket_, program_;
  std::vector<std::string> lead_, become_;  // the words before those of the agent
  pid_t pid_ = -1;
};

std::string ronda_program();

/// The process that the agent parses its configuration in, held as it is; -1 when it was not there in time.
pid_t hold_parser(const WholeAgent& agent);
/// With each `what` in it replaced.
std::string replaced(std::string text, std::string_view what, std::string_view by);

}  // namespace ronda::test
