// SPDX-License-Identifier: Apache-2.0
#include "plugin/grade.hpp"

#include <catch.hpp>

#include "base/units.hpp"

using namespace ronda::plugin;
using ronda::parse_range;
namespace config = ronda::config;
namespace wire = ronda::wire;

namespace {

config::Limit limit(const std::string& metric, const std::string& text) {
  const auto range = parse_range(text);
  REQUIRE(range);
  return {metric, text, *range, {}};
}

wire::Metric metric(double value, const std::string& unit = "", const std::string& name = "m") {
  wire::Metric out;
  out.name = name;
  out.value = value;
  out.unit = unit;
  return out;
}

Grade graded(CheckStatus reported, const wire::Metric& measured, const std::string& warn, const std::string& crit) {
  config::Judgement limits;
  if (!warn.empty()) limits.warn.push_back(limit("m", warn));
  if (!crit.empty()) limits.crit.push_back(limit("m", crit));
  return grade(reported, {&measured, 1}, limits);
}

}  // namespace

TEST_CASE("Nagios ranges, as the guideline's table has them", "[plugin]") {
  struct Row {
    const char* range;
    double value;
    bool alerts;
  };
  const auto row = GENERATE(values<Row>({{"10", -0.1, true},
                                         {"10", 0, false},
                                         {"10", 10, false},
                                         {"10", 10.1, true},
                                         {"10:", 9.9, true},
                                         {"10:", 10, false},
                                         {"10:", 1e9, false},
                                         {"~:10", -1e9, false},
                                         {"~:10", 10, false},
                                         {"~:10", 11, true},
                                         {"10:20", 9, true},
                                         {"10:20", 10, false},
                                         {"10:20", 20, false},
                                         {"10:20", 21, true},
                                         {"@10:20", 9, false},
                                         {"@10:20", 10, true},
                                         {"@10:20", 20, true},
                                         {"@10:20", 21, false}}));
  INFO(row.range << " " << row.value);
  const Grade grade = graded(CheckStatus::ok, metric(row.value), "", row.range);
  CHECK(grade.status == (row.alerts ? CheckStatus::critical : CheckStatus::ok));
  CHECK(grade.reason.empty() == !row.alerts);
}

TEST_CASE("a limit makes a status worse, never better", "[plugin]") {
  CHECK(graded(CheckStatus::ok, metric(15), "10", "20").status == CheckStatus::warning);
  CHECK(graded(CheckStatus::ok, metric(25), "10", "20").status == CheckStatus::critical);
  CHECK(graded(CheckStatus::critical, metric(15), "10", "20").status == CheckStatus::critical);
  CHECK(graded(CheckStatus::warning, metric(5), "10", "20").status == CheckStatus::warning);
  CHECK(graded(CheckStatus::warning, metric(5), "10", "20").reason.empty());
  CHECK(graded(CheckStatus::unknown, metric(25), "10", "20").status == CheckStatus::unknown);
}

TEST_CASE("limits with a unit compare in base units", "[plugin]") {
  CHECK(graded(CheckStatus::ok, metric(0.6, "s"), "", "500ms").reason == "m is 0.6s, limit 500ms");
  CHECK(graded(CheckStatus::ok, metric(600, "ms"), "", "500ms").status == CheckStatus::critical);
  CHECK(graded(CheckStatus::ok, metric(400, "ms"), "", "500ms").status == CheckStatus::ok);
  CHECK(graded(CheckStatus::ok, metric(0.83, "ratio"), "80%", "").reason == "m is 83%, limit 80%");
  CHECK(graded(CheckStatus::ok, metric(11, "GiB"), "10GiB", "").status == CheckStatus::warning);
  CHECK(graded(CheckStatus::ok, metric(9, "GiB"), "10GiB", "").status == CheckStatus::ok);
}

TEST_CASE("what cannot be compared is unknown and says why", "[plugin]") {
  const Grade bytes = graded(CheckStatus::ok, metric(5, "B"), "500ms", "");
  CHECK(bytes.status == CheckStatus::unknown);
  CHECK(bytes.reason == "m is in \"B\", which cannot be compared with \"500ms\"; write for example \"10MiB\"");
  CHECK(graded(CheckStatus::ok, metric(5), "10GiB", "").reason ==
        "m has no unit, which cannot be compared with \"10GiB\"; write for example \"5\"");
  config::Judgement limits;
  limits.warn.push_back(limit("other", "10"));
  const auto measured = metric(5);
  const Grade missing = grade(CheckStatus::ok, {&measured, 1}, limits);
  CHECK(missing.status == CheckStatus::unknown);
  CHECK(missing.reason == "no metric \"other\" came, which has a limit");
  CHECK(grade(CheckStatus::unknown, {}, limits).reason.empty());
}

