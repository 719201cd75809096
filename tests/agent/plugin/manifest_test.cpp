// SPDX-License-Identifier: Apache-2.0
#include "plugin/manifest.hpp"

#include "catch.hpp"

using namespace ronda;
using namespace ronda::plugin;

namespace {

const std::string head = R"(manifest = 1
[plugin]
id = "org.example.disk"
version = "1.2.0"
license = "Apache-2.0"
abi = { major = 1, minor = 0 }
)";

const std::string provides = R"([[provides]]
kind = "ronda.check/1"
name = "disk"
summary = "free space"
)";

/// Every headline, one a line, without the severity of what is expected to be errors.
std::string problems(const std::string& text) {
  config::Diagnostics diagnostics;
  const auto manifest = parse_manifest(text, 0, diagnostics);
  CHECK(manifest.has_value() == !diagnostics.has_errors());
  const config::Sources sources = {{"plugin.toml", text}};
  std::string out;
  for (const config::Diagnostic& diagnostic : diagnostics.all()) out += headline(diagnostic, sources) + "\n";
  return out;
}

std::string option_problem(const std::string& declaration) {
  return problems(head + provides + "[provides.config]\n" + declaration + "\n");
}

Manifest parsed(const std::string& text) {
  config::Diagnostics diagnostics;
  auto manifest = parse_manifest(text, 0, diagnostics);
  CHECK(problems(text).empty());
  return manifest.value_or(Manifest{});
}

}  // namespace

TEST_CASE("a manifest becomes typed values", "[plugin]") {
  const Manifest manifest = parsed(head + R"(homepage = "https://example.org"
needs = ["net", "state"]
limits = { memory = "32MiB", cpu = "250%", pids = 4, fds = 16 }
max_concurrency = 64
state_version = 3
)" + provides + R"(doc = "more"
open_metrics = true
[provides.config]
path = { type = "path", default = "/", doc = "mount point" }
warn_at = { type = "percent", default = "80%", min = "0%", max = "100%", doc = "w" }
crit_at = { type = "percent", default = "95%", doc = "c" }
[[provides.rule]]
assert = "warn_at <= crit_at"
message = "warn_at must not exceed crit_at"
[[provides.metric]]
name = "used"
unit = "ratio"
kind = "counter"
doc = "share in use"
)");
  CHECK(manifest.id == "org.example.disk");
  CHECK(manifest.version == "1.2.0");
  CHECK(manifest.needs == std::vector<Grant>{Grant::net, Grant::state});
  CHECK(manifest.limits.memory == 32 << 20);
  CHECK(manifest.limits.cpu == Approx(2.5));
  CHECK(manifest.max_concurrency == 64);
  CHECK(manifest.state_version == 3);
  REQUIRE(manifest.provides.size() == 1);
  const Procedure& disk = manifest.provides[0];
  CHECK(disk.kind == Kind::check);
  CHECK(disk.open_metrics);
  REQUIRE(disk.options.size() == 3);
  CHECK(*disk.options[1].fallback->as_float() == Approx(0.8));
  CHECK(*disk.options[1].max->as_float() == Approx(1.0));
  REQUIRE(disk.rules.size() == 1);
  CHECK(disk.rules[0].assertion->comparison == Comparison::less_equal);
  CHECK(disk.metrics.at(0).counter);
}

TEST_CASE("everything wrong with a manifest is said in one pass, with its place", "[plugin]") {
  CHECK(problems("x = 1\n") ==
        "plugin.toml:1:1: error: 'manifest = 1' must say which edition this is\n"
        "plugin.toml:1:1: error: the table [plugin] is missing\n"
        "plugin.toml:1:1: error: there is no [[provides]]: the plugin provides nothing\n");
  CHECK(problems("manifest = 2\n[plugin]\nid = \"disk\"\nversion = \"1\"\nneeds = [\"nett\"]\n" + provides) ==
        "plugin.toml:1:12: error: manifest = 2: this agent reads manifests of edition 1\n"
        "plugin.toml:3:6: error: [plugin]: 'id' must be in reverse DNS form, for example \"org.example.disk\"\n"
        "plugin.toml:4:11: error: [plugin]: 'version' must be MAJOR.MINOR.PATCH, for example \"1.2.0\"\n"
        "plugin.toml:2:2: error: [plugin]: 'license' is missing\n"
        "plugin.toml:2:2: error: [plugin]: 'abi' must be a table like { major = 1, minor = 0 }\n"
        "plugin.toml:5:9: error: [plugin]: 'needs': there is no grant 'nett'; did you mean 'net'?\n");
}

