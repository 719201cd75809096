// SPDX-License-Identifier: Apache-2.0
// The pure parts: Retry-After, statuses, texts, URLs, secrets, alerts.
#include "catch.hpp"
#include "outgoing/alert.hpp"
#include "outgoing/outcome.hpp"
#include "outgoing/retry_after.hpp"
#include "outgoing/secrets.hpp"
#include "outgoing/text.hpp"

using namespace outgoing;
using namespace std::chrono_literals;

TEST_CASE("Retry-After is seconds or a date of HTTP, up to one hour", "[outgoing]") {
  constexpr std::int64_t now = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
  const auto [text, wait] = GENERATE(table<std::string, std::optional<std::chrono::seconds>>({
      {"0", 0s},
      {"120", 120s},
      {" 120\r\n", 120s},
      {"3600", 3600s},
      {"3601", 3600s},
      {"18446744073709551617", 3600s},
      {"Sun, 06 Nov 1994 08:50:37 GMT", 60s},
      {"Sunday, 06-Nov-94 08:50:37 GMT", 60s},
      {"Sun Nov  6 08:50:37 1994", 60s},
      {"Sun, 06 Nov 1994 08:49:36 GMT", 0s},
      {"Thu, 31 Dec 2099 23:59:59 GMT", 3600s},
      {"", std::nullopt},
      {"soon", std::nullopt},
      {"-1", std::nullopt},
      {"1.5", std::nullopt},
      {"1e3", std::nullopt},
      {std::string(100000, 'a'), std::nullopt},
  }));
  INFO(text.substr(0, 60));
  CHECK(parse_retry_after(text, now) == wait);
}

TEST_CASE("each status means one of three things", "[outgoing]") {
  for (int status = 100; status < 700; ++status) {
    INFO(status);
    const bool later = status == 408 || status == 425 || status == 429 || (status >= 500 && status <= 599);
    const auto expected = status >= 200 && status <= 299 ? Meaning::taken : later ? Meaning::later : Meaning::refused;
    CHECK(meaning_of(status) == expected);
  }
  CHECK(meaning_of(0) == Meaning::later);
}

TEST_CASE("a refusal tells what the answer says, in one line and not too much", "[outgoing]") {
  Answer answer;
  answer.status = 400;
  answer.body = "bad\r\n\tthing \x1b[31m" + std::string(1000, 'x');
  const auto outcome = outcome_of(answer, 0);
  CHECK(outcome.summary.find("HTTP 400: bad thing [31mxxx") == 0);
  CHECK(outcome.summary.size() < 220);
  answer.status = 401;
  answer.body = "";
  CHECK(outcome_of(answer, 0).summary == "HTTP 401; are the credentials right, and may they do this?");
}

