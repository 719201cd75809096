// SPDX-License-Identifier: Apache-2.0
#include "base/proc_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace ronda {
namespace {

constexpr std::size_t piece_bytes = 4096;   // the kernel gives no more at once
constexpr std::size_t bytes_a_number = 12;  // and more than any of its numbers takes with its blank

}  // namespace

std::string read_proc(const std::string& path, std::size_t most) {
  std::string out;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return out;
  while (out.size() < most) {
    const std::size_t had = out.size(), piece = std::min(piece_bytes, most - had);
    out.resize(had + piece);
    const ssize_t got = ::read(fd, out.data() + had, piece);
    out.resize(had + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got == 0 || (got < 0 && errno != EINTR)) break;
  }
  ::close(fd);
  return out;
}

std::vector<long> numbers_in(const char* path) {
  std::vector<long> out;
  DIR* const dir = ::opendir(path);
  if (dir == nullptr) return out;
  while (const dirent* const entry = ::readdir(dir)) {
    char* end = nullptr;
    const long number = std::strtol(entry->d_name, &end, 10);
    if (end != entry->d_name && *end == '\0') out.push_back(number);
  }
  ::closedir(dir);
  return out;
}

std::vector<pid_t> children_of(pid_t parent, std::size_t most) {
  std::vector<pid_t> out;
  const std::string tasks = "/proc/" + std::to_string(parent) + "/task";
  // the kernel lists children by the thread that made them
  for (const long thread : numbers_in(tasks.c_str())) {
    const std::string text = read_proc(tasks + "/" + std::to_string(thread) + "/children", most * bytes_a_number);
    const char* at = text.c_str();
    char* end = nullptr;
    for (long pid = std::strtol(at, &end, 10); end != at && out.size() < most; at = end, pid = std::strtol(at, &end, 10))
      out.push_back(static_cast<pid_t>(pid));
  }
  return out;
}

}  // namespace ronda
