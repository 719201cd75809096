// SPDX-License-Identifier: Apache-2.0
#include "plugin/catalogue.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "built_plugin.hpp"
#include "catch.hpp"
#include "plugin/abi_window.hpp"
#include "plugin/sha256.hpp"

using namespace ronda;
using namespace ronda::plugin;
using namespace ronda::test;

namespace {

std::string manifest_of(const std::string& id, const std::string& procedure, const std::string& more = "") {
  return "manifest = 1\n[plugin]\nid = \"" + id + "\"\nversion = \"1.0.0\"\nlicense = \"Apache-2.0\"\nabi = { major = 1, minor = 0 }\n" +
         more + "[[provides]]\nkind = \"ronda.check/1\"\nname = \"" + procedure + "\"\nsummary = \"s\"\n";
}

std::string build(const TempDir& dir, const std::string& name, const std::string& manifest) {
  return build_plugin(dir, name, PluginSource::with_manifest(manifest));
}

Catalogue scan(const TempDir& dir, const Trust& trust = {}) {
  ScanRequest request;
  request.directories = {dir.path()};
  request.uid = geteuid();
  request.trust = trust;
  return scan_plugins(request);
}

std::string refusals(const Catalogue& catalogue) {
  std::string out;
  for (const RefusedFile& file : catalogue.refused)
    out += std::filesystem::path(file.path).filename().string() + ": " + file.refusal.text() + "\n";
  return out;
}

std::string hash_of(const std::string& path) {
  return sha256_hex(read_bytes(path));
}

}  // namespace

TEST_CASE("one bad file never hides the good ones beside it", "[plugin]") {
  const TempDir dir;
  const std::string good = build(dir, "good", manifest_of("org.example.good", "good"));
  write_file(dir / "empty.so", "");
  write_file(dir / "text.so", "hello");
  write_file(dir / "README", "not looked at");
  for (const char* name : {".hidden.so", "old.so~", "a.so.bak", "b.so.dpkg-new", "c.so.rpmsave"}) write_file(dir / name, "x");
  symlink("good.so", (dir / "link.so").c_str());
  build(dir, "toml", "manifest = 1\n[plugin\n");
  const Catalogue catalogue = scan(dir);
  CHECK(refusals(catalogue) ==
        "empty.so: read/empty_file: the file is empty; copy or build it again\n"
        "link.so: open/symlink: is a symbolic link; put the file itself into the directory\n"
        "text.so: read/not_elf: is not an ELF file; build it with ronda_add_plugin()\n"
        "toml.so: read/bad_manifest: its manifest has errors: plugin.toml:2:8: error: " +
            catalogue.refused.back().problems.front().substr(24) + "; ronda plugin lint FILE shows all of them\n");
  CHECK(catalogue.skipped.size() == 5);
  const auto found = catalogue.find(Kind::check, "good");
  REQUIRE(found);
  CHECK(found->plugin->path == good);
  CHECK(found->plugin->sha256 == hash_of(good));
  CHECK(found->plugin->entry_major == 1);
}

TEST_CASE("files with one id are all refused, each names the others, and nobody else suffers", "[plugin]") {
  const TempDir dir;
  build(dir, "a", manifest_of("org.example.one", "x"));
  build(dir, "b", manifest_of("org.example.one", "y"));
  build(dir, "c", manifest_of("org.example.two", "y"));
  const Catalogue catalogue = scan(dir);
  CHECK(refusals(catalogue) == "a.so: policy/duplicate_id: has the id 'org.example.one', as " + dir / "b.so" +
                                   " has; remove one of the two files\n"
                                   "b.so: policy/duplicate_id: has the id 'org.example.one', as " +
                                   dir / "a.so" + " has; remove one of the two files\n");
  CHECK(catalogue.plugins.size() == 1);
  CHECK(catalogue.find(Kind::check, "y")->plugin->manifest.id == "org.example.two");

  build(dir, "d", manifest_of("org.example.one", "x"));
  CHECK(scan(dir).refused.back().refusal.text() == "policy/duplicate_id: has the id 'org.example.one', as " + dir / "a.so" + " and " +
                                                       dir / "b.so" + " have; remove all of these files but one");
}

