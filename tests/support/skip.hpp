// SPDX-License-Identifier: Apache-2.0
// A test, or a part of one, that this machine or user cannot run says so by name: tests/run.sh compares with tests/skips.
#pragma once

#include <iostream>
#include <string_view>

namespace ronda::test {

/// One line on standard output, which ctest keeps. `name` is the first word of a line of tests/skips.
inline void skipped(std::string_view name, std::string_view why) {
  std::cout << "SKIPPED(" << name << "): " << why << std::endl;
}

}  // namespace ronda::test
