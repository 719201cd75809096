// SPDX-License-Identifier: Apache-2.0
// A statement's answer: rows of text cells, read as text, integer or number. Columns are counted, not named,
// except where the SQL is the user's own. Data from outside: what does not parse is zero, never a fault.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct pg_result;

namespace postgresql {

class Rows {
 public:
  explicit Rows(pg_result* result) : result_(result) {}

  /// Takes the only row of `result`, an answer that came row by row; the columns stay those of the first.
  void append(pg_result* result);
  /// Of the rows that were appended.
  std::size_t bytes() const { return text_.size() + cells_.size() * sizeof(Cell); }

  int count() const;
  int columns() const;
  std::string_view name(int column) const;
  /// Integer, floating point or numeric.
  bool is_number(int column) const;

  bool is_null(int row, int column) const;
  std::string_view text(int row, int column) const;
  std::int64_t integer(int row, int column) const;
  /// Infinite when it is beyond a double.
  double number(int row, int column) const;

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  struct Cell {
    std::size_t at;
    int length;  // -1: null
  };
  const Cell* appended(int row, int column) const;

  std::unique_ptr<pg_result, Clear> result_;
  std::string text_;  // of cells_, one after the other
  std::vector<Cell> cells_;
  int appended_ = 0;     // rows, which may have no columns
  bool by_row_ = false;  // then result_ tells the columns only
};

}  // namespace postgresql
