// SPDX-License-Identifier: Apache-2.0
// The door on TCP of a whole agent, by real HTTP: who gets in, what others post, links that are opened and codes that are
// sent back.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "api/door_acks.hpp"
#include "catch.hpp"
#include "door_client.hpp"
#include "plugin/hmac.hpp"
#include "sink.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view configuration = R"([api]
listen = "127.0.0.1:0"
public_url = "https://ronda.example/"
twilio_auth_token = "${file:SECRETS/twilio}"
[token.prometheus]
role = "reporter"
inbox = ["@alertmanager", "@events"]
sha256 = "PROMETHEUS"
[token.wall]
role = "viewer"
sha256 = "WALL"
[token.ana]
contact = "ana"
role = "operator"
sha256 = "ANA"
[notifier.paper]
use = "command"
command = ["/bin/sh", "-c", "cat >> OPEN/heard"]
[notifier.phone]
use = "sms"
account_sid = "AC1"
auth_token = "${file:SECRETS/twilio}"
from = "+15550001111"
api_base = "GATEWAY"
[contact.ana]
name = "Ana"
channels = [{ notifier = "paper", to = "ana" }, { notifier = "phone", to = "+5491155550000" }]
[contact.ops-room]
name = "Operations <room>"
channels = [{ notifier = "paper" }]
[contact.beto]
channels = [{ notifier = "paper", to = "beto" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ana"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["beto"] }]
[severity.p3]
respond_within = "1h"
[escalation.default.p3]
steps = [{ from = "0m", notify = ["ana", "ops-room"] }]
)";

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// The word that begins so, up to a blank, a line end or a quote; empty: there is none.
std::string word_at(const std::string& text, std::string_view start) {
  const std::size_t at = text.find(start);
  return at == std::string::npos ? std::string() : text.substr(at, text.find_first_of(" \r\n\"<", at) - at);
}

/// An agent with a door, a telephone gateway of this test, and what its people heard.
class House {
 public:
  House() : gateway_(http_answer(201, R"({"sid": "SM1", "status": "queued"})")) {
    std::filesystem::create_directory(agent_.scratch() / "secrets");
    secret("twilio", "twilio-canary-77");
    std::string text(configuration);
    text = replaced(text, "PROMETHEUS", plugin::sha256_hex(std::string_view("prom-canary-11")));
    text = replaced(text, "WALL", plugin::sha256_hex(std::string_view("wall-canary-22")));
    text = replaced(text, "ANA", plugin::sha256_hex(std::string_view("ana-canary-33")));
    text = replaced(text, "SECRETS", agent_.scratch() / "secrets");
    text = replaced(replaced(text, "OPEN", agent_.open_directory()), "GATEWAY", gateway_.base());
    agent_.configure("10.toml", text);
  }

  WholeAgent& agent() { return agent_; }
  void start() {
    ++starts_;
    REQUIRE(agent_.start());
    REQUIRE(eventually([&] { return said_where() == starts_; }));
  }
  int said_where() const { return times_of_door(agent_.log()); }
  int port() const { return port_of_door(agent_.log()); }

  std::string raw(const std::string& bytes) const { return ask_raw(port(), bytes); }
  Answer ask(const std::string& method, const std::string& target, const std::vector<std::string>& headers = {},
             const std::string& body = {}) const {
    return ask_door(port(), method, target, headers, body);
  }
  Answer post(const std::string& target, const std::string& token, const std::string& body) const {
    return ask("POST", target, {"Authorization: Bearer " + token, "Content-Type: application/json"}, body);
  }
  Answer submit(const std::string& target, const std::string& body, std::vector<std::string> headers = {}) const {
    headers.emplace_back("Content-Type: application/x-www-form-urlencoded");
    return ask("POST", target, headers, body);
  }
  /// An SMS to the agent, signed as the gateway does.
  Answer sms(const std::string& from, const std::string& words, const std::string& by = "twilio-canary-77") const {
    const std::string body = "Body=" + words + "&From=%2B" + from + "&MessageSid=SM2";
    const auto form = api::parse_form("application/x-www-form-urlencoded", body);
    REQUIRE(form);
    return submit("/v1/twilio", body, {"X-Twilio-Signature: " + api::twilio_signature(by, "https://ronda.example/v1/twilio", *form)});
  }

  std::string heard() const { return read_file(agent_.open_directory() + "/heard"); }
  const Sink& gateway() const { return gateway_; }

  std::string open_incident(const std::string& level = "p1") const {
    REQUIRE(post("/v1/events", "prom-canary-11", R"({"alert": "nas", "status": "firing", "level": ")" + level + R"("})").status == 200);
    const json::value all = agent_.get("/v1/incidents");
    REQUIRE((all.is_array() && all.as_array().size() == 1));
    return std::string(all.as_array().at(0).at("id").as_string());
  }
  std::string stage(const std::string& id) const { return std::string(agent_.get("/v1/incidents/" + id).at("stage").as_string()); }
  /// "AUTHOR by SOURCE" of the first event of that kind.
  std::string who_did(const std::string& id, std::string_view kind) const {
    const json::value one = agent_.get("/v1/incidents/" + id);
    for (const json::value& event : one.at("timeline").as_array()) {
      if (event.at("kind").as_string() == json::string_view(kind.data(), kind.size()))
        return std::string(event.at("author").as_string()) + " by " + std::string(event.at("source").as_string());
    }
    return {};
  }
  /// The path of the link to that incident which `who` was sent first, as the link says it.
  std::string await_link(const std::string& id, const std::string& who) const {
    std::string link;
    const std::string base = "https://ronda.example";
    REQUIRE(eventually([&] { return !(link = word_at(heard(), base + "/ack/" + id + "." + who + ".")).empty(); }));
    return link.substr(base.size());
  }
  /// The path of the link that ana was sent last.
  std::string await_link() const {
    std::string link;
    REQUIRE(eventually(
        [&] { return !(link = word_at(heard().substr(std::min(heard().size(), heard().rfind("https://"))), "https://")).empty(); }));
    return link.substr(std::string("https://ronda.example").size());
  }

 private:
  void secret(const std::string& name, const std::string& text) const {
    const std::string path = agent_.scratch() / ("secrets/" + name);
    std::ofstream(path) << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }

  int starts_ = 0;
  Sink gateway_;
  WholeAgent agent_;
};

}  // namespace

