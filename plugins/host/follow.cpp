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

/// The file that `path` was when the position was taken: under a name that begins with it, in the same
/// folder.
std::string find_rotated(const std::string& path, const Position& position) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = path.substr(0, slash + 1);
  const std::string_view base = std::string_view(path).substr(slash + 1);
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(folder.empty() ? "." : folder.c_str()));
  if (!directory) return {};
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (entry->d_ino != position.inode || name.size() <= base.size() || name.substr(0, base.size()) != base)
      continue;
    const OpenFile candidate(folder + entry->d_name);
    if (candidate.error() == 0 && same_start(candidate, position)) return folder + entry->d_name;
  }
  return {};
}

/// The rest of the file that was rotated away; false when more of it is left than may be read now.
bool finish_rotated(const std::string& path, Position& position, Follower& follower) {
  const std::string old = find_rotated(path, position);
  if (old.empty()) {
    follower.followed.lost = true;
    return true;
  }
  follower.read_on(OpenFile(old), position, true);
  return follower.followed.backlog == 0;
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
