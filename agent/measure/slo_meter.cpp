// SPDX-License-Identifier: Apache-2.0
// What is seen, gathered as stretches: minutes for as long as a burn looks at them closely, five minutes before that.
#include <algorithm>

#include "measure/slo.hpp"

namespace ronda::measure::slo {
namespace {

using store::floor_to;

constexpr std::int64_t fine = 60'000'000'000, coarse = 5 * fine, fine_kept = 6 * 60 * fine;

void add(Stretch& into, const Stretch& part) {
  into.good += part.good;
  into.bad += part.bad;
  into.unknown += part.unknown;
}

/// The stretch of this length that begins there; stretches come in order, so it is nearly always the last one.
Stretch& at(std::vector<Stretch>& all, std::int64_t from_ns, std::int64_t length) {
  const auto place =
      all.empty() || all.back().from_ns < from_ns ? all.end() : std::ranges::lower_bound(all, from_ns, {}, &Stretch::from_ns);
  if (place != all.end() && place->from_ns == from_ns) return *place;
  return *all.insert(place, {from_ns, from_ns + length, 0, 0, 0});
}

Stretch held(std::int64_t from_ns, std::int64_t until_ns, Goodness goodness) {
  Stretch out{from_ns, until_ns, 0, 0, 0};
  const double seconds = static_cast<double>(until_ns - from_ns) / 1e9;
  (goodness == Goodness::good ? out.good : goodness == Goodness::bad ? out.bad : out.unknown) = seconds;
  return out;
}

}  // namespace

Meter::Meter(std::int64_t window_ns, std::int64_t hold_ns) : window_ns_(window_ns), hold_ns_(hold_ns) {}

void Meter::judge(std::int64_t at_ns, Goodness goodness) {
  if (judged_ && at_ns < judged_ns_) forget_after(at_ns);
  if (judged_) put_held(at_ns);
  judged_ = true;
  judged_ns_ = at_ns;
  goodness_ = goodness;
  age(at_ns);
}

void Meter::count(std::int64_t at_ns, double good, double bad) {
  if (judged_ && at_ns < judged_ns_) forget_after(at_ns);
  judged_ = counts_ = true;
  judged_ns_ = at_ns;
  add(at(fine_, floor_to(at_ns, fine), fine), {0, 0, good, bad, 0});
  age(at_ns);
}

/// The last judgement, until `until_ns`: for a while as it was, then unknown.
void Meter::put_held(std::int64_t until_ns) {
  const std::int64_t sure = std::min(until_ns, judged_ns_ + hold_ns_);
  if (sure > judged_ns_) put(held(judged_ns_, sure, goodness_));
  // what is older than the window is not looked at any more
  const std::int64_t from = std::max(sure, until_ns - window_ns_);
  if (until_ns > from) put(held(from, until_ns, Goodness::unknown));
}

void Meter::put(Stretch piece) {
  const auto length = static_cast<double>(piece.until_ns - piece.from_ns);
  for (std::int64_t from = floor_to(piece.from_ns, fine); from < piece.until_ns; from += fine) {
    const std::int64_t begin = std::max(from, piece.from_ns), end = std::min(from + fine, piece.until_ns);
    const double share = static_cast<double>(end - begin) / length;
    add(at(fine_, from, fine), {0, 0, piece.good * share, piece.bad * share, piece.unknown * share});
  }
}

void Meter::age(std::int64_t now_ns) {
  const std::int64_t coarse_before = floor_to(now_ns - fine_kept, coarse);
  const auto stays = std::ranges::lower_bound(fine_, coarse_before, {}, &Stretch::from_ns);
  if (stays - fine_.begin() > 32 || (stays == fine_.end() && stays != fine_.begin())) {
    for (auto next = fine_.begin(); next != stays; ++next) add(at(coarse_, floor_to(next->from_ns, coarse), coarse), *next);
    fine_.erase(fine_.begin(), stays);
  }
  const auto kept = std::ranges::upper_bound(coarse_, now_ns - window_ns_, {}, &Stretch::until_ns);
  if (kept - coarse_.begin() > 32) coarse_.erase(coarse_.begin(), kept);
}

/// The minute in which the clock now is goes with what lies after it: what of it was seen before is not known apart.
void Meter::forget_after(std::int64_t at_ns) {
  const auto gone = [&](const Stretch& one) { return one.until_ns > at_ns; };
  std::erase_if(fine_, gone);
  std::erase_if(coarse_, gone);
  judged_ = false;
}

std::vector<Stretch> Meter::stretches(std::int64_t now_ns) const {
  Meter whole = *this;
  if (whole.judged_ && !whole.counts_ && now_ns > whole.judged_ns_) whole.put_held(now_ns);
  std::vector<Stretch> out = std::move(whole.coarse_);
  out.insert(out.end(), whole.fine_.begin(), whole.fine_.end());
  while (!out.empty() && out.back().from_ns >= now_ns) out.pop_back();
  if (!out.empty()) out.back().until_ns = std::min(out.back().until_ns, now_ns);  // of the last one the rest is still to come
  return out;
}

void Meter::restore(std::span<const Stretch> older) {
  const std::int64_t first = !coarse_.empty() ? coarse_.front().from_ns : !fine_.empty() ? fine_.front().from_ns : INT64_MAX;
  std::vector<Stretch> all;
  for (const Stretch& one : older) {
    if (one.from_ns >= first) continue;
    // one that reaches over what was seen here: only what is before counts
    const auto length = static_cast<double>(one.until_ns - one.from_ns);
    const double share = one.until_ns <= first ? 1 : static_cast<double>(first - one.from_ns) / length;
    add(at(all, floor_to(one.from_ns, coarse), coarse), {0, 0, one.good * share, one.bad * share, one.unknown * share});
  }
  if (!all.empty()) all.back().until_ns = std::min(all.back().until_ns, first);
  coarse_.insert(coarse_.begin(), all.begin(), all.end());
}

std::size_t Meter::bytes() const {
  return sizeof *this + (coarse_.capacity() + fine_.capacity()) * sizeof(Stretch);
}

}  // namespace ronda::measure::slo
