// SPDX-License-Identifier: Apache-2.0
#include "schedule/calendar.hpp"

#include "schedule/preview.hpp"
#include "support.hpp"

using namespace ronda;
using namespace ronda::schedule;
using namespace std::chrono_literals;

namespace {

Calendar calendar(const std::string& text, const std::string& zone_name = "UTC") {
  ZoneDatabase zones;
  INFO(text);
  auto parsed = parse_calendar(text, zones, zone(zone_name));
  INFO((parsed ? "" : parsed.error().message()));
  REQUIRE(parsed);
  return *parsed;
}

Calendar cron(const std::string& text, const std::string& zone_name = "UTC") {
  auto parsed = parse_cron(text, zone(zone_name));
  INFO(text << (parsed ? "" : parsed.error().message()));
  REQUIRE(parsed);
  return *parsed;
}

/// "column: message"
std::string told(const Result<Calendar>& parsed) {
  REQUIRE_FALSE(parsed);
  REQUIRE(parsed.error().where());
  return std::to_string(parsed.error().where()->column) + ": " + parsed.error().message();
}

std::string calendar_error_of(const std::string& text) {
  ZoneDatabase zones;
  return told(parse_calendar(text, zones, zone("UTC")));
}

std::vector<std::string> instants(const Calendar& what, const std::string& after, std::size_t count) {
  std::vector<std::string> out;
  for (auto next = what.next(utc(after)); next && out.size() < count; next = what.next(*next))
    out.push_back(show_utc(*next));
  return out;
}

}  // namespace