TEST_CASE("a file that is refused for itself makes no id ambiguous", "[plugin]") {
  const TempDir dir;
  const std::string meant = build(dir, "a", manifest_of("org.example.one", "x"));
  build(dir, "b", manifest_of("org.example.one", "x") + "# another build\n");
  Trust trust;
  trust.plugins["org.example.one"].sha256 = {hash_of(meant)};
  const Catalogue catalogue = scan(dir, trust);
  REQUIRE(catalogue.refused.size() == 1);
  CHECK(catalogue.refused[0].refusal.reason == LoadReason::wrong_hash);
  CHECK(catalogue.plugins.at("org.example.one")->path == meant);
}

TEST_CASE("of two ids with one procedure the first file is used, and the other names it", "[plugin]") {
  const TempDir dir;
  build(dir, "a", manifest_of("org.example.one", "x"));
  build(dir, "c", manifest_of("org.example.two", "x"));
  const Catalogue catalogue = scan(dir);
  CHECK(refusals(catalogue) == "c.so: policy/duplicate_procedure: provides the check 'x', as " + dir / "a.so" +
                                   " ('org.example.one') does; remove one of the two files\n");
  CHECK(catalogue.plugins.size() == 1);
}

TEST_CASE("what runs under an id that became ambiguous keeps its procedures", "[plugin]") {
  const TempDir dir;
  build(dir, "m", manifest_of("org.example.one", "x"));
  const Catalogue before = scan(dir);
  build(dir, "n", manifest_of("org.example.one", "x"));
  build(dir, "a", manifest_of("org.example.another", "x"));
  ScanRequest request;
  request.directories = {dir.path()};
  request.uid = geteuid();
  request.previous = &before;
  const Catalogue after = scan_plugins(request);
  CHECK(after.plugins.empty());
  REQUIRE(after.refused.size() == 3);
  CHECK(after.refused[0].refusal.text() == "policy/duplicate_procedure: provides the check 'x', as " + dir / "m.so" +
                                               " ('org.example.one') does; remove one of the two files");
}

TEST_CASE("directories are equal, one that is named twice is read once, and one may be reached by a symlink", "[plugin]") {
  const TempDir first;
  const TempDir second;
  build(first, "x", manifest_of("org.example.x", "x"));
  build(second, "x", manifest_of("org.example.x", "x"));
  build(second, "y", manifest_of("org.example.y", "y"));
  const TempDir links;
  symlink(first.path().c_str(), (links / "current").c_str());
  ScanRequest request;
  request.directories = {links / "current", second.path(), first.path(), links / "none"};
  request.uid = geteuid();
  const Catalogue catalogue = scan_plugins(request);
  CHECK(catalogue.plugins.size() == 1);
  CHECK(catalogue.plugins.contains("org.example.y"));
  REQUIRE(catalogue.refused.size() == 3);
  CHECK(catalogue.refused[0].refusal.reason == LoadReason::no_directory);
  CHECK(catalogue.refused[1].path == links / "current" + "/x.so");
  CHECK(catalogue.refused[1].refusal.message == "has the id 'org.example.x', as " + second / "x.so" + " has");
  CHECK(catalogue.refused[2].path == second / "x.so");
  request.directories = {links / "current", first.path() + "/", first.path()};
  CHECK(scan_plugins(request).refused.empty());
  CHECK(scan_plugins(request).plugins.at("org.example.x")->path == links / "current" + "/x.so");
}

TEST_CASE("a procedure that is missing is explained", "[plugin]") {
  const TempDir dir;
  build(dir, "good", manifest_of("org.example.good", "http.request"));
  build(dir, "one", manifest_of("org.example.twin", "http.scenario"));
  build(dir, "two", manifest_of("org.example.twin", "http.scenario"));
  const Catalogue catalogue = scan(dir);
  CHECK(catalogue.explain_missing(Kind::check, "http.reqest") ==
        "no plugin provides the check 'http.reqest'; did you mean 'http.request'?");
  CHECK(catalogue.explain_missing(Kind::check, "zzz") == "no plugin provides the check 'zzz'");
  CHECK(catalogue.explain_missing(Kind::task, "http.request") == "'http.request' is a check, not a task");
  CHECK(catalogue.explain_missing(Kind::check, "http.scenario") ==
        "the plugin that provides 'http.scenario' is refused: " + dir / "one.so" +
            ": policy/duplicate_id: has the id 'org.example.twin', as " + dir / "two.so" + " has; remove one of the two files");
}

