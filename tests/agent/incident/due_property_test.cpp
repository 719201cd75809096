// SPDX-License-Identifier: Apache-2.0
// due() against random histories: however it is asked, the messages are the same; and they are those of a plain machine
// that goes through the same history tick by tick.
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "catch.hpp"
#include "incident/escalation.hpp"

using namespace ronda;
using namespace ronda::escalation;

namespace {

using Random = std::mt19937;

constexpr std::int64_t tick_ns = 500'000'000;  // events fall on odd ticks, questions on even ones
constexpr std::int64_t base_ns = 1'800'000'000'000'000'000;

std::int64_t at_tick(int tick) {
  return base_ns + tick * tick_ns;
}
Nanos ticks(int count) {
  return Nanos(count * tick_ns);
}
int pick(Random& random, int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(random);
}

struct Pause {
  int begin = 0, end = 0;
  bool is_planned = false;  // its end is known from its beginning
};

/// What happens, by tick; detection is tick 0.
struct History {
  Level level = Level::p2;
  std::vector<std::pair<int, Level>> changes;
  std::vector<Pause> suppressed, acked, below;
  std::vector<std::pair<int, std::string>> impacts;
  int length = 0;
};

IncidentClock known_at(const History& history, int tick) {
  IncidentClock out;
  out.detected_ns = base_ns;
  out.level = history.level;
  for (const auto& [when, level] : history.changes) {
    if (when <= tick) out.changes.push_back({at_tick(when), level});
  }
  const auto add = [&](const std::vector<Pause>& pauses, std::vector<Stretch>& to) {
    for (const Pause& one : pauses) {
      if (one.begin <= tick) to.push_back({at_tick(one.begin), one.end <= tick || one.is_planned ? at_tick(one.end) : Stretch::open});
    }
  };
  add(history.suppressed, out.suppressed);
  add(history.acked, out.acked);
  add(history.below, out.below);
  for (const auto& [when, tag] : history.impacts) {
    if (when <= tick) out.impacts.push_back({at_tick(when), tag});
  }
  return out;
}

Policy random_policy(Random& random) {
  Policy out;
  for (const std::string name : {"one", "two"}) {
    Escalation& escalation = out.escalations.emplace_back();
    escalation.name = name;
    for (const Level level : people::all_levels) {
      if (pick(random, 0, 5) == 0) continue;
      Ladder ladder;
      ladder.level = level;
      int from = 2 * pick(random, 0, 3);
      for (int i = pick(random, 1, 4); i > 0; --i, from += 2 * pick(random, 0, 15)) {
        Step& step = ladder.steps.emplace_back();
        step.from = ticks(from);
        if (pick(random, 0, 2) == 0) step.to = ticks(from + 2 * pick(random, 1, 30));
        step.until_ack = pick(random, 0, 3) != 0;
        // a target of its own kind of step: one that is both paged and given notice is another matter
        step.targets = {(step.until_ack ? name + "-p" : name + "-n") + std::to_string(pick(random, 1, 3))};
        for (int gaps = pick(random, 0, 3); gaps > 0; --gaps) step.repeat.push_back(ticks(2 * pick(random, 1, 12)));
        if (pick(random, 0, 4) == 0) step.impact = {pick(random, 0, 1) == 0 ? "sla" : "users"};
      }
      if (pick(random, 0, 1) == 0) {
        ladder.end = ladder.steps.back().from + ticks(2 * pick(random, 1, 20));
        if (pick(random, 0, 1) == 0) {
          ladder.loop_to = static_cast<std::size_t>(pick(random, 0, static_cast<int>(ladder.steps.size()) - 1));
        } else {
          ladder.owner = {name + "-p9"};
          ladder.owner_repeat = {ticks(2 * pick(random, 1, 12))};
        }
      }
      escalation.ladders[people::level_index(level)] = std::move(ladder);
    }
  }
  return out;
}

History random_history(Random& random) {
  History out;
  out.length = 2 * pick(random, 20, 120);
  const auto odd = [&] { return 2 * pick(random, 0, out.length / 2) + 1; };
  out.level = people::all_levels[static_cast<std::size_t>(pick(random, 0, 3))];
  for (int i = pick(random, 0, 4); i > 0; --i)
    out.changes.emplace_back(odd(), people::all_levels[static_cast<std::size_t>(pick(random, 0, 3))]);
  std::ranges::stable_sort(out.changes, {}, &std::pair<int, Level>::first);
  for (int i = pick(random, 0, 3); i > 0; --i) {
    const int begin = pick(random, 0, 4) == 0 ? -5 : odd();
    out.suppressed.push_back({begin, begin + 2 * pick(random, 1, 20), pick(random, 0, 1) == 0});
  }
  for (int i = pick(random, 0, 2); i > 0; --i) {
    const int begin = odd();
    out.acked.push_back({begin, begin + 2 * pick(random, 1, 30), false});
  }
  for (int begin = odd(); pick(random, 0, 2) > 0; begin += 2 * pick(random, 10, 40)) {
    int end = begin + 2 * pick(random, 1, 9);
    bool is_apart = true;  // a change of level ends it
    for (const auto& [when, level] : out.changes) {
      is_apart = is_apart && when != begin;
      if (when > begin) end = std::min(end, when);
    }
    if (is_apart) out.below.push_back({begin, end, false});
  }
  for (int i = pick(random, 0, 2); i > 0; --i) out.impacts.emplace_back(odd(), pick(random, 0, 1) == 0 ? "sla" : "users");
  return out;
}

using Messages = std::multiset<std::string>;

std::string text(int tick, const std::string& escalation, std::size_t step, std::string_view why, const std::vector<std::string>& targets) {
  std::ostringstream out;
  out << tick << " " << escalation << " " << step << " " << why;
  for (const std::string& one : targets) out << " " << one;
  return out.str();
}

void note(const Answer& answer, Messages& to) {
  for (const Due& one : answer.due)
    to.insert(text(static_cast<int>((one.at_ns - base_ns) / tick_ns), one.escalation, one.step, why_name(one.why), one.targets));
}

/// Asked at every tick at which something happens and at every even one for which `asks` says so.
template <class Asks>
Messages asked_by(const Policy& policy, const History& history, Asks asks) {
  Messages out;
  std::int64_t asked_ns = never_asked;
  for (int tick = 0; tick <= history.length; ++tick) {
    if (tick != history.length && !asks(tick)) continue;
    note(due(policy, known_at(history, tick), asked_ns, at_tick(tick)), out);
    asked_ns = at_tick(tick);
  }
  return out;
}

/// As the agent asks: when something happened, and at the instant that the last answer named.
Messages asked_by_next(const Policy& policy, const History& history) {
  std::set<int> events = {0, history.length};
  for (const auto& [when, level] : history.changes) events.insert(when);
  for (const auto& [when, tag] : history.impacts) events.insert(when);
  for (const auto* list : {&history.suppressed, &history.acked, &history.below}) {
    for (const Pause& one : *list) events.insert({std::max(one.begin, 0), std::max(one.end, 0)});
  }
  Messages out;
  std::int64_t asked_ns = never_asked;
  std::optional<std::int64_t> next_ns;
  for (int tick = 0; tick <= history.length; ++tick) {
    const bool is_next = next_ns && *next_ns == at_tick(tick);
    if (!events.contains(tick) && !is_next) continue;
    const Answer answer = due(policy, known_at(history, tick), asked_ns, at_tick(tick));
    note(answer, out);
    asked_ns = at_tick(tick);
    next_ns = answer.next_ns;
  }
  return out;
}

/// The same rules, gone through tick by tick with counters.
class Machine {
 public:
  Machine(const Policy& policy, const History& history) : policy_(policy), history_(history), level_(history.level) {}

