// SPDX-License-Identifier: Apache-2.0
#include "rule/ladder.hpp"

#include <algorithm>

#include "base/clock_set.hpp"
#include "base/text.hpp"
#include "rule/flapping.hpp"

namespace ronda::rule {
namespace {

using config::Level;
using What = Change::What;

/// Of checks without a known interval.
constexpr std::int64_t usual_patience_ns = 60'000'000'000;
/// A busy host looks as late as this at an instant that was asked for; where it is later, nobody watched.
constexpr std::int64_t latest_look_ns = 10'000'000'000;

bool is_higher(Level a, Level b) {
  if (a == Level::none) return false;
  return b == Level::none || a < b;
}

std::int64_t earlier(std::int64_t a, std::int64_t b) {
  return a == 0 || (b != 0 && b < a) ? b : a;
}

/// "3 of 5" in three values. What did not come yet is no; for a level that is active it may be anything.
Truth judge_results(const RungState& state, const config::Hold& hold) {
  const auto count = [&](char what) { return static_cast<std::size_t>(std::ranges::count(state.results, what)); };
  const std::size_t missing = state.active ? hold.of - std::min<std::size_t>(hold.of, state.results.size()) : 0;
  if (count('1') >= hold.need) return Truth::yes;
  return count('1') + count('?') + missing >= hold.need ? Truth::unknown : Truth::no;
}

void note_result(RungState& state, const config::Hold& hold, Truth truth) {
  if (hold.of == 0) return;
  state.results += truth == Truth::yes ? '1' : truth == Truth::no ? '0' : '?';
  if (state.results.size() > hold.of) state.results.erase(0, state.results.size() - hold.of);
}

class Climb {
 public:
  Climb(const Alert& alert, AlertState state, const Reading& reading, std::int64_t now_ns)
      : alert_(alert), reading_(reading), now_(now_ns), state_(std::move(state)) {
    const std::int64_t passed = state_.looked_ns == 0 ? 0 : std::max<std::int64_t>(0, now_ns - state_.looked_ns);
    // what nobody watched did not hold; an instant that the state asked for is watched however far it was
    const std::int64_t watched = std::max(alert.patience_ns, state_.next_ns - state_.looked_ns);
    passed_ = alert.patience_ns > 0 ? std::min(passed, watched) : passed;
    was_away_ = state_.next_ns > state_.looked_ns && now_ns - state_.next_ns > latest_look_ns;
  }

  Outcome run() {
    state_.looked_ns = now_;
    state_.next_ns = reading_.next_ns;
    if (!reading_.blocked_by.empty()) {
      block();
    } else if (!waits()) {
      read();
      climb();
    }
    return {std::move(state_), std::move(changes_)};
  }

 private:
  struct Seen {
    Truth now = Truth::no;   // of the condition
    Truth held = Truth::no;  // for its `for`
    Truth leave = Truth::no;
    bool left = false;  // for keep_firing_for
  };

  std::int64_t patience() const { return alert_.patience_ns > 0 ? alert_.patience_ns : usual_patience_ns; }
  void look_again(std::int64_t at) { state_.next_ns = earlier(state_.next_ns, at); }

  void block();
  bool waits();
  void read();
  void read_unknown();
  void read_rung(std::size_t index, bool fresh);
  void read_clear();
  void count_results(bool is_first);
  void climb();
  Level target();
  Level target_of_levels();
  void move(Level to);
  void tell_no_data(bool moved);
  void freeze();
  void plan();
  Change& tell(What what, Level to, std::int64_t since, std::string reason, double value);
  const Finding* why(Level level) const;

  RungState& of(const Rung& rung) { return state_.rungs[static_cast<std::size_t>(rung.level) - 1]; }

