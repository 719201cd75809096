// SPDX-License-Identifier: Apache-2.0
// Parses and checks a configuration in a throw-away process first: a file that crashes, hangs or bloats the
// parser is a rejected configuration, not a dead agent. Only if the child lives does the agent parse the same
// bytes. Never lets the child outlive its owner, leaves it no file to write and no core.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/descriptor.hpp"
#include "config/parse_wire.hpp"

namespace ronda::config {

/// The child's side, behind a hidden verb: reads the request from `in`, writes the answer to `out`. Limits
/// itself first: 512 MiB of data, 10 s of CPU, no core, files only up to the size of the answer.
int parse_child_main(int in, int out);

/// The agent's side. Kills and reaps the child when destroyed early.
class ParseChild {
 public:
  /// `argv` is the program with its hidden verb, for example {"/proc/self/exe", "--parse-child"}. Request and
  /// answer are memory files, so neither side ever waits for the other to read.
  static Result<ParseChild> start(const std::vector<std::string>& argv, const Sources& sources,
                                  const Environment& environment, uid_t uid);

  ParseChild(ParseChild&& other) noexcept;
  ParseChild& operator=(ParseChild&&) = delete;
  ~ParseChild();

  /// Becomes readable when the child has ended: for poll or an event loop.
  int pidfd() const { return pidfd_.get(); }
  void kill();
  /// After the end (else it waits for it): the answer, or why there is none.
  Result<ParseAnswer> finish(const Sources& sources);

 private:
  ParseChild(pid_t pid, Descriptor pidfd, Descriptor answer)
      : pid_(pid), pidfd_(std::move(pidfd)), answer_(std::move(answer)) {}
  Status reap();

  pid_t pid_ = -1;  // -1: reaped
  Descriptor pidfd_;
  Descriptor answer_;
  bool killed_ = false;
};

/// All of it, waiting at most `deadline`; for the CLI and wherever waiting is no harm.
Result<ParseAnswer> validate_in_child(const std::vector<std::string>& argv, const Sources& sources,
                                      const Environment& environment, uid_t uid,
                                      std::chrono::milliseconds deadline);

}  // namespace ronda::config
