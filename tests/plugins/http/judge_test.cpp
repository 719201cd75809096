// SPDX-License-Identifier: Apache-2.0
// Verdicts and failures over values, with no network.
#include <curl/curl.h>

#include "catch.hpp"
#include "expect.hpp"
#include "failure.hpp"

using namespace http;

namespace {

constexpr std::int64_t now = 1'800'000'000;

Exchange answer(int status, std::string_view body) {
  Exchange exchange;
  exchange.end = Exchange::End::answered;
  exchange.status = status;
  exchange.body = body;
  exchange.size = body.size();
  exchange.timings.total = 0.25;
  return exchange;
}

Rules success_rules() {
  Rules rules;
  rules.expect.json.emplace_back(*parse_json_path("success"), Condition::equals(true));
  return rules;
}

ronda::result judged(const Exchange& exchange, const Rules& rules) {
  Document document;
  return judge(exchange, rules, document, now).result;
}

Ending ending(int code, std::string text = {}) {
  Ending e;
  e.code = code;
  e.text = std::move(text);
  e.total = 5;
  return e;
}

}  // namespace

TEST_CASE("status AND body must hold", "[http]") {
  struct Row {
    int status;
    std::string body;
    ronda::status verdict;
    std::string summary;
  };
  const auto row = GENERATE(values<Row>({
      {200, "{\"success\":true}", ronda::status::ok, "HTTP 200 in 250ms"},
      {200, "{\"success\": true }", ronda::status::ok, "HTTP 200 in 250ms"},
      {500, "{\"success\":true}", ronda::status::critical, "HTTP 500, expected 2xx; it took 250ms"},
      {200, "{\"success\":false}", ronda::status::critical, "success is false, expected true; HTTP 200 in 250ms"},
      {200, "{\"success\":\"true\"}", ronda::status::critical, "success is \"true\", expected true; HTTP 200 in 250ms"},
      {200, "{}", ronda::status::critical, "success is nothing, expected true; HTTP 200 in 250ms"},
      {200, "", ronda::status::critical, "the body is empty, not JSON; HTTP 200 in 250ms"},
      {204, " \r\n", ronda::status::critical, "the body is empty, not JSON; HTTP 204 in 250ms"},
      {200, "<html>", ronda::status::critical, "the body is not JSON (syntax error); HTTP 200 in 250ms"},
      {500, "{\"success\":false}", ronda::status::critical,
       "HTTP 500, expected 2xx; success is false, expected true; it took 250ms"},
  }));
  const auto exchange = answer(row.status, row.body);
  const auto result = judged(exchange, success_rules());
  INFO(row.status << " " << row.body);
  CHECK(result.status == row.verdict);
  CHECK(result.summary == row.summary);
}

TEST_CASE("a redirect that is not followed names its target, without its query", "[http]") {
  auto exchange = answer(302, "");
  exchange.headers = "HTTP/1.1 302 Found\r\nLocation: https://user:pw@shop.example/login?token=secret\r\n\r\n";
  CHECK(judged(exchange, {}).summary ==
        "HTTP 302, expected 2xx (a redirect to https://shop.example/login, not followed); it took 250ms");
}

TEST_CASE("a redirect to what is no http shows no user and no password either", "[http]") {
  const auto [target, shown] = GENERATE(table<std::string, std::string>({
      {"ftp://u:s3cret@files.example/x?y=s3cret", "ftp://files.example/x"},
      {"//u:s3cret@files.example/x", "//files.example/x"},
      {"ftp://u:s3/cret@files.example/x", "ftp://files.example/x"},
      {"/login#s3cret", "/login"},
      {"/people/a@b", "/people/a@b"},
  }));
  auto exchange = answer(302, "");
  const auto headers = "HTTP/1.1 302 Found\r\nLocation: " + target + "\r\n\r\n";
  exchange.headers = headers;
  CHECK(judged(exchange, {}).summary == "HTTP 302, expected 2xx (a redirect to " + shown + ", not followed); it took 250ms");
}

