// SPDX-License-Identifier: Apache-2.0
// test: the rules of the contract, held by our plugins and broken by those made here.
#include "program.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

PluginSource check_with(const std::string& members) {
  PluginSource source = PluginSource::with_cpp(
      "#include <ronda/plugin.hpp>\n#include <chrono>\n#include <clocale>\n#include <cstdlib>\n#include "
      "<thread>\n#include <unistd.h>\n"
      "struct Made : ronda::check {\n" +
      members + "\n};\nRONDA_PLUGIN(Made)\n");
  source.flags = {"-std=c++17", "-I" RONDA_SOURCE_DIR "/sdk/include", "-fvisibility=hidden"};
  return source;
}

Said try_rule(const std::string& rule, const std::string& members) {
  const TempDir dir;
  return ronda_plugin({"test", build_plugin(dir, "disk", check_with(members)), "--only", rule});
}

const std::string fine = "ronda::result run(ronda::call&) override { return ronda::ok(\"fine\"); }";

}  // namespace

TEST_CASE("plugins of this tree hold every rule", "[cli]") {
  for (const std::string name : {"exec", "heartbeat"}) {
    const auto out = json_of(ronda_plugin(
        {"test", RONDA_BINARY_DIR "/plugins/" + name + ".so", "--output", "json", "--seed", "7"}));
    INFO(name << boost::json::serialize(out));
    CHECK(out.at("failed") == 0);
    CHECK(out.at("passed").to_number<int>() >= 15);
    CHECK(out.at("seed") == 7);
  }
}

TEST_CASE("a small check holds every rule, each is named once", "[cli]") {
  const TempDir dir;
  const Said said = ronda_plugin({"test", build_plugin(dir, "disk", check_with(fine))});
  INFO(said.text);
  CHECK(said.exit_code == 0);
  CHECK(contains(said, "pass  RONDA-P-001  disk: it loads"));
  CHECK(contains(said, " hold, 0 broken, "));
}

TEST_CASE("what an option has to be is found from its manifest, where no example says it", "[cli]") {
  const TempDir dir;
  PluginSource source = check_with(fine);
  source.manifest += R"(open_metrics = true
  [provides.config]
  due = { type = "string", required = true, forms = ["duration", "calendar"], doc = "when" }
  program = { type = "list of string", required = true, first_pattern = "^/", doc = "what" }
  code = { type = "any", required = true, any_pattern = "^[0-9]+$", doc = "which" }
  [provides.config.from]
  type = "list of table"
  required = true
  min_items = 1
  one_of = ["json", "header"]
  doc = "whence"
  [provides.config.from.keys]
  json = { type = "string", doc = "this" }
  header = { type = "string", doc = "or this" }
)";
  const Said said = ronda_plugin({"test", build_plugin(dir, "disk", source), "--only", "RONDA-P-030"});
  INFO(said.text);
  CHECK(said.exit_code == 0);
  CHECK(contains(said, "pass  RONDA-P-030"));
}

TEST_CASE("what a plugin breaks is named by its rule, and the others are tried all the same", "[cli]") {
  const Said abort = try_rule("RONDA-P-030", "ronda::result run(ronda::call&) override { std::abort(); }");
  CHECK(abort.exit_code == 1);
  CHECK(contains(abort, "fail  RONDA-P-030"));
  CHECK(contains(abort, "killed by Aborted"));

  CHECK(contains(try_rule("RONDA-P-030", "ronda::result run(ronda::call&) override { _exit(5); }"),
                 "the plugin ended the process with exit code 5"));
  CHECK(contains(try_rule("RONDA-P-018", "Made() { std::abort(); } " + fine), "fail  RONDA-P-018"));
  CHECK(contains(
      try_rule(
          "RONDA-P-045",
          "ronda::result run(ronda::call&) override { if (chdir(\"/tmp\")) {} return ronda::ok(\"x\"); }"),
      "changed: working directory"));
  CHECK(contains(try_rule("RONDA-P-045",
                          "ronda::result run(ronda::call&) override { setenv(\"MINE\", \"1\", 1); return "
                          "ronda::ok(\"x\"); }"),
                 "changed: environment"));
  CHECK(contains(try_rule("RONDA-P-043",
                          "ronda::result run(ronda::call&) override { std::thread([] { pause(); }).detach(); "
                          "return ronda::ok(\"x\"); }"),
                 "RONDA-P-043: a thread of the plugin's outlived destroy"));
  CHECK(contains(try_rule("RONDA-P-040",
                          "ronda::result run(ronda::call&) override { sleep(7); return ronda::ok(\"x\"); }"),
                 "it came back 7"));
}

TEST_CASE("a kind that the code has and the manifest does not, and the reverse, are found", "[cli]") {
  const TempDir dir;
  PluginSource source = check_with(fine);
  source.manifest = minimal_manifest;
  source.manifest.replace(source.manifest.find("ronda.check/1"), 13, "ronda.task/1");
  const std::string path = build_plugin(dir, "disk", source);
  const Said missing = ronda_plugin({"test", path, "--only", "RONDA-P-007"});
  CHECK(missing.exit_code == 1);
  CHECK(contains(missing, "ronda.task/1: query returns NULL"));
  CHECK(contains(ronda_plugin({"test", path, "--only", "RONDA-P-009"}),
                 "it has ronda.check/1, which no [[provides]] of its manifest names"));
}

TEST_CASE("wrong words are usage errors", "[cli]") {
  const std::string path = RONDA_BINARY_DIR "/plugins/exec.so";
  CHECK(ronda_plugin({"test", path, "--only", "RONDA-P-999"}).exit_code == 2);
  CHECK(ronda_plugin({"test", path, "--in-process"}).exit_code == 2);
  CHECK(ronda_plugin({"test", path, "--seed", "x"}).exit_code == 2);
  CHECK(ronda_plugin({"test", path, "--set", "no_such_option=1"}).exit_code == 2);
}
