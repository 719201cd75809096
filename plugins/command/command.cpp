// SPDX-License-Identifier: Apache-2.0
// The notifier that hands messages to a program. No shell, no PATH search, nothing of a message on the command line.
#include <ronda/plugin.hpp>

#include <algorithm>

#include "handover.hpp"
#include "outgoing/shown.hpp"
#include "verdict.hpp"

namespace command {
namespace {

std::vector<std::string> read_command(const ronda::value& words) {
  std::vector<std::string> argv;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words.at(i).is_secret())
      throw std::invalid_argument(ronda::text(
          "command[", i, "] holds a secret, and a command line can be read by every user of the host: give it in `env` or a file"));
    argv.push_back(words.at(i).as<std::string>());
    if (argv.back().find('\0') != std::string::npos) throw std::invalid_argument(ronda::text("command[", i, "] holds a NUL character"));
  }
  if (argv.empty() || argv[0].empty() || argv[0][0] != '/')
    throw std::invalid_argument("command[0] must be the absolute path of a program: there is no PATH search");
  return argv;
}

std::vector<std::pair<std::string, ronda::value>> read_env(const ronda::value& table) {
  std::vector<std::pair<std::string, ronda::value>> env;
  for (std::size_t i = 0; i < table.size(); ++i) {
    env.emplace_back(table.key(i), table.at(i));
    if (env.back().first.substr(0, 6) == "RONDA_")
      throw std::invalid_argument("env." + env.back().first + ": names that begin with RONDA_ are the message's");
  }
  return env;
}

}  // namespace

class Command : public ronda::notifier {
 public:
  ronda::delivery deliver(ronda::call& call, const ronda::message& message) override {
    std::vector<ronda::secret_view> opened;
    std::vector<std::string> plain;
    std::vector<ronda::label> env;
    opened.reserve(env_.size());
    plain.reserve(env_.size());  // labels borrow: nothing may move
    for (const auto& [name, value] : env_) {
      if (!value.is_secret()) {
        env.emplace_back(name, plain.emplace_back(value.as<std::string>()));
        continue;
      }
      const auto& secret = opened.emplace_back(this->secret(value));
      if (!secret) return ronda::drop("env.", name, ": ", secret.error());
      env.emplace_back(name, secret.view());
    }
    const auto own = as_environment(message);
    for (const auto& [name, value] : own) env.emplace_back(name, value);
    std::vector<std::string_view> secrets;
    for (const auto& secret : opened) secrets.push_back(secret.view());
    return run(call, message, std::move(env), secrets);
  }

 private:
  ronda::delivery run(ronda::call& call, const ronda::message& message, std::vector<ronda::label> env,
                      const std::vector<std::string_view>& secrets) {
    const auto input = is_json_ ? as_json(message) : as_text(message);
    ronda::exec_options how;
    how.env = std::move(env);
    how.dir = dir_;
    how.input = input;
    // a little before the call's own end, so that what it said so far can be told
    const auto left = static_cast<std::uint64_t>(call.remaining().count());
    how.deadline_mono_ns = call.deadline_mono_ns() - std::min<std::uint64_t>(left / 20, 250'000'000);
    const auto ended = exec().run(call, argv_, how);
    if (ended) return judge(argv_[0], *ended, call.cancelled(), secrets);
    // no process is left, say; all others are about this program
    if (ended.code() == RONDA_E_AGAIN || ended.code() == RONDA_E_TIMEOUT || ended.code() == RONDA_E_INTERNAL)
      return ronda::retry({}, "cannot start ", argv_[0], " now: ", ended.error());
    return ronda::drop("cannot start ", argv_[0], ": ", ended.error(), "; is it there, executable, and may the runner's user start it?");
  }

  std::vector<std::string> argv_ = read_command(config()["command"]);
  std::vector<std::pair<std::string, ronda::value>> env_ = read_env(config()["env"]);
  std::string dir_ = ronda::cfg<std::optional<std::string>>("dir").value_or("/");
  bool is_json_ = ronda::cfg<std::string>("input") == "json";
};

}  // namespace command

RONDA_PLUGIN(command::Command)
