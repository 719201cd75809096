// SPDX-License-Identifier: Apache-2.0
#include "cli/fit.hpp"

#include <algorithm>

#include "base/counted.hpp"

namespace ronda::cli {
namespace {

/// Its first `columns` characters; colours take no room, and do not go on behind it.
std::string cut(const std::string& line, std::size_t columns) {
  std::string out;
  std::size_t shown = 0;
  bool coloured = false;
  for (std::size_t at = 0; at < line.size();) {
    if (line[at] == '\033') {
      const std::size_t end = std::min(line.find('m', at), line.size() - 1) + 1;
      out.append(line, at, end - at);
      coloured = true;
      at = end;
      continue;
    }
    if (shown == columns) break;
    std::size_t end = at + 1;
    while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) ++end;  // one character of UTF-8
    out.append(line, at, end - at);
    ++shown;
    at = end;
  }
  return coloured ? out + "\033[0m" : out;
}

struct Row {
  std::size_t section, line;
  int rank;
};

std::vector<Row> worst_first(const View& view) {
  std::vector<Row> out;
  for (std::size_t i = 0; i < view.sections.size(); ++i) {
    for (std::size_t j = 0; j < view.sections[i].lines.size(); ++j) out.push_back({i, j, view.sections[i].lines[j].rank});
  }
  std::ranges::stable_sort(out, {}, &Row::rank);
  return out;
}

class Page {
 public:
  Page(std::size_t rows, std::size_t columns) : rows_(rows), columns_(columns) {}
  void add(const std::string& line) {
    if (used_ == rows_) return;
    if (used_ > 0) text_ += "\n";
    text_ += cut(line, columns_);
    ++used_;
  }
  std::string take() { return std::move(text_); }

 private:
  std::size_t rows_, columns_, used_ = 0;
  std::string text_;
};

}  // namespace

std::string whole_view(const View& view) {
  std::string out;
  for (const std::string& line : view.head) out += line + "\n";
  for (const ViewSection& section : view.sections) {
    if (section.lines.empty()) continue;
    out += "\n" + section.title + "\n";
    for (const ViewLine& line : section.lines) out += line.text + "\n";
  }
  return out;
}

std::string fit_view(const View& view, std::size_t rows, std::size_t columns) {
  std::vector<Row> all = worst_first(view);
  const auto titles = static_cast<std::size_t>(std::ranges::count_if(view.sections, [](const auto& one) { return !one.lines.empty(); }));
  const bool has_room = view.head.size() + titles + all.size() <= rows;
  const bool is_airy = view.head.size() + 2 * titles + all.size() <= rows;  // with the empty rows too
  std::vector<std::vector<bool>> taken;
  for (const ViewSection& section : view.sections) taken.emplace_back(section.lines.size(), has_room);
  std::size_t left = rows > view.head.size() + 1 ? rows - view.head.size() - 1 : 0;  // the last row says what is missing
  std::size_t hidden = 0, hidden_trouble = 0;
  std::vector<bool> opened(view.sections.size(), false);
  for (const Row& row : has_room ? std::vector<Row>() : all) {
    const std::size_t cost = opened[row.section] ? 1 : 2;
    if (cost > left) {
      ++hidden;
      hidden_trouble += row.rank < well ? 1 : 0;
      continue;
    }
    left -= cost;
    opened[row.section] = true;
    taken[row.section][row.line] = true;
  }
  Page page(rows, columns);
  const std::size_t head = has_room ? view.head.size() : std::min(view.head.size(), rows > 0 ? rows - 1 : 0);
  for (std::size_t i = 0; i < head; ++i) page.add(view.head[i]);
  for (std::size_t i = 0; i < view.sections.size(); ++i) {
    if (std::ranges::find(taken[i], true) == taken[i].end()) continue;
    if (is_airy) page.add("");
    page.add(view.sections[i].title);
    for (std::size_t j = 0; j < taken[i].size(); ++j) {
      if (taken[i][j]) page.add(view.sections[i].lines[j].text);
    }
  }
  hidden += view.head.size() - head;
  if (hidden > 0) {
    page.add("... " + counted(hidden, "row") + " not shown" +
             (hidden_trouble == 0 ? std::string() : ", " + std::to_string(hidden_trouble) + " of them not well") +
             "; `ronda status` has all");
  }
  return page.take();
}

}  // namespace ronda::cli
