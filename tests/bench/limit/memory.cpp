// SPDX-License-Identifier: Apache-2.0
// The bare configuration: reads the *.toml of DIR and keeps, for each [check.NAME], its name and a record of
// what a scheduler needs. Then it waits until its standard input closes, so that its memory can be looked at.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "measure.hpp"

namespace {

struct Check {
  std::int64_t due = 0, interval = 0, last = 0;
  std::uint32_t name = 0;  // where its name begins in `names`
  std::uint32_t state = 0, heap_place = 0, procedure = 0;
  std::int64_t since = 0;
};

struct Set {
  std::vector<Check> checks;
  std::string names;  // each ended by a NUL
};

void read_line(std::string_view line, Set& set) {
  constexpr std::string_view header = "[check.", every = "every = \"";
  if (line.starts_with(header)) {
    Check& check = set.checks.emplace_back();
    check.name = static_cast<std::uint32_t>(set.names.size());
    set.names.append(line.substr(header.size(), line.find(']') - header.size())).push_back('\0');
  } else if (line.starts_with(every) && !set.checks.empty()) {
    set.checks.back().interval = std::atoll(line.data() + every.size()) * 1'000'000'000;
  }
}

void read_file(const std::filesystem::path& path, Set& set) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    read_line(std::string_view(text).substr(at, end - at), set);
    at = end + 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: memory DIR\n"), 2;
  const bench::Meter meter;
  Set set;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    if (entry.path().extension() == ".toml") read_file(entry.path(), set);
  }
  meter.print(static_cast<std::int64_t>(set.checks.size()));
  std::fflush(stdout);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return 0;
}
