// SPDX-License-Identifier: Apache-2.0
// Control groups around runners: one a runner, below the agent's own, where the agent may make them. A group limits the
// memory, the tasks and the processor time of a runner and of all that it starts, and lets nothing out: what is in it at its
// end is killed, or else (of a detached runner) rid of its limits. Whatever cannot be done is told once and leaves the limits to the
// runner's own rlimits, of which there is none for a share of processors. All [loop].
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.hpp"
#include "plugin/cgroup_files.hpp"
#include "plugin/group_limits.hpp"

namespace ronda::plugin {

enum class CgroupVersion : std::uint8_t { none, v1, v2 };

/// What a group knows of processes that were killed for lack of memory.
enum class MemoryKill : std::uint8_t {
  none,
  by_limit,  // the group had reached its limit
  by_host,   // it had not: the host, or a group around the agent, had no memory left
};

/// Of a group, ever. Version 1 does not count how often its limit was met.
struct MemoryCounts {
  long kills = 0, limit_met = 0;
  friend bool operator==(const MemoryCounts&, const MemoryCounts&) = default;
};

class Cgroups;

/// One runner's place. Its end kills what is left in it and removes it; where that takes time, its maker goes on trying.
class RunnerGroup {
 public:
  RunnerGroup() = default;  // of a runner without a group
  RunnerGroup(RunnerGroup&& other) noexcept;
  RunnerGroup& operator=(RunnerGroup&& other) noexcept;
  RunnerGroup(const RunnerGroup&) = delete;
  RunnerGroup& operator=(const RunnerGroup&) = delete;
  ~RunnerGroup();

  bool holds_memory() const { return !memory_.empty(); }
  bool holds_tasks() const { return !tasks_.empty(); }
  bool holds_cores() const { return !cores_.empty(); }
  const GroupLimits& limits() const { return limits_; }  // those that hold
  /// Its end kills nobody: it lifts the limits of who is left in it, and the group is removed once it is empty.
  void spare_members() { spares_ = true; }
  /// For people: "cgroup v1: memory 192MiB, 96 tasks, cpu 60% (held back 12 times)"; empty without a group. Asks the kernel.
  std::string text() const;
  /// Looks whether the kernel has killed anything of it for lack of memory. Who is alive two seconds later was not killed
  /// then, so a later end is not put down to it. `now` is monotonic, and later at each call.
  void look(std::chrono::nanoseconds now);
  /// Of the runner, which has ended.
  MemoryKill memory_kill(std::chrono::nanoseconds now) const;

 private:
  friend class Cgroups;
  void end();
  Cgroups* maker_ = nullptr;
  std::vector<std::string> paths_;      // one a hierarchy
  std::string memory_, tasks_, cores_;  // the path where that limit holds; empty: nowhere
  GroupLimits limits_;
  bool spares_ = false;
  MemoryCounts before_, seen_;           // what others were killed by; what the last looks saw
  std::chrono::nanoseconds seen_at_{0};  // first
};

/// What /proc/self/cgroup says of this process.
std::string own_cgroups();

/// Of this host, those included that are switched off now; at least 1.
int most_processors();

struct CgroupOptions {
  std::string root = "/sys/fs/cgroup";         // where control groups are mounted
  std::string self = own_cgroups();            // the agent's place in them, as /proc/self/cgroup has it
  pid_t pid = ::getpid();                      // of the agent
  int processors = most_processors();          // that this host can have
  std::function<void(std::string_view)> tell;  // what went wrong, each kind once
  CgroupFiles* files = nullptr;                // null: the real ones
};

class Cgroups {
 public:
  /// Finds out what is possible, makes the agent's own place and removes what dead agents have left beside it: groups
  /// without a process, now or within a minute and a half. With version 2 the agent itself moves one down, for there only
  /// leaves may hold processes.
  Cgroups(boost::asio::io_context& loop, CgroupOptions options);
  /// Removes all of it again and moves the agent back; waits at most two seconds for groups that are not empty yet.
  ~Cgroups();
  Cgroups(const Cgroups&) = delete;
  Cgroups& operator=(const Cgroups&) = delete;

  CgroupVersion version() const { return version_; }
  /// For people: "cgroup v1 (memory, pids, cpu)"; with what is left to rlimits or to nothing, and why, if that is not all.
  const std::string& text() const { return text_; }

  /// Puts a process that has not started anything yet into a group of its own. Never fails as a whole: the answer says
  /// which limits hold.
  RunnerGroup add(pid_t pid, const GroupLimits& limits);

  /// Whether groups still wait to be empty.
  bool is_tidy() const { return leaving_.empty(); }

 private:
  friend class RunnerGroup;
  struct Tree {        // one hierarchy
    std::string own;   // the agent's group in it when it started
    std::string base;  // ours, below: holds one group a runner
    Descriptor lock;   // of base, locked as long as we live: how others see that it is not left over
    bool memory = false, tasks = false, cores = false;
  };

  std::string text_of_trees(const std::string& why) const;
  std::string use_v2(const std::string& path);
  std::string use_v1();
  std::string add_v1_tree(std::string_view controller);
  void leave_v2();
  std::string make_base(Tree tree);
  Descriptor lock_base(const std::string& path);
  void sweep(const std::string& own);
  void sweep_later();
  int remove_empty(const std::string& group);
  int remove_empty(const std::string& group, std::size_t& looks);
  void take_controllers_back(const std::string& group);
  std::string own_path(std::string_view controller) const;

  bool enter(const Tree& tree, pid_t pid, const GroupLimits& limits, RunnerGroup& group);
  bool limit(const std::string& file, std::int64_t value);
  void limit_swap(const std::string& path, std::int64_t memory_bytes);
  bool has_to_limit_cores(const Tree& tree, const GroupLimits& limits) const;
  bool hand_cpu_down(const Tree& tree);
  bool limit_cores(const std::string& path, double cores);
  long times_held_back(const std::string& path) const;
  std::string memory_events(const std::string& path) const;
  MemoryCounts memory_counts(const std::string& path) const;
  MemoryKill memory_kill(const std::string& path, const MemoryCounts& before) const;
  bool has_reached_v1(const std::string& path) const;
  void end_members(const std::string& path);
  void retire(std::vector<std::string> paths);
  void let_go(std::vector<std::string> paths);
  void lift_limits(const std::string& path);
  void remove_left(std::size_t most);
  void tidy();
  void tidy_later();
  void tell(std::string_view doing, int error, std::string_view so);

  CgroupOptions options_;
  CgroupFiles real_files_;
  CgroupFiles& files_;
  CgroupVersion version_ = CgroupVersion::none;
  std::string text_;
  std::string leaf_, leaf_parent_;  // version 2: where the agent is now, and where it was
  std::vector<Tree> trees_;
  bool cpu_is_down_ = false;  // version 2: handed down to the groups of runners
  std::uint64_t made_ = 0;
  std::vector<std::string> leaving_;  // not empty yet
  std::vector<std::string> left_;     // not empty, and nobody in it is to be killed
  boost::asio::steady_timer timer_;
  std::chrono::milliseconds pause_{0};
  std::set<std::string> unswept_;  // where dead agents have left groups that are not empty yet
  boost::asio::steady_timer sweep_timer_;
  std::chrono::seconds sweep_pause_;
  std::set<std::string, std::less<>> told_;
};

}  // namespace ronda::plugin
