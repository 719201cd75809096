// SPDX-License-Identifier: Apache-2.0
#include "incident/escalation.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "incident/beats.hpp"

namespace ronda::escalation {
namespace {

constexpr std::size_t most_of_a_step = 1000;
constexpr std::int64_t end_of_time = INT64_MAX;

/// The time in which one level holds: [begin, end).
struct Segment {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = end_of_time;
  Level level = Level::none;
};

/// What has happened by `now_ns`: what is dated later is not known yet, but for planned ends and windows.
std::vector<Segment> segments_of(const IncidentClock& clock, std::int64_t now_ns) {
  std::vector<Segment> out = {{clock.detected_ns, end_of_time, clock.level}};
  for (const LevelChange& change : clock.changes) {
    if (change.at_ns > now_ns) break;
    if (change.at_ns <= out.back().begin_ns) {
      out.back().level = change.level;
    } else if (change.level != out.back().level) {
      out.back().end_ns = change.at_ns;
      out.push_back({change.at_ns, end_of_time, change.level});
    }
  }
  if (clock.ended_ns && *clock.ended_ns <= now_ns) {
    std::erase_if(out, [&](const Segment& one) { return one.begin_ns >= *clock.ended_ns; });
    if (!out.empty()) out.back().end_ns = *clock.ended_ns;
  }
  return out;
}

IncidentClock known_at(const IncidentClock& clock, std::int64_t now_ns) {
  IncidentClock known = clock;
  const auto later = [&](const auto& one) { return one.at_ns > now_ns; };
  std::erase_if(known.changes, later);
  std::erase_if(known.impacts, later);
  return known;
}

/// One step, or the owner, of one ladder, with the clock that it goes by.
struct Runner {
  const Escalation* escalation = nullptr;
  const Ladder* ladder = nullptr;
  std::size_t step = 0;
  bool is_paging = true;
  const PausedTime* time = nullptr;
  Beats beats;

  bool is_owner() const { return step == ladder->steps.size(); }
  const std::vector<std::string>& targets() const { return is_owner() ? ladder->owner : ladder->steps[step].targets; }
  std::optional<std::int64_t> first_instant() const {
    const auto value = beats.first();
    return value ? time->instant(*value) : std::nullopt;
  }
};

class Planner {
 public:
  Planner(const Policy& policy, const IncidentClock& clock, std::int64_t asked_ns, std::int64_t now_ns)
      : policy_(policy),
        clock_(known_at(clock, now_ns)),
        asked_ns_(asked_ns),
        now_ns_(now_ns),
        holds_(paging_time(clock_)),
        segments_(segments_of(clock_, now_ns)) {
    for (const Segment& one : segments_)
      times_.try_emplace(one.level, Times{unsuppressed_time(clock_, one.level), paging_time(clock_, one.level)});
  }

  Answer run();

 private:
  struct Times {
    PausedTime notices, paging;
  };

  std::vector<Runner> runners_at(Level level) const;
  bool is_held_in(const Stretch& pause) const;
  std::optional<Nanos> impact_since(const Step& step, const PausedTime& time) const;
  void note_told(std::size_t index, const std::vector<Runner>& runners);
  bool was_told(std::size_t index, const std::string& target) const;
  void add_catch_up(std::size_t index, const std::vector<Runner>& runners);
  void catch_up(std::size_t index, const std::vector<Runner>& runners, const Escalation& escalation);
  void add_resumes(std::size_t index, const std::vector<Runner>& runners);
  void resume(const std::vector<Runner>& runners, const Escalation& escalation, Level level, std::int64_t at_ns);
  void add_beats(const Segment& segment, const std::vector<Runner>& runners);
  void add(const Runner& runner, std::int64_t at_ns, Why why, Beat beat, std::vector<std::string> targets);
  void expect(std::optional<std::int64_t> at_ns);