TEST_CASE("the door asks for Host, Origin and a token, and each token may what its role may", "[whole]") {
  House house;
  house.start();
  const std::string wall = "Authorization: Bearer wall-canary-22";
  CHECK(house.ask("GET", "/v1/status", {wall}).status == 200);
  CHECK(house.ask("GET", "/v1/status").status == 401);
  CHECK(house.ask("GET", "/healthz").status == 401);
  CHECK(house.ask("GET", "/v1/status?token=wall-canary-22").status == 401);
  CHECK(house.ask("GET", "/v1/status", {"Authorization: Bearer wrong"}).status == 401);
  CHECK(house.ask("GET", "/v1/status", {wall, "Host: evil.example"}).status == 421);
  CHECK(house.ask("GET", "/v1/status", {wall, "Origin: https://evil.example"}).status == 403);
  CHECK(house.ask("GET", "/v1/status", {wall, "Origin: https://ronda.example"}).status == 200);
  CHECK(house.post("/v1/reload", "wall-canary-22", "").status == 403);
  CHECK(house.post("/v1/events", "wall-canary-22", "{}").status == 403);
  CHECK(house.ask("GET", "/v1/status", {"Authorization: Bearer prom-canary-11"}).status == 403);
  CHECK(house.post("/v1/inbox/any", "prom-canary-11", "{}").status == 403);
  CHECK(house.post("/v1/backup?path=/tmp/x", "ana-canary-33", "").status == 403);
  CHECK(house.ask("DELETE", "/v1/status", {wall}).status == 405);
  // a token that has left the configuration is none, with the next reload
  house.agent().configure("10.toml", replaced(read_file(house.agent().config_directory() + "/10.toml"), "[token.wall]\nrole = \"viewer\"",
                                              "[token.wall]\nrole = \"operator\""));
  REQUIRE(house.agent().ronda({"reload"}).code == 0);
  CHECK(house.post("/v1/events", "wall-canary-22", "{}").status == 400);
  house.agent().configure("10.toml", replaced(read_file(house.agent().config_directory() + "/10.toml"), "listen = \"127.0.0.1:0\"\n", ""));
  REQUIRE(house.agent().ronda({"reload"}).code == 0);
  CHECK(house.ask("GET", "/v1/status", {wall}).status == 0);
  CHECK(house.agent().stop() == 0);
}

