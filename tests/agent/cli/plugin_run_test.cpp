// SPDX-License-Identifier: Apache-2.0
// run: one call under the real runner, with no agent.
#include "program.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

const std::string built_plugins = RONDA_BINARY_DIR "/plugins";

Said run(const std::string& plugin, std::vector<std::string> words) {
  words.insert(words.begin(), {"run", built_plugins + "/" + plugin + ".so"});
  return ronda_plugin(std::move(words));
}

}  // namespace

TEST_CASE("run prints one Nagios line with perfdata, then the metrics, and exits as the check says", "[cli]") {
  const Said ok = run("host", {"host.disk", "--set", "path=/", "--set", "warn_at=100%", "--set", "crit_at=100%", "--set",
                               "inodes_warn_at=100%", "--set", "inodes_crit_at=100%", "--set", "writable=any"});
  INFO(ok.text);
  CHECK(ok.exit_code == 0);
  CHECK(ok.text.starts_with("OK - host.disk: "));
  CHECK(contains(ok, " | "));
  CHECK(contains(ok, "\n  used"));

  const Said critical = run("host", {"host.file", "--set", "path=/nonexistent/file"});
  INFO(critical.text);
  CHECK(critical.exit_code == 2);
  CHECK(critical.text.starts_with("CRITICAL - host.file: "));
}

TEST_CASE("run gives JSON with stable keys", "[cli]") {
  const auto out = json_of(run("host", {"host.load", "--output", "json"}));
  CHECK(out.at("procedure") == "host.load");
  CHECK(out.at("fate") == "finished");
  CHECK(out.at("metrics").as_array().size() >= 4);
  CHECK(out.at("metrics").at(0).at("name") == "load1");
  CHECK(out.at("logs").as_array().empty());
}

TEST_CASE("settings are checked as conf.d is, before anything runs", "[cli]") {
  const Said wrong = run("host", {"host.disk", "--set", "warn_att=80%", "--set", "crit_at=200"});
  CHECK(wrong.exit_code == 3);
  CHECK(contains(wrong, "unknown key 'warn_att'; did you mean 'warn_at'?"));
  CHECK(contains(wrong, "'crit_at' "));
  CHECK(run("host", {"host.disk", "--set", "path"}).exit_code == 3);
  const Said rule = run("host", {"host.process"});
  CHECK(rule.exit_code == 3);
  const Said which = run("exec", {});
  CHECK(which.exit_code == 3);
  CHECK(contains(which, "say which procedure: exec.nagios, exec.command"));
}

TEST_CASE("programs really run, and a deadline ends them", "[cli]") {
  const Said warned = run("exec", {"exec.nagios", "--set", "command=[\"/bin/sh\", \"-c\", \"echo 'half full | used=50%'; exit 1\"]"});
  INFO(warned.text);
  CHECK(warned.exit_code == 1);
  CHECK(contains(warned, "half full | used=50%"));
  const Said late = run("exec", {"exec.nagios", "--timeout", "1s", "--set", "command=[\"/bin/sleep\", \"600\"]"});
  CHECK(late.exit_code == 3);
  CHECK(late.text.starts_with("UNKNOWN - exec.nagios: "));
}

TEST_CASE("a dry run of a task says what it would do and does nothing", "[cli]") {
  const TempDir dir;
  const std::string trace = dir / "trace";
  const Said said = run("exec", {"exec.command", "--dry-run", "--set", "command=[\"/usr/bin/touch\", \"" + trace + "\"]"});
  INFO(said.text);
  CHECK(said.exit_code == 0);
  CHECK(contains(said, "would run /usr/bin/touch"));
  CHECK(::access(trace.c_str(), F_OK) != 0);
}

TEST_CASE("a plugin that crashes is UNKNOWN with the signal; the tool goes on to say so", "[cli]") {
  const TempDir dir;
  PluginSource crashing = PluginSource::with_cpp(R"(#include <ronda/plugin.hpp>
#include <cstdlib>
struct Crash : ronda::check { ronda::result run(ronda::call&) override { std::abort(); } };
RONDA_PLUGIN(Crash)
)");
  crashing.flags = {"-std=c++17", "-I" RONDA_SOURCE_DIR "/sdk/include", "-fvisibility=hidden"};
  const Said said = ronda_plugin({"run", build_plugin(dir, "disk", crashing)});
  INFO(said.text);
  CHECK(said.exit_code == 3);
  CHECK(contains(said, "UNKNOWN - disk: crashed: "));
  CHECK(contains(said, "SIGABRT"));

  const Said refused = ronda_plugin({"run", build_plugin(dir, "empty")});
  CHECK(refused.exit_code == 3);
  CHECK(contains(refused, "the plugin does not load: its entry refused"));
}
