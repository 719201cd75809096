// SPDX-License-Identifier: Apache-2.0
// [install] verify: a real tool with a real key judges the very bytes that are installed, and whatever is not its
// exit code 0 installs nothing.
#include "cli/plugin_signature.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "program.hpp"

using namespace ronda;
using namespace ronda::test;
namespace fs = std::filesystem;

namespace {

/// A maker of plugins: an Ed25519 key, and signatures by openssl.
class Maker {
 public:
  Maker() {
    REQUIRE(run_program({"openssl", "genpkey", "-algorithm", "ed25519", "-out", home_ / "key.pem"}) == 0);
    REQUIRE(run_program({"openssl", "pkey", "-in", home_ / "key.pem", "-pubout", "-out", home_ / "public.pem"}) == 0);
  }
  void sign(const std::string& file, const std::string& signature) const {
    REQUIRE(run_program({"openssl", "pkeyutl", "-sign", "-inkey", home_ / "key.pem", "-rawin", "-in", file, "-out", signature}) == 0);
  }
  std::string policy() const {
    return "[install]\nverify = [\"/usr/bin/openssl\", \"pkeyutl\", \"-verify\", \"-pubin\", \"-inkey\", \"" + (home_ / "public.pem") +
           "\", \"-rawin\", \"-sigfile\", \"{signature}\", \"-in\", \"{file}\"]\n";
  }

 private:
  TempDir home_;
};

/// A place to install into, a plugin, and a trust.toml.
struct Desk {
  TempDir plugins, source;
  std::string trust = source / "trust.toml", file;

  explicit Desk(const std::string& policy) {
    PluginSource plugin = PluginSource::with_flags({"-Wl,-z,now"});
    plugin.manifest += "open_metrics = true\n";
    file = build_plugin(source, "disk", plugin);
    write_file(trust, policy);
  }
  Said install(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"install", file, "--yes", "--plugins", plugins.path()});
    return ronda_plugin_trusting(trust, more);
  }
  bool is_empty() const { return fs::is_empty(plugins.path()); }
};

/// trust.toml with this shell command; dash because /bin/sh is a link, and the first of its arguments is {signature}.
std::string shell(const std::string& command, const std::string& more = "") {
  return "[install]\nverify = ['/usr/bin/dash', '-c', '" + command + "', '{signature}'" + more + "]\n";
}

}  // namespace

TEST_CASE("where trust.toml names a tool only what it verifies is installed, and JSON says by what", "[cli]") {
  const Maker maker, stranger;
  const Desk desk(maker.policy());
  const std::string signature = desk.file + ".sig";

  const Said missing = desk.install();
  CHECK(missing.exit_code == 1);
  CHECK(contains(missing, "ronda: " + desk.file + " is not verified, as [install] verify at " + desk.trust +
                              ":2:10 asks: opening the signature " + signature +
                              ": No such file or directory\n  remedy: put its detached signature there, or name it with --signature\n"));
  stranger.sign(desk.file, signature);
  const Said foreign = desk.install();
  CHECK(foreign.exit_code == 1);
  CHECK(contains(foreign, "is not verified by " + signature + ": /usr/bin/openssl, which [install] verify at " + desk.trust +
                              ":2:10 names, ended with exit code 1\n  it said: Signature Verification Failure\n  remedy: "));
  maker.sign(desk.trust, signature);  // of another file
  CHECK(desk.install().exit_code == 1);
  CHECK(desk.is_empty());

  const std::string elsewhere = desk.source / "elsewhere";
  maker.sign(desk.file, elsewhere);
  CHECK(desk.install().exit_code == 1);
  const Said good = desk.install({"--signature", elsewhere, "--output", "json"});
  INFO(good.text);
  CHECK(good.exit_code == 0);
  CHECK(json_of(good).at("verified") == boost::json::value{{"program", "/usr/bin/openssl"}, {"signature", elsewhere}});
  CHECK(read_bytes(desk.plugins / "disk.so") == read_bytes(desk.file));
  maker.sign(desk.file, signature);
  const Said again = desk.install();  // what is there already must be verified like anything
  CHECK(again.exit_code == 0);
  CHECK(contains(again,
                 "verified by /usr/bin/openssl with " + signature + "\n" + (desk.plugins / "disk.so") + " has this content already\n"));
  fs::remove(signature);
  CHECK(desk.install().exit_code == 1);
}

TEST_CASE("without such a tool nothing is verified, and --signature says that nothing would be", "[cli]") {
  const Desk desk("mode = \"owner\"\n");
  const Said named = desk.install({"--signature", desk.file + ".sig"});
  CHECK(named.exit_code == 2);
  CHECK(contains(named, "nothing would verify the signature: " + desk.trust + " has no [install] verify"));
  CHECK(desk.is_empty());
  const Said plain = desk.install({"--output", "json"});
  CHECK(plain.exit_code == 0);
  CHECK(json_of(plain).at("verified").is_null());
}

TEST_CASE("a trust.toml with errors installs nothing; one that is rewritten for a pin asks for signatures as before", "[cli]") {
  const Maker maker;
  SECTION("an error") {
    const Desk desk("[install]\nverfy = []\n");
    const Said said = desk.install();
    CHECK(said.exit_code == 1);
    CHECK(contains(said, desk.trust + ":2:1: warning: [install]: unknown key 'verfy'; did you mean 'verify'?\n"));
    CHECK(contains(said, desk.trust + ":1:1: error: trust: unknown keys are not obeyed"));
    CHECK(desk.is_empty());
  }
  SECTION("a pin") {
    const Desk desk("mode = \"pin\"\n" + maker.policy());
    maker.sign(desk.file, desk.file + ".sig");
    CHECK(desk.install().exit_code == 0);
    CHECK(read_text(desk.trust).find("sha256 = [\"") != std::string::npos);
    fs::remove(desk.file + ".sig");
    CHECK(contains(desk.install(), "is not verified"));
  }
}