  Messages run() {
    for (int tick = 0; tick <= history_.length; ++tick) go(tick);
    return std::move(out_);
  }

 private:
  struct Place {
    const Escalation* escalation;
    const Ladder* ladder;
    std::size_t step;
    bool is_owner() const { return step == ladder->steps.size(); }
    const std::vector<std::string>& targets() const { return is_owner() ? ladder->owner : ladder->steps[step].targets; }
    bool is_paging() const { return is_owner() || ladder->steps[step].until_ack; }
  };

  static bool within(const std::vector<Pause>& pauses, int tick) {
    return std::ranges::any_of(pauses, [&](const Pause& one) { return tick >= one.begin && tick < one.end; });
  }
  /// An ack counts until the level rises above the one at which it was given.
  bool is_acked(int tick) const {
    return std::ranges::any_of(history_.acked, [&](const Pause& one) {
      if (tick < one.begin || tick >= one.end) return false;
      Level held = history_.level;
      for (const auto& [when, level] : history_.changes) {
        if (when <= one.begin) held = level;
        if (when > one.begin && when <= tick && people::more_severe(level, held)) return false;
      }
      return true;
    });
  }
  std::vector<Place> places() const {
    std::vector<Place> out;
    for (const Escalation& one : policy_.escalations) {
      const Ladder* ladder = one.at(level_);
      for (std::size_t i = 0; ladder != nullptr && i <= ladder->steps.size(); ++i) {
        if (i < ladder->steps.size() || !ladder->owner.empty()) out.push_back({&one, ladder, i});
      }
    }
    return out;
  }

