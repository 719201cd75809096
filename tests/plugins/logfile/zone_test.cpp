// SPDX-License-Identifier: Apache-2.0
// The C library is the witness: it reads the same files, one zone a process.
#include "zone.hpp"

#include <catch.hpp>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <random>
#include <sstream>

using namespace logfile;
using std::chrono::seconds;
using std::chrono::sys_seconds;

namespace {

std::string bytes_of(const std::string& zone) {
  std::ostringstream text;
  text << std::ifstream("/usr/share/zoneinfo/" + zone, std::ios::binary).rdbuf();
  return text.str();
}

std::string as_text(const Reading& t) {
  std::tm fields{};
  fields.tm_year = t.year - 1900, fields.tm_mon = t.month - 1, fields.tm_mday = t.day, fields.tm_wday = t.weekday;
  fields.tm_hour = t.hour, fields.tm_min = t.minute, fields.tm_sec = t.second;
  char text[64];
  std::strftime(text, sizeof text, "%a %Y-%m-%d %H:%M:%S", &fields);
  return text + (" " + t.zone + " " + std::to_string(t.offset.count()));
}

/// Of the C library; this program's zone is `zone` from then on.
std::string witness(const std::string& zone, std::time_t at) {
  setenv("TZ", zone.c_str(), 1);
  tzset();
  std::tm fields{};
  localtime_r(&at, &fields);
  char text[64];
  std::strftime(text, sizeof text, "%a %Y-%m-%d %H:%M:%S", &fields);
  return std::string(text) + " " + fields.tm_zone + " " + std::to_string(fields.tm_gmtoff);
}

}  // namespace

TEST_CASE("the clock reads as the C library's, from 1970 to 2100, north and south", "[logfile]") {
  std::mt19937_64 random(7);
  for (const char* zone : {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "America/New_York", "Australia/Lord_Howe",
                           "Asia/Kolkata", "Pacific/Chatham", "Africa/Casablanca", "America/St_Johns", "Europe/Dublin"}) {
    const auto loaded = load_zone(zone);
    REQUIRE(loaded);
    for (int i = 0; i < 300; ++i) {
      const auto at = static_cast<std::time_t>(random() % 4'102'444'800U);
      CHECK(as_text(loaded->at(sys_seconds(seconds(at)))) == witness(zone, at));
    }
  }
  // both sides of a change
  const auto berlin = load_zone("Europe/Berlin").value();
  for (const std::time_t at : {1792889999L, 1792890000L, 1774745999L, 1774746000L, 3992543999L, 3992544000L})
    CHECK(as_text(berlin.at(sys_seconds(seconds(at)))) == witness("Europe/Berlin", at));
  unsetenv("TZ");
  tzset();
}

TEST_CASE("without a name it is the host's own zone", "[logfile]") {
  const auto host = load_zone("");
  REQUIRE(host);
  CHECK(as_text(host->at(sys_seconds(seconds(1796000000)))) == witness(":/etc/localtime", 1796000000));
  unsetenv("TZ");
  tzset();
}

TEST_CASE("a zone that does not exist is named", "[logfile]") {
  const auto wrong = load_zone("Europe/Berlinn");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error() == "zone: there is no time zone \"Europe/Berlinn\" in /usr/share/zoneinfo; names are like Europe/Berlin");
}

TEST_CASE("a damaged file of a zone is refused and never read beyond", "[logfile]") {
  const auto whole = bytes_of("Europe/Berlin");
  REQUIRE(Zone::parse(whole));
  for (std::size_t size = 0; size < whole.size(); size += 7) CHECK_FALSE(Zone::parse(whole.substr(0, size)));
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    auto broken = whole;
    for (int n = 0; n < 3; ++n) broken[random() % broken.size()] = static_cast<char>(random());
    if (const auto zone = Zone::parse(broken)) zone->at(sys_seconds(seconds(random())));  // under a sanitizer: no access outside
  }
  CHECK_FALSE(Zone::parse("no zone at all"));
}
