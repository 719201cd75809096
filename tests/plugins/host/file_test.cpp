// SPDX-License-Identifier: Apache-2.0
#include "file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "sha256.hpp"
#include "temp_folder.hpp"
#include "under_test.hpp"

using namespace host;
using ronda::status;

namespace {

struct FileTest : UnderTest<File> {
  TempFolder folder;
  std::string path = folder.write("conf", "setting = 1\n");

  FileTest() {
    set("path", path);
    chmod(path.c_str(), 0640);
    // what the file system calls now, which is a tick behind the clock
    struct stat made{};
    REQUIRE(stat(path.c_str(), &made) == 0);
    host.set_wall(std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::seconds(made.st_mtim.tv_sec)));
  }
};

}  // namespace

TEST_CASE("a file is compared with what conf.d wishes", "[host]") {
  FileTest file;
  SECTION("all well") {
    file.set("mode", "640").set("owner", std::to_string(getuid())).set("min_size", 1).set("max_age", std::chrono::hours(1));
    Sha256 sha;
    sha.update("setting = 1\n");
    CHECK_THAT(file.set("sha256", sha.finish()).run(), Ended(status::ok, "0s old, 12 B"));
  }
  SECTION("content") {
    const auto report = file.set("sha256", std::string(64, 'A')).run();
    CHECK_THAT(report, Ended(status::critical, ", not the expected one"));
    CHECK(report.summary.find("mode") == std::string::npos);
  }
  SECTION("mode") {
    CHECK_THAT(file.set("mode", "0600").run(), Ended(status::critical, "mode is 0640, not 0600"));
  }
  SECTION("owner") {
    CHECK_THAT(file.set("owner", "12345").run(), Ended(status::critical, "not 12345"));
  }
  SECTION("size") {
    CHECK_THAT(file.set("min_size", 1000).run(), Ended(status::critical, "too small: 12 B"));
  }
  SECTION("age") {
    file.host.advance(std::chrono::hours(30));
    CHECK_THAT(file.set("max_age", std::chrono::hours(26)).run(), Ended(status::critical, "1d6h old, more than 1d2h"));
  }
  SECTION("gone") {
    std::filesystem::remove(file.path);
    CHECK_THAT(file.run(), Ended(status::critical, "conf does not exist"));
  }
}

TEST_CASE("a content that could not be read is unknown, and one that cannot be is told", "[host]") {
  FileFacts facts;
  facts.read_error = EACCES;
  FileWishes wishes;
  wishes.sha256 = std::string(64, 'a');
  const auto unread = judge_file(facts, wishes, 0);
  CHECK(unread.level == status::unknown);
  CHECK(unread.text.find("Permission denied; let its user read it") != std::string::npos);
  FileTest file;
  file.set("sha256", std::string(64, 'a')).set("path", file.folder.path());
  CHECK_THAT(file.run(), Ended(status::critical, "is no regular file"));
  file.restart();
  chmod(file.path.c_str(), 0);
  const bool can_read = access(file.path.c_str(), R_OK) == 0;
  if (can_read) return skipped("unreadable", "root reads every file");
  CHECK_THAT(file.set("path", file.path).run(), Ended(status::unknown, "its content was not compared: Permission denied"));
}

TEST_CASE("a user that is not known is refused when the instance is made", "[host]") {
  FileTest file;
  file.set("owner", "no-such-user");
  CHECK(ronda::testing::make<File>(file.host).error() == "owner = \"no-such-user\" is not in /etc/passwd; give its number");
}

TEST_CASE("drift against a baseline is told until another baseline is asked for", "[host]") {
  FileTest file;
  file.set("baseline", "first");
  CHECK_THAT(file.run(), Ended(status::ok, "baseline first taken"));
  CHECK_THAT(file.run(), Ended(status::ok));
  file.folder.write("conf", "setting = 2\n");
  chmod(file.path.c_str(), 0666);
  const auto report = file.run();
  CHECK_THAT(report, Ended(status::critical, "mode 0666, was 0640"));
  CHECK(report.summary.find(", sha256 ") != std::string::npos);
  CHECK(report.summary.find("against baseline first") != std::string::npos);
  file.restart();
  CHECK_THAT(file.run(), Ended(status::critical, "mode 0666"));
  file.restart();
  CHECK_THAT(file.set("baseline", "second").run(), Ended(status::ok, "baseline second taken"));
  CHECK_THAT(file.run(), Ended(status::ok));
}

TEST_CASE("the same content in another file with the same times is read anew", "[host]") {
  FileTest file;
  file.set("baseline", "b");
  file.run();
  struct stat before {};
  REQUIRE(stat(file.path.c_str(), &before) == 0);
  file.folder.write("conf", "setting = 9\n");
  const std::array<timespec, 2> times = {before.st_atim, before.st_mtim};
  REQUIRE(utimensat(AT_FDCWD, file.path.c_str(), times.data(), 0) == 0);
  CHECK_THAT(file.run(), Ended(status::critical, "sha256 "));
}

TEST_CASE("a link that points elsewhere is drift, and a pipe is not read", "[host]") {
  FileTest file;
  const std::string link = file.folder.file("link");
  REQUIRE(symlink("conf", link.c_str()) == 0);
  file.set("path", link).set("baseline", "b");
  CHECK_THAT(file.run(), Ended(status::ok));
  file.folder.write("other", "setting = 1\n");
  REQUIRE(unlink(link.c_str()) == 0);
  REQUIRE(symlink("other", link.c_str()) == 0);
  CHECK_THAT(file.run(), Ended(status::critical, "target other, was conf"));
  REQUIRE(unlink(link.c_str()) == 0);
  REQUIRE(mkfifo(link.c_str(), 0600) == 0);
  CHECK_THAT(file.run(), Ended(status::critical, "type pipe, was link"));
}

TEST_CASE("names of users are looked up in a text, never by the system's modules", "[host]") {
  const std::string passwd = "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/:\nbroken\nbad:x:y:\n";
  CHECK(find_id(passwd, "www-data") == 33U);
  CHECK(find_id(passwd, "42") == 42U);
  CHECK_FALSE(find_id(passwd, "www"));
  CHECK_FALSE(find_id(passwd, "bad"));
}

TEST_CASE("a mode is octal", "[host]") {
  CHECK(parse_mode("0640") == 0640U);
  CHECK(parse_mode("4755") == 04755U);
  CHECK_FALSE(parse_mode("0888"));
  CHECK_FALSE(parse_mode(""));
  CHECK(mode_text(0640) == "0640");
}

TEST_CASE("a damaged baseline is told, not passed over", "[host]") {
  CHECK(drift("nonsense\n", FileFacts{}) == std::vector<std::string>{"the baseline cannot be read"});
  CHECK(drift(format_baseline(FileFacts{}), FileFacts{}).empty());
}
