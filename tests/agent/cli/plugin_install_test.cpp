// SPDX-License-Identifier: Apache-2.0
// install: what was checked is what lies there, the old file is kept, and nothing is put where it would be
// refused.
#include <sys/stat.h>

#include <filesystem>

#include "program.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

PluginSource clean(const std::string& version = "1.0.0", const std::string& needs = "") {
  PluginSource source = PluginSource::with_flags({"-Wl,-z,now"});
  source.manifest += "open_metrics = true\n";
  source.manifest.replace(source.manifest.find("1.0.0"), 5, version);
  source.manifest.replace(source.manifest.find("needs = []"), 10, "needs = [" + needs + "]");
  return source;
}

}  // namespace

TEST_CASE("a new plugin is put there with mode 0644, and what to do next is said", "[cli]") {
  const TempDir dir, source;
  const std::string file = build_plugin(source, "disk", clean("1.0.0", "\"net\""));
  const Said said = ronda_plugin({"install", file, "--yes", "--plugins", dir.path()});
  INFO(said.text);
  CHECK(said.exit_code == 0);
  CHECK(contains(said, "org.example.disk 1.0.0 is new; grants: net"));
  CHECK(contains(said, "use it   ronda reload"));
  CHECK(contains(said, "undo     rm " + (dir / "disk.so") + " && ronda reload"));
  CHECK(read_bytes(dir / "disk.so") == read_bytes(file));
  struct stat facts {};
  REQUIRE(::stat((dir / "disk.so").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0644);
  CHECK(ronda_plugin({"list", "--plugins", dir.path()}).exit_code == 0);
}

TEST_CASE("an upgrade keeps the file's name and the old content, and names the new grants", "[cli]") {
  const TempDir dir, source;
  const std::string first = build_plugin(source, "disk", clean()),
                    second = build_plugin(source, "other-name", clean("1.1.0", "\"net\", \"exec\""));
  REQUIRE(ronda_plugin({"install", first, "--yes", "--plugins", dir.path()}).exit_code == 0);
  const Said said = ronda_plugin({"install", second, "--yes", "--accept-grants", "net,exec", "--plugins", dir.path()});
  INFO(said.text);
  CHECK(said.exit_code == 0);
  CHECK(contains(said, "replaces version 1.0.0; new grants: net, exec"));
  CHECK(contains(said, "undo     mv " + (dir / "disk.so.previous") + " " + (dir / "disk.so")));
  CHECK(read_bytes(dir / "disk.so") == read_bytes(second));
  CHECK(read_bytes(dir / "disk.so.previous") == read_bytes(first));
  CHECK_FALSE(std::filesystem::exists(dir / "other-name.so"));
  CHECK(ronda_plugin({"list", "--plugins", dir.path()}).exit_code == 0);  // the old one disturbs nobody

  const Said again = ronda_plugin({"install", second, "--yes", "--plugins", dir.path()});
  CHECK(again.exit_code == 0);
  CHECK(contains(again, "has this content already"));
  const Said as_json = ronda_plugin({"install", second, "--yes", "--plugins", dir.path(), "--output", "json"});
  CHECK(boost::json::parse(as_json.text).at("changed") == false);  // and nothing but JSON
  CHECK(read_bytes(dir / "disk.so.previous") == read_bytes(first));
}

TEST_CASE("what the loader or lint refuses is not installed, and a name is not taken from another", "[cli]") {
  const TempDir dir, source;
  write_file(source / "script.so", "#!/bin/sh\n");
  const Said script = ronda_plugin({"install", source / "script.so", "--yes", "--plugins", dir.path()});
  CHECK(script.exit_code == 1);
  CHECK(contains(script, "read/script"));

  const Said stray =
      ronda_plugin({"install", build_plugin(source, "stray", PluginSource::with_code(minimal_code + "int helper(void) { return 1; }\n")),
                    "--yes", "--plugins", dir.path()});
  CHECK(stray.exit_code == 1);
  CHECK(contains(stray, "error stray_export"));

  REQUIRE(ronda_plugin({"install", build_plugin(source, "disk", clean()), "--yes", "--plugins", dir.path()}).exit_code == 0);
  PluginSource other = clean();
  other.manifest.replace(other.manifest.find("org.example.disk"), 16, "org.example.more");
  const Said taken = ronda_plugin({"install", build_plugin(source, "more", other), "--yes", "--plugins", dir.path()});
  CHECK(taken.exit_code == 1);
  CHECK(contains(taken, "provides the check 'disk', as 'org.example.disk' does already"));
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir.path())) ++files;
  CHECK(files == 1);
}