  const Alert& alert_;
  const Reading& reading_;
  std::int64_t now_;
  AlertState state_;
  std::int64_t passed_ = 0;
  bool was_away_ = false;  // the host slept, or its clock was set forward
  std::vector<Change> changes_;
  std::vector<Seen> seen_;
  Truth ends_ = Truth::no;   // what ends the alert as a whole
  bool is_unknown_ = false;  // no condition holds, and of one it is not known
  bool is_pending_ = false;  // for it has not run in this life
  bool lapsed_ = false;      // and that for good, not only because the first result is still to come
  const Finding* unknown_ = nullptr;
};

Change& Climb::tell(What what, Level to, std::int64_t since, std::string reason, double value) {
  Change change;
  change.alert = alert_.name;
  change.check = alert_.check;
  change.service = alert_.service;
  change.from = state_.level;
  change.to = to;
  change.what = what;
  change.blocked_by = state_.blocked_by;
  change.at_ns = now_;
  change.since_ns = since;
  change.reason = reason.size() > most_reason ? repair_utf8(reason, most_reason) : std::move(reason);
  change.value = value;
  changes_.push_back(std::move(change));
  return changes_.back();
}

/// Not resolved: the cause is elsewhere, and what was counted says nothing of this check.
void Climb::block() {
  if (state_.blocked_by == reading_.blocked_by) return;
  state_.blocked_by = reading_.blocked_by;
  tell(What::blocked, Level::none, now_, "blocked by " + reading_.blocked_by + ", which is critical", 0);
  AlertState fresh;
  for (std::size_t i = 0; i < fresh.rungs.size(); ++i) fresh.rungs[i].mark = state_.rungs[i].mark;
  fresh.blocked_by = state_.blocked_by;
  fresh.reason = changes_.back().reason;
  fresh.looked_ns = now_;
  fresh.counted_ns = state_.counted_ns;
  fresh.flapping = state_.flapping;
  if (state_.level != Level::none) note_fall(fresh.flapping, now_);
  state_ = std::move(fresh);
}

/// After it was blocked only a new result counts: the last one is from the time when the parent was down.
bool Climb::waits() {
  if (!state_.blocked_by.empty()) {
    tell(What::unblocked, Level::none, now_, state_.blocked_by + " is no longer critical", 0);
    state_.blocked_by.clear();
    state_.reason.clear();
    state_.await_after_ns = now_;
  }
  if (state_.await_after_ns == 0) return false;
  state_.await_after_ns = std::min(state_.await_after_ns, now_);
  const std::int64_t upto = state_.await_after_ns + patience();
  if (reading_.newest_result_ns <= state_.await_after_ns && now_ <= upto) {
    look_again(upto + 1);
    return true;
  }
  state_.await_after_ns = 0;
  passed_ = 0;
  return false;
}

void Climb::read() {
  const bool fresh = reading_.newest_result_ns != 0 && reading_.newest_result_ns != state_.counted_ns;
  seen_.resize(alert_.rungs.size());
  for (std::size_t i = 0; i < seen_.size(); ++i) seen_[i].now = reading_.levels[i].when.truth;
  read_unknown();
  const bool is_result = fresh && !is_pending_;  // what has not run in this life is unknown, and that is none
  for (std::size_t i = 0; i < seen_.size(); ++i) read_rung(i, is_result);
  read_clear();
  if (is_result) {
    count_results(state_.counted_ns == 0);
    state_.counted_ns = reading_.newest_result_ns;
  } else {
    pass_time(state_.flapping, now_);
  }
}

void Climb::read_unknown() {
  bool any = false, pending = true;
  std::int64_t slot = INT64_MAX;  // when the first of what is pending runs next
  for (const Reading::Level& level : reading_.levels) {
    if (level.when.truth == Truth::yes) any = true;
    if (level.when.truth != Truth::unknown) continue;
    if (unknown_ == nullptr || (unknown_->pending && !level.when.pending)) unknown_ = &level.when;
    pending = pending && level.when.pending;
    if (level.when.pending) slot = std::min(slot, level.when.slot_ns);
  }
  is_unknown_ = !any && unknown_ != nullptr;
  is_pending_ = is_unknown_ && pending;
  if (!is_unknown_) {
    state_.unknown_since_ns = 0;
    return;
  }
  // that nothing is known of a time in which nobody watched says nothing of the checks: they get their time anew
  if (state_.unknown_since_ns == 0 || state_.unknown_since_ns > now_ || was_away_) state_.unknown_since_ns = now_;
  const std::int64_t from = std::max(state_.unknown_since_ns, slot);
  const std::int64_t upto = from > INT64_MAX - alert_.grace_ns ? INT64_MAX : from + alert_.grace_ns;
  lapsed_ = !pending || now_ > upto;
  if (!lapsed_ && upto < INT64_MAX) look_again(upto + 1);
  if (!lapsed_) return;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    if (alert_.no_data.is_ok && seen_[i].now == Truth::unknown) seen_[i].now = Truth::no;
    if (alert_.no_data.level == alert_.rungs[i].level) seen_[i].now = Truth::yes;
  }
}

void Climb::read_rung(std::size_t index, bool fresh) {
  const Rung& rung = alert_.rungs[index];
  RungState& state = of(rung);
  Seen& seen = seen_[index];
  state.mark = rung.mark;
  if (state.last == Truth::yes) state.held_ns += passed_;
  if (seen.now == Truth::no) state.held_ns = state.since_ns = 0;
  if (seen.now == Truth::yes && state.since_ns == 0) state.since_ns = now_;
  state.last = seen.now;
  const bool by_no_data = lapsed_ && alert_.no_data.level == rung.level;
  if (rung.hold.of > 0 && !by_no_data) {
    if (fresh) note_result(state, rung.hold, seen.now);
    seen.held = judge_results(state, rung.hold);
    if (seen.now == Truth::unknown && seen.held == Truth::yes) seen.held = Truth::unknown;
    if (state.since_ns == 0 && seen.held == Truth::yes) state.since_ns = now_;
  } else {
    const bool long_enough = rung.hold.of > 0 || state.held_ns >= rung.hold.time.count();
    seen.held = seen.now == Truth::yes && !long_enough ? Truth::no : seen.now;
  }
  const Truth holds = rung.hold.of > 0 ? seen.held : seen.now;
  seen.leave = !holds;
  if (rung.clear && holds != Truth::yes) {
    const Truth clear = reading_.levels[index].clear.truth;
    seen.leave = alert_.no_data.is_ok && lapsed_ && clear == Truth::unknown ? Truth::yes : clear;
  }
  if (state.last_leave == Truth::yes) state.left_ns += passed_;
  if (seen.leave == Truth::no) state.left_ns = 0;
  state.last_leave = seen.leave;
  seen.left = seen.leave == Truth::yes && state.left_ns >= alert_.keep_firing_ns;
  if (seen.held == Truth::yes) state.active = true;
}

/// The alert's one `clear`: it ends nothing while a condition holds.
void Climb::read_clear() {
  if (!alert_.clear) return;
  const bool any = std::ranges::any_of(seen_, [](const Seen& seen) { return seen.now == Truth::yes || seen.held == Truth::yes; });
  ends_ = any ? Truth::no : reading_.clear.truth;
  if (!any && alert_.no_data.is_ok && lapsed_ && ends_ == Truth::unknown) ends_ = Truth::yes;
  if (state_.last_clear == Truth::yes) state_.clear_ns += passed_;
  if (ends_ == Truth::no) state_.clear_ns = 0;
  state_.last_clear = ends_;
}

void Climb::count_results(bool is_first) {
  Raw raw = is_unknown_ ? Raw::unknown : Raw::none;
  for (std::size_t i = seen_.size(); i-- > 0;) {
    if (reading_.levels[i].when.truth == Truth::yes) raw = static_cast<Raw>(alert_.rungs[i].level);
  }
  count_result(state_.flapping, raw, is_first, now_);
}

/// The highest level that is active and that nothing has ended; what was ended becomes inactive.
Level Climb::target_of_levels() {
  const bool held = state_.flapping.holds();
  Level highest = Level::none;
  for (std::size_t i = seen_.size(); i-- > 0;) {
    const bool ended = seen_[i].left && !held;
    if (of(alert_.rungs[i]).active && !ended) highest = alert_.rungs[i].level;
  }
  const bool ends = !alert_.clear || (ends_ == Truth::yes && state_.clear_ns >= alert_.keep_firing_ns);
  const bool latched = highest == Level::none && !ends && alert_.find(state_.level) != nullptr;
  if (latched) highest = state_.level;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    const bool stays = latched && alert_.rungs[i].level == highest;
    if (seen_[i].left && !held && !stays) of(alert_.rungs[i]).active = false;
  }
  return highest;
}

