// SPDX-License-Identifier: Apache-2.0
// http.request against a real nginx.
#include <fstream>

#include "catch.hpp"
#include "fixture.hpp"
#include "servers.hpp"

namespace {

struct Site {
  TempDir dir;
  int port = free_port(), other_port = free_port();
  std::string base = "http://127.0.0.1:" + std::to_string(port);
  std::string other = "http://127.0.0.1:" + std::to_string(other_port);
  Nginx nginx{dir.path(), servers(), port};

  std::string servers() const {
    std::ofstream(dir.path() + "/big") << std::string(3 << 20, 'x') << "END";
    return "server { listen 127.0.0.1:" + std::to_string(port) + ";\n" +
           R"(location = /ok { return 200 '{"success": true, "metrics": {"error_rate": 0.02, "errors": 7}}'; }
              location = /fail { return 500 '{"success":true}'; }
              location = /vendor { return 200 '{"status":{"indicator":"minor","description":"Slow uploads"}}'; }
              location = /redirect { return 302 /ok?key=secret; }
              location = /loop { return 302 /loop; }
              location = /away { return 302 )" + other + R"(/who; }
              location = /seen { return 200 '{"method":"$request_method","key":"$http_x_api_key","agent":"$http_user_agent","auth":"$http_authorization"}'; }
              location = /big { root )" + dir.path() + "; }\n}\n" + "server { listen 127.0.0.1:" +
           std::to_string(other_port) + R"(; location = /who { return 200 '{"key":"$http_x_api_key","auth":"$http_authorization"}'; } })";
  }
};

Site& site() {
  static Site only;
  return only;
}

}  // namespace

TEST_CASE("an answer as expected is ok, with its phases as metrics", "[http]") {
  host h;
  set_request(h, site().base + "/ok");
  h.set("expect", node::table{{"status", 200}, {"json", node::table{{"success", true}, {"metrics.errors", "< 10"}}}});
  h.set("metrics", node::table{{"error_rate", node::table{{"path", "metrics.error_rate"}, {"unit", "ratio"},
                                                          {"kind", "gauge"}, {"optional", false}}},
                               {"errors", node::table{{"path", "metrics.errors"}, {"unit", ""}, {"kind", "counter"},
                                                      {"optional", false}}}});
  const auto report = run_request(h);
  CHECK(report.is(ronda::status::ok));
  for (const auto* name : {"total", "dns", "connect", "first_byte"}) {
    INFO(name);
    REQUIRE(report.find(name) != nullptr);
    CHECK(report.find(name)->unit == "s");
  }
  CHECK(report.find("tls") == nullptr);
  CHECK(report.find("total")->value > 0);
  CHECK(report.find("size")->value == 63);
  CHECK(report.find("error_rate")->value == 0.02);
  CHECK(report.find("error_rate")->unit == "ratio");
  CHECK(report.find("errors")->counter);
  CHECK(h.broken().empty());
}

TEST_CASE("a 500 that says success is critical", "[http]") {
  host h;
  set_request(h, site().base + "/fail");
  h.set("expect", node::table{{"json", node::table{{"success", true}}}});
  const auto report = run_request(h);
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary.find("HTTP 500, expected 2xx; it took ") == 0);
  CHECK(report.detail == "body: {\"success\":true}");
}

TEST_CASE("status is a code, a class or a list of them", "[http]") {
  auto [expected, holds] = GENERATE(table<node, bool>({{node(500), true},
                                                       {node("5xx"), true},
                                                       {node("4xx"), false},
                                                       {node(node::list{200, "5xx"}), true},
                                                       {node(node::list{200, 404}), false}}));
  host h;
  set_request(h, site().base + "/fail");
  h.set("expect", node::table{{"status", expected}});
  CHECK(run_request(h).is(ronda::status::ok) == holds);
}

