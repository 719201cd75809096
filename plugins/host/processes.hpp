// SPDX-License-Identifier: Apache-2.0
// Processes as /proc tells them, and which of them were restarted since the last look. Pure but for collect()
// and the functions about cgroups, which only read. A process's own words (comm, argv) are data: they are
// compared and quoted, nothing that they name is ever opened or run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace host {

struct Process {
  std::int32_t pid = 0;
  std::int32_t parent = 0;
  char state = '?';
  std::string comm;   // at most 15 bytes; the process may have chosen it
  std::string argv0;  // the file name of argv[0]; as well
  std::uint64_t threads = 0;
  std::uint64_t start_ticks = 0;  // since boot; tells apart two processes with one pid
  std::uint64_t rss_bytes = 0;
  std::optional<std::uint64_t> open_files;  // nothing where we may not look
};

/// /proc/PID/stat. The name stands in brackets and may hold brackets, blanks and newlines.
std::optional<Process> parse_stat(std::string_view text, std::uint64_t page_bytes);

/// The name is its comm, or its whole argv[0] file name where that is longer than a comm can be.
bool has_name(const Process& process, std::string_view name);

/// Those whose parent is not among them: a server without its workers.
std::vector<Process> roots(const std::vector<Process>& processes);

/// All that are alive under `proc` ("/proc") and are called so; a process that ends meanwhile is left out.
std::vector<Process> collect_named(const std::string& proc, std::string_view name);
std::vector<Process> collect_pids(const std::string& proc, const std::vector<std::int32_t>& pids);

/// The directory of a unit's cgroup below `cgroups` ("/sys/fs/cgroup"), in either hierarchy; nothing when it
/// has none.
std::optional<std::string> find_unit(const std::string& cgroups, std::string_view unit);
/// Every pid in a cgroup and below it.
std::vector<std::int32_t> pids_below(const std::string& cgroup);

}  // namespace host
