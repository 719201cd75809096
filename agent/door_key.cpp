// SPDX-License-Identifier: Apache-2.0
#include "door_key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/descriptor.hpp"
#include "base/random.hpp"

namespace ronda {
namespace {

constexpr std::size_t key_bytes = 32;

Result<std::string> read_key(const std::string& path, int file) {
  struct stat found {};
  if (::fstat(file, &found) != 0) return system_error("look at " + path, errno);
  if (!S_ISREG(found.st_mode) || found.st_uid != ::geteuid() || (found.st_mode & 077U) != 0)
    return Error(Errc::denied, path + " is not this user's alone; take it away, and a new one is made");
  std::string key(key_bytes + 1, '\0');
  const ssize_t got = ::pread(file, key.data(), key.size(), 0);
  if (got != static_cast<ssize_t>(key_bytes)) return Error(Errc::corrupt, path + " is no key; take it away, and a new one is made");
  key.resize(key_bytes);
  return key;
}

/// Under a name of its own first: what has the right name is whole.
Result<std::string> make_key(const std::string& path) {
  std::string key;
  for (std::size_t i = 0; i < key_bytes / sizeof(std::uint64_t); ++i) {
    const std::uint64_t bits = random_bits();
    key.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  }
  const std::string draft = path + ".new";
  ::unlink(draft.c_str());
  const Descriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return system_error("make " + draft, errno);
  if (::write(file.get(), key.data(), key.size()) != static_cast<ssize_t>(key.size()) || ::fsync(file.get()) != 0)
    return system_error("write " + draft, errno);
  if (::rename(draft.c_str(), path.c_str()) != 0) return system_error("make " + path, errno);
  return key;
}

}  // namespace

Result<std::string> read_or_make_door_key(const std::string& state_directory) {
  const std::string path = state_directory + "/door.key";
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (file) return read_key(path, file.get());
  if (errno != ENOENT) return system_error("open " + path, errno);
  return make_key(path);
}

}  // namespace ronda
