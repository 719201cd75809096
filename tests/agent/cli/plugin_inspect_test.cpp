// SPDX-License-Identifier: Apache-2.0
// list, inspect, docs, schema and lint: what is said about a file without running any code of it.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "program.hpp"

using namespace ronda;
using namespace ronda::test;
namespace json = boost::json;

namespace {

const std::string plugins = RONDA_BINARY_DIR "/plugins";

/// Code that leaves a trace as soon as it is loaded.
PluginSource telltale(const std::string& trace) {
  return PluginSource::with_code(
      "#include <fcntl.h>\n#include <unistd.h>\n__attribute__((constructor)) static void loaded(void) { "
      "close(open(\"" +
      trace + "\", O_CREAT | O_WRONLY, 0644)); }\n" + minimal_code);
}

}  // namespace

TEST_CASE("list names usable plugins and refused files with their reason, with no agent", "[cli]") {
  const TempDir dir;
  build_plugin(dir, "good");
  write_file(dir / "broken.so", "#!/bin/sh\n");
  write_file(dir / "old.so~", "");
  const Said text = ronda_plugin({"list", "--plugins", dir.path()});
  CHECK(text.exit_code == 1);  // one of them is refused
  CHECK(contains(text, "org.example.disk"));
  CHECK(contains(text, "read/script: is a script, not a shared object"));

  const json::object out = json_of(ronda_plugin({"list", "--plugins", dir.path(), "--output", "json"}));
  REQUIRE(out.at("plugins").as_array().size() == 2);
  const json::object& good = out.at("plugins").at(0).as_object();
  CHECK(good.at("state") == "ok");
  CHECK(good.at("id") == "org.example.disk");
  CHECK(good.at("version") == "1.0.0");
  CHECK(good.at("file") == json::value(dir / "good.so"));
  CHECK(good.at("provides").at(0).at("name") == "disk");
  CHECK(out.at("plugins").at(1).at("reason") == "script");
  CHECK(out.at("skipped").as_array().size() == 1);
}

TEST_CASE("a directory without plugins is said, and is no failure; one that is missing is", "[cli]") {
  const TempDir dir;
  const Said empty = ronda_plugin({"list", "--plugins", dir.path()});
  CHECK(empty.exit_code == 0);
  CHECK(empty.text == "no plugins in " + dir.path() + "\n");
  const Said missing = ronda_plugin({"list", "--plugins", dir / "none"});
  CHECK(missing.exit_code == 1);
  CHECK(contains(missing, "open/no_directory"));
}

TEST_CASE("inspect tells file, hash, ABI, libraries, grants and options, and runs no code", "[cli]") {
  const TempDir dir;
  PluginSource source = telltale(dir / "trace");
  source.manifest = minimal_manifest +
                    "[provides.config]\nwarn_at = { type = \"percent\", default = \"80%\", min = \"1%\", doc "
                    "= \"warn above\" }\n";
  const std::string path = build_plugin(dir, "disk", source);
  const Said text = ronda_plugin({"inspect", path});
  CHECK(text.exit_code == 0);
  CHECK(contains(text, "org.example.disk 1.0.0"));
  CHECK(contains(text, "needs SDK 1.0, exports 1"));
  CHECK(contains(text, "libc.so.6"));
  CHECK(contains(text, "warn_at  percent  = \"80%\"  warn above"));

  const json::object out = json_of(ronda_plugin({"inspect", path, "--output", "json"}));
  CHECK(out.at("state") == "ok");
  CHECK(out.at("refusal").is_null());
  CHECK(out.at("sha256").as_string().size() == 64);
  CHECK(out.at("manifest").at("abi").at("major") == 1);
  const json::value& option = out.at("manifest").at("provides").at(0).at("options").at(0);
  CHECK(option.at("key") == "warn_at");
  CHECK(option.at("default") == "\"80%\"");
  CHECK(option.at("min") == "1%");
  CHECK(option.at("max").is_null());
  CHECK(out.at("elf").at("exports") == json::array{"ronda_plugin_entry_1"});

  for (const std::string verb : {"list", "lint", "docs", "schema", "why"}) {
    if (verb == "list")
      ronda_plugin({verb, "--plugins", dir.path()});
    else
      ronda_plugin({verb, path});
    INFO(verb);
    CHECK(::access((dir / "trace").c_str(), F_OK) != 0);
  }
}

