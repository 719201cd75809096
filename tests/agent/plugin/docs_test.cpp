// SPDX-License-Identifier: Apache-2.0
#include "plugin/docs.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "config/toml.hpp"
#include "plugin/schema.hpp"

using namespace ronda;
using namespace ronda::plugin;

namespace {

Manifest parse(const std::string& text) {
  config::Diagnostics diagnostics;
  auto manifest = parse_manifest(text, 0, diagnostics);
  for (const auto& diagnostic : diagnostics.all()) INFO(diagnostic.message);
  REQUIRE(manifest);
  return *std::move(manifest);
}

std::string read_text(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

const std::string web_head = R"(manifest = 1
[plugin]
id = "org.example.web"
version = "1.2.0"
license = "MIT"
abi = { major = 1, minor = 0 }
[[provides]]
kind = "ronda.check/1"
name = "web.page"
summary = "fetch a page"
)";

const std::string options = R"(
  [provides.config]
  url = { type = "url", required = true, example = "https://example.org/", doc = "what to fetch" }
  way = { type = "enum", choices = ["get", "a|b"], default = "get", doc = "how" }
  share = { type = "percent", default = "5%", min = "0%", max = "50%" }
  old = { type = "int", deprecated = "no effect", doc = "was used once" }
  [provides.config.expect]
  type = "table"
  doc = "what must hold"
  [provides.config.expect.keys]
  status = { type = "list of int", single = true, min = 100, max = 599, default = [200], doc = "accepted codes" }
  [provides.config.metrics]
  type = "table of table"
  [provides.config.metrics.keys]
  path = { type = "string", required = true, doc = "JSON path" }
)";

const std::string rules = R"(
  [provides.config.extract]
  type = "table of table"
  one_of = ["json", "when"]
  key_pattern = "^[a-z]+$"
  key_message = "small letters"
  [provides.config.extract.keys]
  json = { type = "any", any_pattern = "^[0-9]$", pattern_message = "one digit | none", doc = "what" }
  when = { type = "string", forms = ["duration", "calendar"], doc = "a time" }
  argv = { type = "list of string", first_pattern = "^/", no_secret = "all see it" }
)";

}  // namespace

TEST_CASE("an option's row says type, default, meaning and limits; nested options have their path", "[plugin]") {
  const Manifest manifest = parse(web_head + options);
  CHECK(options_table(manifest.provides[0]) ==
        "| option | type | default | meaning |\n|---|---|---|---|\n"
        "| `url` | url | required | what to fetch |\n"
        "| `way` | enum | `get` | how (`get`, `a\\|b`) |\n"
        "| `share` | percent | `5%` | (0% to 50%) |\n"
        "| `old` | int |  | was used once **deprecated**: no effect |\n"
        "| `expect` | table |  | what must hold |\n"
        "| `expect.status` | list of int | `[200]` | accepted codes (100 to 599, one needs no brackets) |\n"
        "| `metrics` | table of table |  |  |\n"
        "| `metrics.NAME.path` | string | required | JSON path |\n");
  CHECK(options_table(parse(web_head).provides[0]) == "It has no options.\n");
}

TEST_CASE("rules of items, keys and forms stand in a row, in the words of the author where there are some", "[plugin]") {
  const std::string table = options_table(parse(web_head + rules).provides.at(0));
  CHECK(table.find("| `extract` | table of table |  | (a key: small letters, exactly one of `json`, `when`) |\n") != std::string::npos);
  CHECK(table.find("| `extract.NAME.json` | any |  | what (one digit \\| none) |\n") != std::string::npos);
  CHECK(table.find("| `extract.NAME.when` | string |  | a time (reads as duration or calendar) |\n") != std::string::npos);
  CHECK(table.find("| `extract.NAME.argv` | list of string |  | (the first matches `^/`, no secret: all see it) |\n") != std::string::npos);
}

TEST_CASE("the example of a procedure is a conf.d object that the procedure itself accepts", "[plugin]") {
  const Manifest manifest = parse(web_head + options);
  const std::string example = example_object(manifest.provides[0]);
  CHECK(example.starts_with("[check.page]\nuse = \"web.page\"\nevery = \"1m\"\nurl = \"https://example.org/\"\n"));
  CHECK(example.find("\n# way = \"get\"\n") != std::string::npos);
  CHECK(example.find("old") == std::string::npos);

  config::Diagnostics diagnostics;
  const auto file = config::parse_toml(example, 0, diagnostics);
  REQUIRE(file);
  const config::Value* object = file->front().value.find("page");
  REQUIRE(object != nullptr);
  CHECK(check_options(manifest.provides[0], *object->as_table(), {}, {}, diagnostics));
  for (const auto& diagnostic : diagnostics.all()) FAIL_CHECK(diagnostic.message);
}

TEST_CASE("the manual of a notifier says how it is given messages", "[plugin]") {
  CHECK(messages_text({}) == "as plain text, several may come as one");
  CHECK(messages_text({"sms", true, true, 1'500'000'000}) == "in sms, each by itself, at least 1s500ms apart, to a telephone number");
  const auto [name, said] = GENERATE(table<std::string, std::string>({{"slack", "in mrkdwn, several may come as one, at least 1s apart"},
                                                                      {"smtp", "as plain text, several may come as one"},
                                                                      {"sms", "in sms, several may come as one, to a telephone number"},
                                                                      {"webhook", "as plain text, each by itself"},
                                                                      {"pagerduty", "as plain text, each by itself"},
                                                                      {"alertmanager", "as plain text, each by itself"},
                                                                      {"logfile", "as plain text, each by itself"},
                                                                      {"command", "as plain text, each by itself"}}));
  const std::string text = manual(parse(read_text(RONDA_SOURCE_DIR "/plugins/" + name + "/plugin.toml")));
  CHECK(text.find("It is given messages " + said + ".\n") != std::string::npos);
}

TEST_CASE("tables between markers are made anew, everything else stays", "[plugin]") {
  const Manifest manifest = parse(web_head + options);
  const std::string table = marked_table(manifest.provides[0]);
  const auto renewed = renew_tables("before\n<!-- options of web.page -->\nold\n<!-- end of options -->\nafter\n", manifest);
  REQUIRE(renewed);
  CHECK(*renewed == "before\n" + table + "after\n");
  CHECK(*renew_tables(*renewed, manifest) == *renewed);

  CHECK(renew_tables("nothing", manifest).error().message() ==
        "there is no line \"<!-- options of web.page -->\"; put it and \"<!-- end of options -->\" where the "
        "table belongs");
  CHECK(renew_tables("<!-- options of web.page -->\n<!-- options of other -->\n<!-- end of options -->\n", manifest).error().message() ==
        "the options of web.page have no line \"<!-- end of options -->\"");
}

TEST_CASE("the tables in the READMEs of the plugins are those of their manifests", "[plugin]") {
  std::size_t seen = 0;
  for (const auto& folder : std::filesystem::directory_iterator(RONDA_SOURCE_DIR "/plugins")) {
    const auto manifest_path = folder.path() / "plugin.toml", readme_path = folder.path() / "README.md";
    if (!std::filesystem::exists(manifest_path)) continue;
    INFO("renew it with: ronda plugin docs " + folder.path().filename().string() + " --into " + readme_path.string());
    const std::string readme = read_text(readme_path);
    const auto renewed = renew_tables(readme, parse(read_text(manifest_path)));
    if (!renewed)
      FAIL_CHECK(renewed.error().message());
    else
      CHECK(*renewed == readme);
    ++seen;
  }
  CHECK(seen >= 5);
}