TEST_CASE("a limit of memory is a size that can be multiplied by all calls", "[plugin]") {
  const auto said = [](const std::string& size) { return problems(head + "limits = { memory = \"" + size + "\" }\n" + provides); };
  const std::string refused = "plugin.toml:7:21: error: limits: 'memory' must be a size from \"1MiB\" to \"1TiB\"\n";
  CHECK(said("1MiB").empty());
  CHECK(said("1TiB").empty());
  CHECK(said("1000KiB") == refused);
  CHECK(said("1025GiB") == refused);
  CHECK(said("4194304TiB") == refused);  // times two calls it would be none
}

TEST_CASE("a share of a core is declared, or there is no limit", "[plugin]") {
  const auto share = [](const std::string& limits) { return parsed(head + limits + provides).limits.cpu; };
  CHECK(share("") == 0);
  CHECK(share("limits = { pids = 4 }\n") == 0);
  CHECK(share("limits = { cpu = \"1%\" }\n") == Approx(0.01));
  CHECK(problems(head + "limits = { cpu = \"0%\" }\n" + provides) ==
        "plugin.toml:7:18: error: limits: 'cpu' must be a share of one core of at least \"1%\"\n");
}

TEST_CASE("a TOML error in the note is reported at its line and column", "[plugin]") {
  const std::string said = problems("manifest = 1\n[plugin\n");
  CHECK(said.starts_with("plugin.toml:2:8: error: "));
}

TEST_CASE("unknown top-level tables are ignored, unknown keys elsewhere are warnings", "[plugin]") {
  CHECK(problems(head + provides + "[later]\nx = 1\n").empty());
  CHECK(problems(head + "licence = \"x\"\n" + provides) ==
        "plugin.toml:7:1: warning: [plugin]: unknown key 'licence'; did you mean 'license'?\n");
  CHECK(option_problem("path = { type = \"path\", defualt = \"/\" }") ==
        "plugin.toml:12:25: warning: option 'path': unknown key 'defualt'; did you mean 'default'?\n");
}

TEST_CASE("keys of the core may not be declared at the first level", "[plugin]") {
  for (const std::string key : {"use", "timeout", "warn", "user", "ronda", "title", "reporters"}) {
    CHECK(option_problem(key + " = { type = \"string\" }") ==
          "plugin.toml:12:1: error: option '" + key + "': this key belongs to the agent in every object; take another name\n");
  }
  CHECK(option_problem("expect = { type = \"table\", keys = { timeout = { type = \"duration\" } } }").empty());
}

