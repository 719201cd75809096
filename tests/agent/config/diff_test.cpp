// SPDX-License-Identifier: Apache-2.0
#include "config/diff.hpp"

#include "catch.hpp"
#include "config/build.hpp"

using namespace ronda;
using namespace ronda::config;

namespace {

Generation build(const std::string& text, Variables variables = {}) {
  Environment environment;
  environment.variables = std::move(variables);
  Diagnostics diagnostics;
  Generation generation = build_generation({{"a.toml", text, false}}, environment, diagnostics);
  INFO(render_all(diagnostics, {{"a.toml", text, false}}));
  REQUIRE_FALSE(diagnostics.has_errors());
  return generation;
}

const std::string base =
    "[check.a]\nuse = \"x\"\nurl = \"${env:U:-u}\"\n[check.b]\nuse = \"x\"\n[task.a]\nuse = "
    "\"x\"\n[notifier.n]\nuse = \"s\"\n";

}  // namespace

TEST_CASE("a reload is told by names: kept, replaced, added, removed", "[config]") {
  const Generation before = build(base);
  const Generation after =
      build("[check.a]\nuse = \"x\"\nurl = \"v\"\n[check.c]\nuse = \"x\"\n[task.a]\nuse = \"x\"\n");
  const Diff got = diff(before, after);
  CHECK(counts_text(got) == "1 kept, 1 replaced, 1 added, 2 removed");
  CHECK(names_text(got, 9) == "replaced check a; added check c; removed check b, notifier n");
  CHECK(names_text(got, 1) == "replaced check a; added check c; removed check b and 1 more");
  CHECK(counts_text(diff(after, before)) == "1 kept, 1 replaced, 2 added, 1 removed");
  CHECK(diff(before, before).empty());
}

TEST_CASE("order, comments and place change nothing, content does", "[config]") {
  const Generation before = build(base);
  const auto same = [&](const Generation& other) {
    return diff(before, other).empty() && before.fingerprint == other.fingerprint;
  };
  CHECK(
      same(build("# moved\n[notifier.n]\nuse = \"s\"\n[task.a]\nuse = "
                 "\"x\"\n[check.b]\nuse='x'\n[check.a]\nurl='u'\nuse='x'\n")));
  CHECK_FALSE(same(build(base, {{"U", "other"}})));
  CHECK(same(build(base, {{"U", "u"}})));
  CHECK_FALSE(same(build(base + "other = 1\n")));
  CHECK_FALSE(same(build(base + "[agent]\nlanguage = \"es\"\n")));
  CHECK_FALSE(same(build(base + "[contact.c]\nname = \"C\"\n")));
}

TEST_CASE("a changed default replaces the instances that use it, and only them", "[config]") {
  const std::string defaults = "[defaults.check]\ntimeout = \"5s\"\n";
  const std::string own =
      "[check.own]\nuse = \"x\"\ntimeout = \"5s\"\n[check.usual]\nuse = \"x\"\n[task.t]\nuse = \"x\"\n";
  const Diff got = diff(build(defaults + own), build("[defaults.check]\ntimeout = \"6s\"\n" + own));
  CHECK(names_text(got, 9) == "replaced check usual");
  CHECK(got.kept == 2);
}
