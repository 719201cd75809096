// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "catch.hpp"
#include "config/build.hpp"

using namespace ronda;
using namespace ronda::config;

namespace {

Generation built_of(const std::string& text, Variables variables = {}) {
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

/// The hash of each instance, by kind and name: what a reload compares.
std::map<std::string, Hash128> hashes(const Generation& generation) {
  std::map<std::string, Hash128> out;
  for (const Instance& one : generation.instances) out[std::string(kind_name(one.kind)) + " " + one.name] = one.hash;
  return out;
}

}  // namespace

TEST_CASE("order, comments and place change nothing, content does", "[config]") {
  const Generation before = built_of(base);
  const auto same = [&](const Generation& other) { return before.fingerprint == other.fingerprint; };
  const Generation moved = built_of(
      "# moved\n[notifier.n]\nuse = \"s\"\n[task.a]\nuse = "
      "\"x\"\n[check.b]\nuse='x'\n[check.a]\nurl='u'\nuse='x'\n");
  CHECK(same(moved));
  CHECK(hashes(before) == hashes(moved));
  CHECK_FALSE(same(built_of(base, {{"U", "other"}})));
  CHECK(same(built_of(base, {{"U", "u"}})));
  CHECK_FALSE(same(built_of(base + "other = 1\n")));
  CHECK_FALSE(same(built_of(base + "[agent]\nlanguage = \"es\"\n")));
  CHECK_FALSE(same(built_of(base + "[contact.c]\nname = \"C\"\n")));
}

TEST_CASE("a changed value or default changes the hash of the instances that use it, and only of them", "[config]") {
  const auto before = hashes(built_of(base)), other = hashes(built_of(base, {{"U", "other"}}));
  CHECK(before.at("check a") != other.at("check a"));
  for (const char* name : {"check b", "task a", "notifier n"}) CHECK(before.at(name) == other.at(name));

  const std::string own = "[check.own]\nuse = \"x\"\ntimeout = \"5s\"\n[check.usual]\nuse = \"x\"\n[task.t]\nuse = \"x\"\n";
  const auto five = hashes(built_of("[defaults.check]\ntimeout = \"5s\"\n" + own));
  const auto six = hashes(built_of("[defaults.check]\ntimeout = \"6s\"\n" + own));
  CHECK(five.at("check usual") != six.at("check usual"));
  CHECK(five.at("check own") == six.at("check own"));
  CHECK(five.at("task t") == six.at("task t"));
}