TEST_CASE("a declaration that cannot be is refused where it stands", "[plugin]") {
  auto [declaration, message] = GENERATE(table<std::string, std::string>({
      {"a = { type = \"strin\" }", "12:14: error: option 'a': there is no type 'strin'; did you mean 'string'?"},
      {"a = { doc = \"x\" }", "12:1: error: option 'a': 'type' is missing"},
      {"a = \"string\"", "12:5: error: option 'a' must be a table like { type = \"string\", doc = \"...\" }"},
      {"A = { type = \"int\" }", "12:1: error: option 'A': a name is [a-z][a-z0-9_]*"},
      {"a = { type = \"int\", default = \"5\" }", "12:31: error: 'a.default' must be an integer, got a string"},
      {"a = { type = \"duration\", default = 5 }",
       "12:36: error: 'a.default' needs its unit: it must be a duration like \"30s\", for example \"5s\""},
      {"a = { type = \"int\", default = 5, max = 4 }", "12:31: error: 'a.default' is 5, above the maximum of 4"},
      {"a = { type = \"int\", min = 5, max = 4 }", "12:1: error: option 'a': 'min' is above 'max'"},
      {"a = { type = \"int\", required = true, default = 5 }", "12:48: error: option 'a': 'required' and 'default' exclude each other"},
      {"a = { type = \"enum\" }", "12:1: error: option 'a': an enum needs 'choices'"},
      {"a = { type = \"string\", pattern = \"(\" }",
       "12:34: error: option 'a': 'pattern': the regular expression is not one: Unmatched ( or \\("},
      {"a = { type = \"table\" }", "12:1: error: option 'a': a table needs 'keys'; for free keys write \"table of ...\""},
      {"a = { type = \"int\", keys = { b = { type = \"int\" } } }", "12:1: error: option 'a': 'keys' belong to a table"},
      {"a = { type = \"int\", single = true }", "12:1: error: option 'a': 'single' belongs to a list"},
      {"a = { type = \"bool\", min = 1 }", "12:28: error: option 'a': 'min' means nothing for type bool"},
      {"a = { type = \"secret\", default = \"x\" }", "12:34: error: option 'a': a secret has no default"},
      {"a = { type = \"int\" }\nb = { type = \"int\", renamed_from = [\"a\"] }", "13:1: error: option 'b': the old name 'a' is not free"},
      {"a = { type = \"list of int\", first_pattern = \"x\" }",
       "12:45: error: option 'a': 'first_pattern' is a regular expression, for a list of text only"},
      {"a = { type = \"list of string\", key_pattern = \"x\" }",
       "12:46: error: option 'a': 'key_pattern' is a regular expression, for \"table of ...\" only"},
      {"a = { type = \"string\", any_pattern = \"x\" }",
       "12:38: error: option 'a': 'any_pattern' is a regular expression, for the type any only"},
      {"a = { type = \"any\", any_pattern = \"(\" }",
       "12:35: error: option 'a': 'any_pattern': the regular expression is not one: Unmatched ( or \\("},
      {"a = { type = \"list of string\", first_pattern = \"^/\", default = [\"x\"] }",
       "12:65: error: 'a.default[0]' is \"x\", which does not match the pattern ^/"},
      {"a = { type = \"string\", pattern_message = \"x\" }",
       "12:42: error: option 'a': 'pattern_message' needs 'pattern' or 'any_pattern'"},
      {"a = { type = \"list of string\", first_message = \"x\" }", "12:48: error: option 'a': 'first_message' needs 'first_pattern'"},
      {"a = { type = \"string\", forms = [\"int\"] }",
       "12:32: error: option 'a': 'forms': 'int' is none of duration, bytes, percent, path, url, host, cron, calendar, timestamp"},
      {"a = { type = \"path\", forms = [\"url\"] }", "12:30: error: option 'a': 'forms' belong to a string"},
      {"a = { type = \"table\", keys = { b = { type = \"int\" } }, one_of = [\"b\", \"c\"] }",
       "12:65: error: option 'a': 'one_of': there is no key 'c'"},
      {"a = { type = \"list of list of list of list of int\" }",
       "12:14: error: option 'a': there is no type 'list of list of list of list of int'"},
  }));
  CHECK(option_problem(declaration) == "plugin.toml:" + message + "\n");
}

TEST_CASE("a rule is checked when the manifest is read", "[plugin]") {
  const std::string options = R"([provides.config]
warn_at = { type = "percent" }
port = { type = "port" }
names = { type = "list of string" }
wait = { type = "duration" }
[[provides.rule]]
message = "m"
)";
  auto [rule, message] = GENERATE(table<std::string, std::string>({
      {"assert = \"warn_at < 90%\"", ""},
      {"assert = \"30s != wait\"", ""},
      {"assert = \"port >= 1024\"", ""},
      {"one_of = [\"port\", \"names\"]", ""},
      {"assert = \"warn_at\"", "18:10: error: rule of 'disk': an assertion is LEFT OP RIGHT with one of < <= > >= == !="},
      {"assert = \"wran_at < 5%\"", "18:10: error: rule of 'disk': there is no option 'wran_at'"},
      {"assert = \"1 < 2\"", "18:10: error: rule of 'disk': an assertion names at least one option"},
      {"assert = \"port < wait\"", "18:10: error: rule of 'disk': 'port' is of type port, 'wait' of type duration"},
      {"assert = \"names == 3\"", "18:10: error: rule of 'disk': 'names' is of type list of string, which has no order"},
      {"assert = \"wait < 5\"", "18:10: error: rule of 'disk': '5' cannot be compared with 'wait', which is of type duration"},
      {"any_of = [\"nothing\"]", "18:10: error: rule of 'disk': there is no option 'nothing'"},
      {"", "16:1: error: rule of 'disk': a rule has exactly one of 'assert', 'one_of' and 'any_of'"},
  }));
  const std::string said = problems(head + provides + options + rule + "\n");
  CHECK(said == (message.empty() ? "" : "plugin.toml:" + message + "\n"));
}