TEST_CASE("bad requests are refused one by one, and the agent goes on", "[whole]") {
  House house;
  house.start();
  const std::string host = "Host: ronda.example\r\n", token = "Authorization: Bearer wall-canary-22\r\n";
  const std::string ok = "GET /v1/status HTTP/1.1\r\nConnection: close\r\n" + host + token + "\r\n";
  const std::string bad[] = {
      "GET / HTTP/9.9\r\n" + host + "\r\n",
      "GET /v1/status\r\n\r\n",
      "\r\n\r\n\r\n\r\n",
      std::string("\0\1\2\3\r\n\r\n", 8),
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
      "GET /v1/status HTTP/1.1\r\n" + host + token + "X: " + std::string(9000, 'x') + "\r\n\r\n",
      "POST /v1/events HTTP/1.1\r\n" + host + token + "Content-Length: 70000\r\n\r\n" + std::string(70'000, 'x'),
      "POST /v1/events HTTP/1.1\r\n" + host + token + "Content-Length: -1\r\n\r\n",
      "POST /v1/events HTTP/1.1\r\n" + host + token + "Content-Length: 99999999999999999999999\r\n\r\n",
      "POST /v1/events HTTP/1.1\r\n" + host + token + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
      "POST /v1/events HTTP/1.1\r\n" + host + token + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
      "POST /v1/events HTTP/1.1\r\n" + host + token + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
      "GET http://evil.example/ HTTP/1.1\r\n" + host + token + "\r\n",
      "GET //v1/status HTTP/1.1\r\n" + host + token + "\r\n",
      "CONNECT ronda.example:443 HTTP/1.1\r\n" + host + "\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "GET /v1/status HTTP/1.1\r\n" + token + "\r\n",
      "GET /v1/status HTTP/1.1\r\n" + host + host + token + "\r\n",
      "GET /v1/status HTTP/1.1\r\n" + host + token + token + "\r\n",
      "GET /v1/status HTTP/1.1\r\n" + host + "Bad Header\r\n\r\n",
      "GET /ack/%00%ff../../etc/passwd HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n",
  };
  for (const std::string& one : bad) {
    const std::string text = replaced(one, "HTTP/1.1\r\n", "HTTP/1.1\r\nConnection: close\r\n");
    const std::string answer = house.raw(text);
    INFO(one.substr(0, 100) << " -> " << answer.substr(0, 60));
    CHECK((answer.empty() || answer.starts_with("HTTP/1.1 4")));
    CHECK_FALSE(has(answer, "passwd"));
  }
  CHECK(house.raw(ok).starts_with("HTTP/1.1 200"));
  // strangers have little room; who has a token is not kept out by them
  int refused = 0;
  for (int i = 0; i < 200; ++i) refused += house.ask("GET", "/v1/status").status == 429 ? 1 : 0;
  CHECK(refused > 0);
  CHECK(house.raw(ok).starts_with("HTTP/1.1 200"));
  CHECK(house.agent().answers());
}

TEST_CASE("what Alertmanager posts opens one incident under its sender's name, and ends it", "[whole]") {
  House house;
  house.start();
  const auto webhook = [](const std::string& status) {
    return R"({"version": "4", "status": ")" + status + R"(", "receiver": "ronda", "groupLabels": {}, "alerts": [{"status": ")" + status +
           R"(", "labels": {"alertname": "Slow", "severity": "critical"}, "annotations": {"summary": "<b>slow</b>"}, "fingerprint": "9af3c2d1e0f91827"}]})";
  };
  CHECK(house.post("/v1/alertmanager", "prom-canary-11", webhook("odd")).status == 400);
  REQUIRE(house.post("/v1/alertmanager", "prom-canary-11", webhook("firing")).status == 200);
  REQUIRE(house.post("/v1/alertmanager", "prom-canary-11", webhook("firing")).status == 200);
  const json::value all = house.agent().get("/v1/incidents");
  REQUIRE(all.as_array().size() == 1);
  const std::string id(all.as_array().at(0).at("id").as_string());
  CHECK(all.as_array().at(0).at("level").as_string() == "p1");
  CHECK(house.who_did(id, "alert_joined") == "token:prometheus by alertmanager");
  CHECK(has(house.agent().ronda({"alert", "list"}).out, "inbound/prometheus/9af3c2d1e0f91827"));

  house.agent().kill_hard();
  std::filesystem::remove(house.agent().state_directory() + "/starts");
  house.start();
  CHECK(house.stage(id) == "open");
  REQUIRE(house.post("/v1/alertmanager", "prom-canary-11", webhook("resolved")).status == 200);
  CHECK(house.stage(id) == "resolved");
  CHECK(house.who_did(id, "alert_left") == "token:prometheus by alertmanager");
}

