// SPDX-License-Identifier: Apache-2.0
#include "config/directory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "catch.hpp"
#include "scratch.hpp"
#include "skip.hpp"

using namespace ronda::config;
using ronda::test::Scratch;

namespace {

struct Read {
  Snapshot snapshot;
  std::string messages;
};

Read read(const std::string& directory) {
  Diagnostics diagnostics;
  Read result;
  result.snapshot = read_directory(directory, "conf.d", ::geteuid(), diagnostics);
  result.messages = render_all(diagnostics, result.snapshot.sources);
  return result;
}

}  // namespace

TEST_CASE("files are read in byte order of the name, the rest is skipped with a reason", "[config]") {
  const Scratch scratch;
  for (const char* name : {"b.toml", "B.toml", "a/x.toml", "10.toml", "9.toml", ".h.toml", "a.toml~", "a.toml.bak", "a.toml.dpkg-new",
                           "a.toml.rpmsave", "README", "x.TOML", "d.toml/x"}) {
    scratch.write(name, "x = 1");
  }
  const Read got = read(scratch.path());
  // of what looks as if it were meant to be read it is said aloud
  CHECK(got.messages ==
        "warning: conf.d/d.toml is not read: it is a directory\n"
        "warning: conf.d/x.TOML is not read: its name must end in .toml, in small letters\n");
  std::string names;
  for (const Source& source : got.snapshot.sources) names += source.path + " ";
  CHECK(names == "conf.d/10.toml conf.d/9.toml conf.d/B.toml conf.d/b.toml ");
  std::string skipped;
  for (const Skipped& one : got.snapshot.skipped) skipped += one.name + ": " + one.reason + "\n";
  CHECK(skipped ==
        ".h.toml: hidden\nREADME: does not end in .toml\na: a directory\na.toml.bak: a backup\n"
        "a.toml.dpkg-new: left by the package manager\na.toml.rpmsave: left by the package manager\n"
        "a.toml~: an editor's backup\nd.toml: a directory\nx.TOML: does not end in .toml\n");
}

TEST_CASE("a file without a byte is told, one of comments alone is not", "[config]") {
  const Scratch scratch;
  scratch.write("10.toml", "# off for now\n");
  scratch.write("20.toml", "");
  CHECK(read(scratch.path()).messages == "conf.d/20.toml: warning: the file is empty: it configures nothing\n");
}

TEST_CASE("what is no file of ours is refused one by one, and none of its bytes are kept", "[config]") {
  const Scratch scratch;
  scratch.write("good.toml", "x = 1");
  REQUIRE(::mkfifo((scratch / "fifo.toml").c_str(), 0600) == 0);
  REQUIRE(::symlink("/etc/shadow", (scratch / "link.toml").c_str()) == 0);
  REQUIRE(::symlink("loop.toml", (scratch / "loop.toml").c_str()) == 0);
  REQUIRE(::truncate(scratch.write("sparse.toml", "").c_str(), 1 << 30) == 0);
  REQUIRE(::chmod(scratch.write("wide.toml", "secret").c_str(), 0666) == 0);
  const Read got = read(scratch.path());
  CHECK(got.messages ==
        "conf.d/fifo.toml: error: refused: is a FIFO, not a regular file\n"
        "conf.d/link.toml: error: refused: is a symbolic link, not a regular file\n"
        "conf.d/loop.toml: error: refused: is a symbolic link, not a regular file\n"
        "conf.d/sparse.toml: error: refused: is larger than 16MiB\n"
        "conf.d/wide.toml: error: refused: has mode 0666: others than its owner can change it; correct it with "
        "chmod go-w\n");
  REQUIRE(got.snapshot.sources.size() == 6);
  for (const Source& source : got.snapshot.sources) {
    CHECK(source.refused == (source.path != "conf.d/good.toml"));
    CHECK(source.text == (source.refused ? "" : "x = 1"));
  }
}

TEST_CASE("a directory that is missing, no directory, or writable by others is an error", "[config]") {
  const Scratch scratch;
  const std::string file = scratch.write("f", "");
  CHECK(read(scratch / "none").messages == "error: opening " + (scratch / "none") + ": No such file or directory\n");
  CHECK(read(file).messages == "error: " + file + " is a regular file, not a directory\n");
  scratch.write("d/a.toml", "");
  REQUIRE(::chmod((scratch / "d").c_str(), 0777) == 0);
  const Read got = read(scratch / "d");
  CHECK_FALSE(got.snapshot.readable);
  CHECK(got.snapshot.sources.empty());
  CHECK(got.messages == "error: " + (scratch / "d") + " has mode 0777: others than its owner can change it; correct it with chmod go-w\n");
}

TEST_CASE("an unreadable directory is an error", "[config]") {
  if (::geteuid() == 0) return ronda::test::skipped("unreadable", "root reads everything");
  const Scratch scratch;
  scratch.write("d/a.toml", "");
  REQUIRE(::chmod((scratch / "d").c_str(), 0000) == 0);
  CHECK(read(scratch / "d").messages == "error: opening " + (scratch / "d") + ": Permission denied\n");
}

TEST_CASE("an empty directory is readable and has no sources", "[config]") {
  const Scratch scratch;
  const Read got = read(scratch.path());
  CHECK(got.snapshot.readable);
  CHECK(got.snapshot.sources.empty());
  CHECK(got.messages.empty());
}

TEST_CASE("a file that is written all the time is read whole or refused, never mixed", "[config]") {
  const Scratch scratch;
  const std::string a(100'000, 'a');
  const std::string b(90'000, 'b');
  scratch.write("x.toml", a);
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) {
      scratch.write("x.toml", b);
      scratch.write("x.toml", a);
    }
  });
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    const Read got = read(scratch.path());
    for (const Source& source : got.snapshot.sources) {
      refused += source.refused ? 1 : 0;
      const bool known = source.text == a || source.text == b || source.refused;
      // the writer truncates first: a prefix of one of the two is a state the file really had
      const bool prefix = a.starts_with(source.text) || b.starts_with(source.text);
      if (!known && !prefix) FAIL("a mixture of two versions");
    }
  }
  stop = true;
  writer.join();
  INFO(refused << " of 200 refused");
  SUCCEED();
}