TEST_CASE("a vendor's status page is mapped", "[http]") {
  host h;
  set_request(h, site().base + "/vendor");
  h.set("status_map", node::table{{"path", "status.indicator"},
                                  {"values", node::table{{"none", "ok"}, {"minor", "warning"}}},
                                  {"default", "unknown"},
                                  {"text", "status.description"}});
  const auto report = run_request(h);
  CHECK(report.is(ronda::status::warning));
  CHECK(report.summary.find("status.indicator is minor (Slow uploads); HTTP 200 in ") == 0);
}

TEST_CASE("redirects are not followed unless asked for", "[http]") {
  host h;
  set_request(h, site().base + "/redirect");
  auto report = run_request(h);
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary.find("HTTP 302, expected 2xx (a redirect to " + site().base + "/ok, not followed)") == 0);
  h.set("follow_redirects", true);
  report = run_request(h);
  CHECK(report.is(ronda::status::ok));
  CHECK(report.summary.find("after 1 redirects") != std::string::npos);
}

TEST_CASE("a loop of redirects ends at the limit", "[http]") {
  host h;
  set_request(h, site().base + "/loop");
  h.set("follow_redirects", true).set("max_redirects", 3);
  const auto report = run_request(h);
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary == "more than 3 redirects, the last to " + site().base + "/loop");
}

TEST_CASE("what was for one origin is not shown to another", "[http]") {
  host h;
  set_request(h, "http://user:pw@127.0.0.1:" + std::to_string(site().port) + "/away");
  h.set("follow_redirects", true).set("headers", node::table{{"X-Api-Key", "k3y"}});
  h.set("expect", node::table{{"json", node::table{{"key", ""}, {"auth", ""}}}});
  CHECK(run_request(h).is(ronda::status::ok));
}

TEST_CASE("method, headers, userinfo and agent reach the server", "[http]") {
  host h;
  set_request(h, "http://user:pw@127.0.0.1:" + std::to_string(site().port) + "/seen");
  h.set("method", "OPTIONS").set("headers", node::table{{"X-Api-Key", node::secret("k3y")}});
  h.set("expect", node::table{{"json", node::table{{"method", "OPTIONS"}, {"key", "k3y"},
                                                   {"agent", "== pat(ronda/*)"}, {"auth", "Basic dXNlcjpwdw=="}}}});
  CHECK(run_request(h).is(ronda::status::ok));
  CHECK(h.secrets_open() == 0);
  CHECK(h.broken().empty());
}

TEST_CASE("a body past max_body is cut, and the check goes on", "[http]") {
  host h;
  set_request(h, site().base + "/big");
  CHECK(run_request(h).is(ronda::status::ok));
  h.set("expect", node::table{{"body", "END"}});
  auto report = run_request(h);
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary.find("the first 1048576 bytes of the body (max_body) does not contain \"END\"") == 0);
  h.set("max_body", 4 << 20);
  CHECK(run_request(h).is(ronda::status::ok));
}

TEST_CASE("a HEAD request has no body and needs none", "[http]") {
  host h;
  set_request(h, site().base + "/big");
  h.set("method", "HEAD");
  const auto report = run_request(h);
  CHECK(report.is(ronda::status::ok));
  CHECK(report.find("size")->value == 0);
}

TEST_CASE("the environment's proxies are not used", "[http]") {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  host h;
  set_request(h, site().base + "/ok");
  CHECK(run_request(h).is(ronda::status::ok));
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
}

TEST_CASE("a proxy with a scheme that nobody knows is refused at creation and not shown", "[http]") {
  host h;
  set_request(h, "http://127.0.0.1:1/");
  h.set("proxy", "htp://u:proxypw@127.0.0.1:1");
  const auto check = request_check(h);
  REQUIRE_FALSE(check);
  CHECK(check.error().find("its scheme is not http, https, socks4, socks4a, socks5 or socks5h") != std::string::npos);
  CHECK(check.error().find("proxypw") == std::string::npos);
  h.set_secret("proxy", "htp://u:proxypw@127.0.0.1:1");
  const auto report = run_request(h);
  CHECK(report.is(ronda::status::unknown));
  CHECK(report.summary == "proxy: its scheme is not http, https, socks4, socks4a, socks5 or socks5h");
}

