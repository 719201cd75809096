// SPDX-License-Identifier: Apache-2.0
#include "schedule/zone.hpp"

#include <date/tz.h>

#include <fstream>
#include <sstream>

#include "glibc_clock.hpp"
#include "schedule/tzif.hpp"
#include "support.hpp"

using namespace ronda;
using namespace ronda::schedule;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

std::string file_bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

fs::path fresh_directory() {
  std::string pattern = (fs::temp_directory_path() / "ronda-zone-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  return pattern;
}

}  // namespace

TEST_CASE("every zone has the C library's offset from 1970 to 2199", "[schedule]") {
  const std::uint64_t seed = test_seed(1);
  INFO("RONDA_TEST_SEED=" << seed);
  Random random(seed);
  const sys_seconds from = utc("1970-01-01 00:00:00"), upto = utc("2199-12-31 00:00:00");
  std::size_t wrong = 0;
  const auto names = all_zone_names();
  REQUIRE(names.size() > 500);
  for (const std::string& name : names) {
    const ZonePtr ours = zone(name);
    const GlibcClock glibc(name);
    const auto check = [&](sys_seconds at) {
      if (ours->span_at(at).offset == glibc.offset(at)) return;
      if (++wrong < 10) UNSCOPED_INFO(name << " at " << show_utc(at));
    };
    for (int i = 0; i < 200; ++i) check(from + seconds(pick(random, 0, (upto - from).count())));
    for (const Span& span : ours->spans_between(from, upto)) {
      check(span.begin - 1s);
      check(span.begin);
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("every zone has the offset of the date library until 2037", "[schedule]") {
  std::size_t wrong = 0;
  for (const std::string& name : all_zone_names()) {
    if (name == "Factory") continue;
    const ZonePtr ours = zone(name);
    const date::time_zone* theirs = date::locate_zone(name);
    for (const Span& span : ours->spans_between(utc("1970-01-01 00:00:00"), utc("2037-06-01 00:00:00"))) {
      for (const sys_seconds at : {span.begin - 1s, span.begin}) {
        if (ours->span_at(at).offset == theirs->get_info(at).offset) continue;
        if (++wrong < 10) UNSCOPED_INFO(name << " at " << show_utc(at));
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("a reading is unique, twice there, or skipped", "[schedule]") {
  using Kind = Meaning::Kind;
  struct Row {
    const char* zone;
    const char* reading;
    Kind kind;
    const char* first;
    const char* second;
  };
  const auto row = GENERATE(values<Row>({
      {"Europe/Berlin", "2027-03-28 01:59:59", Kind::unique, "2027-03-28 00:59:59", "2027-03-28 00:59:59"},
      {"Europe/Berlin", "2027-03-28 02:30:00", Kind::gap, "2027-03-28 01:00:00", "2027-03-28 01:00:00"},
      {"Europe/Berlin", "2027-03-28 03:00:00", Kind::unique, "2027-03-28 01:00:00", "2027-03-28 01:00:00"},
      {"Europe/Berlin", "2027-10-31 02:30:00", Kind::ambiguous, "2027-10-31 00:30:00", "2027-10-31 01:30:00"},
      {"Europe/Berlin", "2027-10-31 03:00:00", Kind::unique, "2027-10-31 02:00:00", "2027-10-31 02:00:00"},
      {"Europe/Berlin", "2099-07-01 12:00:00", Kind::unique, "2099-07-01 10:00:00", "2099-07-01 10:00:00"},
      {"Australia/Lord_Howe", "2027-04-04 01:45:00", Kind::ambiguous, "2027-04-03 14:45:00",
       "2027-04-03 15:15:00"},
      {"Australia/Lord_Howe", "2027-10-03 02:15:00", Kind::gap, "2027-10-02 15:30:00", "2027-10-02 15:30:00"},
      {"Pacific/Apia", "2011-12-30 12:00:00", Kind::gap, "2011-12-30 10:00:00", "2011-12-30 10:00:00"},
      {"Africa/Cairo", "2027-04-30 00:30:00", Kind::gap, "2027-04-29 22:00:00", "2027-04-29 22:00:00"},
      {"America/Sao_Paulo", "2018-11-04 00:00:00", Kind::gap, "2018-11-04 03:00:00", "2018-11-04 03:00:00"},
      {"UTC", "2027-03-28 02:30:00", Kind::unique, "2027-03-28 02:30:00", "2027-03-28 02:30:00"},
  }));
  INFO(row.zone << " " << row.reading);
  const Meaning meaning = zone(row.zone)->to_utc(reading(row.reading));
  CHECK(meaning.kind == row.kind);
  CHECK(show_utc(meaning.first) == row.first);
  CHECK(show_utc(meaning.second) == row.second);
}

TEST_CASE("a name that could leave the directory is no zone name", "[schedule]") {
  const std::string bad =
      GENERATE("", "../../../etc/shadow", "/etc/localtime", "Europe/../Europe/Berlin", "Europe//Berlin",
               "Europe/", "posix/Europe/Berlin", "localtime", "Europe/Ber lin", "Europe/Berlin.bak");
  INFO(bad);
  CHECK_FALSE(is_zone_name(bad));
  CHECK_FALSE(ZoneDatabase().find(bad));
}

TEST_CASE("an unknown zone is told with the one that was probably meant", "[schedule]") {
  ZoneDatabase zones;
  const auto message = [&](std::string_view name) { return zones.find(name).error().message(); };
  CHECK(message("Europe/Berln") == "unknown time zone \"Europe/Berln\"; did you mean \"Europe/Berlin\"?");
  CHECK(message("europe/berlin") == "unknown time zone \"europe/berlin\"; did you mean \"Europe/Berlin\"?");
  CHECK(message("Buenos_Aires") ==
        "unknown time zone \"Buenos_Aires\"; did you mean \"America/Argentina/Buenos_Aires\"?");
  CHECK(message("Atlantis/Center") ==
        "unknown time zone \"Atlantis/Center\"; zones are named like \"Europe/Berlin\", as in "
        "/usr/share/zoneinfo");
  CHECK(message("../../../etc/shadow") ==
        "\"../../../etc/shadow\" is no time zone; zones are named like \"Europe/Berlin\"");
}

TEST_CASE("a link that leads out of the zone directory is not followed", "[schedule]") {
  const fs::path root = fresh_directory();
  fs::create_symlink("/usr/share/zoneinfo/Europe/Berlin", root / "Outside");
  fs::copy_file("/usr/share/zoneinfo/Europe/Berlin", root / "Inside");
  fs::create_symlink("Inside", root / "Alias");
  ZoneDatabase zones(root.string());
  CHECK_FALSE(zones.find("Outside"));
  CHECK(zones.find("Inside"));
  CHECK(zones.find("Alias"));
  fs::remove_all(root);
}

TEST_CASE("refresh takes new rules and keeps the old ones of a zone that vanished or broke", "[schedule]") {
  const fs::path root = fresh_directory();
  const fs::path tzdata = "/usr/share/zoneinfo";
  for (const char* name : {"Changes", "Vanishes", "Breaks", "Stays"})
    fs::copy_file(tzdata / "Europe/Berlin", root / name);
  ZoneDatabase zones(root.string());
  for (const char* name : {"Changes", "Vanishes", "Breaks", "Stays"}) REQUIRE(zones.find(name));
  const ZonePtr old = *zones.find("Changes");
  fs::remove(root / "Changes");
  fs::copy_file(tzdata / "Asia/Tokyo", root / "Changes");
  fs::remove(root / "Vanishes");
  std::ofstream(root / "Breaks") << "TZif2";
  const auto refreshed = zones.refresh();
  CHECK(refreshed.changed == std::vector<std::string>{"Changes"});
  CHECK(refreshed.kept_old == std::vector<std::string>{"Breaks", "Vanishes"});
  const sys_seconds at = utc("2027-07-01 00:00:00");
  CHECK((*zones.find("Changes"))->span_at(at).offset == 9h);
  CHECK(old->span_at(at).offset == 2h);
  CHECK((*zones.find("Vanishes"))->span_at(at).offset == 2h);
  fs::remove_all(root);
}

TEST_CASE("UTC needs no tzdata, every other zone does", "[schedule]") {
  ZoneDatabase zones("/nonexistent");
  CHECK(zones.find("UTC"));
  CHECK_FALSE(zones.find("Europe/Berlin"));
}

TEST_CASE("this host's zone comes from the link, and is never UTC by default", "[schedule]") {
  const fs::path root = fresh_directory();
  fs::create_symlink("/usr/share/zoneinfo/Asia/Tokyo", root / "localtime");
  ZoneDatabase zones;
  const auto found = zones.find_local((root / "localtime").string());
  REQUIRE(found);
  CHECK((*found)->name() == "Asia/Tokyo");
  CHECK(zones.find_local((root / "none").string()).error().message() ==
        (root / "none").string() + " does not tell this host's time zone; set tz in [agent]");
  fs::remove_all(root);
}

TEST_CASE("a TZif file cut at any byte, or with any byte changed, is refused or read, never trusted",
          "[schedule]") {
  const std::string whole = file_bytes("/usr/share/zoneinfo/Africa/Casablanca");
  REQUIRE(parse_tzif("x", whole));
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(parse_tzif("x", whole.substr(0, size)));
  Random random(test_seed(2));
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = whole;
    bytes[static_cast<std::size_t>(pick(random, 0, static_cast<std::int64_t>(bytes.size()) - 1))] =
        static_cast<char>(random());
    if (const auto read = parse_tzif("x", bytes)) (void)read->to_utc(reading("2027-03-28 02:30:00"));
  }
}
