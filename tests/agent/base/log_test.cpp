// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <sstream>

#include "base/descriptor.hpp"
#include "catch.hpp"
#include "scratch.hpp"

using namespace ronda;
using namespace ronda::test;

TEST_CASE("one call is one line, whatever its text holds", "[base]") {
  const Scratch scratch;
  const std::string path = scratch.write("log", "");
  {
    const Descriptor before(::dup(STDERR_FILENO));
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    ::dup2(file.get(), STDERR_FILENO);
    start_log(LogLevel::info);
    log(LogLevel::debug, "below the level");
    log(LogLevel::info, "a plugin says\n2026-01-01T00:00:00 error forged\r\x1b[2J \xe2\x80\xae \xff caf\xc3\xa9");
    log(LogLevel::info, "next {}");
    stop_log();
    ::dup2(before.get(), STDERR_FILENO);
  }
  std::ostringstream all;
  all << std::ifstream(path).rdbuf();
  std::istringstream lines(all.str());
  std::string first, second, third;
  std::getline(lines, first);
  std::getline(lines, second);
  INFO(all.str());
  CHECK(
      first.ends_with(" info a plugin says\\x0a2026-01-01T00:00:00 error forged\\x0d\\x1b[2J "
                      "\\xe2\\x80\\xae \\xff caf\xc3\xa9"));
  CHECK(second.ends_with(" info next {}"));
  CHECK_FALSE(std::getline(lines, third));
}
