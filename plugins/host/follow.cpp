// SPDX-License-Identifier: Apache-2.0
#include "follow.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "text.hpp"

namespace host {
namespace {

constexpr std::size_t print_limit = 256;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

/// An open regular file with its inode and size; error is errno when it is not usable.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
    struct stat info {};
    if (fd_ < 0 || fstat(fd_, &info) != 0) {
      error_ = errno;
    } else if (!S_ISREG(info.st_mode)) {
      error_ = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    }
    inode_ = info.st_ino;
    changed_ns_ = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
    size_ = static_cast<std::uint64_t>(info.st_size);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }

  int error() const { return error_; }
  std::uint64_t inode() const { return inode_; }
  std::uint64_t size() const { return size_; }
  std::int64_t changed_ns() const { return changed_ns_; }

  std::size_t read_at(std::uint64_t offset, char* to, std::size_t bytes) const {
    while (true) {
      const ssize_t got = pread(fd_, to, bytes, static_cast<off_t>(offset));
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return 0;
    }
  }

 private:
  int fd_;
  int error_ = 0;
  std::uint64_t inode_ = 0;
  std::uint64_t size_ = 0;
  std::int64_t changed_ns_ = 0;
};

/// FNV-1a of the first bytes: it tells files apart, it does not prove anything.
std::uint64_t fingerprint(const OpenFile& file, std::uint64_t bytes) {
  std::array<char, print_limit> first;
  const std::size_t got =
      file.read_at(0, first.data(), static_cast<std::size_t>(std::min(bytes, std::uint64_t{print_limit})));
  std::uint64_t hash = 14695981039346656037ULL;
  for (std::size_t i = 0; i < got; ++i)
    hash = (hash ^ static_cast<unsigned char>(first[i])) * 1099511628211ULL;
  return got == bytes ? hash : ~hash;
}

void remember_print(const OpenFile& file, Position& position) {
  position.print_bytes = std::min({file.size(), std::uint64_t{print_limit}});
  position.print = fingerprint(file, position.print_bytes);
}

bool same_start(const OpenFile& file, const Position& position) {
  return file.size() >= position.offset && fingerprint(file, position.print_bytes) == position.print;
}

class Follower {
 public:
  Follower(const FollowLimits& limits, const OnLine& on_line, const std::function<bool()>& stop)
      : limits_(limits), stop_(stop), left_(limits.bytes) {
    on_line_ = [this, &on_line](std::string_view line) {
      ++followed.lines;
      on_line(line);
    };
  }

  /// From the position to the end, or as far as is allowed.
  void read_on(const OpenFile& file, Position& position, bool ended) {
    LineCutter cutter(limits_.line, position.skipping);
    std::uint64_t at = position.offset;
    std::array<char, 16384> chunk;
    while (left_ > 0 && !stop_()) {
      const std::size_t got = file.read_at(
          at, chunk.data(), static_cast<std::size_t>(std::min<std::uint64_t>(left_, chunk.size())));
      if (got == 0) break;
      cutter.feed({chunk.data(), got}, on_line_);
      at += got;
      left_ -= got;
    }
    if (ended && at >= file.size()) cutter.finish(on_line_);
    position.offset += cutter.taken();
    position.skipping = cutter.skipping();
    followed.backlog = file.size() > at ? file.size() - at : 0;
  }

  Followed followed;

 private:
  const FollowLimits& limits_;
  OnLine on_line_;
  const std::function<bool()>& stop_;
  std::uint64_t left_;
};

/// What stands in the folder of `path` under a name that begins with that of `path` and is longer.
std::vector<std::string> longer_names(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = path.substr(0, slash + 1);
  const std::string_view base = std::string_view(path).substr(slash + 1);
  std::vector<std::string> out;
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(folder.empty() ? "." : folder.c_str()));
  while (const dirent* entry = directory ? readdir(directory.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (name.size() > base.size() && name.substr(0, base.size()) == base) out.push_back(folder + entry->d_name);
  }
  return out;
}

