// SPDX-License-Identifier: Apache-2.0
// How much a timetable of 100,000 checks at 10 s costs: nanoseconds an item for a look every due instant, for
// looks every 20 ms, and bytes an entry. Prints a table; asserts nothing.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "schedule/spread.hpp"
#include "schedule/timetable.hpp"

using namespace ronda::schedule;
using namespace std::chrono_literals;
using ronda::Nanos;

namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

struct Load {
  const char* name;
  Group groups;
  Nanos every_look;  // 0: at each next_due()
  bool exact;
};

void run(const Load& load, Id checks) {
  Timetable table({20ms, {}});
  Nanos now = 1'000s;
  table.set_wall(now, 1'800'000'000s);
  const auto filling = std::chrono::steady_clock::now();
  for (Id id = 0; id < checks; ++id) {
    const auto hash = spread_hash("host", "check", "check-" + std::to_string(id));
    table.add(id, Every{id % load.groups, 10s, phase_of(hash, 10s), load.exact}, now);
  }
  const double fill = seconds_since(filling);
  const Nanos end = now + 60s;
  std::size_t items = 0, looks = 0;
  Batch batch;
  const auto begin = std::chrono::steady_clock::now();
  while (now < end) {
    now = load.every_look > 0ns ? now + load.every_look : *table.next_due();
    batch.clear();
    table.take_due(now, batch);
    for (const Due& due : batch.due) table.finished(due.id);
    items += batch.due.size();
    ++looks;
  }
  const double took = seconds_since(begin);
  std::printf("%-34s %8u checks  fill %5.0f ns/item  take %5.0f ns/item  %5.1f items/look  %6.0f looks/s\n",
              load.name, checks, fill * 1e9 / checks, took * 1e9 / double(items),
              double(items) / double(looks), double(looks) / 60);
}

void run_slots(Id count) {
  ZoneDatabase zones;
  const auto zone = zones.find("Europe/Berlin");
  const auto calendar = zone ? parse_calendar("*-*-* *:0/5", zones, *zone) : zone.error();
  if (!calendar) {
    std::fprintf(stderr, "no tzdata: %s\n", calendar.error().message().c_str());
    std::exit(1);
  }
  Timetable table({20ms, {}});
  Nanos now = 1'000s;
  table.set_wall(now, 1'800'000'000s);
  auto begin = std::chrono::steady_clock::now();
  for (Id id = 0; id < count; ++id) table.add(id, Slots{id % 12, *calendar, {}, std::nullopt}, now);
  const double fill = seconds_since(begin);
  std::size_t items = 0;
  Batch batch;
  begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 12; ++i) {
    now = *table.next_due();
    batch.clear();
    table.take_due(now, batch);
    for (const Due& due : batch.due) table.finished(due.id);
    items += batch.due.size();
  }
  const double took = seconds_since(begin);
  begin = std::chrono::steady_clock::now();
  table.set_wall(now, now + 1'800'000'000s + 3s);
  const double replan = seconds_since(begin);
  std::printf(
      "%-34s %8u slots   fill %5.0f ns/item  take %5.0f ns/item  re-plan after a step %5.0f ns/item\n",
      "calendar \"*:0/5\" in Berlin", count, fill * 1e9 / count, took * 1e9 / double(items),
      replan * 1e9 / count);
}

}  // namespace

int main() {
  run({"12 runners, a look at each due", 12, 0ns, false}, 100'000);
  run({"12 runners, exact (exec)", 12, 0ns, true}, 100'000);
  run({"1 runner, a look at each due", 1, 0ns, false}, 100'000);
  run({"12 runners, a look every 20 ms", 12, 20ms, false}, 100'000);
  run({"12 runners, a look at each due", 12, 0ns, false}, 1'000);
  run_slots(100'000);
  return 0;
}
