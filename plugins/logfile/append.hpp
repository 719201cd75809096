// SPDX-License-Identifier: Apache-2.0
// Adds lines to a log that must not be a trap: a regular file, reached over directories that only root and this user can
// change, no link followed on the way. A line is on the disk before append() says so.
// One thread; the file is opened for one message, so rotation needs no word to anybody.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace logfile {

/// Why a line could not be added, with a remedy. `may_pass`: another attempt may succeed without anybody's doing, or after
/// something is done that has nothing to do with this file (a full disk).
struct Failure {
  bool may_pass = false;
  std::string text;
};

/// Closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

/// Where a line was about to be written, and what it was: enough to find it again.
struct Trace {
  std::uint64_t device = 0, inode = 0, offset = 0, length = 0, hash = 0;
  std::string text() const;
  static std::optional<Trace> parse(std::string_view text);
};

/// FNV-1a of 64 bits: the same in every build and for ever, as what is kept needs it.
std::uint64_t stable_hash(std::string_view bytes);

class LogFile {
 public:
  /// Opens it; makes it, mode 0640, where it is not there.
  std::optional<Failure> open(const std::string& path);
  /// Of the line that would come next.
  Trace trace(std::string_view line) const;
  /// Whether the line of `trace` is there: in this very file, at or after the place.
  bool holds(const Trace& trace) const;
  /// `line` is without its end. Where the last line of the file has no end (a crash, a full disk), it gets one first.
  std::optional<Failure> append(std::string_view line);
  /// What was written is on the disk.
  std::optional<Failure> make_durable();

 private:
  std::optional<Failure> settle_new(int directory);
  std::optional<Failure> write_all(std::string_view bytes);

  std::string path_;
  Descriptor file_;
};

/// Whether a system call that failed so may succeed another time.
bool may_pass(int error);

}  // namespace logfile
