// SPDX-License-Identifier: Apache-2.0
// Tests of plugins with no agent and no test framework: a fake host with a clock that can be turned
// (testing/host.hpp), and instances driven through the C border (testing/subject.hpp).
//
//   ronda::testing::host host;
//   host.set("path", "/").set("warn_at", 0.8).set("crit_at", 0.95);
//   auto disk = ronda::testing::make<Disk>(host);
//   auto report = disk.run();
//   RONDA_EXPECT(report.is(ronda::status::ok));
//   RONDA_EXPECT(host.broken().empty());
//   return ronda::testing::failures();
//
// Matchers for Catch2 are in testing_catch.hpp.
#pragma once

#include <ronda/testing/subject.hpp>

namespace ronda::testing {

/// What main() returns: how many expectations failed, at most 99.
inline int& failures() noexcept {
  static int count = 0;
  return count;
}

inline bool expect(bool held, const char* what, const char* file, int line) {
  if (held) return true;
  std::fprintf(stderr, "%s:%d: expected %s\n", file, line, what);
  if (failures() < 99) ++failures();
  return false;
}

}  // namespace ronda::testing

#define RONDA_EXPECT(condition) \
  ::ronda::testing::expect(static_cast<bool>(condition), #condition, __FILE__, __LINE__)
