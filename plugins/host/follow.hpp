// SPDX-License-Identifier: Apache-2.0
// Reads what was added to a log since the last time, over rotation, truncation and restarts of the agent.
// It starts at the end, hands over whole lines only, and never reads more than it was allowed to in one go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lines.hpp"

namespace host {

/// Where we are in which file. A file is known by inode and by its first bytes, since inodes are used again.
struct Position {
  std::uint64_t inode = 0;  // 0: there was no file; the next one is read from its start
  std::uint64_t offset = 0;
  std::uint64_t print_bytes = 0;  // how many first bytes `print` covers
  std::uint64_t print = 0;
  bool skipping = false;  // inside a line that was longer than the limit
};
std::string format(const Position& position);
/// Nothing for a damaged text: then we start at the end, as for a new file.
std::optional<Position> parse_position(std::string_view text);

struct FollowLimits {
  std::size_t line = 4096;
  std::uint64_t bytes = 16 << 20;
};

struct Followed {
  int error = 0;           // errno of the file itself; ENOENT: it is not there
  bool first = false;      // there was no position: nothing was read
  bool rotated = false;    // the file is another one than last time
  bool truncated = false;  // the file is the same and was begun anew
  bool lost = false;       // the rest of the rotated file was not found: lines may be missing
  std::uint64_t lines = 0;
  std::uint64_t backlog = 0;  // bytes that are there and were not read, for the next run
};

/// Reads on and moves `position`. `stop` is asked between chunks.
Followed follow(const std::string& path, std::optional<Position>& position, const FollowLimits& limits,
                const OnLine& on_line, const std::function<bool()>& stop);

}  // namespace host
