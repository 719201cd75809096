// SPDX-License-Identifier: Apache-2.0
// One check of the host plugin with the defaults of its real manifest, on a fake host that really runs
// programs.
#pragma once

#include "catch.hpp"

#include <ronda/testing_catch.hpp>

#include "../manifest_defaults.hpp"
#include "skip.hpp"

template <class Check>
struct UnderTest {
  ronda::testing::host host;
  std::optional<ronda::testing::subject> subject;

  UnderTest() {
    set_defaults(host, RONDA_SOURCE_DIR "/plugins/host/plugin.toml", std::string(Check::procedure));
    host.run_programs();
  }
  UnderTest& set(const std::string& key, ronda::testing::node value) {
    host.set(key, std::move(value));
    return *this;
  }
  /// The first run makes the instance; a later one uses it again.
  ronda::testing::report run(const ronda::testing::run_options& how = {}) {
    if (!subject) subject.emplace(ronda::testing::make<Check>(host));
    INFO(subject->error());
    REQUIRE(*subject);
    auto report = subject->run(how);
    CHECK(host.broken().empty());
    return report;
  }
  /// As after a reload or a restart: another instance, the same state.
  void restart() { subject.reset(); }
};

using ronda::test::skipped;
using ronda::testing::Ended;
using ronda::testing::HasMetric;