  /// All values up to `upto` at which a step is due, by adding gap to gap; with where its round began and ends.
  struct Beat {
    int value, begin, end;
    bool is_repeat;
  };
  std::vector<Beat> beats(const Place& place, int upto) const {
    constexpr int never = 1'000'000;
    const auto in_ticks = [](Nanos time) { return static_cast<int>(time.count() / tick_ns); };
    const Ladder& ladder = *place.ladder;
    const int end = ladder.end ? in_ticks(*ladder.end) : never;
    const Step* step = place.is_owner() ? nullptr : &ladder.steps[place.step];
    int not_before = 0;
    if (step != nullptr && !step->impact.empty()) {
      const auto found = impact_.find({step->impact.front(), {place.is_paging(), level_}});
      if (found == impact_.end()) return {};
      not_before = found->second;
    }
    const bool loops = step != nullptr && ladder.end && ladder.loop_to && place.step >= *ladder.loop_to;
    const int period = loops ? end - in_ticks(ladder.steps[*ladder.loop_to].from) : never;
    const auto& gaps = step == nullptr ? ladder.owner_repeat : step->repeat;
    std::vector<Beat> out;
    for (int shift = 0; shift <= upto; shift += period) {
      const int begin = std::max(not_before, shift + (step == nullptr ? end : in_ticks(step->from)));
      const int over = step == nullptr ? never : shift + std::min(end, step->to ? in_ticks(*step->to) : never);
      std::size_t gap = 0;
      for (int value = begin; value < over && value <= upto;) {
        out.push_back({value, begin, over, value != begin});
        if (gaps.empty()) break;
        value += in_ticks(gaps[std::min(gap++, gaps.size() - 1)]);
      }
    }
    return out;
  }

  void tell(int tick, const Place& place, std::string_view why, const std::vector<std::string>& targets) {
    if (targets.empty()) return;
    out_.insert(text(tick, place.escalation->name, place.step, why, targets));
    told_.emplace_back(level_, std::set<std::string>(targets.begin(), targets.end()));
  }
  bool was_told(const std::string& target, std::size_t before) const {
    for (std::size_t i = 0; i < before; ++i) {
      const auto& [level, targets] = told_[i];
      if ((!is_raise_ || !people::more_severe(level_, level)) && targets.contains(target)) return true;
    }
    return false;
  }
  int clock(bool is_paging, Level level) const {
    const auto stood = stood_.find({is_paging, level});
    return (is_paging ? paging_ : notices_) - (stood == stood_.end() ? 0 : stood->second);
  }
  int clock(const Place& place) const { return clock(place.is_paging(), level_); }
  int paging() const { return clock(true, level_); }

  void change_level(int tick) {
    Level now = level_;
    for (const auto& [when, level] : history_.changes) {
      if (when == tick) now = level;
    }
    if (now == level_) return;
    is_raise_ = people::more_severe(now, level_);
    level_ = now;
    told_before_ = told_.size();
    passed_.clear();
    for (const Place& place : places()) {
      const auto all = beats(place, clock(place));
      if (!all.empty() && all.front().value < clock(place)) passed_.push_back(place);
    }
    late_paging_ = late_notices_ = true;
  }

  /// The step that holds: with the latest beginning of those that are not over.
  std::optional<Place> reached(const Escalation& escalation, int value) const {
    std::optional<Place> out;
    int since = -1;
    for (const Place& place : places()) {
      if (place.escalation != &escalation || !place.is_paging()) continue;
      for (const Beat& beat : beats(place, value)) {
        if (beat.is_repeat || value >= beat.end || beat.begin < since) continue;
        since = beat.begin;
        out = place;
      }
    }
    return out;
  }

  void catch_up(int tick, bool of_paging) {
    for (const Escalation& escalation : policy_.escalations) {
      std::optional<Place> now;
      if (of_paging && is_raise_) {
        now = reached_at_change_.contains(&escalation) ? std::optional(reached_at_change_.at(&escalation)) : std::nullopt;
      }
      std::set<std::string> named;
      if (now) named.insert(now->targets().begin(), now->targets().end());
      for (auto one = passed_.rbegin(); one != passed_.rend(); ++one) {
        if (one->escalation != &escalation || one->is_paging() != of_paging) continue;
        std::vector<std::string> targets;
        if (now && one->step == now->step)
          targets = one->targets();
        else
          for (const std::string& target : one->targets()) {
            if (!was_told(target, told_before_) && named.insert(target).second) targets.push_back(target);
          }
        tell(tick, *one, "catch-up", targets);
      }
    }
  }

