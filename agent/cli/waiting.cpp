// SPDX-License-Identifier: Apache-2.0
#include "cli/waiting.hpp"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <iostream>
#include <mutex>

#include "base/clock.hpp"
#include "base/units.hpp"

namespace ronda::cli {
namespace {

using namespace std::chrono_literals;

void draw(const std::stop_token& stop, const std::string& what, const std::function<std::string()>& more) {
  std::mutex mutex;
  std::condition_variable_any ended;
  const Nanos since = boottime();
  bool drawn = false;
  for (std::unique_lock lock(mutex); !ended.wait_for(lock, stop, 1s, [&] { return stop.stop_requested(); }); drawn = true) {
    std::string said;
    try {
      if (more) said = more();
    } catch (const std::exception&) {  // what is waited for goes on all the same
    }
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(boottime() - since);
    std::cerr << "\r\033[K" << what << (said.empty() ? "" : " ") << said << ", " << seconds.count() << " s" << std::flush;
  }
  if (drawn) std::cerr << "\r\033[K" << std::flush;
}

}  // namespace

Waiting::Waiting(const Options& options, std::string what, std::function<std::string()> more) {
  if (options.json || ::isatty(STDERR_FILENO) == 0) return;
  drawing_ = std::jthread([what = std::move(what), more = std::move(more)](const std::stop_token& stop) { draw(stop, what, more); });
}

}  // namespace ronda::cli
