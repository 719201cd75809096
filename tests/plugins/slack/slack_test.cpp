// SPDX-License-Identifier: Apache-2.0
// Slack's two doors as its documents describe them: an incoming webhook that says "ok", and a web API that says with status
// 200 what went wrong.
#include "catch.hpp"

#include <ronda/testing_catch.hpp>

#include <boost/json.hpp>

#include "sink.hpp"
#include "under_test.hpp"

namespace json = boost::json;
using ronda::testing::Ended;

namespace {

const std::string path = "/services/T0SECRET0/B0SECRET0/XXSECRETXX", token = "xoxb-123456789-the-token";

message_options message(const std::string& event = "open") {
  message_options m;
  m.id = "m-" + event, m.title = "The shop is down", m.body = "HTTP 500 since 5 min", m.level = "p1", m.event = event, m.incident = "INC-7";
  return m;
}

json::value parsed(const SinkRequest& request) {
  return json::parse(request.body);
}

std::string text_of(const json::value& block) {
  return std::string(block.at("text").at("text").as_string());
}

void aim_token(host& h, const std::string& base) {
  prepare(h, base);
  h.set("webhook_url", node()).set_secret("token", token).set("api_base", base + "/api/").set("channel", "C111");
}

/// Answers the web API: posts get one ts after the other, whatever `refuse` names is answered by that.
class Workspace {
 public:
  std::map<std::string, std::string> refuse;  // method to a body
  int posted = 0;
  Sink sink{[this](const SinkRequest& request) {
    const auto method = request.target.substr(request.target.rfind('/') + 1);
    if (const auto found = refuse.find(method); found != refuse.end()) return http_answer(200, found->second);
    const auto ts = method == "chat.update" ? std::string(parsed(request).at("ts").as_string()) : "17." + std::to_string(++posted);
    return http_answer(200, R"({"ok":true,"channel":"C111","ts":")" + ts + R"(","message":{"text":"x","blocks":[]}})");
  }};
};

}  // namespace

const UnderTest& under_test() {
  static const UnderTest slack{"slack",
                               [](host& h, const std::string& base) { h.set_secret("webhook_url", base + path); },
                               "ok",
                               {path, "T0SECRET0", "B0SECRET0", "XXSECRETXX"},
                               message()};
  return slack;
}

TEST_CASE("a webhook gets text and blocks", "[slack]") {
  Sink sink(http_answer(200, "ok"));
  host h;
  prepare(h, sink.base());
  CHECK_THAT(deliver(h, message()), Ended(delivery_status::delivered, "posted"));
  REQUIRE(sink.requests().size() == 1);
  CHECK(sink.requests()[0].target == path);
  CHECK(parsed(sink.requests()[0]) == json::parse(R"({"text":"The shop is down","blocks":[
    {"type":"header","text":{"type":"plain_text","text":"The shop is down"}},
    {"type":"section","text":{"type":"mrkdwn","text":"HTTP 500 since 5 min","verbatim":true}},
    {"type":"context","elements":[{"type":"mrkdwn","text":"P1 · open · INC-7 · test-host · message m-open · attempt 1","verbatim":true}]}]})"));
}

TEST_CASE("success of a webhook is ok and nothing else", "[slack]") {
  const std::string body = GENERATE(as<std::string>(), "", "OK", "ok\n", "invalid_payload", "<html>", R"({"ok":true})");
  Sink sink(http_answer(200, body));
  host h;
  prepare(h, sink.base());
  const auto report = deliver(h, message());
  CHECK(report.is(delivery_status::drop));
  CHECK_THAT(report.summary,
             Catch::StartsWith("HTTP 200, but not Slack's `ok`: ") && Catch::EndsWith("; is webhook_url that of an incoming webhook?"));
}

TEST_CASE("what a webhook refuses is dropped with Slack's word", "[slack]") {
  const auto [status, word] = GENERATE(
      table<int, std::string>({{400, "invalid_payload"}, {403, "action_prohibited"}, {404, "no_service"}, {410, "channel_is_archived"}}));
  Sink sink(http_answer(status, word));
  host h;
  prepare(h, sink.base());
  CHECK_THAT(deliver(h, message()), Ended(delivery_status::drop, "HTTP " + std::to_string(status) + ": " + word));
}