TEST_CASE("clock changes: a named hour is due once, an interval follows the clock", "[schedule]") {
  struct Row {
    const char* zone;
    const char* expression;
    const char* after;  // UTC
    std::vector<std::string> due;
  };
  const auto row = GENERATE(values<Row>({
      // Berlin: 02:00 -> 03:00 on 2027-03-28, 03:00 -> 02:00 on 2027-10-31
      {"Europe/Berlin",
       "*-*-* 02:30",
       "2027-03-27 00:00:00",
       {"2027-03-27 01:30:00", "2027-03-28 01:00:00", "2027-03-29 00:30:00"}},
      {"Europe/Berlin",
       "*-*-* 02:30",
       "2027-10-30 00:00:00",
       {"2027-10-30 00:30:00", "2027-10-31 00:30:00", "2027-11-01 01:30:00"}},
      {"Europe/Berlin",
       "*-*-* 02:00,15,30,45",
       "2027-03-28 00:00:00",
       {"2027-03-28 01:00:00", "2027-03-29 00:00:00"}},
      {"Europe/Berlin",
       "*-*-* 02,03:00,30",
       "2027-03-28 00:00:00",
       {"2027-03-28 01:00:00", "2027-03-28 01:30:00", "2027-03-29 00:00:00"}},
      {"Europe/Berlin",
       "*:30",
       "2027-10-30 23:00:00",
       {"2027-10-30 23:30:00", "2027-10-31 00:30:00", "2027-10-31 01:30:00", "2027-10-31 02:30:00"}},
      {"Europe/Berlin", "*:30", "2027-03-28 00:00:00", {"2027-03-28 00:30:00", "2027-03-28 01:30:00"}},
      {"Europe/Berlin",
       "0/2:00",
       "2027-10-30 22:00:00",
       {"2027-10-31 00:00:00", "2027-10-31 01:00:00", "2027-10-31 03:00:00"}},
      {"America/New_York",
       "*-*-* 02:30",
       "2027-03-14 05:00:00",
       {"2027-03-14 07:00:00", "2027-03-15 06:30:00"}},
      {"America/New_York",
       "*-*-* 01:30",
       "2027-11-07 04:00:00",
       {"2027-11-07 05:30:00", "2027-11-08 06:30:00"}},
      // Lord Howe: half an hour
      {"Australia/Lord_Howe",
       "*-*-* 02:15",
       "2027-10-02 00:00:00",
       {"2027-10-02 15:30:00", "2027-10-03 15:15:00"}},
      {"Australia/Lord_Howe",
       "*-*-* 01:45",
       "2027-04-03 00:00:00",
       {"2027-04-03 14:45:00", "2027-04-04 15:15:00"}},
      {"Australia/Lord_Howe", "*:45", "2027-04-03 14:00:00", {"2027-04-03 14:45:00", "2027-04-03 15:15:00"}},
      // Cairo: midnight is missing
      {"Africa/Cairo", "daily", "2027-04-29 00:00:00", {"2027-04-29 22:00:00", "2027-04-30 21:00:00"}},
      {"Africa/Cairo", "*-*-* 00:30", "2027-04-29 00:00:00", {"2027-04-29 22:00:00", "2027-04-30 21:30:00"}},
      // Casablanca, when summer time was the standard and winter (Ramadan) the exception; the years are past ones,
      // because tzdata 2026f foresees no more of it
      {"Africa/Casablanca",
       "*-*-* 02:30",
       "2025-02-22 12:00:00",
       {"2025-02-23 01:30:00", "2025-02-24 02:30:00"}},
      {"Africa/Casablanca",
       "*-*-* 02:30",
       "2025-04-05 12:00:00",
       {"2025-04-06 02:00:00", "2025-04-07 01:30:00"}},
      // St John's: at 00:01 until 2011, at 02:00 since
      {"America/St_Johns",
       "*-*-* 00:30",
       "2010-03-14 00:00:00",
       {"2010-03-14 03:31:00", "2010-03-15 03:00:00"}},
      {"America/St_Johns",
       "*-*-* 02:30",
       "2027-03-14 00:00:00",
       {"2027-03-14 05:30:00", "2027-03-15 05:00:00"}},
      // Apia: the 30th of December 2011 is missing
      {"Pacific/Apia",
       "*-*-* 12:00",
       "2011-12-29 00:00:00",
       {"2011-12-29 22:00:00", "2011-12-30 10:00:00", "2011-12-30 22:00:00"}},
      {"Pacific/Apia",
       "*-12-30 12:00",
       "2011-12-29 00:00:00",
       {"2011-12-30 10:00:00", "2012-12-29 22:00:00"}},
      // Sao Paulo: midnight is missing
      {"America/Sao_Paulo",
       "Sun *-*-* 00:00",
       "2018-11-03 00:00:00",
       {"2018-11-04 03:00:00", "2018-11-11 02:00:00"}},
  }));
  INFO(row.zone << ": " << row.expression);
  CHECK(instants(calendar(row.expression, row.zone), row.after, row.due.size()) == row.due);
}

TEST_CASE("calendars know leap days, long years and what comes after 2038", "[schedule]") {
  CHECK(instants(calendar("*-02-29 12:00"), "2096-03-01 00:00:00", 2) ==
        std::vector<std::string>{"2104-02-29 12:00:00", "2108-02-29 12:00:00"});
  CHECK(instants(calendar("2038-01-19 03:14:08"), "2027-01-01 00:00:00", 2) ==
        std::vector<std::string>{"2038-01-19 03:14:08"});
  CHECK(instants(calendar("Thu *-12-31 00:00"), "2026-01-01 00:00:00", 2) ==
        std::vector<std::string>{"2026-12-31 00:00:00", "2037-12-31 00:00:00"});
  CHECK(instants(calendar("*-*-* 02:30", "Europe/Berlin"), "2060-03-27 12:00:00", 1) ==
        std::vector<std::string>{"2060-03-28 01:00:00"});
  CHECK(instants(calendar("2199-12-31 23:59:59"), "2027-01-01 00:00:00", 2) ==
        std::vector<std::string>{"2199-12-31 23:59:59"});
}

