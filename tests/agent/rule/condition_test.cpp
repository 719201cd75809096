// SPDX-License-Identifier: Apache-2.0
// What a condition reads and how it is bounded; its errors are in tests/cases/rule.
#include "support.hpp"

using namespace ronda;
using namespace ronda::rule;
using namespace ronda::test;

namespace {

Facts open_facts() {
  Facts facts;
  for (const char* name : {"api", "db", "3scale", "disk"}) {
    facts.checks.emplace_back();
    facts.checks.back().name = name;
  }
  facts.tasks = {"dump"};
  facts.sort();
  return facts;
}

std::optional<Condition> read(const std::string& text, std::vector<Remark>& remarks) {
  return parse_condition(text, open_facts(), remarks);
}

}  // namespace

TEST_CASE("numbers carry their units into base units", "[rule]") {
  struct Row {
    const char* text;
    double number;
    const char* unit;
    Per per;
  };
  const auto [text, number, unit, per] = GENERATE(table<const char*, double, const char*, Per>({{"5%", 0.05, "ratio", Per::nothing},
                                                                                                {"0.5%", 0.005, "ratio", Per::nothing},
                                                                                                {"500ms", 0.5, "s", Per::nothing},
                                                                                                {"1h30m", 5400, "s", Per::nothing},
                                                                                                {"10MiB", 10485760, "B", Per::nothing},
                                                                                                {"2GB", 2e9, "B", Per::nothing},
                                                                                                {"10MiB/s", 10485760, "B", Per::second},
                                                                                                {"6/m", 0.1, "", Per::second},
                                                                                                {"-3", -3, "", Per::nothing},
                                                                                                {"5", 5, "", Per::nothing},
                                                                                                {"1.5", 1.5, "", Per::nothing}}));
  std::vector<Remark> remarks;
  const auto condition = read("api.x > " + std::string(text), remarks);
  REQUIRE(condition);
  const Node& constant = condition->nodes[condition->nodes.back().right];
  CHECK(constant.form == Form::number);
  CHECK(constant.number == Approx(number));
  CHECK(constant.dimension.unit == unit);
  CHECK(constant.dimension.per == per);
}

TEST_CASE("a name may begin with a digit and a metric may have dots and dashes", "[rule]") {
  std::vector<Remark> remarks;
  const auto condition = read("3scale.http.5xx-rate > 5", remarks);
  REQUIRE(condition);
  CHECK(condition->nodes.front().check == "3scale");
  CHECK(condition->nodes.front().metric == "http.5xx-rate");
}

TEST_CASE("`and` binds closer than `or`, `not` closer than both, and brackets closest", "[rule]") {
  std::vector<Remark> remarks;
  const auto plain = read("api.a > 1 or api.b > 1 and not api.c > 1", remarks);
  REQUIRE(plain);
  CHECK(plain->nodes.back().form == Form::either);
  const auto brackets = read("(api.a > 1 or api.b > 1) and not (api.c > 1)", remarks);
  REQUIRE(brackets);
  CHECK(brackets->nodes.back().form == Form::both);
  CHECK(brackets->nodes[brackets->nodes.back().right].form == Form::negated);
}

TEST_CASE("a constant on the left is turned round", "[rule]") {
  std::vector<Remark> remarks;
  const auto condition = read("5 < api.a", remarks);
  REQUIRE(condition);
  CHECK(condition->nodes.back().relation == Relation::more);
  CHECK(condition->nodes[condition->nodes.back().left].metric == "a");
}

TEST_CASE("a condition tells which history it needs", "[rule]") {
  std::vector<Remark> remarks;
  const auto condition = read(
      "avg(api.total, 5m) > 1 and ratio(avg(api.total, 1m), avg(api.total, 10m)) > 2 and api.status == critical and "
      "count(db.status == critical, 1h) >= 3 and disk.used > 2 and api.hits > baseline(api.hits) and p95(api.duration, 1h) > 2s",
      remarks);
  REQUIRE(condition);
  CHECK(condition->checks == std::vector<std::string>{"api", "db", "disk"});
  const std::vector<Need> wanted = {{"api", "", 0, false},    {"api", "duration", hour, false},
                                    {"api", "hits", 0, true}, {"api", "total", 10 * minute, false},
                                    {"db", "", hour, false},  {"disk", "used", 0, false}};
  CHECK(condition->needs == wanted);
}

TEST_CASE("depth, length and parts of a condition are bounded", "[rule]") {
  std::vector<Remark> remarks;
  SECTION("a million brackets cost no stack") {
    CHECK_FALSE(read(std::string(1500, '(') + "api.a > 1", remarks));
    CHECK(remarks.at(0).message == "nested more than 32 levels deep");
    CHECK(remarks.at(0).offset == 32);
  }
  SECTION("so many `not` neither") {
    std::string text;
    for (int i = 0; i < 400; ++i) text += "not ";
    CHECK_FALSE(read(text + "api.a > 1", remarks));
    CHECK(remarks.at(0).message == "nested more than 32 levels deep");
  }
  SECTION("a long text is not even looked at") {
    CHECK_FALSE(read(std::string(2001, ' '), remarks));
    CHECK(remarks.at(0).message == "a condition of more than 2000 bytes");
  }
  SECTION("many parts") {
    std::string text = "api.a > 1";
    while (text.size() < 1900) text += " or db.a>1";
    CHECK_FALSE(read(text, remarks));
    CHECK(remarks.at(0).message == "a condition of more than 200 parts");
  }
  SECTION("just within") {
    const std::string open(31, '('), close(31, ')');
    CHECK(read(open + "api.a > 1" + close, remarks));
    CHECK(remarks.empty());
  }
}

TEST_CASE("a counter that is compared with a constant is warned of", "[rule]") {
  Facts facts = open_facts();
  facts.checks.front().name = "api";
  facts.sort();
  for (CheckFacts& check : facts.checks) check.metrics = {{"errors", "", true, {}}};
  std::vector<Remark> remarks;
  CHECK(parse_condition("api.errors > 10", facts, remarks));
  REQUIRE(remarks.size() == 1);
  CHECK(remarks[0].warning);
  CHECK(remarks[0].message == "`api.errors` is a counter, which only grows; `rate(api.errors, 5m)` is how fast");
  remarks.clear();
  CHECK(parse_condition("rate(api.errors, 5m) > 10/m", facts, remarks));
  CHECK(remarks.empty());
}