TEST_CASE("a bare number says nothing of seconds, bytes and ratios, but 0 does, and of other units it is the value", "[plugin]") {
  struct Row {
    const char *unit, *limit;
    const char* write;  // null: the two can be compared
  };
  const std::array<Row, 19> rows = {{{"s", "500", R"("500ms" or "500s")"},
                                     {"ms", "0.5:", R"("0.5ms:" or "0.5s:")"},
                                     {"s", "@10:20", R"("@10ms:20ms" or "@10s:20s")"},
                                     {"s", "~:10", R"("~:10ms" or "~:10s")"},
                                     {"s", "1:10s", R"(for example "500ms")"},
                                     {"B", "30", R"("30B" or "30MiB")"},
                                     {"MB", "10:30GB", R"(for example "10MiB")"},
                                     {"ratio", "20", R"("20%")"},
                                     {"%", "80:95", R"("80%:95%")"},
                                     {"ratio", "0.8", R"("0.8%" or "80%")"},
                                     {"", "5s", R"(for example "5")"},
                                     {"s", "0", nullptr},
                                     {"%", "0:80%", nullptr},
                                     {"B", "~:0", nullptr},
                                     {"ratio", "10%:20%", nullptr},
                                     {"", "500", nullptr},
                                     {"c", "500", nullptr},
                                     {"days", "14:", nullptr},
                                     {"req/s", "@0.5:7", nullptr}}};
  for (const Row& row : rows) {
    CAPTURE(row.unit, row.limit);
    const std::string shown = *row.unit == '\0' ? "has no unit" : "is in \"" + std::string(row.unit) + "\"";
    const std::string rest = " " + shown + ", which cannot be compared with \"" + row.limit + "\"; write " + (row.write ? row.write : "");
    // where the manifest declares the unit, before anything runs
    std::vector<MetricDeclaration> declared(1);
    declared[0].name = "m", declared[0].unit = row.unit;
    CHECK(why_never_comparable(limit("m", row.limit), declared) == (row.write ? "`m`" + rest : ""));
    CHECK(why_never_comparable(limit("other", row.limit), declared).empty());
    // where it comes with the value, as of a Nagios plugin's perfdata
    const wire::Metric measured = metric(50, row.unit);
    const Grade grade = graded(CheckStatus::ok, measured, row.limit, "");
    CHECK((grade.status == CheckStatus::unknown) == (row.write != nullptr));
    if (row.write != nullptr) CHECK(grade.reason == "m" + rest);
    config::Judgement limits;
    limits.warn.push_back(limit("m", row.limit));
    CHECK((perfdata({&measured, 1}, limits).find(';') == std::string::npos) == (row.write != nullptr));
  }
}

TEST_CASE("the worst of several metrics of one name counts", "[plugin]") {
  config::Judgement limits;
  limits.warn.push_back(limit("m", "10"));
  limits.crit.push_back(limit("m", "20"));
  const std::vector<wire::Metric> all = {metric(5), metric(25), metric(15)};
  const Grade worst = grade(CheckStatus::ok, all, limits);
  CHECK(worst.status == CheckStatus::critical);
  CHECK(worst.reason == "m is 25, limit 20");
}

TEST_CASE("critical before unknown before warning before ok", "[plugin]") {
  const std::array<CheckStatus, 4> ranked = {CheckStatus::ok, CheckStatus::warning, CheckStatus::unknown, CheckStatus::critical};
  for (std::size_t a = 0; a < 4; ++a) {
    for (std::size_t b = 0; b < 4; ++b) CHECK(worse(ranked[a], ranked[b]) == ranked[std::max(a, b)]);
  }
}

TEST_CASE("perfdata for those who read Nagios lines", "[plugin]") {
  config::Judgement limits;
  limits.warn.push_back(limit("used", "80%"));
  std::vector<wire::Metric> all = {metric(0.83, "ratio", "used"), metric(1536, "B", "size"), metric(7, "", "seen")};
  all[1].warn = "10", all[1].crit = "20";
  all[2].counter = true;
  CHECK(perfdata(all, limits) == " | used=83%;80; size=1536B;10;20 seen=7c");
  auto spaced = metric(1, "", "m");
  spaced.labels = {{"mount", "/my 'disk'"}};
  CHECK(perfdata({&spaced, 1}, {}) == " | 'm_/my ''disk'''=1");
  CHECK(perfdata({}, limits).empty());
  const std::vector<wire::Metric> many(5000, metric(1, "", "a_metric_name"));
  CHECK(perfdata(many, {}).size() <= (16U << 10U) + 3);
}

TEST_CASE("limits in perfdata are numbers in the unit of their value", "[plugin]") {
  struct Row {
    double value;
    const char *unit, *own, *limit, *line;
  };
  const std::array<Row, 10> rows = {{{0.314, "ratio", "~:0.8", "", " | m=31.4%;~:80;"},  // what plugins say of ratios is in ratios
                                     {0.314, "ratio", "@0.1:0.2", "", " | m=31.4%;@10:20;"},
                                     {0.314, "ratio", "", "@10%:80%", " | m=31.4%;@10:80;"},
                                     {0.314, "ratio", "", "20%:", " | m=31.4%;20:;"},
                                     {50, "%", "", "80%", " | m=50%;80;"},
                                     {0.3, "s", "", "500ms", " | m=0.3s;0.5;"},
                                     {300, "ms", "", "~:0.5s", " | m=300ms;~:500;"},
                                     {1, "B", "", "@1KiB:2KiB", " | m=1B;@1024:2048;"},
                                     {3, "", "2:", "", " | m=3;2:;"},
                                     {3, "", "", "~:7", " | m=3;~:7;"}}};
  for (const Row& row : rows) {
    CAPTURE(row.value, row.unit, row.own, row.limit);
    wire::Metric measured = metric(row.value, row.unit);
    measured.warn = row.own;
    config::Judgement limits;
    if (*row.limit != '\0') limits.warn.push_back(limit("m", row.limit));
    CHECK(perfdata({&measured, 1}, limits) == row.line);
  }
}

TEST_CASE("values for people", "[plugin]") {
  CHECK(format_value(0.8349, "ratio") == "83.49%");
  CHECK(format_value(1536, "B") == "1.5KiB");
  CHECK(format_value(1e300, "B") == "8388608TiB");  // the largest there is
  CHECK(format_value(0.61, "s") == "0.61s");
  CHECK(format_value(42, "") == "42");
  CHECK(format_value(1e-9, "s") == "0.000000001s");
}