TEST_CASE("the trail of the loader names every step", "[plugin]") {
  const TempDir dir;
  const TempDir state;
  const std::string path = build(dir, "good", manifest_of("org.example.good", "g", "needs = [\"net\"]\nodd = 1\n"));
  write_file(dir / "bad.so", "");
  Stage stage(state.path(), geteuid());
  ScanRequest request;
  request.directories = {dir.path()};
  request.uid = geteuid();
  request.stage = &stage;
  const Catalogue catalogue = scan_plugins(request);
  const std::string hash = hash_of(path);
  CHECK(catalogue.why("org.example.good") ==
        "org.example.good 1.0.0 is usable\n"
        "1 open    " +
            path + ", " + std::to_string(std::filesystem::file_size(path)) + " bytes\n" + "2 stage   " + state / "stage/" + hash + ".so\n" +
            "3 read    sha256 " + hash + "\n" +
            "          plugin.toml:8:1: warning: [plugin]: unknown key 'odd'\n"
            "4 policy  entry 1, grants: net\n");
  CHECK(catalogue.why(dir / "bad.so") == dir / "bad.so" +
                                             " is refused\n"
                                             "3 read    empty_file: the file is empty\n"
                                             "remedy    copy or build it again\n");
  CHECK(catalogue.why("org.example.none").empty());
}

TEST_CASE("a rescan says what changed by content, whatever the times and names say", "[plugin]") {
  const TempDir dir;
  const TempDir state;
  Stage stage(state.path(), geteuid());
  const std::string path = build(dir, "one", manifest_of("org.example.one", "one"));
  const std::string two = build(dir, "two", manifest_of("org.example.two", "two"));
  ScanRequest request;
  request.directories = {dir.path()};
  request.uid = geteuid();
  request.stage = &stage;
  const Catalogue before = scan_plugins(request);
  request.previous = &before;

  SECTION("new times on the same bytes are no change, and the file is not read again") {
    const struct timespec times[2] = {{0, 0}, {0, 0}};
    utimensat(AT_FDCWD, path.c_str(), times, 0);
    const Catalogue after = scan_plugins(request);
    CHECK(diff(before, after).empty());
    CHECK(after.plugins.at("org.example.one")->staged == before.plugins.at("org.example.one")->staged);
  }
  SECTION("new bytes under the old times are a change") {
    struct stat facts {};
    REQUIRE(stat(path.c_str(), &facts) == 0);
    const std::string old_hash = hash_of(path);
    build(dir, "one", manifest_of("org.example.one", "one") + "# later\n");
    const struct timespec times[2] = {facts.st_atim, facts.st_mtim};
    utimensat(AT_FDCWD, path.c_str(), times, 0);
    const auto changes = diff(before, scan_plugins(request));
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].id == "org.example.one");
    CHECK(changes[0].old_sha256 == old_hash);
    CHECK(changes[0].new_sha256 == hash_of(path));
  }
  SECTION("a plugin under another name is the same plugin; one that is gone is gone") {
    std::filesystem::rename(path, dir / "renamed.so");
    unlink(two.c_str());
    const Catalogue after = scan_plugins(request);
    const auto changes = diff(before, after);
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].id == "org.example.two");
    CHECK(changes[0].new_sha256.empty());
    CHECK(after.plugins.at("org.example.one")->path == dir / "renamed.so");
  }
  SECTION("overwriting or truncating the file does not touch what was staged") {
    REQUIRE(truncate(path.c_str(), 100) == 0);
    const Catalogue after = scan_plugins(request);
    CHECK_FALSE(after.plugins.contains("org.example.one"));
    const PluginPointer old = before.plugins.at("org.example.one");
    const auto bytes = read_plugin_bytes(old->staged->file.get());
    REQUIRE(bytes);
    CHECK(bytes->sha256 == old->sha256);
  }
}