  void note_reached() {
    reached_at_change_.clear();
    for (const Escalation& escalation : policy_.escalations) {
      std::optional<Place> best;
      if (const auto now = reached(escalation, paging())) {
        const bool is_passed =
            std::ranges::any_of(passed_, [&](const Place& one) { return one.escalation == &escalation && one.step == now->step; });
        if (is_passed) best = now;
      }
      if (!best) best = best_passed(escalation);
      if (best) reached_at_change_.emplace(&escalation, *best);
    }
  }
  /// None of the passed steps holds any more, or the one that does has not passed: the latest that holds, else the last.
  std::optional<Place> best_passed(const Escalation& escalation) const {
    std::optional<Place> out;
    int since = -1;
    for (const Place& place : passed_) {
      if (place.escalation != &escalation || !place.is_paging()) continue;
      int mine = -1;
      for (const Beat& beat : beats(place, paging())) {
        if (!beat.is_repeat && paging() < beat.end) mine = std::max(mine, beat.begin);
      }
      if (!out || mine >= since) {
        out = place;
        since = mine;
      }
    }
    return out;
  }

  void go(int tick) {
    for (const auto& [when, tag] : history_.impacts) {
      if (when != tick) continue;
      for (const Level level : people::all_levels) {
        for (const bool is_paging : {false, true}) impact_.emplace(std::pair(tag, std::pair(is_paging, level)), clock(is_paging, level));
      }
    }
    const Level before = level_;
    change_level(tick);
    if (level_ != before) note_reached();
    const bool below = within(history_.below, tick), hidden = within(history_.suppressed, tick), held = hidden || is_acked(tick);
    const bool suppressed = hidden || below, paused = held || below;
    bool raised = false;
    if (!suppressed && std::exchange(late_notices_, false)) catch_up(tick, false);
    if (!paused && std::exchange(late_paging_, false)) {
      raised = is_raise_;
      catch_up(tick, true);
    }
    const bool resumes = was_held_ && !paused && !raised;
    for (const Place& place : places()) {
      if (place.is_paging() ? paused : suppressed) continue;
      for (const Beat& beat : beats(place, clock(place))) {
        if (beat.value == clock(place))
          tell(tick, place, beat.is_repeat ? "repeat" : place.is_owner() ? "owner" : "start", place.targets());
      }
    }
    for (const Escalation& escalation : policy_.escalations) {
      const auto now = resumes ? reached(escalation, paging()) : std::nullopt;
      if (!now) continue;
      const auto all = beats(*now, paging());
      if (all.back().value != paging()) tell(tick, *now, "resume", now->targets());
    }
    was_held_ = held || (was_held_ && paused);
    if (!hidden) ++notices_;
    if (!held) ++paging_;
    if (below && !hidden) ++stood_[{false, level_}];
    if (below && !held) ++stood_[{true, level_}];
  }

  const Policy& policy_;
  const History& history_;
  Level level_;
  Messages out_;
  int paging_ = 0, notices_ = 0;  // the two clocks
  bool was_held_ = false, is_raise_ = false, late_paging_ = false, late_notices_ = false;
  std::vector<Place> passed_;
  std::map<const Escalation*, Place> reached_at_change_;
  std::vector<std::pair<Level, std::set<std::string>>> told_;
  std::size_t told_before_ = 0;
  std::map<std::pair<std::string, std::pair<bool, Level>>, int> impact_;
  std::map<std::pair<bool, Level>, int> stood_;  // of them, for so long nothing was as high
};

}  // namespace

TEST_CASE("the messages do not depend on when it is asked, and are those of a machine that goes tick by tick", "[incident]") {
  std::size_t all = 0;
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    Random random(seed);
    const Policy policy = random_policy(random);
    const History history = random_history(random);
    INFO("seed " << seed);
    const Messages each = asked_by(policy, history, [](int) { return true; });
    const Messages once = asked_by(policy, history, [](int) { return false; });
    const Messages some = asked_by(policy, history, [&](int) { return pick(random, 0, 6) == 0; });
    REQUIRE(each == once);
    REQUIRE(each == some);
    REQUIRE(each == asked_by_next(policy, history));
    REQUIRE(each == Machine(policy, history).run());
    all += each.size();
  }
  CHECK(all > 30'000);  // else the histories tell nothing
}
