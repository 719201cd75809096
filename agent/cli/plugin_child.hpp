// SPDX-License-Identifier: Apache-2.0
// One child process with input, bounded output and a time limit; blocks until it is gone.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ronda::cli {

struct ChildEnd {
  int exit_code = -1;     // -1: it was killed
  int signal = 0;         // by this
  bool too_late = false;  // by us
  std::string output;     // stdout and stderr together, at most 64 KiB
};

/// What a child finds around itself.
struct ChildPlace {
  std::string directory;                                // empty: the caller's
  std::optional<std::vector<std::string>> environment;  // "NAME=value"; nothing: the caller's
};

/// argv[0] is a path. The child is the leader of a process group, which is killed as a whole at its end:
/// nothing that it started stays.
Result<ChildEnd> run_child(const std::vector<std::string>& argv, std::string_view input, std::chrono::milliseconds limit,
                           const ChildPlace& place);
/// Where the caller is.
Result<ChildEnd> run_child(const std::vector<std::string>& argv, std::string_view input, std::chrono::milliseconds limit);

}  // namespace ronda::cli
