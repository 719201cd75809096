// SPDX-License-Identifier: Apache-2.0
#include "rule/evaluate.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.hpp"
#include "base/units.hpp"
#include "rule/judge.hpp"
#include "rule/values.hpp"

namespace ronda::rule {
namespace {

using measure::Status;

std::string cut(std::string text) {
  return text.size() <= most_reason ? text : repair_utf8(text, most_reason - 3) + "...";
}

/// critical > unknown > warning > ok, as `ronda status` ranks them.
int rank(Status status) {
  constexpr std::array<int, 5> ranks = {0, 1, 3, 2, 0};
  return ranks[static_cast<std::size_t>(status)];
}

template <class T>
bool holds(Relation relation, T left, T right) {
  switch (relation) {
    case Relation::less:
      return left < right;
    case Relation::at_most:
      return left <= right;
    case Relation::more:
      return left > right;
    case Relation::at_least:
      return left >= right;
    case Relation::equal:
      return left == right;
    default:
      return left != right;
  }
}

/// A status that is unknown is itself, and it is never ok. Whether it hides a warning or a critical nobody can tell.
Truth compare_status(Status status, Relation relation, Status word) {
  const auto truth = [](bool yes) { return yes ? Truth::yes : Truth::no; };
  if (word == Status::pending || status == Status::pending) {
    if (relation == Relation::equal || relation == Relation::other) return truth((status == word) == (relation == Relation::equal));
    return Truth::unknown;
  }
  const bool equality = relation == Relation::equal || relation == Relation::other;
  const bool known = status != Status::unknown || word == Status::ok || word == Status::unknown || (word == Status::warning && !equality) ||
                     (word == Status::critical && (relation == Relation::at_most || relation == Relation::more));
  return known ? truth(holds(relation, rank(status), rank(word))) : Truth::unknown;
}

std::string_view relation_words(Relation relation) {
  constexpr std::array<std::string_view, 6> words = {"below", "at most", "above", "at least", "equal to", "other than"};
  return words[static_cast<std::size_t>(relation)];
}

std::string_view status_name(Status status) {
  constexpr std::array<std::string_view, 5> names = {"ok", "warning", "critical", "unknown", "pending"};
  return names[static_cast<std::size_t>(status)];
}

class Evaluation {
 public:
  Evaluation(const Condition& condition, const Moment& moment, std::vector<Step>* steps)
      : condition_(condition), steps_(steps), values_(condition, moment), found_(condition.nodes.size()) {}

  Finding run() {
    const std::vector<bool> inside = arguments();
    for (std::uint32_t i = 0; i < condition_.nodes.size(); ++i) {
      const Node& node = condition_.nodes[i];
      if (node.form > Form::compared || inside[i]) continue;
      found_[i] = cut_reason(judge(node));
      if (steps_ != nullptr) steps_->push_back({node.begin, node.length, found_[i].truth, found_[i].reason});
    }
    Finding whole = std::move(found_.back());
    whole.newest_result_ns = values_.newest_result_ns();
    whole.next_ns = values_.next_ns();
    if (whole.pending) whole.slot_ns = values_.slot_ns();
    return whole;
  }

 private:
  /// Comparisons inside of count(): they are asked of each result, not of now.
  std::vector<bool> arguments() const {
    std::vector<bool> out(condition_.nodes.size());
    for (const Node& node : condition_.nodes) {
      if (node.form == Form::counted) out[node.left] = true;
    }
    return out;
  }
  static Finding cut_reason(Finding finding) {
    finding.reason = cut(std::move(finding.reason));
    return finding;
  }

  Finding judge(const Node& node) {
    switch (node.form) {
      case Form::negated:
        return negated(found_[node.left]);
      case Form::both:
        return joined(node, Truth::no);
      case Form::either:
        return joined(node, Truth::yes);
      default:
        break;
    }
    return condition_.nodes[node.left].form == Form::status ? status(node) : numbers(node);
  }
  static Finding negated(Finding finding) {
    finding.truth = !finding.truth;
    return finding;
  }

  /// `decides` is the truth of one side that settles the whole: no of `and`, yes of `or`.
  Finding joined(const Node& node, Truth decides) const {
    const Finding& left = found_[node.left];
    const Finding& right = found_[node.right];
    for (const Truth truth : {decides, Truth::unknown}) {
      if (left.truth != truth && right.truth != truth) continue;
      Finding out = left.truth == truth ? left : right;
      const bool both_unknown = truth == Truth::unknown && left.truth == truth && right.truth == truth;
      if (both_unknown) {
        out.pending = left.pending && right.pending;
        out.thin = left.thin && right.thin;
      }
      return out;
    }
    Finding out = left;
    out.reason = left.reason + "; " + right.reason;
    return out;
  }

