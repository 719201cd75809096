// SPDX-License-Identifier: Apache-2.0
#include "processes.hpp"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "text.hpp"

namespace host {
namespace {

constexpr std::size_t comm_limit = 15;
constexpr int deepest_cgroup = 8;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

/// Calls `visit` with each entry but "." and "..", until it says false.
void each_entry(const std::string& path, const std::function<bool(const dirent&)>& visit) {
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path.c_str()));
  if (!directory) return;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && !visit(*entry)) return;
  }
}

std::optional<std::uint64_t> count_open_files(const std::string& process) {
  const std::string path = process + "/fd";
  if (access(path.c_str(), R_OK | X_OK) != 0) return std::nullopt;
  std::uint64_t count = 0;
  each_entry(path, [&](const dirent&) { return ++count, true; });
  return count;
}

std::string file_name(std::string_view path) {
  path = path.substr(0, path.find('\0'));
  return std::string(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
}

std::optional<Process> read_process(const std::string& proc, std::string_view pid) {
  const std::string path = proc + "/" + std::string(pid);
  static const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  auto process = parse_stat(read_file(path + "/stat", 4096).text, page_bytes);
  if (process) process->argv0 = file_name(read_file(path + "/cmdline", 4096).text);
  return process;
}

std::string search(const std::string& below, std::string_view unit, int depth) {
  std::vector<std::string> inner;
  std::string found;
  each_entry(below, [&](const dirent& entry) {
    if (entry.d_type != DT_DIR) return true;
    std::string path = below + "/" + entry.d_name;
    if (unit == entry.d_name) found = path;
    inner.push_back(std::move(path));
    return found.empty();
  });
  // the nearest to the root wins: a container's cgroup may hold units of the same name
  for (std::size_t i = 0; found.empty() && i < inner.size() && depth < deepest_cgroup; ++i) {
    found = search(inner[i], unit, depth + 1);
  }
  return found;
}

}  // namespace

std::optional<Process> parse_stat(std::string_view text, std::uint64_t page_bytes) {
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  const auto rest = fields(text.substr(close + 1));  // rest[0] is field 3 of proc(5)
  const auto pid = to_i64(trim(text.substr(0, open)));
  if (!pid || rest.size() < 22 || rest[0].size() != 1) return std::nullopt;
  const auto parent = to_i64(rest[1]);
  const auto threads = to_u64(rest[17]);
  const auto start = to_u64(rest[19]);
  const auto rss_pages = to_u64(rest[21]);
  if (!parent || !threads || !start || !rss_pages) return std::nullopt;
  Process process;
  process.pid = static_cast<std::int32_t>(*pid);
  process.parent = static_cast<std::int32_t>(*parent);
  process.state = rest[0][0];
  process.comm = text.substr(open + 1, close - open - 1);
  process.threads = *threads;
  process.start_ticks = *start;
  process.rss_bytes = *rss_pages * page_bytes;
  return process;
}

bool has_name(const Process& process, std::string_view name) {
  if (name.size() <= comm_limit) return process.comm == name;
  return process.comm == name.substr(0, comm_limit) && process.argv0 == name;
}

std::vector<Process> roots(const std::vector<Process>& processes) {
  std::vector<Process> out;
  for (const Process& process : processes) {
    const bool has_parent = std::any_of(processes.begin(), processes.end(),
                                        [&](const Process& other) { return other.pid == process.parent; });
    if (!has_parent) out.push_back(process);
  }
  return out;
}

std::vector<Process> collect_named(const std::string& proc, std::string_view name) {
  std::vector<Process> out;
  each_entry(proc, [&](const dirent& entry) {
    if (!to_u64(entry.d_name)) return true;
    auto process = read_process(proc, entry.d_name);
    if (!process || process->state == 'Z' || process->state == 'X' || !has_name(*process, name)) return true;
    process->open_files = count_open_files(proc + "/" + entry.d_name);
    out.push_back(std::move(*process));
    return true;
  });
  return out;
}

std::vector<Process> collect_pids(const std::string& proc, const std::vector<std::int32_t>& pids) {
  std::vector<Process> out;
  for (const std::int32_t pid : pids) {
    const std::string name = std::to_string(pid);
    auto process = read_process(proc, name);
    if (!process || process->state == 'Z' || process->state == 'X') continue;
    process->open_files = count_open_files(proc + "/" + name);
    out.push_back(std::move(*process));
  }
  return out;
}

std::optional<std::string> find_unit(const std::string& cgroups, std::string_view unit) {
  for (const char* hierarchy : {"", "/unified", "/systemd"}) {
    const std::string root = cgroups + hierarchy;
    if (access((root + "/cgroup.procs").c_str(), F_OK) != 0) continue;
    std::string found = search(root, unit, 0);
    if (!found.empty()) return found;
  }
  return std::nullopt;
}

std::vector<std::int32_t> pids_below(const std::string& cgroup) {
  std::vector<std::int32_t> out;
  const Contents contents = read_file(cgroup + "/cgroup.procs");
  std::string_view text = contents.text;
  std::string_view line;
  while (next_line(text, line)) {
    if (const auto pid = to_i64(line)) out.push_back(static_cast<std::int32_t>(*pid));
  }
  each_entry(cgroup, [&](const dirent& entry) {
    if (entry.d_type != DT_DIR) return true;
    const auto inner = pids_below(cgroup + "/" + entry.d_name);
    out.insert(out.end(), inner.begin(), inner.end());
    return true;
  });
  return out;
}

}  // namespace host
