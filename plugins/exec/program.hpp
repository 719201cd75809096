// SPDX-License-Identifier: Apache-2.0
// How both procedures call their program: `command`, `env`, `dir` and `output_limit` of the config, run by the
// host's exec service. No shell, no PATH search, no secret on a command line. Nothing is copied out of the config:
// the host keeps it as long as the instance, of which there may be a hundred thousand, and reading it again is
// nothing beside starting a process.
#pragma once

#include <ronda/plugin.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "verdict.hpp"

namespace nagios {

/// The argument list; throws std::invalid_argument for one that could not be run as it is meant.
std::vector<std::string> read_command(const ronda::value& command);

/// Kind is ronda::check or ronda::task.
template <class Kind>
class Program : public Kind {
 protected:
  /// Reads all that a run will, so that a config which cannot be run is refused here.
  Program() { argv(), dir(), output_limit(); }

  std::vector<std::string> argv() const { return read_command(this->config()["command"]); }
  std::string dir() const { return this->config()["dir"].template as<std::optional<std::string>>().value_or("/"); }

  /// The texts of what is returned live until the call ends. An error: it was not started.
  ronda::reply<Ended> run_program(ronda::call& call) {
    const ronda::value variables = this->config()["env"];
    std::vector<ronda::secret_view> secrets;
    std::vector<std::string> plain;
    std::vector<ronda::label> env;
    secrets.reserve(variables.size());
    plain.reserve(variables.size());  // labels borrow: nothing may move
    for (std::size_t i = 0; i < variables.size(); ++i) {
      const std::string_view name = variables.key(i);
      const ronda::value value = variables.at(i);
      if (!value.is_secret()) {
        env.emplace_back(name, plain.emplace_back(value.template as<std::string>()));
        continue;
      }
      const auto& secret = secrets.emplace_back(this->secret(value));
      if (!secret)
        return ronda::reply<Ended>::failed(secret.code(), ronda::text("env.", name, ": ", secret.error()));
      env.emplace_back(name, secret.view());
    }
    return run_with(call, env);
  }

 private:
  std::uint64_t output_limit() const { return this->config()["output_limit"].template as<std::uint64_t>(); }

  /// Ends the program a little before the call's own end, so that what it said so far can be told.
  static std::uint64_t end_of_program(const ronda::call& call) {
    const auto left = static_cast<std::uint64_t>(call.remaining().count());
    return call.deadline_mono_ns() - std::min<std::uint64_t>(left / 20, 250'000'000);
  }

  ronda::reply<Ended> run_with(ronda::call& call, const std::vector<ronda::label>& env) {
    const std::string directory = dir();
    ronda::exec_options how;
    how.env = env;
    how.dir = directory;
    how.output_limit = output_limit();
    how.deadline_mono_ns = end_of_program(call);
    const auto done = this->exec().run(call, argv(), how);
    if (!done) return ronda::reply<Ended>::failed(done.code(), done.error());
    Ended ended;
    ended.exit_code = done->exit_code;
    ended.signal = done->signal;
    ended.timed_out = done->timed_out;
    ended.cancelled = done->timed_out && call.cancelled();
    ended.duration_ns = done->duration.count();
    ended.out = done->out;
    ended.err = done->err;
    ended.out_total = done->out_total;
    ended.err_total = done->err_total;
    return ended;
  }
};

}  // namespace nagios