TEST_CASE("nothing in a message mentions anybody", "[slack]") {
  Sink sink(http_answer(200, "ok"));
  host h;
  prepare(h, sink.base());
  auto m = message();
  m.title = "<!channel> & <@U123>", m.body = "<evil.example|click> <!here> a &lt; b &amp;amp; c";
  deliver(h, m);
  REQUIRE(sink.requests().size() == 1);
  const auto body = parsed(sink.requests()[0]);
  CHECK(body.at("text") == "&lt;!channel&gt; &amp; &lt;@U123&gt;");
  CHECK(text_of(body.at("blocks").at(0)) == "&lt;!channel&gt; &amp; &lt;@U123&gt;");
  CHECK(text_of(body.at("blocks").at(1)) == "&lt;evil.example|click&gt; &lt;!here&gt; a &lt; b &amp;amp; c");
  CHECK(sink.requests()[0].body.find('<') == std::string::npos);
}

TEST_CASE("a mention in what a check says rings for nobody, and the links of a text stay links that show themselves", "[slack]") {
  const auto [said, shown] = GENERATE(table<std::string, std::string>({
      {"disk @channel @here #ops full", "disk @channel @here #ops full"},
      {"War room: https://meet.example/inc-1?a=1&b=2.", "War room: <https://meet.example/inc-1?a=1&amp;b=2>."},
      {"(see http://a.example/x), then", "(see <http://a.example/x>), then"},
      {"http://a.example/x_(y)", "<http://a.example/x_(y)>"},
      {"https://a.example/?q=1&amp;", "<https://a.example/?q=1&amp;>"},
      {"<https://evil.example|https://bank.example>", "&lt;<https://evil.example>|<https://bank.example>&gt;"},
      {"&lt;https://evil.example&gt;", "&lt;<https://evil.example>&gt;"},
      {"http:// https://. https://", "http:// https://. https://"},
  }));
  Sink sink(http_answer(200, "ok"));
  host h;
  prepare(h, sink.base());
  h.set("mention", node::table{{"p1", node::list{"channel"}}});
  auto m = message();
  m.body = said;
  deliver(h, m);
  REQUIRE(sink.requests().size() == 1);
  const auto body = parsed(sink.requests()[0]);
  CHECK(text_of(body.at("blocks").at(1)) == "<!channel>\n" + shown);
  for (const auto& block : body.at("blocks").as_array()) {
    const auto& text = block.as_object().contains("text") ? block.at("text") : block.at("elements").at(0);
    if (text.at("type") == "mrkdwn") CHECK(text.at("verbatim") == true);
  }
}

TEST_CASE("a link is cut off as a whole, and one beyond all measure is plain text", "[slack]") {
  const std::string link = "https://a.example/" + std::string(400, 'x'), endless = "https://a.example/" + std::string(7000, 'y');
  Sink sink(http_answer(200, "ok"));
  host h;
  prepare(h, sink.base());
  auto m = message();
  for (int i = 0; i < 20; ++i) m.body += " " + link;
  deliver(h, m);
  m.body = endless;
  deliver(h, m);
  REQUIRE(sink.requests().size() == 2);
  for (std::size_t i = 1; i < 3; ++i) {
    const std::string text = text_of(parsed(sink.requests()[0]).at("blocks").at(i));
    CHECK(text.size() < 3003);
    CHECK(std::count(text.begin(), text.end(), '<') == std::count(text.begin(), text.end(), '>'));
  }
  CHECK(sink.requests()[1].body.find('<') == std::string::npos);
}

TEST_CASE("the configured mentions go with their level, when an incident opens", "[slack]") {
  const auto [level, event, expected] = GENERATE(table<std::string, std::string, std::string>({
      {"p1", "open", "<!channel> <@U0123> <!subteam^S99>\nHTTP 500 since 5 min"},
      {"p1", "escalation", "<!channel> <@U0123> <!subteam^S99>\nHTTP 500 since 5 min"},
      {"p1", "update", "HTTP 500 since 5 min"},
      {"p1", "resolve", "HTTP 500 since 5 min"},
      {"p1", "test", "HTTP 500 since 5 min"},
      {"p2", "open", "<!here>\nHTTP 500 since 5 min"},
      {"p3", "open", "HTTP 500 since 5 min"},
  }));
  Sink sink(http_answer(200, "ok"));
  host h;
  prepare(h, sink.base());
  h.set("mention", node::table{{"p1", node::list{"channel", "U0123", "S99"}}, {"p2", "here"}});
  auto m = message(event);
  m.level = level;
  deliver(h, m);
  REQUIRE(sink.requests().size() == 1);
  CHECK(text_of(parsed(sink.requests()[0]).at("blocks").at(1)) == expected);
}