TEST_CASE("a status_map that can say nothing is refused", "[http]") {
  const auto [map, why] = GENERATE(table<node::table, std::string>({
      {{{"values", node::table{{"minor", "warning"}}}}, "without `path` there is no word to look up"},
      {{{"text", "words"}}, "without `path` there is no word to look up"},
      {{{"path", "status"}, {"default", "unknown"}}, "without `values` no word stands for a state"},
      {{{"path", "status"}, {"default", "unknown"}, {"values", node::table{}}}, "without `values` no word stands for a state"},
  }));
  host h;
  set_request(h, "http://127.0.0.1:1/");
  h.set("status_map", map);
  const auto check = request_check(h);
  REQUIRE_FALSE(check);
  CHECK(check.error().find(why) != std::string::npos);
}

TEST_CASE("a proxy that is not there tells nothing of the server", "[http]") {
  host h;
  set_request(h, site().base + "/ok");
  h.set("proxy", "http://127.0.0.1:" + std::to_string(free_port()));
  const auto report = run_request(h);
  CHECK(report.is(ronda::status::unknown));
  CHECK(report.summary == "cannot connect to the proxy: Connection refused (by the proxy)");
}

TEST_CASE("nobody there is critical and says so", "[http]") {
  const auto port = std::to_string(free_port());
  host h;
  set_request(h, "http://127.0.0.1:" + port + "/");
  const auto report = run_request(h);
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary == "cannot connect to 127.0.0.1:" + port + ": Connection refused");
  CHECK(report.metrics.empty());
}

TEST_CASE("a name that does not exist is critical and says so", "[http]") {
  host h;
  set_request(h, "http://nowhere.invalid/");
  const auto report = run_request(h);
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary == "the name nowhere.invalid cannot be resolved");
}

TEST_CASE("options that cannot be meant are refused when the instance is created", "[http]") {
  struct Row {
    std::string key;
    node value;
    std::string error;
  };
  const auto row = GENERATE(values<Row>({
      {"url", "ftp://x/", "url: the URL's scheme is 'ftp': only http and https are served"},
      {"headers", node::table{{"a b", "c"}}, "headers: 'a b' is no name of a header"},
      {"headers", node::table{{"a", "b\r\nHost: evil"}},
       "headers: the value of a holds a control character (a line's end, perhaps)"},
      {"tls", node::table{{"verify", false}, {"insecure", false}, {"min_days", 14}},
       "tls: verify = false goes only together with insecure = true: without verification anybody on the way can "
       "answer in the server's place"},
      {"tls", node::table{{"verify", true}, {"insecure", true}, {"min_days", 14}},
       "tls: verify = false goes only together with insecure = true: without verification anybody on the way can "
       "answer in the server's place"},
      {"expect", node::table{{"status", "ok"}},
       "expect.status: a status is a code like 200 or a class like \"2xx\", got 'ok'"},
      {"expect", node::table{{"status", node::list{200, 20}}}, "expect.status[1]: a status code is 100 to 599"},
      {"expect", node::table{{"json", node::table{{"a..b", true}}}},
       "expect.json: JSON path 'a..b': a name is missing before '.b'"},
      {"expect", node::table{{"json", node::table{{"a", "< x"}}}},
       "expect.json.a: condition '< x': '<' compares with one number, for example \"< 5\" or \"< 500ms\""},
  }));
  host h;
  set_request(h, "http://127.0.0.1/");
  h.set(row.key, row.value);
  const auto subject = request_check(h);
  CHECK_FALSE(subject);
  CHECK(subject.error() == row.error);
}
