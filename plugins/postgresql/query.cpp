// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "checks.hpp"
#include "remedy.hpp"

namespace postgresql {
namespace {

constexpr int most_columns = 50;  // taken unasked

}  // namespace

Query::Query() {
  const ronda::value wanted = config()["metrics"];
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const ronda::value one = wanted.at(i);
    columns_.push_back({std::string(wanted.key(i)), one["unit"].as<std::string>(),
                        one["kind"].as<std::string>() == "counter", one["label"].as<bool>()});
  }
}

/// The statement is the user's own: what is wrong with it is theirs to mend.
ronda::result Query::failed(const Failure& failure) const {
  const std::string_view state = failure.sqlstate;
  if (state == "42501") return ronda::unknown(place(), ": ", failure.text, " (GRANT SELECT on what sql reads to ", role(), ")");
  // Class 42 is syntax and names, 22 is data that does not fit.
  if (state.substr(0, 2) == "42" || state.substr(0, 2) == "22")
    return ronda::unknown(place(), ": ", failure.text, " (check the option sql: one SELECT, VALUES, TABLE or WITH)");
  return Probe::failed(failure);
}

std::vector<Column> Query::columns_of(const Rows& rows) const {
  if (!columns_.empty()) return columns_;
  std::vector<Column> all;
  for (int i = 0; i < std::min(rows.columns(), most_columns); ++i) all.push_back({std::string(rows.name(i)), "", false, !rows.is_number(i)});
  return all;
}

Answer<std::vector<int>> Query::locate(const Rows& rows) const {
  std::string there;
  for (int i = 0; i < rows.columns(); ++i) there += ronda::text(i == 0 ? "" : ", ", rows.name(i));
  std::vector<int> places;
  for (const Column& column : columns_of(rows)) {
    int found = -1;
    for (int i = 0; i < rows.columns(); ++i)
      if (rows.name(i) == column.name) found = i;
    if (found < 0)
      return Failure{Cause::statement, ronda::text("metrics names the column '", column.name, "', the statement returns: ",
                                                   there), ""};
    if (!column.label && rows.count() > 0 && !rows.is_number(found))
      return Failure{Cause::statement, ronda::text("the column '", column.name, "' is no number: cast it in sql, or give it "
                                                   "label = true in metrics"), ""};
    places.push_back(found);
  }
  return places;
}

namespace {

/// The host drops what comes beyond its limits, and nobody would grade it: this stays within them.
class Budget {
 public:
  /// False: no more of that size fits.
  bool take(std::size_t size) {
    if (values_ == 0 || size > bytes_) return false;
    --values_, bytes_ -= size;
    return true;
  }

 private:
  std::size_t values_ = ronda::most_metrics - 1;  // and the number of rows
  std::size_t bytes_ = ronda::most_metric_bytes - 1024;
};

struct Emitted {
  int values = 0;
  int beyond = 0;   // more than fit
  int dropped = 0;  // NaN, infinite, beyond a double
};

/// What of an answer is to be told: each row once for each column that is no label.
class Values {
 public:
  Values(const Rows& rows, const std::vector<Column>& columns, const std::vector<int>& places) : rows_(rows), columns_(columns), places_(places) {}

  /// Repeated labels would make two values of one metric: the later would hide the earlier.
  Answer<Emitted> emit(ronda::call& call) const {
    std::set<std::string> seen;
    Budget all;
    bool fits = true;
    for (int row = 0; row < rows_.count(); ++row) {
      std::string key;
      for (std::size_t i = 0; i < columns_.size(); ++i)
        if (columns_[i].label) key += ronda::text(rows_.text(row, places_[i]), "\n");
      if (!seen.insert(key).second)
        return Failure{Cause::statement, "two rows have the same labels: add a column that tells them apart, or aggregate", ""};
      for (std::size_t i = 0; i < columns_.size(); ++i)
        if (is_value(row, i) && !all.take(bytes_of(row, i))) fits = false;
    }
    Budget left;
    std::set<Place> first;
    if (!fits) first = extremes();
    for (const auto& [row, column] : first)
      if (!left.take(bytes_of(row, column)))
        return Failure{Cause::statement, "the answer has more columns, or longer labels, than one run can report: take fewer of them", ""};
    Emitted done;
    for (const auto& [row, column] : first) emit_one(call, row, column), ++done.values;
    for (int row = 0; row < rows_.count(); ++row) {
      for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (columns_[i].label || rows_.is_null(row, places_[i]) || first.count({row, i}) != 0) continue;
        if (!is_value(row, i))
          ++done.dropped;
        else if (done.beyond > 0 || !left.take(bytes_of(row, i)))
          ++done.beyond;
        else
          emit_one(call, row, i), ++done.values;
      }
    }
    return done;
  }

