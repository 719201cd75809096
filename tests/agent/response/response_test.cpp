// SPDX-License-Identifier: Apache-2.0
// The shell: what became of messages, what a diagnosis found, and what the agent says of its own store.

#include "agent/response/shell.hpp"
#include "database_lock.hpp"
#include "response/message.hpp"

using namespace ronda;
using namespace ronda::test;
using schedule::DeliveryEnd;
using schedule::Kind;

namespace {

const std::string diagnosed_shop = R"(
[agent]
last_resort = ["mail"]
[notifier.log]
use = "logfile"
[notifier.mail]
use = "smtp"
[check.api]
use = "a.b"
every = "30s"
timeout = "10s"
service = "shop"
[check.look]
use = "a.b"
every = "1h"
timeout = "10s"
[alert.api-down]
p1 = "api.status == critical"
diagnose = "look"
[service.shop]
title = "The shop"
checks = ["api"]
[contact.cto]
name = "CTO"
channels = [{ notifier = "log" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["cto"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["cto"] }]
)";

}  // namespace

TEST_CASE("a message that its notifier never began is no attempt", "[response]") {
  const Scratch scratch;
  Shell shell(diagnosed_shop, scratch / "state");
  shell.begin();
  shell.result("api", Seen::critical);
  REQUIRE(shell.handed.size() == 1);
  const Shell::Handed first = shell.handed[0];
  CHECK(shell.row(first.message->id).attempts == 1);
  shell.end(first, DeliveryEnd::What::not_begun, "the notifier left the configuration");
  CHECK(shell.row(first.message->id).attempts == 0);
  CHECK(shell.row(first.message->id).first_at == 0);
  CHECK(shell.timeline("shop", incident::Kind::notice_failed).empty());
  shell.now += 3 * second;
  shell.response->on_clock_set();
  shell.settle();
  REQUIRE(shell.handed.size() == 2);
  CHECK(shell.handed[1].message->id == first.message->id);
  CHECK(shell.handed[1].message->attempt == 1);
  shell.end(Shell::Handed(shell.handed[1]), DeliveryEnd::What::delivered);
  CHECK(shell.timeline("shop", incident::Kind::notice_delivered).size() == 1);
}

TEST_CASE("a message that was given up after 72 hours stands in the incident's timeline, also over a restart", "[response]") {
  const bool restarts = GENERATE(false, true);
  CAPTURE(restarts);
  const Scratch scratch;
  std::string id;
  std::int64_t now = 0;
  auto shell = std::make_unique<Shell>(diagnosed_shop, scratch / "state");
  shell->begin();
  shell->result("api", Seen::critical);
  REQUIRE(shell->handed.size() == 1);
  id = shell->handed[0].message->id;
  shell->end(Shell::Handed(shell->handed[0]), DeliveryEnd::What::retry, "no answer");
  CHECK(shell->timeline("shop", incident::Kind::notice_failed).empty());  // it may arrive yet
  now = shell->now + 73 * hour + minute;
  if (restarts) {
    shell.reset();
    shell = std::make_unique<Shell>(diagnosed_shop, scratch / "state");
    shell->now = now;
    shell->begin();
  } else {
    shell->now = now;
    shell->response->on_clock_set();
  }
  const auto again = [&]() -> const Shell::Handed* {
    for (const Shell::Handed& one : shell->handed) {
      if (one.message->id == id && one.message->attempt == 2) return &one;
    }
    return nullptr;
  };
  REQUIRE(shell->until([&] { return again() != nullptr; }));
  shell->end(Shell::Handed(*again()), DeliveryEnd::What::retry, "no answer");
  const auto failed = shell->timeline("shop", incident::Kind::notice_failed);
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].text == "given up after 73 hours: no answer");
  CHECK(failed[0].subject == "cto");
  CHECK(failed[0].channel == "log");
  CHECK(failed[0].message == id);
}

TEST_CASE("a notifier that wants each message by itself gets all, another what waited as one", "[response]") {
  const Scratch scratch;
  std::string both = diagnosed_shop;
  both.replace(both.find("[{ notifier = \"log\" }]"), 22, "[{ notifier = \"log\" }, { notifier = \"mail\" }]");
  Shell shell(both, scratch / "state");
  shell.begin();
  shell.result("api", Seen::critical);
  REQUIRE(shell.handed.size() == 2);
  const std::string incident = shell.handed[0].message->incident;
  for (const char* text : {"we look", "we see", "we mend"}) {
    incident::Command said;
    said.verb = incident::Verb::update;
    said.incident = incident;
    said.author = {incident::Author::Kind::contact, "cto"};
    said.text = text;
    bool done = false;
    shell.response->command(said, [&](const incident::Reply& reply) { done = reply.done; });
    REQUIRE(shell.until([&] { return done; }));
  }
  CHECK(shell.handed.size() == 2);  // a notifier takes one at a time
  const auto count = [&](std::string_view notifier) { return std::ranges::count(shell.handed, notifier, &Shell::Handed::notifier); };
  for (std::size_t ended = 0; ended < shell.handed.size();) {
    shell.end(Shell::Handed(shell.handed[ended++]), DeliveryEnd::What::delivered);
    if (ended == shell.handed.size()) {
      shell.now += minute;
      shell.response->on_clock_set();
      shell.settle();
    }
  }
  CHECK(count("log") == 4);
  CHECK(count("mail") == 2);
}

