// SPDX-License-Identifier: Apache-2.0
// What all calls of this process share besides memory: working directory, umask, environment, locale, handling of signals
// (RONDA-P-045). A call that leaves one of them changed is found out before the next one: it is put back, as far as that can be
// done in a process with threads, and the runner is replaced. Costs a call that changes nothing no system call: who changes what
// the kernel keeps comes by the functions that ambient.cpp stands in front of; others are found within half a second.
#pragma once

#include <signal.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace ronda::runner {

class Ambient {
 public:
  /// As it is now: the plugin is loaded, and no call has been made. [once]
  Ambient();

  /// What is not as it was, for people: "the umask and LANG"; empty: nothing. It is put back. `look`: also at what nothing
  /// hints at. [worker, after its call]
  std::string put_back(bool look) const;

 private:
  void put_back_files(std::vector<std::string>& changed) const;
  void put_back_signals(std::vector<std::string>& changed) const;
  void put_back_environment(std::vector<std::string>& changed) const;
  void put_back_locale(std::vector<std::string>& changed) const;
  bool has_environment() const;

  static constexpr int signals_end = 32;  // the standard ones
  struct stat directory_ {};
  mode_t mask_ = 0;
  std::array<struct sigaction, signals_end> signals_{};
  std::vector<char*> variables_;
  mutable std::vector<char*> environment_;  // the same and an end: what `environ` is, so that nobody else's setenv frees it
  std::string locale_;
  mutable std::mutex mutex_;  // what one worker puts back is not read meanwhile by another
  mutable std::int64_t looked_at_ = 0;
};

}  // namespace ronda::runner
