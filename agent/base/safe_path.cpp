// SPDX-License-Identifier: Apache-2.0
#include "base/safe_path.hpp"

#include <fcntl.h>
#include <sys/types.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <deque>
#include <vector>

#include "base/text.hpp"
#include "base/units.hpp"

namespace ronda {
namespace {

constexpr int max_symlinks = 40;

bool is_ours(uid_t owner, uid_t uid) {
  return owner == 0 || owner == uid;
}

std::string octal(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777));
  return text.data();
}

Error refused(std::string_view shown, const std::string& why) {
  return Error(Errc::denied, escape_controls(shown) + " " + why);
}

std::string kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "a regular file";
    case S_IFDIR:
      return "a directory";
    case S_IFLNK:
      return "a symbolic link";
    case S_IFIFO:
      return "a FIFO";
    case S_IFSOCK:
      return "a socket";
    case S_IFCHR:
    case S_IFBLK:
      return "a device";
    default:
      return "not a file";
  }
}

void push_front(std::deque<std::string>& todo, std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  todo.insert(todo.begin(), parts.begin(), parts.end());
}

/// One walk from / to a directory; the current directory is always open and already judged.
class Walk {
 public:
  Walk(const std::string& path, uid_t uid) : path_(path), uid_(uid) {}

  /// Of a sticky directory that anyone can write, single entries may be trusted, the directory as a set may
  /// not.
  Result<Descriptor> run(bool sticky_end_allowed) {
    RONDA_TRY([[maybe_unused]] Unit started, start());
    while (!todo_.empty()) {
      const std::string name = todo_.front();
      todo_.pop_front();
      RONDA_TRY([[maybe_unused]] Unit stepped, step(name));
    }
    if (sticky_ && !sticky_end_allowed) return refused(where_, distrust(facts_, uid_));
    return reopen();
  }

 private:
  Status start() {
    std::string full = path_;
    if (!full.starts_with('/')) {
      std::array<char, PATH_MAX> buffer{};
      if (::getcwd(buffer.data(), buffer.size()) == nullptr) return system_error("reading the working directory", errno);
      full = std::string(buffer.data()) + "/" + full;
    }
    push_front(todo_, full);
    return to_root();
  }