TEST_CASE("the ABI window accepts older minors and the older major, and names what it refuses", "[plugin]") {
  const HostAbi host{1, 2, 3};
  CHECK(*choose_entry(host, {1}, {1, 0}) == 1);
  CHECK(*choose_entry(host, {1}, {1, 7}) == 1);  // majors N-1 are whole: nothing is appended to them any more
  CHECK(*choose_entry(host, {1, 2}, {1, 0}) == 2);
  CHECK(*choose_entry(host, {2}, {2, 3}) == 2);
  CHECK(*choose_entry({1, 1, 0}, {1, 2}, {2, 5}) == 1);
  CHECK(choose_entry({1, 1, 3}, {1}, {1, 9}).error().message == "needs SDK 1.9, agent has 1.3");
  CHECK(choose_entry(host, {3}, {3, 0}).error().message == "offers the plugin ABI 3; this agent accepts 1 and 2");
  CHECK(choose_entry({1, 1, 0}, {2, 3}, {2, 0}).error().message == "offers the plugin ABI 2, 3; this agent accepts 1");
  CHECK(choose_entry(host, {}, {1, 0}).error().reason == LoadReason::no_entry);
}

TEST_CASE("a plugin for a later SDK is refused before it is loaded", "[plugin]") {
  const TempDir dir;
  std::string newer = manifest_of("org.example.newer", "n");
  newer.replace(newer.find("minor = 0"), 9, "minor = 9");
  build(dir, "newer", newer);
  build_plugin(dir, "second", PluginSource::with_code("void *ronda_plugin_entry_2(void) { return 0; }\n"));
  CHECK(refusals(scan(dir)) ==
        "newer.so: policy/needs_newer_minor: needs SDK 1.9, agent has 1.0; "
        "upgrade the agent, or build with -DRONDA_TARGET_MINOR=0\n"
        "second.so: policy/wrong_major: offers the plugin ABI 2; this agent accepts 1; "
        "take a build of the plugin for this agent, or another agent\n");
}

TEST_CASE("pins, grants and users come from trust.toml alone", "[plugin]") {
  const TempDir dir;
  const std::string path = build(dir, "x", manifest_of("org.example.x", "x", "needs = [\"exec\", \"net\", \"setuid\"]\n"));
  const auto trust_of = [](const std::string& text) {
    config::Diagnostics diagnostics;
    auto trust = parse_trust(text, 0, diagnostics);
    REQUIRE(trust);
    return *std::move(trust);
  };
  const std::string entry = "[plugin.\"org.example.x\"]\n";

  SECTION("the owner rule gives all but setuid and detached") {
    const Catalogue catalogue = scan(dir);
    CHECK(catalogue.plugins.at("org.example.x")->grants == std::vector<Grant>{Grant::exec, Grant::net});
  }
  SECTION("a list of grants is the whole truth") {
    CHECK(refusals(scan(dir, trust_of(entry + "grants = [\"exec\", \"setuid\"]\n"))) ==
          "x.so: policy/grant_refused: needs the grant 'net', which trust.toml does not give 'org.example.x'; "
          "add it to `grants` there if the plugin may have it\n");
    const Catalogue catalogue = scan(dir, trust_of(entry + "grants = [\"exec\", \"net\", \"setuid\"]\nusers = [\"nagios\"]\n"));
    const PluginPointer plugin = catalogue.plugins.at("org.example.x");
    CHECK(plugin->grants == std::vector<Grant>{Grant::exec, Grant::net, Grant::setuid});
    CHECK(plugin->users == std::vector<std::string>{"nagios"});
  }
  SECTION("in pin mode what has no pin is refused") {
    CHECK(refusals(scan(dir, trust_of("mode = \"pin\"\n"))) ==
          "x.so: policy/not_pinned: trust.toml has no pin for 'org.example.x', and mode is \"pin\"; "
          "ronda plugin install writes one\n");
    CHECK(scan(dir, trust_of("mode = \"pin\"\n" + entry + "sha256 = [\"" + hash_of(path) + "\"]\n")).refused.empty());
  }
  SECTION("a pin binds in owner mode too") {
    const std::string other(64, 'a');
    CHECK(refusals(scan(dir, trust_of(entry + "sha256 = [\"" + other + "\"]\n"))) ==
          "x.so: policy/wrong_hash: its sha256 " + hash_of(path) +
              " is not among the pins of 'org.example.x'; "
              "if the change is yours, ronda plugin install writes the new pin\n");
  }
}

