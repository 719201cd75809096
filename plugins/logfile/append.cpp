// SPDX-License-Identifier: Apache-2.0
#include "append.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <ronda/text.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <utility>

namespace logfile {
namespace {

constexpr std::size_t max_searched_bytes = 1 << 20;
constexpr int most_looks = 3;
constexpr mode_t log_mode = 0640;

std::string octal(mode_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
  return text;
}

const char* kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "a directory";
    case S_IFIFO:
      return "a FIFO";
    case S_IFCHR:
      return "a device";
    case S_IFBLK:
      return "a device";
    case S_IFSOCK:
      return "a socket";
    case S_IFLNK:
      return "a symbolic link";
    default:
      return "no regular file";
  }
}

std::string who() {
  return ronda::text("uid ", ::geteuid(), " of the runner");
}

/// What to do about a system call on `path` that was refused.
Failure refusal(const std::string& doing, const std::string& path, int error) {
  std::string text = doing + " " + path + ": " + std::strerror(error);
  switch (error) {
    case EACCES:
      text += "; let " + who() + " read and write the file and pass its directories, or give the notifier a `user` who may";
      break;
    case EPERM:
      text += "; has somebody made it immutable (lsattr)?";
      break;
    case ENOENT:
      text += "; create the directory";
      break;
    case ENOSPC:
    case EDQUOT:
      text += "; make room on its file system";
      break;
    default:
      break;
  }
  return {may_pass(error), std::move(text)};
}

Failure link_or_kind(const std::string& path, mode_t mode, const char* wanted) {
  if (S_ISLNK(mode)) return {false, path + " is a symbolic link, and links are not followed: give the path that it leads to"};
  return {false, path + " is " + kind_of(mode) + ", not " + wanted + ": give another path"};
}

/// Whether somebody besides root and this user can put other files into a directory. A sticky one keeps what is in it from
/// others, which does for the way, not for the last: there the file itself may be somebody else's.
std::optional<Failure> distrust(const std::string& path, const struct stat& facts, bool is_last) {
  const bool shared = (facts.st_mode & S_ISVTX) != 0 && !is_last;
  std::string why;
  if (facts.st_uid != 0 && facts.st_uid != ::geteuid())
    why = ronda::text("belongs to uid ", facts.st_uid);
  else if ((facts.st_mode & S_IWOTH) != 0 && !shared)
    why = "may be written to by everybody (mode " + octal(facts.st_mode) + ")";
  else if ((facts.st_mode & S_IWGRP) != 0 && facts.st_gid != 0 && facts.st_gid != ::getegid() && !shared)
    why = ronda::text("may be written to by group ", facts.st_gid, " (mode ", octal(facts.st_mode), ")");
  if (why.empty()) return std::nullopt;
  return Failure{false, path + " " + why +
                            ": others could put something else where the log is; keep the log in a directory that only root or " + who() +
                            " may write to"};
}

