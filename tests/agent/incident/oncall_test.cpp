// SPDX-License-Identifier: Apache-2.0
#include "incident/oncall.hpp"

#include "catch.hpp"
#include "staffed.hpp"

using namespace ronda;
using namespace ronda::people;
using test::at;

namespace {

Rota rota_of(const std::string& keys) {
  const auto staffed = test::staff("[contact.ana]\n[contact.bo]\n[contact.cy]\n[oncall.ops]\n" + keys, {}, 0);
  INFO(staffed.printed());
  REQUIRE(staffed.people.find_oncall("ops") != nullptr);
  return *staffed.people.find_oncall("ops");
}

std::string who(const Rota& rota, std::string_view when, std::string_view zone = "UTC") {
  std::string out;
  for (const Shift& one : on_call(rota, at(when, zone))) out += (out.empty() ? "" : " ") + one.contact;
  return out;
}

/// "bo 2026-... to ..." a line, in UTC.
std::string shift_table(const std::vector<Shift>& shifts) {
  std::string out;
  const auto text = [](std::int64_t at_ns) { return moment_text(at_ns, *test::zone("UTC")).substr(0, 20); };
  for (const Shift& one : shifts) out += one.contact + " " + text(one.when.begin_ns) + " to " + text(one.when.end_ns) + "\n";
  return out;
}

}  // namespace

TEST_CASE("members take turns in their order, each for a shift, from the start on", "[incident]") {
  const Rota rota = rota_of("members = ['ana', 'bo', 'cy']\nshift = '1w'\nhandover = 'Mon 09:00'\nstart = '2026-11-03'\ntz = 'UTC'\n");
  CHECK(who(rota, "2026-11-09 08:59").empty());  // the first Monday after the start is the 9th
  CHECK(who(rota, "2026-11-09 09:00") == "ana");
  CHECK(who(rota, "2026-11-16 08:59") == "ana");
  CHECK(who(rota, "2026-11-16 09:00") == "bo");
  CHECK(who(rota, "2026-11-29 12:00") == "cy");
  CHECK(who(rota, "2026-11-30 09:00") == "ana");
  CHECK(who(rota, "2031-06-02 09:00") == "bo");  // 238 weeks later
}

TEST_CASE("three shifts a day", "[incident]") {
  const Rota rota = rota_of("members = ['ana', 'bo', 'cy']\nshift = '8h'\nhandover = '06:00'\ntz = 'UTC'\n");
  CHECK(who(rota, "2026-11-29 05:59") == "cy");
  CHECK(who(rota, "2026-11-29 06:00") == "ana");
  CHECK(who(rota, "2026-11-29 14:00") == "bo");
  CHECK(who(rota, "2026-11-29 22:00") == "cy");
  CHECK(who(rota, "2026-11-30 06:00") == "ana");
}

TEST_CASE("a handover follows the wall clock when the clock changes", "[incident]") {
  const Rota daily = rota_of("members = ['ana', 'bo']\nshift = '1d'\nhandover = '09:00'\ntz = 'Europe/Madrid'\n");
  const auto spring = shifts(daily, at("2027-03-27 08:00"), at("2027-03-29 07:00"));
  CHECK(shift_table(spring) ==
        "ana Sat 2027-03-27 08:00 to Sun 2027-03-28 07:00\nbo Sun 2027-03-28 07:00 to Mon 2027-03-29 07:00\n");  // 23 hours
  const auto autumn = shifts(daily, at("2026-10-24 07:00"), at("2026-10-26 08:00"));
  CHECK(shift_table(autumn) ==
        "ana Sat 2026-10-24 07:00 to Sun 2026-10-25 08:00\nbo Sun 2026-10-25 08:00 to Mon 2026-10-26 08:00\n");  // 25 hours
}

TEST_CASE("a handover that the clock skips is right after the gap, one that it repeats at its first pass", "[incident]") {
  const Rota night = rota_of("members = ['ana', 'bo']\nshift = '1d'\nhandover = '02:30'\ntz = 'Europe/Madrid'\n");
  const auto begins = [&](std::string_view from, std::string_view to) {
    return moment_text(shifts(night, at(from), at(to)).back().when.begin_ns, *test::zone("UTC"));
  };
  CHECK(begins("2027-03-27 12:00", "2027-03-28 12:00") == "Sun 2027-03-28 01:00:00 +0000");  // 02:30 does not exist: at 03:00 local
  CHECK(begins("2026-10-24 12:00", "2026-10-25 12:00") == "Sun 2026-10-25 00:30:00 +0000");  // the first 02:30
}

