// SPDX-License-Identifier: Apache-2.0
#include "incident/beats.hpp"

#include <algorithm>

namespace ronda::escalation {
namespace {

constexpr Nanos never = Nanos::max();

}  // namespace

Beats::Beats(const Ladder& ladder, std::size_t step, Nanos not_before) : ladder_(ladder), not_before_(not_before) {
  const bool is_owner = step == ladder.steps.size();
  const Nanos end = ladder.end.value_or(never);
  from_ = is_owner ? end : ladder.steps[step].from;
  to_ = is_owner ? never : std::min(ladder.steps[step].to.value_or(end), end);
  if (!is_owner && ladder.end && ladder.loop_to && *ladder.loop_to < ladder.steps.size()) {
    period_ = end - ladder.steps[*ladder.loop_to].from;
    loops_ = step >= *ladder.loop_to && period_ > Nanos(0);
  }
  Nanos sum{0};
  for (const Nanos gap : is_owner ? ladder.owner_repeat : ladder.steps[step].repeat) {
    if (gap <= Nanos(0)) continue;
    sum += gap;
    sums_.push_back(sum);
    last_gap_ = gap;
  }
}

std::optional<Beats::Window> Beats::window(std::uint64_t cycle) const {
  Window out{from_, to_};
  if (cycle > 0) {
    if (!loops_) return {};
    const auto whole = static_cast<std::int64_t>(cycle);
    if (whole > never / period_ - 2) return {};  // beyond the end of time
    out.begin += period_ * whole;
    out.end += period_ * whole;
  }
  out.begin = std::max(out.begin, not_before_);
  return out;
}

std::uint64_t Beats::cycle_at(Nanos reading) const {
  if (!loops_ || reading < *ladder_.end) return 0;
  return static_cast<std::uint64_t>((reading - *ladder_.end) / period_) + 1;
}

Nanos Beats::offset(std::uint64_t round) const {
  if (round == 0) return Nanos(0);
  if (round <= sums_.size()) return sums_[round - 1];
  return sums_.back() + last_gap_ * static_cast<std::int64_t>(round - sums_.size());
}

/// The largest round whose offset is not above; none below 0.
std::optional<std::uint64_t> Beats::last_round(Nanos offset) const {
  if (offset < Nanos(0)) return {};
  if (sums_.empty() || offset < sums_.front()) return 0;
  if (offset < sums_.back()) return static_cast<std::uint64_t>(std::ranges::upper_bound(sums_, offset) - sums_.begin());
  return sums_.size() + static_cast<std::uint64_t>((offset - sums_.back()) / last_gap_);
}

std::vector<Beat> Beats::between(Nanos after, Nanos upto, std::size_t most) const {
  std::vector<Beat> out;  // from the latest backwards
  for (std::uint64_t cycle = cycle_at(upto);; --cycle) {
    const auto here = window(cycle);
    const bool is_past = here && here->end <= after;  // so are all before it
    if (here && !here->empty()) {
      auto round = last_round(std::min(upto, here->end - Nanos(1)) - here->begin);
      while (round && out.size() < most) {
        const Nanos value = here->begin + offset(*round);
        if (value <= after) break;
        out.push_back({value, cycle, *round});
        round = *round == 0 ? std::nullopt : std::optional(*round - 1);
      }
    }
    if (cycle == 0 || is_past || out.size() >= most) break;
  }
  std::ranges::reverse(out);
  return out;
}

std::optional<Nanos> Beats::next_in(std::uint64_t cycle, Nanos after) const {
  const auto here = window(cycle);
  if (!here || here->empty()) return {};
  const auto last = last_round(after - here->begin);
  if (last && sums_.empty()) return {};
  const Nanos value = here->begin + (last ? offset(*last + 1) : Nanos(0));
  return value < here->end ? std::optional(value) : std::nullopt;
}

std::optional<Nanos> Beats::next(Nanos after) const {
  const std::uint64_t first = cycle_at(std::max(after, not_before_));  // all rounds before are over or empty
  for (std::uint64_t cycle = first; cycle <= first + 1; ++cycle) {
    if (const auto found = next_in(cycle, after)) return found;
    if (!loops_) break;
  }
  return {};
}

std::optional<Nanos> Beats::holding_since(Nanos reading) const {
  const auto here = window(cycle_at(reading));
  if (!here || here->empty() || reading < here->begin || reading >= here->end) return {};
  return here->begin;
}

std::optional<Nanos> Beats::first() const {
  return next(Nanos(-1));
}

}  // namespace ronda::escalation
