// SPDX-License-Identifier: Apache-2.0
// cfg<T> and value, seen from a class that is created by the fake host.
#include <ronda/testing.hpp>

#include "catch.hpp"

using namespace std::chrono_literals;
using ronda::testing::host;
using ronda::testing::make;
using ronda::testing::node;

namespace {

struct Everything : ronda::check {
  bool flag = ronda::cfg<bool>("flag");
  int count = ronda::cfg<int>("count");
  std::uint16_t port = ronda::cfg<std::uint16_t>("port");
  double share = ronda::cfg<double>("share");
  std::string name = ronda::cfg<std::string>("name");
  std::chrono::nanoseconds wait = ronda::cfg<std::chrono::nanoseconds>("wait");
  std::chrono::seconds coarse = ronda::cfg<std::chrono::seconds>("wait");
  ronda::wall_time since = ronda::cfg<ronda::wall_time>("since");
  std::vector<std::string> words = ronda::cfg<std::vector<std::string>>("words");
  std::map<std::string, double> limits = ronda::cfg<std::map<std::string, double>>("limits");
  std::optional<double> absent = ronda::cfg<std::optional<double>>("absent");
  std::optional<int> present = ronda::cfg<std::optional<int>>("count");
  ronda::value steps = ronda::cfg<ronda::value>("steps");
  ronda::result run(ronda::call&) override { return ronda::ok(); }
};

void fill(host& h) {
  h.set("flag", true).set("count", 3).set("port", 443).set("share", 0.8).set("name", "x").set("wait", 1500ms);
  h.set("since", ronda::wall_time(5s)).set("words", node::list{"a", "b"});
  h.set("limits", node::table{{"low", 1}, {"high", 2.5}});
  h.set("steps",
        node::list{node::table{{"url", "/a"}, {"codes", node::list{200, 204}}}, node::table{{"url", "/b"}}});
}

template <class T>
struct Reads : ronda::check {
  T got = ronda::cfg<T>("key");
  ronda::result run(ronda::call&) override { return ronda::ok(); }
};

template <class T>
std::string why_not(node given) {
  host h;
  h.set("key", std::move(given));
  return make<Reads<T>>(h).error();
}

}  // namespace

TEST_CASE("cfg reads every type a manifest can declare", "[sdk]") {
  host h;
  fill(h);
  auto made = make<Everything>(h);
  REQUIRE(made);
  auto& e = made.as<Everything>();
  CHECK(e.flag);
  CHECK(e.count == 3);
  CHECK(e.port == 443);
  CHECK(e.share == 0.8);
  CHECK(e.name == "x");
  CHECK(e.wait == 1500ms);
  CHECK(e.coarse == 1s);
  CHECK(e.since.time_since_epoch() == 5s);
  CHECK(e.words == std::vector<std::string>{"a", "b"});
  CHECK(e.limits == std::map<std::string, double>{{"low", 1}, {"high", 2.5}});
  CHECK_FALSE(e.absent);
  CHECK(e.present == 3);
}

TEST_CASE("a value walks lists and tables and outlives create", "[sdk]") {
  host h;
  fill(h);
  auto made = make<Everything>(h);
  const ronda::value& steps = made.as<Everything>().steps;
  REQUIRE(steps.size() == 2);
  CHECK(steps.is_list());
  CHECK(steps.at(0)["url"].as<std::string>() == "/a");
  CHECK(steps.at(0)["codes"].as<std::vector<int>>() == std::vector<int>{200, 204});
  CHECK(steps.at(1)["codes"].is_none());
  CHECK(steps.at(0).key(1) == "codes");
  CHECK(steps.at(0).at(1).path() == "steps[0].codes");
  CHECK(steps.at(9).is_none());
  CHECK(steps["no table"].is_none());
  CHECK_THROWS_WITH(steps.at(1)["url"].as<int>(), "config key 'steps[1].url' is a string, not an integer");
}

TEST_CASE("a key of another type fails create with the key's name", "[sdk]") {
  CHECK(why_not<int>("x") == "config key 'key' is a string, not an integer");
  CHECK(why_not<std::string>(3) == "config key 'key' is an integer, not a string");
  CHECK(why_not<bool>(1) == "config key 'key' is an integer, not a bool");
  CHECK(why_not<double>(true) == "config key 'key' is a bool, not a number");
  CHECK(why_not<std::vector<int>>(3) == "config key 'key' is an integer, not a list");
  CHECK(why_not<std::vector<int>>(node::list{1, "x"}) == "config key 'key[1]' is a string, not an integer");
  CHECK(why_not<std::map<std::string, int>>(node::table{{"a", false}}) ==
        "config key 'key.a' is a bool, not an integer");
  CHECK(why_not<std::int8_t>(300) == "config key 'key' is an integer, not an integer that fits");
  CHECK(why_not<unsigned>(-1) == "config key 'key' is an integer, not an integer that fits");
  CHECK(why_not<std::uint64_t>(-1) == "config key 'key' is an integer, not an integer that fits");
  CHECK(why_not<int>(node()) == "config key 'key' has no value (wanted an integer)");
  CHECK(why_not<std::string>(node::secret("pw")) ==
        "config key 'key' is a secret, not a string: a secret is read by secret()");
}

TEST_CASE("an integer is taken where a number is asked for", "[sdk]") {
  CHECK(why_not<double>(3) == "");
}

TEST_CASE("cfg outside create throws and names the rule", "[sdk]") {
  CHECK_THROWS_AS(ronda::cfg<int>("x"), std::logic_error);
  CHECK_THROWS_WITH(ronda::cfg<int>("x"),
                    "cfg() works only while the host creates an instance: in member initialisers and "
                    "constructors (RONDA-P-020)");
  CHECK_THROWS_AS(Reads<int>(), std::logic_error);
}

TEST_CASE("without ronda.config/1 every key is absent", "[sdk]") {
  host h;
  h.set("key", 1).deny(RONDA_SERVICE_CONFIG);
  CHECK(make<Reads<int>>(h).error() == "config key 'key' has no value (wanted an integer)");
}