TEST_CASE("every instant of a year has exactly one on call, whatever the zone and the shift", "[incident]") {
  for (const std::string zone :
       {"Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "America/Argentina/Buenos_Aires", "Africa/Casablanca"}) {
    for (const std::string shift : {"1h", "8h", "12h", "1d", "3d", "1w"}) {
      const Rota rota = rota_of("members = ['ana', 'bo', 'cy']\nshift = '" + shift + "'\nhandover = '02:30'\ntz = '" + zone + "'\n");
      const std::int64_t from_ns = at("2026-01-01 00:00"), to_ns = at("2027-01-01 00:00");
      INFO(zone << " " << shift);
      CHECK(gaps(rota, from_ns, to_ns).empty());
      std::int64_t at_ns = from_ns;
      for (const Shift& one : shifts(rota, from_ns, to_ns, {}, 20'000)) {
        REQUIRE(one.when.begin_ns == at_ns);
        REQUIRE(one.when.end_ns > at_ns);
        at_ns = one.when.end_ns;
      }
      CHECK(at_ns == to_ns);
    }
  }
}

TEST_CASE("an override takes a turn over, the last one of those that overlap, and one of the store before all", "[incident]") {
  const Rota rota = rota_of(
      "members = ['ana']\nshift = '1d'\ntz = 'Europe/Madrid'\noverrides = [{ who = 'bo', from = '2026-12-24 09:00', to = '2026-12-26 "
      "09:00' }, "
      "{ who = 'cy', from = '2026-12-25 00:00', to = '2026-12-25 12:00', reason = 'Christmas' }]\n");
  CHECK(who(rota, "2026-12-24 08:59", "Europe/Madrid") == "ana");
  CHECK(who(rota, "2026-12-24 09:00", "Europe/Madrid") == "bo");
  CHECK(who(rota, "2026-12-25 00:00", "Europe/Madrid") == "cy");
  CHECK(who(rota, "2026-12-25 12:00", "Europe/Madrid") == "bo");
  CHECK(who(rota, "2026-12-26 09:00", "Europe/Madrid") == "ana");
  const std::vector<Override> more = {{{at("2026-12-25 01:00"), at("2026-12-25 02:00")}, "ana", "swapped"}};
  const auto now = on_call(rota, at("2026-12-25 01:30"), more);
  REQUIRE(now.size() == 1);
  CHECK(now[0].contact == "ana");
  CHECK(now[0].source == Shift::Source::override_);
}

TEST_CASE("a calendar file says whose turn it is, may name several, and leaves gaps", "[incident]") {
  const std::string calendar =
      "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Ana\r\nDTSTART:20261201T080000Z\r\nDTEND:20261201T200000Z\r\nEND:VEVENT\r\n"
      "BEGIN:VEVENT\r\nSUMMARY:Bob Smith\r\nDTSTART:20261201T180000Z\r\nDTEND:20261202T080000Z\r\nEND:VEVENT\r\n"
      "BEGIN:VEVENT\r\nSUMMARY:Somebody\r\nDTSTART:20261202T080000Z\r\nDTEND:20261203T080000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
  const std::string text = "[contact.ana]\nname = 'Ana'\n[contact.bo]\n[oncall.ops]\nical = '/cal.ics'\npeople = { 'Bob Smith' = 'bo' }\n";
  const auto staffed = test::staff(config::Sources{{"conf.d/10-a.toml", text}}, {}, at("2026-12-01 00:00"), {{"/cal.ics", calendar}});
  CHECK(staffed.diagnostics.errors() == 0);
  CHECK(staffed.printed().find(
            "no contact is called \"Somebody\", whose turns are left out; say who that is: people = { \"Somebody\" = \"CONTACT\" }") !=
        std::string::npos);
  CHECK(staffed.printed().find("nobody is on call by `ops` from Tue 2026-12-01 00:00:00 +0000 to Tue 2026-12-01 08:00:00 +0000, and 1 more "
                               "time within the next 14 days") != std::string::npos);
  const Rota& rota = *staffed.people.find_oncall("ops");
  CHECK(who(rota, "2026-12-01 07:59").empty());
  CHECK(who(rota, "2026-12-01 08:00") == "ana");
  CHECK(who(rota, "2026-12-01 19:00") == "ana bo");
  CHECK(who(rota, "2026-12-02 07:59") == "bo");
  CHECK(who(rota, "2026-12-02 09:00").empty());
  CHECK(rota.everybody() == std::vector<std::string>{"ana", "bo"});
}
