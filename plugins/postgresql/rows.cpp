// SPDX-License-Identifier: Apache-2.0
#include "rows.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace postgresql {
namespace {

// pg_type.dat; fixed for ever
constexpr Oid number_types[] = {20, 21, 23, 26, 700, 701, 1700};

template <class T>
T parse(std::string_view text) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

void Rows::Clear::operator()(pg_result* result) const {
  PQclear(result);
}

void Rows::append(pg_result* result) {
  by_row_ = true;
  ++appended_;
  for (int column = 0; column < columns(); ++column) {
    const bool null = PQgetisnull(result, 0, column) != 0;
    const int length = PQgetlength(result, 0, column);
    cells_.push_back({text_.size(), null ? -1 : length});
    text_.append(PQgetvalue(result, 0, column), static_cast<std::size_t>(length));
  }
}

const Rows::Cell* Rows::appended(int row, int column) const {
  return by_row_ ? &cells_[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns()) + static_cast<std::size_t>(column)]
                 : nullptr;
}

int Rows::count() const {
  return by_row_ ? appended_ : PQntuples(result_.get());
}
int Rows::columns() const {
  return PQnfields(result_.get());
}
std::string_view Rows::name(int column) const {
  return PQfname(result_.get(), column);
}

bool Rows::is_number(int column) const {
  const Oid type = PQftype(result_.get(), column);
  return std::find(std::begin(number_types), std::end(number_types), type) != std::end(number_types);
}

bool Rows::is_null(int row, int column) const {
  if (const Cell* cell = appended(row, column)) return cell->length < 0;
  return PQgetisnull(result_.get(), row, column) != 0;
}

std::string_view Rows::text(int row, int column) const {
  if (const Cell* cell = appended(row, column))
    return std::string_view(text_).substr(cell->at, static_cast<std::size_t>(std::max(cell->length, 0)));
  const int length = PQgetlength(result_.get(), row, column);
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(length)};
}

std::int64_t Rows::integer(int row, int column) const {
  return parse<std::int64_t>(text(row, column));
}

double Rows::number(int row, int column) const {
  const std::string_view digits = text(row, column);
  double value = 0;
  const auto problem = std::from_chars(digits.data(), digits.data() + digits.size(), value).ec;
  if (problem != std::errc::result_out_of_range) return value;
  // Only `numeric` goes beyond, and it is written without an exponent: too large, or too near to zero.
  const std::size_t first = digits.find_first_not_of("-0");
  if (first == digits.npos || digits[first] == '.') return 0;
  return digits.front() == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
}

}  // namespace postgresql
