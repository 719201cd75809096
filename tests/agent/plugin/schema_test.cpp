// SPDX-License-Identifier: Apache-2.0
#include "plugin/schema.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "catch.hpp"
#include "config/toml.hpp"
#include "plugin/option_regex.hpp"

using namespace ronda;
using namespace ronda::plugin;

namespace {

const std::string manifest_head = R"(manifest = 1
[plugin]
id = "org.example.all"
version = "1.0.0"
license = "Apache-2.0"
abi = { major = 1, minor = 0 }
[[provides]]
kind = "ronda.check/1"
name = "all"
summary = "every type"
)";

const std::string all_options = R"([provides.config]
flag = { type = "bool", default = true }
count = { type = "int", min = 1, max = 10 }
share = { type = "float" }
text = { type = "string", pattern = "^[a-z]+$", max = 8 }
mode = { type = "enum", choices = ["fast", "careful"] }
wait = { type = "duration", default = "10s", max = "1m" }
size = { type = "bytes" }
warn_at = { type = "percent", default = "80%", min = "0%", max = "100%" }
crit_at = { type = "percent", default = "95%", max = "100%", renamed_from = ["critical_at"] }
path = { type = "path" }
url = { type = "url" }
host = { type = "host" }
port = { type = "port" }
matches = { type = "regex" }
when = { type = "cron" }
since = { type = "timestamp" }
password = { type = "secret" }
command = { type = "list of string", min_items = 1 }
headers = { type = "table of string" }
argument = { type = "string", no_secret = "others can read it" }
old = { type = "int", deprecated = "it does nothing" }
[provides.config.expect]
type = "table"
[provides.config.expect.keys]
status = { type = "list of int", single = true, default = [200] }
json = { type = "table of any" }
[provides.config.metrics]
type = "table of table"
[provides.config.metrics.keys]
path = { type = "string", required = true }
kind = { type = "enum", choices = ["gauge", "counter"], default = "gauge" }
[[provides.rule]]
assert = "warn_at <= crit_at"
message = "warn_at must not exceed crit_at"
)";

Procedure procedure_of(const std::string& options) {
  config::Diagnostics diagnostics;
  auto manifest = parse_manifest(manifest_head + options, 0, diagnostics);
  const config::Sources sources = {{"plugin.toml", manifest_head + options}};
  INFO(render_all(diagnostics, sources));
  REQUIRE(manifest);
  return manifest->provides.at(0);
}

struct Checked {
  std::optional<OptionNode> options;
  std::string said;
};

/// `text` is the inside of [check.x] in conf.d, from line 2 on; `origin` is that of every string.
Checked check(const std::string& text, const std::string& options = all_options, const TextJudges& judges = {}) {
  const Procedure procedure = procedure_of(options);
  const std::string file = "[check.x]\n" + text;
  config::Diagnostics diagnostics;
  const auto table = config::parse_toml(file, 0, diagnostics);
  REQUIRE(table);
  const config::Value& object = *table->at(0).value.find("x");
  Checked out;
  out.options = check_options(procedure, *object.as_table(), {0, 1, 1}, judges, diagnostics);
  const config::Sources sources = {{"x.toml", file}};
  for (const config::Diagnostic& diagnostic : diagnostics.all()) out.said += headline(diagnostic, sources) + "\n";
  CHECK(out.options.has_value() == !diagnostics.has_errors());
  return out;
}

/// One option whose value came from a reference.
Checked check_reference(const std::string& key, const std::string& text, config::Origin origin) {
  const Procedure procedure = procedure_of(all_options);
  config::Diagnostics diagnostics;
  const config::Table object = {{key, {0, 2, 1}, config::Value(text, {0, 2, 8}, origin)}};
  Checked out;
  out.options = check_options(procedure, object, {0, 1, 1}, {}, diagnostics);
  for (const config::Diagnostic& diagnostic : diagnostics.all()) out.said += diagnostic.message + "\n";
  return out;
}

