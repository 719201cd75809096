// SPDX-License-Identifier: Apache-2.0
// What the end of a child process means: as the result of a monitoring plugin (exit 0 to 3) or of a command.
// Pure; a child that did not end by itself is never OK and never CRITICAL: nobody knows what it would have said.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "perfdata.hpp"

namespace nagios {

constexpr std::size_t max_summary_bytes = 1024;
constexpr std::size_t max_stderr_bytes = 4096;
constexpr std::size_t max_detail_bytes = 64 << 10;  // what the host keeps of a detail

/// How a child ended; the texts are borrowed.
struct Ended {
  std::int32_t exit_code = 0;  ///< -1 when it ended otherwise
  std::int32_t signal = 0;
  bool timed_out = false;      ///< it was ended at the deadline, or on cancel
  bool cancelled = false;
  std::int64_t duration_ns = 0;
  std::string_view out, err;
  std::uint64_t out_total = 0, err_total = 0;  ///< bytes written, kept or not
};

enum class State : std::int32_t { ok, warning, critical, unknown };

struct Verdict {
  State state = State::unknown;
  std::string summary;
  std::string detail;
  Perfdata perfdata;
};

Verdict judge_plugin(const Ended& ended);

enum class Outcome : std::int32_t { changed, unchanged, failed };

struct CommandVerdict {
  Outcome outcome = Outcome::failed;
  std::string summary;
  std::string detail;
};

struct ExitCodes {
  std::vector<std::int64_t> success{0};
  std::vector<std::int64_t> unchanged;
};

CommandVerdict judge_command(const Ended& ended, const ExitCodes& codes);

/// An argument list as a person would type it: quoted where a shell would need it, control characters as \xNN.
std::string quoted_argv(const std::vector<std::string>& argv);

}  // namespace nagios