TEST_CASE("a date that never comes has no next, no previous, and a warning", "[schedule]") {
  const Calendar never =
      GENERATE(calendar("*-02-30"), calendar("*-02-30 *:00", "Europe/Berlin"), cron("* * 31 2,4 *"));
  CHECK_FALSE(never.possible());
  CHECK_FALSE(never.next(utc("2027-01-01 00:00:00")));
  CHECK_FALSE(never.previous(utc("2027-01-01 00:00:00")));
  CHECK(never.count(utc("1980-01-01 00:00:00"), utc("2190-01-01 00:00:00")) == 0);
  CHECK(never.warnings() == std::vector<std::string>{"this date never comes, so nothing is ever due"});
}

TEST_CASE("of a date that has passed the last one is told, and that nothing follows", "[schedule]") {
  const Calendar past = calendar("2020-01-01 00:00", "Europe/Berlin");
  CHECK(past.possible());
  CHECK(why_over(past, utc("2019-12-31 22:59:59")).empty());
  const std::string why = why_over(past, utc("2026-11-30 12:00:00"));
  CHECK_THAT(why, Catch::StartsWith("the last such date was ") && Catch::Contains("2020-01-01 00:00:00") &&
                      Catch::EndsWith(": nothing is due any more"));
  CHECK(why_over(calendar("2020..2022-03-01"), utc("2021-12-01 00:00:00")).empty());
  CHECK(why_over(calendar("2020..2022-03-01"), utc("2022-03-01 00:00:00")) != "");
  CHECK(why_over(calendar("daily"), utc("2026-11-30 12:00:00")).empty());
  CHECK(why_over(calendar("*-02-30"), utc("2026-11-30 12:00:00")).empty());  // that has a warning of its own
}