TEST_CASE("body, expression and headers are expectations too", "[http]") {
  Rules rules;
  rules.expect.body = "Welcome";
  rules.expect.body_regex = *Regex::compile("v[0-9]+");
  rules.expect.headers.emplace_back("content-type", *Condition::from_text("~ ^text/html"));
  auto exchange = answer(200, "Welcome to v2");
  exchange.headers = "HTTP/1.1 200 OK\r\nContent-Type:  text/html; charset=utf-8 \r\n\r\n";
  CHECK(judged(exchange, rules).status == ronda::status::ok);
  exchange.body = "nothing";
  exchange.headers = "HTTP/1.1 200 OK\r\n\r\n";
  CHECK(judged(exchange, rules).summary ==
        "header content-type is nothing, expected ~ ^text/html; the body does not contain \"Welcome\"; "
        "the body does not match \"v[0-9]+\"; HTTP 200 in 250ms");
  exchange.body_cut = true;
  CHECK(judged(exchange, rules).summary.find("the first 7 bytes of the body (max_body) does not contain") !=
        std::string::npos);
}

TEST_CASE("a body past max_body is no JSON, and matters to nothing else", "[http]") {
  auto exchange = answer(200, "{\"success\":");
  exchange.body_cut = true;
  CHECK(judged(exchange, success_rules()).summary ==
        "the body is larger than 11 bytes (max_body), too large to be read as JSON; HTTP 200 in 250ms");
  CHECK(judged(exchange, {}).status == ronda::status::ok);
}

TEST_CASE("a body that is small as text and large as a document is told, and costs no more than the limit", "[http]") {
  std::string body = "[[]";
  while (body.size() < (std::size_t{10} << 20)) body += ",[]";
  const auto result = judged(answer(200, body + "]"), success_rules());
  CHECK(result.status == ronda::status::critical);
  CHECK(result.summary == "the body read as JSON takes more than 64 MiB of memory: lower max_body; HTTP 200 in 250ms");
  CHECK(judged(answer(200, "{\"success\":true}"), success_rules()).status == ronda::status::ok);
}

TEST_CASE("a vendor's word stands for a state", "[http]") {
  Rules rules;
  StatusMap map;
  map.path = *parse_json_path("status.indicator");
  map.values = {{"none", ronda::status::ok}, {"minor", ronda::status::warning}, {"major", ronda::status::critical}};
  map.text = *parse_json_path("status.description");
  rules.status_map = map;
  auto [word, state, summary] = GENERATE(table<std::string, ronda::status, std::string>({
      {"none", ronda::status::ok, "status.indicator is none (words); HTTP 200 in 250ms"},
      {"minor", ronda::status::warning, "status.indicator is minor (words); HTTP 200 in 250ms"},
      {"major", ronda::status::critical, "status.indicator is major (words); HTTP 200 in 250ms"},
      {"new", ronda::status::unknown,
       "status.indicator is new, which status_map does not list (words); HTTP 200 in 250ms"},
  }));
  const auto body = "{\"status\":{\"indicator\":\"" + word + "\",\"description\":\"words\"}}";
  CHECK(judged(answer(200, body), rules).status == state);
  CHECK(judged(answer(200, body), rules).summary == summary);
  CHECK(judged(answer(200, "{}"), rules).summary == "there is nothing at status.indicator; HTTP 200 in 250ms");
  CHECK(judged(answer(200, "{}"), rules).status == ronda::status::unknown);
}

TEST_CASE("metrics come from the body, and one that is missing is unknown", "[http]") {
  Rules rules;
  rules.metrics.push_back({"error_rate", *parse_json_path("metrics.error_rate"), "ratio", false, false});
  rules.metrics.push_back({"up", *parse_json_path("up"), "", false, false});
  rules.metrics.push_back({"later", *parse_json_path("later"), "", false, true});
  Document document;
  auto verdict = judge(answer(200, R"({"metrics":{"error_rate":"0.02"},"up":true})"), rules, document, now);
  CHECK(verdict.result.status == ronda::status::ok);
  REQUIRE(verdict.metrics.size() == 2);
  CHECK(verdict.metrics[0].value == 0.02);
  CHECK(verdict.metrics[1].value == 1);
  verdict = judge(answer(200, R"({"metrics":{},"up":"yes"})"), rules, document, now);
  CHECK(verdict.result.status == ronda::status::unknown);
  CHECK(verdict.result.summary ==
        "metric error_rate: metrics.error_rate is nothing, not a number; metric up: up is \"yes\", not a number; "
        "HTTP 200 in 250ms");
}

