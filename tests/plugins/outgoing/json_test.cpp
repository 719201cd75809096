// SPDX-License-Identifier: Apache-2.0
#include "outgoing/json.hpp"

#include "catch.hpp"

using namespace outgoing;

namespace {

std::string written(std::string_view text) {
  JsonWriter json;
  return json.value(text).text();
}

std::string read_back(std::string_view text) {
  JsonWriter json;
  json.object().member("x", text).end_object();
  const auto object = parse_json_object(json.text());
  return object ? std::string(object->text("x")) : "(none)";
}

}  // namespace

TEST_CASE("a document has its commas, and none too many", "[outgoing]") {
  JsonWriter json;
  json.object().member("a", 1).member("b", true).key("c").array().value("x").value("y").object().end_object().end_array();
  json.member("d", std::int64_t{-5}).key("e").object().end_object().end_object();
  CHECK(json.text() == R"({"a":1,"b":true,"c":["x","y",{}],"d":-5,"e":{}})");
}

TEST_CASE("quotes, control characters and broken UTF-8 leave as JSON", "[outgoing]") {
  CHECK(written("say \"hi\"\\ \n\t\r") == R"("say \"hi\"\\ \n\t\r")");
  CHECK(written(std::string_view("\0\x01\x1f\x7f", 4)) == "\"\\u0000\\u0001\\u001f\\u007f\"");
  CHECK(written("añ€😀") == "\"añ€😀\"");
  CHECK(written("a\xff\xc3(\xed\xa0\x80") == "\"a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST_CASE("every text reads back as it was written", "[outgoing]") {
  for (int byte = 0; byte < 128; ++byte) {
    const std::string text = "a" + std::string(1, static_cast<char>(byte)) + "b";
    CHECK(read_back(text) == text);
  }
  CHECK(read_back("añ€😀\n\"\\") == "añ€😀\n\"\\");
}

TEST_CASE("of an object the first level is read, with its types", "[outgoing]") {
  const auto object = parse_json_object(
      R"( {"ok":false, "error":"channel_not_found","n":-12,"f":1.5e3,"deep":{"ok":true,"a":[1,{"b":null}]},"z":null, "ts":"1.2"} )");
  REQUIRE(object);
  CHECK_FALSE(object->is_true("ok"));
  CHECK(object->text("error") == "channel_not_found");
  CHECK(object->integer("n") == -12);
  CHECK(object->integer("f") == std::nullopt);
  CHECK(object->find("deep")->text == R"({"ok":true,"a":[1,{"b":null}]})");
  CHECK(object->find("z")->kind == JsonMember::Kind::null);
  CHECK(object->find("nothing") == nullptr);
  CHECK(object->text("n").empty());
  CHECK(parse_json_object("{}"));
}

TEST_CASE("escapes of JSON are undone, halves of pairs replaced", "[outgoing]") {
  const auto object = parse_json_object(R"({"x":"\u00e9\ud83d\ude00\/\b\ud83d!\udc00"})");
  REQUIRE(object);
  CHECK(object->text("x") == "é😀/\b\xef\xbf\xbd!\xef\xbf\xbd");
}

TEST_CASE("what is no whole object is none", "[outgoing]") {
  const std::string text =
      GENERATE(as<std::string>(), "", " ", "ok", "[]", "null", "{", "}", "{}x", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":01}",
               "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}", "{\"a\":1e}", "{\"a\":tru}", "{\"a\":\"x}", "{\"a\":\"\\q\"}", "{\"a\":\"\\u12\"}",
               "{\"a\":\"\\u12g4\"}", "{\"a\":\"\n\"}", "{\"a\":[1,]}", "{\"a\":[1", "<html>");
  INFO(text);
  CHECK_FALSE(parse_json_object(text));
}

TEST_CASE("nesting without end is refused, not followed", "[outgoing]") {
  const std::string deep(100000, '[');
  CHECK_FALSE(parse_json_object("{\"a\":" + deep));
  std::string many;
  for (int i = 0; i < 100000; ++i) many += "{\"a\":";
  CHECK_FALSE(parse_json_object(many));
  CHECK(parse_json_object("{\"a\":" + std::string(31, '[') + std::string(31, ']') + "}"));
  CHECK_FALSE(parse_json_object("{\"a\":" + std::string(32, '[') + std::string(32, ']') + "}"));
}