TEST_CASE("a job reports to its check over TCP with the token that names it, and without it changes nothing", "[whole]") {
  House house;
  house.agent().configure("20.toml",
                          "[check.backup]\nuse = \"heartbeat.job\"\nevery = \"1h\"\nexpect = \"1d\"\n"
                          "[check.other]\nuse = \"heartbeat.job\"\nevery = \"1h\"\nexpect = \"1d\"\n"
                          "[token.nas]\nrole = \"reporter\"\ninbox = [\"backup\"]\nsha256 = \"" +
                              plugin::sha256_hex(std::string_view("nas-canary-44")) + "\"\n");
  house.start();
  const auto runs = [&](const char* check) {
    const json::value shown = house.agent().check(check);
    const json::object& metrics = shown.at("metrics").as_object();
    return metrics.contains("runs") ? metrics.at("runs").at("value").to_number<int>() : 0;
  };
  const auto running = [&] { return house.agent().check("backup").at("metrics").at("running").at("value").to_number<int>(); };
  const std::string target = "/v1/inbox/backup", good = "nas-canary-44", success = R"({"event": "success"})";
  // without it, with another one, for another check, or in another way
  CHECK(house.ask("POST", target, {"Content-Type: application/json"}, success).status == 401);
  CHECK(house.ask("POST", target + "?token=" + good, {"Content-Type: application/json"}, success).status == 401);
  CHECK(house.post(target, "nas-canary-4", success).status == 401);
  CHECK(house.post(target, "prom-canary-11", success).status == 403);
  CHECK(house.post(target, "wall-canary-22", success).status == 403);
  CHECK(house.post("/v1/inbox/other", good, success).status == 403);
  CHECK(house.post("/v1/inbox/nothing", good, success).status == 403);
  CHECK(house.ask("GET", "/v1/status", {"Authorization: Bearer " + good}).status == 403);
  CHECK(house.post(target, good, R"({"event": "sucess"})").status == 400);
  CHECK(house.post(target, good, "success").status == 400);
  const api::Response kept = house.agent().ask("POST", "/v1/checks/backup/run");
  CHECK(kept.status == 200);
  CHECK(runs("backup") == 0);
  // with it
  const Answer begun = house.post(target, good, R"({"event": "start"})");
  INFO(begun.body);
  CHECK(begun.status == 202);
  CHECK(eventually([&] { return running() == 1; }));
  CHECK(house.post(target, good, R"({"event": "fail", "code": 7, "text": "tape torn"})").status == 202);
  CHECK(eventually([&] { return house.agent().check_status("backup") == "critical"; }));
  CHECK(has(house.agent().ronda({"check", "backup"}).out, "tape torn"));
  CHECK(house.post(target, good, success).status == 202);
  CHECK(eventually([&] { return house.agent().check_status("backup") == "ok"; }));
  CHECK(running() == 0);
  CHECK(runs("other") == 0);
  CHECK_FALSE(has(house.agent().log(), good));
  // with ana's, who operates
  CHECK(house.post("/v1/inbox/other", "ana-canary-33", success).status == 202);
  CHECK(eventually([&] { return house.agent().check_status("other") == "ok"; }));
  CHECK(house.agent().stop() == 0);
}