TEST_CASE("nothing is installed that would give an id a second file", "[cli]") {
  const TempDir dir, other, source;
  const std::string file = build_plugin(source, "disk", clean("1.1.0"));
  const std::string there = build_plugin(other, "disk", clean());
  const Said elsewhere = ronda_plugin({"install", file, "--yes", "--plugins", dir.path(), "--plugins", other.path()});
  CHECK(elsewhere.exit_code == 1);
  CHECK(contains(elsewhere, "has the id 'org.example.disk', as " + there + " has, which lies in another plugin directory"));
  CHECK(std::filesystem::is_empty(dir.path()));
  build_plugin(other, "twin", clean());
  const Said twice = ronda_plugin({"install", file, "--yes", "--plugins", other.path()});
  CHECK(twice.exit_code == 1);
  CHECK(contains(twice, there + " has the id 'org.example.disk', as " + (other / "twin.so") + " has; remove one of the two files first"));
  CHECK(read_bytes(there) != read_bytes(file));
}

TEST_CASE("without --yes and without a person nothing is installed; nor into a directory that others can write", "[cli]") {
  const TempDir dir, source;
  const std::string file = build_plugin(source, "disk", clean());
  const Said nobody = ronda_plugin({"install", file, "--plugins", dir.path()});
  CHECK(nobody.exit_code == 2);
  CHECK(contains(nobody, "there is nobody to ask: say --yes"));
  REQUIRE(::chmod(dir.path().c_str(), 0777) == 0);
  CHECK(ronda_plugin({"install", file, "--yes", "--plugins", dir.path()}).exit_code == 1);
  REQUIRE(::chmod(dir.path().c_str(), 0755) == 0);
  CHECK(std::filesystem::is_empty(dir.path()));
}

TEST_CASE("--yes does not accept grants that the installed version does not have; they are accepted by name", "[cli]") {
  const TempDir dir, source;
  const std::string first = build_plugin(source, "disk", clean("1.0.0", "\"state\""));
  // the same version, the same code: nothing is new but what it may do
  const std::string wider = build_plugin(source, "wider", clean("1.0.0", "\"state\", \"net\", \"exec\", \"setuid\""));
  write_file(source / "trust.toml", "mode = \"" + std::string(GENERATE(as<std::string>(), "owner", "pin")) + "\"\n");
  const auto install = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "install");
    words.insert(words.end(), {"--plugins", dir.path()});
    return ronda_plugin_trusting(source / "trust.toml", words);
  };
  REQUIRE(install({first, "--yes"}).exit_code == 0);
  const std::string trust = read_text(source / "trust.toml");

  const Said alone = install({wider, "--yes"});
  CHECK(alone.exit_code == 2);
  CHECK(contains(alone, "replaces version 1.0.0; new grants: net, exec; without setuid, which only trust.toml gives\n"));
  CHECK(contains(alone,
                 "--yes does not accept new grants of an upgrade: net, exec; if it may have them, say --yes --accept-grants net,exec\n"));
  const Said one = install({wider, "--yes", "--accept-grants", "net"});
  CHECK(one.exit_code == 2);
  CHECK(contains(one, "does not accept new grants of an upgrade: exec; if"));
  const Said unknown = install({wider, "--yes", "--accept-grants", "net,exce"});
  CHECK(unknown.exit_code == 2);
  CHECK(contains(unknown, "--accept-grants: there is no grant 'exce'; did you mean 'exec'?"));
  CHECK(install({wider, "--accept-grants", "net,exec"}).exit_code == 2);  // that is no yes
  CHECK(read_bytes(dir / "disk.so") == read_bytes(first));
  CHECK_FALSE(std::filesystem::exists(dir / "disk.so.previous"));
  CHECK(read_text(source / "trust.toml") == trust);

  const Said both = install({wider, "--yes", "--accept-grants", "net", "--accept-grants", "exec, files", "--output", "json"});
  CHECK(both.exit_code == 0);
  CHECK(json_of(both).at("new_grants") == boost::json::parse(R"(["net", "exec"])"));
  CHECK(read_bytes(dir / "disk.so") == read_bytes(wider));
  const Said back = install({first, "--yes"});  // less needs no consent
  CHECK(back.exit_code == 0);
  CHECK(contains(back, "new grants: none; no longer: net, exec"));
}

