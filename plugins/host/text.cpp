// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

namespace host {
namespace {

template <class T>
std::optional<T> to_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Bytes of the valid character at the start of `text`, and its code point; 0 bytes when it is broken.
std::size_t decode(std::string_view text, char32_t& point) {
  const auto lead = static_cast<unsigned char>(text[0]);
  point = lead;
  if (lead < 0x80) return 1;
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return 0;
  point = lead & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0U) != 0x80U) return 0;
    point = (point << 6) | (next & 0x3FU);
  }
  const bool overlong = (bytes == 3 && point < 0x800) || (bytes == 4 && point < 0x10000);
  return overlong || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF) ? 0 : bytes;
}

bool is_unsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == 0x200E || c == 0x200F ||
         (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

void append_hex(std::string& out, std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += "\\x";
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Contents read_file(const std::string& path, std::size_t limit) {
  Contents contents;
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (file.get() < 0 || fstat(file.get(), &info) != 0) {
    contents.error = errno;
    return contents;
  }
  if (!S_ISREG(info.st_mode)) {
    contents.error = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    return contents;
  }
  std::array<char, 16384> buffer;
  while (true) {
    const ssize_t got = read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) contents.error = errno;
    if (got <= 0) return contents;
    const auto bytes = static_cast<std::size_t>(got);
    contents.text.append(buffer.data(), std::min(bytes, limit - contents.text.size()));
    if (contents.text.size() == limit) {
      contents.truncated = true;
      return contents;
    }
  }
}

bool next_line(std::string_view& text, std::string_view& line) {
  if (text.empty()) return false;
  const std::size_t end = text.find('\n');
  line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return true;
}

std::vector<std::string_view> fields(std::string_view line, std::size_t limit) {
  std::vector<std::string_view> out;
  line = trim(line);
  while (!line.empty()) {
    const std::size_t end = out.size() + 1 == limit ? std::string_view::npos : line.find_first_of(" \t");
    out.push_back(line.substr(0, end));
    if (end == std::string_view::npos) break;
    line = trim(line.substr(end));
  }
  return out;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::optional<std::uint64_t> to_u64(std::string_view text) {
  return to_number<std::uint64_t>(text);
}
std::optional<std::int64_t> to_i64(std::string_view text) {
  return to_number<std::int64_t>(text);
}
std::optional<double> to_f64(std::string_view text) {
  return to_number<double>(text);
}

std::string shown(std::string_view text, std::size_t limit) {
  std::string out;
  while (!text.empty()) {
    if (out.size() >= limit) return out + "...";
    char32_t point = 0;
    const std::size_t bytes = decode(text, point);
    const std::string_view piece = text.substr(0, bytes == 0 ? 1 : bytes);
    if (bytes == 0 || is_unsafe(point)) {
      append_hex(out, piece);
    } else {
      out += piece;
    }
    text.remove_prefix(piece.size());
  }
  return out;
}

std::string span_text(std::int64_t seconds) {
  struct Piece {
    std::int64_t length;
    char unit;
  };
  static constexpr std::array<Piece, 4> pieces = {{{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}}};
  std::string out = seconds < 0 ? "-" : "";
  std::uint64_t left =
      seconds < 0 ? 0 - static_cast<std::uint64_t>(seconds) : static_cast<std::uint64_t>(seconds);
  int written = 0;
  for (const Piece& piece : pieces) {
    const std::uint64_t count = left / static_cast<std::uint64_t>(piece.length);
    if (written > 0) ++written;
    if (count == 0 || written > 2) continue;
    out += std::to_string(count) + piece.unit;
    left -= count * static_cast<std::uint64_t>(piece.length);
    if (written == 0) written = 1;
  }
  return written == 0 ? "0s" : out;
}

}  // namespace host