/// The file that `path` was when the position was taken.
std::string find_rotated(const std::string& path, const Position& position) {
  for (const std::string& name : longer_names(path)) {
    const OpenFile candidate(name);
    if (candidate.error() == 0 && candidate.inode() == position.inode && same_start(candidate, position)) return name;
  }
  return {};
}

/// "app.log.2", "app.log-20261124": other files beside a log, like "app.log.offset", are none of its past.
bool is_numbered(std::string_view suffix) {
  return suffix.find_first_not_of(".-_0123456789") == std::string_view::npos &&
         suffix.find_first_of("0123456789") != std::string_view::npos;
}

/// The start of the file that was written next after one that was changed last at `after_ns`, among those that were
/// rotated away since; nothing when there is none.
std::optional<Position> next_rotated(const std::string& path, std::int64_t after_ns) {
  std::optional<Position> next;
  std::int64_t next_ns = 0;
  for (const std::string& name : longer_names(path)) {
    const OpenFile candidate(name);
    if (candidate.error() != 0 || candidate.changed_ns() <= after_ns || !is_numbered(std::string_view(name).substr(path.size()))) continue;
    if (next && candidate.changed_ns() >= next_ns) continue;
    next_ns = candidate.changed_ns();
    next.emplace();
    next->inode = candidate.inode();
    remember_print(candidate, *next);
  }
  return next;
}

/// The rest of the file that was rotated away, and those that were rotated away after it; false when more of them is
/// left than may be read now.
bool finish_rotated(const std::string& path, Position& position, Follower& follower) {
  while (true) {
    const std::string old = find_rotated(path, position);
    if (old.empty()) {
      follower.followed.lost = true;
      return true;
    }
    const OpenFile file(old);
    follower.read_on(file, position, true);
    if (follower.followed.backlog > 0) return false;
    const auto next = next_rotated(path, file.changed_ns());
    if (!next) return true;
    position = *next;
  }
}

Position at_end(const OpenFile& file) {
  Position position;
  position.inode = file.inode();
  position.offset = file.size();
  char last = '\n';
  if (file.size() > 0) file.read_at(file.size() - 1, &last, 1);
  position.skipping = last != '\n';
  remember_print(file, position);
  return position;
}

void follow_missing(const std::string& path, std::optional<Position>& position, Follower& follower) {
  if (follower.followed.error != ENOENT) return;
  if (!position) {
    follower.followed.first = true;
  } else if (position->inode != 0 && !finish_rotated(path, *position, follower)) {
    return;
  }
  position = Position{};
}

}  // namespace

std::string format(const Position& position) {
  return std::to_string(position.inode) + " " + std::to_string(position.offset) + " " +
         std::to_string(position.print_bytes) + " " + std::to_string(position.print) + " " +
         (position.skipping ? "1" : "0");
}

std::optional<Position> parse_position(std::string_view text) {
  const auto all = fields(text);
  std::array<std::uint64_t, 5> numbers{};
  if (all.size() != numbers.size()) return std::nullopt;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto number = to_u64(all[i]);
    if (!number) return std::nullopt;
    numbers[i] = *number;
  }
  return Position{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4] != 0};
}

Followed follow(const std::string& path, std::optional<Position>& position, const FollowLimits& limits,
                const OnLine& on_line, const std::function<bool()>& stop) {
  Follower follower(limits, on_line, stop);
  const OpenFile file(path);
  follower.followed.error = file.error();
  if (file.error() != 0) {
    follow_missing(path, position, follower);
    return follower.followed;
  }
  if (!position) {
    position = at_end(file);
    follower.followed.first = true;
    return follower.followed;
  }
  if (position->inode != file.inode() || !same_start(file, *position)) {
    follower.followed.truncated = position->inode == file.inode();
    follower.followed.rotated = position->inode != 0 && !follower.followed.truncated;
    if (follower.followed.rotated && !finish_rotated(path, *position, follower)) return follower.followed;
    position = Position{};
    position->inode = file.inode();
  }
  follower.read_on(file, *position, false);
  remember_print(file, *position);
  return follower.followed;
}

}  // namespace host
