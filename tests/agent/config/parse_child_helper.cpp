// SPDX-License-Identifier: Apache-2.0
// What parse_child_test.cpp starts as the parser: the real one, or one that misbehaves as its argument says.
#include <signal.h>
#include <unistd.h>

#include <string_view>

#include "config/parse_child.hpp"

int main(int argc, char** argv) {
  const std::string_view how = argc > 1 ? argv[1] : "";
  if (how == "crash") {
    ::signal(SIGSEGV, SIG_DFL);  // a sanitizer would exit
    ::raise(SIGSEGV);
  }
  if (how == "hang") ::pause();
  if (how == "exit") return 7;
  if (how == "garbage") return ::write(1, "garbage", 7) == 7 ? 0 : 1;
  if (how == "flood") {
    constexpr std::string_view page = "0123456789abcdef";
    for (int i = 0; i < 1'000'000; ++i) {
      if (::write(1, page.data(), page.size()) < 0) return 1;
    }
    return 0;
  }
  return ronda::config::parse_child_main(0, 1);
}