TEST_CASE("a certificate that ends soon is a warning", "[http]") {
  Rules rules;
  rules.min_days = 14;
  auto exchange = answer(200, "");
  exchange.https = true;
  exchange.certificate_end = now + 5 * 86400;
  CHECK(judged(exchange, rules).status == ronda::status::warning);
  CHECK(judged(exchange, rules).summary ==
        "the certificate ends in 5 days (2027-01-20), fewer than 14; HTTP 200 in 250ms");
  exchange.certificate_end = now + 14 * 86400;
  CHECK(judged(exchange, rules).status == ronda::status::ok);
  rules.min_days = 0;
  exchange.certificate_end = now + 60;
  CHECK(judged(exchange, rules).status == ronda::status::ok);
}

TEST_CASE("verification switched off shows in every summary", "[http]") {
  auto exchange = answer(200, "");
  exchange.https = true;
  exchange.verified = false;
  CHECK(judged(exchange, {}).summary == "HTTP 200 in 250ms (TLS certificate NOT verified)");
}

TEST_CASE("an answer that is wrong shows its beginning", "[http]") {
  const std::string body(1000, 'x');
  CHECK(judged(answer(503, body), {}).detail == "body: " + std::string(256, 'x') + "...");
}

TEST_CASE("a failure names its phase", "[http]") {
  const auto url = *parse_url("https://user:pw@shop.example:8443/a?key=secret");
  auto e = ending(CURLE_OPERATION_TIMEDOUT);
  CHECK(explain(e, url).text == "timeout while resolving the name shop.example (5s)");
  e.resolved = 0.1;
  CHECK(explain(e, url).text == "timeout while connecting to shop.example:8443 (5s)");
  e.handshake_began = true;
  CHECK(explain(e, url).text == "timeout in the TLS handshake with shop.example:8443 (5s)");
  e.ready = 0.3;
  CHECK(explain(e, url).text == "timeout while waiting for the first byte of the answer (5s)");
  e.first_byte = 0.4;
  e.received = 12;
  CHECK(explain(e, url).text == "timeout while reading the answer, 12 bytes of body so far (5s)");
  CHECK(explain(e, url).end == Exchange::End::failed);
}

TEST_CASE("a failure names its cause, and whose it is", "[http]") {
  const auto url = *parse_url("http://127.0.0.1:9/");
  auto refused = ending(CURLE_COULDNT_CONNECT);
  refused.os_errno = ECONNREFUSED;
  CHECK(explain(refused, url).text == "cannot connect to 127.0.0.1:9: Connection refused");
  CHECK(explain(refused, url).end == Exchange::End::failed);
  refused.by_proxy = true;
  CHECK(explain(refused, url).text == "cannot connect to the proxy: Connection refused (by the proxy)");
  CHECK(explain(refused, url).end == Exchange::End::undetermined);
  CHECK(explain(ending(CURLE_PEER_FAILED_VERIFICATION, "certificate has expired"), url).text ==
        "TLS: certificate has expired");
  CHECK(explain(ending(CURLE_SSL_CACERT_BADFILE, "x"), url).end == Exchange::End::undetermined);
  CHECK(explain(ending(CURLE_GOT_NOTHING), url).text == "the server closed the connection without an answer");
}

TEST_CASE("a URL is shown without userinfo and query", "[http]") {
  const auto url = parse_url("https://user:pw@Shop.example/a/b?key=secret#x");
  REQUIRE(url);
  CHECK(url->shown == "https://Shop.example/a/b");
  CHECK(url->origin == "https://Shop.example:443");
  CHECK(parse_url("http://[::1]:80/")->host_is_address);
  CHECK(parse_url("http://[::1]:8080/")->shown == "http://[::1]:8080/");
}

TEST_CASE("what is no http URL is refused without repeating it", "[http]") {
  CHECK(parse_url("file:///etc/passwd").error() == "the URL's scheme is 'file': only http and https are served");
  CHECK(parse_url("gopher://u:secret@x/").error() == "the URL's scheme is 'gopher': only http and https are served");
  CHECK(parse_url("http://u:secret@x:port/").error().find("secret") == std::string::npos);
  CHECK_FALSE(parse_url(""));
  CHECK_FALSE(parse_url("shop"));
  CHECK_FALSE(parse_url(std::string("http://x/\0y", 11)));
}
