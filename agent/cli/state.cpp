// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <iostream>

#include "base/clock.hpp"
#include "cli/cli.hpp"
#include "cli/show.hpp"
#include "store/store.hpp"

namespace ronda::cli {

namespace {

int back_up(const Options& options, const std::string& file) {
  const auto answer = ask_long(options, "/v1/backup?path=" + percent_encode(file), std::chrono::minutes(30), "waiting for the copy");
  if (!answer) return answer.error();
  std::cout << (options.json ? answer->text : "written to " + file) << "\n";
  return exit_done;
}

int put_back(const Options& options, const std::string& file) {
  const auto old = store::restore(file, options.state, wall_clock().count());
  if (!old) {
    complain(old.error().message());
    return exit_failed;
  }
  if (options.json) std::cout << json::serialize(json::object{{"restored", file}, {"set_aside", *old}}) << "\n";
  else std::cout << "restored from " << file << (old->empty() ? "" : "; the old one is kept as " + *old) << "\n";
  return exit_done;
}

}  // namespace

int state(const Options& options) {
  const bool known = options.arguments.size() == 2 && (options.arguments[0] == "backup" || options.arguments[0] == "restore");
  if (!known) {
    complain("usage: ronda state backup FILE | restore FILE");
    return exit_usage;
  }
  const std::string file = std::filesystem::absolute(options.arguments[1]).lexically_normal().string();
  return options.arguments[0] == "backup" ? back_up(options, file) : put_back(options, file);
}

}  // namespace ronda::cli