TEST_CASE("inspect of what is no usable plugin exits 1 with the reason and the remedy", "[cli]") {
  const TempDir dir;
  write_file(dir / "empty.so", "");
  const Said empty = ronda_plugin({"inspect", dir / "empty.so"});
  CHECK(empty.exit_code == 1);
  CHECK(contains(empty, "read/empty_file: the file is empty; copy or build it again"));

  const std::string wrong = build_plugin(dir, "wrong", PluginSource::with_manifest("manifest = 1\n[plugin]\nid = \"x\"\n"));
  const json::object out = json_of(ronda_plugin({"inspect", wrong, "--output", "json"}));
  CHECK(out.at("state") == "refused");
  CHECK(out.at("refusal").at("reason") == "bad_manifest");
  CHECK(out.at("problems").as_array().size() > 1);
  CHECK(out.at("manifest").is_null());
  CHECK(out.at("elf").at("exports") == json::array{"ronda_plugin_entry_1"});

  std::string future = minimal_manifest;
  future.replace(future.find("minor = 0"), 9, "minor = 9");
  const Said newer = ronda_plugin({"inspect", build_plugin(dir, "newer", PluginSource::with_manifest(future))});
  CHECK(newer.exit_code == 1);
  CHECK(contains(newer, "policy/needs_newer_minor: needs SDK 1.9, agent has 1.0"));
  CHECK(contains(newer, "org.example.disk 1.0.0"));  // and still tells what it is

  CHECK(ronda_plugin({"inspect"}).exit_code == 2);
  CHECK(ronda_plugin({"inspect", dir / "empty.so", "more"}).exit_code == 2);
  CHECK(ronda_plugin({"inspekt", dir / "empty.so"}).text == "ronda: plugin has no verb \"inspekt\"; did you mean \"inspect\"?\n");
}

TEST_CASE("directories, FIFOs, devices and endless sparse files are refused at once", "[cli]") {
  const TempDir dir;
  REQUIRE(::mkfifo((dir / "fifo.so").c_str(), 0644) == 0);
  REQUIRE(::mkdir((dir / "dir.so").c_str(), 0755) == 0);
  write_file(dir / "huge.so",
             "\x7f"
             "ELF");
  REQUIRE(::truncate((dir / "huge.so").c_str(), std::int64_t{2} << 30) == 0);
  for (const auto& [path, reason] : std::vector<std::pair<std::string, std::string>>{{dir / "fifo.so", "open/not_regular"},
                                                                                     {dir / "dir.so", "open/not_regular"},
                                                                                     {dir / "huge.so", "open/too_large"},
                                                                                     {"/dev/zero", "open/not_regular"}}) {
    const Said said = ronda_plugin({"inspect", path}, std::chrono::seconds(30));
    INFO(path);
    CHECK(said.exit_code == 1);
    CHECK(contains(said, reason));
  }
}

