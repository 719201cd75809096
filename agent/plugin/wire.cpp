// SPDX-License-Identifier: Apache-2.0
#include "plugin/wire.hpp"

#include <bit>
#include <cstring>
#include <utility>

namespace ronda::wire {

void Writer::big_endian(std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) byte((value >> shift) & 0xFFU);
}

void Writer::integer(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= 0 && value < 128) return byte(static_cast<unsigned>(value));
  if (value < 0 && value >= -32) return byte(static_cast<unsigned>(bits & 0xFFU));
  if (value == static_cast<std::int32_t>(value)) {
    byte(0xd2);
    return big_endian(bits & 0xFFFFFFFFU, 4);
  }
  byte(0xd3);
  big_endian(bits, 8);
}

void Writer::real(double value) {
  byte(0xcb);
  big_endian(std::bit_cast<std::uint64_t>(value), 8);
}

void Writer::sized(std::string_view value, unsigned tag8, unsigned tag16, unsigned tag32) {
  const std::size_t size = value.size();
  if (size < 0x100) {
    byte(tag8);
    big_endian(size, 1);
  } else if (size < 0x10000) {
    byte(tag16);
    big_endian(size, 2);
  } else {
    byte(tag32);
    big_endian(size, 4);
  }
}

void Writer::text(std::string_view value) {
  if (value.size() < 32) {
    byte(0xa0U | static_cast<unsigned>(value.size()));
  } else {
    sized(value, 0xd9, 0xda, 0xdb);
  }
  out_.append(value);
}

void Writer::bytes(std::string_view value) {
  sized(value, 0xc4, 0xc5, 0xc6);
  out_.append(value);
}

void Writer::secret(std::string_view value) {
  sized(value, 0xc7, 0xc8, 0xc9);
  byte(1);
  out_.append(value);
}

void Writer::array(std::size_t count) {
  if (count < 16) return byte(0x90U | static_cast<unsigned>(count));
  byte(count < 0x10000 ? 0xdc : 0xdd);
  big_endian(count, count < 0x10000 ? 2 : 4);
}

void Writer::map(std::size_t count) {
  if (count < 16) return byte(0x80U | static_cast<unsigned>(count));
  byte(count < 0x10000 ? 0xde : 0xdf);
  big_endian(count, count < 0x10000 ? 2 : 4);
}

Type Reader::peek() const {
  if (at_end()) return Type::invalid;
  const auto t = static_cast<unsigned char>(in_[0]);
  if (t < 0x80 || t >= 0xe0) return Type::integer;
  if (t < 0x90) return Type::map;
  if (t < 0xa0) return Type::array;
  if (t < 0xc0) return Type::text;
  switch (t) {
    case 0xc0: return Type::nil;
    case 0xc2: case 0xc3: return Type::boolean;
    case 0xc4: case 0xc5: case 0xc6: return Type::bytes;
    case 0xc7: case 0xc8: case 0xc9: return Type::secret;
    case 0xcb: return Type::real;
    case 0xd2: case 0xd3: return Type::integer;
    case 0xd9: case 0xda: case 0xdb: return Type::text;
    case 0xdc: case 0xdd: return Type::array;
    case 0xde: case 0xdf: return Type::map;
    default: return Type::invalid;
  }
}

std::string_view Reader::take(std::uint64_t count) {
  if (failed_ || count > in_.size()) {
    failed_ = true;
    return {};
  }
  const std::string_view out = in_.substr(0, static_cast<std::size_t>(count));
  in_.remove_prefix(out.size());
  return out;
}

unsigned Reader::tag() {
  const std::string_view one = take(1);
  return one.empty() ? 0xc1U : static_cast<unsigned char>(one[0]);
}

std::uint64_t Reader::big_endian(int bytes) {
  std::uint64_t value = 0;
  for (const char c : take(static_cast<std::uint64_t>(bytes))) value = (value << 8) | static_cast<unsigned char>(c);
  return value;
}

bool Reader::nil() {
  if (peek() != Type::nil) return false;
  tag();
  return true;
}

bool Reader::boolean() {
  const unsigned t = tag();
  if (t != 0xc2 && t != 0xc3) failed_ = true;
  return t == 0xc3;
}

std::int64_t Reader::integer() {
  const unsigned t = tag();
  if (t < 0x80) return static_cast<std::int64_t>(t);
  if (t >= 0xe0) return static_cast<std::int64_t>(t) - 0x100;
  if (t == 0xd2) return static_cast<std::int32_t>(big_endian(4));
  if (t == 0xd3) return static_cast<std::int64_t>(big_endian(8));
  failed_ = true;
  return 0;
}

