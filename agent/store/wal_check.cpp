// SPDX-License-Identifier: Apache-2.0
#include "store/wal_check.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string_view>
#include <vector>

namespace ronda::store {
namespace {

// File format of SQLite, 4.1 and 4.2: a header of 32 bytes, then frames of 24 bytes and a page each. Numbers are
// big-endian; a checksum goes on from the one of the frame before.
constexpr std::size_t header_size = 32, frame_header_size = 24;
constexpr std::uint32_t magic = 0x377f0682, page_size_max = 65536;

std::uint32_t big_endian(const unsigned char* at) {
  return (std::uint32_t{at[0]} << 24) | (std::uint32_t{at[1]} << 16) | (std::uint32_t{at[2]} << 8) | at[3];
}
std::uint32_t little_endian(const unsigned char* at) {
  return (std::uint32_t{at[3]} << 24) | (std::uint32_t{at[2]} << 16) | (std::uint32_t{at[1]} << 8) | at[0];
}

struct Checksum {
  bool words_big_endian = false;
  std::uint32_t first = 0, second = 0;

  void add(const unsigned char* bytes, std::size_t size) {
    const auto word = words_big_endian ? big_endian : little_endian;
    for (std::size_t at = 0; at + 8 <= size; at += 8) {
      first += word(bytes + at) + second;
      second += word(bytes + at + 4) + first;
    }
  }
  bool is(const unsigned char* stored) const { return big_endian(stored) == first && big_endian(stored + 4) == second; }
};

bool read(std::ifstream& in, std::vector<unsigned char>& to) {
  return static_cast<bool>(in.read(reinterpret_cast<char*>(to.data()), static_cast<std::streamsize>(to.size())));
}

}  // namespace

std::optional<std::string> find_wal_damage(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<unsigned char> header(header_size);
  if (!in || !read(in, header) || in.peek() == std::ifstream::traits_type::eof()) return std::nullopt;
  Checksum sum{(header[3] & 1) != 0};
  sum.add(header.data(), 24);
  const std::uint32_t page_size = big_endian(&header[8]);
  const bool known = (big_endian(header.data()) & ~1U) == magic && page_size >= 512 && page_size <= page_size_max;
  // Zeros: it was made and never used. The header is synced before the first frame.
  if (big_endian(header.data()) == 0) return std::nullopt;
  if (!known || !sum.is(&header[24]))
    return "the header of '" + path + "' is damaged: what was not in the database yet is lost";

  std::vector<unsigned char> frame(frame_header_size + page_size);
  int number = 0, first_bad = 0, commits_after = 0;
  while (read(in, frame)) {
    ++number;
    // Frames of an earlier round have other salts. A transaction that was rolled back leaves some of this round, but
    // none that ends a commit.
    const bool of_this_round = std::string_view(reinterpret_cast<const char*>(&frame[8]), 8) ==
                               std::string_view(reinterpret_cast<const char*>(&header[16]), 8);
    if (first_bad == 0) {
      sum.add(frame.data(), 8);
      sum.add(&frame[frame_header_size], page_size);
      if (!of_this_round || !sum.is(&frame[16])) first_bad = number;
    }
    if (first_bad != 0 && of_this_round && big_endian(&frame[4]) != 0) ++commits_after;
  }
  if (commits_after < 2) return std::nullopt;
  return "frame " + std::to_string(first_bad) + " of '" + path + "' is damaged: " + std::to_string(commits_after) +
         " commits from there on are lost";
}

}  // namespace ronda::store
