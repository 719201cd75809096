// SPDX-License-Identifier: Apache-2.0
#include "base/code_pages.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

constexpr std::size_t page_bytes = 4096, table_pages = 256;
constexpr std::size_t pages_around_a_fault = 96;  // usually 16, more with large folios

/// Constants, more of them than one fault maps.
constexpr std::array<std::uint64_t, table_pages * page_bytes / sizeof(std::uint64_t)> read_table = {17};

std::uint64_t sum_of_table() {
  const volatile std::uint64_t* at = read_table.data();  // read each time, not known beforehand
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < read_table.size(); ++i) sum += at[i];
  return sum;
}

/// How many of its pages are mapped, of those that no fault beside it maps.
std::size_t mapped_pages_of_table() {
  const auto first = reinterpret_cast<std::uintptr_t>(read_table.data()) / page_bytes + pages_around_a_fault;
  std::array<std::uint64_t, table_pages - 2 * pages_around_a_fault> entries{};
  const int fd = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  REQUIRE(::pread(fd, entries.data(), sizeof entries, static_cast<off_t>(first * sizeof(std::uint64_t))) == sizeof entries);
  ::close(fd);
  constexpr std::uint64_t is_present = std::uint64_t{1} << 63;
  return static_cast<std::size_t>(
      std::count_if(entries.begin(), entries.end(), [](std::uint64_t entry) { return (entry & is_present) != 0; }));
}

struct Shape {
  virtual ~Shape() = default;
  virtual int sides() const = 0;
};
struct Square final : Shape {
  int sides() const override { return 4; }
};

int written = 1;

}  // namespace

TEST_CASE("code that was read before is unmapped, and comes back when it is used") {
  written = 17;
  const std::unique_ptr<Shape> shape = std::make_unique<Square>();
  const std::uint64_t sum = sum_of_table();
  REQUIRE(mapped_pages_of_table() == table_pages - 2 * pages_around_a_fault);
  ronda::release_code_pages();
  CHECK(mapped_pages_of_table() == 0);
  CHECK(sum_of_table() == sum);
  CHECK(written == 17);
  CHECK(shape->sides() == 4);
  CHECK_THROWS_AS(std::stol("no number"), std::invalid_argument);
}
