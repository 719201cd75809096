// SPDX-License-Identifier: Apache-2.0
// Reads a plugin file in a throw-away process first: bytes that crash, hang or bloat the ELF library are a refused
// plugin, not a dead agent. Runs no code of the plugin.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/descriptor.hpp"
#include "base/result.hpp"

namespace ronda::plugin {

/// The child's side, behind a hidden verb: limits itself (256 MiB of data, 5 s of CPU, no core, no file), reads the
/// bytes from `in`. That it comes back is the answer.
int vet_child_main(int in);

/// The agent's side of one child. Kills and reaps it when destroyed early.
class VetChild {
 public:
  /// `argv` is the program with its hidden verb. The bytes are copied into a memory file: they may go afterwards.
  static Result<VetChild> start(const std::vector<std::string>& argv, std::span<const std::uint8_t> bytes);

  VetChild(VetChild&& other) noexcept;
  VetChild& operator=(VetChild&&) = delete;
  ~VetChild();

  /// Becomes readable when the child has ended: for poll or an event loop.
  int pidfd() const { return pidfd_.get(); }
  /// It has had `deadline`, which finish() then names.
  void give_up(std::chrono::milliseconds deadline);
  /// After the end (else it waits for it): done, or why the file is not to be read.
  Result<Unit> finish();

 private:
  VetChild(pid_t pid, Descriptor pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  int reap();

  pid_t pid_ = -1;  // -1: reaped
  Descriptor pidfd_;
  std::chrono::milliseconds given_up_{0};  // zero: it was not
};

/// Begins it. What is returned waits for the answer, at most `deadline` from then on, and is called once or not at all: the child
/// ends with its last copy. For the start, the CLI and wherever waiting is no harm.
std::function<Result<Unit>()> vet_in_child(const std::vector<std::string>& argv, std::span<const std::uint8_t> bytes,
                                           std::chrono::milliseconds deadline);

}  // namespace ronda::plugin