TEST_CASE("instants at the ends of time are answered", "[schedule]") {
  const Calendar c = calendar("*:*:*", "Europe/Berlin");
  CHECK(show_utc(*c.next(sys_seconds::min())) == "1969-12-31 23:00:00");
  CHECK_FALSE(c.next(sys_seconds::max()));
  CHECK(show_utc(*c.previous(sys_seconds::max())) == "2199-12-31 22:59:59");
  CHECK_FALSE(c.previous(sys_seconds::min()));
  CHECK(c.count(sys_seconds::min(), sys_seconds::max()) > 7'000'000'000U);
}

TEST_CASE("a million missed slots are counted as fast as one", "[schedule]") {
  const Calendar c = calendar("*:*", "Europe/Berlin");
  CHECK(c.count(utc("2027-01-01 00:00:00"), utc("2029-01-01 00:00:00")) == 731 * 1440);
}

TEST_CASE("the normal form is systemd's, with the zone", "[schedule]") {
  auto [text, normal] = GENERATE(table<std::string, std::string>({
      {"Sun *-*-01..07 02:00 America/Argentina/Buenos_Aires",
       "Sun *-*-01..07 02:00:00 America/Argentina/Buenos_Aires"},
      {"minutely", "*-*-* *:*:00 UTC"},
      {"hourly", "*-*-* *:00:00 UTC"},
      {"daily Europe/Berlin", "*-*-* 00:00:00 Europe/Berlin"},
      {"weekly", "Mon *-*-* 00:00:00 UTC"},
      {"monthly", "*-*-01 00:00:00 UTC"},
      {"yearly", "*-01-01 00:00:00 UTC"},
      {"quarterly", "*-01,04,07,10-01 00:00:00 UTC"},
      {"semi-annually", "*-01,07-01 00:00:00 UTC"},
      {"Mon", "Mon *-*-* 00:00:00 UTC"},
      {"Wed, 17:48", "Wed *-*-* 17:48:00 UTC"},
      {"Mon-Fri 10:00", "Mon..Fri *-*-* 10:00:00 UTC"},
      {"sunday,Monday 1:00 utc", "Mon,Sun *-*-* 01:00:00 UTC"},
      {"Mon..Sun 1:00", "*-*-* 01:00:00 UTC"},
      {"*:0/15", "*-*-* *:00/15:00 UTC"},
      {"*/2:00", "*-*-* 00/2:00:00 UTC"},
      {"0/12:00", "*-*-* 00/12:00:00 UTC"},
      {"10..12:00,30", "*-*-* 10..12:00,30:00 UTC"},
      {"0..23:00", "*-*-* 00..23:00:00 UTC"},
      {"9..17/1:20", "*-*-* 09..17/1:20:00 UTC"},
      {"*-*~01 23:00", "*-*~01 23:00:00 UTC"},
      {"Mon *-05~07/1 03:00", "Mon *-05~01..07 03:00:00 UTC"},
      {"2027-3-1..20/3", "2027-03-01,04,07,10,13,16,19 00:00:00 UTC"},
      {"*-*-01/7", "*-*-01/7 00:00:00 UTC"},
      {"*-*-5,3,4,9 1:2:3", "*-*-03..05,09 01:02:03 UTC"},
  }));
  INFO(text);
  CHECK(calendar(text).print() == normal);
  CHECK(calendar(normal) == calendar(text));
}

TEST_CASE("cron is the same calendar in another grammar", "[schedule]") {
  auto [text, normal] = GENERATE(table<std::string, std::string>({
      {"0 */6 * * *", "*-*-* 00/6:00:00 UTC"},
      {"*/15 * * * *", "*-*-* *:00/15:00 UTC"},
      {"0 2 * * 0", "Sun *-*-* 02:00:00 UTC"},
      {"0 2 * * 7", "Sun *-*-* 02:00:00 UTC"},
      {"0 2 * * 5-7", "Fri..Sun *-*-* 02:00:00 UTC"},
      {"0 2 * JAN-mar,dec Mon-Fri", "Mon..Fri *-01..03,12-* 02:00:00 UTC"},
      {"30 1,13 1 * *", "*-*-01 01,13:30:00 UTC"},
      {"@hourly", "*-*-* *:00:00 UTC"},
      {"@weekly", "Sun *-*-* 00:00:00 UTC"},
      {"@yearly", "*-01-01 00:00:00 UTC"},
      {"0 3 13 * fri", "*-*-13 03:00:00 or Fri *-*-* 03:00:00 UTC"},
      {"0 3 */2 * fri", "Fri *-*-01/2 03:00:00 UTC"},
  }));
  INFO(text);
  CHECK(cron(text).print() == normal);
}

TEST_CASE("cron with both day fields set is due when either matches, and warns", "[schedule]") {
  const Calendar c = cron("0 3 13 * fri");
  CHECK(instants(c, "2027-08-10 00:00:00", 3) ==
        std::vector<std::string>{"2027-08-13 03:00:00", "2027-08-20 03:00:00", "2027-08-27 03:00:00"});
  CHECK(c.warnings() ==
        std::vector<std::string>{"day of month and day of week are both set: cron runs when either matches; "
                                 "for both write at = \"Fri *-*-13 02:00\""});
  CHECK(cron("0 3 13 * *").warnings().empty());
}

TEST_CASE("a wrong calendar expression is told with column, cause and remedy", "[schedule]") {
  auto [text, message] = GENERATE(table<std::string, std::string>({
      {"", "1: an empty calendar expression; write for example \"Sun *-*-* 02:00\" or \"daily\""},
      {"dayly", "1: \"dayly\" is unknown; did you mean \"daily\"?"},
      {"*-*-13 Fri", "8: \"Fri\" stands too late; days of the week come first: \"Fri *-*-13 02:00\""},
      {"12", "1: \"12\" is neither a date nor a time; write for example \"12:00\" or \"*-*-01\""},
      {"@daily", "1: \"@daily\" is cron's; write it as cron = \"@daily\", or \"daily\" and the like"},
      {"Mon *-*-* 24:00", "11: the hour 24 is out of range; it goes from 0 to 23"},
      {"*-13-01", "3: the month 13 is out of range; it goes from 1 to 12"},
      {"Sat..Tue 10:00",
       "1: the week runs from Mon to Sun, so \"Sat..Tue\" runs backwards; write it as two ranges"},
      {"Mon,Thr 10:00", "5: \"Thr\" is no day of the week; write Mon, Tue, Wed, Thu, Fri, Sat or Sun"},
      {"Mon,Tuseday 10:00", "5: \"Tuseday\" is no day of the week; did you mean \"Tue\"?"},
      {"02:00 Europe/Berln", "7: unknown time zone \"Europe/Berln\"; did you mean \"Europe/Berlin\"?"},
      {"02:00 ../../etc/passwd",
       "7: \"../../etc/passwd\" is neither a date nor a time; write for example \"12:00\" or \"*-*-01\""},
      {"20..4:00", "1: the range \"20..4\" runs backwards; write it as two: \"20..23,0..4\""},
      {"2:0/0", "5: \"0\" is no step of the minute; write a whole number from 1 on after the \"/\""},
      {"2:x", "3: \"x\" is no minute; write 0..59, a list, a range \"a..b\", a step \"a/n\" or \"*\""},
      {"2:00:00.5", "8: fractions of a second are not scheduled"},
      {"1:2:3:4", "1: a time is HOUR:MINUTE or HOUR:MINUTE:SECOND"},
      {"1-2-3-4",
       "1: \"1-2-3-4\" is no date; write YEAR-MONTH-DAY like \"*-*-01..07\", or \"*-*~01\" for the last day "
       "of "
       "a month"},
      {"2200-01-01", "1: the year 2200 is out of range; it goes from 1970 to 2199"},
      {std::string(257, '1'), "256: a calendar expression has at most 256 characters"},
  }));
  CHECK(calendar_error_of(text) == message);
}

TEST_CASE("a wrong cron expression is told with column, cause and remedy", "[schedule]") {
  auto [text, message] = GENERATE(table<std::string, std::string>({
      {"", "1: cron has five fields (minute hour day-of-month month day-of-week), got 0"},
      {"0 2 * *", "1: cron has five fields (minute hour day-of-month month day-of-week), got 4"},
      {"0 0 2 * * *",
       "11: cron has five fields (minute hour day-of-month month day-of-week), got 6; for seconds or a "
       "year use at = \"...\""},
      {"60 2 * * *", "1: the minute 60 is out of range; it goes from 0 to 59"},
      {"0 2 * * fri-mon", "9: the range \"fri-mon\" runs backwards; write it as two: \"5-7,0-1\""},
      {"0 2 L * *",
       "5: \"L\" is no day of month; write 1-31, a list, a range \"a-b\", a step \"a/n\" or \"*\""},
      {"0 2 * * 5#3",
       "9: \"5#3\" is no day of week; write 0-7, a list, a range \"a-b\", a step \"a/n\" or \"*\""},
      {"@reboot", "1: \"@reboot\" is no time; checks run at start by themselves"},
      {"@often", "1: \"@often\" is unknown; known are @hourly, @daily, @weekly, @monthly and @yearly"},
  }));
  CHECK(told(parse_cron(text, zone("UTC"))) == message);
}

TEST_CASE("any calendar, printed and read again, is the same calendar", "[schedule]") {
  const std::uint64_t seed = test_seed(3);
  INFO("RONDA_TEST_SEED=" << seed);
  Random random(seed);
  const auto bits = [&](unsigned low, unsigned high) {
    const std::uint64_t all = (high == 63 ? ~std::uint64_t{0} : (std::uint64_t{1} << (high + 1)) - 1) &
                              ~((std::uint64_t{1} << low) - 1);
    std::uint64_t some = 0;
    switch (random() % 4) {
      case 0:
        return all;
      case 1:
        some = std::uint64_t{1} << pick(random, low, high);
        break;
      case 2:
        some = random() & random();
        break;
      default: {
        const std::int64_t step = pick(random, 1, 9);
        for (std::int64_t v = pick(random, low, high); v <= high; v += step) some |= std::uint64_t{1} << v;
      }
    }
    some &= all;
    return some != 0 ? some : std::uint64_t{1} << low;
  };
  for (int round = 0; round < 20'000; ++round) {
    Fields f;
    f.seconds = bits(0, 59);
    f.minutes = bits(0, 59);
    f.hours = std::uint32_t(bits(0, 23));
    f.days = std::uint32_t(bits(1, 31));
    f.months = std::uint16_t(bits(1, 12));
    f.weekdays = std::uint8_t(bits(0, 6));
    f.days_from_end = random() % 3 == 0;
    f.hour_is_interval = random() % 2 == 0;
    f.years = random() % 2 == 0 ? YearSet::all() : YearSet();
    for (int y = 0; y < 3; ++y) f.years.add(int(pick(random, 1970, 2199)));
    const Calendar made(f, zone("Europe/Berlin"));
    INFO(made.print());
    if (made.print().size() > 256) continue;
    const Calendar read = calendar(made.print());
    if (!(read == made)) CHECK(read.print() == made.print() + " but not the same");
  }
}

TEST_CASE("text from anywhere is refused or read, and what was read can be asked", "[schedule]") {
  const std::uint64_t seed = test_seed(4);
  INFO("RONDA_TEST_SEED=" << seed);
  Random random(seed);
  const std::vector<std::string> bits = {
      "*",          "-",  "..",   "/",   ",",   ":",     "~",   " ", "0",    "1",   "7",
      "31",         "59", "2027", "Mon", "Sun", "daily", "UTC", "@", "\xff", "fri", "Europe/Berlin",
      "99999999999"};
  ZoneDatabase zones;
  std::size_t accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    for (std::int64_t n = pick(random, 0, 12); n > 0; --n) text += bits[random() % bits.size()];
    for (const auto& parsed :
         {parse_calendar(text, zones, zone("Europe/Berlin")), parse_cron(text, zone("Europe/Berlin"))}) {
      if (!parsed) continue;
      ++accepted;
      INFO(text);
      const auto next = parsed->next(utc("2027-03-27 00:00:00"));
      if (next && parsed->previous(*next) != next) CHECK(text == "next and previous agree");
    }
  }
  CHECK(accepted > 500);
}

