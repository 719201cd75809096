// SPDX-License-Identifier: Apache-2.0
// The little that agent and runner read of /proc. Nothing of it waits. Any thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace ronda {

/// Up to `most` bytes of a file of /proc, in as many reads as it takes; empty when it cannot be read.
std::string read_proc(const std::string& path, std::size_t most = 4096);

/// The numbers that name directories below `path`: processes of /proc, threads of a task directory.
std::vector<long> numbers_in(const char* path);

/// Children of every thread of a process, at most `most`. The kernel gives them piece by piece: while they come and go, one that
/// stays may be missed, so who has to know them all looks again.
std::vector<pid_t> children_of(pid_t parent, std::size_t most);

}  // namespace ronda
