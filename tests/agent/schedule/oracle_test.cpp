// SPDX-License-Identifier: Apache-2.0
// next, previous and count against an oracle that looks at every minute of the years, with the C library's
// clock.
#include <cstdlib>
#include <string>
#include <vector>

#include "expressions.hpp"
#include "glibc_clock.hpp"
#include "schedule/calendar.hpp"
#include "support.hpp"

using namespace ronda::schedule;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t minute = 60;

std::int64_t floor_day(std::int64_t value) {
  return (value - ((value % 86'400) + 86'400) % 86'400) / 86'400;
}

Day day_of(std::int64_t index) {
  using namespace std::chrono;
  const local_days date{days(index)};
  const year_month_day ymd(date);
  return {int(ymd.year()), int(unsigned(ymd.month())), int(unsigned(ymd.day())),
          int(unsigned((ymd.year() / ymd.month() / last).day())), int(weekday(date).iso_encoding()) - 1};
}

/// One expression's belief, a table of the day's minutes, and the instants that were found due.
struct Suspect {
  const Expression* expression;
  std::vector<bool> minutes;
  std::vector<std::int64_t> due;

  explicit Suspect(const Expression& e) : expression(&e), minutes(1440) {
    for (int m = 0; m < 1440; ++m) minutes[std::size_t(m)] = e.at_minute(m / 60, m % 60);
  }
  bool matches(std::int64_t reading) const {
    const std::int64_t day = floor_day(reading);
    return minutes[std::size_t((reading - day * 86'400) / minute)] && expression->on_day(day_of(day));
  }
};

/// Walks the minutes of [from, upto) and notes what is due. Readings not above the highest one seen are a
/// second pass; readings that were jumped over are a gap.
class Oracle {
 public:
  Oracle(const std::string& zone, std::vector<Suspect>& suspects) : clock_(zone), suspects_(suspects) {}

  void walk(std::int64_t from, std::int64_t upto) {
    highest_ = from - minute + offset(from - minute);
    for (std::int64_t hour = from; hour < upto; hour += 3600) {
      const std::int64_t begin = offset(hour), end = offset(hour + 3599);
      for (std::int64_t at = hour; at < hour + 3600; at += minute)
        step(at, begin == end ? begin : offset(at));
    }
  }

 private:
  std::int64_t offset(std::int64_t at) const { return clock_.offset(sys_seconds(seconds(at))).count(); }

  void step(std::int64_t at, std::int64_t offset) {
    const std::int64_t reading = at + offset;
    const std::int64_t day = floor_day(reading);
    if (day != day_) enter_day(day);
    const bool second_pass = reading <= highest_;
    const bool gap = reading > highest_ + minute;
    const auto minute_of_day = std::size_t((reading - day * 86'400) / minute);
    for (std::size_t i = 0; i < suspects_.size(); ++i) {
      Suspect& suspect = suspects_[i];
      bool due = active_[i] && suspect.minutes[minute_of_day];
      if (suspect.expression->named && second_pass) due = false;
      if (suspect.expression->named && gap) due = due || swallowed(suspect, reading);
      if (due) suspect.due.push_back(at);
    }
    highest_ = std::max(highest_, reading);
  }

  bool swallowed(const Suspect& suspect, std::int64_t reading) const {
    for (std::int64_t r = highest_ + minute; r < reading; r += minute) {
      if (suspect.matches(r)) return true;
    }
    return false;
  }

  void enter_day(std::int64_t day) {
    day_ = day;
    const Day date = day_of(day);
    active_.resize(suspects_.size());
    for (std::size_t i = 0; i < suspects_.size(); ++i) active_[i] = suspects_[i].expression->on_day(date);
  }

  GlibcClock clock_;
  std::vector<Suspect>& suspects_;
  std::vector<char> active_;
  std::int64_t day_ = INT64_MIN;
  std::int64_t highest_ = 0;
};

Calendar parse(const Expression& expression, const ZonePtr& zone) {
  static ZoneDatabase zones;
  auto calendar =
      expression.is_cron ? parse_cron(expression.text, zone) : parse_calendar(expression.text, zones, zone);
  INFO(expression.text);
  REQUIRE(calendar);
  return *calendar;
}

sys_seconds at(std::int64_t value) {
  return sys_seconds(seconds(value));
}

/// What differs between a calendar and the instants that the oracle found in [from, upto).
std::size_t differences(const Calendar& calendar, const std::vector<std::int64_t>& due, std::int64_t from,
                        std::int64_t upto, Random& random) {
  std::size_t wrong = 0;
  sys_seconds now = at(from) - 1s;
  std::size_t i = 0;
  for (auto next = calendar.next(now); next && *next < at(upto); next = calendar.next(*next), ++i) {
    if (i >= due.size() || *next != at(due[i])) {
      UNSCOPED_INFO("next after " << show_utc(now) << " is " << show_utc(*next) << ", the oracle has "
                                  << (i < due.size() ? show_utc(at(due[i])) : "none"));
      return wrong + 1;
    }
    now = *next;
  }
  if (i != due.size()) {
    UNSCOPED_INFO("the oracle goes on with " << show_utc(at(due[i])));
    return wrong + 1;
  }
  const std::size_t stride = std::max<std::size_t>(1, due.size() / 4'000);
  for (std::size_t k = 1; k < due.size(); k += stride) {
    if (calendar.previous(at(due[k])) != at(due[k])) ++wrong;
    if (calendar.previous(at(due[k]) - 1s) != at(due[k - 1])) ++wrong;
    if (calendar.next(at(due[k]) - 1s) != at(due[k])) ++wrong;
  }
  for (int round = 0; round < 50 && !due.empty(); ++round) {
    const std::int64_t a = pick(random, from, upto - 1), b = pick(random, a, upto - 1);
    const auto above = [&](std::int64_t x) {
      return std::upper_bound(due.begin(), due.end(), x) - due.begin();
    };
    if (calendar.count(at(a), at(b)) == std::uint64_t(above(b) - above(a))) continue;
    UNSCOPED_INFO("count in (" << show_utc(at(a)) << ", " << show_utc(at(b)) << "] is "
                               << calendar.count(at(a), at(b)) << ", the oracle has " << above(b) - above(a));
    ++wrong;
  }
  return wrong;
}

void compare(const std::string& name, std::size_t expressions, int first_year, int years, Random& random) {
  std::vector<Suspect> suspects;
  for (std::size_t i = 0; i < expressions; ++i) suspects.emplace_back(all_expressions()[i]);
  using namespace std::chrono;
  const auto from = sys_seconds(sys_days(year(first_year) / January / 1)).time_since_epoch().count();
  const auto upto = sys_seconds(sys_days(year(first_year + years) / January / 1)).time_since_epoch().count();
  Oracle(name, suspects).walk(from, upto);
  for (const Suspect& suspect : suspects) {
    INFO(name << ": " << suspect.expression->text);
    const std::size_t wrong =
        differences(parse(*suspect.expression, zone(name)), suspect.due, from, upto, random);
    if (wrong != 0) CHECK(wrong == 0);
  }
}

const char* const odd_zones[] = {"Europe/Berlin",
                                 "America/New_York",
                                 "Australia/Lord_Howe",
                                 "Africa/Cairo",
                                 "Africa/Casablanca",
                                 "America/St_Johns",
                                 "Pacific/Apia",
                                 "America/Sao_Paulo",
                                 "Europe/Dublin",
                                 "Asia/Gaza",
                                 "Asia/Hebron",
                                 "Asia/Tehran",
                                 "Asia/Kathmandu",
                                 "Pacific/Chatham",
                                 "America/Nuuk",
                                 "America/Scoresbysund",
                                 "Antarctica/Troll",
                                 "Antarctica/Casey",
                                 "America/Havana",
                                 "America/Santiago",
                                 "America/Asuncion",
                                 "Pacific/Easter",
                                 "Asia/Beirut",
                                 "Asia/Jerusalem",
                                 "Asia/Amman",
                                 "Asia/Pyongyang",
                                 "America/Caracas",
                                 "Europe/Istanbul",
                                 "Europe/Moscow",
                                 "Europe/Volgograd",
                                 "Africa/El_Aaiun",
                                 "Africa/Khartoum",
                                 "Africa/Sao_Tome",
                                 "Pacific/Fiji",
                                 "Pacific/Tongatapu",
                                 "Pacific/Norfolk",
                                 "Australia/Adelaide",
                                 "Atlantic/Azores",
                                 "America/Argentina/Buenos_Aires",
                                 "UTC"};

}  // namespace

TEST_CASE("forty odd zones, five years, twenty expressions: nothing missed, nothing doubled", "[schedule]") {
  const std::uint64_t seed = test_seed(20270328);
  INFO("RONDA_TEST_SEED=" << seed);
  Random random(seed);
  for (const char* name : odd_zones) compare(name, ci_expressions, 2025, 5, random);
}

TEST_CASE("the years in which zones changed most: 2011, 2016, 2018", "[schedule]") {
  Random random(test_seed(2011));
  for (const int year : {2011, 2016, 2018}) {
    for (const char* name : odd_zones) compare(name, 8, year, 1, random);
  }
}

TEST_CASE("all zones, twenty years, fifty expressions", "[.long][schedule]") {
  const std::uint64_t seed = test_seed(2010);
  INFO("RONDA_TEST_SEED=" << seed);
  Random random(seed);
  REQUIRE(all_expressions().size() == 50);
  for (const std::string& name : all_zone_names()) compare(name, all_expressions().size(), 2010, 20, random);
}
