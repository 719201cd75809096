// SPDX-License-Identifier: Apache-2.0
// Starting one ronda-runner and asking afterwards how it ended. Spawned, never forked: the agent is large and
// has threads. Knows nothing of calls.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/descriptor.hpp"
#include "base/result.hpp"
#include "plugin/blackbox.hpp"

namespace ronda::plugin {

/// The page shared with a runner; the agent reads it as data from outside.
class SharedBlackbox {
 public:
  static Result<SharedBlackbox> make();
  SharedBlackbox(SharedBlackbox&& other) noexcept;
  SharedBlackbox& operator=(SharedBlackbox&& other) noexcept;
  ~SharedBlackbox();

  const Blackbox& operator*() const { return *box_; }
  const Blackbox* operator->() const { return box_; }
  int fd() const { return fd_.get(); }

 private:
  SharedBlackbox(Descriptor fd, Blackbox* box) : fd_(std::move(fd)), box_(box) {}
  Descriptor fd_;
  Blackbox* box_ = nullptr;
};

struct RunnerProcess {
  pid_t pid = -1;
  Descriptor socket;  // our end, non-blocking
  Descriptor pidfd;   // readable once it is gone
  Descriptor output;  // its stdout and stderr, non-blocking
  SharedBlackbox blackbox;
  bool pid_namespace = false;
};

struct SpawnOptions {
  std::string path;    // of ronda-runner, absolute
  int plugin_fd = -1;  // the staged object
  bool pid_namespace = false;
};

Result<RunnerProcess> spawn_runner(const SpawnOptions& options);

/// The runner's process that loads the plugin, which has just said its number as it sees itself: in a PID namespace that is
/// another one than here. -1: it is gone, or /proc does not tell.
pid_t worker_of(const RunnerProcess& keeper, pid_t inner);

/// Whether this process may put a child into a PID namespace of its own; tried once, in a child.
bool can_use_pid_namespace();

/// How a process that is gone ended: "killed by SIGSEGV in lib.so+0x1234", "exited with status 3".
struct RunnerEnd {
  int wait_status = 0;             // of the worker
  std::uint64_t culprit_call = 0;  // 0: not known
  bool by_itself = false;          // the plugin crashed or exited; otherwise somebody ended it
  std::string text;
};
RunnerEnd reap_runner(const RunnerProcess& process);

}  // namespace ronda::plugin
