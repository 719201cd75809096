// SPDX-License-Identifier: Apache-2.0
// The normal form of a calendar, made from its bits: lists ascend, three or more neighbours are a range.
#include <array>
#include <cstdio>

#include "schedule/calendar.hpp"

namespace ronda::schedule {
namespace {

constexpr std::array<const char*, 7> weekday_names = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

/// How a set is written: as plain values and ranges, with a step where it is a whole series, or (hours that
/// are an interval) so that at least one step is seen and the text is read back as an interval.
enum class Steps : std::uint8_t { never, series, always };

std::string two_digits(int value) {
  std::array<char, 16> out{};
  std::snprintf(out.data(), out.size(), "%02d", value);
  return out.data();
}

struct Run {
  std::size_t length = 1;
  int step = 1;
};

std::size_t run_length(const std::vector<int>& values, std::size_t from, int step) {
  std::size_t length = 1;
  int wanted = values[from] + step;
  for (std::size_t i = from + 1; i < values.size(); ++i) {
    if (values[i] != wanted) {
      if (values[i] > wanted) break;
      continue;
    }
    ++length;
    wanted += step;
  }
  return length;
}

/// The step with which the values from the first on go furthest.
Run longest_run(const std::vector<int>& values, bool steps) {
  Run best{run_length(values, 0, 1), 1};
  if (!steps) return best;
  for (std::size_t i = 1; i < values.size(); ++i) {
    const int step = values[i] - values[0];
    const std::size_t length = run_length(values, 0, step);
    if (length > best.length) best = {length, step};
  }
  return best;
}

std::vector<int> without(const std::vector<int>& values, const Run& run) {
  std::vector<int> out;
  int taken = values[0];
  std::size_t left = run.length;
  for (const int value : values) {
    if (left > 0 && value == taken) {
      taken += run.step;
      --left;
    } else {
      out.push_back(value);
    }
  }
  return out;
}

std::string print_run(int first, const Run& run, int high, bool& step_seen) {
  const int last = first + static_cast<int>(run.length - 1) * run.step;
  if (run.step == 1) return two_digits(first) + ".." + two_digits(last);
  step_seen = true;
  const std::string step = "/" + std::to_string(run.step);
  return two_digits(first) + (last + run.step > high ? "" : ".." + two_digits(last)) + step;
}

bool is_whole_series(const std::vector<int>& values, int high) {
  const Run run = longest_run(values, true);
  const int last = values[0] + static_cast<int>(run.length - 1) * run.step;
  return run.length == values.size() && run.length >= 4 && run.step > 1 && last + run.step > high;
}

std::string print_set(std::vector<int> values, int high, Steps steps) {
  if (steps == Steps::series) steps = is_whole_series(values, high) ? Steps::always : Steps::never;
  std::string out;
  bool step_seen = false;
  bool ends_with_range = false;
  while (!values.empty()) {
    if (!out.empty()) out += ',';
    Run run = longest_run(values, steps == Steps::always);
    const bool pair_is_all = steps == Steps::always && run.length == 2 && values.size() == 2;
    if (run.length < 3 && !pair_is_all) run = {1, 1};
    ends_with_range = run.length > 1;
    out += ends_with_range ? print_run(values[0], run, high, step_seen) : two_digits(values[0]);
    values = without(values, run);
  }
  if (steps != Steps::always || step_seen) return out;
  // no step of its own: the last part takes one that adds nothing
  return out + (ends_with_range ? "/1" : "/" + std::to_string(high + 1));
}

std::vector<int> values_of(std::uint64_t bits, int low, int high) {
  std::vector<int> out;
  for (int value = low; value <= high; ++value) {
    if ((bits >> value & 1) != 0) out.push_back(value);
  }
  return out;
}

std::string print_field(std::uint64_t bits, int low, int high, Steps steps, bool star = true) {
  std::vector<int> values = values_of(bits, low, high);
  if (star && values.size() == static_cast<std::size_t>(high - low + 1)) return "*";
  return print_set(std::move(values), high, steps);
}

std::string print_weekdays(unsigned bits) {
  if (bits == 0x7F) return "";
  std::string out;
  for (unsigned i = 0; i < 7; ++i) {
    if ((bits >> i & 1) == 0) continue;
    unsigned end = i;
    while (end < 6 && (bits >> (end + 1) & 1) != 0) ++end;
    if (!out.empty()) out += ',';
    out += weekday_names[i];
    if (end >= i + 2) {
      out += std::string("..") + weekday_names[end];
      i = end;
    }
  }
  return out + " ";
}

std::string print_years(const YearSet& years) {
  std::vector<int> values;
  for (int year = YearSet::first; year <= YearSet::last; ++year) {
    if (years.has(year)) values.push_back(year);
  }
  if (values.size() == YearSet::last - YearSet::first + 1) return "*";
  return print_set(std::move(values), YearSet::last, Steps::series);
}

std::string print_date(const Fields& f) {
  std::string out = print_years(f.years) + "-" + print_field(f.months, 1, 12, Steps::never);
  out += f.days_from_end ? "~" : "-";
  return out + print_field(f.days, 1, 31, f.days_from_end ? Steps::never : Steps::series, !f.days_from_end);
}

std::string print_time(const Fields& f) {
  const Steps steps = f.hour_is_interval ? Steps::always : Steps::never;
  return print_field(f.hours, 0, 23, steps, f.hour_is_interval) + ":" +
         print_field(f.minutes, 0, 59, Steps::series) + ":" + print_field(f.seconds, 0, 59, Steps::series);
}

}  // namespace

std::string Calendar::print() const {
  const std::string when = " " + print_time(fields_);
  if (!fields_.either_day)
    return print_weekdays(fields_.weekdays) + print_date(fields_) + when + " " + zone_->name();
  Fields any_day = fields_;
  any_day.days = 0xFFFF'FFFEU;
  return print_date(fields_) + when + " or " + print_weekdays(fields_.weekdays) + print_date(any_day) + when +
         " " + zone_->name();
}

}  // namespace ronda::schedule
