// SPDX-License-Identifier: Apache-2.0
#include "incident/ical.hpp"

#include "catch.hpp"
#include "incident/ical_lines.hpp"
#include "staffed.hpp"

using namespace ronda;
using namespace ronda::people;
using test::at;

namespace {

constexpr std::string_view from = "2026-11-01 00:00", to = "2027-04-01 00:00";

std::string event(const std::string& lines) {
  return "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nSUMMARY:ana\n" + lines + "END:VEVENT\nEND:VCALENDAR\n";
}

Result<CalendarFile> read(const std::string& text, std::string_view since = from, std::string_view until = to,
                          const CalendarLimits& limits = {}) {
  return read_icalendar(text, at(since), at(until), test::zones(), test::zone("Europe/Madrid"), limits);
}

/// "2026-11-30 08:00 8h" a line, in UTC; warnings as "! LINE TEXT".
std::string table(const Result<CalendarFile>& file) {
  if (!file) return "error: " + file.error().message() + "\n";
  std::string out;
  for (const CalendarShift& one : file->shifts) {
    const std::string text = moment_text(one.begin_ns, *test::zone("UTC"));
    out += text.substr(4, 16) + " " + format_duration(Nanos(one.end_ns - one.begin_ns)) + (one.who == "ana" ? "" : " " + one.who) + "\n";
  }
  for (const CalendarWarning& one : file->warnings) out += "! " + std::to_string(one.line) + " " + one.text + "\n";
  return out;
}

std::string table_of(const std::string& lines) {
  return table(read(event(lines)));
}

}  // namespace

TEST_CASE("times of an event: UTC, a zone, the rota's zone, whole days", "[incident]") {
  CHECK(table_of("DTSTART:20261201T080000Z\nDTEND:20261201T200000Z\n") == "2026-12-01 08:00 12h\n");
  CHECK(table_of("DTSTART;TZID=America/New_York:20261201T080000\nDURATION:PT1H30M\n") == "2026-12-01 13:00 1h30m\n");
  CHECK(table_of("DTSTART:20261201T080000\nDURATION:PT1H\n") == "2026-12-01 07:00 1h\n");
  CHECK(table_of("DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261203\n") == "2026-11-30 23:00 2d\n");
  CHECK(table_of("DTSTART;VALUE=DATE:20261201\n") == "2026-11-30 23:00 1d\n");
  CHECK(table_of("DTSTART;TZID=\"Europe/Berlin\":20261201T080000\nDTEND;TZID=America/New_York:20261201T080000\n") ==
        "2026-12-01 07:00 6h\n");
}

TEST_CASE("rules: days and weeks, interval, count, until, days of the week, exceptions", "[incident]") {
  CHECK(table_of("DTSTART:20261201T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\n") ==
        "2026-12-01 08:00 1h\n2026-12-02 08:00 1h\n2026-12-03 08:00 1h\n");
  CHECK(table_of("DTSTART:20261201T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;INTERVAL=10;UNTIL=20261221T080000Z\n") ==
        "2026-12-01 08:00 1h\n2026-12-11 08:00 1h\n2026-12-21 08:00 1h\n");
  CHECK(table_of("DTSTART:20261201T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;INTERVAL=10;UNTIL=20261221T075959Z\n") ==
        "2026-12-01 08:00 1h\n2026-12-11 08:00 1h\n");
  CHECK(table_of("DTSTART;VALUE=DATE:20261201\nRRULE:FREQ=DAILY;UNTIL=20261202\n") == "2026-11-30 23:00 1d\n2026-12-01 23:00 1d\n");
  // Tuesday and Thursday of every second week; the week begins on Monday
  CHECK(table_of("DTSTART:20261201T080000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;COUNT=4\n") ==
        "2026-12-01 08:00 1h\n2026-12-03 08:00 1h\n2026-12-15 08:00 1h\n2026-12-17 08:00 1h\n");
  CHECK(table_of("DTSTART:20261201T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4;BYDAY=MO,TU,WE\n") ==
        "2026-12-01 08:00 1h\n2026-12-02 08:00 1h\n2026-12-07 08:00 1h\n2026-12-08 08:00 1h\n");
  // an exception counts, and is not there
  CHECK(table_of("DTSTART:20261201T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20261202T080000Z,20261209T080000Z\n") ==
        "2026-12-01 08:00 1h\n2026-12-03 08:00 1h\n");
}

TEST_CASE("where the week begins decides which weeks a rule of every second week means", "[incident]") {
  // the example of RFC 5545, 3.8.5.3
  const std::string rule = "DTSTART:20261103T080000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=";
  CHECK(table_of(rule + "MO\n") == "2026-11-03 08:00 1h\n2026-11-08 08:00 1h\n2026-11-17 08:00 1h\n2026-11-22 08:00 1h\n");
  CHECK(table_of(rule + "SU\n") == "2026-11-03 08:00 1h\n2026-11-15 08:00 1h\n2026-11-17 08:00 1h\n2026-11-29 08:00 1h\n");
}

TEST_CASE("an event that has recurred for fifty years costs no more than a new one, and is the same", "[incident]") {
  const std::string lines = "DTSTART;TZID=Europe/Madrid:19761101T090000\nDURATION:P1D\nRRULE:FREQ=WEEKLY;INTERVAL=3\n";
  CHECK(table(read(event(lines), "2026-11-01 00:00", "2026-12-10 00:00")) == "2026-11-09 08:00 1d\n2026-11-30 08:00 1d\n");
}