  Finding status(const Node& node) {
    const Node& left = condition_.nodes[node.left];
    const Status word = condition_.nodes[node.right].word;
    Finding out;
    const Known known = values_.known(left.check);
    if (!known.problem.empty()) {
      // that nothing came is what `unknown` and `pending` ask for
      const Status now = known.pending ? Status::pending : Status::unknown;
      out.truth = word == now ? compare_status(now, node.relation, word) : Truth::unknown;
      out.reason = known.problem;
      out.pending = known.pending && out.truth == Truth::unknown;
      return out;
    }
    out.truth = compare_status(known.now.status, node.relation, word);
    out.reason = std::string(condition_.text_of(left)) + " is " + std::string(status_name(known.now.status));
    if (out.truth == Truth::unknown) out.reason += ": whether it is " + std::string(status_name(word)) + " is not known";
    return out;
  }

  std::string describe(const Node& node, const Node& left, const Item& a, const Node& right, const Item& b, bool yes) const {
    std::string out = std::string(condition_.text_of(left)) + labels_text(left, a) + " is " + number_text(a.value, a.dimension);
    out += yes ? ", " : ", not ";
    out += relation_words(node.relation);
    out += " " + std::string(condition_.text_of(right));
    if (right.form != Form::number) out += ", which is " + number_text(b.value, b.dimension);
    return out;
  }

  static bool is_worse(Relation relation, double value, double than) {
    return relation == Relation::less || relation == Relation::at_most ? value < than : value > than;
  }

  /// Over all series: one yes is yes, else one unknown is unknown. The worst by the direction is told.
  Finding numbers(const Node& node) {
    const Node& left = condition_.nodes[node.left];
    const Node& right = condition_.nodes[node.right];
    Finding worst, unknown;
    bool any = false, any_unknown = false;
    for (const auto& [a, b] : values_.pairs(node)) {
      std::string problem = !a.problem.empty() ? a.problem : b.problem;
      if (problem.empty()) problem = why_not_comparable(condition_, left, a.dimension, right, b.dimension);
      if (!problem.empty()) {
        const bool pending = a.pending || b.pending;
        // of several what is really missing is told
        if (!any_unknown || (unknown.pending && !pending) || (unknown.thin && !only_thin(a, b)))
          unknown = {Truth::unknown, std::move(problem), 0, pending, 0, 0, 0, only_thin(a, b)};
        any_unknown = true;
        continue;
      }
      const double limit = right.form == Form::number ? constant_beside(right, a.dimension) : b.value;
      const Truth truth = holds(node.relation, a.value, limit) ? Truth::yes : Truth::no;
      const bool better = any && (truth < worst.truth || (truth == worst.truth && !is_worse(node.relation, a.value, worst.value)));
      if (better) continue;
      worst = {truth, describe(node, left, a, right, b, truth == Truth::yes), a.value, false, 0, 0, 0, false};
      any = true;
    }
    if (any && (worst.truth == Truth::yes || !any_unknown)) return worst;
    return unknown;
  }

  const Condition& condition_;
  std::vector<Step>* steps_;
  Values values_;
  std::vector<Finding> found_;
};

}  // namespace

std::string_view truth_name(Truth truth) {
  constexpr std::array<std::string_view, 3> names = {"no", "unknown", "yes"};
  return names[static_cast<std::size_t>(truth)];
}

Truth operator!(Truth truth) {
  return static_cast<Truth>(2 - static_cast<int>(truth));
}
Truth both(Truth a, Truth b) {
  return std::min(a, b);
}
Truth either(Truth a, Truth b) {
  return std::max(a, b);
}

bool status_counts(Status status, Relation relation, Status word) {
  return compare_status(status, relation, word) == Truth::yes;
}
bool number_counts(double value, Relation relation, double limit) {
  return holds(relation, value, limit);
}

std::string number_text(double value, const Dimension& dimension) {
  constexpr std::array<std::string_view, 3> per = {"", "/s", "/h"};
  const bool long_time = dimension.unit == "s" && dimension.per == Per::nothing && value >= 60 && value < 9e9;
  std::string text = long_time ? format_duration(std::chrono::seconds(std::llround(value))) : format_quantity(value, dimension.unit);
  return text + std::string(per[static_cast<std::size_t>(dimension.per)]);
}

Finding evaluate(const Condition& condition, const Moment& moment, std::vector<Step>* steps) {
  return Evaluation(condition, moment, steps).run();
}

}  // namespace ronda::rule