double Reader::real() {
  if (peek() == Type::integer) return static_cast<double>(integer());
  if (tag() == 0xcb) return std::bit_cast<double>(big_endian(8));
  failed_ = true;
  return 0;
}

std::string_view Reader::sized(unsigned tag8, unsigned tag16, unsigned tag32) {
  const unsigned t = tag();
  std::uint64_t size = 0;
  if (t == tag8) size = big_endian(1);
  else if (t == tag16) size = big_endian(2);
  else if (t == tag32) size = big_endian(4);
  else failed_ = true;
  if (tag8 == 0xc7 && tag() != 1) failed_ = true;
  return take(size);
}

std::string_view Reader::text() {
  if (!at_end()) {
    const auto t = static_cast<unsigned char>(in_[0]);
    if (t >= 0xa0 && t < 0xc0) {
      tag();
      return take(t & 31U);
    }
  }
  return sized(0xd9, 0xda, 0xdb);
}

std::string_view Reader::bytes() { return sized(0xc4, 0xc5, 0xc6); }
std::string_view Reader::secret() { return sized(0xc7, 0xc8, 0xc9); }

std::size_t Reader::counted(unsigned fix, unsigned tag16, unsigned tag32, std::size_t bytes_each) {
  const unsigned t = tag();
  std::uint64_t count = 0;
  if ((t & 0xf0U) == fix) count = t & 15U;
  else if (t == tag16) count = big_endian(2);
  else if (t == tag32) count = big_endian(4);
  else failed_ = true;
  if (failed_ || count * bytes_each > in_.size()) {
    failed_ = true;
    return 0;
  }
  return static_cast<std::size_t>(count);
}

std::size_t Reader::array() { return counted(0x90, 0xdc, 0xdd, 1); }
std::size_t Reader::map() { return counted(0x80, 0xde, 0xdf, 2); }

void Reader::skip(int depth) {
  if (depth >= max_depth) failed_ = true;
  switch (failed_ ? Type::invalid : peek()) {
    case Type::nil: tag(); return;
    case Type::boolean: boolean(); return;
    case Type::integer: integer(); return;
    case Type::real: real(); return;
    case Type::text: text(); return;
    case Type::bytes: bytes(); return;
    case Type::secret: secret(); return;
    case Type::array:
      for (std::size_t n = array(); n > 0 && ok(); --n) skip(depth + 1);
      return;
    case Type::map:
      for (std::size_t n = map() * 2; n > 0 && ok(); --n) skip(depth + 1);
      return;
    case Type::invalid: failed_ = true; return;
  }
}

std::string_view Reader::raw() {
  const std::string_view before = in_;
  skip();
  return failed_ ? std::string_view() : before.substr(0, before.size() - in_.size());
}

void FrameWriter::start() {
  frame_ = out_.size();
  out_.append(4, '\0');
  open_ = true;
}

void FrameWriter::close() {
  const auto size = static_cast<std::uint32_t>(out_.size() - frame_ - 4);
  std::memcpy(out_.data() + frame_, &size, 4);
  open_ = false;
}

/// The message from `body` on does not fit the open frame: it moves to one of its own. A message that is too
/// large by itself is dropped; senders keep each message below the limit, so that this is our own mistake.
void FrameWriter::split(std::size_t before, std::size_t body) {
  const std::string moved = out_.substr(body);
  out_.resize(body);
  if (before == frame_) {
    out_.resize(before);
    open_ = false;
  } else {
    close();
  }
  if (moved.size() > max_frame) return;
  start();
  out_ += moved;
}

std::string FrameWriter::take() {
  if (open_) close();
  return std::exchange(out_, {});
}

FrameReader::Next FrameReader::next(std::string_view& body) {
  if (used_ > 0 && (used_ == buffer_.size() || used_ > (std::size_t{64} << 10))) {
    buffer_.erase(0, used_);
    used_ = 0;
  }
  if (buffer_.size() - used_ < 4) return Next::more;
  std::uint32_t size = 0;
  std::memcpy(&size, buffer_.data() + used_, 4);
  if (size == 0 || size > max_frame) return Next::broken;
  if (buffer_.size() - used_ - 4 < size) return Next::more;
  body = std::string_view(buffer_).substr(used_ + 4, size);
  used_ += 4 + size;
  return Next::frame;
}

}  // namespace ronda::wire
