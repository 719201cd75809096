// SPDX-License-Identifier: Apache-2.0
#include "config/toml.hpp"

#include "catch.hpp"

using namespace ronda::config;

namespace {

struct Parsed {
  std::optional<Table> table;
  std::string messages;
};

Parsed parse(const std::string& text) {
  Diagnostics diagnostics;
  Parsed parsed;
  parsed.table = parse_toml(text, 0, diagnostics);
  for (const Diagnostic& d : diagnostics.all()) parsed.messages += headline(d, {{"f", text}}) + "\n";
  return parsed;
}

std::string repeat(std::string_view piece, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += piece;
  return out;
}

}  // namespace

TEST_CASE("keys and values carry line and column, in the order of the file", "[config]") {
  const Parsed parsed = parse("[check.b]\nuse = \"x\"\n  a = { c = [1, 2.5], d = true }\n[check.a]\n");
  REQUIRE(parsed.table);
  const Table check = std::get<Table>(parsed.table->front().value.data());
  REQUIRE(check.size() == 2);
  CHECK(check[0].key == "b");
  CHECK(check[1].key == "a");
  CHECK(check[1].key_place.line == 4);
  CHECK(check[1].key_place.column == 8);
  const Value* use = check[0].value.find("use");
  REQUIRE(use);
  CHECK(*use->as_string() == "x");
  CHECK(use->place().line == 2);
  CHECK(use->place().column == 7);
  const Value* a = check[0].value.find("a");
  REQUIRE(a);
  const List list = std::get<List>(std::get<Table>(a->data()).at(0).value.data());
  CHECK(std::get<double>(list.at(1).data()) == 2.5);
  CHECK(list.at(1).place().column == 17);
  CHECK(std::get<bool>(std::get<Table>(a->data()).at(1).value.data()));
}

TEST_CASE("a date is refused where it stands and the rest is kept", "[config]") {
  const Parsed parsed = parse("a = 1\nb = 2026-01-31\n");
  REQUIRE(parsed.table);
  CHECK(parsed.messages ==
        "f:2:5: error: dates and times are written as strings, for example \"2026-01-31\" or \"02:30\"\n");
  CHECK(parsed.table->at(1).value.type_name() == "nothing");
}

TEST_CASE("a syntax error is one diagnostic at its place", "[config]") {
  auto [text, message] = GENERATE(table<std::string, std::string>({
      {"a = \n", "1:5: error: expected value, saw '\\n'"},
      {"a = \"x\nb = 1\n",
       "1:7: error: unescaped control characters other than TAB (U+0009) are explicitly prohibited; "
       "is the closing quote missing?"},
      {"a = { b = 1,\n c = 2 }\n",
       "1:13: error: expected key or closing '}', saw '\\n'; an inline table stays on one line"},
      {"= 1", "1:1: error: expected keys, tables, whitespace or comments, saw '='"},
      {"a = 1\na = 2\n", "2:5: error: cannot redefine existing integer 'a'"},
      {"a = 1\n[a]\n", "2:1: error: cannot redefine existing integer 'a' as table"},
      {"[a\n", "1:3: error: expected ']', saw '\\n'"},
      {"a = 1 b = 2", "1:7: error: expected a comment or whitespace, saw 'b'"},
      {"a = 01", "1:7: error: leading zeroes are prohibited"},
      {"a = 99999999999999999999", "1:25: error: '99999999999999999999' is not representable in 64 bits"},
      {"a = yes", "1:5: error: could not determine value type; a text stands in quotes"},
      {"a = \"\\q\"", "1:7: error: unknown escape sequence '\\q'"},
      {"every: 30s", "1:6: error: expected '=', saw ':'; write: key = value"},
      {std::string("a = \"x\0y\"", 9),
       "1:7: error: unescaped control characters other than TAB (U+0009) are explicitly prohibited"},
      {"a = \"\xff\"", "1:5: error: not valid UTF-8"},
      {"\xff\xfe", "1:1: error: not valid UTF-8"},
      {"a = 'x'''", "1:8: error: expected a comment or whitespace, saw '''"},
  }));
  CAPTURE(text);
  const Parsed parsed = parse(text);
  CHECK_FALSE(parsed.table);
  CHECK(parsed.messages == "f:" + message + "\n");
}

TEST_CASE("a byte order mark and CRLF are accepted and do not move places", "[config]") {
  const Parsed parsed = parse(
      "\xEF\xBB\xBF"
      "a = 1\r\nb = 2\r\n");
  REQUIRE(parsed.table);
  CHECK(parsed.table->at(0).key_place.column == 1);
  CHECK(parsed.table->at(1).value.place().line == 2);
}

TEST_CASE("nesting of any kind and depth 100,000 is refused at the 32nd level", "[config]") {
  const std::string text =
      GENERATE(as<std::string>(), "a = " + repeat("[", 100'000), "a = " + repeat("{a=", 100'000),
               "a" + repeat(".a", 100'000) + " = 1", "[a" + repeat(".a", 100'000) + "]",
               "a = " + repeat("[{a=", 50'000), "a" + repeat(" . \"a\"", 100'000) + " = 1");
  const Parsed parsed = parse(text);
  CHECK_FALSE(parsed.table);
  CHECK(parsed.messages.find("error: nested more than 32 levels deep\n") != std::string::npos);
}

TEST_CASE("brackets and dots in strings and comments are no nesting", "[config]") {
  const std::string many = repeat("[.{", 100);
  CHECK(parse("a = \"" + many + "\" # " + many + "\nb = '" + many + "'\nc = \"\"\"" + many + "\n\\\" " +
              many + "\"\"\"\"\"\nd = '''" + many + "''\n'''\n")
            .messages.empty());
}

TEST_CASE("a header that stands twice is reported with both places, every time", "[config]") {
  CHECK(parse("[a.b]\nx = 1\n[a.c]\n[ a . \"b\" ]\n[a.c]\n").messages ==
        "f:4:1: error: [ a . \"b\" ] stands twice; the first is at f:1:1\n"
        "f:5:1: error: [a.c] stands twice; the first is at f:3:1\n");
  CHECK(parse("[[a]]\n[a.b]\n[[a]]\n[a.b]\n").messages.empty());
}

TEST_CASE("a string of more than a mebibyte and a file of more than 16 are refused", "[config]") {
  CHECK(parse("a = \"" + std::string((1 << 20) + 1, 'x') + "\"").messages ==
        "f:1:5: error: a string of more than 1 MiB\n");
  CHECK(parse(std::string((16 << 20) + 1, '\n')).messages == "f: error: the file is larger than 16 MiB\n");
}

TEST_CASE("text cut at any byte gives a table or a diagnostic", "[config]") {
  const std::string text =
      "# comment\n[check.a]\nuse = \"x\" # \xC3\xBC\nlist = [1, 'b', [\"c\"]]\nt = { a = 1, b.c = 2 }\n"
      "m = \"\"\"\nx\\\n  y\"\"\"\n[[runbook.r.step]]\nname = 'n'\nf = 1.5e3\n";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const Parsed parsed = parse(text.substr(0, size));
    CAPTURE(size);
    CHECK(parsed.table.has_value() == parsed.messages.empty());
  }
}
