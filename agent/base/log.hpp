// SPDX-License-Identifier: Apache-2.0
// The agent's log: one writer thread behind a bounded queue, which drops the oldest lines and counts them rather
// than ever making the agent wait. One call is one line: control characters, line breaks and what is no
// UTF-8 are escaped here, in the one place that all lines pass.
#pragma once

#include <cstdint>
#include <string_view>

namespace ronda {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// To stderr, where the service manager takes it. Once, by main; until then lines are lost.
void start_log(LogLevel level);
void log(LogLevel level, std::string_view text);
/// Lines that the queue had no room for, or that stderr did not take, since the start. Any thread.
std::uint64_t dropped_log_lines();
/// Writes what is queued, for at most a second however blocked stderr is, and ends the writer.
void stop_log();

}  // namespace ronda