TEST_CASE("every placeholder of a template is one that some message fills", "[response]") {
  // what comes besides the fields of an incident: by whom it goes, by links, by windows, silences and trials
  std::set<std::string_view> given = {"reason", "step",    "ack",   "ack_code",     "window", "starts",
                                      "ends",   "expires", "hides", "still_broken", "author", "pending"};
  response::Plan plan;
  plan.zone = zone("UTC");
  const notify::Fields fields = response::fields_of(plan, {}, monday);
  for (const auto& [name, value] : fields) given.insert(name);
  for (const notify::FieldName& field : notify::field_names()) {
    INFO(field.name);
    CHECK(given.contains(field.name));
  }
}

TEST_CASE("each contact is told in its own language, who has none in the agent's", "[response]") {
  const Scratch scratch;
  std::string two = diagnosed_shop;
  two.replace(two.find("[contact.cto]"), 13,
              "[contact.ana]\nlanguage = \"es\"\nchannels = [{ notifier = \"mail\", to = \"ana@b.c\" }]\n[contact.cto]");
  two.replace(two.find("notify = [\"cto\"]"), 16, "notify = [\"cto\", \"ana\"]");
  Shell shell(two, scratch / "state");
  shell.begin();
  shell.result("api", Seen::critical);
  REQUIRE(shell.handed.size() == 2);
  for (const Shell::Handed& one : shell.handed) {
    const bool is_es = one.message->to == "ana@b.c";
    CHECK(one.message->title.find(is_es ? "ALERTA DE INCIDENTE" : "INCIDENT ALERT") != std::string::npos);
  }
}

TEST_CASE("every markup that a manifest may name is one that values are escaped for", "[response]") {
  for (const std::string_view name : plugin::markup_names()) CHECK(notify::markup_name(notify::find_markup(name)) == name);
}

TEST_CASE("what a message of a trial came to is for who asked, and for no incident", "[response]") {
  const Scratch scratch;
  Shell shell(diagnosed_shop, scratch / "state");
  shell.begin();
  std::string key;
  shell.response->send_test("cto", {incident::Author::Kind::contact, "cto"},
                            [&](const Result<std::string>& told) { key = told ? *told : told.error().message(); });
  REQUIRE(shell.until([&] { return !key.empty(); }));
  REQUIRE(shell.until([&] { return shell.handed.size() == 1; }));
  CHECK(shell.handed[0].message->id.starts_with("test/"));
  shell.end(Shell::Handed(shell.handed[0]), DeliveryEnd::What::dropped, "no such line");
  CHECK(shell.handed.size() == 1);
  CHECK(shell.response->desk().incidents().incidents.empty());
  CHECK(shell.response->desk().own_troubles().empty());
}

TEST_CASE("an alert's diagnosis is run once when its incident opens, and stands in the timeline without control characters", "[response]") {
  const Scratch scratch;
  Shell shell(diagnosed_shop, scratch / "state");
  schedule::Entry& look = shell.entry(Kind::check, "look");
  look.status = plugin::CheckStatus::warning;
  look.summary = "load 41\x1b[2J";
  look.detail = "PID USER\n1 root\r\n" + std::string(1 << 20, '"');
  shell.begin();
  shell.result("api", Seen::critical);
  REQUIRE(shell.runs.size() == 1);
  CHECK(shell.runs[0].name == "look");
  CHECK(shell.runs[0].kind == Kind::check);
  CHECK(shell.timeline("shop", incident::Kind::diagnosis).empty());
  shell.runs[0].ended(look);
  shell.settle();
  const auto found = shell.timeline("shop", incident::Kind::diagnosis);
  REQUIRE(found.size() == 1);
  CHECK(found[0].subject == "look");
  CHECK(found[0].source == "diagnosis");
  CHECK(found[0].text.substr(0, 47) == "WARNING: load 41\\x1b[2J\nPID USER\n1 root\\x0d\n\"\"\"");
  CHECK(found[0].text.size() <= incident::max_output_bytes);
  // it opens once
  shell.now += 30 * second;
  shell.result("api", Seen::ok);
  shell.now += 30 * second;
  shell.result("api", Seen::critical);
  CHECK(shell.response->desk().incidents().incidents.size() == 1);
  CHECK(shell.runs.size() == 1);
}

