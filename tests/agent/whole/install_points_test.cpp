// SPDX-License-Identifier: Apache-2.0
// `ronda plugin install` is killed at each of its calls that change anything: the plugin of before or the new one is there, whole and
// with its pin, and the next install goes through.
#include <signal.h>

#include <filesystem>
#include <iostream>

#include "catch.hpp"
#include "skip.hpp"
#include "story.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr int most_calls = 60;  // of one name

/// A directory of plugins and a trust.toml in which pins bind, with the first version of a plugin installed.
class Shelf {
 public:
  Shelf() {
    fs::create_directory(agent_.scratch() / "source");
    fs::create_directory(directory());
    agent_.scratch().write("trust.toml", "mode = \"pin\"\n");
    offer(1);
    REQUIRE(install({}) == 0);
    REQUIRE(is_there(1));
    offer(2);
  }
  const WholeAgent& agent() const { return agent_; }
  /// With the words of a tracer before those of the program.
  int install(std::vector<std::string> words) const {
    for (const std::string& word : program({"install", source(), "--yes"})) words.push_back(word);
    const std::string out = agent_.scratch() / "install.out";
    return wait_program(start_program(words, out, out), 60s);
  }
  bool is_there(int version) const { return read_file(directory() + "/counter.so") == read_file(built(version)); }
  /// As the agent will see it: neither refused nor without its pin.
  bool is_let_in(int version) const {
    const std::string out = agent_.scratch() / "list.out";
    fs::remove(out);
    const int code = wait_program(start_program(program({"list"}), out, out), 60s);
    return code == 0 && read_file(out).find("\nok     org.ronda.counter  " + std::to_string(version) + ".0.0") != std::string::npos;
  }
  void forget_pins() const { agent_.scratch().write("trust.toml", "mode = \"pin\"\n"); }

 private:
  static std::string built(int version) { return RONDA_BINARY_DIR "/tests/plugins/counter_v" + std::to_string(version) + ".so"; }
  std::string directory() const { return agent_.scratch() / "installed"; }
  std::string source() const { return agent_.scratch() / "source/counter.so"; }
  void offer(int version) const { fs::copy_file(built(version), source(), fs::copy_options::overwrite_existing); }
  std::vector<std::string> program(const std::vector<std::string>& words) const {
    std::vector<std::string> out{ronda_program(), "--plugins", directory(), "--trust", agent_.scratch() / "trust.toml", "plugin"};
    out.insert(out.end(), words.begin(), words.end());
    return out;
  }

  WholeAgent agent_;
};

std::string wrong_of(const Shelf& shelf) {
  const int version = shelf.is_there(2) ? 2 : shelf.is_there(1) ? 1 : 0;
  if (version == 0) return "neither the plugin of before nor the new one is there";
  return shelf.is_let_in(version) ? "" : "version " + std::to_string(version) + " is there and not let in";
}

}  // namespace

TEST_CASE("an install that is killed at any of its calls leaves the plugin of before or the new one, whole and pinned", "[whole]") {
  if (!may_trace()) return skipped("tracing", "there is no strace, or this user may not trace processes here");
  int killed = 0, were_new = 0;
  for (const char* call : {"write", "fchmod", "fsync", "unlinkat", "linkat", "renameat"}) {
    for (int when = 1; when <= most_calls; ++when) {
      INFO(call << " " << when);
      const Shelf shelf;
      const std::string inject = "inject=" + std::string(call) + ":signal=KILL:when=" + std::to_string(when);
      const int code = shelf.install(traced(shelf.agent(), call, false, {"-o", "/dev/null", "-e", inject}));
      CHECK(wrong_of(shelf) == "");
      if (code == 0) break;  // it made no such call any more
      REQUIRE(code == 128 + SIGKILL);
      ++killed;
      were_new += shelf.is_there(2) ? 1 : 0;
      CHECK(shelf.install({}) == 0);
      CHECK((shelf.is_there(2) && shelf.is_let_in(2)));
    }
  }
  std::cout << "killed at " << killed << " calls, at " << were_new << " of them the new plugin was there" << std::endl;
  CHECK(killed >= 15);
  CHECK(were_new > 0);
  CHECK(were_new < killed);
}

TEST_CASE("a plugin that was put there without its pin is found out", "[whole]") {
  const Shelf shelf;
  REQUIRE(wrong_of(shelf) == "");
  shelf.forget_pins();
  CHECK(wrong_of(shelf) == "version 1 is there and not let in");
}
