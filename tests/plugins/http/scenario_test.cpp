// SPDX-License-Identifier: Apache-2.0
// http.scenario against a real nginx.
#include "catch.hpp"
#include "fixture.hpp"
#include "servers.hpp"

namespace {

struct ScenarioSite {
  TempDir dir;
  int port = free_port();
  std::string base = "http://127.0.0.1:" + std::to_string(port);
  Nginx nginx{dir.path(), servers(), port};

  std::string servers() const {
    return "server { listen 127.0.0.1:" + std::to_string(port) + ";\n" +
           R"(location = /login { add_header Set-Cookie "sid=abc"; add_header X-Next "42"; return 200 '{"token":"t/1 x","user":{"id":7}}'; }
              location = /me {
                if ($http_authorization != "Bearer t/1 x") { return 401; }
                if ($cookie_sid != "abc") { return 403; }
                return 200 '{"name":"bob & co"}'; }
              location = /user { if ($args != "name=bob%20%26%20co&id=7") { return 404; } return 200 'page <b>id=99</b>'; }
              location = /cookie { if ($cookie_sid != "") { return 409; } return 200 '{}'; }
              location /item/ { return 200 '{"uri":"$request_uri"}'; }
           })";
  }
};

ScenarioSite& scenario_site() {
  static ScenarioSite only;
  return only;
}

node step(const std::string& name, const std::string& path, node::table more = {}) {
  node::table table{{"name", name}, {"url", scenario_site().base + path}, {"method", "GET"}};
  for (auto& entry : more) table.push_back(std::move(entry));
  return table;
}

node from(const std::string& how, const std::string& what) {
  return node::table{{how, what}};
}

ronda::testing::subject scenario(host& h, node::list steps) {
  set_defaults(h);
  h.set("steps", std::move(steps));
  return plugin().create(h, RONDA_KIND_CHECK, "http.scenario");
}

node login() {
  return step("login", "/login", {{"extract", node::table{{"token", from("json", "token")}, {"id", from("json", "user.id")}}}});
}

node me() {
  return step("me", "/me",
              {{"headers", node::table{{"Authorization", "Bearer {{token}}"}}}, {"extract", node::table{{"who", from("json", "name")}}}});
}

}  // namespace

TEST_CASE("values and cookies are passed on, escaped for their place", "[http]") {
  host h;
  auto check = scenario(
      h, {login(), me(), step("page", "/user?name={{who}}&id={{id}}", {{"extract", node::table{{"n", from("regex", "id=([0-9]+)")}}}}),
          step("item", "/item/{{n}}", {{"expect", node::table{{"json", node::table{{"uri", "/item/99"}}}}}})});
  REQUIRE(check);
  const auto report = check.run();
  CHECK(report.is(ronda::status::ok));
  CHECK(report.summary.find("4 steps in ") == 0);
  CHECK(report.find("steps_done")->value == 4);
  for (const auto* name : {"login", "me", "page", "item"}) CHECK(report.find("step", {{"step", name}}) != nullptr);
  CHECK(h.broken().empty());
}

TEST_CASE("it stops at the first step that fails, and names it", "[http]") {
  host h;
  auto check = scenario(h, {login(), step("me", "/me"), step("never", "/user")});
  const auto report = check.run();
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary == "step 2 of 3 (me): HTTP 401, expected 2xx");
  CHECK(report.find("steps_done")->value == 1);
  CHECK(report.find("step", {{"step", "never"}}) == nullptr);
  CHECK(report.find("total") == nullptr);
}

TEST_CASE("a value that is not there stops it", "[http]") {
  auto [how, what, text] = GENERATE(table<std::string, std::string, std::string>({{"json", "nowhere", "nowhere"},
                                                                                  {"header", "X-No", "header X-No"},
                                                                                  {"regex", "x{9}", "a match of 'x{9}'"},
                                                                                  {"json", "user", "user"}}));
  host h;
  auto check = scenario(h, {step("login", "/login", {{"extract", node::table{{"v", from(how, what)}}}})});
  CHECK(check.run().summary == "step 1 of 1 (login): {{v}}: there is no text at " + text);
}

TEST_CASE("a header's value can be taken", "[http]") {
  host h;
  auto check = scenario(h, {step("a", "/login", {{"extract", node::table{{"next", from("header", "x-next")}}}}),
                            step("b", "/item/{{next}}", {{"expect", node::table{{"body", "/item/42"}}}})});
  CHECK(check.run().is(ronda::status::ok));
}

TEST_CASE("cookies live for one run", "[http]") {
  host h;
  auto check = scenario(h, {step("clean", "/cookie"), login()});
  for (int i = 0; i < 3; ++i) CHECK(check.run().is(ronda::status::ok));
}

TEST_CASE("a scenario that cannot be meant is refused when it is created", "[http]") {
  struct Row {
    node step;
    std::string error;
  };
  const auto row = GENERATE(values<Row>({
      {step("a", "/{{token}}"), "steps[0].url: no earlier step extracts {{token}}"},
      {node::table{{"name", "a"}, {"method", "GET"}, {"url", "http://{{host}}/"}},
       "steps[0].url: {{name}} may stand in the path and the query only, not in scheme, host or port"},
      {step("a", "/", {{"body", "{{x"}}), "steps[0].body: '{{' is not closed by '}}'"},
      {step("a", "/", {{"extract", node::table{{"v", node::table{{"json", "a"}, {"header", "b"}}}}}}),
       "steps[0].extract.v: give exactly one of json, regex and header"},
      {step("a", "/", {{"extract", node::table{{"a-b", from("json", "a")}}}}),
       "steps[0].extract.a-b: '{{a-b}}': a name has letters, digits and '_' only"},
  }));
  host h;
  const auto check = scenario(h, {row.step});
  CHECK_FALSE(check);
  CHECK(check.error() == row.error);
}
