// SPDX-License-Identifier: Apache-2.0
// A reload that brings a plugin with another form of its state.
#include "catch.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

void put_version(const std::string& plugins, int version) {
  const std::string fresh = plugins + "/counter.fresh";
  std::filesystem::copy_file(RONDA_BINARY_DIR "/tests/plugins/counter_v" + std::to_string(version) + ".so", fresh);
  std::filesystem::rename(fresh, plugins + "/counter.so");
}

std::string counter(const std::string& mode) {
  return "[check.counts]\nuse = \"counter\"\nevery = \"1h\"\nmode = \"" + mode + "\"\n";
}

std::string run(const WholeAgent& agent) {
  const std::string line = agent.ronda({"check", "counts"}).out;
  return line.substr(0, line.find_first_of("|\n"));
}

}  // namespace

TEST_CASE("a reload carries the state over, or keeps the old code when the new one does not take it", "[whole]") {
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins();
  put_version(plugins, 1);
  agent.configure("10.toml", counter("refuse"));
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("counts") == "ok"; }));
  CHECK(run(agent) == "OK - counts: count 2");
  put_version(plugins, 2);
  const Finished refused = agent.ronda({"reload"});
  CHECK(refused.code == 1);
  CHECK(refused.out == "reload #1: 1 kept, 0 replaced, 0 added, 0 removed, 1 failed\n");
  CHECK(refused.err.find("its state of version 1 is not taken over by version 2") != std::string::npos);
  CHECK(run(agent) == "OK - counts: count 3");

  SECTION("the next reload, with a configuration that takes it") {
    agent.configure("10.toml", counter("take"));
    const Finished taken = agent.ronda({"reload"});
    CHECK(taken.out == "reload #2: 0 kept, 1 replaced, 0 added, 0 removed, 0 failed\n");
    CHECK(run(agent) == "OK - counts: total 4");
  }
  SECTION("a start disables what is not taken over, with the reason") {
    REQUIRE(agent.stop() == 0);
    REQUIRE(agent.start());
    CHECK(run(agent).starts_with("UNKNOWN - counts: its state of version 1 is not taken over by version 2"));
    const Finished status = agent.ronda({"status"});
    CHECK(status.out.find("disabled: check counts: its state of version 1 is not taken over") != std::string::npos);
    put_version(plugins, 1);
    CHECK(agent.ronda({"reload"}).code == 0);
    CHECK(run(agent) == "OK - counts: count 4");
  }
  CHECK(agent.stop() == 0);
}