TEST_CASE("a link shows a form, takes the incident once as the one it was sent to, and never again, also over a restart", "[whole]") {
  House house;
  house.start();
  const std::string id = house.open_incident();
  const std::string path = house.await_link();
  REQUIRE(path.starts_with("/ack/" + id + ".ana.0."));

  // to look at it changes nothing, and what is not signed is nothing
  const Answer form = house.ask("GET", path);
  REQUIRE(form.status == 200);
  CHECK(has(form.body, id));
  CHECK(has(form.body, "Take it as Ana"));
  CHECK_FALSE(has(form.body, "<script"));
  CHECK(has(form.head, "Content-Security-Policy: default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"));
  CHECK(has(form.head, "Referrer-Policy: same-origin"));
  CHECK(house.stage(id) == "open");
  const std::string seen = word_at(form.body.substr(form.body.find("value=\"") + 7), "");
  CHECK(house.ask("GET", path + "x").status == 404);
  CHECK(house.submit(replaced(path, ".ana.", ".beto."), "based_on=" + seen).status == 404);
  CHECK(house.submit(path, "").status == 400);
  CHECK(house.submit(path, "based_on=" + seen, {"Origin: https://evil.example"}).status == 403);
  CHECK(house.ask("POST", path, {"Content-Type: text/plain"}, "based_on=" + seen).status == 415);
  CHECK(house.stage(id) == "open");

  // whoever knocks without anything keeps nobody out who was sent a link
  int refused = 0;
  for (int i = 0; i < 60; ++i) refused += house.ask("GET", path + "x").status == 429 ? 1 : 0;
  CHECK(refused > 0);
  CHECK(house.ask("GET", path).status == 200);
  const Answer taken = house.submit(path, "based_on=" + seen, {"Origin: https://ronda.example"});
  CHECK(taken.status == 200);
  CHECK(has(taken.body, "It is yours."));
  CHECK(house.stage(id) == "acknowledged");
  CHECK(house.who_did(id, "acked") == "contact:ana by link");

  CHECK(house.submit(path, "based_on=" + seen).status == 410);
  CHECK(house.ask("GET", path).status == 410);
  REQUIRE(house.agent().ronda({"incident", "note", id, "we look"}).code == 0);
  house.agent().kill_hard();
  std::filesystem::remove(house.agent().state_directory() + "/starts");
  house.start();
  REQUIRE(house.post("/v1/incidents/" + id + "/unack", "ana-canary-33", "{}").status == 200);
  CHECK(house.stage(id) == "open");
  CHECK(house.who_did(id, "unacked") == "contact:ana by api");
  CHECK(house.ask("GET", path).status == 410);
  CHECK(house.submit(path, "based_on=" + seen).status == 410);
}

