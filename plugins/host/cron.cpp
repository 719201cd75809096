// SPDX-License-Identifier: Apache-2.0
#include "cron.hpp"

#include <algorithm>
#include <array>
#include <bitset>

#include "text.hpp"

namespace host {
namespace {

using Values = std::bitset<64>;

constexpr std::array<std::string_view, 7> weekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 13> months = {"",    "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

struct Field {
  std::uint64_t low, high;
  const std::string_view* names;  // null: none
  std::size_t name_count;
};

std::optional<std::uint64_t> field_value(std::string_view text, const Field& field) {
  for (std::size_t i = 0; i < field.name_count; ++i) {
    if (!field.names[i].empty() && same_word(text, field.names[i])) return i;
  }
  const auto number = to_u64(text);
  if (!number || *number < field.low || *number > field.high) return std::nullopt;
  return number;
}

/// One piece between commas: "*", "5", "1-5", each perhaps with "/step".
bool add_piece(std::string_view piece, const Field& field, Values& values) {
  std::uint64_t step = 1;
  const std::size_t slash = piece.find('/');
  if (slash != std::string_view::npos) {
    const auto number = to_u64(piece.substr(slash + 1));
    if (!number || *number == 0 || *number > 63) return false;
    step = *number;
    piece = piece.substr(0, slash);
  }
  const std::size_t dash = piece.find('-');
  auto low = piece == "*" ? field.low : field_value(piece.substr(0, dash), field);
  auto high = piece == "*" || (dash == std::string_view::npos && step > 1) ? field.high : low;
  if (dash != std::string_view::npos) high = field_value(piece.substr(dash + 1), field);
  if (!low || !high || *low > *high) return false;
  for (std::uint64_t value = *low; value <= *high; value += step) values.set(value);
  return true;
}

std::optional<Values> parse_field(std::string_view text, const Field& field) {
  Values values;
  while (true) {
    const std::size_t comma = text.find(',');
    if (!add_piece(text.substr(0, comma), field, values)) return std::nullopt;
    if (comma == std::string_view::npos) return values;
    text.remove_prefix(comma + 1);
  }
}

std::string value_text(std::uint64_t value, const Field& field) {
  return field.names == weekdays.data() ? std::string(weekdays[value % 7]) : std::to_string(value);
}

/// "*" for all, else single values and ranges of three and more.
std::string values_text(const Values& values, const Field& field) {
  std::string out;
  const auto add = [&](const std::string& piece) { out += (out.empty() ? "" : ",") + piece; };
  std::uint64_t count = 0;
  for (std::uint64_t low = field.low; low <= field.high; ++low) {
    if (!values.test(low)) continue;
    std::uint64_t high = low;
    while (high < field.high && values.test(high + 1)) ++high;
    count += high - low + 1;
    if (high - low >= 2) {
      add(value_text(low, field) + ".." + value_text(high, field));
    } else {
      for (std::uint64_t value = low; value <= high; ++value) add(value_text(value, field));
    }
    low = high;
  }
  return count == field.high - field.low + 1 ? "*" : out;
}

std::string_view shortcut_calendar(std::string_view word) {
  if (word == "@hourly") return "*-*-* *:00:00";
  if (word == "@daily" || word == "@midnight") return "*-*-* 00:00:00";
  if (word == "@weekly") return "Sun *-*-* 00:00:00";
  if (word == "@monthly") return "*-*-01 00:00:00";
  if (word == "@yearly" || word == "@annually") return "*-01-01 00:00:00";
  return {};
}

bool is_assignment(std::string_view line) {
  const std::size_t equals = line.find('=');
  const std::size_t blank = line.find_first_of(" \t");
  return equals != std::string_view::npos &&
         (blank == std::string_view::npos || equals < blank ||
          trim(line.substr(0, equals)).find_first_of(" \t*") == std::string_view::npos);
}

std::string_view unquoted(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0])
    return text.substr(1, text.size() - 2);
  return text;
}

std::optional<ScheduledJob> parse_entry(std::string_view line, bool has_user) {
  ScheduledJob job;
  const bool shortcut = line[0] == '@';
  const std::size_t before_command = (shortcut ? 1U : 5U) + (has_user ? 1U : 0U);
  const auto all = fields(line, before_command + 1);
  if (all.size() <= before_command) return std::nullopt;
  job.command = all[before_command];
  if (shortcut) {
    job.expect = shortcut_calendar(all[0]);
    if (job.expect.empty()) job.note = "runs at " + shown(all[0], 20) + ", which is no time";
    return job;
  }
  const auto calendar = cron_to_calendar(all[0], all[1], all[2], all[3], all[4]);
  job.expect = calendar.value_or("");
  if (!calendar)
    job.note = "\"" + shown(line.substr(0, 40)) +
               "\" means day of month or day of week, or is wrong: write `expect` by hand";
  return job;
}

/// [check.N]: lower case, digits and dashes, from the last word of a path that looks like a program.
std::string check_name(const ScheduledJob& job) {
  std::string_view word = job.command;
  word = word.substr(0, word.find_first_of(" \t;&|<>"));
  word = word.substr(word.rfind('/') + 1);
  std::string name;
  for (const char c : word.substr(0, 40)) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain || upper) {
      name += upper ? static_cast<char>(c + 32) : c;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name.empty() ? "job" : name;
}

}  // namespace

