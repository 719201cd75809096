// SPDX-License-Identifier: Apache-2.0
#include "json_path.hpp"

#include "catch.hpp"
#include "document.hpp"

using namespace http;

namespace {

std::string at(const std::string& text, const std::string& path) {
  Document document;
  REQUIRE(document.parse(text).empty());
  const auto parsed = parse_json_path(path);
  INFO(path);
  REQUIRE(parsed);
  return document.find(*parsed).describe();
}

}  // namespace

TEST_CASE("a path names one value", "[http]") {
  const std::string text = R"({"metrics":{"error_rate":0.25,"errors":12},"data":[{"id":7},{"id":9}],
                              "a.b":{"c":"dot"},"success": true,"none":null,"big":9007199254740993,"word":"\u00e9t\u00e9"})";
  auto [path, found] = GENERATE(table<std::string, std::string>({{"metrics.error_rate", "0.25"},
                                                                 {"$.metrics.errors", "12"},
                                                                 {"data[0].id", "7"},
                                                                 {"data[-1].id", "9"},
                                                                 {"data[2].id", "nothing"},
                                                                 {"data[-3].id", "nothing"},
                                                                 {"data.id", "nothing"},
                                                                 {"metrics[0]", "nothing"},
                                                                 {"[\"a.b\"].c", "\"dot\""},
                                                                 {"success", "true"},
                                                                 {"none", "null"},
                                                                 {"none.x", "nothing"},
                                                                 {"big", "9007199254740993"},
                                                                 {"data", "a list of 2"},
                                                                 {"metrics", "an object of 2"},
                                                                 {"$", "an object of 7"},
                                                                 {"len(data)", "2"},
                                                                 {"len(metrics)", "2"},
                                                                 {"len(word)", "3"},
                                                                 {"len($)", "7"},
                                                                 {"len(success)", "nothing"},
                                                                 {"len(nowhere)", "nothing"},
                                                                 {"has(data[1].id)", "true"},
                                                                 {"has(none)", "true"},
                                                                 {"has(nowhere)", "false"}}));
  CHECK(at(text, path) == found);
}

TEST_CASE("the document itself may be a list", "[http]") { CHECK(at("[1,2,3]", "[1]") == "2"); }

TEST_CASE("what is no path says why", "[http]") {
  auto [path, why] = GENERATE(table<std::string, std::string>(
      {{"", "JSON path '': a JSON path has 1 to 512 characters"},
       {"a..b", "JSON path 'a..b': a name is missing before '.b'"},
       {"a.", "JSON path 'a.': a name is missing at the end"},
       {"a[", "JSON path 'a[': expected a number or a quoted name in []"},
       {"a[x]", "JSON path 'a[x]': expected a number or a quoted name in []"},
       {"a[99999999999999999999]", "JSON path 'a[99999999999999999999]': expected a number or a quoted name in []"},
       {"a[\"b]", "JSON path 'a[\"b]': [\" is not closed by \"]"},
       {"a b", "JSON path 'a b': expected '.' or '[' before ' b'"},
       {"len(a", "JSON path 'len(a': there is no ')' at the end"},
       {"has()", "JSON path 'has()': has() needs a path"}}));
  REQUIRE_FALSE(parse_json_path(path));
  CHECK(parse_json_path(path).error() == why);
}

TEST_CASE("JSON deeper than 32 levels, or none, is refused without harm", "[http]") {
  Document document;
  CHECK(document.parse(std::string(32, '[') + std::string(32, ']')).empty());
  CHECK_FALSE(document.parse(std::string(33, '[') + std::string(33, ']')).empty());
  CHECK_FALSE(document.parse(std::string(1000000, '[')).empty());
  CHECK_FALSE(document.parse("").empty());
  CHECK_FALSE(document.parse("<html>").empty());
  CHECK_FALSE(document.parse("{\"a\":1} trailing").empty());
  CHECK_FALSE(document.parse("{\"a\":\"\xff\"}").empty());
  CHECK(document.find(*parse_json_path("a")).type == JsonValue::Type::missing);
}

TEST_CASE("numbers in strings are numbers where a number is wanted", "[http]") {
  Document document;
  REQUIRE(document.parse(R"({"a":"0.5","b":"5 ms","c":"","d":"nan","e":true})").empty());
  CHECK(document.find(*parse_json_path("a")).as_number() == 0.5);
  for (const auto* path : {"b", "c", "d", "e", "f"})
    CHECK_FALSE(document.find(*parse_json_path(path)).as_number());
}
