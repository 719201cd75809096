// SPDX-License-Identifier: Apache-2.0
// What is asked of the file system in which the kernel shows control groups. A class, so that tests can play a kernel
// that this machine does not have. None of it waits: the kernel answers from memory.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ronda::plugin {

/// Errors are values of errno; 0 is none.
class CgroupFiles {
 public:
  CgroupFiles() = default;
  CgroupFiles(const CgroupFiles&) = delete;
  CgroupFiles& operator=(const CgroupFiles&) = delete;
  virtual ~CgroupFiles() = default;

  virtual int make(const std::string& directory);
  virtual int remove(const std::string& directory);
  /// In one write, to a file that exists.
  virtual int write(const std::string& file, std::string_view text);
  /// All of it; nothing when it cannot be read.
  virtual std::optional<std::string> read(const std::string& file);
  /// Names of the directories directly below; none when it cannot be read.
  virtual std::vector<std::string> directories(const std::string& path);
  /// SIGKILL to all that the file lists at two looks, between which a descriptor of each was taken: a number that has
  /// become another process's meanwhile is left alone.
  virtual void kill_members(const std::string& procs_file);
};

/// The numbers in a file that lists processes, one a line. Zeros are processes that this PID namespace does not know.
std::vector<int> pids_in(std::string_view text);

/// The number behind `key` and a space in lines like "oom_kill 3"; nothing when there is none.
std::optional<long> number_behind(std::string_view text, std::string_view key);

}  // namespace ronda::plugin
