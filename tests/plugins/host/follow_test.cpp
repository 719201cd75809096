// SPDX-License-Identifier: Apache-2.0
#include "follow.hpp"

#include <cerrno>
#include <filesystem>
#include <vector>

#include "catch.hpp"
#include "temp_folder.hpp"

using namespace host;

namespace {

/// A log in a folder of its own and somebody who follows it, over "restarts" that keep only the text of the
/// position.
struct Watch {
  TempFolder folder;
  std::optional<Position> position;
  FollowLimits limits;
  std::vector<std::string> lines;

  Followed look() {
    lines.clear();
    if (position) position = parse_position(format(*position));
    return follow(
        folder.file("app.log"), position, limits, [this](std::string_view line) { lines.emplace_back(line); },
        [] { return false; });
  }
  void rename(const char* from, const char* to) const {
    std::filesystem::rename(folder.file(from), folder.file(to));
  }
};

using list = std::vector<std::string>;

}  // namespace

TEST_CASE("a log is followed from its end on, whole lines only", "[host]") {
  Watch watch;
  watch.folder.write("app.log", "old\nhalf");
  CHECK(watch.look().first);
  CHECK(watch.lines.empty());
  watch.folder.append("app.log", " of a line\nnew\nbegun");
  CHECK_FALSE(watch.look().first);
  CHECK(watch.lines == list{"new"});
  watch.folder.append("app.log", " and ended\n");
  watch.look();
  CHECK(watch.lines == list{"begun and ended"});
  watch.look();
  CHECK(watch.lines.empty());
}

TEST_CASE("rotation by rename loses no line", "[host]") {
  Watch watch;
  watch.folder.write("app.log", "");
  watch.look();
  watch.folder.append("app.log", "one\n");
  watch.look();
  watch.folder.append("app.log", "two\nlast without an end");
  watch.rename("app.log", "app.log.1");

  SECTION("the new file is there") {
    watch.folder.write("app.log", "three\n");
    const Followed followed = watch.look();
    CHECK(followed.rotated);
    CHECK_FALSE(followed.lost);
    CHECK(watch.lines == list{"two", "last without an end", "three"});
  }
  SECTION("the new file comes later") {
    CHECK(watch.look().error == ENOENT);
    CHECK(watch.lines == list{"two", "last without an end"});
    CHECK(watch.look().error == ENOENT);
    CHECK(watch.lines.empty());
    watch.folder.write("app.log", "three\n");
    CHECK(watch.look().error == 0);
    CHECK(watch.lines == list{"three"});
  }
  SECTION("the old file was deleted") {
    std::filesystem::remove(watch.folder.file("app.log.1"));
    watch.folder.write("app.log", "three\n");
    const Followed followed = watch.look();
    CHECK((followed.lost || followed.truncated));  // truncated when the inode was used again
    CHECK(watch.lines == list{"three"});
  }
}

TEST_CASE("files that came and went between two looks are read too, oldest first", "[host]") {
  Watch watch;
  watch.folder.write("app.log", "");
  watch.look();
  const auto rotate = [&](const std::string& lines, int age_s) {
    watch.folder.append("app.log", lines);
    const auto now = std::filesystem::file_time_type::clock::now();
    std::filesystem::last_write_time(watch.folder.file("app.log"), now - std::chrono::seconds(age_s));
    for (int i = 9; i > 0; --i) {
      const std::string from = "app.log." + std::to_string(i), to = "app.log." + std::to_string(i + 1);
      if (std::filesystem::exists(watch.folder.file(from))) watch.rename(from.c_str(), to.c_str());
    }
    watch.rename("app.log", "app.log.1");
    watch.folder.write("app.log", "");
  };
  watch.folder.write("app.log.offset", "not a line of it\n");
  rotate("one\ntwo\n", 30);
  rotate("three\n", 20);
  rotate("four\nfive", 10);
  watch.folder.append("app.log", "six\n");
  SECTION("at once") {
    const Followed followed = watch.look();
    CHECK(followed.rotated);
    CHECK_FALSE(followed.lost);
    CHECK(watch.lines == list{"one", "two", "three", "four", "five", "six"});
  }
  SECTION("in pieces") {
    watch.limits.bytes = 6;
    list all;
    for (int looks = 0; looks < 10; ++looks) {
      watch.look();
      all.insert(all.end(), watch.lines.begin(), watch.lines.end());
    }
    CHECK(all == list{"one", "two", "three", "four", "five", "six"});
  }
  watch.look();
  CHECK(watch.lines.empty());
  watch.limits = {};
  rotate("seven\n", 0);  // nothing of the files before is read again
  watch.folder.append("app.log", "eight\n");
  watch.look();
  CHECK(watch.lines == list{"seven", "eight"});
}

TEST_CASE("a log that is truncated is read from its start", "[host]") {
  Watch watch;
  watch.folder.write("app.log", "a first line that is long\n");
  watch.look();
  watch.folder.write("app.log", "short\n");
  CHECK(watch.look().truncated);
  CHECK(watch.lines == list{"short"});
}

TEST_CASE("a log that was truncated and has grown past the old end is known by its first bytes", "[host]") {
  Watch watch;
  watch.folder.write("app.log", "2026-11-02 old\n");
  watch.look();
  watch.folder.write("app.log", "2026-11-03 new\n2026-11-03 newer\n");
  CHECK(watch.look().truncated);
  CHECK(watch.lines == list{"2026-11-03 new", "2026-11-03 newer"});
}

TEST_CASE("a file that was missing at first is read from its start", "[host]") {
  Watch watch;
  const Followed followed = watch.look();
  CHECK(followed.error == ENOENT);
  CHECK(followed.first);
  watch.folder.write("app.log", "one\n");
  watch.look();
  CHECK(watch.lines == list{"one"});
}

TEST_CASE("a flood is read in pieces, nothing twice and nothing left out", "[host]") {
  Watch watch;
  watch.folder.write("app.log", "");
  watch.look();
  std::string flood;
  for (int i = 0; i < 5000; ++i) flood += "line " + std::to_string(i) + "\n";
  watch.folder.append("app.log", flood);
  watch.limits.bytes = 10000;
  list all;
  Followed followed;
  do {
    followed = watch.look();
    REQUIRE_FALSE(watch.lines.empty());
    all.insert(all.end(), watch.lines.begin(), watch.lines.end());
  } while (followed.backlog > 0);
  REQUIRE(all.size() == 5000);
  CHECK(all.front() == "line 0");
  CHECK(all[2500] == "line 2500");
  CHECK(all.back() == "line 4999");
}

TEST_CASE("a rotated file that is larger than one run reads is finished before the new one", "[host]") {
  Watch watch;
  watch.folder.write("app.log", "");
  watch.look();
  for (int i = 0; i < 300; ++i) watch.folder.append("app.log", "0123456789abcdef\n");
  watch.rename("app.log", "app.log.1");
  watch.folder.write("app.log", "new\n");
  watch.limits.bytes = 2000;
  list all;
  while (all.empty() || all.back() != "new") {
    watch.look();
    REQUIRE_FALSE(watch.lines.empty());
    all.insert(all.end(), watch.lines.begin(), watch.lines.end());
  }
  CHECK(all.size() == 301);
}

TEST_CASE("a folder or a damaged position does no harm", "[host]") {
  Watch watch;
  std::filesystem::create_directory(watch.folder.file("app.log"));
  CHECK(watch.look().error == EISDIR);
  CHECK_FALSE(parse_position("1 2 3"));
  CHECK_FALSE(parse_position("1 2 3 4 x"));
  CHECK_FALSE(parse_position(""));
}