TEST_CASE("a long message stays within Slack's limits, cut between characters", "[slack]") {
  Sink sink(http_answer(200, "ok"));
  host h;
  prepare(h, sink.base());
  auto m = message();
  m.title.clear(), m.body.clear();
  for (int i = 0; i < 300; ++i) m.title += "ñ<";
  for (int i = 0; i < 4000; ++i) m.body += "line " + std::to_string(i) + " & more\n";
  deliver(h, m);
  REQUIRE(sink.requests().size() == 1);
  const auto body = parsed(sink.requests()[0]);
  const auto& blocks = body.at("blocks").as_array();
  REQUIRE(blocks.size() == 4);
  const auto characters = [](const std::string& text) {
    return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
  };
  CHECK(characters(text_of(blocks[0])) <= 150);
  CHECK_THAT(text_of(blocks[0]), Catch::EndsWith("…"));
  CHECK(text_of(blocks[0]).find("&l…") == std::string::npos);
  CHECK(characters(text_of(blocks[1])) <= 3000);
  CHECK_THAT(text_of(blocks[1]), Catch::EndsWith(" &amp; more\n"));
  CHECK(characters(text_of(blocks[2])) == 3000);
  CHECK_THAT(text_of(blocks[2]), Catch::EndsWith("…"));
}

TEST_CASE("by token the first message of an incident begins a thread, and its end is shown there and in it", "[slack]") {
  Workspace slack;
  host h;
  aim_token(h, slack.sink.base());
  CHECK_THAT(deliver(h, message("open")), Ended(delivery_status::delivered, "posted to C111"));
  CHECK_THAT(deliver(h, message("update")), Ended(delivery_status::delivered));
  CHECK_THAT(deliver(h, message("resolve")), Ended(delivery_status::delivered));
  const auto requests = slack.sink.requests();
  REQUIRE(requests.size() == 4);
  for (const auto& request : requests) CHECK(request.header("Authorization") == "Bearer " + token);
  CHECK(requests[0].target == "/api/chat.postMessage");
  CHECK(parsed(requests[0]).at("channel") == "C111");
  CHECK_FALSE(parsed(requests[0]).as_object().contains("thread_ts"));
  CHECK(parsed(requests[1]).at("thread_ts") == "17.1");
  CHECK(parsed(requests[2]).at("thread_ts") == "17.1");
  CHECK(requests[3].target == "/api/chat.update");
  CHECK(parsed(requests[3]).at("ts") == "17.1");
  CHECK(parsed(requests[3]).at("text") == parsed(requests[2]).at("text"));
  CHECK(h.broken().empty());
}

TEST_CASE("each attempt of a message shows its id and its number, however long the other parts are", "[slack]") {
  Sink sink(http_answer(200, "ok"));
  host h;
  prepare(h, sink.base());
  auto m = message();
  m.attempt = 4;
  m.incident = std::string(128, 'i'), m.id = std::string(250, 'm');
  deliver(h, m);
  REQUIRE(sink.requests().size() == 1);
  const auto blocks = parsed(sink.requests()[0]).at("blocks");
  CHECK_THAT(std::string(blocks.as_array().back().at("elements").at(0).at("text").as_string()),
             Catch::EndsWith("test-host · message " + m.id + " · attempt 4"));
}

