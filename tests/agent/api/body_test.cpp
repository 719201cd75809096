// SPDX-License-Identifier: Apache-2.0
#include "api/body.hpp"

#include "catch.hpp"

using namespace ronda;
using namespace ronda::api;

namespace {

Body body(const std::string& text) {
  auto parsed = Body::parse(text, {"text", "level", "for", "based_on", "force", "what", "fields"});
  REQUIRE(parsed);
  return *std::move(parsed);
}

std::string refusal_of(const std::string& text) {
  const auto parsed = Body::parse(text, {"text", "level"});
  return parsed ? std::string() : parsed.error().message();
}

template <class T>
std::string why(const Result<T>& result) {
  return result ? std::string("it was taken") : result.error().message();
}

}  // namespace

TEST_CASE("a body says what it may say, and nothing is something", "[api]") {
  const Body all = body(R"({"text": "a fire", "level": "p2", "for": "1h30m", "based_on": 7, "force": true, "what": ["a", "b"],
                            "fields": {"summary": "s", "impact": "i"}})");
  CHECK(*all.text("text", 10) == "a fire");
  CHECK(*all.level("level") == config::Level::p2);
  CHECK(*all.duration_ns("for") == 5400LL * 1'000'000'000);
  CHECK(*all.number("based_on") == 7);
  CHECK(*all.flag("force"));
  CHECK(*all.texts("what", 2, 1) == std::vector<std::string>{"a", "b"});
  CHECK(*all.fields("fields", 2, 1) == std::vector<std::pair<std::string, std::string>>{{"summary", "s"}, {"impact", "i"}});
  for (const std::string text : {"", " \n", "{}", R"({"text": null, "level": null})"}) {
    const Body empty = body(text);
    CHECK(empty.text("text", 10)->empty());
    CHECK(*empty.level("level") == config::Level::none);
    CHECK(*empty.duration_ns("for") == 0);
    CHECK(*empty.number("based_on") == 0);
    CHECK_FALSE(*empty.flag("force"));
    CHECK(empty.texts("what", 2, 1)->empty());
    CHECK(empty.fields("fields", 2, 1)->empty());
  }
}

TEST_CASE("a body that is none, or has a key that is not known, is refused", "[api]") {
  CHECK(refusal_of("[]") == "the body is no JSON object");
  CHECK(refusal_of("{\"text\": \"a") == "the body is no JSON object");
  CHECK(refusal_of(std::string(1000, '[')) == "the body is no JSON object");
  CHECK(refusal_of(R"({"txet": "a"})") == "there is no `txet` here; did you mean `text`?");
  CHECK(refusal_of(R"({"colour": "red"})") == "there is no `colour` here");
  CHECK(refusal_of(R"({"text": "a", "level": "p1"})").empty());
}

TEST_CASE("what a body says is of its type and within its bounds, or the key is named", "[api]") {
  CHECK(why(body(R"({"text": "abc"})").text("text", 2)) == "`text` must be a text of at most 2 bytes");
  CHECK(why(body(R"({"text": 5})").text("text", 2)) == "`text` must be a text of at most 2 bytes");
  CHECK(why(body(R"({"level": "p5"})").level("level")) == "`level` must be p1, p2, p3 or p4");
  CHECK(why(body(R"({"level": "none"})").level("level")) == "`level` must be p1, p2, p3 or p4");
  CHECK(why(body(R"({"for": "5"})").duration_ns("for")).starts_with("`for`: "));
  CHECK(why(body(R"({"for": "0s"})").duration_ns("for")) == "`for` must be longer than nothing");
  CHECK(why(body(R"({"based_on": -1})").number("based_on")) == "`based_on` must be a whole number, not negative");
  CHECK(why(body(R"({"based_on": 1.5})").number("based_on")) == "`based_on` must be a whole number, not negative");
  CHECK(why(body(R"({"force": 1})").flag("force")) == "`force` must be true or false");
  CHECK(why(body(R"({"what": ["a", "b", "c"]})").texts("what", 2, 1)) == "`what` must be a list of at most 2 texts");
  CHECK(why(body(R"({"what": "a"})").texts("what", 2, 1)) == "`what` must be a list of at most 2 texts");
  CHECK(why(body(R"({"what": [["a"]]})").texts("what", 2, 1)) == "`what` must be a text of at most 1 bytes");
  CHECK(why(body(R"({"fields": {"a": "x", "b": "y"}})").fields("fields", 1, 1)) == "`fields` must be an object of at most 1 texts");
  CHECK(why(body(R"({"fields": {"a": 1}})").fields("fields", 1, 1)) == "`fields` must be a text of at most 1 bytes");
  CHECK(body(R"({"fields": {")" + std::string(64, 'k') + R"(": "v"}})").fields("fields", 2, 1).has_value());
  CHECK(why(body(R"({"fields": {")" + std::string(65, 'k') + R"(": "v"}})").fields("fields", 2, 1)) ==
        "`fields` must be an object whose names have at most 64 bytes");
}
