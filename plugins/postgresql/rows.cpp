// SPDX-License-Identifier: Apache-2.0
#include "rows.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>

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

void Rows::Clear::operator()(pg_result* result) const { PQclear(result); }

int Rows::count() const { return PQntuples(result_.get()); }
int Rows::columns() const { return PQnfields(result_.get()); }
std::string_view Rows::name(int column) const { return PQfname(result_.get(), column); }

bool Rows::is_number(int column) const {
  const Oid type = PQftype(result_.get(), column);
  return std::find(std::begin(number_types), std::end(number_types), type) != std::end(number_types);
}

bool Rows::is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }

std::string_view Rows::text(int row, int column) const {
  const int length = PQgetlength(result_.get(), row, column);
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(length)};
}

std::int64_t Rows::integer(int row, int column) const { return parse<std::int64_t>(text(row, column)); }
double Rows::number(int row, int column) const { return parse<double>(text(row, column)); }

}  // namespace postgresql
