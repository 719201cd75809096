// SPDX-License-Identifier: Apache-2.0
// systemd's calendar grammar; see systemd.time(7), "Calendar events". Taken besides: "*/n". Not taken:
// fractions of a second, "@" seconds, which nobody schedules by.
#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "base/text.hpp"
#include "schedule/calendar.hpp"
#include "schedule/component.hpp"

namespace ronda::schedule {
namespace {

constexpr std::size_t max_text = 256;

constexpr std::array<std::string_view, 7> long_weekdays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                           "Friday", "Saturday", "Sunday"};
struct Shorthand {
  std::string_view name;
  std::string_view meaning;
};
constexpr std::array<Shorthand, 10> shorthands = {{{"minutely", "*-*-* *:*:00"},
                                                   {"hourly", "*-*-* *:00:00"},
                                                   {"daily", "*-*-* 00:00:00"},
                                                   {"weekly", "Mon *-*-* 00:00:00"},
                                                   {"monthly", "*-*-01 00:00:00"},
                                                   {"yearly", "*-01-01 00:00:00"},
                                                   {"annually", "*-01-01 00:00:00"},
                                                   {"quarterly", "*-01,04,07,10-01 00:00:00"},
                                                   {"semiannually", "*-01,07-01 00:00:00"},
                                                   {"semi-annually", "*-01,07-01 00:00:00"}}};

constexpr FieldRule year_rule{"year", YearSet::first, YearSet::last, "..", {}};
constexpr FieldRule month_rule{"month", 1, 12, "..", {}};
constexpr FieldRule day_rule{"day", 1, 31, "..", {}};
constexpr FieldRule hour_rule{"hour", 0, 23, "..", {}};
constexpr FieldRule minute_rule{"minute", 0, 59, "..", {}};
constexpr FieldRule second_rule{"second", 0, 59, "..", {}};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

template <class Set>
Set bits_of(const Chain& chain) {
  Set out = 0;
  for (const int value : chain.values) out = static_cast<Set>(out | Set{1} << value);
  return out;
}

Result<unsigned> parse_weekday(Piece piece) {
  for (unsigned i = 0; i < long_weekdays.size(); ++i) {
    const std::string_view name = long_weekdays[i];
    if (same_letters(piece.text, name) || same_letters(piece.text, name.substr(0, 3))) return i;
  }
  const std::string_view near = nearest(piece.text, long_weekdays);
  return calendar_error(piece.column,
                        "\"" + escape_controls(piece.text.substr(0, 40)) + "\" is no day of the week; " +
                            (near.empty() ? "write Mon, Tue, Wed, Thu, Fri, Sat or Sun"
                                          : "did you mean \"" + std::string(near.substr(0, 3)) + "\"?"));
}

Result<std::uint8_t> parse_weekday_item(Piece piece) {
  std::size_t mark = piece.text.find("..");
  std::size_t width = 2;
  if (mark == std::string_view::npos) {
    mark = piece.text.find('-');
    width = 1;
  }
  RONDA_TRY(const unsigned low, parse_weekday(piece.sub(0, mark)));
  if (mark == std::string_view::npos) return static_cast<std::uint8_t>(1U << low);
  RONDA_TRY(const unsigned high, parse_weekday(piece.sub(mark + width)));
  if (low > high) {
    return calendar_error(piece.column, "the week runs from Mon to Sun, so \"" + std::string(piece.text) +
                                            "\" runs backwards; write it as two ranges");
  }
  return static_cast<std::uint8_t>((0x7FU >> (6 - high)) & ~((1U << low) - 1));
}

Status parse_weekdays(Piece piece, Fields& out) {
  out.weekdays = 0;
  if (piece.text.ends_with(',')) piece.text.remove_suffix(1);
  for (const Piece& item : split(piece, ',')) {
    RONDA_TRY(const std::uint8_t days, parse_weekday_item(item));
    out.weekdays |= days;
  }
  return done();
}

Status parse_year(Piece piece, Fields& out) {
  RONDA_TRY(const Chain years, parse_chain(piece, year_rule));
  out.years = YearSet();
  for (const int year : years.values) out.years.add(year);
  return done();
}

/// [YEAR-]MONTH-DAY, or with ~ before the day: counted from the month's end.
Status parse_date(Piece piece, Fields& out) {
  const std::size_t tilde = piece.text.find('~');
  std::vector<Piece> parts = split(piece.sub(0, tilde), '-');
  if (tilde != std::string_view::npos) parts.push_back(piece.sub(tilde + 1));
  if (parts.size() < 2 || parts.size() > 3) {
    return calendar_error(piece.column,
                          "\"" + escape_controls(piece.text.substr(0, 40)) +
                              "\" is no date; write YEAR-MONTH-DAY like \"*-*-01..07\", or \"*-*~01\" for "
                              "the last day of a month");
  }
  if (parts.size() == 3) {
    RONDA_TRY(Unit unit, parse_year(parts[0], out));
    (void)unit;
  }
  RONDA_TRY(const Chain months, parse_chain(parts[parts.size() - 2], month_rule));
  out.months = bits_of<std::uint16_t>(months);
  Piece day = parts.back();
  RONDA_TRY(const Chain days, parse_chain(day, day_rule));
  out.days = bits_of<std::uint32_t>(days);
  out.days_from_end = tilde != std::string_view::npos && !days.star;
  return done();
}

/// "~07/2" is the seventh last day, then every second up to the last: steps go forward, so numbers fall.
Status parse_last_days(Piece piece, Fields& out) {
  if (!out.days_from_end) return done();
  const Piece chain = piece.sub(piece.text.find('~') + 1);
  out.days = 0;
  for (const Piece& part : split(chain, ',')) {
    const std::size_t slash = part.text.find('/');
    RONDA_TRY(const Chain start, parse_chain(part.sub(0, slash), day_rule));
    int step = 0;
    if (slash != std::string_view::npos) {
      // the number is known to be good: parse_date has read it
      for (const char c : part.text.substr(slash + 1)) step = step * 10 + (c - '0');
    }
    const int low = step > 0 && start.values.size() == 1 ? 1 : start.values.front();
    for (int day = start.values.back(); day >= low; day -= std::max(step, 1)) out.days |= 1U << day;
  }
  return done();
}

/// HOUR:MINUTE[:SECOND]
Status parse_time(Piece piece, Fields& out) {
  const std::vector<Piece> parts = split(piece, ':');
  if (parts.size() > 3) return calendar_error(piece.column, "a time is HOUR:MINUTE or HOUR:MINUTE:SECOND");
  RONDA_TRY(const Chain hours, parse_chain(parts[0], hour_rule));
  RONDA_TRY(const Chain minutes, parse_chain(parts[1], minute_rule));
  out.hours = bits_of<std::uint32_t>(hours);
  out.minutes = bits_of<std::uint64_t>(minutes);
  out.hour_is_interval = hours.star || hours.has_step;
  if (parts.size() < 3) return done();
  if (const std::size_t dot = parts[2].text.find('.');
      dot != std::string_view::npos && !parts[2].text.substr(dot).starts_with("..")) {
    return calendar_error(parts[2].column + static_cast<std::uint32_t>(dot),
                          "fractions of a second are not scheduled");
  }
  RONDA_TRY(const Chain seconds, parse_chain(parts[2], second_rule));
  out.seconds = bits_of<std::uint64_t>(seconds);
  return done();
}

bool is_weekday_word(std::string_view word) {
  const std::string_view head = word.substr(0, 3);
  return std::ranges::any_of(long_weekdays,
                             [&](std::string_view name) { return same_letters(head, name.substr(0, 3)); });
}

const Shorthand* find_shorthand(std::string_view word) {
  const auto found =
      std::ranges::find_if(shorthands, [&](const Shorthand& s) { return same_letters(s.name, word); });
  return found == shorthands.end() ? nullptr : &*found;
}

Error unknown_word(const Piece& word) {
  const std::string shown = "\"" + escape_controls(word.text.substr(0, 40)) + "\"";
  if (word.text.starts_with('@')) {
    return calendar_error(word.column,
                          shown + " is cron's; write it as cron = " + shown + ", or \"daily\" and the like");
  }
  if (is_weekday_word(word.text)) {
    return calendar_error(word.column,
                          shown + " stands too late; days of the week come first: \"Fri *-*-13 02:00\"");
  }
  if (is_letter(word.text[0])) {
    std::array<std::string_view, shorthands.size()> names;
    std::ranges::transform(shorthands, names.begin(), &Shorthand::name);
    const std::string_view near = nearest(word.text, names);
    return calendar_error(word.column,
                          shown + " is unknown; " +
                              (near.empty() ? "write weekdays, a date, a time, or a word like \"daily\""
                                            : "did you mean \"" + std::string(near) + "\"?"));
  }
  return calendar_error(word.column,
                        shown + " is neither a date nor a time; write for example \"12:00\" or \"*-*-01\"");
}

Status parse_fields(std::span<const Piece> words, Fields& out) {
  std::size_t i = 0;
  if (i < words.size() && is_weekday_word(words[i].text)) {
    RONDA_TRY(Unit unit, parse_weekdays(words[i++], out));
    (void)unit;
  }
  const auto is_time = [](const Piece& word) { return word.text.find(':') != std::string_view::npos; };
  const auto is_date = [](const Piece& word) {
    return word.text.find_first_of("-~") != std::string_view::npos;
  };
  if (i < words.size() && !is_time(words[i]) && is_date(words[i]) && !is_letter(words[i].text[0])) {
    RONDA_TRY(Unit date, parse_date(words[i], out));
    RONDA_TRY(Unit last_days, parse_last_days(words[i++], out));
    (void)date, (void)last_days;
  }
  if (i < words.size() && is_time(words[i])) {
    RONDA_TRY(Unit unit, parse_time(words[i++], out));
    (void)unit;
  }
  if (i < words.size()) return unknown_word(words[i]);
  return done();
}

/// The zone is the last word when it starts with a letter and is not the whole expression.
Result<ZonePtr> take_zone(std::vector<Piece>& words, ZoneDatabase& zones, const ZonePtr& otherwise) {
  const Piece last = words.back();
  if (words.size() < 2 || !is_letter(last.text[0]) || is_weekday_word(last.text)) return otherwise;
  words.pop_back();
  auto found = zones.find(same_letters(last.text, "utc") ? "UTC" : last.text);
  if (!found) return Error(found.error().code(), found.error().message(), Position{"", 1, last.column});
  return found;
}

}  // namespace

Result<Calendar> parse_calendar(std::string_view text, ZoneDatabase& zones, const ZonePtr& otherwise) {
  if (text.size() > max_text)
    return calendar_error(max_text, "a calendar expression has at most 256 characters");
  std::vector<Piece> words = split_words(text);
  if (words.empty()) {
    return calendar_error(1,
                          "an empty calendar expression; write for example \"Sun *-*-* 02:00\" or \"daily\"");
  }
  RONDA_TRY(ZonePtr zone, take_zone(words, zones, otherwise));
  if (words.size() == 1) {
    if (const Shorthand* known = find_shorthand(words[0].text)) words = split_words(known->meaning);
  }
  Fields fields;
  fields.days = 0xFFFF'FFFEU;
  fields.months = 0x1FFE;
  fields.weekdays = 0x7F;
  fields.years = YearSet::all();
  RONDA_TRY(Unit unit, parse_fields(words, fields));
  (void)unit;
  return Calendar(fields, std::move(zone));
}

}  // namespace ronda::schedule