TEST_CASE("a wrong trust.toml is not obeyed by half", "[plugin]") {
  auto [text, message] = GENERATE(table<std::string, std::string>({
      {"mode = \"pins\"", "trust.toml:1:8: error: trust: 'mode' must be \"owner\" or \"pin\"\n"},
      {"[plugin.org.example]\nsha256 = []", "trust.toml:1:9: error: write the id in quotes: [plugin.\"org.example.disk\"]\n"},
      {"[plugin.\"org.example.x\"]\nsha256 = [\"abc\"]",
       "trust.toml:2:10: error: [plugin.\"org.example.x\"]: 'sha256' must be a list of 64 small hexadecimal "
       "digits each\n"},
      {"[plugin.\"org.example.x\"]\ngrants = [\"root\"]", "trust.toml:2:10: error: [plugin.\"org.example.x\"]: there is no grant 'root'\n"},
      {"[plugin.\"org.example.x\"]\nsha265 = []",
       "trust.toml:2:1: warning: [plugin.\"org.example.x\"]: unknown key 'sha265'; did you mean 'sha256'?\n"
       "trust.toml:1:1: error: trust: unknown keys are not obeyed, so this file is not either\n"},
      {"[install]\nverify = \"gpgv\"", "trust.toml:2:10: error: [install]: 'verify' must be a list of texts\n"},
      {"[install]\nverify = []", "trust.toml:2:10: error: [install]: 'verify' must be a program and its arguments, at most 64 words\n"},
      {"[install]\nverify = [\"gpgv\", \"{signature}\"]",
       "trust.toml:2:11: error: [install]: 'verify' begins with the program's absolute path, not with 'gpgv'\n"},
      {"[install]\nverify = [\"/bin/{file}\", \"{signature}\"]",
       "trust.toml:2:11: error: [install]: 'verify' has a placeholder in the program's path\n"},
      {"[install]\nverify = [\"/bin/gpgv\", \"{sgnature}\", \"--x={signature}\"]",
       "trust.toml:2:24: error: [install]: 'verify' has no placeholder '{sgnature}'; did you mean '{signature}'?\n"},
      {"[install]\nverify = [\"/bin/gpgv\", \"{signature}\",\n  \"{file}{key\"]",
       "trust.toml:3:3: error: [install]: 'verify' has no placeholder '{key'; there are {file} and {signature}\n"},
      {"[install]\nverify = [\"/bin/gpgv\", \"{file}\"]",
       "trust.toml:2:10: error: [install]: 'verify' must give the program the signature: {signature}\n"},
      {"[install]\nverify = [\"/bin/gpgv\", \"{signature}\", \"a\\u0000b\"]",
       "trust.toml:2:39: error: [install]: 'verify' holds a word that no program can be given\n"},
  }));
  config::Diagnostics diagnostics;
  CHECK_FALSE(parse_trust(text, 0, diagnostics));
  std::string said;
  for (const auto& diagnostic : diagnostics.all()) said += headline(diagnostic, {{"trust.toml", text}}) + "\n";
  CHECK(said == message);
}

TEST_CASE("trust.toml itself must be its owner's alone", "[plugin]") {
  const TempDir dir;
  const std::string path = dir / "trust.toml";
  config::Sources sources;
  config::Diagnostics diagnostics;
  CHECK(load_trust(path, geteuid(), sources, diagnostics)->mode == TrustMode::owner);
  write_file(path, "mode = \"pin\"\n");
  CHECK(load_trust(path, geteuid(), sources, diagnostics)->mode == TrustMode::pin);
  chmod(path.c_str(), 0666);
  CHECK_FALSE(load_trust(path, geteuid(), sources, diagnostics));
  CHECK(diagnostics.errors() == 1);
}

TEST_CASE("trust.toml is read back as it is written", "[plugin]") {
  Trust trust;
  trust.mode = TrustMode::pin;
  trust.install.verify = {"/usr/bin/gpgv", "--keyring", "/etc/a \"b\".gpg", "{signature}", "--file={file}"};
  trust.plugins["org.example.x"] = {{std::string(64, 'a')}, std::vector<Grant>{Grant::exec, Grant::setuid}, {"nagios"}};
  config::Diagnostics diagnostics;
  const auto again = parse_trust(format_trust(trust), 0, diagnostics);
  REQUIRE(again);
  CHECK(again->mode == TrustMode::pin);
  CHECK(again->install.verify == trust.install.verify);
  CHECK(again->plugins.at("org.example.x").sha256 == trust.plugins.at("org.example.x").sha256);
  CHECK(again->plugins.at("org.example.x").grants == trust.plugins.at("org.example.x").grants);
  CHECK(again->allows_user("org.example.x", "nagios"));
  CHECK_FALSE(again->allows_user("org.example.x", "root"));
}

