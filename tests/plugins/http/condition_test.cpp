// SPDX-License-Identifier: Apache-2.0
#include "condition.hpp"

#include "catch.hpp"

using namespace http;

namespace {

bool holds(const std::string& condition, const std::string& json) {
  Document document;
  REQUIRE(document.parse("{\"v\":" + json + "}").empty());
  const auto parsed = Condition::from_text(condition);
  REQUIRE(parsed);
  return parsed->holds(document.find(*parse_json_path("v")));
}

}  // namespace

TEST_CASE("a condition holds for what it says and for nothing else", "[http]") {
  struct Row {
    std::string condition, json;
    bool holds;
  };
  const auto row = GENERATE(values<Row>({
      {"up", "\"up\"", true},
      {"up", "\"down\"", false},
      {"5", "5", false},  // a string of the config is that string
      {"5", "\"5\"", true},
      {"any(a, b)", "\"any(a, b)\"", true},
      {"== 5", "5", true},
      {"== 5", "5.0", true},
      {"== 5", "\"5\"", false},
      {"== \"5\"", "\"5\"", true},
      {"== true", "true", true},
      {"== true", "\"true\"", false},
      {"== null", "null", true},
      {"!= none", "\"minor\"", true},
      {"!= none", "\"none\"", false},
      {"== any(ok, degraded)", "\"degraded\"", true},
      {"== any(ok, degraded)", "\"down\"", false},
      {"!= any(1, 2)", "3", true},
      {"!= any(1, 2)", "2", false},
      {"== pat(v2.*)", "\"v2.17\"", true},
      {"== pat(v2.*)", "\"v3\"", false},
      {"== pat(*a*b*)", "\"xxaxxbxx\"", true},
      {"< 500ms", "0.4", true},
      {"< 500ms", "0.5", false},
      {"<= 5%", "0.05", true},
      {"> 1MiB", "1048577", true},
      {">= 10", "10", true},
      {">= 10", "\"12\"", true},
      {"< 10", "\"many\"", false},
      {"< 10", "null", false},
      {"< -1", "-2", true},
      {"~ ^v[0-9]+$", "\"v12\"", true},
      {"~ ^v[0-9]+$", "\"v1x\"", false},
      {"!~ error", "\"fine\"", true},
      {"!~ error", "\"an error\"", false},
      {"!~ error", "5", false},
  }));
  INFO(row.condition << " on " << row.json);
  CHECK(holds(row.condition, row.json) == row.holds);
}

TEST_CASE("nothing is neither equal nor unequal", "[http]") {
  const JsonValue nothing;
  for (const auto* text : {"== a", "!= a", "!~ a", "< 5"}) CHECK_FALSE(Condition::from_text(text)->holds(nothing));
}

TEST_CASE("what is no condition says why", "[http]") {
  CHECK(Condition::from_text("<").error() == "condition '<': nothing stands after the operator");
  CHECK(Condition::from_text("< many").error() ==
        "condition '< many': '<' compares with one number, for example \"< 5\" or \"< 500ms\"");
  CHECK(Condition::from_text("~ (").error() ==
        "condition '~ (': regular expression '(': Unmatched ( or \\(");
}

TEST_CASE("expressions of other dialects are refused, not misread", "[http]") {
  CHECK(Regex::compile("\\d+").error() ==
        "regular expression '\\d+': \\d means nothing in POSIX extended expressions (a digit is [0-9])");
  CHECK(Regex::compile("(a)\\1").error() == "regular expression '(a)\\1': back-references such as \\1 are not supported");
  CHECK_FALSE(Regex::compile("(?:a)"));
  CHECK_FALSE(Regex::compile(std::string(1001, 'a')));
  CHECK_FALSE(Regex::compile(""));
  CHECK(Regex::compile("\\\\d")->search("a\\d"));
}

TEST_CASE("an expression is matched over NUL and takes its first group", "[http]") {
  const std::string text("a\0token=abc;", 12);
  CHECK(Regex::compile("token=([a-z]+)")->extract(text) == "abc");
  CHECK(Regex::compile("token=[a-z]+")->extract(text) == "token=abc");
  CHECK_FALSE(Regex::compile("nowhere")->extract(text));
  CHECK_FALSE(Regex::compile("a")->search(""));
}

TEST_CASE("an expression that other engines need for ever ends at once", "[http]") {
  CHECK_FALSE(Regex::compile("^(a+)+$")->search(std::string(20000, 'a') + "b"));
  CHECK_FALSE(glob_matches("*a*a*a*a*a*a*a*b", std::string(5000, 'a')));
}