std::optional<std::string> cron_to_calendar(std::string_view minute, std::string_view hour,
                                            std::string_view day, std::string_view month,
                                            std::string_view weekday) {
  const Field minutes{0, 59, nullptr, 0};
  const Field hours{0, 23, nullptr, 0};
  const Field days{1, 31, nullptr, 0};
  const Field month_field{1, 12, months.data(), months.size()};
  const Field weekday_field{0, 7, weekdays.data(), weekdays.size()};
  const auto m = parse_field(minute, minutes);
  const auto h = parse_field(hour, hours);
  const auto d = parse_field(day, days);
  const auto mo = parse_field(month, month_field);
  auto w = parse_field(weekday, weekday_field);
  if (!m || !h || !d || !mo || !w) return std::nullopt;
  if (day[0] != '*' && weekday[0] != '*') return std::nullopt;
  if (w->test(7)) w->set(0);
  const Field week{1, 7, weekdays.data(),
                   weekdays.size()};  // Monday first, so that Sat and Sun are neighbours
  if (w->test(0)) w->set(7);
  const std::string on = values_text(*w, week);
  return (on == "*" ? "" : on + " ") + "*-" + values_text(*mo, Field{1, 12, nullptr, 0}) + "-" +
         values_text(*d, days) + " " + values_text(*h, hours) + ":" + values_text(*m, minutes) + ":00";
}

std::vector<ScheduledJob> parse_crontab(std::string_view text, std::string_view path, bool has_user) {
  std::vector<ScheduledJob> out;
  std::string zone;
  std::string_view line;
  for (int number = 1; next_line(text, line); ++number) {
    line = trim(line);
    if (line.empty() || line[0] == '#') continue;
    if (is_assignment(line)) {
      const std::string_view name = trim(line.substr(0, line.find('=')));
      if (name == "CRON_TZ") zone = unquoted(line.substr(line.find('=') + 1));
      continue;
    }
    auto job = parse_entry(line, has_user);
    if (!job) continue;
    job->source = std::string(path) + ":" + std::to_string(number);
    if (!zone.empty() && !job->expect.empty()) job->expect += " " + zone;
    out.push_back(std::move(*job));
  }
  return out;
}

std::vector<ScheduledJob> parse_timer(std::string_view text, std::string_view path) {
  std::vector<ScheduledJob> out;
  const std::string_view file = path.substr(path.rfind('/') + 1);
  std::string unit = std::string(file.substr(0, file.rfind('.'))) + ".service";
  std::string delay;
  std::string_view line;
  while (next_line(text, line)) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = trim(line.substr(0, equals));
    const std::string_view value = trim(line.substr(equals + 1));
    if (key == "Unit") unit = value;
    if (key == "RandomizedDelaySec")
      delay = value == "0" || value.empty() ? std::string() : "starts up to " + shown(value, 40) + " later: raise start_within";
    // an empty one takes back all that was said before, of whatever kind
    const bool is_after = key.size() > 5 && key.substr(0, 2) == "On" && key.substr(key.size() - 3) == "Sec";
    if (value.empty() && (key == "OnCalendar" || is_after)) out.clear();
    if (key == "OnCalendar" && !value.empty()) out.push_back({std::string(path), {}, std::string(value), {}});
    if ((key == "OnUnitActiveSec" || key == "OnUnitInactiveSec") && !value.empty()) {
      out.push_back({std::string(path),
                     {},
                     {},
                     "every " + shown(value, 40) + " after its last run: write that as a duration"});
    }
  }
  for (ScheduledJob& job : out) {
    job.command = unit;
    if (!delay.empty()) job.note += (job.note.empty() ? "" : "; ") + delay;
  }
  return out;
}

std::string propose(const std::vector<ScheduledJob>& jobs, std::size_t limit) {
  std::string out;
  std::vector<std::string> taken;
  for (const ScheduledJob& job : jobs) {
    if (out.size() > limit) return out + "# ... and more\n";
    const std::string base = check_name(job);
    std::string name = base;
    for (int i = 2; std::find(taken.begin(), taken.end(), name) != taken.end(); ++i)
      name = base + "-" + std::to_string(i);
    taken.push_back(name);
    out += "# " + shown(job.source, 200) + ": " + shown(job.command, 200) + "\n";
    if (!job.note.empty()) out += "# " + shown(job.note, 200) + "\n";
    out += "# [check." + name + "]\n# use = \"heartbeat.job\"\n";
    std::string expect;
    for (const char c : shown(job.expect, 200))
      expect += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    out += "# expect = \"" + expect + "\"\n\n";
  }
  return out;
}

}  // namespace host
