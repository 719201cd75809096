// SPDX-License-Identifier: Apache-2.0
// Files of `ronda rules test`: what they say and what is wrong with them; the verb itself is in tests/cli.
#include "rule/test_file.hpp"
#include "config/toml.hpp"
#include "support.hpp"

using namespace ronda;
using namespace ronda::rule;
using namespace ronda::test;

namespace {

/// What is printed of a file: errors, else differences, else "ok".
std::string outcome(const std::string& text) {
  const config::Sources sources{{"rules.toml", text, false}};
  config::Diagnostics told;
  const auto root = config::parse_toml(text, 0, told);
  REQUIRE(root);
  auto file = read_test_file(*root, {}, told);
  if (file) {
    const RuleSet rules = rules_of({}, *file, sources, told);
    if (!told.has_errors()) {
      for (const Difference& one : run_tests(*file, rules).differences) told.error(one.place, one.test + ": " + one.message);
      if (!told.has_errors()) return "ok";
    }
  }
  told.sort();
  return config::render_all(told, sources);
}

const std::string head = R"([check.api]
every = "30s"
timeout = "10s"
[alert.errors]
p1 = "api.error_rate > 5%"
p2 = "api.error_rate > 1%"
for = { p2 = "1m" }
)";

std::string with_test(const std::string& series, const std::string& expect) {
  return head + "[[test]]\nname = \"errors\"\n" + series + expect;
}

const std::string series = "[[test.series]]\ncheck = \"api\"\nmetric = \"error_rate\"\n";
std::string expect(const std::string& at, const std::string& what) {
  return "[[test.expect]]\nat = \"" + at + "\"\nalert = \"errors\"\n" + what + "\n";
}

}  // namespace

TEST_CASE("a test of rules holds when every level is as expected at its instant", "[rule]") {
  CHECK(outcome(with_test(series + "values = [\"0%\", \"6% x2\", \"none x3\", \"2% to 4% x3\", \"0% x2\"]\n",
                          expect("0s", "level = \"none\"") + expect("30s", "level = \"p1\"") + expect("1m", "no_data = false") +
                              expect("2m", "no_data = true\nlevel = \"p1\"") + expect("3m30s", "level = \"p1\"") +
                              expect("4m", "level = \"p2\"") + expect("5m", "level = \"none\"\nfired = 1"))) ==
        "rules.toml:34:9: error: errors: alert errors at 3m30s has level p2, expected p1: api.error_rate is 2%, above 1%\n"
        "  level = \"p1\"\n"
        "          ^\n");
}

TEST_CASE("values come as texts, numbers, repeats, steps and single points", "[rule]") {
  CHECK(outcome(with_test(series + "values = [\"0%\", 0, 0.06]\npoints = { \"45s\" = \"7%\" }\n",
                          expect("30s", "level = \"none\"") + expect("45s", "level = \"p1\"") + expect("1m", "level = \"p1\""))) == "ok");
  CHECK(outcome(with_test(series + "values = [\"0%\", \"0%\"]\npoints = { \"45s\" = \"7%\" }\n",
                          expect("44s", "level = \"none\"") + expect("45s", "level = \"p1\""))) == "ok");
}

TEST_CASE("statuses, parents and tasks are given too", "[rule]") {
  const std::string text = R"([check.network]
[check.api]
every = "30s"
after = ["network"]
severity = "p1"
[alert.dump-old]
p2 = "age(task.dump) > 26h or api.status == warning"
[[test]]
name = "blocked"
[[test.series]]
check = "network"
metric = "status"
every = "30s"
values = ["ok x2", "critical x5"]
[[test.series]]
check = "api"
metric = "status"
values = ["ok", "critical x6"]
[[test.task]]
task = "dump"
success = "0s"
[[test.expect]]
at = "30s"
alert = "api"
level = "p1"
[[test.expect]]
at = "1m"
alert = "api"
level = "none"
blocked_by = "network"
)";
  CHECK(outcome(text) == "ok");
}

TEST_CASE("what is wrong with a test file is told at its place, all of it", "[rule]") {
  CHECK(outcome(head) == "rules.toml:1:2: error: no [[test]] stands in this file\n  [check.api]\n   ^\n");
  CHECK(
      outcome(with_test(series + "values = [\"0%\", \"6% x\", \"lots\"]\nkid = \"counter\"\n", expect("1q", "level = \"p7\""))) ==
      R"(rules.toml:13:17: error: `values`: "" is no number of times from 1 to 100000; write for example "6%", "6% x10", "none x3" or "0% to 10% x5"
  values = ["0%", "6% x", "lots"]
                  ^
rules.toml:13:25: error: `values`: "lots" is not a number, nor a number with a unit; write for example "6%", "6% x10", "none x3" or "0% to 10% x5"
  values = ["0%", "6% x", "lots"]
                          ^
rules.toml:14:1: error: unknown key `kid`; did you mean `kind`?
  kid = "counter"
  ^
rules.toml:16:6: error: `at`: "1q" is not a duration; write for example "30s", "5m" or "1h30m"
  at = "1q"
       ^
rules.toml:18:9: error: `level` must be "none", "p1", "p2", "p3" or "p4", got "p7"; did you mean "p1"?
  level = "p7"
          ^
)");
  CHECK(outcome(with_test("", expect("1m", "level = \"p1\"\n[[test.expect]]\nat = \"1m\"\nalert = \"erors\"\nlevel = \"p1\""))) ==
        "rules.toml:17:9: error: errors: alert erors at 1m is not there; did you mean errors?\n  level = \"p1\"\n          ^\n");
}

TEST_CASE("an alert that the tests do not name is not looked at", "[rule]") {
  CHECK(outcome(head + "[alert.other]\np1 = \"api.other > 5\"\n[[test]]\nname = \"x\"\n" + series + "values = [\"6%\"]\n" +
                expect("0s", "level = \"p1\"")) == "ok");
}
