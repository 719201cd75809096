// SPDX-License-Identifier: Apache-2.0
// One alert's life with a whole agent: it fires, is told, gets worse, is taken by a person, ends and is told again. Whatever ends
// the agent meanwhile, the next one goes on from what had been accepted. And the agent below strace, which ends or stops it at
// one of its calls.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "kill_bench.hpp"

namespace ronda::test {

class Story {
 public:
  /// What the bench's ledgers say has happened already has.
  explicit Story(KillBench& bench);

  /// True: told to its end. False: there is no agent any more, or it does not go on.
  bool go_on(std::chrono::milliseconds limit = std::chrono::seconds(30));
  /// The next agent starts and all goes on to its end; what is wrong then.
  std::string end(std::chrono::milliseconds limit = std::chrono::seconds(30));

 private:
  bool lives() const;
  bool post();
  bool await_told(std::chrono::milliseconds limit) const;
  bool take();

  KillBench& bench_;
  std::size_t step_ = 0;
  std::string taken_;  // the incident
};

/// False: there is no strace, or this user may not trace processes here.
bool may_trace();
/// The words of strace before those of the agent, for `calls`: "fsync,rename"; with `of_files` those of the state's own files
/// only. The tracer is no parent of the agent, and what the agent runs is not traced.
std::vector<std::string> traced(const WholeAgent& agent, const std::string& calls, bool of_files, const std::vector<std::string>& more);

}  // namespace ronda::test
