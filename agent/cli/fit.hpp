// SPDX-License-Identifier: Apache-2.0
// What of a view fits a terminal: the worst of it, and how much is left out.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ronda::cli {

/// One row, without its end; it may have colours.
struct ViewLine {
  int rank = 0;  // 0 is the worst
  std::string text;
};
constexpr int well = 4;  // the rank from which on nothing is wrong

struct ViewSection {
  std::string title;
  std::vector<ViewLine> lines;
};

struct View {
  std::vector<std::string> head;  // always shown
  std::vector<ViewSection> sections;
};

/// All of it, an empty row before each section that has lines.
std::string whole_view(const View& view);
/// At most `rows` rows of `columns` characters, the last without its end. Of more, the worst of all sections stay, in their
/// order, and the last row says how many do not.
std::string fit_view(const View& view, std::size_t rows, std::size_t columns);

}  // namespace ronda::cli
