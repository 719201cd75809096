// SPDX-License-Identifier: Apache-2.0
// Control groups as directories of a test's own: what a kernel with version 2 and with version 1 shows, and how each step
// can fail.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "plugin/cgroups.hpp"
#include "scratch.hpp"

namespace ronda::test {

inline constexpr int agent_pid = 4711;

/// A kernel: a directory that is made is a group with files, one that holds processes cannot be removed, a process is in
/// one group of a hierarchy. Errors come from `fails`, by the name of the file or of what is done.
class FakeKernel final : public plugin::CgroupFiles {
 public:
  explicit FakeKernel(bool v2) : v2_(v2) {
    if (v2) {
      group(scratch / "system.slice/ronda.service");
      scratch.write("cgroup.controllers", "cpu memory pids\n");
      return;
    }
    for (const char* controller : {"memory", "pids", "cpu"}) group(scratch / (std::string(controller) + "/init"));
  }

  int make(const std::string& directory) override {
    if (const int error = failure("make")) return error;
    if (const int error = plugin::CgroupFiles::make(directory)) return error;
    group(directory);
    return 0;
  }
  int remove(const std::string& directory) override {
    if (const int error = failure("remove")) return error;
    if (!std::filesystem::exists(directory)) return ENOENT;
    if (!plugin::pids_in(text(directory, "cgroup.procs")).empty()) return EBUSY;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      if (entry.is_directory()) return EBUSY;
    }
    std::filesystem::remove_all(directory);
    return 0;
  }
  int write(const std::string& file, std::string_view text) override {
    const std::filesystem::path path(file);
    const std::string name = path.filename();
    if (const int error = failure(name)) return error;
    if (!std::filesystem::exists(path)) return ENOENT;
    writes.push_back(path.parent_path().filename().string() + "/" + name + "=" + std::string(text));
    if (name == "cgroup.procs") {
      move(path, std::string(text));
      return 0;
    }
    if (name == "cgroup.kill") empty(path.parent_path());
    if (name == "cgroup.subtree_control" && text == "+cpu") {
      hand_cpu_down(path.parent_path());
      return 0;
    }
    std::ofstream(path) << text;
    return 0;
  }
  void kill_members(const std::string& procs_file) override {
    ++killed_by_list;
    if (!survives) std::ofstream(procs_file, std::ios::trunc).flush();
  }

  void set(const std::string& directory, const std::string& name, std::string_view value) const {
    std::ofstream(directory + "/" + name) << value;
  }
  static std::string text(const std::string& directory, const std::string& name) {
    std::ifstream in(directory + "/" + name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string own() const { return scratch / "system.slice/ronda.service"; }
  bool wrote(std::string_view what) const { return std::ranges::find(writes, what) != writes.end(); }

  Scratch scratch;
  std::map<std::string, int, std::less<>> fails;
  std::vector<std::string> writes;
  int killed_by_list = 0;
  bool survives = false;
  bool with_kill = true, with_swap = true, with_burst = true;

 private:
  int failure(const std::string& what) const {
    const auto found = fails.find(what);
    return found == fails.end() ? 0 : found->second;
  }
  void group(const std::string& directory) const {
    std::filesystem::create_directories(directory);
    set(directory, "cgroup.procs", "");
    if (v2_) {
      set(directory, "cgroup.controllers", "cpu memory pids\n");
      set(directory, "memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n");
      for (const char* file : {"cgroup.subtree_control", "memory.max", "pids.max"}) set(directory, file, "");
      if (with_kill) set(directory, "cgroup.kill", "");
      if (with_swap) set(directory, "memory.swap.max", "max");
      if (cpu_below_.contains(std::filesystem::path(directory).parent_path())) with_cpu(directory);
    } else if (directory.find("/cpu/") != std::string::npos) {
      for (const char* file : {"cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.stat"}) set(directory, file, "");
      if (with_burst) set(directory, "cpu.cfs_burst_us", "0");
    } else if (directory.find("/pids/") != std::string::npos) {
      set(directory, "pids.max", "max");
    } else {
      for (const char* file : {"memory.limit_in_bytes", "memory.max_usage_in_bytes"}) set(directory, file, "0");
      set(directory, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
      if (with_swap) set(directory, "memory.memsw.limit_in_bytes", "0"), set(directory, "memory.memsw.max_usage_in_bytes", "0");
    }
  }
  void with_cpu(const std::string& directory) const {
    for (const char* file : {"cpu.max", "cpu.stat"}) set(directory, file, "");
    if (with_burst) set(directory, "cpu.max.burst", "0");
  }
  /// To those below that are there, and those that come.
  void hand_cpu_down(const std::filesystem::path& directory) {
    cpu_below_.insert(directory);
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      if (entry.is_directory()) with_cpu(entry.path());
    }
  }
  void empty(const std::filesystem::path& directory) const {
    if (!survives) set(directory, "cgroup.procs", "");
  }
  void move(const std::filesystem::path& target, const std::string& pid) const {
    const std::filesystem::path top = v2_ ? std::filesystem::path(scratch.path())
                                          : std::filesystem::path(scratch.path()) / *target.lexically_relative(scratch.path()).begin();
    for (const auto& entry : std::filesystem::recursive_directory_iterator(top)) {
      if (entry.path().filename() != "cgroup.procs") continue;
      std::string others;
      for (const int one : plugin::pids_in(text(entry.path().parent_path(), "cgroup.procs"))) {
        if (std::to_string(one) != pid) others += std::to_string(one) + "\n";
      }
      std::ofstream(entry.path()) << others << (entry.path() == target ? pid + "\n" : "");
    }
  }

  const bool v2_;
  std::set<std::filesystem::path> cpu_below_;  // version 2: whose children have the controller
};

struct CgroupBench {
  explicit CgroupBench(bool v2) : kernel(v2), self(v2 ? "0::/system.slice/ronda.service\n" : "12:pids:/init\n9:cpu,memory:/init\n0::/\n") {
    if (v2) kernel.set(kernel.own(), "cgroup.procs", std::to_string(agent_pid) + "\n");
  }
  std::unique_ptr<plugin::Cgroups> make() {
    return std::make_unique<plugin::Cgroups>(
        loop, plugin::CgroupOptions{kernel.scratch.path(), self, agent_pid, 4, [this](std::string_view text) { told.emplace_back(text); },
                                    &kernel});
  }
  /// Names of the groups below a directory.
  std::vector<std::string> below(const std::string& directory) {
    auto out = kernel.directories(directory);
    std::ranges::sort(out);
    return out;
  }

  boost::asio::io_context loop;
  FakeKernel kernel;
  std::string self;
  std::vector<std::string> told;
};

inline constexpr plugin::GroupLimits both{std::int64_t{192} << 20, 96, 0};
inline const std::string v2_base = "/ronda-4711";

}  // namespace ronda::test
