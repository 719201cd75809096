// SPDX-License-Identifier: Apache-2.0
// exec.nagios runs a monitoring plugin and takes its word; exec.command runs a program as a task.
#include "program.hpp"

namespace nagios {

std::vector<std::string> read_command(const ronda::value& command) {
  std::vector<std::string> argv;
  for (std::size_t i = 0; i < command.size(); ++i) {
    if (command.at(i).is_secret())
      throw std::invalid_argument(ronda::text("command[", i, "] holds a secret, and a command line can be read by "
                                              "every user of the host: give it in `env` or a file"));
    argv.push_back(command.at(i).as<std::string>());
    if (argv.back().find('\0') != std::string::npos)
      throw std::invalid_argument(ronda::text("command[", i, "] holds a NUL character"));
  }
  if (argv.empty() || argv[0].empty() || argv[0][0] != '/')
    throw std::invalid_argument("command[0] must be the absolute path of a program: there is no PATH search" +
                                (argv.empty() ? std::string() : ", got " + quoted_argv({argv[0]})));
  return argv;
}

namespace {

class Nagios : public Program<ronda::check> {
 public:
  static constexpr std::string_view procedure = "exec.nagios";

  ronda::result run(ronda::call& call) override {
    const auto ended = run_program(call);
    if (!ended) return ronda::unknown("cannot run ", quoted_argv({argv()[0]}), ": ", ended.error());
    auto verdict = judge_plugin(*ended);
    for (auto& item : verdict.perfdata.items) emit(call, to_base_unit(std::move(item)));
    return {static_cast<ronda::status>(verdict.state), std::move(verdict.summary), std::move(verdict.detail)};
  }

 private:
  static void emit(ronda::call& call, const Perfdatum& item) {
    const auto kind = item.unit == "c" ? RONDA_METRIC_COUNTER : RONDA_METRIC_GAUGE;
    call.metric(item.label, item.value, ronda::unit{item.unit.c_str(), kind}, ronda::range::parse(item.warn),
                ronda::range::parse(item.crit));
  }
};

class Command : public Program<ronda::task> {
 public:
  static constexpr std::string_view procedure = "exec.command";

  ronda::task_result run(ronda::call& call) override {
    if (call.dry_run()) return ronda::changed("would run ", quoted_argv(argv()), " in ", dir());
    const auto ended = run_program(call);
    if (!ended) return ronda::failed("cannot run ", quoted_argv({argv()[0]}), ": ", ended.error());
    if (!ended->timed_out && ended->signal == 0) call.metric("exit_code", ended->exit_code);
    auto verdict = judge_command(*ended, codes_);
    return {status(verdict.outcome), std::move(verdict.summary), std::move(verdict.detail)};
  }

 private:
  static ronda::task_status status(Outcome outcome) {
    switch (outcome) {
      case Outcome::changed: return ronda::task_status::changed;
      case Outcome::unchanged: return ronda::task_status::unchanged;
      default: return ronda::task_status::failed;
    }
  }

  ExitCodes codes_{ronda::cfg<std::vector<std::int64_t>>("success_exit"),
                   ronda::cfg<std::vector<std::int64_t>>("unchanged_exit")};
};

}  // namespace
}  // namespace nagios

RONDA_PLUGIN(nagios::Nagios, nagios::Command)