TEST_CASE("of a recurring event DURATION counts days by the wall clock, DTEND is exact", "[incident]") {
  const std::string start = "DTSTART;TZID=Europe/Madrid:20270327T090000\n", rule = "RRULE:FREQ=DAILY;COUNT=2\n";
  CHECK(table(read(event(start + "DURATION:P1D\n" + rule))) == "2027-03-27 08:00 23h\n2027-03-28 07:00 1d\n");
  CHECK(table(read(event(start + "DTEND;TZID=Europe/Madrid:20270328T090000\n" + rule))) == "2027-03-27 08:00 23h\n2027-03-28 07:00 23h\n");
}

TEST_CASE("lines are unfolded, texts unescaped, names compared whatever their case", "[incident]") {
  const std::string text =
      "\xEF\xBB\xBF"
      "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:x\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
      "BEGIN:VEVENT\r\nsummary;LANGUAGE=en:Ana\\, the\r\n  first\r\nDTSTART;X-A=\"a:b;c\":2026120\r\n 1T080000Z\r\nDURATION:PT1H\r\n"
      "BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nDURATION:PT9H\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR";
  CHECK(table(read(text)) == "2026-12-01 08:00 1h Ana, the first\n");
}

TEST_CASE("what is not read is named, never guessed", "[incident]") {
  const std::string good = "DTSTART:20261201T080000Z\nDURATION:PT1H\n";
  const std::string out = "! 3 the event \"ana\" is left out: ";
  CHECK(table_of(good + "RRULE:FREQ=MONTHLY\n") == out + "RRULE with \"FREQ=MONTHLY\"\n");
  CHECK(table_of(good + "RRULE:FREQ=WEEKLY;BYDAY=1MO\n") == out + "RRULE with \"BYDAY=1MO\"\n");
  CHECK(table_of(good + "RRULE:FREQ=DAILY;BYHOUR=9\n") == out + "RRULE with \"BYHOUR=9\"\n");
  CHECK(table_of(good + "RRULE:FREQ=DAILY;COUNT=2;UNTIL=20261203\n") == out + "RRULE with \"COUNT together with UNTIL\"\n");
  CHECK(table_of(good + "RRULE:INTERVAL=2\n") == out + "RRULE with \"a rule without FREQ\"\n");
  CHECK(table_of(good + "RDATE:20261224T080000Z\n") == out + "RDATE is not read\n");
  CHECK(table_of(good + "RECURRENCE-ID:20261224T080000Z\n") == out + "RECURRENCE-ID is not read\n");
  CHECK(table_of("DTSTART;TZID=W. Europe Standard Time:20261201T080000\nDURATION:PT1H\n").starts_with(out + "TZID: "));
  CHECK(table_of("DTSTART:20261201T080000Z\n") == out + "it has neither DTEND nor DURATION, or is over at once\n");
  CHECK(table_of("DTSTART:20261201T080000Z\nDTEND:20261201T070000Z\n") == out + "it ends before it begins\n");
  CHECK(table_of("DURATION:PT1H\n") == out + "it has no DTSTART\n");
  CHECK(table_of("DTSTART:20261301T080000Z\nDURATION:PT1H\n") == out + "no date between 1970 and 2199: \"20261301T080000Z\"\n");
  CHECK(table_of("DTSTART:20261201T086000Z\nDURATION:PT1H\n") == out + "no time: \"20261201T086000Z\"\n");
  CHECK(table_of("DTSTART:20261201T080000Z\nDURATION:-PT1H\n") == out + "no duration up to 366 days: \"-PT1H\"\n");
  CHECK(table_of(good + "EXDATE;VALUE=DATE:20261201\nRRULE:FREQ=DAILY;COUNT=1\n") == out + "of DTSTART and EXDATE one is a DATE\n");
  CHECK(table_of(good + "DTSTART:20261202T080000Z\n") == out + "DTSTART stands twice\n");
  CHECK(table_of(good + "PERHAPS:1\nX-MINE:2\n") == "2026-12-01 08:00 1h\n! 7 \"PERHAPS\" is not read\n");
  CHECK(table_of(good + "STATUS:CANCELLED\n").empty());
  CHECK(table(read("BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:x\nEND:VTODO\nEND:VCALENDAR\n")) == "! 2 \"VTODO\" is not read\n");
}

TEST_CASE("what is no calendar, cut off or too large is an error", "[incident]") {
  CHECK(table(read("")) == "error: no iCalendar file: it does not begin with BEGIN:VCALENDAR\n");
  CHECK(table(read("<html>\n")) == "error: no iCalendar file: it does not begin with BEGIN:VCALENDAR\n");
  CHECK(table(read("BEGIN:VCALENDAR\nBEGIN:VEVENT\n")) == "error: it is cut off: END:VEVENT is missing\n");
  CHECK(table(read("BEGIN:VCALENDAR\nEND:VEVENT\n")) == "error: line 2: END:VEVENT ends nothing\n");
  const std::string daily = "DTSTART:20261101T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\n";
  CHECK(table(read(event(daily), from, to, {1U << 20, 2000, 100})) == "error: more than 100 occurrences\n");
  CHECK(table(read(event(daily), from, to, {1U << 20, 0, 100})) == "error: more than 0 events\n");
  CHECK(table(read(event(daily), from, to, {50, 10, 100})) == "error: larger than 50 bytes\n");
  std::string deep = "BEGIN:VCALENDAR\n";
  for (int i = 0; i < 100; ++i) deep += "BEGIN:X\n";
  CHECK(table(read(deep)) == "error: components nested deeper than 8\n");
}
