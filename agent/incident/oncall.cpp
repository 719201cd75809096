// SPDX-License-Identifier: Apache-2.0
#include "incident/oncall.hpp"

#include <algorithm>
#include <chrono>
#include <set>

namespace ronda::people {
namespace {

using schedule::seconds;
using schedule::sys_seconds;

sys_seconds to_seconds(std::int64_t at_ns) {
  return std::chrono::floor<seconds>(std::chrono::sys_time<Nanos>(Nanos(at_ns)));
}
std::int64_t to_ns(sys_seconds at) {
  return Nanos(at.time_since_epoch()).count();
}

sys_seconds boundary(const Rota& rota, std::int64_t turn) {
  return rota.zone->to_utc(rota.start + rota.shift * turn).first;
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

/// Whose turn it is by the rota alone; none: before its start, or it has no members.
std::optional<Shift> turn_at(const Rota& rota, std::int64_t at_ns) {
  if (rota.members.empty()) return {};
  const sys_seconds at = to_seconds(at_ns);
  std::int64_t turn = floor_div((rota.zone->to_local(at) - rota.start).count(), rota.shift.count());
  while (boundary(rota, turn) > at) --turn;
  while (boundary(rota, turn + 1) <= at) ++turn;
  if (turn < 0) return {};
  const std::size_t member = static_cast<std::size_t>(turn) % rota.members.size();
  return Shift{{to_ns(boundary(rota, turn)), to_ns(boundary(rota, turn + 1))}, rota.members[member], Shift::Source::rota};
}

const Override* override_at(std::span<const Override> overrides, std::int64_t at_ns) {
  const Override* out = nullptr;
  for (const Override& one : overrides) {
    if (one.when.has(at_ns)) out = &one;
  }
  return out;
}

std::vector<Shift> on_call_of(const Rota& rota, std::span<const CalendarShift> calendar, std::int64_t at_ns,
                              std::span<const Override> more) {
  const Override* other = override_at(more, at_ns);
  if (other == nullptr) other = override_at(rota.overrides, at_ns);
  if (other != nullptr) return {{other->when, other->contact, Shift::Source::override_}};
  std::vector<Shift> out;
  if (!rota.from_calendar) {
    if (auto turn = turn_at(rota, at_ns)) out.push_back(*std::move(turn));
    return out;
  }
  for (const CalendarShift& one : calendar) {
    const bool is_known = std::ranges::find(out, one.who, &Shift::contact) != out.end();
    if (at_ns >= one.begin_ns && at_ns < one.end_ns && !is_known)
      out.push_back({{one.begin_ns, one.end_ns}, one.who, Shift::Source::calendar});
  }
  return out;
}

std::vector<CalendarShift> calendar_between(const Rota& rota, std::int64_t from_ns, std::int64_t to_ns) {
  std::vector<CalendarShift> out;
  for (const CalendarShift& one : rota.calendar) {
    if (one.end_ns > from_ns && one.begin_ns < to_ns) out.push_back(one);
  }
  return out;
}

/// The next instant after `at_ns` at which somebody else may be on call.
std::int64_t next_change(const Rota& rota, std::span<const CalendarShift> calendar, std::int64_t at_ns, std::span<const Override> more) {
  std::int64_t next = Stretch::open;
  const auto see = [&](std::int64_t one) {
    if (one > at_ns) next = std::min(next, one);
  };
  const auto see_all = [&](std::span<const Override> overrides) {
    for (const Override& one : overrides) {
      see(one.when.begin_ns);
      see(one.when.end_ns);
    }
  };
  see_all(rota.overrides);
  see_all(more);
  for (const CalendarShift& one : calendar) {
    see(one.begin_ns);
    see(one.end_ns);
  }
  if (rota.from_calendar || rota.members.empty()) return next;
  if (const auto turn = turn_at(rota, at_ns)) {
    see(turn->when.end_ns);
  } else {
    see(to_ns(boundary(rota, 0)));
  }
  return next;
}

}  // namespace

std::vector<std::string> Rota::everybody() const {
  std::vector<std::string> out = members;
  for (const CalendarShift& one : calendar) out.push_back(one.who);
  for (const Override& one : overrides) out.push_back(one.contact);
  std::set<std::string> seen;
  std::erase_if(out, [&](const std::string& one) { return !seen.insert(one).second; });
  return out;
}

std::vector<Shift> on_call(const Rota& rota, std::int64_t at_ns, std::span<const Override> more) {
  return on_call_of(rota, rota.calendar, at_ns, more);
}

std::vector<Shift> shifts(const Rota& rota, std::int64_t from_ns, std::int64_t to_ns, std::span<const Override> more, std::size_t most) {
  const std::vector<CalendarShift> calendar = calendar_between(rota, from_ns, to_ns);
  std::vector<Shift> out;
  for (std::int64_t at_ns = from_ns; at_ns < to_ns && out.size() < most;) {
    const std::int64_t next_ns = std::min(to_ns, next_change(rota, calendar, at_ns, more));
    for (Shift& one : on_call_of(rota, calendar, at_ns, more)) {
      const auto same = [&](const Shift& before) {
        return before.when.end_ns == at_ns && before.contact == one.contact && before.source == one.source;
      };
      const auto before = std::ranges::find_if(out, same);
      if (before != out.end()) {
        before->when.end_ns = next_ns;
      } else {
        one.when = {at_ns, next_ns};
        out.push_back(std::move(one));
      }
    }
    at_ns = next_ns;
  }
  return out;
}

std::vector<Stretch> gaps(const Rota& rota, std::int64_t from_ns, std::int64_t to_ns, std::span<const Override> more) {
  const std::vector<CalendarShift> calendar = calendar_between(rota, from_ns, to_ns);
  std::vector<Stretch> out;
  for (std::int64_t at_ns = from_ns; at_ns < to_ns;) {
    const std::int64_t next_ns = std::min(to_ns, next_change(rota, calendar, at_ns, more));
    if (on_call_of(rota, calendar, at_ns, more).empty()) {
      if (!out.empty() && out.back().end_ns == at_ns) {
        out.back().end_ns = next_ns;
      } else {
        out.push_back({at_ns, next_ns});
      }
    }
    at_ns = next_ns;
  }
  return out;
}

}  // namespace ronda::people
