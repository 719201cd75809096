// SPDX-License-Identifier: Apache-2.0
#include "append.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch.hpp>
#include <cerrno>
#include <csignal>
#include <functional>

#include "files.hpp"
#include "skip.hpp"

using namespace logfile;
using ronda::test::Scratch;

namespace {

/// What open() said, "" when it opened.
std::string opening(const std::string& path) {
  LogFile file;
  const auto failure = file.open(path);
  return failure ? (failure->may_pass ? "retry: " : "drop: ") + failure->text : "";
}

std::string uid() {
  return "uid " + std::to_string(geteuid()) + " of the runner";
}

/// Runs `work` in a process of its own, as a user who is nobody where this one is root; what it returns.
std::string elsewhere(const std::function<std::string()>& work, bool as_nobody) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const auto pid = fork();
  if (pid == 0) {
    if (as_nobody && geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) _exit(1);
    const auto text = work();
    _exit(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  char bytes[512];
  for (ssize_t n = 0; (n = read(ends[0], bytes, sizeof bytes)) > 0;) text.append(bytes, static_cast<std::size_t>(n));
  close(ends[0]);
  waitpid(pid, nullptr, 0);
  return text;
}

}  // namespace

TEST_CASE("lines are added to the end, and a file that is not there is made with mode 0640 under any umask", "[logfile]") {
  const Scratch folder;
  const auto before = umask(077);
  for (const char* line : {"one", "two"}) {
    LogFile file;
    REQUIRE_FALSE(file.open(folder / "a.log"));
    REQUIRE_FALSE(file.append(line));
    REQUIRE_FALSE(file.make_durable());
  }
  umask(before);
  CHECK(content_of(folder / "a.log") == "one\ntwo\n");
  CHECK(mode_of(folder / "a.log") == 0640);
}

TEST_CASE("the mode of a file that is there stays", "[logfile]") {
  const Scratch folder;
  std::ofstream(folder / "a.log") << "old\n";
  chmod((folder / "a.log").c_str(), 0600);
  LogFile file;
  REQUIRE_FALSE(file.open(folder / "a.log"));
  REQUIRE_FALSE(file.append("new"));
  CHECK(content_of(folder / "a.log") == "old\nnew\n");
  CHECK(mode_of(folder / "a.log") == 0600);
}

TEST_CASE("half a line that somebody left is ended before the next", "[logfile]") {
  const Scratch folder;
  std::ofstream(folder / "a.log") << "whole\nhal";
  LogFile file;
  REQUIRE_FALSE(file.open(folder / "a.log"));
  REQUIRE_FALSE(file.append("next"));
  CHECK(content_of(folder / "a.log") == "whole\nhal\nnext\n");
}

TEST_CASE("a link, a directory, a FIFO, a socket and a device are no log", "[logfile]") {
  const Scratch folder;
  const auto path = folder / "x";
  SECTION("link") {
    std::ofstream(folder / "target") << "kept";
    REQUIRE(symlink("target", path.c_str()) == 0);
    CHECK(opening(path) == "drop: " + path + " is a symbolic link, and links are not followed: give the path that it leads to");
    CHECK(content_of(folder / "target") == "kept");
  }
  SECTION("a link that leads nowhere makes no file there") {
    REQUIRE(symlink("nowhere", path.c_str()) == 0);
    CHECK(opening(path) == "drop: " + path + " is a symbolic link, and links are not followed: give the path that it leads to");
    CHECK_FALSE(std::filesystem::exists(folder / "nowhere"));
  }
  SECTION("link on the way") {
    REQUIRE(mkdir((folder / "real").c_str(), 0700) == 0);
    REQUIRE(symlink("real", path.c_str()) == 0);
    CHECK(opening(path + "/a.log") == "drop: " + path + " is a symbolic link, and links are not followed: give the path that it leads to");
  }
  SECTION("directory") {
    REQUIRE(mkdir(path.c_str(), 0700) == 0);
    CHECK(opening(path) == "drop: " + path + " is a directory, not a regular file: give another path");
  }
  SECTION("FIFO, which would wait for a reader") {
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    CHECK(opening(path) == "drop: " + path + " is a FIFO, not a regular file: give another path");
  }
  SECTION("socket") {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    CHECK(opening(path) == "drop: " + path + " is a socket, not a regular file: give another path");
    close(fd);
  }
  SECTION("device") {
    CHECK(opening("/dev/full") == "drop: /dev/full is a device, not a regular file: give another path");
  }
  SECTION("no directory") {
    std::ofstream(path) << "";
    CHECK(opening(path + "/a.log") == "drop: " + path + " is no regular file, not a directory: give another path");
  }
}

TEST_CASE("a directory that others may write to is none for a log", "[logfile]") {
  const Scratch folder;
  const std::string end =
      ": others could put something else where the log is; keep the log in a directory that only root or " + uid() + " may write to";
  CHECK(opening("/tmp/ronda-logfile.log") == "drop: /tmp may be written to by everybody (mode 1777)" + end);
  REQUIRE(mkdir((folder / "open").c_str(), 0700) == 0);
  chmod((folder / "open").c_str(), 0777);
  CHECK(opening(folder / "open/a.log") == "drop: " + folder / "open" + " may be written to by everybody (mode 0777)" + end);
  REQUIRE(mkdir((folder / "open/inner").c_str(), 0700) == 0);
  CHECK(opening(folder / "open/inner/a.log") == "drop: " + folder / "open" + " may be written to by everybody (mode 0777)" + end);
  if (geteuid() != 0) return ronda::test::skipped("other-users", "only root can make files of somebody else");
  REQUIRE(mkdir((folder / "group").c_str(), 0700) == 0);
  REQUIRE(chown((folder / "group").c_str(), 0, 4242) == 0);
  chmod((folder / "group").c_str(), 0770);
  CHECK(opening(folder / "group/a.log") == "drop: " + folder / "group" + " may be written to by group 4242 (mode 0770)" + end);
  REQUIRE(chown((folder / "group").c_str(), 4242, 0) == 0);
  CHECK(opening(folder / "group/a.log") == "drop: " + folder / "group" + " belongs to uid 4242" + end);
}

TEST_CASE("a directory that is not there is told with what to do, and nothing is made", "[logfile]") {
  const Scratch folder;
  CHECK(opening(folder / "gone/a.log") == "drop: open " + folder / "gone" + ": No such file or directory; create the directory");
}

TEST_CASE("who may not write is told who has to be let", "[logfile]") {
  const Scratch folder;
  std::ofstream(folder / "a.log") << "";
  chmod((folder / "a.log").c_str(), 0440);
  chmod(folder.path().c_str(), 0755);
  if (geteuid() != 0) return ronda::test::skipped("other-users", "a file of one's own is another case");
  const auto said = elsewhere([&] { return opening(folder / "a.log"); }, true);
  CHECK(said ==
        "drop: open " + folder / "a.log" +
            ": Permission denied; let uid 65534 of the runner read and write the file and pass its directories, or give the notifier a "
            "`user` who may");
}

TEST_CASE("on a full disk a message is owed, and no half of its line stays", "[logfile]") {
  const Scratch folder;
  const auto said = elsewhere(
      [&]() -> std::string {
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=32k,mode=0700") != 0)
          return "not allowed";
        std::string out;
        const std::string first(6000, 'x'), second(60000, 'y');
        for (const auto& line : {first, second}) {
          LogFile file;
          if (const auto failure = file.open(folder / "a.log")) return failure->text;
          const auto failure = file.append(line);
          out += failure ? (failure->may_pass ? "retry: " : "drop: ") + failure->text : "written";
          out += "\n";
        }
        return out + (content_of(folder / "a.log") == first + "\n" ? "whole" : "torn");
      },
      false);
  if (said == "not allowed") {
    return ronda::test::skipped("own-mounts", "this user may not mount");
  }
  CHECK(said == "written\nretry: write " + folder / "a.log" + ": No space left on device; make room on its file system\nwhole");
}

TEST_CASE("a disk that fails may recover, a path that is wrong will not", "[logfile]") {
  for (const int error : {ENOSPC, EDQUOT, EFBIG, EIO, EROFS, EMFILE, ENFILE, ENOMEM}) CHECK(may_pass(error));
  for (const int error : {EACCES, EPERM, ELOOP, ENOTDIR, ENOENT, EISDIR, ENAMETOOLONG, EINVAL}) CHECK_FALSE(may_pass(error));
}

TEST_CASE("a line of an attempt before is found in the file where it was begun, and in no other", "[logfile]") {
  const Scratch folder;
  LogFile file;
  REQUIRE_FALSE(file.open(folder / "a.log"));
  REQUIRE_FALSE(file.append("before"));
  const auto trace = file.trace("the line");
  CHECK_FALSE(file.holds(trace));
  REQUIRE_FALSE(file.append("somebody else's"));
  CHECK_FALSE(file.holds(trace));
  REQUIRE_FALSE(file.append("the line"));
  CHECK(file.holds(trace));
  const auto again = Trace::parse(trace.text());
  REQUIRE(again);
  CHECK(file.holds(*again));
  // the same text from before the attempt is another message's
  CHECK_FALSE(file.holds(file.trace("the line")));
  rename((folder / "a.log").c_str(), (folder / "a.log.1").c_str());
  LogFile rotated;
  REQUIRE_FALSE(rotated.open(folder / "a.log"));
  REQUIRE_FALSE(rotated.append("before"));
  REQUIRE_FALSE(rotated.append("the line"));
  CHECK_FALSE(rotated.holds(trace));
  CHECK_FALSE(Trace::parse("1 2 three"));
  CHECK_FALSE(Trace::parse(""));
}
