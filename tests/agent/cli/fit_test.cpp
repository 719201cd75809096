// SPDX-License-Identifier: Apache-2.0
#include "cli/fit.hpp"

#include "catch.hpp"

using namespace ronda::cli;

namespace {

View view_of_sixty_checks() {
  View out;
  out.head = {"CRITICAL  ronda"};
  out.sections = {{"incidents", {{0, "  P1  INC-1"}}}, {"checks", {}}, {"plugins", {{well + 1, "  idle"}}}};
  for (int i = 0; i < 60; ++i) out.sections[1].lines.push_back({i < 3 ? 0 : i < 5 ? 2 : well, "  check " + std::to_string(i)});
  return out;
}

std::size_t rows_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a page is no longer than its terminal, shows the worst of all sections and says how much is missing", "[cli]") {
  const View view = view_of_sixty_checks();
  for (const std::size_t rows : {24U, 12U, 10U}) {
    const std::string page = fit_view(view, rows, 80);
    INFO(page);
    CHECK(rows_of(page) == rows);
    CHECK(has(page, "CRITICAL  ronda\n"));
    CHECK(has(page, "INC-1"));
    for (int i = 0; i < 5; ++i) CHECK(has(page, "  check " + std::to_string(i) + "\n"));
    CHECK_FALSE(has(page, "idle"));
  }
  CHECK(fit_view(view, 10, 80).ends_with("\n... 56 rows not shown; `ronda status` has all"));
  const std::string small = fit_view(view, 6, 80);
  INFO(small);
  CHECK(rows_of(small) == 6);
  CHECK(has(small, "... 60 rows not shown, 4 of them not well; `ronda status` has all"));
}

TEST_CASE("what fits is shown whole", "[cli]") {
  View view;
  view.head = {"OK"};
  view.sections = {{"checks", {{well, "  one"}}}, {"tasks", {}}};
  CHECK(whole_view(view) == "OK\n\nchecks\n  one\n");
  CHECK(fit_view(view, 24, 80) == "OK\n\nchecks\n  one");
  CHECK(fit_view(view, 3, 80) == "OK\nchecks\n  one");
  CHECK(fit_view(view, 2, 80) == "OK\n... 1 row not shown; `ronda status` has all");
}

TEST_CASE("a row is cut to the columns, by characters, and its colour ends with it", "[cli]") {
  View view;
  view.head = {"\033[31mCRITICAL\033[0m ñandú ñandú", "plain and long"};
  CHECK(fit_view(view, 24, 11) == "\033[31mCRITICAL\033[0m ña\033[0m\nplain and l");
}