TEST_CASE("by token the first message of a thread shows who took the incident and at which level it is", "[slack]") {
  Workspace slack;
  host h;
  aim_token(h, slack.sink.base());
  const auto say = [&](const std::string& id, const std::string& event, const std::string& state, const std::string& level) {
    auto m = message(event);
    m.id = id, m.title = id + " is said", m.level = level;
    m.fields = {{"state", state}};
    CHECK_THAT(deliver(h, m), Ended(delivery_status::delivered));
  };
  const auto changes = [&] {
    std::vector<std::string> out;
    for (const auto& request : slack.sink.requests()) {
      if (request.target != "/api/chat.update") continue;
      CHECK(parsed(request).at("ts") == "17.1");
      CHECK(parsed(request).at("channel") == "C111");
      out.emplace_back(parsed(request).at("text").as_string());
    }
    return out;
  };
  say("opened", "open", "open", "p2");
  say("more", "update", "open", "p2");
  CHECK(changes().empty());
  say("taken", "update", "acknowledged", "p2");
  say("known", "update", "acknowledged", "p2");
  CHECK(changes() == std::vector<std::string>{"taken is said"});
  say("raised", "escalation", "open", "p1");
  say("reminded", "reminder", "open", "p1");
  CHECK(changes() == std::vector<std::string>{"taken is said", "raised is said"});
  say("tried", "test", "resolved", "p4");
  CHECK(changes().size() == 2);
  say("ended", "resolve", "resolved", "p1");
  CHECK(changes().back() == "ended is said");
  say("reviewed", "update", "resolved", "p1");
  CHECK(changes().size() == 3);
}

TEST_CASE("a first message that cannot be changed now holds up no other, and the next one changes it", "[slack]") {
  Workspace slack;
  host h;
  aim_token(h, slack.sink.base());
  deliver(h, message("open"));
  auto m = message("update");
  m.fields = {{"state", "acknowledged"}};
  slack.refuse["chat.update"] = R"({"ok":false,"error":"internal_error"})";
  CHECK_THAT(deliver(h, m), Ended(delivery_status::delivered,
                                  "posted, but the first message of the thread is not changed yet: Slack says internal_error"));
  slack.refuse.clear();
  m.id = "m-next";
  CHECK_THAT(deliver(h, m), Ended(delivery_status::delivered));
  const auto requests = slack.sink.requests();
  REQUIRE(requests.size() == 5);
  CHECK(requests[4].target == "/api/chat.update");
}

TEST_CASE("a thread that was kept before what it shows was is known, and is brought up to date once", "[slack]") {
  Workspace slack;
  host h;
  aim_token(h, slack.sink.base());
  h.keep("thread/C111/INC-7", "C111 16.5");
  deliver(h, message("update"));
  auto more = message("update");
  more.id = "m-more";
  deliver(h, more);
  const auto requests = slack.sink.requests();
  REQUIRE(requests.size() == 3);
  CHECK(parsed(requests[0]).at("thread_ts") == "16.5");
  CHECK(requests[1].target == "/api/chat.update");
  CHECK(parsed(requests[2]).at("thread_ts") == "16.5");
}

TEST_CASE("incidents and channels have threads of their own, and none without an incident", "[slack]") {
  Workspace slack;
  host h;
  aim_token(h, slack.sink.base());
  auto other = message("open"), elsewhere = message("open"), without = message("open");
  other.id = "m-a", other.incident = "INC-8";
  elsewhere.id = "m-b", elsewhere.to = "C222";
  without.id = "m-c", without.incident = "";
  deliver(h, message("open"));
  for (const auto& m : {other, elsewhere, without, without}) deliver(h, m);
  const auto requests = slack.sink.requests();
  REQUIRE(requests.size() == 4);  // the last was sent before
  for (const auto& request : requests) CHECK_FALSE(parsed(request).as_object().contains("thread_ts"));
  CHECK(parsed(requests[2]).at("channel") == "C222");
}

TEST_CASE("an attempt after one that half succeeded repeats only the other half", "[slack]") {
  Workspace slack;
  host h;
  aim_token(h, slack.sink.base());
  deliver(h, message("open"));
  slack.refuse["chat.update"] = R"({"ok":false,"error":"internal_error"})";
  CHECK_THAT(deliver(h, message("resolve")),
             Ended(delivery_status::retry, "posted, but the first message of the thread is not changed yet: Slack says internal_error"));
  slack.refuse.clear();
  CHECK_THAT(deliver(h, message("resolve")), Ended(delivery_status::delivered));
  CHECK(slack.posted == 2);
  REQUIRE(slack.sink.requests().size() == 4);
  CHECK(slack.sink.requests()[3].target == "/api/chat.update");
}

TEST_CASE("a first message that can no longer be changed holds up nothing", "[slack]") {
  Workspace slack;
  host h;
  aim_token(h, slack.sink.base());
  deliver(h, message("open"));
  slack.refuse["chat.update"] = R"({"ok":false,"error":"message_not_found"})";
  CHECK_THAT(
      deliver(h, message("resolve")),
      Ended(delivery_status::delivered, "posted; the first message of the thread could not be changed: Slack says message_not_found"));
}

