// SPDX-License-Identifier: Apache-2.0
// next, previous and count against an oracle that looks at every minute of the years, with the C library's
// clock.
#include <bit>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
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
/// second pass; readings that were jumped over are a gap. Suspects are bits: a minute asks all of them at once.
class Oracle {
 public:
  Oracle(const std::string& zone, std::vector<Suspect>& suspects) : clock_(zone), suspects_(suspects), minutes_(1440) {
    REQUIRE(suspects.size() <= 64);
    for (std::size_t i = 0; i < suspects.size(); ++i) {
      if (suspects[i].expression->named) named_ |= bit(i);
      for (std::size_t m = 0; m < 1440; ++m) {
        if (suspects[i].minutes[m]) minutes_[m] |= bit(i);
      }
    }
  }

  void walk(std::int64_t from, std::int64_t upto) {
    highest_ = from - minute + offset(from - minute);
    for (std::int64_t hour = from; hour < upto; hour += 3600) {
      const std::int64_t begin = offset(hour), end = offset(hour + 3599);
      for (std::int64_t at = hour; at < hour + 3600; at += minute)
        step(at, begin == end ? begin : offset(at));
    }
  }

 private:
  static std::uint64_t bit(std::size_t i) { return std::uint64_t{1} << i; }
  std::int64_t offset(std::int64_t at) const { return clock_.offset(sys_seconds(seconds(at))).count(); }

  void step(std::int64_t at, std::int64_t offset) {
    const std::int64_t reading = at + offset;
    if (reading < day_ || reading >= day_ + 86'400) enter_day(floor_day(reading));
    std::uint64_t due = minutes_[std::size_t((reading - day_) / minute)] & active_;
    if (reading <= highest_) due &= ~named_;
    if (reading > highest_ + minute) due |= swallowed(named_ & ~due, reading);
    for (std::uint64_t rest = due; rest != 0; rest &= rest - 1) suspects_[std::size_t(std::countr_zero(rest))].due.push_back(at);
    highest_ = std::max(highest_, reading);
  }

  std::uint64_t swallowed(std::uint64_t asked, std::int64_t reading) const {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < suspects_.size(); ++i) {
      if ((asked & bit(i)) != 0 && swallowed(suspects_[i], reading)) out |= bit(i);
    }
    return out;
  }

  bool swallowed(const Suspect& suspect, std::int64_t reading) const {
    for (std::int64_t r = highest_ + minute; r < reading; r += minute) {
      if (suspect.matches(r)) return true;
    }
    return false;
  }

  void enter_day(std::int64_t day) {
    day_ = day * 86'400;
    const Day date = day_of(day);
    active_ = 0;
    for (std::size_t i = 0; i < suspects_.size(); ++i) {
      if (suspects_[i].expression->on_day(date)) active_ |= bit(i);
    }
  }

  GlibcClock clock_;
  std::vector<Suspect>& suspects_;
  std::vector<std::uint64_t> minutes_;  // who is due then, on a day that is theirs
  std::uint64_t named_ = 0;
  std::uint64_t active_ = 0;          // on this day
  std::int64_t day_ = INT64_MIN / 2;  // the reading at which it begins
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

std::int64_t begin_of(int year) {
  using namespace std::chrono;
  return sys_seconds(sys_days(std::chrono::year(year) / January / 1)).time_since_epoch().count();
}

void compare(const std::string& name, std::size_t expressions, int first_year, int years, Random& random) {
  std::vector<Suspect> suspects;
  for (std::size_t i = 0; i < expressions; ++i) suspects.emplace_back(all_expressions()[i]);
  const std::int64_t from = begin_of(first_year), upto = begin_of(first_year + years);
  Oracle(name, suspects).walk(from, upto);
  for (const Suspect& suspect : suspects) {
    INFO(name << ": " << suspect.expression->text);
    const std::size_t wrong =
        differences(parse(*suspect.expression, zone(name)), suspect.due, from, upto, random);
    if (wrong != 0) CHECK(wrong == 0);
  }
}

/// Offsets, each with the instant from which on it holds; the first holds at `from`.
using Rules = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// By the C library: looks at every hour, and for the very second where two of them differ.
Rules rules_by_glibc(const std::string& name, std::int64_t from, std::int64_t upto) {
  const GlibcClock clock(name);
  const auto offset = [&](std::int64_t instant) { return clock.offset(at(instant)).count(); };
  Rules out{{from, offset(from)}};
  for (std::int64_t hour = from + 3600; hour <= upto; hour += 3600) {
    if (offset(hour) == out.back().second) continue;
    std::int64_t before = hour - 3600, after = hour;
    while (after - before > 1) {
      const std::int64_t middle = before + (after - before) / 2;
      (offset(middle) == out.back().second ? before : after) = middle;
    }
    out.emplace_back(after, offset(after));
  }
  return out;
}

Rules rules_by_zone(const Zone& zone, std::int64_t from, std::int64_t upto) {
  Rules out{{from, zone.span_at(at(from)).offset.count()}};
  for (const Span& span : zone.spans_between(at(from), at(upto)))
    out.emplace_back(span.begin.time_since_epoch().count(), span.offset.count());
  return out;
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

// Many zones have had the same rules since 2010. What a calendar says depends on nothing else of a zone, so of
// those one is compared; that they are the same is looked up for each of them, by the C library and by Zone.
TEST_CASE("all zones' rules, twenty years, fifty expressions", "[.long][schedule]") {
  const std::uint64_t seed = test_seed(2010);
  INFO("RONDA_TEST_SEED=" << seed);
  Random random(seed);
  REQUIRE(all_expressions().size() == 50);
  constexpr int first_year = 2010, years = 20;
  const std::int64_t from = begin_of(first_year) - 86'400, upto = begin_of(first_year + years) + 86'400;
  std::set<Rules> compared;
  for (const std::string& name : all_zone_names()) {
    INFO(name);
    const Rules rules = rules_by_glibc(name, from, upto);
    if (rules_by_zone(*zone(name), from, upto) != rules) FAIL_CHECK("another clock than the C library's");
    if (compared.insert(rules).second) compare(name, all_expressions().size(), first_year, years, random);
  }
  CHECK(compared.size() > 100);  // tzdata of 2026 has 140
}
