// SPDX-License-Identifier: Apache-2.0
// The functions of conditions and their arguments.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.hpp"
#include "rule/parser.hpp"

namespace ronda::rule {
namespace {

using measure::Function;

constexpr std::array<std::string_view, 15> function_names = {"avg", "min", "max",   "sum",      "rate",     "trend", "p50", "p90",
                                                             "p95", "p99", "ratio", "baseline", "forecast", "count", "age"};
constexpr std::string_view function_list = "avg min max sum rate trend p95 (any pNN) ratio baseline forecast count age";

/// p50 to p99, p999 as 99.9 %: the share, or 0.
double percentile_of(std::string_view name) {
  if (name.size() < 3 || name.size() > 4 || name[0] != 'p') return 0;
  double digits = 0;
  for (const char c : name.substr(1)) {
    if (c < '0' || c > '9') return 0;
    digits = digits * 10 + (c - '0');
  }
  return digits / std::pow(10.0, static_cast<double>(name.size() - 1));
}

}  // namespace

Parser::Index Parser::call(const Token& name) {
  struct Known {
    std::string_view name;
    Index (Parser::*read)(Node);
    Form form;
    Function function;
  };
  constexpr Form window = Form::over_time;
  static constexpr std::array<Known, 11> known = {{{"avg", &Parser::over_time, window, Function::avg},
                                                   {"min", &Parser::over_time, window, Function::min},
                                                   {"max", &Parser::over_time, window, Function::max},
                                                   {"sum", &Parser::over_time, window, Function::sum},
                                                   {"rate", &Parser::over_time, window, Function::rate},
                                                   {"trend", &Parser::over_time, window, Function::trend},
                                                   {"count", &Parser::counted, Form::counted, Function::count},
                                                   {"ratio", &Parser::ratio, Form::ratio, Function::count},
                                                   {"baseline", &Parser::baseline, Form::baseline, Function::count},
                                                   {"forecast", &Parser::forecast, Form::forecast, Function::count},
                                                   {"age", &Parser::task_age, Form::task_age, Function::count}}};
  const std::string_view text = text_of(name);
  const double share = percentile_of(text);
  const auto found = std::ranges::find(known, text, &Known::name);
  if (found == known.end() && share == 0) {
    if (text == "not" || text == "and" || text == "or") return error_at(name.begin, tick(text) + " stands here where a value is expected");
    const std::string_view near = nearest(text, function_names);
    return error_at(name.begin, "there is no function " + tick(text) +
                                    (near.empty() ? "; there are " + std::string(function_list) : "; did you mean " + tick(near) + "?"));
  }
  RONDA_TRY(Unit unit, deeper());
  RONDA_TRY(unit, advance());
  Node out = at(name, found == known.end() ? window : found->form);
  out.function = found == known.end() ? Function::percentile : found->function;
  out.number = share;
  Index made = found == known.end() ? over_time(std::move(out)) : (this->*found->read)(std::move(out));
  if (!made) return made;
  RONDA_TRY(unit, expect(Kind::close, "`)`"));
  --depth_;
  close(out_.nodes[*made]);
  return made;
}

Result<std::uint32_t> Parser::metric_argument(std::string_view function) {
  const std::size_t begin = token_.begin;
  RONDA_TRY(const std::uint32_t index, value());
  if (node(index).form == Form::metric || node(index).form == Form::duration) return index;
  if (node(index).form == Form::status)
    return error_at(begin, "a status is no number; count(" + std::string(out_.text_of(node(index))) + " == critical, 1h) counts results");
  return error_at(begin, tick(function) + " wants a metric here: CHECK.METRIC");
}

Result<std::int64_t> Parser::duration_argument(std::string_view what) {
  RONDA_TRY(Unit unit, expect(Kind::comma, "`, ` and " + std::string(what) + " like 5m"));
  const Token token = token_;
  const bool is_duration = token.kind == Kind::number && token.dimension == Dimension{"s", Per::nothing, true};
  if (!is_duration) return unexpected(std::string(what) + " is a duration like 5m");
  if (token.number < 1) return unexpected(std::string(what) + " is at least 1s");
  if (token.number > static_cast<double>(longest_window_ns) / 1e9)
    return unexpected(std::string(what) + " is at most 400d, for as long history is kept");
  RONDA_TRY(unit, advance());
  return static_cast<std::int64_t>(std::llround(token.number * 1e9));
}

Parser::Index Parser::over_time(Node out) {
  const std::string name(out_.text_of(out));
  RONDA_TRY(out.left, metric_argument(name));
  RONDA_TRY(out.window_ns, duration_argument("the window"));
  return add(std::move(out));
}

Parser::Index Parser::counted(Node out) {
  const std::size_t begin = token_.begin;
  RONDA_TRY(out.left, comparison());
  const auto history = [&](const Node& one) { return one.form == Form::metric || one.form == Form::status || one.form == Form::duration; };
  const Node& one = node(out.left);
  const bool fits = history(one) || (one.form == Form::compared && history(node(one.left)) &&
                                     (node(one.right).form == Form::number || node(one.right).form == Form::word));
  if (!fits) return error_at(begin, "`count` counts results: of a metric, of a status, or of one of them compared with a constant");
  const std::size_t window = token_.end() + 1;
  RONDA_TRY(out.window_ns, duration_argument("the window"));
  const Node& counts = node(out.left);
  const bool single_values = counts.form == Form::compared && node(counts.left).form != Form::status;
  if (single_values && out.window_ns > measure::points_reach_ns)
    return error_at(window, "values are compared one by one for 24h at most; older ones are kept rolled up");
  return add(std::move(out));
}

Parser::Index Parser::ratio(Node out) {
  const auto number = [&]() -> Result<std::uint32_t> {
    const std::size_t begin = token_.begin;
    RONDA_TRY(const std::uint32_t index, value());
    if (!is_number(index)) return error_at(begin, "`ratio` wants a number here");
    return index;
  };
  RONDA_TRY(out.left, number());
  RONDA_TRY(Unit unit, expect(Kind::comma, "`, ` and what it is divided by"));
  (void)unit;
  RONDA_TRY(out.right, number());
  return add(std::move(out));
}

Parser::Index Parser::baseline(Node out) {
  RONDA_TRY(out.left, metric_argument("baseline"));
  return add(std::move(out));
}

Parser::Index Parser::forecast(Node out) {
  RONDA_TRY(out.left, metric_argument("forecast"));
  RONDA_TRY(out.window_ns, duration_argument("how far ahead"));
  return add(std::move(out));
}

Parser::Index Parser::task_age(Node out) {
  const Token name = token_;
  const std::string text(name.kind == Kind::word ? text_of(name) : "");
  constexpr std::string_view prefix = "task.";
  if (!text.starts_with(prefix) || !is_object_name(std::string_view(text).substr(prefix.size()))) {
    const bool of_check = !text.empty() && is_object_name(text);
    return unexpected("`age` wants a task: age(task.NAME)" + (of_check ? "; of a check it is " + tick(text + ".age") : std::string()));
  }
  RONDA_TRY(Unit unit, advance());
  (void)unit;
  out.check = text.substr(prefix.size());
  return add(std::move(out));
}

}  // namespace ronda::rule
