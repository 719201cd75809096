// SPDX-License-Identifier: Apache-2.0
#include "config/diagnostic.hpp"

#include "catch.hpp"

using namespace ronda::config;

namespace {

std::string rendered(const std::string& line, std::uint32_t column) {
  return render({Severity::error, {0, 2, column}, "wrong", {}},
                {{"conf.d/a.toml", "first\n" + line + "\nlast"}});
}

}  // namespace

TEST_CASE("a diagnostic shows place, line and caret", "[config]") {
  CHECK(rendered("every = 5", 9) == "conf.d/a.toml:2:9: error: wrong\n  every = 5\n          ^\n");
  CHECK(rendered("every = 5\r", 10) == "conf.d/a.toml:2:10: error: wrong\n  every = 5\n           ^\n");
}

TEST_CASE("the caret counts characters, and a tab as the four columns it is shown with", "[config]") {
  CHECK(rendered("\tn\xC3\xBC = 5", 7) ==
        "conf.d/a.toml:2:7: error: wrong\n      n\xC3\xBC = 5\n           ^\n");
}

TEST_CASE("controls in a source line are shown escaped", "[config]") {
  CHECK(rendered("a = \"\x1b[31m\" b", 13) ==
        "conf.d/a.toml:2:13: error: wrong\n  a = \"\\x1b[31m\" b\n                 ^\n");
}

TEST_CASE("a long line is cut around the caret", "[config]") {
  const std::string early = rendered("key = " + std::string(300, 'x'), 3);
  CHECK(early == "conf.d/a.toml:2:3: error: wrong\n  key = " + std::string(109, 'x') + "...\n    ^\n");
  const std::string late = rendered(std::string(300, 'a') + "!" + std::string(300, 'b'), 301);
  CHECK(late == "conf.d/a.toml:2:301: error: wrong\n  ..." + std::string(78, 'a') + "!" +
                    std::string(33, 'b') + "...\n" + std::string(83, ' ') + "^\n");
}

TEST_CASE("a diagnostic without a line, or of no file, is one line", "[config]") {
  CHECK(render({Severity::warning, {0, 0, 0}, "empty", {}}, {{"f", "x"}}) == "f: warning: empty\n");
  CHECK(render({Severity::error, {no_file, 0, 0}, "no files", {}}, {}) == "error: no files\n");
  CHECK(render({Severity::error, {0, 9, 1}, "past the end", {}}, {{"f", "x"}}) ==
        "f:9:1: error: past the end\n");
}

TEST_CASE("more than a thousand diagnostics are counted, not kept", "[config]") {
  Diagnostics diagnostics;
  for (std::uint32_t i = 0; i < 1500; ++i) diagnostics.error({0, i + 1, 0}, "x");
  CHECK(diagnostics.all().size() == 1000);
  CHECK(diagnostics.errors() == 1500);
  const std::string text = render_all(diagnostics, {{"f", ""}});
  CHECK(text.substr(text.size() - 13) == "and 500 more\n");
}

TEST_CASE("JSON and SARIF carry the same places, escaped", "[config]") {
  Diagnostics diagnostics;
  diagnostics.error({0, 3, 4}, "a \"quoted\"\n\xff", Place{1, 2, 1});
  diagnostics.warning({1, 0, 0}, "w");
  const Sources sources = {{"conf.d/a b.toml", ""}, {"/etc/c.toml", ""}};
  CHECK(to_json(diagnostics, sources) ==
        "[{\"file\":\"conf.d/a b.toml\",\"line\":3,\"column\":4,\"severity\":\"error\",\"message\":"
        "\"a \\\"quoted\\\"\\u000a\xEF\xBF\xBD; the first is at /etc/c.toml:2:1\"},"
        "{\"file\":\"/etc/c.toml\",\"severity\":\"warning\",\"message\":\"w\"}]");
  CHECK(
      to_sarif(diagnostics, sources, "1.0") ==
      "{\"$schema\":\"https://json.schemastore.org/"
      "sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":"
      "{\"driver\":{\"name\":\"ronda\",\"version\":\"1.0\",\"rules\":[{\"id\":\"config\"}]}},\"columnKind\":"
      "\"unicodeCodePoints\",\"results\":[{\"ruleId\":\"config\",\"level\":\"error\",\"message\":{\"text\":"
      "\"a \\\"quoted\\\"\\u000a\xEF\xBF\xBD; the first is at /etc/c.toml:2:1\"},\"locations\":[{"
      "\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"conf.d/"
      "a%20b.toml\"},\"region\":{\"startLine\":3,"
      "\"startColumn\":4}}}],\"relatedLocations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":"
      "\"file:///etc/c.toml\"},\"region\":{\"startLine\":2,\"startColumn\":1}}}]},{\"ruleId\":\"config\","
      "\"level\":\"warning\",\"message\":{\"text\":\"w\"},\"locations\":[{\"physicalLocation\":{"
      "\"artifactLocation\":{\"uri\":\"file:///etc/c.toml\"}}}]}]}]}\n");
}
