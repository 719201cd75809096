// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <set>

#include "checks.hpp"
#include "remedy.hpp"

namespace postgresql {
namespace {

constexpr int most_columns = 50;   // taken unasked
constexpr int most_values = 2000;  // of one result

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

struct Emitted {
  int values = 0;
  int beyond = 0;   // more than most_values
  int dropped = 0;  // NaN, infinite, beyond a double
};

/// Repeated labels would make two values of one metric: the later would hide the earlier.
Answer<Emitted> emit(const Rows& rows, const std::vector<Column>& columns, const std::vector<int>& places, ronda::call& call) {
  std::set<std::string> seen;
  Emitted done;
  for (int row = 0; row < rows.count(); ++row) {
    std::vector<ronda::label> labels;
    std::string key;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!columns[i].label) continue;
      labels.emplace_back(columns[i].name, rows.text(row, places[i]));
      key += ronda::text(rows.text(row, places[i]), "\n");
    }
    if (!seen.insert(key).second)
      return Failure{Cause::statement, "two rows have the same labels: add a column that tells them apart, or aggregate", ""};
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].label || rows.is_null(row, places[i])) continue;
      const ronda::unit unit{columns[i].unit.c_str(),
                             columns[i].counter ? static_cast<std::uint32_t>(RONDA_METRIC_COUNTER)
                                                : static_cast<std::uint32_t>(RONDA_METRIC_GAUGE)};
      const double value = rows.number(row, places[i]);
      if (std::isfinite(value) && done.values == most_values) {
        ++done.beyond;
        continue;
      }
      ++(std::isfinite(value) ? done.values : done.dropped);
      if (std::isfinite(value)) call.metric(columns[i].name, value, unit, {}, {}, labels);
    }
  }
  return done;
}

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
  const auto emitted = emit(*rows, columns_of(*rows), *places, call);
  if (!emitted) return failed(emitted.failure());
  std::string dropped = emitted->dropped == 0 ? "" : ronda::text("; ", emitted->dropped, " values are not finite and left out");
  if (columns_.empty() && rows->columns() > most_columns)
    dropped += ronda::text("; of ", rows->columns(), " columns only the first ", most_columns, " are taken: name those you want in metrics");
  if (emitted->beyond > 0)
    dropped += ronda::text("; only the first ", most_values, " values are taken, ", emitted->beyond, " are left out");
  if (rows->count() == 0) return ronda::ok("no rows");
  if (rows->count() == 1) return ronda::ok(first_row(*rows), dropped);
  return ronda::ok(rows->count(), " rows, ", emitted->values, " values", dropped);
}

}  // namespace postgresql
