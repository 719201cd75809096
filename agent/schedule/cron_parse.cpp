// SPDX-License-Identifier: Apache-2.0
// cron's five fields; see crontab(5) of Debian. Taken besides: "a/n" as from a on.
#include <array>
#include <bit>

#include "base/text.hpp"
#include "schedule/calendar.hpp"
#include "schedule/component.hpp"

namespace ronda::schedule {
namespace {

constexpr std::array<std::string_view, 12> month_names = {"jan", "feb", "mar", "apr", "may", "jun",
                                                          "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> day_names = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

constexpr std::array<FieldRule, 5> rules = {{{"minute", 0, 59, "-", {}},
                                             {"hour", 0, 23, "-", {}},
                                             {"day of month", 1, 31, "-", {}},
                                             {"month", 1, 12, "-", month_names},
                                             {"day of week", 0, 7, "-", day_names}}};

struct Nickname {
  std::string_view name;
  std::string_view meaning;
};
constexpr std::array<Nickname, 7> nicknames = {{{"@hourly", "0 * * * *"},
                                                {"@daily", "0 0 * * *"},
                                                {"@midnight", "0 0 * * *"},
                                                {"@weekly", "0 0 * * 0"},
                                                {"@monthly", "0 0 1 * *"},
                                                {"@yearly", "0 0 1 1 *"},
                                                {"@annually", "0 0 1 1 *"}}};

Result<std::string_view> expand(Piece word) {
  for (const Nickname& known : nicknames) {
    if (same_letters(word.text, known.name)) return known.meaning;
  }
  const std::string shown = "\"" + escape_controls(word.text.substr(0, 40)) + "\"";
  if (same_letters(word.text, "@reboot")) {
    return calendar_error(word.column, shown + " is no time; checks run at start by themselves");
  }
  return calendar_error(word.column,
                        shown + " is unknown; known are @hourly, @daily, @weekly, @monthly and @yearly");
}

Error wrong_count(const std::vector<Piece>& words) {
  const std::uint32_t column = words.size() > rules.size() ? words[rules.size()].column : 1;
  return calendar_error(column, "cron has five fields (minute hour day-of-month month day-of-week), got " +
                                    std::to_string(words.size()) +
                                    (words.size() == 6 ? "; for seconds or a year use at = \"...\"" : ""));
}

std::uint64_t bits_of(const Chain& chain) {
  std::uint64_t out = 0;
  for (const int value : chain.values) out |= std::uint64_t{1} << value;
  return out;
}

/// Sunday is 0 and 7 in cron, and bit 6 here.
std::uint8_t weekday_bits(std::uint64_t cron_days) {
  const std::uint64_t sunday = (cron_days | cron_days >> 7) & 1;
  return static_cast<std::uint8_t>((cron_days >> 1 & 0x3F) | sunday << 6);
}

}  // namespace

Result<Calendar> parse_cron(std::string_view text, const ZonePtr& zone) {
  if (text.size() > 256) return calendar_error(256, "a cron expression has at most 256 characters");
  std::vector<Piece> words = split_words(text);
  if (words.size() == 1 && words[0].text.starts_with('@')) {
    RONDA_TRY(const std::string_view meaning, expand(words[0]));
    words = split_words(meaning);
  }
  if (words.size() != rules.size()) return wrong_count(words);
  std::array<Chain, 5> chains;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    RONDA_TRY(chains[i], parse_chain(words[i], rules[i]));
  }
  Fields fields;
  fields.minutes = bits_of(chains[0]);
  fields.hours = static_cast<std::uint32_t>(bits_of(chains[1]));
  fields.hour_is_interval = chains[1].star || chains[1].has_step;
  fields.days = static_cast<std::uint32_t>(bits_of(chains[2]));
  if (chains[2].star) fields.days = 0xFFFF'FFFEU;
  fields.months = static_cast<std::uint16_t>(bits_of(chains[3]));
  fields.weekdays = weekday_bits(bits_of(chains[4]));
  fields.years = YearSet::all();
  // crontab(5): "*/2" still counts as not restricted
  fields.either_day = !chains[2].starts_with_star && !chains[4].starts_with_star;
  return Calendar(fields, zone);
}

}  // namespace ronda::schedule