  Status to_root() {
    where_ = "/";
    return enter(Descriptor(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)));
  }

  Status enter(Descriptor next) {
    if (!next || ::fstat(next.get(), &facts_) != 0) return system_error("opening " + where_, errno);
    current_ = std::move(next);
    if (!is_ours(facts_.st_uid, uid_)) return refused(where_, distrust(facts_, uid_));
    sticky_ = (facts_.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    if (sticky_ && (facts_.st_mode & S_ISVTX) == 0) return refused(where_, distrust(facts_, uid_));
    return done();
  }

  Status step(const std::string& name) {
    const std::string shown = where_ == "/" ? "/" + name : where_ + "/" + name;
    Descriptor next(::openat(current_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat facts {};
    if (!next || ::fstat(next.get(), &facts) != 0) return system_error("opening " + shown, errno);
    if (name != ".." && sticky_ && !is_ours(facts.st_uid, uid_)) return refused(shown, distrust(facts, uid_));
    if (S_ISLNK(facts.st_mode)) return follow(next.get(), shown);
    if (!S_ISDIR(facts.st_mode)) return refused(shown, "is " + kind_of(facts.st_mode) + ", not a directory");
    where_ = shown;
    return enter(std::move(next));
  }

  Status follow(int link, const std::string& shown) {
    if (++symlinks_ > max_symlinks) return system_error("opening " + path_, ELOOP);
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlinkat(link, "", target.data(), target.size());
    if (size <= 0 || static_cast<std::size_t>(size) >= target.size()) return system_error("reading the link " + shown, errno);
    const std::string_view text(target.data(), static_cast<std::size_t>(size));
    push_front(todo_, text);
    return text.starts_with('/') ? to_root() : done();
  }

  Result<Descriptor> reopen() {
    Descriptor readable(::openat(current_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!readable) return system_error("opening " + path_, errno);
    return readable;
  }

  const std::string& path_;
  uid_t uid_;
  std::deque<std::string> todo_;
  Descriptor current_;
  std::string where_;
  struct stat facts_ {};
  bool sticky_ = false;
  int symlinks_ = 0;
};

bool same_content(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec && a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

Error too_large(std::string_view shown, std::uint64_t max_bytes) {
  return Error(Errc::range, escape_controls(shown) + " is larger than " + format_size(static_cast<std::int64_t>(max_bytes)));
}

}  // namespace

std::string distrust(const struct stat& facts, uid_t uid) {
  if (!is_ours(facts.st_uid, uid)) {
    std::string why = "is owned by uid " + std::to_string(facts.st_uid) + ", not by root";
    if (uid != 0) why += " or uid " + std::to_string(uid);
    return why + "; correct it with chown";
  }
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return "has mode " + octal(facts.st_mode) + ": others than its owner can change it; correct it with chmod go-w";
  }
  return {};
}

Result<Descriptor> open_trusted_directory(const std::string& path, uid_t uid) {
  return Walk(path, uid).run(false);
}

Result<Descriptor> open_or_make_trusted_directory(const std::string& path, uid_t uid, bool& made) {
  made = false;
  const std::string whole = path.substr(0, path.find_last_not_of('/') + 1);
  const std::size_t slash = whole.rfind('/');
  const std::string name = slash == std::string::npos ? whole : whole.substr(slash + 1);
  struct stat facts {};
  if (name.empty() || ::lstat(whole.c_str(), &facts) == 0 || errno != ENOENT) return open_trusted_directory(path, uid);
  RONDA_TRY(const Descriptor parent, Walk(slash == std::string::npos ? "." : whole.substr(0, slash + 1), uid).run(true));
  if (::mkdirat(parent.get(), name.c_str(), 0700) == 0)
    made = true;
  else if (errno != EEXIST)
    return system_error("create " + escape_controls(path), errno);
  return open_trusted_directory(path, uid);
}

Result<Descriptor> open_trusted_entry(int directory, const std::string& name, std::string_view shown, uid_t uid, std::uint64_t max_bytes) {
  // a look by O_PATH first: opening a device can already do something
  const Descriptor look(::openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat before {};
  if (!look || ::fstat(look.get(), &before) != 0) return system_error("opening " + escape_controls(shown), errno);
  if (!S_ISREG(before.st_mode)) return refused(shown, "is " + kind_of(before.st_mode) + ", not a regular file");
  const std::string why = distrust(before, uid);
  if (!why.empty()) return refused(shown, why);
  if (static_cast<std::uint64_t>(before.st_size) > max_bytes) return too_large(shown, max_bytes);
  Descriptor file(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat after {};
  if (!file || ::fstat(file.get(), &after) != 0) return system_error("opening " + escape_controls(shown), errno);
  if (after.st_dev != before.st_dev || after.st_ino != before.st_ino) {
    return Error(Errc::unavailable, escape_controls(shown) + " was replaced while it was opened");
  }
  return file;
}

Result<Descriptor> open_trusted_file(const std::string& path, uid_t uid, std::uint64_t max_bytes) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos || !path.starts_with('/')) {
    return Error(Errc::invalid, escape_controls(path) + " is not an absolute path");
  }
  RONDA_TRY(const Descriptor directory, Walk(path.substr(0, slash + 1), uid).run(true));
  return open_trusted_entry(directory.get(), path.substr(slash + 1), path, uid, max_bytes);
}

Result<std::string> read_stable(int file, std::string_view shown, std::uint64_t max_bytes) {
  struct stat before {};
  if (::fstat(file, &before) != 0) return system_error("reading " + escape_controls(shown), errno);
  std::string text;
  text.reserve(static_cast<std::size_t>(before.st_size) + 1);
  std::array<char, 65536> buffer;  // left uninitialised: filled by read
  for (off_t offset = 0;;) {
    const ssize_t size = ::pread(file, buffer.data(), buffer.size(), offset);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error("reading " + escape_controls(shown), errno);
    if (size == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(size));
    offset += size;
    if (text.size() > max_bytes) return too_large(shown, max_bytes);
  }
  struct stat after {};
  if (::fstat(file, &after) != 0) return system_error("reading " + escape_controls(shown), errno);
  if (!same_content(before, after) || text.size() != static_cast<std::uint64_t>(after.st_size)) {
    return Error(Errc::unavailable, escape_controls(shown) + " changed while it was read");
  }
  return text;
}

}  // namespace ronda
