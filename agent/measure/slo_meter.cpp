// SPDX-License-Identifier: Apache-2.0
// What is seen, gathered as stretches: minutes for as long as a burn looks at them closely, five minutes before that.
#include <algorithm>

#include "measure/slo.hpp"

namespace ronda::measure::slo {
namespace {

using store::floor_to;

constexpr std::int64_t fine = 60'000'000'000, coarse = 5 * fine, fine_kept = 6 * 60 * fine;
constexpr std::size_t block = 64;  // stretches

void into(Sums& sum, const Sums& part) {
  sum.good += part.good;
  sum.bad += part.bad;
  sum.unknown += part.unknown;
}

Sums of(const Stretch& stretch) {
  return {stretch.good, stretch.bad, stretch.unknown};
}

Sums share_of(const Stretch& stretch, std::int64_t from_ns, std::int64_t until_ns) {
  const std::int64_t from = std::max(stretch.from_ns, from_ns), until = std::min(stretch.until_ns, until_ns);
  if (until <= from) return {};
  const double share = static_cast<double>(until - from) / static_cast<double>(stretch.until_ns - stretch.from_ns);
  return {stretch.good * share, stretch.bad * share, stretch.unknown * share};
}

std::int64_t coarse_before(std::int64_t now_ns) {
  return floor_to(now_ns - fine_kept, coarse);
}

Stretch held(std::int64_t from_ns, std::int64_t until_ns, Goodness goodness) {
  Stretch out{from_ns, until_ns, 0, 0, 0};
  const double seconds = static_cast<double>(until_ns - from_ns) / 1e9;
  (goodness == Goodness::good ? out.good : goodness == Goodness::bad ? out.bad : out.unknown) = seconds;
  return out;
}

}  // namespace

Stretches::Stretches(std::span<const Stretch> ascending) : all_(ascending.begin(), ascending.end()) {
  sum_up(0);
}

/// What stands in this block and in those after it is new.
void Stretches::sum_up(std::size_t from_block) {
  blocks_.resize(from_block);
  for (std::size_t i = from_block * block; i < all_.size(); ++i) {
    if (i % block == 0) blocks_.emplace_back();
    into(blocks_.back(), of(all_[i]));
  }
}

/// By adding alone: of what is the same on both sides a difference of sums would leave a little where there is nothing.
Sums Stretches::between(std::size_t first, std::size_t end) const {
  Sums out;
  while (first < end) {
    const bool is_whole = first % block == 0 && first + block <= end;
    into(out, is_whole ? blocks_[first / block] : of(all_[first]));
    first += is_whole ? block : 1;
  }
  return out;
}

Sums Stretches::sums(std::int64_t until_ns, std::int64_t length_ns) const {
  const std::int64_t after = until_ns - length_ns;
  const auto index_of = [&](auto place) { return static_cast<std::size_t>(place - all_.begin()); };
  const std::size_t first = index_of(std::ranges::upper_bound(all_, after, {}, &Stretch::until_ns));
  const std::size_t end = index_of(std::ranges::lower_bound(all_, until_ns, {}, &Stretch::from_ns));
  if (first >= end) return {};
  Sums out = share_of(all_[first], after, until_ns);
  if (end - first == 1) return out;
  into(out, between(first + 1, end - 1));
  into(out, share_of(all_[end - 1], after, until_ns));
  return out;
}

void Stretches::add(std::int64_t from_ns, std::int64_t until_ns, const Sums& seen) {
  auto place = all_.end();
  while (place != all_.begin() && std::prev(place)->from_ns >= from_ns) --place;
  const auto at = static_cast<std::size_t>(place - all_.begin()) / block;
  const bool is_new = place == all_.end() || place->from_ns != from_ns;
  if (is_new) place = all_.insert(place, {from_ns, until_ns, 0, 0, 0});
  place->until_ns = std::max(place->until_ns, until_ns);
  place->good += seen.good;
  place->bad += seen.bad;
  place->unknown += seen.unknown;
  is_new ? sum_up(at) : into(blocks_[at], seen);
}

void Stretches::put_before(std::span<const Stretch> older) {
  all_.insert(all_.begin(), older.begin(), older.end());
  sum_up(0);
}

void Stretches::drop_first(std::size_t count) {
  all_.erase(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(count));
  sum_up(0);
}

void Stretches::drop_after(std::int64_t at_ns) {
  while (!all_.empty() && all_.back().until_ns > at_ns) all_.pop_back();
  sum_up(all_.size() / block);
}

std::size_t Stretches::bytes() const {
  return all_.capacity() * sizeof(Stretch) + blocks_.capacity() * sizeof(Sums);
}

Meter::Meter(std::int64_t window_ns, std::int64_t hold_ns) : window_ns_(window_ns), hold_ns_(hold_ns) {}

void Meter::judge(std::int64_t at_ns, Goodness goodness) {
  if (judged_ && at_ns < judged_ns_) forget_after(at_ns);
  age(at_ns);
  if (judged_) {
    for (const Stretch& piece : held_until(at_ns)) put(piece, at_ns);
  }
  judged_ = true;
  judged_ns_ = at_ns;
  goodness_ = goodness;
}

void Meter::count(std::int64_t at_ns, double good, double bad) {
  if (judged_ && at_ns < judged_ns_) forget_after(at_ns);
  judged_ = counts_ = true;
  judged_ns_ = at_ns;
  const std::int64_t from = floor_to(at_ns, fine);
  fine_.add(from, std::max(at_ns, from + 1), {good, bad, 0});
  age(at_ns);
}

/// The last judgement: for a while as it was, then unknown. An empty piece has no time.
std::array<Stretch, 2> Meter::held_until(std::int64_t until_ns) const {
  const std::int64_t sure = std::max(std::min(until_ns, judged_ns_ + hold_ns_), judged_ns_);
  // what is older than the window is not looked at any more
  const std::int64_t from = std::max(sure, until_ns - window_ns_);
  return {held(judged_ns_, sure, goodness_), held(from, std::max(from, until_ns), Goodness::unknown)};
}

/// `now_ns`: what lies so far back that it would be five minutes at once is.
void Meter::put(const Stretch& piece, std::int64_t now_ns) {
  const std::int64_t close = coarse_before(now_ns);
  for (std::int64_t from = piece.from_ns; from < piece.until_ns;) {
    const std::int64_t length = from < close ? coarse : fine, begin = floor_to(from, length);
    const std::int64_t until = std::min(begin + length, piece.until_ns);
    (from < close ? coarse_ : fine_).add(begin, until, share_of(piece, from, until));
    from = until;
  }
}

void Meter::age(std::int64_t now_ns) {
  const auto fine_now = fine_.all();
  const auto stays = std::ranges::lower_bound(fine_now, coarse_before(now_ns), {}, &Stretch::from_ns);
  const auto goes = static_cast<std::size_t>(stays - fine_now.begin());
  if (goes > 32 || (goes == fine_now.size() && goes > 0)) {
    for (const Stretch& one : fine_now.first(goes)) coarse_.add(floor_to(one.from_ns, coarse), one.until_ns, of(one));
    fine_.drop_first(goes);
  }
  const auto coarse_now = coarse_.all();
  const auto old = std::ranges::upper_bound(coarse_now, now_ns - window_ns_, {}, &Stretch::until_ns) - coarse_now.begin();
  if (old > 32) coarse_.drop_first(static_cast<std::size_t>(old));
}

/// The minute in which the clock now is goes with what lies after it: what of it was seen before is not known apart.
void Meter::forget_after(std::int64_t at_ns) {
  fine_.drop_after(at_ns);
  coarse_.drop_after(at_ns);
  judged_ = false;
}

Sums Meter::sums(std::int64_t until_ns, std::int64_t length_ns) const {
  Sums out = coarse_.sums(until_ns, length_ns);
  into(out, fine_.sums(until_ns, length_ns));
  if (!judged_ || counts_) return out;
  for (const Stretch& piece : held_until(until_ns)) into(out, share_of(piece, until_ns - length_ns, until_ns));
  return out;
}

void Meter::restore(std::span<const Stretch> older) {
  const std::span<const Stretch> coarse_now = coarse_.all(), fine_now = fine_.all();
  const std::int64_t first = !coarse_now.empty() ? coarse_now.front().from_ns : !fine_now.empty() ? fine_now.front().from_ns : INT64_MAX;
  Stretches all;
  for (const Stretch& one : older) {
    if (one.from_ns >= first) continue;
    // one that reaches over what was seen here: only what is before counts
    all.add(floor_to(one.from_ns, coarse), std::min(one.until_ns, first), share_of(one, one.from_ns, first));
  }
  coarse_.put_before(all.all());
}

std::size_t Meter::bytes() const {
  return sizeof *this + coarse_.bytes() + fine_.bytes();
}

}  // namespace ronda::measure::slo
