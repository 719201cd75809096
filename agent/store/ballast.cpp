// SPDX-License-Identifier: Apache-2.0
#include "store/ballast.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

namespace ronda::store {

bool Ballast::present() const {
  struct stat info {};
  return ::lstat(path_.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_size == bytes_;
}

Status Ballast::create() const {
  if (bytes_ == 0 || present()) return done();
  struct statvfs space {};
  if (::statvfs(directory().c_str(), &space) != 0) return system_error("statvfs '" + directory() + "'", errno);
  const auto free_bytes = static_cast<std::int64_t>(space.f_bavail) * static_cast<std::int64_t>(space.f_frsize);
  if (free_bytes < bytes_ / 4 * 5) return system_error("reserve '" + path_ + "'", ENOSPC);
  ::unlink(path_.c_str());
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return system_error("reserve '" + path_ + "'", errno);
  const int failed = ::posix_fallocate(fd, 0, bytes_);
  ::close(fd);
  if (failed == 0) return done();
  ::unlink(path_.c_str());
  return system_error("reserve '" + path_ + "'", failed);
}

bool Ballast::release() const { return ::unlink(path_.c_str()) == 0; }

bool Ballast::is_disk_full() const {
  struct statvfs space {};
  if (::statvfs(directory().c_str(), &space) != 0) return false;
  return space.f_bavail == 0 || (space.f_files > 0 && space.f_favail == 0);
}

// What a kernel makes read-only by itself, after an error, need not say so: it refuses to write.
bool Ballast::is_disk_read_only() const {
  struct statvfs space {};
  if (::statvfs(directory().c_str(), &space) == 0 && (space.f_flag & ST_RDONLY) != 0) return true;
  const int fd = ::open(directory().c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return errno == EROFS;
  ::close(fd);
  return false;
}

}  // namespace ronda::store