TEST_CASE("a library or a version that this host lacks is named before anything is loaded", "[plugin]") {
  const TempDir libraries;
  const TempDir dir;
  const auto check = [&](const std::string& path, std::vector<std::string> directories) {
    const auto facts = read_plugin_elf(read_bytes(path));
    REQUIRE(facts);
    HostLibraries host(std::move(directories));
    const auto refusal = host.check(*facts);
    return refusal ? refusal->text() : "fits";
  };
  const std::string plain =
      build_plugin(dir, "plain", PluginSource::with_code(minimal_code + "void exit(int); void f(void) { exit(1); }\n"));
  CHECK(check(plain, system_library_directories()) == "fits");

  build_plugin(libraries, "libronda_absent");
  const std::string lonely =
      build_plugin(dir, "lonely", PluginSource::with_flags({"-Wl,--no-as-needed", "-L" + libraries.path(), "-lronda_absent"}));
  CHECK(check(lonely, system_library_directories()) ==
        "read/missing_library: needs the library libronda_absent.so, which this host does not have; "
        "install the package that brings it");

  // an old C library that offers one version only
  write_file(libraries / "map", "GLIBC_2.1 { global: exit; };\nGLIBC_2.0 { global: old; };\n");
  const std::string old =
      build_plugin(libraries, "old",
                   PluginSource::with_code("void exit(int c) {} void old(void) {}\n",
                                           {"-nostdlib", "-Wl,--version-script=" + libraries / "map", "-Wl,-soname,libc.so.6"}));
  std::filesystem::rename(old, libraries / "libc.so.6");
  const std::string said = check(plain, {libraries.path()});
  CHECK(said.starts_with("read/missing_version: needs GLIBC_2."));
  CHECK(
      said.ends_with(" of libc.so.6; this host has up to GLIBC_2.1; "
                     "build it on this release of the system or an older one"));
}

TEST_CASE("a plugin whose bytes kill the vetting process is refused", "[plugin]") {
  const TempDir dir;
  build(dir, "x", manifest_of("org.example.x", "x"));
  ScanRequest request;
  request.directories = {dir.path()};
  request.uid = geteuid();
  request.vet = [](const PluginBytes&) { return []() -> Status { return Error(Errc::corrupt, "reading it ended with signal 11"); }; };
  CHECK(refusals(scan_plugins(request)) == "x.so: read/vetting_failed: reading it ended with signal 11; build it again\n");
  request.vet = [](const PluginBytes& plugin) {
    read_hostile_bytes(plugin.bytes);
    return [] { return done(); };
  };
  CHECK(refusals(scan_plugins(request)).empty());
}

TEST_CASE("plugins are vetted a few at a time, and told in the order of their names", "[plugin]") {
  const TempDir dir;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g"}) build(dir, name, manifest_of(std::string("org.example.") + name, name));
  { std::ofstream(dir.path() + "/bb.so") << "no plugin"; }
  ScanRequest request;
  request.directories = {dir.path()};
  request.uid = geteuid();
  int under_way = 0, most = 0, all = 0;
  request.vet = [&](const PluginBytes&) {
    most = std::max(most, ++under_way);
    return [&]() -> Status {
      --under_way;
      return ++all % 2 == 0 ? Error(Errc::corrupt, "it is the " + std::to_string(all) + "th") : Status(done());
    };
  };
  const auto found = scan_plugins(request);
  CHECK(under_way == 0);
  CHECK(all == 8);
  CHECK(most == 4);
  CHECK(refusals(found) ==
        "b.so: read/vetting_failed: it is the 2th; build it again\n"
        "bb.so: read/not_elf: is not an ELF file; build it with ronda_add_plugin()\n"
        "c.so: read/vetting_failed: it is the 4th; build it again\n"
        "e.so: read/vetting_failed: it is the 6th; build it again\n"
        "g.so: read/vetting_failed: it is the 8th; build it again\n");
}
