// SPDX-License-Identifier: Apache-2.0
// The numbers of a condition at an instant, one for each series. Private to agent/rule.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rule/evaluate.hpp"

namespace ronda::rule {

/// A number of one series, or why there is none.
struct Item {
  const measure::Labels* labels = nullptr;  // null: of no series
  double value = 0;
  Dimension dimension = {};
  std::string problem = {};
  bool pending = false;  // only because there was no result yet, or not enough of them
  bool thin = false;     // the latter: samples come
};

/// Whether all that two lack is samples enough: what is really missing of one of them has to be told.
inline bool only_thin(const Item& a, const Item& b) {
  return (a.thin || b.thin) && (a.problem.empty() || a.thin) && (b.problem.empty() || b.thin);
}

/// What is known of a check: its last result, unless that is too old.
struct Known {
  measure::CheckNow now = {};
  std::string problem = {};
  bool pending = false;
  std::int64_t slot_ns = 0;  // pending, and when it runs next; 0: that is not known
};

class Values {
 public:
  Values(const Condition& condition, const Moment& moment) : condition_(condition), moment_(moment) {}

  Known known(const std::string& check);
  /// The two sides of a comparison or quotient, series by series: those with the same labels, and one that has none with all.
  std::vector<std::pair<Item, Item>> pairs(const Node& node);

  std::int64_t newest_result_ns() const;
  /// When the first of all that is pending runs next; 0: of one that is not known.
  std::int64_t slot_ns() const;
  std::int64_t next_ns() const { return next_ns_; }

 private:
  using Items = std::vector<Item>;
  Items of(std::uint32_t index);
  Items newest(const Node& node);
  Items over_time(const Node& node);
  Items counted(const Node& node);
  Items count_statuses(const Node& node, const Node& compared, const Node& status);
  Items quotients(const Node& node);
  Items usual(const Node& node);
  Items ahead(const Node& node);
  Items of_check(const Node& node);
  Items since_success(const Node& node);
  std::optional<std::int64_t> success_of(const std::string& task) const;
  template <class Ask>
  Items each_series(const Node& node, std::int64_t window_ns, Ask&& ask);
  std::vector<measure::SeriesId> select(const Node& node, std::string& problem);
  Item item_of(measure::SeriesId id, Per per, double value) const;
  std::string too_few(const Node& metric, std::int64_t window_ns, measure::SeriesId id) const;
  void look_again(std::int64_t at_ns);
  void look_at_crossing(const Node& compared);

  const Condition& condition_;
  const Moment& moment_;
  std::map<std::string, Known, std::less<>> known_;
  std::int64_t next_ns_ = 0;
};

/// " [mount=\"/var\"]": the labels of a series that the text does not name.
std::string labels_text(const Node& node, const Item& item);
bool status_counts(measure::Status status, Relation relation, measure::Status word);
bool number_counts(double value, Relation relation, double limit);

}  // namespace ronda::rule
