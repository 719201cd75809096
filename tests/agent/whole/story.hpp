// SPDX-License-Identifier: Apache-2.0
// One alert's life with a whole agent: it fires, is told, gets worse, is taken by a person, ends and is told again; in one plot
// people silence and note something and the configuration changes meanwhile. Whatever ends the agent, the next one goes on from
// what had been accepted. And the agent below strace, which ends or stops it at one of its calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "kill_bench.hpp"

namespace ronda::test {

class Story {
 public:
  enum class Plot : std::uint8_t { plain, busy };  // busy: with a silence, a reload and a note

  /// What the bench's ledgers say has happened already has.
  explicit Story(KillBench& bench, Plot plot = Plot::plain);

  /// True: told to its end. False: there is no agent any more, or it does not go on.
  bool go_on(std::chrono::milliseconds limit = std::chrono::seconds(30));
  /// The next agent starts and all goes on to its end; what is wrong then.
  std::string end(std::chrono::milliseconds limit = std::chrono::seconds(30));

 private:
  bool lives() const;
  bool post();
  bool await_told(std::chrono::milliseconds limit) const;
  bool take();
  /// Once: what a person or an operator did goes into a book when the agent said that it was done.
  bool act(const std::string& name, const std::function<bool()>& how);
  bool be_busy();
  void configure_more() const;
  std::string wrong_of_acts() const;

  KillBench& bench_;
  const Plot plot_;
  std::size_t step_ = 0;
  std::string taken_;  // the incident
  std::set<std::string> acts_;
};

/// False: there is no strace, or this user may not trace processes here.
bool may_trace();
/// The words of strace before those of the agent, for `calls`: "fsync,rename"; with `of_files` those of the state's own files
/// only. The tracer is no parent of the agent, and what the agent runs is not traced.
std::vector<std::string> traced(const WholeAgent& agent, const std::string& calls, bool of_files, const std::vector<std::string>& more);

}  // namespace ronda::test
