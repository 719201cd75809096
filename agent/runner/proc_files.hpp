// SPDX-License-Identifier: Apache-2.0
// The little that a runner reads of /proc.
#pragma once

#include <string>
#include <vector>

namespace ronda::runner {

/// Up to 4 KiB of a small file of /proc; empty when it cannot be read.
std::string read_proc(const std::string& path);

/// The numbers that name directories below `path`: processes of /proc, threads of a task directory.
std::vector<long> numbers_in(const char* path);

}  // namespace ronda::runner
