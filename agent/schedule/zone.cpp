// SPDX-License-Identifier: Apache-2.0
#include "schedule/zone.hpp"

#include <algorithm>

namespace ronda::schedule {
namespace {

constexpr auto to_sys(local_seconds reading, seconds offset) {
  return sys_seconds((reading - offset).time_since_epoch());
}

constexpr auto to_reading(sys_seconds instant, seconds offset) {
  return local_seconds((instant + offset).time_since_epoch());
}

}  // namespace

Zone::Zone(std::string name, seconds before, std::vector<Transition> transitions) : name_(std::move(name)) {
  spans_.push_back({sys_seconds::min(), sys_seconds::max(), before});
  for (const Transition& transition : transitions) {
    // a change of the abbreviation alone is none for us
    if (transition.offset == spans_.back().offset) continue;
    spans_.back().end = transition.at;
    spans_.push_back({transition.at, sys_seconds::max(), transition.offset});
  }
  spans_.shrink_to_fit();
}

std::size_t Zone::index_at(sys_seconds instant) const {
  const auto after = std::ranges::upper_bound(spans_, instant, {}, &Span::begin);
  return static_cast<std::size_t>(after - spans_.begin()) - 1;
}

Span Zone::span_at(sys_seconds instant) const {
  return spans_[index_at(instant)];
}

local_seconds Zone::to_local(sys_seconds instant) const {
  return to_reading(instant, spans_[index_at(instant)].offset);
}

Meaning Zone::to_utc(local_seconds reading) const {
  const std::size_t first = index_at(to_sys(reading, max_offset));
  Meaning out;
  bool found = false;
  for (std::size_t i = first; i < spans_.size(); ++i) {
    const Span& span = spans_[i];
    if (i > first && span.begin > to_sys(reading, -max_offset)) break;
    const sys_seconds instant = to_sys(reading, span.offset);
    if (instant >= span.begin && instant < span.end) {
      if (found) return {Meaning::Kind::ambiguous, out.first, instant, out.edge};
      // the reading where this pass ends; max() never is one
      const local_seconds edge =
          span.end == sys_seconds::max() ? local_seconds::max() : to_reading(span.end, span.offset);
      out = {Meaning::Kind::unique, instant, instant, edge};
      found = true;
    } else if (!found && instant < span.begin) {
      // every earlier span ended before this reading came, and here the clock is already past it
      return {Meaning::Kind::gap, span.begin, span.begin, to_reading(span.begin, span.offset)};
    }
  }
  return out;
}

std::vector<Span> Zone::spans_between(sys_seconds after, sys_seconds upto) const {
  std::vector<Span> out;
  for (std::size_t i = index_at(after) + 1; i < spans_.size() && spans_[i].begin <= upto; ++i) {
    out.push_back(spans_[i]);
  }
  return out;
}

bool Zone::same_rules(const Zone& other) const {
  return std::ranges::equal(spans_, other.spans_, [](const Span& a, const Span& b) {
    return a.begin == b.begin && a.offset == b.offset;
  });
}

}  // namespace ronda::schedule
