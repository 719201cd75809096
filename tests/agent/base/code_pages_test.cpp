// SPDX-License-Identifier: Apache-2.0
#include "base/code_pages.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

namespace {

/// What the kernel says of this process's memory, read with next to no code of ours.
std::string memory_map() {
  std::string text(std::size_t{1} << 20, '\0');
  const int fd = ::open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
  std::size_t size = 0;
  for (ssize_t got = 1; got > 0 && size < text.size(); size += static_cast<std::size_t>(got)) {
    got = std::max<ssize_t>(::read(fd, text.data() + size, text.size() - size), 0);
  }
  ::close(fd);
  text.resize(size);
  return text;
}

/// KiB of this program's own executable pages that were mapped then.
long resident_code_kb(const std::string& map) {
  std::istringstream lines(map);
  bool counts = false;
  long sum = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first, second;
    words >> first >> second;
    if (first.find('-') != std::string::npos && first.back() != ':') counts = second == "r-xp" && line.ends_with("/test_base");
    if (counts && first == "Rss:") sum += std::stol(second);
  }
  return sum;
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
  const std::string before = memory_map();
  ronda::release_code_pages();
  const std::string after = memory_map();
  REQUIRE(resident_code_kb(before) > 256);
  CHECK(resident_code_kb(after) < resident_code_kb(before) / 2);
  CHECK(written == 17);
  CHECK(shape->sides() == 4);
  CHECK_THROWS_AS(std::stol("no number"), std::invalid_argument);
}