 private:
  using Place = std::pair<int, std::size_t>;  // row and column

  bool is_value(int row, std::size_t i) const {
    return !columns_[i].label && !rows_.is_null(row, places_[i]) && std::isfinite(rows_.number(row, places_[i]));
  }

  /// The least and the greatest of each column: no other row lies beyond a limit where these do not.
  std::set<Place> extremes() const {
    std::set<Place> all;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      std::optional<int> least, greatest;
      for (int row = 0; row < rows_.count(); ++row) {
        if (!is_value(row, i)) continue;
        const double value = rows_.number(row, places_[i]);
        if (!least || value < rows_.number(*least, places_[i])) least = row;
        if (!greatest || value > rows_.number(*greatest, places_[i])) greatest = row;
      }
      if (least) all.insert({*least, i}), all.insert({*greatest, i});
    }
    return all;
  }

  std::size_t bytes_of(int row, std::size_t column) const {
    constexpr std::size_t of_metric = 32, of_label = 8, longest_label = 256;
    std::size_t size = of_metric + columns_[column].name.size() + columns_[column].unit.size();
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (columns_[i].label) size += of_label + columns_[i].name.size() + std::min(rows_.text(row, places_[i]).size(), longest_label);
    return size;
  }

  void emit_one(ronda::call& call, int row, std::size_t column) const {
    std::vector<ronda::label> labels;
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (columns_[i].label) labels.emplace_back(columns_[i].name, rows_.text(row, places_[i]));
    const ronda::unit unit{columns_[column].unit.c_str(), columns_[column].counter ? static_cast<std::uint32_t>(RONDA_METRIC_COUNTER)
                                                                                   : static_cast<std::uint32_t>(RONDA_METRIC_GAUGE)};
    call.metric(columns_[column].name, rows_.number(row, places_[column]), unit, {}, {}, labels);
  }

  const Rows& rows_;
  const std::vector<Column>& columns_;
  const std::vector<int>& places_;
};

std::string first_row(const Rows& rows) {
  std::string text;
  for (int i = 0; i < rows.columns() && i < 5; ++i)
    text += ronda::text(i == 0 ? "" : ", ", rows.name(i), " = ", rows.is_null(0, i) ? "null" : rows.text(0, i).substr(0, 60));
  return text;
}

}  // namespace

ronda::result Query::measure(Client& client, ronda::call& call) {
  // One more than allowed tells that there are more.
  const auto rows = client.query_guarded(sql_, static_cast<int>(max_rows_) + 1);
  if (!rows) return failed(rows.failure());
  if (rows->count() > max_rows_)
    return failed({Cause::statement, ronda::text("the statement returns more than max_rows = ", max_rows_,
                                                 " rows: aggregate, or add a LIMIT"), ""});
  const auto places = locate(*rows);
  if (!places) return failed(places.failure());
  call.metric("rows", rows->count());
  const std::vector<Column> columns = columns_of(*rows);
  const auto emitted = Values(*rows, columns, *places).emit(call);
  if (!emitted) return failed(emitted.failure());
  std::string dropped = emitted->dropped == 0 ? "" : ronda::text("; ", emitted->dropped, " values are not finite and left out");
  if (columns_.empty() && rows->columns() > most_columns)
    dropped += ronda::text("; of ", rows->columns(), " columns only the first ", most_columns, " are taken: name those you want in metrics");
  if (emitted->beyond > 0)
    dropped += ronda::text("; ", emitted->beyond, " more are left out, none of them less or greater than what is kept of its column");
  if (rows->count() == 0) return ronda::ok("no rows");
  if (rows->count() == 1) return ronda::ok(first_row(*rows), dropped);
  return ronda::ok(rows->count(), " rows, ", emitted->values, " values", dropped);
}

}  // namespace postgresql
