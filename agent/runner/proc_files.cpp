// SPDX-License-Identifier: Apache-2.0
#include "runner/proc_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace ronda::runner {

std::string read_proc(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::array<char, 4096> buffer{};
  const ssize_t got = fd < 0 ? -1 : ::read(fd, buffer.data(), buffer.size());
  if (fd >= 0) ::close(fd);
  return got <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(got));
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

}  // namespace ronda::runner