/// One notifier at a time: the size of a file can be seen in the middle of another's write. Whoever holds the lock for long
/// is none of ours and does not hold up a message.
class Turn {
 public:
  explicit Turn(int fd) : fd_(fd) {
    for (int i = 0; i < 200 && ::flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; ++i) ::poll(nullptr, 0, 5);
  }
  ~Turn() { ::flock(fd_, LOCK_UN); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  int fd_;
};

struct Walk {
  Descriptor directory;
  std::string name;  ///< of the file in it
};

/// From / down to the directory of the file, each looked at by its descriptor: what was looked at is what is used.
std::optional<Failure> walk(const std::string& path, Walk& out) {
  out.directory = Descriptor(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::string passed;
  for (std::size_t at = 1;;) {
    const auto slash = path.find('/', at);
    struct stat facts {};
    const std::string shown = passed.empty() ? "/" : passed;
    if (::fstat(out.directory.get(), &facts) != 0) return refusal("look at", shown, errno);
    if (auto why = distrust(shown, facts, slash == std::string::npos)) return why;
    const auto name = path.substr(at, slash == std::string::npos ? slash : slash - at);
    if (slash == std::string::npos) {
      out.name = name;
      return std::nullopt;
    }
    at = slash + 1;
    if (name.empty() || name == ".") continue;
    passed += "/" + name;
    Descriptor next(::openat(out.directory.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return refusal("open", passed, errno);
    if (::fstat(next.get(), &facts) != 0) return refusal("look at", passed, errno);
    if (!S_ISDIR(facts.st_mode)) return link_or_kind(passed, facts.st_mode, "a directory");
    out.directory = std::move(next);
  }
}

}  // namespace

bool may_pass(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:  // full
    case EIO:
    case EROFS:
    case ESTALE:
    case ENXIO:
    case ETIMEDOUT:  // the disk or its server is ill
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EINTR:
    case EAGAIN:
    case EBUSY:
    case EEXIST:  // somebody makes and removes it all the time
      return true;
    default:
      return false;
  }
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

std::string Trace::text() const {
  return ronda::text(device, " ", inode, " ", offset, " ", length, " ", hash);
}

std::optional<Trace> Trace::parse(std::string_view text) {
  Trace out;
  for (auto* number : {&out.device, &out.inode, &out.offset, &out.length, &out.hash}) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    if (!text.empty()) text.remove_prefix(1);
  }
  return out;
}

std::uint64_t stable_hash(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

std::optional<Failure> LogFile::settle_new(int directory) {
  // the runner's umask is 077, and people in the file's group read logs
  if (::fchmod(file_.get(), log_mode) != 0) return refusal("set the mode of", path_, errno);
  const Descriptor entry(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (entry && ::fsync(entry.get()) != 0 && may_pass(errno)) return refusal("make durable", path_, errno);
  return std::nullopt;
}

std::optional<Failure> LogFile::open(const std::string& path) {
  path_ = path;
  Walk way;
  if (auto failure = walk(path, way)) return failure;
  struct stat facts {};
  // looked at before it is opened: opening a device can do something by itself
  for (int looks = 1; ::fstatat(way.directory.get(), way.name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0; ++looks) {
    if (errno != ENOENT) return refusal("look at", path, errno);
    constexpr int flags = O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    file_ = Descriptor(::openat(way.directory.get(), way.name.c_str(), flags, log_mode));
    if (file_) return settle_new(way.directory.get());
    if (errno != EEXIST || looks == most_looks) return refusal("create", path, errno);  // else another notifier was first
  }
  if (!S_ISREG(facts.st_mode)) return link_or_kind(path, facts.st_mode, "a regular file");
  file_ = Descriptor(::openat(way.directory.get(), way.name.c_str(), O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file_ && errno == ENOENT) return Failure{true, path + " was taken away while it was opened"};  // it is being rotated
  if (!file_) return refusal("open", path, errno);
  if (::fstat(file_.get(), &facts) != 0) return refusal("look at", path, errno);
  if (!S_ISREG(facts.st_mode)) return link_or_kind(path, facts.st_mode, "a regular file");
  return std::nullopt;
}

Trace LogFile::trace(std::string_view line) const {
  struct stat facts {};
  ::fstat(file_.get(), &facts);
  return {facts.st_dev, facts.st_ino, static_cast<std::uint64_t>(facts.st_size), line.size(), stable_hash(line)};
}

bool LogFile::holds(const Trace& trace) const {
  struct stat facts {};
  if (::fstat(file_.get(), &facts) != 0 || facts.st_dev != trace.device || facts.st_ino != trace.inode) return false;
  if (static_cast<std::uint64_t>(facts.st_size) <= trace.offset) return false;
  std::string bytes(std::min<std::size_t>(max_searched_bytes, static_cast<std::uint64_t>(facts.st_size) - trace.offset), '\0');
  const auto got = ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(trace.offset));
  std::string_view left(bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  for (auto end = left.find('\n'); end != left.npos; end = left.find('\n')) {
    if (end == trace.length && stable_hash(left.substr(0, end)) == trace.hash) return true;
    left.remove_prefix(end + 1);
  }
  return false;
}

std::optional<Failure> LogFile::append(std::string_view line) {
  const Turn turn(file_.get());
  struct stat facts {};
  char last = '\n';
  if (::fstat(file_.get(), &facts) != 0) return refusal("look at", path_, errno);
  if (facts.st_size > 0 && ::pread(file_.get(), &last, 1, facts.st_size - 1) < 0) return refusal("read", path_, errno);
  std::string bytes = last == '\n' ? std::string() : "\n";
  bytes.append(line).append("\n");
  return write_all(bytes);
}

std::optional<Failure> LogFile::write_all(std::string_view bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const auto n = ::write(file_.get(), bytes.data() + written, bytes.size() - written);
    if (n >= 0) {
      written += static_cast<std::size_t>(n);
      continue;
    }
    const int error = errno;
    if (error == EINTR) continue;
    // no half of a line stays, unless somebody else wrote behind it
    struct stat facts {};
    const auto end = ::lseek(file_.get(), 0, SEEK_CUR);
    if (written > 0 && ::fstat(file_.get(), &facts) == 0 && facts.st_size == end)
      static_cast<void>(::ftruncate(file_.get(), end - static_cast<off_t>(written)));
    return refusal("write", path_, error);
  }
  return std::nullopt;
}

std::optional<Failure> LogFile::make_durable() {
  while (::fdatasync(file_.get()) != 0)
    if (errno != EINTR) return refusal("make durable", path_, errno);
  return std::nullopt;
}

}  // namespace logfile
