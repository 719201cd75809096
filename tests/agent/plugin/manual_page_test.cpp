// SPDX-License-Identifier: Apache-2.0
// The page is what groff sets without a warning, and shows what the manifest says, whatever that is.
#include "plugin/manual_page.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "built_plugin.hpp"
#include "catch.hpp"
#include "config/toml.hpp"
#include "plugin/docs.hpp"

using namespace ronda;
using namespace ronda::plugin;
using ronda::test::read_text;
using ronda::test::TempDir;
using ronda::test::write_file;

namespace {

Manifest parsed(const std::string& text) {
  config::Diagnostics diagnostics;
  auto manifest = parse_manifest(text, 0, diagnostics);
  for (const auto& diagnostic : diagnostics.all()) INFO(diagnostic.message);
  REQUIRE(manifest);
  return *std::move(manifest);
}

struct Set {
  std::string text;  // as a terminal of 80 columns shows it, without bold
  std::string warnings;
};

Set set_by_groff(const std::string& page) {
  const TempDir dir;
  write_file(dir / "page", page);
  const std::string command = "GROFF_NO_SGR=1 groff -Tutf8 -ww -man '" + (dir / "page") + "' 2>'" + (dir / "warnings") +
                              "' | sed 's/.\x08//g' >'" + (dir / "text") + "'";
  REQUIRE(ronda::test::run_program({"bash", "-o", "pipefail", "-c", command}) == 0);
  return {read_text(dir / "text"), read_text(dir / "warnings")};
}

std::string flowed(const std::string& text) {
  std::istringstream words(text);
  std::string out;
  for (std::string word; words >> word;) out += word + " ";
  return out;
}

const std::string page_head = R"(manifest = 1
[plugin]
id = "org.example.web"
version = "1.2.0"
license = "MIT"
abi = { major = 1, minor = 0 }
needs = ["net", "state"]
[[provides]]
kind = "ronda.check/1"
name = "web.page"
summary = "fetch a page"
)";

}  // namespace

TEST_CASE("groff sets the pages of the shipped plugins without a warning, with every option in them", "[plugin]") {
  std::size_t seen = 0;
  for (const auto& folder : std::filesystem::directory_iterator(RONDA_SOURCE_DIR "/plugins")) {
    if (!std::filesystem::exists(folder.path() / "plugin.toml")) continue;
    const Manifest manifest = parsed(read_text(folder.path() / "plugin.toml"));
    const auto page = manual_page(manifest);
    REQUIRE(page);
    const auto [text, warnings] = set_by_groff(*page);
    CHECK(warnings.empty());
    for (const Procedure& procedure : manifest.provides) {
      CHECK(text.find("\n" + procedure.name + " (") != std::string::npos);
      for (const Option& option : procedure.options) CHECK(text.find("\n       " + option.key + " (") != std::string::npos);
    }
    ++seen;
  }
  CHECK(seen >= 5);
}

TEST_CASE("a page has name, grants, options with defaults and limits, metrics and an example", "[plugin]") {
  const auto page = manual_page(parsed(page_head + R"(doc = """
Two lines
of one paragraph.

- a `--point`
- another
```
verbatim   text
```
The end."""
[provides.config]
url = { type = "url", required = true, doc = "what to fetch", example = "http://a.example/" }
warn_at = { type = "percent", default = "80%", max = "90%", doc = "warn above `x|y`" }
old = { type = "int", deprecated = "use url" }
  [provides.config.steps]
  type = "list of table"
    [provides.config.steps.keys]
    path = { type = "path", default = "/" }
[[provides.metric]]
name = "total"
unit = "s"
kind = "gauge"
doc = "all of it"
)"));
  REQUIRE(page);
  CHECK(std::ranges::all_of(*page, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
  const auto [text, warnings] = set_by_groff(*page);
  const std::string words = flowed(text);
  INFO(text);
  CHECK(warnings.empty());
  CHECK(words.starts_with("org.example.web(5) Ronda plugins org.example.web(5) NAME org.example.web - plugin of Ronda with web.page "));
  for (const char* part : {"Grants that it needs: net, state. ",
                           "web.page (check) fetch a page Two lines of one paragraph. • a --point • another verbatim text The end. ",
                           "url (url, required) what to fetch ", "warn_at (percent, default 80%) warn above x|y (at most 90%) ",
                           "old (int) deprecated: use url ", "steps[].path (path, default /) ", "total (s, gauge) all of it ",
                           "[check.page] use = \"web.page\" every = \"1m\" url = \"http://a.example/\" "})
    CHECK(words.find(part) != std::string::npos);
  CHECK(text.find("verbatim   text\n") != std::string::npos);
}

TEST_CASE("nothing that a manifest says is a request of roff, nor moves a terminal", "[plugin]") {
  Manifest manifest = parsed(page_head + "[provides.config]\na = { type = \"string\", default = \"-\", doc = \"x\" }\n");
  const std::string bad =
      GENERATE(as<std::string>(), ".so /etc/passwd", "'ig", "a\n.SH INJECTED\nb", "\\fBno\\fR \\n(.z \\*x", ". \\\" comment",
               "\033[2J\x9b\xff", "caf\u00e9 \U0001F600 \u4e2d\u0301 \u200b\u202e \ufffe", "`", "``", "`` ` ** ***", "|\\|`a|b`",
               "```\n.SH INJECTED\n```", "```", "- ", "-- \"q\" 'q' ^~", "\\", "  .x", "\n\n\n");
  const std::string word(3000, 'w');
  Procedure& procedure = manifest.provides.front();
  Option& option = procedure.options.front();
  for (const std::string& text : {bad, bad + bad, word + bad + word, "`" + word + bad}) {
    manifest.license = manifest.homepage = manifest.version = procedure.summary = procedure.doc = text;
    option.doc = option.default_text = option.example_text = option.key = option.unit = option.deprecated = text;
    procedure.metrics = {{text, text, text, false, {text}}};
    const auto page = manual_page(manifest);
    REQUIRE(page);
    INFO(*page);
    const std::set<std::string> own = {".TH", ".nh", ".ad", ".SH", ".SS", ".PP", ".TP", ".IP", ".RS", ".RE", ".nf", ".fi"};
    std::istringstream lines(*page);
    for (std::string line; std::getline(lines, line);) {
      CHECK((line.empty() || line.front() != '\''));
      if (line.starts_with(".")) CHECK(own.contains(line.substr(0, line.find(' '))));
      CHECK_FALSE(line.starts_with(".SH INJ"));
      CHECK(std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7f; }));
    }
    const auto [set, warnings] = set_by_groff(*page);
    CHECK(warnings.empty());
    CHECK(set.find("root:") == std::string::npos);
    CHECK(set.find('\033') == std::string::npos);
  }
}

TEST_CASE("a page is bounded", "[plugin]") {
  Manifest manifest = parsed(page_head);
  manifest.provides.front().doc = std::string(max_manual_page_bytes, 'x');
  const auto page = manual_page(manifest);
  REQUIRE_FALSE(page);
  CHECK(page.error().message() == "the manual page of org.example.web would have more than 1 MiB; its Markdown has no limit");
}
