// SPDX-License-Identifier: Apache-2.0
#include "template.hpp"

#include "catch.hpp"

using namespace http;

TEST_CASE("a value is escaped for where it stands", "[http]") {
  const Values values{{"v", "a b/\"\\\n&="}};
  CHECK(*fill("/x?q={{v}}", values, Place::url) == "/x?q=a%20b%2F%22%5C%0A%26%3D");
  CHECK(*fill("{\"q\":\"{{v}}\"}", values, Place::json) == "{\"q\":\"a b/\\\"\\\\\\u000a&=\"}");
  CHECK(*fill("q={{v}}", values, Place::form) == "q=a%20b%2F%22%5C%0A%26%3D");
  CHECK(*fill("<{{v}}>", values, Place::text) == "<a b/\"\\\n&=>");
}

TEST_CASE("a value cannot end a header", "[http]") {
  CHECK(fill("Bearer {{t}}", {{"t", "x\r\nHost: evil"}}, Place::header).error() ==
        "the value of {{t}} holds a control character and cannot stand in a header");
  CHECK(*fill("Bearer {{t}}", {{"t", "abc"}}, Place::header) == "Bearer abc");
}

TEST_CASE("a value is data: places in it are not filled again", "[http]") {
  CHECK(*fill("{{a}}{{b}}", {{"a", "{{b}}"}, {"b", "2"}}, Place::text) == "{{b}}2");
}

TEST_CASE("a place that is none says so", "[http]") {
  CHECK(fill("{{nowhere}}", {}, Place::text).error() == "{{nowhere}} has no value yet");
  CHECK(names_in("{{open").error() == "'{{' is not closed by '}}'");
  CHECK(names_in("{{a b}}").error() == "'{{a b}}': a name has letters, digits and '_' only");
  CHECK(names_in("{{}}").error() == "'{{}}': a name has letters, digits and '_' only");
  CHECK(names_in("x{{a}}y{{b_2}}z{")->size() == 2);
}

TEST_CASE("a body is JSON, a form or text by its type", "[http]") {
  CHECK(place_of_body("application/problem+json", "x") == Place::json);
  CHECK(place_of_body("application/x-www-form-urlencoded", "{") == Place::form);
  CHECK(place_of_body("text/plain", "{") == Place::text);
  CHECK(place_of_body("", " {\"a\":1}") == Place::json);
  CHECK(place_of_body("", "[1]") == Place::json);
  CHECK(place_of_body("", "a=1") == Place::form);
  CHECK(place_of_body("", "{{whole}}") == Place::form);
}
