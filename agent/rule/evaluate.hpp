// SPDX-License-Identifier: Apache-2.0
// Whether a condition holds at an instant, in three values: what cannot be known is unknown, and says why.
// `and`, `or` and `not` are Kleene's: unknown and no is no, unknown or yes is yes. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "measure/view.hpp"
#include "rule/condition.hpp"

namespace ronda::rule {

enum class Truth : std::uint8_t { no, unknown, yes };
std::string_view truth_name(Truth truth);  // "no", "unknown", "yes"
Truth operator!(Truth truth);
Truth both(Truth a, Truth b);
Truth either(Truth a, Truth b);

inline constexpr std::size_t most_reason = 300;   // bytes of one reason
inline constexpr std::size_t most_series = 1000;  // label sets that one metric is looked at by; with more it is unknown

struct Moment {
  const measure::View& view;
  const Facts& facts;
  std::int64_t now_ns = 0;
  std::int64_t frozen_at_ns = 0;   // baseline() knows only what was before; 0: now
  std::uint32_t least_points = 1;  // that a function over time must have in its window
};

/// One node in the words of evaluation: "api.error_rate is 6.1%, above 5%".
struct Step {
  std::uint32_t begin = 0, length = 0;  // in the condition's text
  Truth truth = Truth::unknown;
  std::string text;
};

struct Finding {
  Truth truth = Truth::unknown;
  std::string reason;                 // of the part that decided; at most most_reason bytes
  double value = 0;                   // the number that decided; 0 where it was a status
  bool pending = false;               // unknown only because a check had no result yet
  std::int64_t newest_result_ns = 0;  // of all checks that it names
  std::int64_t next_ns = 0;           // when it may change with no new result; 0: not by time alone
  std::int64_t slot_ns = 0;           // pending, and no wonder until this slot of a calendar: what it waits for runs then; 0: not known
  bool thin = false;                  // unknown only because what comes is not enough yet: a young baseline, fewer than `min_samples`
};

/// `steps`, if given, gets one step for each comparison, `and`, `or` and `not`: what explain shows.
Finding evaluate(const Condition& condition, const Moment& moment, std::vector<Step>* steps = nullptr);

/// "6.1%", "610ms", "1.5GiB/s": a number for people.
std::string number_text(double value, const Dimension& dimension);

}  // namespace ronda::rule
