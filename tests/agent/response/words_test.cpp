// SPDX-License-Identifier: Apache-2.0
// What people read, as the desk decides it: the words of each envelope, with a value in every place that has one.
#include "agent/response/desk.hpp"
#include "incident/document.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

const std::string shop = R"(
[check.api]
use = "a.b"
every = "30s"
timeout = "10s"
service = "shop"
[alert.api]
p1 = "api.status == critical"
p2 = "api.status == warning"
[service.shop]
title = "The shop"
checks = ["api"]
[contact.cto]
name = "CTO"
channels = [{ notifier = "log" }]
[contact.ceo]
name = "CEO"
channels = [{ notifier = "mail", to = "ceo@example.com" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["cto"], repeat = ["15m"] }, { from = "1h", notify = ["ceo"], repeat = ["1h"], business = true }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["cto"] }, { from = "1h", notify = ["ceo"], business = true }]
)";

/// The words of the newest envelope for that contact, which must be about that.
store::OutboxText newest(const World& world, const std::string& contact, std::string_view topic) {
  const auto found =
      std::find_if(world.order.rbegin(), world.order.rend(), [&](const store::OutboxRow& row) { return row.contact == contact; });
  REQUIRE(found != world.order.rend());
  CHECK(notify::value_of(notify::fields_from_json(found->text.fields), "topic") == topic);
  return found->text;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("what a person says of an incident is read by those who heard of it, and stays its current status", "[response]") {
  World world(shop);
  world.result("api", Seen::critical);
  CHECK(newest(world, "cto", "open").body.starts_with("System: The shop\n"));
  CHECK(has(newest(world, "cto", "open").body, "Current Status:\nP1 api\n"));
  world.now += minute;
  world.command(incident::Verb::update, "cto", "the vendor was called");
  CHECK(newest(world, "cto", "update").body.starts_with("the vendor was called\n\nSystem: The shop\n"));
  CHECK(has(newest(world, "cto", "update").body, "Current Status:\nthe vendor was called\nP1 api\n"));
  world.command(incident::Verb::mitigate, "cto", "the cache serves");
  CHECK(newest(world, "cto", "update").body.starts_with("mitigating: the cache serves\n\n"));
  CHECK(has(newest(world, "cto", "update").body, "Current Status:\nthe cache serves\nP1 api\n"));
  world.now += minute;
  world.result("api", Seen::ok);
  CHECK(newest(world, "cto", "resolve").body.starts_with("recovered\n\nSystem: The shop\n"));
  world.now += minute;
  world.result("api", Seen::critical);
  CHECK(newest(world, "cto", "open").body.starts_with("again\n\n"));           // what came again is what it is called
  CHECK(has(newest(world, "cto", "open").body, "Current Status:\nP1 api\n"));  // what was said before is over
}

TEST_CASE("a message says whom to turn to: those who are called, then who has it, then who leads it", "[response]") {
  std::string text = with_other(shop, "channels = [{ notifier = \"log\" }]",
                                "channels = [{ notifier = 'log' }, { notifier = 'mail', to = 'https://me:secret@hooks.test/x' }, "
                                "{ notifier = 'mail', to = 'cto@shop.test' }, { notifier = 'mail', to = '+5491155550001' }]");
  World world(text + "[contact.dba]\nname = 'DBA'\nchannels = [{ notifier = 'mail', to = '${env:NONE:-dba@b.c}' }]\n");
  world.result("api", Seen::critical);
  CHECK(has(newest(world, "cto", "open").body, "\nContact:\nCTO (+5491155550001, cto@shop.test)\n"));
  world.run_to(61 * minute);  // who decides is told, and not called
  CHECK(has(newest(world, "ceo", "escalation").body, "\nContact:\nCTO (+5491155550001, cto@shop.test)\n"));
  world.command(incident::Verb::ack, incident::Author{incident::Author::Kind::unix, "root"});
  CHECK(has(newest(world, "cto", "update").body, "\nContact:\nroot; CTO (+5491155550001, cto@shop.test)\n"));
  world.command(incident::Verb::ack, "ceo");
  CHECK(has(newest(world, "cto", "update").body, "\nContact:\nCEO (ceo@example.com)\n"));
  incident::Command lead;
  lead.verb = incident::Verb::role;
  lead.incident = world.only().id;
  lead.author = {incident::Author::Kind::contact, "ceo"};
  lead.role = "commander";
  lead.subject = "dba";
  world.take(world.desk().command(lead, world.now));
  world.command(incident::Verb::update, "ceo", "the vendor was called");
  CHECK(has(newest(world, "cto", "update").body, "\nContact:\nDBA\n"));  // an address by reference is not for everybody
}

TEST_CASE("of many who are called the first four are named, and of many alerts the worst twenty, in the reader's language", "[response]") {
  std::string text = with_other(shop, "notify = [\"cto\"], repeat", "notify = [\"cto\", \"c1\", \"c2\", \"c3\", \"c4\"], repeat");
  for (int i = 1; i < 5; ++i) {
    const std::string name = "c" + std::to_string(i);
    text += "[contact." + name + "]\nchannels = [{ notifier = 'mail', to = '" + name + "@b.c' }]\n" + (i == 4 ? "language = 'es'\n" : "");
  }
  for (int i = 10; i < 32; ++i) {
    const std::string name = "x" + std::to_string(i);
    text += "[check." + name + "]\nuse = 'a.b'\nevery = '30s'\ntimeout = '10s'\nservice = 'shop'\n[alert." + name + "-bad]\np1 = '" + name +
            ".status == critical'\n";
  }
  World world(text);
  world.result("x10", Seen::critical);
  CHECK(has(newest(world, "c1", "open").body, "\nContact:\nCTO; c1 (c1@b.c); c2 (c2@b.c); c3 (c3@b.c) and 1 more\n"));
  CHECK(has(newest(world, "c4", "open").body, "\nContacto:\nCTO; c1 (c1@b.c); c2 (c2@b.c); c3 (c3@b.c) y 1 más\n"));
  for (int i = 11; i < 32; ++i) world.result("x" + std::to_string(i), Seen::critical);
  world.command(incident::Verb::update, "cto", "looking");
  CHECK(has(newest(world, "c1", "update").body, "P1 x29-bad (check x29)\nand others: 2\n"));
  CHECK(has(newest(world, "c4", "update").body, "P1 x29-bad (comprobación x29)\ny otras: 2\n"));
}

TEST_CASE("what it means for people stands under its tag in every message after it was noted, in the newest words", "[response]") {
  World world(shop);
  world.result("api", Seen::critical);
  CHECK(has(newest(world, "cto", "open").body, "\nImpact:\nnot known yet\n"));
  const auto note = [&](const std::string& tag, const std::string& text, incident::Verb verb = incident::Verb::note) {
    incident::Command command;
    command.verb = verb;
    command.incident = world.only().id;
    command.author = {incident::Author::Kind::contact, "cto"};
    command.text = text;
    command.subject = tag;
    world.take(world.desk().command(command, world.now));
  };
  note("users", "half of the orders fail");
  note("legal", "");
  note("users", "nobody can pay\nsince noon");
  note("shops", "the tills were stopped", incident::Verb::update);
  CHECK(
      has(newest(world, "cto", "update").body, "\nImpact:\nusers: nobody can pay\nsince noon\nlegal\nshops\n\nCurrent Status:\nthe tills"));
  world.restart();
  world.command(incident::Verb::update, "cto", "again");
  CHECK(has(newest(world, "cto", "update").body, "\nImpact:\nusers: nobody can pay\n"));
}

TEST_CASE("a notice to those who decide says who has it, and after a raise that nobody has it any more", "[response]") {
  World world(shop);
  world.result("api", Seen::warning);
  world.now += 5 * minute;
  world.command(incident::Verb::ack, "cto");
  world.run_to(61 * minute);
  CHECK(newest(world, "ceo", "escalation").body.starts_with("Taken by cto since Mon 2026-01-05 00:05:00 +0000: default, step 2"));
  world.result("api", Seen::critical);
  CHECK(newest(world, "ceo", "escalation").body.starts_with("Not taken by anybody since Mon 2026-01-05 01:01:00 +0000: "));
  CHECK(has(newest(world, "cto", "escalation").body, "\n\nraised to p1\n\n"));
  world.run_to(80 * minute);
  CHECK(newest(world, "cto", "reminder").body.starts_with("Not taken by anybody since Mon 2026-01-05 01:01:00 +0000\n\n"));
  world.command(incident::Verb::ack, "cto");
  world.run_to(125 * minute);
  CHECK(newest(world, "ceo", "reminder").body.starts_with("Taken by cto since Mon 2026-01-05 01:20:00 +0000\n\n"));
}

TEST_CASE("that it is over is told at once, and what 5.3 wants of the end once it is written", "[response]") {
  World world(shop);
  world.result("api", Seen::critical);
  world.now += minute;
  world.result("api", Seen::ok);
  const std::string all = "resolution summary, impact summary, root cause analysis, action items, customer communication, next steps";
  CHECK(has(newest(world, "cto", "resolve").body, "To be written yet: " + all + ". When that is done this text comes once more.\n"));
  CHECK_FALSE(has(newest(world, "cto", "resolve").body, "not written"));
  const std::size_t told = world.order.size();
  const std::vector<std::pair<std::string, std::string>> parts = {{"summary", "the vendor restarted it"},
                                                                  {"impact", "no order was lost"},
                                                                  {"root_cause", "a full disk"},
                                                                  {"action_items", "watch the disk"},
                                                                  {"customer", "none"},
                                                                  {"next_steps", "none today"}};
  for (const auto& [name, text] : parts) {
    CHECK(world.order.size() == told);
    world.review({{name, text}});
  }
  REQUIRE(world.order.size() == told + 1);
  const std::string body = newest(world, "cto", "resolve").body;
  CHECK(body.starts_with("what is said of its end is complete, by cto\n\nSystem: The shop\n"));
  for (const auto& [name, text] : parts) CHECK(has(body, text + "\n"));
  CHECK_FALSE(has(body, "written"));
  world.review({{"summary", "the vendor restarted it twice"}});
  world.command(incident::Verb::close, "cto");
  CHECK(world.order.size() == told + 1);
}

TEST_CASE("an end that is closed without its words is told with the reason for that", "[response]") {
  World world(shop);
  world.result("api", Seen::critical);
  world.now += minute;
  world.result("api", Seen::ok);
  world.review({{"summary", "a false alarm"}});
  const std::size_t told = world.order.size();
  world.command(incident::Verb::close, "cto", "nothing was wrong", true);
  REQUIRE(world.order.size() == told + 1);
  CHECK(newest(world, "cto", "resolve").body.starts_with("closed by cto: nothing was wrong\n\n"));
  CHECK(has(newest(world, "cto", "resolve").body, "To be written yet: impact summary, root cause"));
  CHECK(has(newest(world, "cto", "resolve").body, "\nResolution Summary:\na false alarm\n"));
}

TEST_CASE("an end whose words are there before it is told once", "[response]") {
  World world(shop);
  world.result("api", Seen::critical);
  world.review({{"summary", "a"}, {"impact", "b"}, {"root_cause", "c"}, {"action_items", "d"}, {"customer", "e"}, {"next_steps", "f"}});
  CHECK(world.order.size() == 1);
  world.now += minute;
  world.result("api", Seen::ok);
  REQUIRE(world.order.size() == 2);
  CHECK(has(newest(world, "cto", "resolve").body, "\nResolution Summary:\na\n\nImpact Summary:\nb\n"));
  world.command(incident::Verb::close, "cto");
  CHECK(world.order.size() == 2);
}

namespace {

incident::Silence silence_of(const World& world, const incident::Author& owner, const std::string& reason, std::int64_t lasts_ns) {
  incident::SilenceRequest request;
  request.what.services = {"shop"};
  request.owner = owner;
  request.reason = reason;
  request.for_ns = lasts_ns;
  auto made = incident::make_silence(request, world.now, 7);
  REQUIRE(made);
  return *made;
}

}  // namespace

TEST_CASE("what is told of a silence names it, its owner, its reason, its end and what it hides", "[response]") {
  World world(shop);
  const incident::Silence silence = silence_of(world, {incident::Author::Kind::contact, "ceo"}, "moving the disks", hour);
  world.take(world.desk().add_silence(silence, world.now));
  world.now += minute;
  world.result("api", Seen::critical);
  store::OutboxText text = newest(world, "ceo", "expiry");
  const std::string id = world.only().id;
  CHECK(text.title == "⌛ silence " + silence.id + " (service=shop) hides a P1");
  CHECK(text.body == "silence " + silence.id +
                         " (service=shop) hides a P1\nEnd: Mon 2026-01-05 01:00:00 +0000\nOwner: ceo\n"
                         "Reason: moving the disks\nIt hides now:\nP1 api (" +
                         id + ")\n");
  CHECK(world.order.back().level == "p1");
  world.result("api", Seen::warning);
  world.run_to(54 * minute);
  text = newest(world, "ceo", "expiry");
  CHECK(text.title == "⌛ EXPIRES Mon 2026-01-05 01:00:00 +0000 - silence " + silence.id + " (service=shop) ends in 6m");
  CHECK(text.body == "silence " + silence.id +
                         " (service=shop) ends in 6m\nExpires: Mon 2026-01-05 01:00:00 +0000\nOwner: ceo\n"
                         "Reason: moving the disks\nIt hides now:\nP2 api (" +
                         id + ")\n");
  CHECK(world.order.back().level == "p3");
  world.run_to(hour);
  text = newest(world, "ceo", "expiry");
  CHECK(text.title == "⌛ silence " + silence.id + " (service=shop) has ended, and what it hid still fails");
  CHECK(has(text.body, "End: Mon 2026-01-05 01:00:00 +0000\nOwner: ceo\nReason: moving the disks\nIt hides now:\nP2 api (" + id + ")\n"));
}

TEST_CASE("of a silence whose owner is no contact who is called first hears, by the channels of a P3", "[response]") {
  World world(shop + "[contact.night]\nchannels = [{ notifier = 'log', levels = ['p1'] }]\n");
  const incident::Author owner =
      GENERATE(incident::Author{incident::Author::Kind::unix, "root"}, incident::Author{incident::Author::Kind::contact, "gone"});
  world.take(world.desk().add_silence(silence_of(world, owner, "a test", hour), world.now));
  world.run_to(54 * minute);
  REQUIRE(world.order.size() == 1);
  CHECK(world.order[0].level == "p3");
  CHECK(has(newest(world, "cto", "expiry").body, "Owner: " + owner.name + "\nReason: a test\n"));
}

TEST_CASE("an owner's channel for P1 alone is not used for the end of a silence, and their quiet hours hold it", "[response]") {
  World world(shop +
              "[contact.night]\nquiet = '00:00-06:00'\nchannels = [{ notifier = 'log', levels = ['p1'] }, "
              "{ notifier = 'mail', to = 'night@example.com' }]\n");
  world.take(world.desk().add_silence(silence_of(world, {incident::Author::Kind::contact, "night"}, "a test", hour), world.now));
  world.run_to(54 * minute);
  REQUIRE(world.order.size() == 1);
  CHECK(world.order[0].to == "night@example.com");
  CHECK(world.order[0].next_at == monday + 6 * hour);
}

TEST_CASE("each contact reads what the agent itself says in their own language, and what people said as they said it", "[response]") {
  const std::string spanish = "[contact.cto]\nlanguage = 'es'\n";
  std::string text = shop;
  text.replace(text.find("[contact.cto]\n"), std::string_view("[contact.cto]\n").size(), spanish);
  World world(text);
  world.result("api", Seen::critical);
  CHECK(newest(world, "cto", "open").title.starts_with("🚨 ALERTA DE INCIDENTE - P1"));
  world.command(incident::Verb::ack, "ceo");
  CHECK(newest(world, "cto", "update").body.starts_with("tomado por ceo\n\nSistema: The shop\n"));
  world.run_to(30 * minute);
  world.command(incident::Verb::update, "ceo", "the vendor was called");
  CHECK(newest(world, "cto", "update").body.starts_with("the vendor was called\n\nSistema: "));
  world.run_to(hour);
  CHECK(newest(world, "ceo", "escalation").body.starts_with("Taken by ceo since Mon 2026-01-05 00:00:00 +0000: default, step 2 (start, "));
  world.result("api", Seen::ok);
  const std::string over = newest(world, "cto", "resolve").body;
  CHECK(over.starts_with("se ha recuperado\n\nSistema: "));
  CHECK(has(over, "Por redactar: resumen de la resolución, resumen del impacto, "));
  CHECK(newest(world, "ceo", "resolve").body.starts_with("recovered\n\nSystem: "));
}

namespace {

const std::string two_checks = R"(
[check.cache]
use = "a.b"
every = "30s"
timeout = "10s"
service = "shop"
after = ["db"]
[check.db]
use = "a.b"
every = "30s"
timeout = "10s"
service = "shop"
[alert.cache]
p3 = "cache.status == warning"
p2 = "cache.status == critical"
title = "The database reads from the disk"
[alert.db]
p1 = "db.status == critical"
title = "The database does not answer"
[service.shop]
title = "The shop"
checks = ["cache", "db"]
[contact.cto]
name = "CTO"
channels = [{ notifier = "log" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["cto"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["cto"] }]
[escalation.default.p3]
steps = [{ from = "0m", notify = ["cto"] }]
)";

}  // namespace

TEST_CASE("a message says what is worst now, not what the incident began with", "[response]") {
  World world(two_checks);
  world.result("db", Seen::ok);
  world.result("cache", Seen::warning);
  const std::string began = "The database reads from the disk: cache.status is warning";
  CHECK(newest(world, "cto", "open").title == "🚨 INCIDENT ALERT - P3: " + began);
  world.now += minute;
  world.result("db", Seen::critical);
  const store::OutboxText raised = newest(world, "cto", "escalation");
  CHECK(raised.title == "⬆ ESCALATION - P1: The database does not answer: db.status is critical");
  CHECK(has(raised.body, "\n\nraised to p1\n\n"));
  CHECK(has(raised.body, "Description:\nThe database does not answer: db.status is critical\n"));
  CHECK(world.only().title == began);
  world.now += minute;
  world.result("db", Seen::ok);
  world.now += second;
  world.result("cache", Seen::ok);
  CHECK(newest(world, "cto", "resolve").title == "✅ INCIDENT RESOLVED - P1: The database does not answer: db.status is critical");
}

TEST_CASE("what waits for another check names that one, also where it fired first", "[response]") {
  World world(two_checks);
  world.result("db", Seen::ok);
  world.result("cache", Seen::critical);
  world.now += minute;
  world.result("db", Seen::critical);
  world.result("cache", Seen::critical);
  world.command(incident::Verb::update, "cto", "looking");
  const std::string body = newest(world, "cto", "update").body;
  CHECK(has(body, "P1 db\n"));
  CHECK(has(body, "P2 cache, blocked by db\n"));
  CHECK(notify::value_of(notify::fields_from_json(newest(world, "cto", "update").fields), "check") == "db");
}

TEST_CASE("a message has what the check says of itself below its title, and the timeline has it too", "[response]") {
  World world(shop);
  world.result("api", Seen::critical, "503 from 10.0.0.7: no workers\x1b[2J");
  CHECK(has(newest(world, "cto", "open").body, "Description:\napi: api.status is critical\n503 from 10.0.0.7: no workers\\x1b[2J\n"));
  CHECK(newest(world, "cto", "open").title.find("workers") == std::string::npos);  // a title is short: an SMS is paid by its length
  const auto joined = std::ranges::find(world.held.events, "alert_joined", &store::IncidentEvent::kind);
  REQUIRE(joined != world.held.events.end());
  CHECK(incident::describe(*incident::parse_event(joined->data), incident::Language::en) ==
        "alert api fires at P1: api.status is critical - 503 from 10.0.0.7: no workers\\x1b[2J");
  world.now += minute;
  world.result("api", Seen::ok, "200");
  CHECK_FALSE(has(newest(world, "cto", "resolve").body, "200"));
  world.now += 20 * minute;
  world.result("api", Seen::critical);  // without words
  CHECK_FALSE(has(newest(world, "cto", "open").body, "workers"));
}

TEST_CASE("of a check's words a message has one line of at most 300 bytes", "[response]") {
  World world(shop);
  world.result("api", Seen::critical, std::string(5000, 'x') + "end");
  const std::string body = newest(world, "cto", "open").body;
  CHECK(has(body, std::string(250, 'x')));
  CHECK_FALSE(has(body, std::string(301, 'x')));
}