TEST_CASE("seconds around clock changes: each named second once, each interval in both passes",
          "[schedule]") {
  struct Row {
    const char* zone;
    const char* around;
  };
  const auto row = GENERATE(values<Row>({{"Europe/Berlin", "2027-03-28 01:00:00"},
                                         {"Europe/Berlin", "2027-10-31 01:00:00"},
                                         {"Australia/Lord_Howe", "2027-04-03 15:00:00"},
                                         {"Australia/Lord_Howe", "2027-10-02 15:30:00"},
                                         {"Africa/Monrovia", "1972-01-07 00:44:30"}}));
  const sys_seconds from = utc(row.around) - 2h, upto = utc(row.around) + 2h;
  const ZonePtr z = zone(row.zone);
  for (const bool named : {false, true}) {
    const Calendar c = calendar(named ? "00..23:*:7/20" : "*:*:7/20", row.zone);
    std::vector<sys_seconds> expected;
    local_seconds highest = z->to_local(from - 1s);
    for (sys_seconds at = from; at < upto; at += 1s) {
      const local_seconds now = z->to_local(at);
      const auto hits = [](local_seconds r) { return r.time_since_epoch().count() % 60 % 20 == 7; };
      bool due = hits(now) && (!named || now > highest);
      for (local_seconds r = highest + 1s; named && r < now; r += 1s) due = due || hits(r);
      if (due) expected.push_back(at);
      highest = std::max(highest, now);
    }
    std::vector<sys_seconds> found;
    for (auto next = c.next(from - 1s); next && *next < upto; next = c.next(*next)) found.push_back(*next);
    INFO(row.zone << " " << row.around << (named ? " named" : " interval"));
    CHECK(found == expected);
    CHECK(c.count(from - 1s, upto - 1s) == expected.size());
    std::vector<sys_seconds> backwards;
    for (auto p = c.previous(upto - 1s); p && *p >= from; p = c.previous(*p - 1s)) backwards.push_back(*p);
    std::reverse(backwards.begin(), backwards.end());
    CHECK(backwards == expected);
  }
}
