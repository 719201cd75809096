// SPDX-License-Identifier: Apache-2.0
// A condition of conf.d, such as "api.error_rate > 5% and count(api.error_rate, 10m) >= 5", read into a typed
// tree. Names, types and units are judged here, once; evaluate.hpp asks the tree. Pure: no I/O, no clock.
// Bounds: most_text bytes, most_depth levels, most_nodes nodes; no regular expressions anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measure/functions.hpp"
#include "measure/view.hpp"
#include "rule/facts.hpp"

namespace ronda::rule {

inline constexpr std::size_t most_text = 2000;
inline constexpr std::size_t most_depth = 32;
inline constexpr std::size_t most_nodes = 200;
inline constexpr std::int64_t longest_window_ns = 400LL * 86'400 * 1'000'000'000;

enum class Per : std::uint8_t { nothing, second, hour };

/// What a number means: "B" per second for rate(x.bytes, 5m). Where `known` is false it is found with the data.
struct Dimension {
  std::string unit;
  Per per = Per::nothing;
  bool known = true;

  bool operator==(const Dimension&) const = default;
};

enum class Relation : std::uint8_t { less, at_most, more, at_least, equal, other };
std::string_view relation_text(Relation relation);  // "<", "<=", ...

enum class Form : std::uint8_t {
  either,     // left or right
  both,       // left and right
  negated,    // not left
  compared,   // left RELATION right: two numbers, or a status and a word
  number,     // 5, 5%, 500ms, 10MiB/s
  word,       // ok, warning, critical, unknown, pending
  metric,     // CHECK.METRIC, CHECK.METRIC[label="x"]
  status,     // CHECK.status, task.NAME.status
  duration,   // CHECK.duration
  age,        // CHECK.age: since its last result
  task_age,   // age(task.NAME): since its last success
  over_time,  // FUNCTION(left, window), left is a metric
  counted,    // count(left, window): left is a metric, a status, or one of them compared with a number or word
  ratio,      // ratio(left, right)
  baseline,   // baseline(left)
  forecast,   // forecast(left, ahead): where its trend leads
};

/// Children stand before their parents, so that nothing walks the tree by recursion.
struct Node {
  static constexpr std::uint32_t none = UINT32_MAX;

  Form form = Form::number;
  std::uint32_t begin = 0, length = 0;  // in the text
  std::uint32_t left = none, right = none;
  Relation relation = Relation::more;
  measure::Function function = measure::Function::avg;
  measure::Status word = measure::Status::ok;
  double number = 0;           // a literal in base units, per second where it has a "/"; of a percentile the share, 0..1
  std::int64_t window_ns = 0;  // of functions over time; of forecast how far ahead
  std::string check;           // of a status also "task.NAME"; of task_age the task
  std::string metric;
  measure::Labels labels;  // that it must have; sorted
  Dimension dimension;     // of a number
};

/// History that a condition looks at; for the retention of raw samples. Metric "": the status of the check.
struct Need {
  std::string check, metric;
  std::int64_t window_ns = 0;  // how far back; 0: the last value alone
  bool baseline = false;

  bool operator==(const Need&) const = default;
};

struct Condition {
  std::string text;
  std::vector<Node> nodes;          // the last one is the whole; never empty
  std::vector<std::string> checks;  // that it names, in the order of the text, each once; task.NAME of whose status it asks
  std::vector<std::string> tasks;   // of whose age it asks: task.NAME
  std::vector<Need> needs;          // one for each check and metric, the longest window

  std::string_view text_of(const Node& node) const { return std::string_view(text).substr(node.begin, node.length); }
};

/// Something to say about the text, with the byte at which it stands.
struct Remark {
  std::size_t offset = 0;
  std::string message;
  bool warning = false;
};

/// Nothing where there was an error; all remarks are appended. Names that `facts` does not have are errors if it is
/// complete, with what was probably meant.
std::optional<Condition> parse_condition(std::string_view text, const Facts& facts, std::vector<Remark>& remarks);

}  // namespace ronda::rule
