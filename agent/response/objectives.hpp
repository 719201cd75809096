// SPDX-License-Identifier: Apache-2.0
// What was seen of each objective, `[slo.NAME]`: it is judged by every result of its checks and once a minute, and read as
// the burn of its budget for the ladder. Pure: it has no clock, no store and no event loop; times are wall clock,
// nanoseconds since 1970. What it judged is handed back for the store, what the store had is handed in. [loop]
//
// Rule and source of the formula: a budget burns where what is bad in a long and in a short window is at least `factor`
// times what the objective allows there (Beyer et al., "The Site Reliability Workbook", 2018, chapter 5, alert 6:
// "multiwindow, multi-burn-rate alerts"); the arithmetic is measure/slo.hpp's.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "measure/history.hpp"
#include "measure/slo.hpp"
#include "rule/ladder.hpp"
#include "rule/objective.hpp"

namespace ronda::response {

/// What one look found; `ronda slo` and the API show the last of each.
struct ObjectiveSeen {
  std::array<measure::slo::Burn, 3> burns;
  std::optional<measure::slo::Budget> budget;  // none: nothing was seen in the window
  bool is_known = false;                       // false: its past is not read yet, or nothing comes
  std::int64_t at_ns = 0;                      // 0: no look yet
};

/// What it is judged over. `is_excluded`: a maintenance window that does not count covers it now.
struct ObjectiveInput {
  measure::History& history;
  const rule::Facts& facts;
  bool is_excluded = false;
};

class Objectives {
 public:
  /// Those of the plan, which must live until the next use(). One that judges as before keeps what it saw; another one, or
  /// one with a longer window, has to be loaded.
  void use(std::span<const rule::Slo> slos);
  /// Null: no objective has this alert.
  const rule::Slo* of_alert(std::string_view alert) const;
  /// Those that are judged by the results of a check.
  std::span<const rule::Slo* const> of_check(std::string_view check) const;

  /// After a result of one of its checks; what it judged goes to the store.
  void on_result(const rule::Slo& slo, const ObjectiveInput& input, std::int64_t now_ns, std::vector<store::Sampled>& out);
  /// Once a minute: judges what no result said, and reads how the budget burns.
  rule::Reading look(const rule::Slo& slo, const ObjectiveInput& input, std::int64_t now_ns, std::vector<store::Sampled>& out);

  /// Whose past nobody has asked the store for yet, with the window to ask for; each is named once.
  std::vector<measure::slo::Objective> take_unloaded();
  /// What lies before everything that was seen here, ascending. Empty: there is none, or it cannot be read. From then on
  /// the objective is known; until then no level begins or ends, else a restart would end what burns.
  /// `asked`: as take_unloaded() named it. A reload may have made it another one meanwhile, which is named anew: nothing then.
  void restore(const measure::slo::Objective& asked, std::span<const measure::slo::Stretch> older);
  /// The store could not be read: what take_unloaded() named is to be named again when it can.
  void load_again(std::string_view objective);
  /// The clock was set forward by so much, to `now_ns`. The time that was left out is one in which nothing was seen; no result counts
  /// twice.
  void move(std::int64_t by_ns, std::int64_t now_ns);

  /// Null: there is no such objective.
  const ObjectiveSeen* seen(std::string_view objective) const;

 private:
  struct Kept {
    measure::slo::Meter meter;
    std::uint64_t mark = 0;       // of what it is judged by, and how long a judgement stands
    std::string judged_by{};      // as its objective says
    std::int64_t window_ns = 0;   // that the meter keeps
    std::int64_t seen_ns = 0;     // when something good or bad was seen last; 0: never
    std::int64_t written_ns = 0;  // when a judgement went to the store last
    std::int64_t counted_ns = 0;  // by requests: the newest result that was counted
    bool is_loaded = false, is_asked = false;
    bool has_counted = false;  // by requests: there was a reading before, so that a new series began at 0
    using Readings = std::map<measure::Labels, double>;
    Readings good_readings{}, total_readings{};  // by requests: of each series of the two counters, which may be one metric
    ObjectiveSeen seen{};
  };

  void judge(const rule::Slo& slo, Kept& kept, const ObjectiveInput& input, std::int64_t now_ns, std::vector<store::Sampled>& out);
  void count(const rule::Slo& slo, Kept& kept, const ObjectiveInput& input, std::int64_t now_ns, std::vector<store::Sampled>& out);
  static double increase(const rule::Node& metric, const Kept& kept, Kept::Readings& readings, const measure::View& view);

  std::map<std::string, Kept, std::less<>> kept_;
  std::map<std::string, const rule::Slo*, std::less<>> by_alert_;
  std::map<std::string, std::vector<const rule::Slo*>, std::less<>> by_check_;
};

}  // namespace ronda::response