Level Climb::target() {
  const Level level = target_of_levels();
  const bool falls = is_higher(state_.level, level);
  return falls && state_.flapping.holds() && alert_.find(state_.level) != nullptr ? state_.level : level;
}

void Climb::climb() {
  const Level to = target();
  const bool moved = to != state_.level;
  if (moved) move(to);
  tell_no_data(moved);
  freeze();
  plan();
}

const Finding* Climb::why(Level level) const {
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    if (alert_.rungs[i].level != level) continue;
    if (lapsed_ && alert_.no_data.level == level) return unknown_;
    return &reading_.levels[i].when;
  }
  return nullptr;
}

void Climb::move(Level to) {
  const Level from = state_.level;
  const bool rises = is_higher(to, from);
  const Finding* finding = to == Level::none && alert_.clear ? &reading_.clear : why(to == Level::none ? from : to);
  const std::string reason = finding == nullptr ? "the level is not configured any more" : finding->reason;
  const double value = finding == nullptr ? 0 : finding->value;
  const What what = from == Level::none ? What::fired : to == Level::none ? What::resolved : What::level_changed;
  std::int64_t since = state_.started_ns;
  for (const Rung& rung : alert_.rungs) {
    if (rung.level == to && of(rung).since_ns != 0) since = of(rung).since_ns;
  }
  tell(what, to, since, reason, value);
  if (rises)
    note_rise(state_.flapping, now_);
  else
    note_fall(state_.flapping, now_);
  if (from == Level::none) state_.started_ns = now_;
  if (to == Level::none) state_.started_ns = 0;
  state_.level = to;
  state_.level_since_ns = now_;
  state_.reason = changes_.back().reason;
  state_.value = value;
}

