// SPDX-License-Identifier: Apache-2.0
// The agent's own reader over a plugin's manifest; RONDA_MANIFEST says which.
#include "plugin/manifest.hpp"

#include <fstream>
#include <sstream>

#include "catch.hpp"

using namespace ronda;

TEST_CASE("the agent reads the manifest without an error or a warning", "[manifest]") {
  std::ostringstream text;
  text << std::ifstream(RONDA_MANIFEST).rdbuf();
  const config::Sources sources = {{RONDA_MANIFEST, text.str()}};
  config::Diagnostics diagnostics;
  const auto manifest = plugin::parse_manifest(sources[0].text, 0, diagnostics);
  for (const auto& diagnostic : diagnostics.all()) FAIL_CHECK(config::headline(diagnostic, sources));
  REQUIRE(manifest);
  for (const auto& procedure : manifest->provides) {
    INFO(procedure.name);
    CHECK_FALSE(procedure.summary.empty());
    CHECK_FALSE(procedure.metrics.empty());
    for (const auto& metric : procedure.metrics) CHECK_FALSE(metric.doc.empty());
  }
}