TEST_CASE("a truncated plugin is a message for inspect, at every length", "[cli]") {
  const TempDir dir;
  const FileBytes whole = read_bytes(build_plugin(dir, "disk"));
  for (std::size_t size = 0; size < whole.size() / 2; size += 1024) {
    write_file(dir / "cut.so", std::string(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    INFO(size);
    CHECK(ronda_plugin({"inspect", dir / "cut.so"}).exit_code == 1);
  }
}

TEST_CASE("a plugin is found by its id, by its file's name, or a near id is offered", "[cli]") {
  const Said by_id = ronda_plugin({"docs", "org.ronda.exec", "--plugins", plugins});
  CHECK(by_id.exit_code == 0);
  CHECK(by_id.text == ronda_plugin({"docs", "exec", "--plugins", plugins}).text);
  CHECK(by_id.text == ronda_plugin({"docs", plugins + "/exec.so"}).text);
  const Said near = ronda_plugin({"docs", "org.ronda.exex", "--plugins", plugins});
  CHECK(near.exit_code == 2);
  CHECK(contains(near, "did you mean 'org.ronda.exec'?"));
}

TEST_CASE("every tool ends with 2 for a plugin that there is not, and with 1 for a file that is none", "[cli]") {
  const TempDir dir;
  write_file(dir / "empty.so", "");
  for (const std::string verb : {"inspect", "why", "docs", "lint", "schema", "test"}) {
    INFO(verb);
    const Said nothing = ronda_plugin({verb, "org.example.nothing", "--plugins", dir.path()});
    CHECK(nothing.exit_code == 2);
    CHECK(contains(nothing, "there is no plugin 'org.example.nothing' in " + dir.path()));
    CHECK(ronda_plugin({verb, dir / "empty.so", "--plugins", dir.path()}).exit_code == 1);
  }
}

TEST_CASE("schema gives a whole file's form, or one procedure's", "[cli]") {
  const json::object file = json_of(ronda_plugin({"schema", plugins + "/exec.so"}));
  CHECK(file.at("$schema") == "https://json-schema.org/draft/2020-12/schema");
  CHECK(file.at("$defs").as_object().contains("check.exec.nagios"));
  CHECK(file.at("properties").at("task").at("additionalProperties").at("allOf").as_array().size() == 1);

  const json::object one = json_of(ronda_plugin({"schema", plugins + "/exec.so", "exec.nagios"}));
  CHECK(one.at("required") == json::array{"use", "command"});
  CHECK(one.at("additionalProperties") == false);
  CHECK(one.at("properties").at("command").at("minItems") == 1);
  CHECK(one.at("properties").at("every") == true);
  const std::string command = json::serialize(one.at("properties").at("command"));
  CHECK(command.find(R"("prefixItems":[{"allOf":[{"type":"string"},{"anyOf":[{"type":"string","pattern":"^/"},)") != std::string::npos);

  const json::object request = json_of(ronda_plugin({"schema", plugins + "/http.so", "http.request"}));
  const std::string status = json::serialize(request.at("properties").at("expect").at("properties").at("status"));
  CHECK(status.find(R"("pattern":"^[1-5]([0-9][0-9]|xx)$")") != std::string::npos);
  CHECK(status.find("#/$defs/reference") != std::string::npos);
  const json::object scenario = json_of(ronda_plugin({"schema", plugins + "/http.so", "http.scenario"}));
  const json::value& extract = scenario.at("properties").at("steps").at("items").at("properties").at("extract");
  CHECK(extract.at("propertyNames").at("pattern") == "^[0-9A-Za-z_]+$");
  CHECK(extract.at("additionalProperties").at("oneOf").as_array().size() == 3);
  // POSIX's classes by name would mean other things to an editor
  CHECK(json::serialize(request.at("properties")).find("[:") == std::string::npos);

  const Said near = ronda_plugin({"schema", plugins + "/exec.so", "exec.nagius"});
  CHECK(near.exit_code == 2);
  CHECK(contains(near, "did you mean 'exec.nagios'?"));
}

TEST_CASE("docs renews the tables of a README in place", "[cli]") {
  const TempDir dir;
  write_file(dir / "README.md",
             "# mine\n<!-- options of exec.nagios -->\n<!-- end of options -->\nx\n<!-- options of "
             "exec.command -->\n<!-- end of options -->\n");
  CHECK(ronda_plugin({"docs", plugins + "/exec.so", "--into", dir / "README.md"}).exit_code == 0);
  const std::string renewed = read_text(dir / "README.md");
  CHECK(renewed.find("| `command` | list of string | required |") != std::string::npos);
  const Said again = ronda_plugin({"docs", plugins + "/exec.so", "--into", dir / "README.md"});
  CHECK(again.text.empty());
  const auto told = json_of(ronda_plugin({"docs", plugins + "/exec.so", "--into", dir / "README.md", "--output", "json"}));
  CHECK(told.at("file") == json::value(dir / "README.md"));
  CHECK(told.at("renewed") == false);
  for (const std::string form : {"markdown", "man"}) {
    std::vector<std::string> words = {"docs", plugins + "/exec.so"};
    if (form == "man") words.push_back("--man");
    const std::string text = ronda_plugin(words).text;
    words.insert(words.end(), {"--output", "json"});
    const auto page = json_of(ronda_plugin(words));
    CHECK(page.at("id") == "org.ronda.exec");
    CHECK(page.at(form) == json::value(text));
  }
  CHECK(read_text(dir / "README.md") == renewed);
  write_file(dir / "README.md", "nothing\n");
  CHECK(ronda_plugin({"docs", plugins + "/exec.so", "--into", dir / "README.md"}).exit_code == 1);
  CHECK(read_text(dir / "README.md") == "nothing\n");
}

TEST_CASE("lint prints rule, severity and remedy, and exits 1 for an error only", "[cli]") {
  const TempDir dir;
  const Said good = ronda_plugin({"lint", plugins + "/exec.so"});
  CHECK(good.exit_code == 0);
  CHECK(contains(good, "nothing to correct"));
  const std::string stray = build_plugin(dir, "stray", PluginSource::with_code(minimal_code + "int helper(void) { return 1; }\n"));
  const Said bad = ronda_plugin({"lint", stray});
  CHECK(bad.exit_code == 1);
  CHECK(contains(bad,
                 "stray.so: error stray_export: exports more than its entry: helper\n  remedy: compile with "
                 "-fvisibility=hidden"));
  const json::object out = json_of(ronda_plugin({"lint", stray, "--output", "json"}));
  CHECK(out.at("findings").at(0).at("rule") == "stray_export");
}