TEST_CASE("a notifier says what messages it wants, in words that are all known here", "[plugin]") {
  const std::string notifier = "[[provides]]\nkind = \"ronda.notifier/1\"\nname = \"chat\"\nsummary = \"s\"\n";
  const MessageWants plain = parsed(head + notifier).provides.at(0).messages;
  CHECK(plain.markup == "plain");
  CHECK_FALSE(plain.each);
  CHECK_FALSE(plain.number);
  CHECK(plain.spacing_ns == 0);

  const MessageWants all =
      parsed(head + notifier + "[provides.messages]\nmarkup = \"mrkdwn\"\neach = true\nspacing = \"1500ms\"\nto = \"number\"\n")
          .provides.at(0)
          .messages;
  CHECK(all.markup == "mrkdwn");
  CHECK(all.each);
  CHECK(all.number);
  CHECK(all.spacing_ns == 1'500'000'000);

  CHECK(
      problems(head + notifier + "[provides.messages]\nmarkup = \"markdown\"\neach = 1\nspacing = \"2m\"\nto = \"phone\"\nmarkupp = 1\n") ==
      "plugin.toml:12:10: error: messages of 'chat': 'markup' is one of \"plain\", \"mrkdwn\", \"html\", \"sms\"\n"
      "plugin.toml:13:8: error: messages of 'chat': 'each' must be true or false, got an integer\n"
      "plugin.toml:15:6: error: messages of 'chat': 'to' is one of \"any\", \"number\"\n"
      "plugin.toml:14:11: error: messages of 'chat': 'spacing' must be a duration of at most \"1m\"\n"
      "plugin.toml:16:1: warning: messages of 'chat': unknown key 'markupp'; did you mean 'markup'?\n");
  CHECK(problems(head + provides + "[provides.messages]\neach = true\n") ==
        "plugin.toml:11:1: error: [[provides]]: 'messages' is for notifiers\n");
}

TEST_CASE("a kind of a later SDK is no error of the manifest", "[plugin]") {
  const Manifest manifest = parsed(head + "[[provides]]\nkind = \"ronda.probe/1\"\nname = \"x\"\nsummary = \"s\"\n");
  CHECK(manifest.provides.at(0).kind == Kind::unknown);
}

TEST_CASE("the examples of the manual are sound", "[plugin]") {
  const Manifest manifest = parsed(head + provides + R"(
  [provides.config]
  command = { type = "list of string", required = true, min_items = 1, doc = "argv" }
  headers = { type = "table of string", doc = "request headers; values may be references" }
  [provides.config.tls]
  type = "table"
  doc = "policy for https"
  [provides.config.tls.keys]
  verify = { type = "bool", default = true, doc = "check the chain and the name" }
  ca = { type = "path", doc = "bundle of trusted certificates" }
  min_days = { type = "int", default = 14, min = 0, unit = "days", doc = "warn below" }
  [provides.config.expect]
  type = "table"
  doc = "what must hold"
  [provides.config.expect.keys]
  status = { type = "list of int", single = true, min = 100, max = 599, default = [200], doc = "codes" }
  json = { type = "table of any", doc = "JSON path to expected value" }
  body = { type = "regex", doc = "must match somewhere in the body" }
  [provides.config.metrics]
  type = "table of table"
  doc = "metrics read from the JSON body, by name"
  [provides.config.metrics.keys]
  path = { type = "string", required = true, doc = "JSON path" }
  unit = { type = "string", default = "", doc = "unit of the value" }
  kind = { type = "enum", choices = ["gauge", "counter"], default = "gauge", doc = "how it moves" }
)");
  const auto& options = manifest.provides.at(0).options;
  REQUIRE(options.size() == 5);
  CHECK(type_name(options[0]) == "list of string");
  CHECK(type_name(options[4]) == "table of table");
  CHECK(options[4].keys.size() == 3);
}