  const Policy& policy_;
  IncidentClock clock_;
  std::int64_t asked_ns_;
  std::int64_t now_ns_;
  PausedTime holds_;  // in it stands what somebody had, or what was hidden
  std::vector<Segment> segments_;
  std::map<Level, Times> times_;                          // of each level that it had
  std::vector<std::set<std::string, std::less<>>> told_;  // by segment
  Answer answer_;
};

/// The reading at which an incident got one of the tags that a step waits for; none: it has none of them.
std::optional<Nanos> Planner::impact_since(const Step& step, const PausedTime& time) const {
  if (step.impact.empty()) return Nanos(0);
  std::optional<Nanos> since;
  for (const Impact& impact : clock_.impacts) {
    if (std::ranges::find(step.impact, impact.tag) == step.impact.end()) continue;
    const Nanos reading = time.reading(impact.at_ns);
    if (!since || reading < *since) since = reading;
  }
  return since;
}

std::vector<Runner> Planner::runners_at(Level level) const {
  std::vector<Runner> out;
  for (const Escalation& escalation : policy_.escalations) {
    const Ladder* ladder = escalation.at(level);
    if (ladder == nullptr) continue;
    for (std::size_t i = 0; i < ladder->steps.size(); ++i) {
      const Step& step = ladder->steps[i];
      if (step.targets.empty()) continue;  // others override all of it
      const bool is_paging = step.until_ack && !step.business;
      const PausedTime& time = is_paging ? times_.at(level).paging : times_.at(level).notices;
      if (const auto since = impact_since(step, time)) out.push_back({&escalation, ladder, i, is_paging, &time, Beats(*ladder, i, *since)});
    }
    const std::size_t owner = ladder->steps.size();
    if (ladder->end && !ladder->owner.empty())
      out.push_back({&escalation, ladder, owner, true, &times_.at(level).paging, Beats(*ladder, owner, Nanos(0))});
  }
  return out;
}

void Planner::add(const Runner& runner, std::int64_t at_ns, Why why, Beat beat, std::vector<std::string> targets) {
  if (targets.empty() || at_ns <= asked_ns_) return;
  if (at_ns > now_ns_) return expect(at_ns);
  Due due;
  due.at_ns = at_ns;
  due.escalation = runner.escalation->name;
  due.level = runner.ladder->level;
  due.step = runner.step;
  due.owner = runner.is_owner();
  due.why = why;
  due.cycle = beat.cycle;
  due.round = beat.round;
  due.clock = runner.time->reading(at_ns);
  due.is_paging = runner.is_paging;
  due.business = !runner.is_owner() && runner.ladder->steps[runner.step].business;
  due.targets = std::move(targets);
  answer_.due.push_back(std::move(due));
}

void Planner::expect(std::optional<std::int64_t> at_ns) {
  if (at_ns && *at_ns > now_ns_ && (!answer_.next_ns || *at_ns < *answer_.next_ns)) answer_.next_ns = at_ns;
}

/// The largest reading whose instant is at or before `at_ns`.
Nanos last_reading(const PausedTime& time, std::int64_t detected_ns, std::int64_t at_ns) {
  if (at_ns < detected_ns) return Nanos(-1);
  const Nanos reading = time.reading(at_ns);
  return time.next_running(at_ns) == at_ns ? reading : reading - Nanos(1);
}

/// Whom the steps told in a segment at their own times; what was caught up is noted where it is.
void Planner::note_told(std::size_t index, const std::vector<Runner>& runners) {
  const Segment& segment = segments_[index];
  for (const Runner& runner : runners) {
    const Nanos after = last_reading(*runner.time, clock_.detected_ns, segment.begin_ns - 1);
    const Nanos upto = last_reading(*runner.time, clock_.detected_ns, segment.end_ns - 1);
    if (!runner.beats.between(after, upto, 1).empty()) told_[index].insert(runner.targets().begin(), runner.targets().end());
  }
}

/// Before this segment: after a raise only what was said at that level or above counts, after a lowering all.
bool Planner::was_told(std::size_t index, const std::string& target) const {
  const bool is_raise = people::more_severe(segments_[index].level, segments_[index - 1].level);
  for (std::size_t i = 0; i < index; ++i) {
    const bool counts = !is_raise || !people::more_severe(segments_[index].level, segments_[i].level);
    if (counts && told_[i].contains(target)) return true;
  }
  return false;
}

void Planner::catch_up(std::size_t index, const std::vector<Runner>& runners, const Escalation& escalation) {
  const Segment& segment = segments_[index];
  const bool is_raise = people::more_severe(segment.level, segments_[index - 1].level);
  const Runner* reached = nullptr;
  std::optional<Nanos> reached_since;
  std::vector<const Runner*> passed;
  for (const Runner& runner : runners) {
    const auto start = runner.first_instant();
    if (runner.escalation != &escalation || !start || *start >= segment.begin_ns) continue;
    passed.push_back(&runner);
    if (!runner.is_paging) continue;
    const auto since = runner.beats.holding_since(runner.time->reading(segment.begin_ns));
    if (reached == nullptr || (since && (!reached_since || *since >= *reached_since)) || (!since && !reached_since)) {
      reached = &runner;
      reached_since = since;
    }
  }
  std::set<std::string_view> named;
  if (is_raise && reached != nullptr) named.insert(reached->targets().begin(), reached->targets().end());
  for (auto one = passed.rbegin(); one != passed.rend(); ++one) {
    const auto at_ns = (*one)->time->next_running(segment.begin_ns);
    if (!at_ns || *at_ns >= segment.end_ns) continue;
    std::vector<std::string> targets;
    if (is_raise && *one == reached) {
      targets = reached->targets();
    } else {
      for (const std::string& target : (*one)->targets()) {
        if (!was_told(index, target) && named.insert(target).second) targets.push_back(target);
      }
    }
    told_[index].insert(targets.begin(), targets.end());
    add(**one, *at_ns, Why::catch_up, {}, std::move(targets));
  }
}

void Planner::add_catch_up(std::size_t index, const std::vector<Runner>& runners) {
  if (index == 0) return;
  for (const Escalation& escalation : policy_.escalations) catch_up(index, runners, escalation);
}

void Planner::resume(const std::vector<Runner>& runners, const Escalation& escalation, Level level, std::int64_t at_ns) {
  const Nanos reading = times_.at(level).paging.reading(at_ns);
  const Runner* reached = nullptr;
  Nanos reached_since{0};
  for (const Runner& runner : runners) {
    if (runner.escalation != &escalation || !runner.is_paging) continue;
    const auto since = runner.beats.holding_since(reading);
    if (!since || (reached != nullptr && *since < reached_since)) continue;
    reached = &runner;
    reached_since = *since;
  }
  if (reached == nullptr) return;
  const bool is_due_anyway = reached->beats.next(reading - Nanos(1)) == reading;
  if (!is_due_anyway) add(*reached, at_ns, Why::resume, {}, reached->targets());
}

/// That what was as high is there again calls nobody anew: the ladder goes on.
bool Planner::is_held_in(const Stretch& pause) const {
  return std::ranges::any_of(holds_.pauses(),
                             [&](const Stretch& one) { return one.begin_ns < pause.end_ns && one.end_ns > pause.begin_ns; });
}

void Planner::add_resumes(std::size_t index, const std::vector<Runner>& runners) {
  const Segment& segment = segments_[index];
  const PausedTime& paging = times_.at(segment.level).paging;
  std::set<std::int64_t> ends;
  for (const Stretch& pause : paging.pauses()) {
    if (pause.end_ns == Stretch::open || pause.end_ns < segment.begin_ns || pause.end_ns >= segment.end_ns || !is_held_in(pause)) continue;
    // a raise within the pause, or at its end, tells the reached step by itself
    const bool raised = index > 0 && people::more_severe(segment.level, segments_[index - 1].level);
    if (raised && paging.next_running(segment.begin_ns) == pause.end_ns) continue;
    if (raised && pause.end_ns == segment.begin_ns) continue;
    ends.insert(pause.end_ns);
  }
  // an ack that ended while nothing was as high: where the level falls then, it is over now
  const bool falls = index > 0 && people::more_severe(segments_[index - 1].level, segment.level);
  if (falls && paging.next_running(segment.begin_ns) == segment.begin_ns) {
    for (const Stretch& pause : times_.at(segments_[index - 1].level).paging.pauses()) {
      if (pause.end_ns == segment.begin_ns && is_held_in(pause)) ends.insert(pause.end_ns);
    }
  }
  for (const std::int64_t end_ns : ends) {
    for (const Escalation& escalation : policy_.escalations) resume(runners, escalation, segment.level, end_ns);
  }
}

void Planner::add_beats(const Segment& segment, const std::vector<Runner>& runners) {
  const std::int64_t after_ns = std::max(asked_ns_, segment.begin_ns - 1);
  const std::int64_t upto_ns = std::min(now_ns_, segment.end_ns - 1);
  for (const Runner& runner : runners) {
    const Nanos upto = last_reading(*runner.time, clock_.detected_ns, upto_ns);
    if (after_ns < upto_ns) {
      const Nanos after = last_reading(*runner.time, clock_.detected_ns, after_ns);
      for (const Beat& beat : runner.beats.between(after, upto, most_of_a_step)) {
        const Why why = beat.round > 0 ? Why::repeat : runner.is_owner() ? Why::owner : Why::start;
        if (const auto at_ns = runner.time->instant(beat.value)) add(runner, *at_ns, why, beat, runner.targets());
      }
    }
    if (segment.end_ns != end_of_time) continue;
    if (const auto next = runner.beats.next(upto)) expect(runner.time->instant(*next));
  }
}

Answer Planner::run() {
  told_.resize(segments_.size());
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const std::vector<Runner> runners = runners_at(segments_[i].level);
    add_catch_up(i, runners);
    if (i + 1 < segments_.size()) note_told(i, runners);
    if (segments_[i].end_ns <= asked_ns_) continue;  // all of it has been asked for
    add_resumes(i, runners);
    add_beats(segments_[i], runners);
  }
  if (segments_.empty() || segments_.back().end_ns != end_of_time) answer_.next_ns.reset();
  std::ranges::stable_sort(answer_.due, {}, &Due::at_ns);
  return std::move(answer_);
}

}  // namespace

std::string_view why_name(Why why) {
  constexpr std::array<std::string_view, 5> names = {"start", "repeat", "catch-up", "resume", "owner"};
  return names[static_cast<std::size_t>(why)];
}

Answer due(const Policy& policy, const IncidentClock& clock, std::int64_t asked_ns, std::int64_t now_ns) {
  return Planner(policy, clock, asked_ns, now_ns).run();
}

std::vector<Due> without_stale(std::vector<Due> due) {
  std::set<std::tuple<std::string, Level, std::size_t>> seen;
  std::vector<Due> out;
  for (auto one = due.rbegin(); one != due.rend(); ++one) {
    if (seen.emplace(one->escalation, one->level, one->step).second) out.push_back(std::move(*one));
  }
  std::ranges::reverse(out);
  return out;
}

}  // namespace ronda::escalation