void Climb::tell_no_data(bool moved) {
  const bool told_as_such = !alert_.no_data.is_ok && alert_.no_data.level == Level::none;
  if (lapsed_ && told_as_such && !state_.no_data) {
    state_.no_data = true;
    tell(What::no_data, state_.level, state_.unknown_since_ns, unknown_->reason, 0);
    state_.reason = changes_.back().reason;
    note_rise(state_.flapping, now_);
    return;
  }
  if (!state_.no_data || is_unknown_ || (state_.flapping.holds() && !moved)) return;
  state_.no_data = false;
  const Finding* finding = alert_.rungs.empty() ? nullptr : &reading_.levels.front().when;
  if (const Finding* of_level = why(state_.level)) finding = of_level;
  state_.reason = finding == nullptr ? "" : finding->reason;
  if (moved) return;
  tell(What::data_back, state_.level, now_, state_.reason, finding == nullptr ? 0 : finding->value);
  note_fall(state_.flapping, now_);
}

/// What is usual must not become what is wrong, for as long as it lasts.
void Climb::freeze() {
  const bool any = std::ranges::any_of(seen_, [](const Seen& seen) { return seen.now == Truth::yes; });
  if (any || state_.level != Level::none) {
    if (state_.frozen_at_ns == 0 || state_.frozen_at_ns > now_) state_.frozen_at_ns = now_;
  } else if (!is_unknown_) {
    state_.frozen_at_ns = 0;
  }
}

void Climb::plan() {
  const auto in = [&](std::int64_t rest) {
    if (rest > 0) look_again(now_ + rest);
  };
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    const Rung& rung = alert_.rungs[i];
    const RungState& state = of(rung);
    if (rung.hold.of == 0 && seen_[i].now == Truth::yes && !state.active) in(rung.hold.time.count() - state.held_ns);
    if (state.active && seen_[i].leave == Truth::yes) in(alert_.keep_firing_ns - state.left_ns);
  }
  if (state_.level != Level::none && alert_.clear && ends_ == Truth::yes) in(alert_.keep_firing_ns - state_.clear_ns);
  if (state_.flapping.holds()) in(state_.flapping.changed_ns + quiet_ns - now_);
}

bool is_same(const Alert& alert, const AlertState& state) {
  return std::ranges::all_of(alert.rungs,
                             [&](const Rung& rung) { return state.rungs[static_cast<std::size_t>(rung.level) - 1].mark == rung.mark; });
}

}  // namespace

Outcome advance(const Alert& alert, AlertState state, const Reading& reading, std::int64_t now_ns) {
  if (!is_same(alert, state)) state = adopt(alert, std::move(state));
  return Climb(alert, std::move(state), reading, now_ns).run();
}

AlertState adopt(const Alert& alert, AlertState state) {
  bool any_new = false;
  for (std::size_t i = 0; i < state.rungs.size(); ++i) {
    const Rung* rung = alert.find(static_cast<Level>(i + 1));
    const std::uint64_t mark = rung == nullptr ? 0 : rung->mark;
    if (state.rungs[i].mark == mark) continue;
    any_new = true;
    const bool active = rung != nullptr && state.rungs[i].active;
    state.rungs[i] = {};
    state.rungs[i].mark = mark;
    state.rungs[i].active = active;
  }
  if (any_new) state.flapping = {};
  return state;
}

void move(AlertState& state, std::int64_t by_ns, std::int64_t now_ns) {
  std::vector<std::int64_t*> been = {&state.level_since_ns, &state.started_ns,          &state.looked_ns,
                                     &state.counted_ns,     &state.frozen_at_ns,        &state.unknown_since_ns,
                                     &state.await_after_ns, &state.flapping.changed_ns, &state.flapping.fell_ns};
  for (RungState& rung : state.rungs) been.push_back(&rung.since_ns);
  for (std::int64_t* at_ns : been) *at_ns = moved_with_clock(*at_ns, by_ns, now_ns);
  if (state.next_ns != 0) state.next_ns += by_ns;
}

std::vector<Change> retire(std::string_view alert, const AlertState& state, std::int64_t now_ns) {
  if (state.level == Level::none) return {};
  Change change;
  change.alert = alert;
  change.from = state.level;
  change.what = What::resolved;
  change.at_ns = now_ns;
  change.since_ns = state.started_ns;
  change.reason = "the alert is not configured any more";
  return {change};
}

}  // namespace ronda::rule
