// SPDX-License-Identifier: Apache-2.0
#include "plugin/cgroups.hpp"

#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/clock.hpp"
#include "base/counted.hpp"
#include "base/units.hpp"

namespace ronda::plugin {

using namespace std::chrono_literals;

namespace {

constexpr auto shortest_pause = 2ms;  // between looks at a group that is not empty yet
constexpr auto longest_pause = 1000ms;
constexpr auto last_wait = 2s;
constexpr auto longest_dying = 2s;          // of a process that the kernel has killed for lack of memory
constexpr long charged_at_once = 1L << 20;  // bytes; the kernel charges a batch of pages a processor
constexpr std::string_view instead = "rlimits hold instead";
constexpr std::string_view no_instead = "cpu of a runner is not limited, deadlines hold";
constexpr std::size_t left_at_once = 32;  // groups of what detached calls have left alive
constexpr std::uint64_t most_names = 64;  // tried, where a group of that name is left over

// Who has used a period's share waits for the next one, and everything else in the group with it. So the period is how late a
// call can become through others, which is to stay well below the 250 ms that neighbours of a spinning call may lose; and the
// longer it is, the more a call that comes after a quiet time may take at once. The kernel's own period it is, and a burst
// that doubles what may be taken at once and leaves the wait as it is. Microseconds.
constexpr long period_us = 100'000;
constexpr long least_quota_us = 1'000;  // the kernel's

}  // namespace

// ---- one runner's place ---------------------------------------------------------------------

RunnerGroup::RunnerGroup(RunnerGroup&& other) noexcept {
  *this = std::move(other);
}

RunnerGroup& RunnerGroup::operator=(RunnerGroup&& other) noexcept {
  if (this == &other) return *this;
  end();
  maker_ = std::exchange(other.maker_, nullptr);
  paths_ = std::exchange(other.paths_, {});
  memory_ = std::exchange(other.memory_, {});
  tasks_ = std::exchange(other.tasks_, {});
  cores_ = std::exchange(other.cores_, {});
  limits_ = std::exchange(other.limits_, {});
  spares_ = std::exchange(other.spares_, false);
  before_ = std::exchange(other.before_, {});
  seen_ = std::exchange(other.seen_, {});
  seen_at_ = std::exchange(other.seen_at_, {});
  return *this;
}

RunnerGroup::~RunnerGroup() {
  end();
}

void RunnerGroup::end() {
  if (maker_ == nullptr) return;
  if (spares_) return maker_->let_go(std::exchange(paths_, {}));
  maker_->retire(std::exchange(paths_, {}));
}

std::string RunnerGroup::text() const {
  if (paths_.empty()) return {};
  std::string out = maker_->version() == CgroupVersion::v2 ? "cgroup v2" : "cgroup v1";
  std::string_view before = ": ";
  if (limits_.memory_bytes > 0) out.append(before).append("memory ").append(format_size(limits_.memory_bytes)), before = ", ";
  if (limits_.tasks > 0) out.append(before).append(std::to_string(limits_.tasks)).append(" tasks"), before = ", ";
  if (limits_.cores > 0) {
    out.append(before).append("cpu ").append(format_percent(limits_.cores));
    const long times = maker_->times_held_back(cores_);
    if (times > 0) out.append(" (held back ").append(counted(static_cast<std::size_t>(times), "time")).append(")");
  }
  return out;
}

/// A runner's last results may be taken in when it is dying already, so what is counted then may be its own end.
void RunnerGroup::look(std::chrono::nanoseconds now) {
  if (!holds_memory()) return;
  const MemoryCounts counts = maker_->memory_counts(memory_);
  if (counts == seen_) return;
  if (now - seen_at_ >= longest_dying) before_ = seen_;
  seen_ = counts;
  seen_at_ = now;
}

MemoryKill RunnerGroup::memory_kill(std::chrono::nanoseconds now) const {
  if (!holds_memory()) return MemoryKill::none;
  return maker_->memory_kill(memory_, now - seen_at_ >= longest_dying ? seen_ : before_);
}

// ---- groups ---------------------------------------------------------------------------------

/// Each kind once: what fails for one runner fails for the next too.
void Cgroups::tell(std::string_view doing, int error, std::string_view so) {
  const std::string text = "control groups: cannot " + std::string(doing) + ": " + ::strerror(error);
  if (!told_.insert(text).second || !options_.tell) return;
  options_.tell(text + "; " + std::string(so));
}

RunnerGroup Cgroups::add(pid_t pid, const GroupLimits& limits) {
  RunnerGroup group;
  group.maker_ = this;
  for (const Tree& tree : trees_) {
    const bool memory = tree.memory && limits.memory_bytes > 0, tasks = tree.tasks && limits.tasks > 0;
    if (memory || tasks || has_to_limit_cores(tree, limits)) enter(tree, pid, limits, group);
  }
  return group;
}

/// Limits first: the process is never in the group without them.
bool Cgroups::enter(const Tree& tree, pid_t pid, const GroupLimits& limits, RunnerGroup& group) {
  std::string path;
  int error = EEXIST;
  for (std::uint64_t tries = 0; error == EEXIST && tries < most_names; ++tries) {
    path = tree.base + "/" + std::to_string(++made_);
    error = files_.make(path);
  }
  if (error != 0) return tell("make a group for a runner", error, instead), false;
  const char* const memory_file = version_ == CgroupVersion::v2 ? "/memory.max" : "/memory.limit_in_bytes";
  const bool memory = tree.memory && limits.memory_bytes > 0 && limit(path + memory_file, limits.memory_bytes);
  if (memory) limit_swap(path, limits.memory_bytes);
  const bool tasks = tree.tasks && limits.tasks > 0 && limit(path + "/pids.max", limits.tasks);
  const bool cores = has_to_limit_cores(tree, limits) && hand_cpu_down(tree) && limit_cores(path, limits.cores);
  const bool any = memory || tasks || cores;
  if (any) error = files_.write(path + "/cgroup.procs", std::to_string(pid));
  if (error != 0) tell("put a runner into its group", error, instead);
  if (error != 0 || !any) return retire({path}), false;
  group.paths_.push_back(path);
  if (memory) group.memory_ = path, group.limits_.memory_bytes = limits.memory_bytes;
  if (tasks) group.tasks_ = path, group.limits_.tasks = limits.tasks;
  if (cores) group.cores_ = path, group.limits_.cores = limits.cores;
  return true;
}

bool Cgroups::limit(const std::string& file, std::int64_t value) {
  const int error = files_.write(file, std::to_string(value));
  if (error != 0) tell("write " + file.substr(file.rfind('/') + 1), error, instead);
  return error == 0;
}

/// What would only be swapped out is no less than the limit. A kernel without swap accounting has no such file.
void Cgroups::limit_swap(const std::string& path, std::int64_t memory_bytes) {
  const bool v2 = version_ == CgroupVersion::v2;
  const std::string name = v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
  const int error = files_.write(path + "/" + name, v2 ? "0" : std::to_string(memory_bytes));
  if (error != 0 && error != ENOENT) tell("write " + name, error, "runners may use swap beyond their limit");
}

/// A limit that cannot be met would cost accounting, and in version 1 a place among real-time groups, for nothing.
bool Cgroups::has_to_limit_cores(const Tree& tree, const GroupLimits& limits) const {
  return tree.cores && limits.cores > 0 && limits.cores < options_.processors;
}

/// Only when the first runner needs it: with the controller the kernel weighs groups against each other, the agent against all
/// runners too, and whoever has no limit to be held is better off without.
bool Cgroups::hand_cpu_down(const Tree& tree) {
  if (version_ == CgroupVersion::v1 || cpu_is_down_) return true;
  for (const std::string& group : {tree.own, tree.base}) {
    const int error = files_.write(group + "/cgroup.subtree_control", "+cpu");
    if (error != 0) return tell("hand cpu down", error, no_instead), false;
  }
  return cpu_is_down_ = true;
}

bool Cgroups::limit_cores(const std::string& path, double cores) {
  const std::string quota = std::to_string(std::max(std::lround(cores * period_us), least_quota_us));
  const std::string period = std::to_string(period_us);
  const auto write = [&](const std::string& name, const std::string& text, std::string_view so, bool may_lack) {
    const int error = files_.write(path + "/" + name, text);
    if (error != 0 && !(may_lack && error == ENOENT)) tell("write " + name, error, so);
    return error == 0;
  };
  const bool v2 = version_ == CgroupVersion::v2;
  const bool held = v2 ? write("cpu.max", quota + " " + period, no_instead, false)
                       : write("cpu.cfs_period_us", period, no_instead, false) && write("cpu.cfs_quota_us", quota, no_instead, false);
  // since Linux 5.14; no more than the quota
  if (held) write(v2 ? "cpu.max.burst" : "cpu.cfs_burst_us", quota, "runners are held back sooner", true);
  return held;
}

/// In how many periods something of the group had to wait.
long Cgroups::times_held_back(const std::string& path) const {
  return number_behind(files_.read(path + "/cpu.stat").value_or(""), "nr_throttled").value_or(0);
}

/// By the highest use: failures are not counted by every kernel (Linux 6.18 has 0 after a kill).
bool Cgroups::has_reached_v1(const std::string& path) const {
  const auto number_in = [&](const char* file) { return number_behind("n " + files_.read(path + file).value_or(""), "n").value_or(0); };
  const long highest = std::max(number_in("/memory.max_usage_in_bytes"), number_in("/memory.memsw.max_usage_in_bytes"));
  const long limit = number_in("/memory.limit_in_bytes");
  return limit > 0 && highest >= limit - charged_at_once;
}

std::string Cgroups::memory_events(const std::string& path) const {
  return files_.read(path + (version_ == CgroupVersion::v2 ? "/memory.events" : "/memory.oom_control")).value_or("");
}

MemoryCounts Cgroups::memory_counts(const std::string& path) const {
  const std::string events = memory_events(path);
  return {number_behind(events, "oom_kill").value_or(0), number_behind(events, "oom").value_or(0)};
}

MemoryKill Cgroups::memory_kill(const std::string& path, const MemoryCounts& before) const {
  const bool v2 = version_ == CgroupVersion::v2;
  const std::string events = memory_events(path);
  const auto killed = number_behind(events, "oom_kill");
  const bool reached = v2 ? number_behind(events, "oom").value_or(0) > before.limit_met : has_reached_v1(path);
  // before Linux 4.13 version 1 does not count kills
  if (killed ? *killed <= before.kills : !reached) return MemoryKill::none;
  return reached ? MemoryKill::by_limit : MemoryKill::by_host;
}

// ---- the end of groups ----------------------------------------------------------------------

/// Everything in it, also what is being forked meanwhile. Without cgroup.kill (Linux 5.14, version 2) nothing may be forked
/// any more first; where tasks are not limited, it is done again until nobody is left.
void Cgroups::end_members(const std::string& path) {
  if (version_ == CgroupVersion::v2 && files_.write(path + "/cgroup.kill", "1") == 0) return;
  files_.write(path + "/pids.max", "0");
  files_.kill_members(path + "/cgroup.procs");
}

/// Looked at again when another group ends: who stays may stay for months. A few at a time, in turn.
void Cgroups::remove_left(std::size_t most) {
  const auto end = left_.begin() + static_cast<std::ptrdiff_t>(std::min(most, left_.size()));
  const auto gone = std::remove_if(left_.begin(), end, [this](const std::string& path) { return remove_empty(path) != EBUSY; });
  const auto unseen = left_.erase(gone, end);
  std::rotate(left_.begin(), unseen, left_.end());
}

void Cgroups::let_go(std::vector<std::string> paths) {
  remove_left(left_at_once);
  for (std::string& path : paths) {
    const int error = remove_empty(path);
    if (error != 0 && error != EBUSY && error != ENOENT) tell("remove a group", error, "it stays");
    if (error != EBUSY) continue;
    lift_limits(path);
    left_.push_back(std::move(path));
  }
}

/// What is not there, of the other version or without swap accounting, has no limit.
void Cgroups::lift_limits(const std::string& path) {
  const bool v2 = version_ == CgroupVersion::v2;
  const auto write = [&](const char* name, std::string_view text) {
    const int error = files_.write(path + "/" + name, text);
    if (error != 0 && error != ENOENT) tell("write " + std::string(name), error, "what a detached call has left alive keeps that limit");
  };
  write("pids.max", "max");
  if (v2) {
    write("memory.max", "max");
    write("memory.swap.max", "max");
    write("cpu.max", "max");
    return;
  }
  write("memory.memsw.limit_in_bytes", "-1");  // never below the other one
  write("memory.limit_in_bytes", "-1");
  write("cpu.cfs_quota_us", "-1");
}

void Cgroups::retire(std::vector<std::string> paths) {
  remove_left(left_at_once);
  bool waits = false;
  for (std::string& path : paths) {
    const int error = files_.remove(path);
    if (error == 0 || error == ENOENT) continue;
    leaving_.push_back(std::move(path));
    waits = true;
  }
  if (!waits) return;
  pause_ = shortest_pause;
  tidy();
}

/// The kernel says EBUSY until the last process is gone; that is never waited for.
void Cgroups::tidy() {
  std::erase_if(leaving_, [this](const std::string& path) {
    end_members(path);
    const int error = remove_empty(path);
    if (error != 0 && error != EBUSY && error != ENOENT) tell("remove a group", error, "it stays");
    return error != EBUSY;
  });
  tidy_later();
}

void Cgroups::tidy_later() {
  if (leaving_.empty()) return timer_.expires_at(boost::asio::steady_timer::time_point::max()), void();
  timer_.expires_after(pause_);
  pause_ = std::min<std::chrono::milliseconds>(pause_ * 2, longest_pause);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tidy();
  });
}

Cgroups::~Cgroups() {
  const auto until = monotonic() + last_wait;
  while (!leaving_.empty()) {
    tidy();
    if (leaving_.empty() || monotonic() > until) break;
    const timespec pause{0, std::chrono::nanoseconds(shortest_pause).count()};
    ::nanosleep(&pause, nullptr);
  }
  remove_left(left_.size());
  for (const Tree& tree : trees_) files_.remove(tree.base);
  leave_v2();
}

}  // namespace ronda::plugin