TEST_CASE("texts are cut where a character ends", "[outgoing]") {
  CHECK(cut_characters("año", 3) == "año");
  CHECK(cut_characters("años", 3) == "añ…");
  CHECK(cut_characters("😀😀😀", 2) == "😀…");
  CHECK(cut_characters("ab", 1) == "…");
  CHECK(cut_characters("", 1).empty());
  CHECK(cut_characters("\xf0\x9f\x98", 5) == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(one_line(" a \n\n b\t", 10) == "a b");
}

TEST_CASE("times are RFC 3339 in UTC", "[outgoing]") {
  CHECK(rfc3339(ronda::wall_time(1795914000250ms)) == "2026-11-29T01:00:00.250Z");
  CHECK(rfc3339(ronda::wall_time(0ns)) == "1970-01-01T00:00:00.000Z");
  for (const char* good : {"2026-11-29T01:00:00Z", "2026-11-29T01:00:00.25Z", "2026-11-29T01:00:00.123456789-03:00"}) {
    INFO(good);
    CHECK(is_rfc3339(good));
  }
  for (const char* bad : {"", "2026-11-29", "2026-11-29 01:00:00Z", "2026-11-29T01:00:00", "2026-11-29T01:00:00Zx", "2026-11-29T01:00:00.Z",
                          "2026-11-29T01:00:00+0300", "yesterday"}) {
    INFO(bad);
    CHECK_FALSE(is_rfc3339(bad));
  }
}

TEST_CASE("a URL is shown as host and port, whatever else it holds", "[outgoing]") {
  const auto url = parse_url("https://user:pass@hooks.example.com/services/T0/B0/secret?x=y");
  REQUIRE(url);
  CHECK(url->peer == "hooks.example.com:443");
  CHECK(url->https);
  CHECK_FALSE(url->host_is_address);
  CHECK(parse_url("http://[::1]:8080/")->peer == "[::1]:8080");
  CHECK(parse_url("ftp://secret-host/").error() == "the URL's scheme is neither http nor https");
  CHECK(parse_url("http:///secret-path").error().find("secret") == std::string::npos);
  CHECK(parse_url("").error().find("the URL cannot be read: ") == 0);
  CHECK(join_url("https://a.example/v1//", "b") == "https://a.example/v1/b");
}

TEST_CASE("a secret is hidden whole and in parts, an innocent word is not", "[outgoing]") {
  Secrets secrets({});
  secrets.hide("xoxb-1234567890");
  secrets.hide("short");
  CHECK(secrets.without("token xoxb-1234567890 is short") == "token *** is short");
  CHECK(secrets.without("xoxb-1234567890xoxb-1234567890") == "******");
  // as a server may say it back
  secrets.hide("k3y/+of mine");
  CHECK(secrets.without("at /hook?key=k3y%2F%2Bof%20mine or k3y%2f%2bof%20mine") == "at /hook?key=*** or ***");
  CHECK(secrets.without("Basic YTprM3kvK29mIG1pbmU=, AAAAazN5LytvZiBtaW5l, YWJrM3kvK29mIG1pbmVjZA==") ==
        "Basic YTp***U=, AAAA***, YWJ***VjZA==");
}

TEST_CASE("a fingerprint is FNV-1a over the labels by name", "[outgoing]") {
  // alertmanager_test.cpp asks Alertmanager itself
  CHECK(fingerprint({}) == "cbf29ce484222325");
  CHECK(fingerprint({{"severity", "p1"}, {"alertname", "api-down"}}) == "5d88e7132d0379ad");
  CHECK(fingerprint({{"ab", "c"}}) != fingerprint({{"a", "bc"}}));
}

TEST_CASE("an alert keeps its labels while it lasts", "[outgoing]") {
  const ronda_kv fields[] = {{ronda::to_abi("alert"), ronda::to_abi("api-down")},
                             {ronda::to_abi("service"), ronda::to_abi("api")},
                             {ronda::to_abi("opened_at"), ronda::to_abi("2026-11-29T01:00:00Z")}};
  ronda_message raw{};
  raw.size = sizeof raw;
  raw.id = ronda::to_abi("m-1"), raw.title = ronda::to_abi("API is down"), raw.body = ronda::to_abi("HTTP 500");
  raw.level = ronda::to_abi("p1"), raw.event = ronda::to_abi("open"), raw.incident = ronda::to_abi("INC-7");
  raw.fields = fields, raw.field_count = 3;
  const auto opened = alert_of(ronda::message(&raw), "web-1");
  CHECK(opened.labels ==
        Labels{{"alertname", "api-down"}, {"severity", "p1"}, {"instance", "web-1"}, {"incident", "INC-7"}, {"service", "api"}});
  CHECK(opened.annotations == Labels{{"summary", "API is down"}, {"description", "HTTP 500"}});
  CHECK(opened.starts_at == "2026-11-29T01:00:00Z");
  CHECK_FALSE(opened.resolved);
  CHECK(opened.link.empty());
  raw.event = ronda::to_abi("resolve"), raw.title = ronda::to_abi("API is up");
  const auto closed = alert_of(ronda::message(&raw), "web-1");
  CHECK(closed.resolved);
  CHECK(closed.labels == opened.labels);
}

TEST_CASE("what is said of an incident after its end opens no alert anew, and a test is about none", "[outgoing]") {
  const auto [event, state, resolved] = GENERATE(table<std::string, std::string, bool>({{"open", "open", false},
                                                                                        {"update", "acknowledged", false},
                                                                                        {"resolve", "", true},
                                                                                        {"update", "resolved", true},
                                                                                        {"update", "closed", true},
                                                                                        {"reminder", "resolved", true},
                                                                                        {"test", "resolved", false}}));
  CAPTURE(event, state);
  const ronda_kv fields[] = {{ronda::to_abi("state"), ronda::to_abi(state)}};
  ronda_message raw{};
  raw.size = sizeof raw;
  raw.event = ronda::to_abi(event), raw.fields = fields, raw.field_count = 1;
  CHECK(alert_of(ronda::message(&raw), "web-1").resolved == resolved);
}

TEST_CASE("the link of an alert is its page, or else where people meet, and always one", "[outgoing]") {
  const auto link = [](std::string_view page, std::string_view room) {
    const ronda_kv fields[] = {{ronda::to_abi("incident_url"), ronda::to_abi(page)}, {ronda::to_abi("war_room"), ronda::to_abi(room)}};
    ronda_message raw{};
    raw.size = sizeof raw;
    raw.fields = fields, raw.field_count = 2;
    return alert_of(ronda::message(&raw), "web-1").link;
  };
  CHECK(link("https://a/1", "https://b/2") == "https://a/1");
  CHECK(link("", "https://b/2") == "https://b/2");
  CHECK(link("", "room 4").empty());
  CHECK(link("javascript:x", "https://b/2 c").empty());
}