TEST_CASE("a person is asked about the new grants by name", "[cli]") {
  const TempDir dir, source;
  REQUIRE(ronda_plugin({"install", build_plugin(source, "disk", clean()), "--yes", "--plugins", dir.path()}).exit_code == 0);
  const std::string wider = build_plugin(source, "wider", clean("1.1.0", "\"net\""));
  // `script` is the terminal
  const auto answer = [&](const std::string& text) {
    const auto end = cli::run_child(
        {"/usr/bin/script", "-qec",
         RONDA_PROGRAM " plugin install " + wider + " --plugins " + dir.path() + " --trust /nonexistent/trust.toml", "/dev/null"},
        text, std::chrono::seconds(60));
    REQUIRE(end);
    return Said{end->exit_code, end->output};
  };
  const Said no = answer("n\n");
  INFO(no.text);
  CHECK(no.exit_code == 1);
  CHECK(contains(no, "install it as " + (dir / "disk.so") + " with the new grants net? [y/N] "));
  CHECK(contains(no, "nothing was changed"));
  CHECK(read_bytes(dir / "disk.so") != read_bytes(wider));
  CHECK(answer("y\n").exit_code == 0);
  CHECK(read_bytes(dir / "disk.so") == read_bytes(wider));
}

TEST_CASE("what is there and refused has no grants to inherit, and what trust.toml refuses is not put there", "[cli]") {
  const TempDir dir, source;
  const std::string trust = source / "trust.toml", entry = "[plugin.\"org.example.disk\"]\n";
  const auto install = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "install");
    words.insert(words.end(), {"--plugins", dir.path()});
    return ronda_plugin_trusting(trust, words);
  };
  const std::string wide = build_plugin(source, "wide", clean("1.1.0", "\"net\""));
  const std::string there = build_plugin(dir, "disk", clean("1.0.5", "\"net\""));
  write_file(trust, entry + "sha256 = [\"" + std::string(64, 'a') + "\"]\n");
  const Said unknown = install({wide, "--yes"});
  CHECK(unknown.exit_code == 2);
  CHECK(contains(unknown, "replaces a file that is refused (wrong_hash); new grants: net"));
  CHECK(install({wide, "--yes", "--accept-grants", "net"}).exit_code == 0);
  CHECK(read_bytes(there) == read_bytes(wide));
  CHECK_FALSE(std::filesystem::exists(dir / "wide.so"));

  // a file that never had a pin was never let in
  const std::string first = build_plugin(dir, "disk", clean("1.0.5", "\"net\""));
  write_file(trust, "mode = \"pin\"\n");
  CHECK(install({first, "--yes"}).exit_code == 0);

  write_file(trust, entry + "grants = [\"state\"]\n");
  const Said refused = install({wide, "--yes", "--accept-grants", "net"});
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused, "needs the grant 'net', which trust.toml does not give 'org.example.disk'; add it to `grants` there"));
  CHECK(read_bytes(there) == read_bytes(first));
}

TEST_CASE("where pins bind, install writes the pin before the file", "[cli]") {
  const TempDir dir, source;
  write_file(source / "trust.toml", "mode = \"pin\"\n");
  const std::string file = build_plugin(source, "disk", clean());
  const auto end =
      cli::run_child({RONDA_PROGRAM, "plugin", "install", file, "--yes", "--plugins", dir.path(), "--trust", source / "trust.toml"}, {},
                     std::chrono::seconds(60));
  REQUIRE(end);
  INFO(end->output);
  CHECK(end->exit_code == 0);
  CHECK(read_text(source / "trust.toml").find("[plugin.\"org.example.disk\"]\nsha256 = [\"") != std::string::npos);
  CHECK(read_text(source / "trust.toml.previous") == "mode = \"pin\"\n");
  const auto list = cli::run_child({RONDA_PROGRAM, "plugin", "list", "--plugins", dir.path(), "--trust", source / "trust.toml"}, {},
                                   std::chrono::seconds(60));
  REQUIRE(list);
  CHECK(list->exit_code == 0);
}