TEST_CASE("a diagnosis that may change something, or is not there, is not run, and the timeline says so", "[response]") {
  const Scratch scratch;
  Shell shell(diagnosed_shop, scratch / "state");
  std::string said;
  SECTION("a task that does not say that it only reads") {
    shell.entry(Kind::task, "look");
    said = "not run: a task may change something; one that only reads says so with `changes = false`";
  }
  SECTION("nothing of that name") {
    said = "not run: no check and no task has that name";
  }
  SECTION("a task that only reads is run") {
    auto rare = std::make_unique<config::Rare>();
    rare->changes = false;
    shell.entry(Kind::task, "look").spec.rare = std::move(rare);
  }
  shell.begin();
  shell.result("api", Seen::critical);
  CHECK(shell.runs.size() == (said.empty() ? 1 : 0));
  const auto found = shell.timeline("shop", incident::Kind::diagnosis);
  REQUIRE(found.size() == (said.empty() ? 0 : 1));
  if (!said.empty()) CHECK(found[0].text == said);
}

TEST_CASE("a store that is bad at the start is told though nothing else is wrong, and its end too", "[response]") {
  const Scratch scratch;
  { Shell once(diagnosed_shop, scratch / "state"); }  // there is a database
  auto lock = std::make_unique<DatabaseLock>(scratch / "state/ronda.db");
  Shell shell(diagnosed_shop, scratch / "state");
  shell.begin();
  REQUIRE(shell.until([&] { return !shell.handed.empty(); }));
  CHECK(shell.response->desk().own_troubles() == std::vector<std::string>{"store"});
  CHECK(shell.handed[0].notifier == "log");
  CHECK(shell.handed[0].message->level == "p2");
  CHECK(shell.handed[0].message->event == "open");
  shell.end(Shell::Handed(shell.handed[0]), DeliveryEnd::What::delivered);
  lock.reset();
  REQUIRE(shell.until([&] { return shell.response->desk().own_troubles().empty(); }));
  REQUIRE(shell.until([&] { return shell.handed.size() == 2; }));
  CHECK(shell.handed[1].message->event == "resolve");
}

TEST_CASE("trouble of the configuration goes to the agent's own people, and without any to the last resort", "[response]") {
  const Scratch scratch;
  const bool has_people = GENERATE(true, false);
  CAPTURE(has_people);
  std::string text = diagnosed_shop;
  if (!has_people) text = text.substr(0, text.find("[contact.cto]"));
  Shell shell(text, scratch / "state");
  shell.begin();
  shell.response->on_own_trouble("config", Level::p2, "configuration: 1 error");
  shell.settle();
  REQUIRE(shell.handed.size() == 1);
  CHECK(shell.handed[0].notifier == (has_people ? "log" : "mail"));
  CHECK(shell.handed[0].message->level == "p2");
  shell.end(Shell::Handed(shell.handed[0]), DeliveryEnd::What::delivered);
  shell.response->on_own_trouble("config", Level::p2, "configuration: 2 errors");  // it is known already
  shell.settle();
  CHECK(shell.handed.size() == 1);
  shell.response->on_own_trouble("config", Level::none, "it is well");
  shell.settle();
  CHECK(shell.response->desk().own_troubles().empty());
}

TEST_CASE("what fires can be silenced by its name, also when it is not configured any more", "[response]") {
  const Scratch scratch;
  Shell shell(diagnosed_shop, scratch / "state");
  shell.begin();
  const auto silence = [&](const std::string& word) {
    incident::SilenceRequest request;
    request.what = *incident::parse_matcher(std::vector<std::string>{word});
    request.owner = {incident::Author::Kind::contact, "cto"};
    request.reason = "known";
    request.for_ns = hour;
    std::optional<std::string> answer;
    shell.response->silence(request, [&](const Result<incident::Silence>& made) { answer = made ? "made" : made.error().message(); });
    REQUIRE(shell.until([&] { return answer.has_value(); }));
    return *answer;
  };
  for (const std::string name : {"ronda/plugin/gone", "ronda/sink/unsound"}) {
    CHECK(silence("alert=" + name) == "there is no alert `" + name + "`");
    shell.response->on_own_trouble(name.substr(incident::own_prefix.size()), Level::p2, "it is held back");
    shell.settle();
    CHECK(silence("alert=" + name) == "made");
  }
  for (const auto& [id, one] : shell.response->desk().incidents().incidents) CHECK(one.is_suppressed());
  CHECK(silence("alert=ronda/plugin/gnoe") == "there is no alert `ronda/plugin/gnoe`; did you mean `ronda/plugin/gone`?");
}
