// SPDX-License-Identifier: Apache-2.0
// Any bytes as what the store gives back: events of an incident and the incident that they are folded to, silences, upkeep, points
// and roll-ups. Each is refused in words, or means the same when it is written and read once more; nothing that is computed from it
// is undefined.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include "incident/incident.hpp"
#include "incident/silence.hpp"
#include "incident/upkeep.hpp"
#include "store/sample.hpp"

namespace {

using namespace ronda;
using namespace ronda::incident;

constexpr std::int64_t now_ns = 1'800'000'000'000'000'000;

void expect(bool holds) {
  if (!holds) std::abort();
}

void read_silence(std::string_view row) {
  const auto read = parse_silence(row);
  if (!read) return expect(!read.error().message().empty());
  const auto again = parse_silence(to_json(*read));
  expect(again.has_value() && *again == *read && read->until_ns >= read->from_ns);
  static_cast<void>(read->is_active(now_ns));
}

/// The same book once more from the rows that it would be stored as.
UpkeepBook stored_again(const UpkeepBook& book) {
  UpkeepBook out;
  std::vector<UpkeepRow> rows = {cursor_row(book)};
  for (const OneOff& one : book.one_offs) rows.push_back(row_of(one));
  for (const OnCallOverride& one : book.overrides) rows.push_back(row_of(one));
  for (const auto& [window, mark] : book.marks) rows.push_back(row_of(book, window));
  for (const UpkeepRow& row : rows) expect(row.until_ns >= 0 && restore_row(out, row.id, row.data).has_value());
  return out;
}

void read_upkeep(std::string_view data) {
  for (const std::string_view id : {"M-1", "O-1", "W-sunday", "A"}) {
    expect(is_upkeep_row(id));
    UpkeepBook book;
    const Status read = restore_row(book, id, data);
    if (!read) {
      expect(!read.error().message().empty());
      continue;
    }
    // rows are written by the ids in them, which a damaged one may have changed
    const auto is_its_own = [](const auto& one, std::string_view prefix) { return one.id.starts_with(prefix); };
    if (std::ranges::all_of(book.one_offs, [&](const OneOff& one) { return is_its_own(one, "M-"); }) &&
        std::ranges::all_of(book.overrides, [&](const OnCallOverride& one) { return is_its_own(one, "O-"); }))
      expect(stored_again(book) == book);
  }
}

void read_points(std::string_view bytes) {
  const std::vector<store::Point> points = store::decode_points(bytes);
  const std::string written = store::encode_points(points);
  expect(store::encode_points(store::decode_points(written)) == written);
  for (const std::int64_t from : {std::int64_t{0}, now_ns, INT64_MAX}) {
    const auto rollup = store::decode_rollup(from, bytes);
    if (!rollup) continue;
    const std::string once = store::encode_rollup(*rollup);
    const auto again = store::decode_rollup(from, once);
    expect(again.has_value() && store::encode_rollup(*again) == once);
    store::Rollup both = *rollup;
    store::merge(both, *again, store::Shape::counter);
    for (const double share : {0.0, 0.5, 1.0}) static_cast<void>(both.sketch.percentile(share));
    static_cast<void>(both.sketch.count_of(1));
  }
}

void look_at(const Incident& incident) {
  expect(incident.firing <= incident.members.size() && incident.as_high <= incident.firing);
  static_cast<void>(headline_of(incident));
  static_cast<void>(incident.group());
  static_cast<void>(duration_ns(incident, now_ns));
  static_cast<void>(incident.respond_by_ns());
  for (const Clock* clock : {&incident.elapsed, &incident.at_level, &incident.below}) {
    expect(clock->spent_ns >= 0 && clock->at(now_ns) >= 0);
    static_cast<void>(clock->when(3600 * std::int64_t{1'000'000'000}));
  }
  for (const auto* list : {&incident.history.suppressed, &incident.history.held, &incident.history.below, &incident.history.flapped}) {
    for (const Stretch& one : *list) expect(one.end_ns == 0 || one.end_ns > one.begin_ns);
  }
}

void expect_same(Event event, Result<Event> again) {
  expect(again.has_value());
  // a number with a fraction may differ in its last digit: what is not known here is kept by its meaning
  if (event.extra.find_first_of(".E") != std::string::npos) event.extra.clear(), again->extra.clear();
  expect(*again == event);
}

/// One event a line.
void read_incident(std::string_view lines) {
  Incident incident, same;
  std::vector<Event> events;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    auto event = parse_event(line);
    if (!event) {
      expect(!event.error().message().empty());
      continue;
    }
    expect_same(*event, parse_event(to_json(*event)));
    Event bounded = *event;
    bound(bounded);
    expect(parse_event(to_json(bounded)).has_value());
    apply(incident, *event);
    look_at(incident);
    events.push_back(*std::move(event));
  }
  for (const Event& event : events) apply(same, event);
  expect(same == incident);
}

}  // namespace

namespace ronda::incident {

// In the place of the book's own, which asks for calendars too.
void add(UpkeepBook& book, OneOff one_off) {
  book.one_offs.push_back(std::move(one_off));
}
void add(UpkeepBook& book, OnCallOverride one) {
  book.overrides.push_back(std::move(one));
}

}  // namespace ronda::incident

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_silence(bytes);
  read_upkeep(bytes);
  read_points(bytes);
  read_incident(bytes);
  return 0;
}
