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
  const Said said = ronda_plugin({"install", second, "--yes", "--plugins", dir.path()});
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
