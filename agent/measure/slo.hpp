// SPDX-License-Identifier: Apache-2.0
// Service level objectives: how much of a window was good, what is left of the budget for the rest, and how fast it burns.
// Pure: good and bad come in as stretches of time or counts of requests, time is a parameter.
// Source of the pairs of windows: Beyer et al., "The Site Reliability Workbook" (2018), chapter 5, "multiwindow, multi-burn-rate
// alerts": 2 % of a 30-day budget in an hour and 5 % in six hours page, 10 % in three days is a ticket.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/generation.hpp"
#include "store/sample.hpp"

namespace ronda::measure::slo {

struct Objective {
  std::string name;
  double target = 0.999;                                            // share that has to be good, in (0, 1)
  std::int64_t window_ns = std::int64_t{30 * 24} * store::hour_ns;  // that rolls
  /// False: of time. It promises a share of all the time of a window, so that what is bad is compared with the whole of it,
  /// and one bad minute after a start is one bad minute. True: of requests, then with those that were seen.
  bool counts = false;
  /// Of requests only: so many in both windows of a burn, else there is none: 2 of 3 at night are no outage.
  double least = 30;
  /// A mark of what is good. What was judged by another condition is about something else: it says nothing of this objective.
  std::string judged_by{};
  /// For each burn rule what must be bad in its long window at least, in seconds or requests: of little time a share says too
  /// much, and one probe that failed is a large share of it.
  std::array<double, 3> least_bad{};
};

/// What was seen in [from, until). Seconds, or a count of requests: the same unit in all stretches of an objective.
struct Stretch {
  std::int64_t from_ns = 0, until_ns = 0;
  double good = 0, bad = 0, unknown = 0;
};
struct Sums {
  double good = 0, bad = 0, unknown = 0;
  double seen() const { return good + bad; }
};

/// What was seen, summed up over a window.
class Record {
 public:
  /// Of (until - length, until]: of a stretch that lies in part outside a part counts.
  virtual Sums sums(std::int64_t until_ns, std::int64_t length_ns) const = 0;

 protected:
  ~Record() = default;
};

/// Stretches, ascending and without overlaps. What blocks of them sum up to is kept, so that a window of a month costs two searches
/// and some hundred additions.
class Stretches final : public Record {
 public:
  Stretches() = default;
  explicit Stretches(std::span<const Stretch> ascending);

  Sums sums(std::int64_t until_ns, std::int64_t length_ns) const override;
  std::span<const Stretch> all() const { return all_; }
  std::size_t bytes() const;

  /// To the stretch that begins there, nearly always the last one, which reaches as far as this from now on; or a new one.
  void add(std::int64_t from_ns, std::int64_t until_ns, const Sums& seen);
  /// All of them before all that are here.
  void put_before(std::span<const Stretch> older);
  void drop_first(std::size_t count);
  /// Those that reach beyond it.
  void drop_after(std::int64_t at_ns);

 private:
  void sum_up(std::size_t from_block);
  Sums between(std::size_t first, std::size_t end) const;

  std::vector<Stretch> all_;
  std::vector<Sums> blocks_;
};

struct Budget {
  Sums sums;
  double reached = 0;  // good / (good + bad)
  double allowed = 0;  // bad that the objective leaves room for, of what was seen
  double left = 1;     // share of it that is left; below 0: overspent
  double known = 0;    // share that was seen: of the time, or of requests that are not unknown
};
/// Nothing where nothing was seen: unknown is neither good nor bad.
std::optional<Budget> budget(const Objective& objective, const Record& record, std::int64_t now_ns);

/// One derived alert: what is bad in both windows is at least `factor` times what the objective allows there.
struct BurnRule {
  const char* name;  // "fast", "slow", "ticket"
  double factor;
  std::int64_t long_ns, short_ns;
  config::Level level;
};
/// 14.4x over 1 h and 5 min is p1, 6x over 6 h and 30 min p2: both page, but at 6x the budget still lasts five days, so
/// that one hour to respond is enough. 1x over 3 d and 6 h is a ticket, p3.
extern const std::array<BurnRule, 3> burn_rules;

struct Burn {
  const BurnRule* rule = nullptr;
  std::optional<double> in_long, in_short;  // how many times what is allowed; none: nothing was seen
  bool enough = false;                      // was seen in both windows
  bool holds = false;
  double bad = 0, least_bad = 0;  // in the long window, and how much that must be: seconds or requests
  bool is_held_back = false;      // fast enough in both windows, but less than `least_bad` was bad
};
std::array<Burn, 3> burns(const Objective& objective, const Record& record, std::int64_t now_ns);

enum class Goodness : std::uint8_t { good, bad, unknown };

/// Gathers what is seen as stretches of one minute for six hours and of five minutes for the rest of the window: memory is
/// bounded by the window, some 40 bytes a stretch, at most 700 KiB for 30 days.
class Meter final : public Record {
 public:
  /// `hold_ns`: how long a judgement stands when none follows, then it is unknown: two intervals and the timeout.
  Meter(std::int64_t window_ns, std::int64_t hold_ns);

  /// From `at_ns` on it is so, by time. Before the newest: the clock was set back, and what lies after is forgotten.
  void judge(std::int64_t at_ns, Goodness goodness);
  /// So many requests since the last call, by counts. An objective uses the one or the other.
  void count(std::int64_t at_ns, double good, double bad);
  /// `until_ns`: now. The last judgement stands until then, or for as long as it may.
  Sums sums(std::int64_t until_ns, std::int64_t length_ns) const override;

  /// From what the store has: the stretches that lie before everything that was seen.
  void restore(std::span<const Stretch> older);
  std::size_t bytes() const;

 private:
  std::array<Stretch, 2> held_until(std::int64_t until_ns) const;
  void put(const Stretch& piece, std::int64_t now_ns);
  void age(std::int64_t now_ns);
  void forget_after(std::int64_t at_ns);

  std::int64_t window_ns_, hold_ns_;
  Stretches coarse_, fine_;
  std::int64_t judged_ns_ = 0;
  Goodness goodness_ = Goodness::unknown;
  bool judged_ = false, counts_ = false;
};

/// What a roll-up of judgements (values of Goodness) says: its length in seconds, divided as the judgements were.
Stretch stretch_of(const store::Rollup& rollup, std::int64_t length_ns);

}  // namespace ronda::measure::slo
