// SPDX-License-Identifier: Apache-2.0
// test: the rules of the contract, held by our plugins and broken by those made here.
#include "program.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

PluginSource check_with(const std::string& members) {
  PluginSource source = PluginSource::with_cpp(
      "#include <ronda/plugin.hpp>\n#include <chrono>\n#include <clocale>\n#include <csignal>\n#include <cstdlib>\n#include <ctime>\n"
      "#include <thread>\n#include <fcntl.h>\n#include <locale.h>\n#include <sys/stat.h>\n#include <sys/syscall.h>\n#include <unistd.h>\n"
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
                 "it came back "));
}

TEST_CASE("what a plugin changes that every call shares is named, each thing by itself", "[cli]") {
  const TempDir dir;
  PluginSource source = check_with(R"(
  const std::string mode = ronda::cfg<std::string>("mode");
  ronda::result run(ronda::call&) override {
    sigset_t usr1;
    sigemptyset(&usr1), sigaddset(&usr1, SIGUSR1);
    if (mode == "umask") umask(0);
    if (mode == "locale") std::setlocale(LC_ALL, "C.UTF-8");
    if (mode == "thread-locale") uselocale(newlocale(LC_ALL_MASK, "C.UTF-8", nullptr));
    if (mode == "variable") setenv("MINE", "1", 1);
    if (mode == "no-variable") clearenv();
    if (mode == "handler") std::signal(SIGTERM, SIG_IGN);
    if (mode == "mask") pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
    if (mode == "directory" && chdir("/tmp") != 0) return ronda::unknown("chdir");
    if (mode == "stdin") close(0);
    if (mode == "stdout") close(1);
    if (mode == "stderr") close(2);
    if (mode == "host") close(3);
    if (mode == "replaced") dup2(open("/dev/null", O_WRONLY), 1);
    if (mode == "all") syscall(SYS_close_range, 0U, ~0U, 0U);
    std::time_t now = 0;
    const int year = std::localtime(&now)->tm_year;  // which sets the zone, as anybody may
    if (mode == "zone") setenv("TZ", "Asia/Kolkata", 1), tzset(), unsetenv("TZ");
    return ronda::ok("in ", year);
  })");
  source.manifest += "  [provides.config]\n  mode = { type = \"string\", default = \"\", doc = \"what it changes\" }\n";
  const std::string path = build_plugin(dir, "disk", source);
  const auto said = [&](const std::string& mode) { return ronda_plugin({"test", path, "--only", "RONDA-P-045", "--set", "mode=" + mode}); };
  CHECK(said("none").exit_code == 0);
  const std::pair<const char*, const char*> rows[] = {{"umask", "changed: umask\n"},
                                                      {"locale", "changed: locale\n"},
                                                      {"thread-locale", "changed: locale of the thread\n"},
                                                      {"zone", "changed: time zone\n"},
                                                      {"variable", "changed: environment MINE\n"},
                                                      {"no-variable", "changed: environment "},
                                                      {"handler", "changed: the handling of SIGTERM\n"},
                                                      {"mask", "changed: the signal mask\n"},
                                                      {"directory", "changed: working directory\n"},
                                                      {"stdin", "changed: descriptor 0\n"},
                                                      {"stdout", "changed: descriptor 1\n"},
                                                      {"stderr", "changed: descriptor 2\n"},
                                                      {"host", "changed: descriptor 3\n"},
                                                      {"replaced", "changed: descriptor 1\n"},
                                                      {"all", "it closed the descriptor by which the reason is told"}};
  for (const auto& [mode, changed] : rows) {
    const Said told = said(mode);
    INFO(mode << ": " << told.text);
    CHECK(told.exit_code == 1);
    CHECK(contains(told, "fail  RONDA-P-045"));
    CHECK(contains(told, changed));
  }
}

TEST_CASE("what a plugin does to services out of their place is named by its rule", "[cli]") {
  const std::string destroy = "~Made() override { kv().put(\"a\", \"1\"); } " + fine;
  CHECK(contains(try_rule("RONDA-P-030", destroy), "RONDA-P-038: kv.put in destroy"));
  CHECK(contains(try_rule("RONDA-P-037", destroy), "RONDA-P-038: kv.put in destroy"));
  // the result is given from within kv, and once more by the glue
  CHECK(contains(try_rule("RONDA-P-030", R"(
  const ronda_inst* own = ronda::detail::creating();
  const ronda_call* now = nullptr;
  static std::int32_t within(void* made, ronda_str key, ronda_str) {
    auto* self = static_cast<Made*>(made);
    auto* emit = static_cast<const ronda_emit_1*>(self->own->query(self->own, RONDA_SERVICE_EMIT));
    ronda_result r{sizeof r, 0, key, {nullptr, 0}, 0};
    return emit->result(self->own, self->now, &r);
  }
  ronda::result run(ronda::call& c) override {
    now = c.raw();
    kv().put("a", "1");
    auto* table = static_cast<const ronda_kv_1*>(own->query(own, RONDA_SERVICE_KV));
    table->each(own, ronda::to_abi(""), within, this);
    return ronda::ok("twice");
  })"),
                 "RONDA-P-031: two results in one call"));
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