TEST_CASE("what Slack says with status 200 is taken for what it is", "[slack]") {
  const auto [body, status, summary] = GENERATE(table<std::string, delivery_status, std::string>({
      {R"({"ok":false,"error":"ratelimited"})", delivery_status::retry, "Slack says ratelimited"},
      {R"({"ok":false,"error":"fatal_error"})", delivery_status::retry, "Slack says fatal_error"},
      {R"({"ok":false,"error":"invalid_auth"})", delivery_status::drop, "Slack says invalid_auth; is the token right?"},
      {R"({"ok":false,"error":"channel_not_found"})", delivery_status::drop,
       "Slack says channel_not_found; give the channel's id, and add the app to it if it is private"},
      {R"({"ok":false,"error":"missing_scope","needed":"chat:write","provided":"chat"})", delivery_status::drop,
       "Slack says missing_scope; the app needs the scope chat:write"},
      {R"({"ok":false,"error":"msg_too_long"})", delivery_status::drop, "Slack says msg_too_long"},
      {R"({"ok":false})", delivery_status::drop, "Slack says no, without a reason"},
      {R"({"ok":"true"})", delivery_status::drop, "what answers is not Slack's web API: {\"ok\":\"true\"}; is api_base right?"},
      {"<html>Welcome</html>", delivery_status::drop, "what answers is not Slack's web API: <html>Welcome</html>; is api_base right?"},
      {"", delivery_status::drop, "what answers is not Slack's web API: ; is api_base right?"},
  }));
  Workspace slack;
  slack.refuse["chat.postMessage"] = body;
  host h;
  aim_token(h, slack.sink.base());
  const auto report = deliver(h, message());
  CHECK(report.is(status));
  CHECK(report.summary == summary);
  CHECK(h.kept().empty());
}

TEST_CASE("a limit on the rate by token is waited for", "[slack]") {
  Sink sink(http_answer(429, R"({"ok":false,"error":"ratelimited"})", "Retry-After: 30\r\n"));
  host h;
  aim_token(h, sink.base());
  const auto report = deliver(h, message());
  CHECK(report.is(delivery_status::retry));
  CHECK(report.again_at == ronda::wall_time(std::chrono::seconds(test_now_s + 30)));
}

TEST_CASE("when the first message of a thread was deleted, another begins a new one", "[slack]") {
  int count = 0;
  Sink sink([&](const SinkRequest&) {
    ++count;
    if (count == 2) return http_answer(200, R"({"ok":false,"error":"thread_not_found"})");
    return http_answer(200, R"({"ok":true,"channel":"C111","ts":"18.)" + std::to_string(count) + "\"}");
  });
  host h;
  aim_token(h, sink.base());
  deliver(h, message("open"));
  CHECK_THAT(deliver(h, message("update")), Ended(delivery_status::delivered));
  auto more = message("update");
  more.id = "m-more";
  deliver(h, more);
  REQUIRE(sink.requests().size() == 4);
  CHECK_FALSE(parsed(sink.requests()[2]).as_object().contains("thread_ts"));
  CHECK(parsed(sink.requests()[3]).at("thread_ts") == "18.3");
}

TEST_CASE("by token a channel is wanted, and damaged state does no harm", "[slack]") {
  Workspace slack;
  host h;
  aim_token(h, slack.sink.base());
  h.keep("thread/C111/INC-7", "nonsense");
  CHECK_THAT(deliver(h, message()), Ended(delivery_status::delivered));
  h.set("channel", node());
  auto m = message();
  m.id = "m-x";
  CHECK_THAT(deliver(h, m), Ended(delivery_status::drop, "no channel: give `channel`, or `to` where the contact names this notifier"));
}

TEST_CASE("neither token nor channel's answer gives the token away", "[slack]") {
  Sink sink(http_answer(403, "you sent " + token));
  host h;
  aim_token(h, sink.base());
  const auto report = deliver(h, message());
  CHECK(report.summary.find(token) == std::string::npos);
  CHECK_THAT(report.summary, Catch::StartsWith("HTTP 403: you sent ***"));
}
