// SPDX-License-Identifier: Apache-2.0
#include "schedule/preview.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <tuple>

namespace ronda::schedule {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

constexpr std::uint64_t often_a_day = 24;

void list(const PreviewItem& item, std::uint32_t index, unsigned days, Preview& out) {
  if (!item.calendar) {
    const Nanos span = out.upto - out.from;
    out.frequent.push_back(
        {index, item.interval > 0ns ? static_cast<std::uint64_t>(span / item.interval) : 0});
    return;
  }
  const std::uint64_t count = item.calendar->count(out.from, out.upto);
  if (count > often_a_day * days) {
    out.frequent.push_back({index, count});
    return;
  }
  for (auto at = item.calendar->next(out.from); at && *at <= out.upto; at = item.calendar->next(*at)) {
    if (out.occurrences.size() >= max_occurrences) {
      out.is_cut = true;
      return;
    }
    out.occurrences.push_back({*at, index});
  }
}

class ConflictFinder {
 public:
  explicit ConflictFinder(std::span<const PreviewItem> items) : items_(items) {}

  /// Occurrences in order of time: each is compared with those that still go on and share something.
  void meet(const Occurrence& occurrence) {
    const PreviewItem& item = items_[occurrence.item];
    const sys_seconds ends = occurrence.at + std::max(ceil<seconds>(item.lasts.value_or(0ns)), 1s);
    for (const std::string& shared : item.shares) {
      std::vector<Going>& going = going_[shared];
      std::erase_if(going, [&](const Going& other) { return other.ends <= occurrence.at; });
      for (const Going& other : going) {
        if (other.item != occurrence.item) note(other.item, occurrence, shared);
      }
      going.push_back({occurrence.item, ends});
    }
  }

  std::vector<Conflict> take() {
    std::vector<Conflict> out;
    for (auto& [pair, conflict] : found_) out.push_back(std::move(conflict));
    std::ranges::stable_sort(out, {}, &Conflict::at);
    return out;
  }

 private:
  struct Going {
    std::uint32_t item;
    sys_seconds ends;
  };

  void note(std::uint32_t first, const Occurrence& second, const std::string& shared) {
    const auto [it, is_new] = found_.try_emplace(std::minmax(first, second.item));
    Conflict& conflict = it->second;
    if (is_new) conflict = {first, second.item, second.at, 0, shared};
    // two that share two things meet once
    if (conflict.shared == shared) ++conflict.count;
  }

  std::span<const PreviewItem> items_;
  std::map<std::string, std::vector<Going>> going_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Conflict> found_;
};

std::string times(std::uint64_t count) {
  return count == 1 ? "once" : std::to_string(count) + " times";
}

}  // namespace

Preview make_preview(std::span<const PreviewItem> items, sys_seconds from, unsigned day_count) {
  Preview out;
  day_count = std::clamp(day_count, 1U, 366U);
  out.from = from;
  out.upto = from + days(day_count);
  for (std::uint32_t i = 0; i < items.size(); ++i) list(items[i], i, day_count, out);
  std::ranges::sort(out.occurrences, [](const Occurrence& a, const Occurrence& b) {
    return std::tie(a.at, a.item) < std::tie(b.at, b.item);
  });
  ConflictFinder finder(items);
  for (const Occurrence& occurrence : out.occurrences) finder.meet(occurrence);
  out.conflicts = finder.take();
  return out;
}

std::string why_over(const Calendar& calendar, sys_seconds now) {
  if (calendar.next(now)) return {};
  const auto last = calendar.previous(now);
  return last ? "the last such date was " + print_instant(*last, *calendar.zone()) + ": nothing is due any more" : std::string();
}

std::string print_instant(sys_seconds instant, const Zone& zone) {
  constexpr std::array<const char*, 7> names = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  const local_seconds reading = zone.to_local(instant);
  const auto date = floor<days>(reading);
  const year_month_day day(date);
  const hh_mm_ss time(reading - date);
  const auto offset = zone.span_at(instant).offset / 60s;
  std::array<char, 96> out{};
  std::snprintf(out.data(), out.size(), "%s %04d-%02u-%02u %02d:%02d:%02d %c%02d%02d",
                names[weekday(date).iso_encoding() - 1], static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()), offset < 0 ? '-' : '+',
                static_cast<int>(std::abs(offset) / 60), static_cast<int>(std::abs(offset) % 60));
  return out.data();
}

std::string print(const Preview& preview, std::span<const PreviewItem> items, const Zone& zone) {
  std::string out;
  for (const Occurrence& occurrence : preview.occurrences) {
    const PreviewItem& item = items[occurrence.item];
    out += print_instant(occurrence.at, zone) + "  " + item.name;
    if (item.lasts) out += " (" + format_duration(*item.lasts) + ")";
    out += "\n";
  }
  if (preview.is_cut) out += "... cut at " + std::to_string(max_occurrences) + " runs; ask for fewer days\n";
  for (const Frequent& frequent : preview.frequent) {
    const PreviewItem& item = items[frequent.item];
    out += "often: " + item.name + " " +
           (item.calendar ? item.calendar->print() : "every " + format_duration(item.interval)) + ", " +
           times(frequent.count) + "\n";
  }
  for (const Conflict& conflict : preview.conflicts) {
    out += "conflict: " + items[conflict.second].name + " starts while " + items[conflict.first].name +
           " goes on, " + times(conflict.count) + ", first " + print_instant(conflict.at, zone) +
           " (both use \"" + conflict.shared + "\")\n";
  }
  return out;
}

}  // namespace ronda::schedule
