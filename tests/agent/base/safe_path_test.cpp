// SPDX-License-Identifier: Apache-2.0
#include "base/safe_path.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "catch.hpp"
#include "scratch.hpp"
#include "skip.hpp"

using namespace ronda;

namespace {

constexpr std::uint64_t mebibyte = 1 << 20;

std::string file_error(const std::string& path, uid_t uid = ::geteuid()) {
  const auto opened = open_trusted_file(path, uid, mebibyte);
  return opened ? "opened" : opened.error().message();
}

std::string directory_error(const std::string& path, uid_t uid = ::geteuid()) {
  const auto opened = open_trusted_directory(path, uid);
  return opened ? "opened" : opened.error().message();
}

}  // namespace

TEST_CASE("a file of the agent's own user below a sticky directory opens", "[base]") {
  const test::Scratch scratch;
  CHECK(file_error(scratch.write("a/b.toml", "x = 1")) == "opened");
  CHECK(directory_error(scratch / "a") == "opened");
  CHECK(directory_error(scratch / "a/../a/./") == "opened");
}

TEST_CASE("what others can change is refused with mode and remedy", "[base]") {
  const test::Scratch scratch;
  const std::string file = scratch.write("a/b.toml", "x = 1");
  SECTION("the file") {
    ::chmod(file.c_str(), 0664);
    CHECK(file_error(file) == file + " has mode 0664: others than its owner can change it; correct it with chmod go-w");
  }
  SECTION("its directory") {
    ::chmod((scratch / "a").c_str(), 0777);
    CHECK(file_error(file) == scratch / "a" + " has mode 0777: others than its owner can change it; correct it with chmod go-w");
  }
  SECTION("a sticky directory is a way, not a place to load from") {
    ::chmod((scratch / "a").c_str(), 01777);
    CHECK(directory_error(scratch / "a") ==
          scratch / "a" + " has mode 1777: others than its owner can change it; correct it with chmod go-w");
    CHECK(file_error(file) == "opened");
    CHECK(file_error(scratch.write("a/c/d.toml", "")) == "opened");
  }
}

TEST_CASE("a foreign owner is refused anywhere on the way", "[base]") {
  if (::geteuid() != 0) return ronda::test::skipped("other-users", "only root can give files away");
  const test::Scratch scratch;
  const std::string file = scratch.write("a/b.toml", "x = 1");
  REQUIRE(::chown((scratch / "a").c_str(), 65534, 65534) == 0);
  CHECK(file_error(file) == scratch / "a" + " is owned by uid 65534, not by root; correct it with chown");
  REQUIRE(::chown(scratch.path().c_str(), 65534, 65534) == 0);
  CHECK(file_error(file, 65534) == "opened");
  CHECK(file_error(file, 1) == scratch.path() + " is owned by uid 65534, not by root or uid 1; correct it with chown");
}

TEST_CASE("a directory may be reached over a symlink, a file may not be one", "[base]") {
  const test::Scratch scratch;
  const std::string file = scratch.write("real/b.toml", "x = 1");
  REQUIRE(::symlink("real", (scratch / "link").c_str()) == 0);
  REQUIRE(::symlink("real/b.toml", (scratch / "b.toml").c_str()) == 0);
  REQUIRE(::symlink("loop", (scratch / "loop").c_str()) == 0);
  CHECK(file_error(scratch / "link/b.toml") == "opened");
  CHECK(file_error(scratch / "b.toml") == scratch / "b.toml" + " is a symbolic link, not a regular file");
  CHECK(directory_error(scratch / "loop") == "opening " + (scratch / "loop") + ": Too many levels of symbolic links");
}

TEST_CASE("a FIFO, a device and a directory are refused without being read", "[base]") {
  const test::Scratch scratch;
  REQUIRE(::mkfifo((scratch / "fifo").c_str(), 0600) == 0);
  CHECK(file_error(scratch / "fifo") == scratch / "fifo" + " is a FIFO, not a regular file");
  CHECK(file_error("/dev/zero") == "/dev/zero is a device, not a regular file");
  CHECK(file_error(scratch.path()) == scratch.path() + " is a directory, not a regular file");
  CHECK(file_error(scratch / "none") == "opening " + (scratch / "none") + ": No such file or directory");
  CHECK(file_error("relative") == "relative is not an absolute path");
}

TEST_CASE("a sparse gigabyte is refused by its size, a file in proc by its content", "[base]") {
  const test::Scratch scratch;
  const std::string file = scratch.write("big.toml", "");
  REQUIRE(::truncate(file.c_str(), 1 << 30) == 0);
  CHECK(file_error(file) == file + " is larger than 1MiB");
  const auto proc = open_trusted_file("/proc/version", 0, mebibyte);
  REQUIRE(proc);
  CHECK(read_stable(proc->get(), "/proc/version", mebibyte).error().message() == "/proc/version changed while it was read");
}
