// SPDX-License-Identifier: Apache-2.0
#include "incident/ical.hpp"

#include <regex>

#include "catch.hpp"
#include "incident/ical_lines.hpp"
#include "staffed.hpp"

using namespace ronda;
using namespace ronda::people;
using test::at;

namespace {

constexpr std::string_view from = "2026-11-01 00:00", to = "2027-04-01 00:00";

std::string calendar(const std::string& events) {
  return "BEGIN:VCALENDAR\n" + events + "END:VCALENDAR\n";
}

std::string event(const std::string& lines) {
  return calendar("VERSION:2.0\nBEGIN:VEVENT\nSUMMARY:ana\n" + lines + "END:VEVENT\n");
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

std::string table_of_events(const std::string& events) {
  return table(read(calendar(events)));
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

TEST_CASE("a moved turn takes the place of the series' own, as Google exports it", "[incident]") {
  const std::string series =
      "BEGIN:VEVENT\r\nDTSTART;TZID=Europe/Madrid:20261201T090000\r\nDTEND;TZID=Europe/Madrid:20261201T210000\r\n"
      "RRULE:FREQ=WEEKLY;COUNT=3;BYDAY=TU\r\nDTSTAMP:20261101T070000Z\r\nUID:2f0k1@google.com\r\nCREATED:20261001T070000Z\r\n"
      "LAST-MODIFIED:20261101T070000Z\r\nSEQUENCE:1\r\nSTATUS:CONFIRMED\r\nSUMMARY:ana\r\nTRANSP:OPAQUE\r\nEND:VEVENT\r\n";
  const std::string moved =
      "BEGIN:VEVENT\r\nDTSTART;TZID=Europe/Madrid:20261209T100000\r\nDTEND;TZID=Europe/Madrid:20261209T220000\r\n"
      "DTSTAMP:20261101T070000Z\r\nUID:2f0k1@google.com\r\nRECURRENCE-ID;TZID=Europe/Madrid:20261208T090000\r\nSEQUENCE:2\r\n"
      "STATUS:CONFIRMED\r\nSUMMARY:bob\r\nTRANSP:OPAQUE\r\nEND:VEVENT\r\n";
  const std::string cancelled =
      "BEGIN:VEVENT\r\nUID:2f0k1@google.com\r\nRECURRENCE-ID:20261215T080000Z\r\nSEQUENCE:3\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n";
  const std::string swapped = "2026-12-01 08:00 12h\n2026-12-09 09:00 12h bob\n";
  CHECK(table_of_events(series) == "2026-12-01 08:00 12h\n2026-12-08 08:00 12h\n2026-12-15 08:00 12h\n");
  CHECK(table_of_events(series + moved + cancelled) == swapped);
  CHECK(table_of_events(cancelled + moved + series) == swapped);
  // the greatest SEQUENCE counts, whichever comes first; of the same the last
  const auto later = [&](const std::string& sequence, const std::string& who) {
    return std::regex_replace(std::regex_replace(moved, std::regex("SEQUENCE:2"), "SEQUENCE:" + sequence), std::regex("bob"), who);
  };
  CHECK(table_of_events(series + cancelled + moved + later("1", "eve")) == swapped);
  CHECK(table_of_events(later("10", "eve") + series + cancelled + moved) == "2026-12-01 08:00 12h\n2026-12-09 09:00 12h eve\n");
  CHECK(table_of_events(series + cancelled + moved + later("2", "eve")) == "2026-12-01 08:00 12h\n2026-12-09 09:00 12h eve\n");
  // far away in time: from and to where the file is not read
  CHECK(table(read(calendar(series + moved), "2026-12-09 00:00", "2026-12-10 00:00")) == "2026-12-09 09:00 12h bob\n");
  CHECK(table(read(calendar(series + moved), "2026-12-08 00:00", "2026-12-09 00:00")) == "");
}

TEST_CASE("whole days are moved and cancelled, as Outlook exports it", "[incident]") {
  const auto day = [](const std::string& date, const std::string& who, const std::string& more) {
    return "BEGIN:VEVENT\r\n" + more + "SUMMARY:" + who + "\r\nDTSTART;VALUE=DATE:" + date +
           "\r\nUID:040000008200E00074C5B7101A82E00800000000F0\r\nCLASS:PUBLIC\r\nPRIORITY:5\r\nDTSTAMP:20261101T070000Z\r\n"
           "TRANSP:TRANSPARENT\r\nX-MICROSOFT-CDO-BUSYSTATUS:FREE\r\nX-MICROSOFT-CDO-INSTTYPE:3\r\nEND:VEVENT\r\n";
  };
  const std::string series = day("20261201", "ana", "RRULE:FREQ=DAILY;COUNT=3\r\nSEQUENCE:0\r\n");
  CHECK(table_of_events(series + day("20261202", "bob", "RECURRENCE-ID;VALUE=DATE:20261202\r\nSEQUENCE:1\r\n")) ==
        "2026-11-30 23:00 1d\n2026-12-01 23:00 1d bob\n2026-12-02 23:00 1d\n");
  CHECK(table_of_events(day("20261202", "ana", "RECURRENCE-ID;VALUE=DATE:20261202\r\nSTATUS:Cancelled\r\n") + series) ==
        "2026-11-30 23:00 1d\n2026-12-02 23:00 1d\n");
  CHECK(table_of_events(series + day("20261201", "ana", "SEQUENCE:1\r\nSTATUS:CANCELLED\r\n")) == "");
  CHECK(table_of_events(day("20261202", "bob", "RECURRENCE-ID;VALUE=DATE:20261202\r\n") + series +
                        day("20261201", "ana", "STATUS:CANCELLED\r\n")) == "");
  // a whole event of an older SEQUENCE was replaced
  CHECK(table_of_events(day("20261201", "bob", "SEQUENCE:3\r\n") + series + day("20261201", "ana", "SEQUENCE:2\r\nSTATUS:CANCELLED\r\n")) ==
        "2026-11-30 23:00 1d bob\n");
}

TEST_CASE("the instance that is meant is found by its instant, however that is written", "[incident]") {
  const auto without = [](const std::string& start, const std::string& instance) {
    return table_of_events("BEGIN:VEVENT\nUID:1\nSUMMARY:ana\nDTSTART" + start + "\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\nEND:VEVENT\n" +
                           "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID" + instance + "\nSTATUS:CANCELLED\nEND:VEVENT\n");
  };
  const std::string rest = "2026-12-02 08:00 1h\n";
  const std::string madrid = ";TZID=Europe/Madrid:20261201T090000";
  CHECK(without(madrid, ":20261201T080000Z") == rest);
  CHECK(without(madrid, ":20261201T090000") == rest);  // the rota's zone
  CHECK(without(madrid, ";TZID=America/New_York:20261201T030000") == rest);
  CHECK(without(madrid, ";VALUE=DATE:20261201") == rest);
  CHECK(without(":20261201T080000Z", madrid) == rest);
  CHECK(without(":20261201T080000Z", ";VALUE=DATE:20261201") == rest);
  // of the series' zone, where it is the day before
  CHECK(without(";TZID=Pacific/Auckland:20261201T210000", ";VALUE=DATE:20261201") == rest);
  CHECK(without(";VALUE=DATE:20261201", ":20261130T230000Z") == "2026-12-01 23:00 1h\n");
  // through the hour that is skipped
  CHECK(table_of_events(
            "BEGIN:VEVENT\nUID:1\nSUMMARY:ana\nDTSTART;TZID=Europe/Madrid:20270327T023000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\n"
            "END:VEVENT\nBEGIN:VEVENT\nUID:1\nRECURRENCE-ID;TZID=Europe/Madrid:20270328T023000\nSTATUS:CANCELLED\nEND:VEVENT\n") ==
        "2027-03-27 01:30 1h\n2027-03-29 00:30 1h\n");
}

TEST_CASE("an instance that is not read or has no series is named, and somebody is on call", "[incident]") {
  const std::string series = "BEGIN:VEVENT\nUID:1\nSUMMARY:ana\nDTSTART:20261201T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\n";
  const auto with = [&](const std::string& instance) {
    return table_of_events(series + "END:VEVENT\nBEGIN:VEVENT\nUID:1\n" + instance + "END:VEVENT\n");
  };
  const std::string bob = "SUMMARY:bob\nDTSTART:20261224T080000Z\nDURATION:PT1H\n", both = "2026-12-01 08:00 1h\n2026-12-02 08:00 1h\n";
  const std::string moved = "2026-12-24 08:00 1h bob\n", line = "! 9 the event \"bob\" ";
  CHECK(with(bob + "RECURRENCE-ID:20261203T080000Z\n") ==
        both + moved + line + "stands by itself: its series has nothing at 20261203T080000Z\n");
  CHECK(with(bob + "RECURRENCE-ID:20261202T090000Z\nSTATUS:CANCELLED\n") ==
        both + "! 9 the event \"bob\", cancelled, takes nothing away: its series has nothing at 20261202T090000Z\n");
  CHECK(with(bob + "RECURRENCE-ID:20250101T080000Z\n") == both + moved);  // before what is read
  CHECK(with(bob + "RECURRENCE-ID:20261202T080000Z\nRDATE:20261225T080000Z\n") ==
        both + line + "is left out, and the series' own turn stands: RDATE is not read\n");
  CHECK(with(bob + "RECURRENCE-ID:20261202T080000Z\nRRULE:FREQ=DAILY\n") ==
        both + line + "is left out, and the series' own turn stands: RECURRENCE-ID together with RRULE\n");
  CHECK(with("SUMMARY:bob\nSTATUS:CANCELLED\nRECURRENCE-ID:20261201T080000Z\nRECURRENCE-ID:20261202T080000Z\n") ==
        both + line + "is left out, and the series' own turn stands: RECURRENCE-ID stands twice\n");
  CHECK(with(bob + "RECURRENCE-ID:20261202\n") ==
        both + line +
            "is left out, and the series' own turn stands: RECURRENCE-ID: a DATE is written with VALUE=DATE, and only a DATE is\n");
  CHECK(with("SUMMARY:bob\nSTATUS:CANCELLED\nRECURRENCE-ID;TZID=Nowhere:20261202T080000\n")
            .starts_with(both + line + "is left out, and the series' own"));
  CHECK(with(bob + "RECURRENCE-ID;RANGE=THISANDFUTURE:20261202T080000Z\n") ==
        line + "is left out, and its series with it: RECURRENCE-ID with RANGE is not read\n");
  CHECK(table_of_events("BEGIN:VEVENT\n" + bob + "UID:2\nRECURRENCE-ID:20261202T080000Z\nEND:VEVENT\n" + series + "END:VEVENT\n") ==
        both + moved + "! 2 the event \"bob\" stands by itself: no series has its UID\n");
  CHECK(table_of_events("BEGIN:VEVENT\n" + bob + "RECURRENCE-ID:20261202T080000Z\nEND:VEVENT\n") ==
        moved + "! 2 the event \"bob\" stands by itself: no series has its UID\n");
  // an instance that EXDATE takes away too is no riddle; a series that is not read is one already
  const std::string put = "END:VEVENT\nBEGIN:VEVENT\nUID:1\n" + bob + "RECURRENCE-ID:20261202T080000Z\nEND:VEVENT\n";
  CHECK(table_of_events(series + "EXDATE:20261202T080000Z\n" + put) == "2026-12-01 08:00 1h\n" + moved);
  CHECK(table_of_events(series + "RDATE:20261225T080000Z\n" + put) == moved + "! 2 the event \"ana\" is left out: RDATE is not read\n");
  // events without UID are no series of each other
  CHECK(table_of_events("BEGIN:VEVENT\n" + bob + "END:VEVENT\nBEGIN:VEVENT\n" + bob + "SEQUENCE:1\nEND:VEVENT\n") == moved + moved);
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
