// SPDX-License-Identifier: Apache-2.0
#include "condition.hpp"

#include <regex.h>

#include <chrono>

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
  CHECK(Condition::from_text("< many").error() == "condition '< many': '<' compares with one number, for example \"< 5\" or \"< 500ms\"");
  CHECK(Condition::from_text("~ (").error() == "condition '~ (': regular expression '(': missing ): (");
}

TEST_CASE("what looks like an operator and is none is refused with what may be meant", "[http]") {
  struct Row {
    std::string text, why;
  };
  const auto row = GENERATE(values<Row>({
      {"= 12", "'=' is no operator: write \"== 12\""},
      {"=12", "'=' is no operator: write \"== 12\""},
      {"=~ ^v", "'=~' is no operator: write \"~ ^v\""},
      {"=< 5", "'=<' is no operator: write \"<= 5\""},
      {"=> 5", "'=>' is no operator: write \">= 5\""},
      {"! up", "'!' is no operator: write \"!= up\""},
  }));
  CHECK(Condition::from_text(row.text).error() ==
        "condition '" + row.text + "': " + row.why + "; for the text itself write \"== \\\"" + row.text + "\\\"\"");
  CHECK(holds("== \"" + row.text + "\"", "\"" + row.text + "\""));
  CHECK(holds("!up", "\"!up\""));
}

TEST_CASE("expressions of other dialects are refused, not misread", "[http]") {
  CHECK(Regex::compile("\\d+").error() == "regular expression '\\d+': \\d means nothing in POSIX extended expressions (a digit is [0-9])");
  CHECK(Regex::compile("(a)\\1").error() == "regular expression '(a)\\1': back-references such as \\1 are not supported");
  CHECK_FALSE(Regex::compile("(?:a)"));
  CHECK_FALSE(Regex::compile(std::string(1001, 'a')));
  CHECK_FALSE(Regex::compile(""));
  CHECK(Regex::compile("\\\\d")->search("a\\d"));
  CHECK(Regex::compile("[^\\n]").error() == "regular expression '[^\\n]': in [..] a backslash is a character: \\n means nothing there");
  CHECK(Regex::compile("\\<a").error() == "regular expression '\\<a': \\< is not supported: write \\b");
  CHECK(Regex::compile("[[.a.]]").error() == "regular expression '[[.a.]]': [. in [..] is not supported");
  CHECK(Regex::compile("((a|b){1,255}){3}").error() ==
        "regular expression '((a|b){1,255}){3}': it is too large once its repeats are written out (3067 steps; at most 1000)");
  CHECK(Regex::compile("[a").error() == "regular expression '[a': a [ has no ]");
  CHECK(Regex::compile("<b>.*?</b>").error() ==
        "regular expression '<b>.*?</b>': a ? behind a repeat is not part of POSIX extended expressions (there are no lazy repeats)");
  for (const char* lazy : {"a+?", "a??", "a{2,}?", "a++", "(a)*+"}) CHECK_FALSE(Regex::compile(lazy));
  CHECK(Regex::compile("^a\\+?b[*]?$")->search("a+b"));  // no repeat of a repeat
  for (const char* none : {"a{02}", "a{,b", "a{1", "a{1,02}", "a{1,2"}) {
    INFO(none);
    CHECK(Regex::compile(none).error() ==
          std::string("regular expression '") + none + "': a { that begins no repeat such as {2,5} is written \\{");
  }
  CHECK(Regex::compile("^a{,2}b{10}$")->search("aabbbbbbbbbb"));
  CHECK(Regex::compile("{\"a\":\\{1}")->search("{\"a\":{1}"));
  CHECK(Regex::compile("^\\\xC3\xA9$")->search("\xC3\xA9"));  // an escape before a letter beyond ASCII
  CHECK(Regex::compile("a)").error() == "regular expression 'a)': unexpected ): a)");
}

TEST_CASE("an expression means what the C library takes it for", "[http]") {
  const std::string pattern = GENERATE(as<std::string>(), "^abc$", "^b", "a$", "a.b", "[^a]b", "[.]", "[\\.]x", "[]x]+", "[^]x]+",
                                       "[a\\]b]", "[[:alpha:]]+[[:digit:]]", "[[]", "[a-]", "[x[:space:]-]y", "a{,2}b", "a{2}", "^a{2,}$",
                                       "a|b|", "(a|ab)(c|bcd)(d*)", "\\bb", "\\Bb", "\\w+\\W", "\\s", "\\S+", "\\.", "\\$", "\\(a\\)", "x*",
                                       "(^a|b$)", "()", "\xC3\xA9", "[\xC3]", "a\\\xC3", "a+b?", "a**");
  const std::string text = GENERATE(as<std::string>(), "", "a", "b", "abc", "ab\nb", "b\na", "x\na\nb", "aab", "aaab", "\\x", ".x", "]x",
                                    "a-b", "[", "a1 b", "\v", "a(a)$", "abcd", "\xC3\xA9", "a\xC3", "\xFF", " yx-y", "a]b]");
  regex_t wanted;
  REQUIRE(regcomp(&wanted, pattern.c_str(), REG_EXTENDED) == 0);
  regmatch_t match[2] = {};
  const bool found = regexec(&wanted, text.c_str(), 2, match, 0) == 0;
  const auto& part = match[wanted.re_nsub > 0 ? 1 : 0];
  const std::string expected = found && part.rm_so >= 0 ? std::string(text.begin() + part.rm_so, text.begin() + part.rm_eo) : "";
  regfree(&wanted);
  INFO(pattern << " in " << text);
  const auto ours = Regex::compile(pattern);
  REQUIRE(ours);
  CHECK(ours->search(text) == found);
  CHECK(ours->extract(text).has_value() == found);
  CHECK(ours->extract(text).value_or("") == expected);
}

TEST_CASE("an expression is matched over NUL and takes its first group", "[http]") {
  const std::string text("a\0token=abc;", 12);
  CHECK(Regex::compile("token=([a-z]+)")->extract(text) == "abc");
  CHECK(Regex::compile("token=[a-z]+")->extract(text) == "token=abc");
  CHECK_FALSE(Regex::compile("nowhere")->extract(text));
  CHECK_FALSE(Regex::compile("a")->search(""));
}

TEST_CASE("an expression that other engines need for ever ends at once", "[http]") {
  const std::string pattern =
      GENERATE(as<std::string>(), "^(a+)+$", "(a+)+$", "(a+)+b$", "a[a-z]*y", "a.*a.*a.*ay", "(^|a)[a-z]*y$", "(a*)*y");
  const std::string body = std::string(1 << 20, 'a') + "c";
  const auto begin = std::chrono::steady_clock::now();
  const auto regex = Regex::compile(pattern);
  CHECK_FALSE(regex->search(body));
  CHECK_FALSE(regex->extract(body));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
}

TEST_CASE("a glob that other engines need for ever ends at once", "[http]") {
  CHECK_FALSE(glob_matches("*a*a*a*a*a*a*a*b", std::string(5000, 'a')));
}