TEST_CASE("a link that went where many read asks for a name, ends the calls, and is no answer of a person", "[whole]") {
  House house;
  house.start();
  const std::string id = house.open_incident("p3");
  const std::string room = house.await_link(id, "~ops-room"), own = house.await_link(id, "ana");
  const Answer form = house.ask("GET", room);
  REQUIRE(form.status == 200);
  CHECK(has(form.body, "Take it for Operations &lt;room&gt;"));
  CHECK(has(form.body, "<input name=\"name\""));
  const std::string seen = word_at(form.body.substr(form.body.find("value=\"") + 7), "");
  CHECK(house.submit(replaced(room, "~ops-room", "ops-room"), "based_on=" + seen + "&name=Eva").status == 404);
  CHECK(house.submit(room, "based_on=" + seen + "&name=%20%0a").status == 400);
  CHECK(house.stage(id) == "open");
  const Answer taken = house.submit(room, "based_on=" + seen + "&name=Eva%20%3Cb%3E%0aP.");
  CHECK(taken.status == 200);
  CHECK(has(taken.body, "Nobody is called any more."));
  CHECK(house.stage(id) == "acknowledged");
  CHECK(house.who_did(id, "acked") == "room:ops-room by link");
  CHECK(has(json::serialize(house.agent().get("/v1/incidents/" + id)), "the name given: Eva <b> P."));
  CHECK(house.ask("GET", room).status == 410);
  CHECK(eventually([&] { return has(house.heard(), "taken by somebody at the address of ops-room (the name given: Eva "); }));

  // the time to respond waits for a person, whose link is still good: once
  const auto responded = [&] { return house.agent().ronda({"incident", "show", id}).out; };
  INFO(responded());
  const Answer again = house.ask("GET", own);
  REQUIRE(again.status == 200);
  CHECK(has(again.body, "Take it as Ana"));
  CHECK_FALSE(has(again.body, "name=\"name\""));
  // whoever opens a link of the room again and again keeps nobody out of theirs
  int refused = 0;
  for (int i = 0; i < 60; ++i) refused += house.ask("GET", room).status == 429 ? 1 : 0;
  CHECK(refused > 0);
  const std::string now = word_at(again.body.substr(again.body.find("value=\"") + 7), "");
  CHECK(has(house.submit(own, "based_on=" + now).body, "It is yours."));
  CHECK(house.ask("GET", own).status == 410);
  CHECK(has(json::serialize(house.agent().get("/v1/incidents/" + id)), "\"contact:ana\""));
  CHECK(house.agent().stop() == 0);
}

TEST_CASE("a code that is sent back by SMS takes the incident; without signature, number or code nothing does", "[whole]") {
  House house;
  house.start();
  const std::string id = house.open_incident();
  REQUIRE(eventually([&] { return !house.gateway().requests().empty(); }));
  const std::string words = house.gateway().requests().front().form().at("Body");
  const std::size_t at = words.find("ACK ");
  REQUIRE(at != std::string::npos);
  const std::string code = words.substr(at + 4, 6);

  CHECK(house.sms("5491155550000", code, "another-secret").status == 403);
  CHECK(house.submit("/v1/twilio", "Body=" + code + "&From=%2B5491155550000").status == 403);
  const Answer stranger = house.sms("15559990000", code);
  CHECK(stranger.status == 200);
  CHECK_FALSE(has(stranger.body, "<Message>"));
  CHECK(has(house.sms("5491155550000", "ZZZZZZ").body, "No incident waits for that code."));
  CHECK(house.stage(id) == "open");

  const Answer taken = house.sms("5491155550000", "ack+" + code);
  CHECK(taken.status == 200);
  CHECK(has(taken.body, "<Message>" + id + ": it is yours</Message>"));
  CHECK(house.stage(id) == "acknowledged");
  CHECK(house.who_did(id, "acked") == "contact:ana by sms");
  CHECK(has(house.sms("5491155550000", code).body, "No incident waits for that code."));

  // nothing of it is in the log, in a command line or in an answer
  const std::string log = house.agent().log() + read_file("/proc/" + std::to_string(house.agent().pid()) + "/cmdline") +
                          house.agent().ronda({"config", "show"}).out + json::serialize(house.agent().status());
  for (const char* secret : {"twilio-canary-77", "prom-canary-11", "wall-canary-22", "ana-canary-33", "/ack/INC"})
    CHECK_FALSE(has(log, secret));
}
