// SPDX-License-Identifier: Apache-2.0
// Reads a plugin file in a throw-away process first: bytes that crash, hang or bloat the ELF library are a refused
// plugin, not a dead agent. Runs no code of the plugin.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace ronda::plugin {

/// The child's side, behind a hidden verb: limits itself (256 MiB of data, 5 s of CPU, no core, no file), reads the
/// bytes from `in`. That it comes back is the answer.
int vet_child_main(int in);

/// The agent's side; `argv` is the program with its hidden verb. Waits at most `deadline`.
Result<Unit> vet_in_child(const std::vector<std::string>& argv, std::span<const std::uint8_t> bytes, std::chrono::milliseconds deadline);

}  // namespace ronda::plugin