TEST_CASE("what is installed is what was verified, whatever becomes of the file meanwhile, and the tool cannot change it", "[cli]") {
  Desk desk("");
  write_file(desk.trust,
             shell("rm \"" + desk.file + "\"; echo other >\"" + desk.file + "\"; (echo more >>\"$1\") 2>/dev/null && exit 9; exit 0",
                   ", '{file}'"));
  write_file(desk.file + ".sig", "any");
  const FileBytes before = read_bytes(desk.file);
  const Said said = desk.install();
  INFO(said.text);
  CHECK(said.exit_code == 0);
  CHECK(read_text(desk.file) == "other\n");
  CHECK(read_bytes(desk.plugins / "disk.so") == before);
}

TEST_CASE("the tool has nothing of its caller's but the two files; what it says is shown within limits", "[cli]") {
  const Desk desk(shell(R"(env; printf "a\\033[2Jb\\n"; yes no | head -c 200000; exit 3)"));
  write_file(desk.file + ".sig", "any");
  ::setenv("RONDA_CANARY", "canary", 1);
  const Said said = desk.install();
  ::unsetenv("RONDA_CANARY");
  CHECK(said.exit_code == 1);
  CHECK(contains(said, "ended with exit code 3\n"));
  CHECK(contains(said, "it said: PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"));
  CHECK(contains(said, "it said: LANG=C.UTF-8\n"));
  CHECK(contains(said, "it said: PWD=/\n"));
  CHECK_FALSE(contains(said, "CANARY"));
  CHECK_FALSE(contains(said, "HOME="));
  CHECK_FALSE(contains(said, "\033"));
  CHECK(contains(said, "\n  and more\n"));
  CHECK(said.text.size() < 8192);
  CHECK(desk.is_empty());
}

TEST_CASE("only exit code 0 is good, and a tool that is not root's alone is not asked", "[cli]") {
  const Desk desk("");
  write_file(desk.file + ".sig", "any");
  const auto refused = [&](const std::string& policy, const std::string& reason) {
    write_file(desk.trust, policy);
    const Said said = desk.install();
    INFO(said.text);
    CHECK(said.exit_code == 1);
    CHECK(contains(said, reason));
    CHECK(desk.is_empty());
  };
  refused(shell("exit 2"), "ended with exit code 2\n  it said nothing\n");
  refused(shell("kill -9 $$"), "was ended by signal 9");
  const auto tool = [](const std::string& path) { return "[install]\nverify = [\"" + path + "\", \"{signature}\"]\n"; };
  refused(tool("/nonexistent/verify"),
          "the program that [install] verify at " + desk.trust + ":2:10 names cannot be asked: opening /nonexistent");
  refused(tool("/etc/passwd"), "/etc/passwd is not executable; correct it with chmod a+x");
  refused(tool("/dev/null"), "/dev/null is a device, not a regular file");
  const std::string own = desk.source / "tool";
  write_file(own, "#!/bin/sh\nexit 0\n");
  REQUIRE(::chmod(own.c_str(), 0777) == 0);
  refused(tool(own), ::geteuid() == 0 ? own + " has mode 0777: others than its owner can change it" : "not by root");
}

TEST_CASE("a signature is a regular file of bounded size", "[cli]") {
  const Desk desk(shell("exit 0"));
  const std::string signature = desk.file + ".sig";
  const auto refused = [&](const std::string& reason) {
    const Said said = desk.install();
    INFO(said.text);
    CHECK(said.exit_code == 1);
    CHECK(contains(said, reason));
    fs::remove(signature);
  };
  REQUIRE(::mkfifo(signature.c_str(), 0644) == 0);
  refused("the signature " + signature + " is no regular file");
  fs::create_directory(signature);
  refused("the signature " + signature + " is no regular file");
  write_file(signature, "");
  refused("the signature " + signature + " is empty");
  write_file(signature, std::string(cli::max_signature_bytes + 1, 'x'));
  refused("the signature " + signature + " is larger than 64KiB");
  write_file(signature, std::string(cli::max_signature_bytes, 'x'));
  CHECK(desk.install().exit_code == 0);
}

TEST_CASE("a tool that is not named {file} has the plugin on its standard input, else nothing", "[cli]") {
  Desk desk("");
  write_file(desk.file + ".sig", "any");
  const std::string copy = desk.source / "copy";
  fs::copy_file(desk.file, copy);
  write_file(desk.trust, shell("exec cmp - \"" + copy + "\""));
  CHECK(desk.install().exit_code == 0);
  write_file(copy, "else");
  CHECK(desk.install().exit_code == 1);
  write_file(desk.trust, shell("test -z \"$(cat)\" && cmp \"$1\" \"" + desk.file + "\"", ", '{file}'"));
  CHECK(desk.install().exit_code == 0);
}

TEST_CASE("a tool that does not end is killed, also when it has closed what it says", "[cli]") {
  const std::vector<std::uint8_t> bytes = {1, 2, 3};
  const TempDir dir;
  write_file(dir / "sig", "any");
  const std::string command = GENERATE(as<std::string>(), "sleep 600", "exec >&- 2>&-; sleep 600", "sleep 600 & exit 0");
  plugin::InstallTrust trust;
  trust.verify = {"/usr/bin/dash", "-c", command, "{signature}"};
  const auto before = std::chrono::steady_clock::now();
  const Status said = cli::verify_signature(trust, "policy", {"disk.so", bytes, dir / "sig"}, std::chrono::milliseconds(300));
  REQUIRE_FALSE(said);
  CHECK(said.error().message().find("which policy names, was not done after 300ms and was killed") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(60));
}
