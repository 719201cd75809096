// SPDX-License-Identifier: Apache-2.0
// The encoding between agent and runner: a subset of MessagePack, because bytes stay bytes and doubles stay
// doubles (JSON has no NaN and no raw bytes). Private and unversioned: agent and runner ship together.
// Readers never trust a length: every claim is checked against the bytes that are there, before anything is
// allocated. Errors are sticky, so that decoding code reads straight on and asks once at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ronda::wire {

inline constexpr std::size_t max_frame = std::size_t{1} << 20;  // bytes of a frame's body
inline constexpr int max_depth = 32;

enum class Type : std::uint8_t { nil, boolean, integer, real, text, bytes, secret, array, map, invalid };

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void nil() { byte(0xc0); }
  void boolean(bool value) { byte(value ? 0xc3 : 0xc2); }
  void integer(std::int64_t value);
  void real(double value);
  void text(std::string_view value);
  void bytes(std::string_view value);
  void secret(std::string_view value);  // a string that must not be shown: ext type 1
  void array(std::size_t count);
  void map(std::size_t count);

 private:
  void byte(unsigned value) { out_.push_back(static_cast<char>(value)); }
  void big_endian(std::uint64_t value, int bytes);
  void sized(std::string_view value, unsigned tag8, unsigned tag16, unsigned tag32);

  std::string& out_;
};

/// Views into the text it was given; what it returns lives as long as that.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}

  bool ok() const { return !failed_; }
  bool at_end() const { return failed_ || in_.empty(); }
  void fail() { failed_ = true; }

  Type peek() const;
  bool nil();  // true and taken if the next value is nil
  bool boolean();
  std::int64_t integer();
  double real();  // takes an integer too
  std::string_view text();
  std::string_view bytes();
  std::string_view secret();
  /// The number of elements that follow; never more than the bytes that are left.
  std::size_t array();
  std::size_t map();
  void skip() { skip(0); }
  /// What has not been read yet.
  std::string_view rest() const { return failed_ ? std::string_view() : in_; }
  /// The encoded bytes of the next value, which is skipped.
  std::string_view raw();

 private:
  unsigned tag();
  std::uint64_t big_endian(int bytes);
  std::string_view take(std::uint64_t count);
  std::string_view sized(unsigned tag8, unsigned tag16, unsigned tag32);
  std::size_t counted(unsigned fix, unsigned tag16, unsigned tag32, std::size_t bytes_each);
  void skip(int depth);

  std::string_view in_;
  bool failed_ = false;
};

/// Puts frames together: 4 bytes of length, little-endian, then messages one after another.
class FrameWriter {
 public:
  /// Calls `encode(Writer&)` for one message; starts a new frame when the open one would grow too large.
  template <class Encode>
  void message(Encode&& encode) {
    const std::size_t before = out_.size();
    if (!open_) start();
    const std::size_t body = out_.size();
    Writer writer(out_);
    encode(writer);
    if (out_.size() - frame_ - 4 > max_frame) split(before, body);
  }

  bool empty() const { return out_.empty(); }
  std::size_t size() const { return out_.size(); }
  /// Closes the open frame and gives the bytes away.
  std::string take();

 private:
  void start();
  void close();
  void split(std::size_t before, std::size_t body);

  std::string out_;
  std::size_t frame_ = 0;
  bool open_ = false;
};

/// Cuts a stream of bytes into frames.
class FrameReader {
 public:
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  enum class Next : std::uint8_t { frame, more, broken };
  /// On `frame`, body views into this object until the next call of feed or next.
  Next next(std::string_view& body);
  /// True while part of a frame is waiting for the rest.
  bool is_partial() const { return buffer_.size() > used_; }

 private:
  std::string buffer_;
  std::size_t used_ = 0;
};

}  // namespace ronda::wire
