// SPDX-License-Identifier: Apache-2.0
// Plugins that go wrong before their first call: refused or told, never the agent's trouble.
#include <catch.hpp>

#include "built_plugin.hpp"
#include "plugin/start_gate.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;

namespace {

/// A plugin made of this C text, in a runner; its one instance's call.
struct Loaded {
  TempDir dir;
  boost::asio::io_context loop;
  PluginUnderTest plugin;

  explicit Loaded(const std::string& code) {
    plugin.path = build_plugin(dir, "plugin", PluginSource::with_code(code));
    plugin.id = "org.example.disk";
    plugin.kinds = {wire::Kind::check};
  }
};

const std::string head = "#include <unistd.h>\n#include <stdlib.h>\n";
const std::string entry = "const void *ronda_plugin_entry_1(const void *h, void *e) { return 0; }\n";

}  // namespace

TEST_CASE("what does not load is refused with the reason, and every call is told", "[plugin]") {
  struct Row {
    const char* code;
    const char* cause;
  };
  const auto row =
      GENERATE(values<Row>({{"const void *ronda_plugin_entry_1(const void *h, void *e) { return 0; }\n",
                             "the plugin does not load: its entry refused: no reason given"},
                            {"int something_else;\n", "the plugin does not load: it does not load: "},
                            {"extern int missing(void); const void *ronda_plugin_entry_1(const void *h, void *e) { return (void "
                             "*)(long)missing(); }\n",
                             "the plugin does not load: it does not load: "},
                            {"static unsigned p[8]; const void *ronda_plugin_entry_1(const void *h, void *e) { return p; }\n",
                             "the plugin does not load: its entry returned a description of size 0; rebuild the plugin with this "
                             "SDK"}}));
  Loaded made(row.code);
  Supervised bench(made.loop, made.plugin);
  const auto instance = bench.add(wire::Kind::check, "disk", {});
  const auto& end = bench.run(instance);
  CHECK(end.fate == Fate::unavailable);
  CHECK_THAT(end.cause, Catch::StartsWith(row.cause));
  CHECK_THAT(bench.status().refused, !Catch::Equals(""));
  bench.supervisor().probe(instance);
  REQUIRE(bench.until([&] { return bench.probed.contains(instance); }));
  CHECK_FALSE(bench.probed[instance].first);
}

TEST_CASE("a constructor that crashes or exits is told of the plugin, not of its instances", "[plugin]") {
  const auto* code = GENERATE("__attribute__((constructor)) static void boot(void) { __builtin_trap(); }\n",
                              "__attribute__((constructor)) static void boot(void) { exit(0); }\n",
                              "__attribute__((constructor)) static void boot(void) { _exit(3); }\n",
                              "__attribute__((constructor)) static void boot(void) { abort(); }\n");
  INFO(code);
  Loaded made(head + code + entry);
  Supervised bench(made.loop, made.plugin);
  const auto instance = bench.add(wire::Kind::check, "disk", {});
  const auto& end = bench.run(instance, 60s);
  CHECK(end.fate == Fate::unavailable);
  CHECK_THAT(end.cause, Catch::EndsWith(" while it was loaded"));
  CHECK_FALSE(bench.supervisor().is_quarantined(instance));
}

TEST_CASE("a plugin that crashes whenever it is loaded is quarantined", "[plugin]") {
  Loaded made(head + "__attribute__((constructor)) static void boot(void) { abort(); }\n" + entry);
  Supervised bench(made.loop, made.plugin);
  const auto instance = bench.add(wire::Kind::check, "disk", {});
  for (int i = 0; i < 4 && !bench.status().quarantined; ++i) CHECK(bench.run(instance, 60s).fate == Fate::unavailable);
  CHECK(bench.status().quarantined);
  CHECK(bench.run(instance).fate == Fate::unavailable);
  REQUIRE(bench.troubles.size() == 1);
  CHECK_THAT(bench.troubles[0], Catch::StartsWith("the plugin is quarantined after 5 failures in 10 minutes; the last: "));
}

