// SPDX-License-Identifier: Apache-2.0
#include "store/state_dir.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <tuple>
#include <utility>

#include "base/descriptor.hpp"
#include "base/random.hpp"
#include "base/safe_path.hpp"
#include "base/text.hpp"

namespace ronda::store {
namespace {

constexpr const char* lock_name = "lock";
constexpr const char* mark_name = "generation";

std::string octal(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode & 07777u);
  return text.data();
}

Status check_owner_and_mode(const std::string& path, const struct stat& info, const char* wanted) {
  if (info.st_uid != ::geteuid())
    return Error(Errc::denied, "'" + path + "' belongs to uid " + std::to_string(info.st_uid) + ", not to uid " +
                                   std::to_string(::geteuid()) + " that the agent runs as; chown it, or give --state DIR");
  if ((info.st_mode & 077u) != 0)
    return Error(Errc::denied, "'" + path + "' is open to others (mode " + octal(info.st_mode) +
                                   "), and state may hold what checks saw; chmod " + wanted + " it");
  return done();
}

/// The pid that the kernel has for the lock on this directory, when the lock file cannot say.
std::string holder_by_kernel(const struct stat& directory) {
  std::ifstream locks("/proc/locks");
  std::array<char, 64> inode{};
  std::snprintf(inode.data(), inode.size(), "%02x:%02x:%llu", major(directory.st_dev), minor(directory.st_dev),
                static_cast<unsigned long long>(directory.st_ino));
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, type, kind, access, pid, place;
    words >> number >> type >> kind >> access >> pid >> place;
    if (type == "FLOCK" && place == inode.data()) return "pid " + pid;
  }
  return "of unknown pid";
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// Why it is not opened. What is wrong with the directory itself is said as of one that could be opened; where the way to it is
/// in others' hands, they could have put another one in its place.
Error refusal(const std::string& path, const Error& why) {
  const Descriptor itself(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (itself && ::fstat(itself.get(), &info) == 0) {
    if (const Status own = check_owner_and_mode(path, info, "700"); !own) return own.error();
  }
  const Error told = why.with_context("the state directory '" + path + "'");
  return why.code() == Errc::denied ? Error(Errc::denied, told.message() + ", or give --state DIR") : told;
}

}  // namespace

Result<StateDir> StateDir::open(const std::string& path, std::int64_t wall_ns) {
  bool made = false;
  auto opened = open_or_make_trusted_directory(path, ::geteuid(), made);
  if (!opened) return refusal(path, opened.error());
  if (made) {
    RONDA_TRY(std::ignore, sync_path(path + "/.."));
  }
  StateDir dir(path, opened->release());
  RONDA_TRY(std::ignore, dir.check_private());
  RONDA_TRY(std::ignore, dir.take_lock(wall_ns));
  return dir;
}

StateDir::StateDir(StateDir&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

StateDir& StateDir::operator=(StateDir&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

StateDir::~StateDir() {
  if (fd_ >= 0) ::close(fd_);
}

Status StateDir::check_private() const {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return system_error("stat '" + path_ + "'", errno);
  RONDA_TRY(std::ignore, check_owner_and_mode(path_, info, "700"));
  const std::unique_ptr<DIR, int (*)(DIR*)> list(::opendir(path_.c_str()), ::closedir);
  if (!list) return system_error("list '" + path_ + "'", errno);
  while (const dirent* entry = ::readdir(list.get())) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(database_name) && name != lock_name && name != mark_name && name != starts_name) continue;
    if (::fstatat(fd_, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(info.st_mode)) return Error(Errc::denied, "'" + file(name) + "' is not a file; remove it");
    RONDA_TRY(std::ignore, check_owner_and_mode(file(name), info, "600"));
  }
  return done();
}

Status StateDir::take_lock(std::int64_t wall_ns) const {
  const Descriptor note(::openat(fd_, lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_error("lock '" + path_ + "'", errno);
    std::array<char, 128> text{};
    const ssize_t size = note.get() >= 0 ? ::read(note.get(), text.data(), text.size()) : 0;
    std::string who(trim(std::string_view(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0)));
    if (who.empty()) {
      struct stat info {};
      ::fstat(fd_, &info);
      who = holder_by_kernel(info);
    }
    return Error(Errc::exists, "'" + path_ + "' is in use by another agent, " + escape_controls(who) +
                                   "; stop that one, or give this one its own --state DIR");
  }
  // Who holds the lock is a courtesy: a full disk must not keep the agent from starting.
  const std::string who = "pid " + std::to_string(::getpid()) + " since " + utc_stamp(wall_ns) + "\n";
  if (note.get() >= 0 && ::ftruncate(note.get(), 0) == 0) write_all(note.get(), who);
  return done();
}

bool StateDir::is_in_place() const {
  struct stat held = {}, there = {};
  return ::fstat(fd_, &held) == 0 && ::stat(path_.c_str(), &there) == 0 && held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

Status StateDir::sync() const {
  if (::fsync(fd_) != 0) return system_error("fsync '" + path_ + "'", errno);
  return done();
}

Status StateDir::ensure_file(std::string_view name) const {
  const Descriptor fd(::openat(fd_, std::string(name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (fd.get() >= 0 || errno == EEXIST) return done();
  const bool full = errno == ENOSPC || errno == EDQUOT;
  const Error error = system_error("create '" + file(name) + "'", errno);
  return full ? Error(Errc::unavailable, error.message()) : error;
}

std::optional<Mark> StateDir::read_mark() const {
  std::ifstream in(file(mark_name));
  std::string host, store, generation;
  Mark mark;
  if (!(in >> host >> mark.host >> store >> mark.store >> generation >> mark.generation)) return std::nullopt;
  if (host != "host" || store != "store" || generation != "generation") return std::nullopt;
  return mark;
}

Status StateDir::write_mark(const Mark& mark) const {
  const std::string next = file(mark_name) + std::string(".new");
  {
    const Descriptor fd(::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (fd.get() < 0) return system_error("create '" + next + "'", errno);
    const std::string text = "host " + mark.host + "\nstore " + mark.store + "\ngeneration " + std::to_string(mark.generation) + "\n";
    if (!write_all(fd.get(), text) || ::fsync(fd.get()) != 0) return system_error("write '" + next + "'", errno);
  }
  if (::rename(next.c_str(), file(mark_name).c_str()) != 0) return system_error("rename '" + next + "'", errno);
  return sync();
}

Result<std::string> StateDir::set_aside(std::string_view label, std::int64_t wall_ns) const {
  const std::string stem = std::string(database_name) + "." + std::string(label) + "-" + utc_stamp(wall_ns);
  std::string name = stem;
  for (int n = 2; file_state(file(name)) || file_state(file(name) + "-wal"); ++n) name = stem + "." + std::to_string(n);
  const std::string from = file(database_name), to = file(name);
  for (const char* part : {"-wal", "-shm", ""}) {  // the database last: a crash in between keeps it found
    if (::rename((from + part).c_str(), (to + part).c_str()) != 0 && errno != ENOENT)
      return system_error("set aside '" + from + part + "'", errno);
  }
  RONDA_TRY(std::ignore, sync());
  return name;
}

std::optional<FileState> file_state(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return std::nullopt;
  return FileState{{info.st_dev, info.st_ino}, info.st_size, std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

std::string utc_stamp(std::int64_t wall_ns) {
  const std::time_t seconds = wall_ns / 1'000'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return text.data();
}

std::string make_uuid(std::int64_t wall_ns) {
  std::array<unsigned char, 16> bytes{};
  const std::array<std::uint64_t, 2> bits = {random_bits(), random_bits()};
  std::memcpy(bytes.data(), bits.data(), sizeof bits);
  const auto ms = static_cast<std::uint64_t>(wall_ns / 1'000'000);
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<unsigned char>(ms >> (40 - 8 * i));
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0Fu) | 0x70u);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3Fu) | 0x80u);
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += "0123456789abcdef"[bytes[i] >> 4];
    text += "0123456789abcdef"[bytes[i] & 0xFu];
  }
  return text;
}

Status sync_path(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return system_error("open '" + path + "'", errno);
  if (::fsync(fd.get()) != 0) return system_error("fsync '" + path + "'", errno);
  return done();
}

}  // namespace ronda::store
