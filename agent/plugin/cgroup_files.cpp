// SPDX-License-Identifier: Apache-2.0
#include "plugin/cgroup_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <utility>

#include "base/descriptor.hpp"

namespace ronda::plugin {
namespace {

constexpr mode_t directory_mode = 0755;
constexpr std::size_t most_bytes = std::size_t{4} << 20;  // a list of half a million processes

}  // namespace

int CgroupFiles::make(const std::string& directory) {
  return ::mkdir(directory.c_str(), directory_mode) == 0 ? 0 : errno;
}

int CgroupFiles::remove(const std::string& directory) {
  return ::rmdir(directory.c_str()) == 0 ? 0 : errno;
}

int CgroupFiles::write(const std::string& file, std::string_view text) {
  const Descriptor out(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!out) return errno;
  ssize_t written = -1;
  do {  // version 1 gives up setting a limit when a signal comes
    written = ::write(out.get(), text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) return errno;
  return written == static_cast<ssize_t>(text.size()) ? 0 : EIO;
}

std::optional<std::string> CgroupFiles::read(const std::string& file) {
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) return std::nullopt;
  std::string text;
  std::array<char, 4096> piece{};
  while (text.size() < most_bytes) {
    const ssize_t got = ::read(in.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

std::vector<std::string> CgroupFiles::directories(const std::string& path) {
  std::vector<std::string> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), ::closedir);
  if (dir == nullptr) return out;
  while (const dirent* const entry = ::readdir(dir.get())) {
    const std::string name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") out.push_back(name);
  }
  return out;
}

void CgroupFiles::kill_members(const std::string& procs_file) {
  std::vector<std::pair<int, Descriptor>> seen;
  for (const int pid : pids_in(read(procs_file).value_or(""))) {
    if (pid <= 1) continue;
    Descriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (pidfd) seen.emplace_back(pid, std::move(pidfd));
  }
  const std::vector<int> still = pids_in(read(procs_file).value_or(""));
  for (const auto& [pid, pidfd] : seen) {
    if (std::ranges::find(still, pid) != still.end()) ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
  }
}

std::vector<int> pids_in(std::string_view text) {
  std::vector<int> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    int pid = 0;
    if (std::from_chars(text.data() + at, text.data() + end, pid).ec == std::errc()) out.push_back(pid);
    at = end + 1;
  }
  return out;
}

std::optional<long> number_behind(std::string_view text, std::string_view key) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (line.size() <= key.size() || !line.starts_with(key) || line[key.size()] != ' ') continue;
    long number = 0;
    const char* const first = line.data() + key.size() + 1;
    if (std::from_chars(first, line.data() + line.size(), number).ec == std::errc()) return number;
  }
  return std::nullopt;
}

}  // namespace ronda::plugin