/// A copy of the member at a path like "expect.status.0"; monostate when it is not there.
OptionNode at(const std::optional<OptionNode>& root, std::string_view path) {
  OptionNode node = root.value_or(OptionNode());
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    const OptionNode* inner = node.find(part);
    if (node.as_list() != nullptr && part == "0") inner = &node.as_list()->front();
    node = inner == nullptr ? OptionNode() : OptionNode(*inner);
  }
  return node;
}

OptionNode whole(std::int64_t value) {
  return {value};
}
OptionNode real(double value) {
  return {value};
}
OptionNode truth(bool value) {
  return {value};
}
OptionNode text(std::string value) {
  return {std::move(value)};
}
OptionNode secret(std::string value) {
  return {Secret{std::move(value)}};
}
const OptionNode absent;

}  // namespace

TEST_CASE("options reach the plugin in base units with their defaults", "[plugin]") {
  const Checked got = check(R"(use = "all"
every = "30s"
count = 3
share = 2
wait = "1500ms"
size = "10MiB"
crit_at = "90%"
since = "2026-11-02T03:00:00+03:00"
command = ["/bin/true", "-x"]
expect = { status = 204, json = { "success" = true, "n" = 1.5 } }
metrics = { rate = { path = "m.rate", kind = "counter" }, errors = { path = "m.errors" } }
)");
  CHECK(got.said.empty());
  const auto& options = got.options;
  CHECK(at(options, "flag") == truth(true));
  CHECK(at(options, "count") == whole(3));
  CHECK(at(options, "share") == real(2.0));
  CHECK(at(options, "wait") == whole(1'500'000'000));
  CHECK(at(options, "size") == whole(10 << 20));
  CHECK(at(options, "warn_at") == real(0.8));
  CHECK(at(options, "crit_at") == real(0.9));
  CHECK(at(options, "since") == whole(1793577600'000'000'000));
  CHECK(at(options, "command.0") == text("/bin/true"));
  CHECK(at(options, "use") == absent);
  CHECK(at(options, "url") == absent);
  CHECK(at(options, "expect.status.0") == whole(204));
  CHECK(at(options, "expect.json.success") == truth(true));
  CHECK(at(options, "expect.json.n") == real(1.5));
  CHECK(at(options, "metrics.rate.kind") == text("counter"));
  CHECK(at(options, "metrics.errors.kind") == text("gauge"));
}

TEST_CASE("an absent table stands for the defaults of its keys", "[plugin]") {
  const Checked got = check("");
  CHECK(at(got.options, "expect.status.0") == whole(200));
  CHECK(at(got.options, "metrics") == absent);
}

TEST_CASE("each wrong option is named with its place, its cause and what it should be", "[plugin]") {
  auto [line, message] = GENERATE(table<std::string, std::string>({
      {"wran_at = \"5%\"", "1: error: unknown key 'wran_at'; did you mean 'warn_at'?"},
      {"evry = \"5s\"", "1: error: unknown key 'evry'; did you mean 'every'?"},
      {"flag = 1", "8: error: 'flag' must be true or false, got an integer"},
      {"count = \"3\"", "9: error: 'count' must be an integer, got a string"},
      {"count = 0", "9: error: 'count' is 0, below the minimum of 1"},
      {"count = 11", "9: error: 'count' is 11, above the maximum of 10"},
      {"share = nan", "9: error: 'share' must be a finite number"},
      {"text = \"ABC\"", "8: error: 'text' is \"ABC\", which does not match the pattern ^[a-z]+$"},
      {"text = \"abcdefghi\"", "8: error: 'text' has 9 characters, above the maximum of 8"},
      {"mode = \"fats\"", "8: error: 'mode' is \"fats\"; it must be one of \"fast\", \"careful\"; did you mean \"fast\"?"},
      {"wait = 5", "8: error: 'wait' needs its unit: it must be a duration like \"30s\", for example \"5s\""},
      {"wait = \"5\"", "8: error: 'wait' must be a duration like \"30s\": \"5\": a duration needs a unit, for example \"5s\""},
      {"wait = \"2m\"", "8: error: 'wait' is 2m, above the maximum of 1m"},
      {"size = 512", "8: error: 'size' needs its unit: it must be a size like \"10MiB\", for example \"512MiB\""},
      {"warn_at = 80", "11: error: 'warn_at' needs its unit: it must be a percentage like \"80%\", for example \"80%\""},
      {"warn_at = \"120%\"", "11: error: 'warn_at' is 120%, above the maximum of 100%"},
      {"warn_at = \"97%\"", "11: error: warn_at must not exceed crit_at"},
      {"path = \"etc/x\"", "8: error: 'path' must be an absolute path"},
      {"path = \"/etc/../x\"", "8: error: 'path' must not have a '..' part"},
      {"url = \"example.org\"", "7: error: 'url' must be a URL like \"https://example.org/\""},
      {"host = \"http://a\"", "8: error: 'host' must be a host name, not a URL"},
      {"host = \"a b\"", "8: error: 'host' must be a host name or an IP address"},
      {"port = 70000", "8: error: 'port' is 70000; a port is 1 to 65535"},
      {"matches = \"[a\"", "11: error: 'matches': the regular expression has a [ without ]"},
      {"since = \"2026-13-01T00:00:00Z\"",
       "9: error: 'since' must be a timestamp like \"2026-11-02T03:00:00Z\": "
       "\"2026-13-01T00:00:00Z\" is no RFC 3339 timestamp with an offset"},
      {"command = \"/bin/true\"", "11: error: 'command' must be a list, got a string"},
      {"command = []", "11: error: 'command' has 0 entries; it needs at least 1"},
      {"command = [\"a\", 2]", "17: error: 'command[1]' must be text in quotes, got an integer"},
      {"headers = { a = 1 }", "17: error: 'headers.a' must be text in quotes, got an integer"},
      {"expect = { staus = 200 }", "12: error: unknown key 'expect.staus'; did you mean 'expect.status'?"},
      {"metrics = { rate = { kind = \"gauge\" } }", "20: error: 'metrics.rate.path' is missing; it must be text in quotes"},
      {"critical_at = \"99%\"", "1: warning: 'critical_at' is now called 'crit_at'"},
      {"old = 1", "1: warning: 'old' is deprecated: it does nothing"},
  }));
  CHECK(check(line + "\n").said == "x.toml:2:" + message + "\n");
}

TEST_CASE("all errors of an object come in one pass", "[plugin]") {
  const std::string said = check("count = 0\nwait = 5\nnonsense = 1\nport = \"x\"\n").said;
  CHECK(said ==
        "x.toml:4:1: error: unknown key 'nonsense'\n"
        "x.toml:2:9: error: 'count' is 0, below the minimum of 1\n"
        "x.toml:3:8: error: 'wait' needs its unit: it must be a duration like \"30s\", for example \"5s\"\n"
        "x.toml:5:8: error: 'port' must be a port number, got a string\n");
}

TEST_CASE("an option given under its old and its new name is refused", "[plugin]") {
  CHECK(check("crit_at = \"90%\"\ncritical_at = \"91%\"\n").said ==
        "x.toml:3:1: warning: 'critical_at' is now called 'crit_at'\n"
        "x.toml:3:1: error: 'critical_at' says the same as 'crit_at' in line 2; keep one of them\n");
}

TEST_CASE("exactly one and at least one of some keys", "[plugin]") {
  const std::string options = R"([provides.config]
name = { type = "string" }
unit = { type = "string", renamed_from = ["service_unit"] }
[[provides.rule]]
one_of = ["name", "unit"]
message = "give either name or unit"
)";
  CHECK(check("", options).said == "x.toml:1:1: error: give either name or unit\n");
  CHECK(check("unit = \"a\"\n", options).said.empty());
  CHECK(check("service_unit = \"a\"\nname = \"b\"\n", options).said ==
        "x.toml:2:1: warning: 'service_unit' is now called 'unit'\n"
        "x.toml:3:8: error: give either name or unit\n");
}

TEST_CASE("cron and calendar are judged by whoever knows their grammar", "[plugin]") {
  TextJudges judges;
  judges.cron = [](std::string_view text) -> Status {
    if (text == "0 2 * * *") return done();
    return Error(Errc::invalid, "the hour is no number");
  };
  CHECK(check("when = \"0 2 * * *\"\n", all_options, judges).said.empty());
  CHECK(check("when = \"0 x * * *\"\n", all_options, judges).said == "x.toml:2:8: error: 'when': the hour is no number\n");
}

TEST_CASE("secrets are kept apart and never repeated in a message", "[plugin]") {
  const auto of = [](const std::string& key, const std::string& value, config::Origin origin) {
    return at(check_reference(key, value, origin).options, key);
  };
  CHECK(of("password", "hunter2", config::Origin::secret) == secret("hunter2"));
  // a literal secret is a secret all the same
  CHECK(at(check("password = \"hunter2\"\n").options, "password") == secret("hunter2"));
  // text from a file is a secret whatever its declared type
  CHECK(of("url", "https://u:p@example.org/", config::Origin::secret) == secret("https://u:p@example.org/"));
  CHECK(of("url", "https://example.org/", config::Origin::env) == text("https://example.org/"));
  CHECK(check_reference("text", "HUNTER2", config::Origin::secret).said == "'text' does not match the pattern ^[a-z]+$\n");
  CHECK(check_reference("mode", "hunter2", config::Origin::env).said == "'mode' must be one of \"fast\", \"careful\"\n");
  CHECK(check_reference("wait", "hunter2", config::Origin::secret).said ==
        "'wait' must be a duration like \"30s\"; what the reference gives is not\n");
  CHECK(check_reference("path", "hunter2", config::Origin::env).said ==
        "'path' must be an absolute path; what the reference gives is not\n");
  CHECK(check_reference("argument", "hunter2", config::Origin::secret).said == "'argument' must not hold a secret: others can read it\n");
  CHECK(of("argument", "plain", config::Origin::env) == text("plain"));
  CHECK(check_reference("count", "99", config::Origin::env).said == "'count' is above the maximum of 10\n");
}

TEST_CASE("a number or a bool may come from a reference", "[plugin]") {
  const auto of = [](const std::string& key, const std::string& value, config::Origin origin) {
    return at(check_reference(key, value, origin).options, key);
  };
  CHECK(of("port", "5432\n", config::Origin::secret) == whole(5432));
  CHECK(of("flag", "false", config::Origin::env) == truth(false));
  CHECK(of("share", "0.5", config::Origin::env) == real(0.5));
  CHECK(of("wait", "30s\n", config::Origin::env) == whole(30'000'000'000));
  CHECK(check_reference("port", "hunter2", config::Origin::secret).said ==
        "'port' must be a port number; what the reference gives is not\n");
}

TEST_CASE("a list's first item, free keys and values of any type have patterns, in words of the author", "[plugin]") {
  const std::string options = R"([provides.config]
command = { type = "list of string", single = true, first_pattern = "^/", first_message = "the program must be an absolute path" }
marks = { type = "list of string", pattern = "^[a-z]+$", first_pattern = "^x" }
headers = { type = "table of string", key_pattern = "^[A-Za-z-]+$", pattern = "^[^[:cntrl:]]*$", pattern_message = "no line's end" }
names = { type = "table of int", key_pattern = "^[a-z]$", key_message = "a name has one letter" }
status = { type = "list of any", single = true, any_pattern = "^[1-5]([0-9][0-9]|xx)$", pattern_message = "a code or a class" }
plain = { type = "any", any_pattern = "^(true|0.5)$" }
)";
  const auto said = [&](const std::string& text) { return check(text, options).said; };
  CHECK(check("command = [\"/bin/ls\", \"ls\"]\nmarks = [\"xa\", \"b\"]\nheaders = { A-b = \"\u00fc\" }\nnames = { a = 1 }\n"
              "status = [200, \"2xx\", \"404\"]\nplain = true",
              options)
            .options);
  CHECK(check("command = \"/bin/ls\"\nstatus = 599\nplain = 0.5\ncommand2 = 1", options).said.find("command2") != std::string::npos);
  CHECK(said("command = [\"ls\", \"-l\"]") == "x.toml:2:12: error: 'command[0]' is \"ls\": the program must be an absolute path\n");
  CHECK(said("command = \"ls\"") == "x.toml:2:11: error: 'command' is \"ls\": the program must be an absolute path\n");
  CHECK(said("marks = [\"a\", \"xb\"]") == "x.toml:2:10: error: 'marks[0]' is \"a\", which does not match the pattern ^x\n");
  CHECK(said("marks = [\"x\", \"3\"]") == "x.toml:2:15: error: 'marks[1]' is \"3\", which does not match the pattern ^[a-z]+$\n");
  CHECK(said("headers = { \"a b\" = \"c\" }") == "x.toml:2:13: error: key \"a b\" of 'headers' does not match the pattern ^[A-Za-z-]+$\n");
  CHECK(said("headers = { a = \"b\\r\\nc\" }") == "x.toml:2:17: error: 'headers.a' is \"b\\x0d\\x0ac\": no line's end\n");
  CHECK(said("names = { ab = 1 }") == "x.toml:2:11: error: key \"ab\" of 'names': a name has one letter\n");
  CHECK(said("status = 99999") == "x.toml:2:10: error: 'status' is 99999: a code or a class\n");
  CHECK(said("status = [200, 600]") == "x.toml:2:16: error: 'status[1]' is 600: a code or a class\n");
  CHECK(said("status = [200.5]") == "x.toml:2:11: error: 'status[0]' is 200.5: a code or a class\n");
  CHECK(said("status = \"6xx\"") == "x.toml:2:10: error: 'status' is \"6xx\": a code or a class\n");
  CHECK(said("plain = false") == "x.toml:2:9: error: 'plain' is false, which does not match the pattern ^(true|0.5)$\n");
}

TEST_CASE("a text may have to read as one of some types", "[plugin]") {
  const std::string options = R"([provides.config]
expect = { type = "string", forms = ["duration", "calendar"] }
)";
  const TextJudges judges = {{}, [](std::string_view text) { return text == "daily" ? done() : Status(Error(Errc::invalid, "no")); }};
  CHECK(check("expect = \"6h\"", options, judges).options);
  CHECK(check("expect = \"daily\"", options, judges).options);
  CHECK(check("expect = \"sometimes\"", options, judges).said ==
        "x.toml:2:10: error: 'expect' is \"sometimes\"; it must be a duration like \"30s\" or a calendar expression like "
        "\"Sun *-*-* 02:00\"\n");
}

TEST_CASE("a table may want exactly one of some of its keys", "[plugin]") {
  const std::string options = R"([provides.config.extract]
type = "table of table"
one_of = ["json", "regex"]
[provides.config.extract.keys]
json = { type = "string", renamed_from = ["path"] }
regex = { type = "regex" }
more = { type = "bool", default = true }
[provides.config.single]
type = "table"
one_of = ["a", "b"]
[provides.config.single.keys]
a = { type = "int" }
b = { type = "int" }
)";
  const Checked without = check("extract = { x = { json = \"a\" }, y = { path = \"b\", more = false } }", options);
  REQUIRE(without.options);
  CHECK(without.options->find("single") == nullptr);
  CHECK(check("single = { a = 1 }", options).options);
  CHECK(check("single = {}", options).said == "x.toml:2:10: error: 'single' has none of a, b; give exactly one\n");
  CHECK(check("extract = { x = { json = \"a\", regex = \"b\" } }", options).said ==
        "x.toml:2:31: error: 'extract.x' has 2 of json, regex; give exactly one\n");
  CHECK(check("extract = { x = { more = true } }", options).said ==
        "x.toml:2:17: error: 'extract.x' has none of json, regex; give exactly one\n");
}

TEST_CASE("a regular expression that costs too much or means something else is refused", "[plugin]") {
  auto [pattern, message] = GENERATE(table<std::string, std::string>({
      {"^[0-9]{1,3}(\\.[0-9]{1,3}){3}$", ""},
      {"[[:space:]]+[]x]\\{", ""},
      {"((a{1,200}){1,200}){1,200}", "the regular expression is too large once its {..} are written out"},
      {"(a)\\1", "the regular expression has a back-reference; those are not linear in time"},
      {"\\d+", "the regular expression has \\d, which POSIX does not know; write [0-9]"},
      {"\\bword\\b", ""},
      {"(a|b){500}x{255}", "the regular expression has a bad repeat {500}; at most {255}"},
      {"((a|b){255}){4}", "the regular expression is too large once its {..} are written out"},
      {"\\<word", "the regular expression has \\<, which POSIX does not know; write \\b"},
      {"a\\'", "the regular expression has \\', which POSIX does not know; write $"},
      {"[^\\n]", "the regular expression has \\n in [..], where a backslash is a character like any other"},
      {"[^\\.]", ""},
      {"(?:a)", "the regular expression has a group (?..), which POSIX does not know; write (..)"},
      {"a+?", "the regular expression has a lazy repeat, which POSIX does not know"},
      {"\\\\*?", "the regular expression has a lazy repeat, which POSIX does not know"},
      {"a??", "the regular expression has a lazy repeat, which POSIX does not know"},
      {"a{1,2}+", "the regular expression has a possessive repeat, which POSIX does not know"},
      {"a\\*?b}?(c*)?[+]?", ""},
      {"a{02}", "the regular expression has a repeat {02} with zeros in front"},
      {"a{01,2}", "the regular expression has a repeat {01,2} with zeros in front"},
      {"a{0,10}", ""},
      {"a{2", "the regular expression has a { without }; write \\{ for the character"},
      {"a\\", "the regular expression ends in a backslash"},
      {std::string(1001, 'a'), "the regular expression has 1001 bytes; at most 1000"},
      {std::string(60, '('), "the regular expression has more than 50 groups inside each other"},
  }));
  const Status status = check_regex(pattern);
  CHECK((status ? "" : status.error().message()) == message);
}

TEST_CASE("timestamps are read with fraction and offset", "[plugin]") {
  CHECK(*parse_timestamp("1970-01-01T00:00:01.5Z") == 1'500'000'000);
  CHECK(*parse_timestamp("1970-01-01T01:00:00+01:00") == 0);
  CHECK_FALSE(parse_timestamp("1970-01-01T00:00:01"));
  CHECK_FALSE(parse_timestamp("2026-02-30T00:00:00Z"));
  CHECK(format_scalar(OptionType::timestamp, OptionNode(std::int64_t{1'500'000'000})) == "\"1970-01-01T00:00:01Z\"");
}

TEST_CASE("limits of host.process that no number of processes keeps are refused", "[plugin]") {
  const std::string path = RONDA_SOURCE_DIR "/plugins/host/plugin.toml";
  std::ifstream file(path);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  config::Diagnostics diagnostics;
  const auto manifest = parse_manifest(text, 0, diagnostics);
  REQUIRE(manifest);
  const auto procedure = std::ranges::find(manifest->provides, "host.process", &Procedure::name);
  REQUIRE(procedure != manifest->provides.end());
  const auto said = [&](std::int64_t least, std::int64_t most) {
    config::Diagnostics found;
    const config::Table object = {{"name", {0, 2, 1}, config::Value(std::string("nginx"), {0, 2, 8})},
                                  {"min_count", {0, 3, 1}, config::Value(least, {0, 3, 13})},
                                  {"max_count", {0, 4, 1}, config::Value(most, {0, 4, 13})}};
    check_options(*procedure, object, {0, 1, 1}, {}, found);
    return found.all().empty() ? std::string() : found.all().front().message;
  };
  CHECK(said(5, 2) == "min_count must not exceed max_count");
  CHECK(said(2, 2).empty());
}