TEST_CASE("a constructor that hangs is ended after ten seconds", "[plugin]") {
  Loaded made(head + "__attribute__((constructor)) static void boot(void) { for (;;) sleep(1000); }\n" + entry);
  Supervised bench(made.loop, made.plugin);
  const auto instance = bench.add(wire::Kind::check, "disk", {});
  bench.supervisor().probe(instance);
  const auto call = bench.dispatch(instance, 3s);
  const auto& end = bench.end_of(call);
  CHECK(end.fate == Fate::timeout);
  CHECK(end.cause == "its runner did not take it up in time");
  REQUIRE(bench.until([&] { return bench.probed.contains(instance); }));
  CHECK_FALSE(bench.probed[instance].first);
  CHECK_FALSE(bench.supervisor().is_quarantined(instance));
}

TEST_CASE("where one runner may start at once others wait for however it ends, and lose no call by that", "[plugin]") {
  const char* first = GENERATE("__attribute__((constructor)) static void boot(void) { for (;;) sleep(1000); }\n",
                               "__attribute__((constructor)) static void boot(void) { sleep(1); abort(); }\n",
                               "__attribute__((constructor)) static void boot(void) { sleep(1); }\n");
  Loaded made(head + first + entry);
  plugin::StartGate gate(made.loop, 1, 1h);
  made.plugin.starts = &gate;
  Supervised before(made.loop, made.plugin);
  const auto bad = before.dispatch(before.add(wire::Kind::check, "disk", {}), 3s);
  REQUIRE(before.until([&] { return before.runner_pid() > 0; }));
  PluginUnderTest well;
  well.starts = &gate;
  Supervised bench(made.loop, well), interrupted(made.loop, well);
  const auto waits = bench.dispatch(bench.chaos("ok"), 200ms);  // that others start is no fault of its
  const auto tried = bench.chaos("ok"), untried = interrupted.chaos("ok");
  bench.supervisor().probe(tried);
  interrupted.supervisor().probe(untried);
  interrupted.supervisor().kill_all();
  bench.turn_for(600ms);
  CHECK(bench.runner_pid() == -1);
  CHECK(bench.status().waits_for_turn >= 600ms);
  CHECK(bench.probed.empty());
  CHECK(interrupted.probed[untried] == std::pair(false, std::string("interrupted: the agent stops")));
  CHECK(before.end_of(bad).fate != Fate::finished);
  CHECK(bench.end_of(waits).fate == Fate::finished);
  REQUIRE(bench.until([&] { return bench.probed.contains(tried); }));
  CHECK(bench.probed[tried].first);
  CHECK(bench.status().waits_for_turn == 0ns);
}

TEST_CASE("a runner that cannot be started is waited for by nobody", "[plugin]") {
  boost::asio::io_context loop;
  plugin::StartGate gate(loop, 1, 1h);
  PluginUnderTest missing, well;
  missing.runner = "/nowhere/ronda-runner";
  missing.starts = well.starts = &gate;
  Supervised before(loop, missing), bench(loop, well);
  const auto lost = before.dispatch(before.chaos("ok"));
  const auto found = bench.dispatch(bench.chaos("ok"));
  CHECK(before.end_of(lost).fate == Fate::spawn_failed);
  CHECK(bench.end_of(found).fate == Fate::finished);
}

TEST_CASE("a runner of another build is refused, one that is missing is told", "[plugin]") {
  boost::asio::io_context loop;
  PluginUnderTest other;
  other.build = "9.9.9+another";
  Supervised bench(loop, other);
  const auto& end = bench.run("ok");
  CHECK(end.fate == Fate::unavailable);
  CHECK_THAT(end.cause, Catch::Contains("ronda-runner is of build") && Catch::EndsWith("restart the agent after an upgrade"));
  PluginUnderTest none;
  none.runner = "/nonexistent/ronda-runner";
  Supervised missing(loop, none);
  const auto& told = missing.run("ok");
  CHECK(told.fate == Fate::spawn_failed);
  CHECK(told.cause == "start /nonexistent/ronda-runner: No such file or directory");
}
