// SPDX-License-Identifier: Apache-2.0
// The post-incident document: complete, in both languages, and nothing that a text holds becomes Markdown.
#include "incident/document.hpp"

#include <random>

#include "world.hpp"

using namespace ronda::incident;

namespace {

/// A P1 from its alert to its review.
World whole() {
  World world;
  world.settings.war_room = "https://meet.jit.si/mm-{id}-{random}";
  world.fire("api-down", Level::p1);
  const std::string id = world.only().id;
  world.give(Delivery{id, "cto", "sms", "m1", "", Delivery::What::sent});
  world.give(Delivery{id, "dba", "sms", "m2", "", Delivery::What::sent});
  world.now += minute_ns;
  world.give(Delivery{id, "cto", "sms", "m1", "", Delivery::What::delivered});
  world.give(Delivery{id, "dba", "sms", "m2", "no such number", Delivery::What::failed});
  world.give(Diagnosis{id, "diagnose-api", "HTTP 500\n```\n# not a heading\n\x1b[31mred"});
  world.now += 4 * minute_ns;
  world.say(Verb::ack, contact("cto"));
  world.say(Verb::note, contact("cto"), "restarted *both* <nodes> | see http://x.test");
  world.now += 55 * minute_ns;
  world.recover("api-down");
  Command review;
  review.verb = Verb::review;
  review.incident = id;
  review.author = contact("cto");
  review.fields = {{"summary", "Two nodes ran out of memory.\n- not a list\n\n# not a heading"}};
  world.say(review);
  return world;
}

bool has(const std::string& text, std::string_view part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("what a gateway only took is accepted, with its own word, and not delivered", "[incident]") {
  World world;
  world.fire("api-down", Level::p1);
  const std::string id = world.only().id;
  world.give(Delivery{id, "cto", "sms", "m1", "", Delivery::What::sent});
  world.give(Delivery{id, "dba", "mail", "m2", "", Delivery::What::sent});
  world.give(Delivery{id, "cto", "sms", "m1", "accepted as SM1: queued", Delivery::What::delivered});
  world.give(Delivery{id, "dba", "mail", "m2", "mail.example took the mail", Delivery::What::delivered});
  DocumentOptions options;
  const std::string text = to_markdown(world.only(), world.events, options);
  has(text, "| cto | sms | accepted, 2026-11-30 00:53:20: accepted as SM1: queued |");
  has(text, "| dba | mail | delivered, 2026-11-30 00:53:20 |");
  options.language = Language::es;
  has(to_markdown(world.only(), world.events, options), "| cto | sms | aceptado, 2026-11-30 00:53:20: accepted as SM1: queued |");
  const auto accepted = std::ranges::find(world.events, Kind::notice_delivered, &Event::kind);
  REQUIRE(accepted != world.events.end());
  CHECK(describe(*accepted, Language::en) == "accepted for cto by sms: accepted as SM1: queued");
  CHECK(describe(*accepted, Language::es) == "aceptado para cto por sms: accepted as SM1: queued");
}

TEST_CASE("the document tells what, how long, who was told when and by which channel", "[incident]") {
  const World world = whole();
  DocumentOptions options;
  options.system = "Mini Market";
  options.offset_s = -3 * 3600;
  options.zone = "America/Argentina/Buenos_Aires";
  const std::string text = to_markdown(world.only(), world.events, options);
  has(text, "# " + world.only().id + ": api-down: over its limit\n");
  has(text, "| System | Mini Market |");
  has(text, "| Severity | P1 |");
  has(text, "| Detected | 2026-11-29 21:53:20 (America/Argentina/Buenos\\_Aires) |");
  has(text, "| Taken | 2026-11-29 21:58:20, cto (5m) |");
  has(text, "| Duration | 1h |");
  has(text, "## Who was told\n\n| Time | Contact | Channel | Outcome |");
  has(text, "| 2026-11-29 21:53:20 | cto | sms | delivered, 2026-11-29 21:54:20 |");
  has(text, "| 2026-11-29 21:53:20 | dba | sms | failed, 2026-11-29 21:54:20: no such number |");
  has(text, "| 2026-11-29 21:58:20 | contact:cto | taken by contact:cto |");
  has(text, "## Resolution summary\n\nTwo nodes ran out of memory.\\\n\\- not a list\\\n&nbsp;\\\n\\# not a heading\n");
  has(text, "## Root cause\n\n*not written yet*\n");
}

TEST_CASE("the document in Spanish says the same", "[incident]") {
  const World world = whole();
  DocumentOptions options;
  options.language = Language::es;
  const std::string text = to_markdown(world.only(), world.events, options);
  has(text, "| Severidad | P1 |");
  has(text, "| Estado | resuelto |");
  has(text, "## Cronología");
  has(text, "| la alerta api-down se dispara en P1: over its limit |");
  has(text, "## A quién se avisó");
  has(text, "*sin escribir aún*");
}

TEST_CASE("what a text holds stays text: no mark-up, no link, no way out of a cell or a fence", "[incident]") {
  CHECK(escape_markdown("a*b_c`d") == "a\\*b\\_c\\`d");
  CHECK(escape_markdown("<script>&") == "&lt;script&gt;&amp;");
  CHECK(escape_markdown("[x](http://y)") == "\\[x\\](http&#58;//y)");
  CHECK(escape_markdown("www.x.test bob@x.test") == "www&#46;x.test bob&#64;x.test");
  CHECK(escape_markdown("a|b\nc") == "a\\|b c");
  CHECK(escape_markdown("# h") == "\\# h");
  CHECK(escape_markdown("12. x") == "12\\. x");
  CHECK(escape_markdown("3.5 s - fine") == "3\\.5 s - fine");
  CHECK(escape_markdown("\x1b[31m\xff") == "\\\\x1b\\[31m\xEF\xBF\xBD");
  const World world = whole();
  const std::string text = to_markdown(world.only(), world.events, {});
  has(text, "note: restarted \\*both\\* &lt;nodes&gt; \\| see http&#58;//x.test |");
  has(text, "````text\nHTTP 500\n```\n# not a heading\n\\x1b[31mred\n````\n");
}

TEST_CASE("no text of random bytes adds a line or a cell to a table", "[incident]") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (std::size_t n = random() % 40; n > 0; --n) text += static_cast<char>(random());
    const std::string out = escape_markdown(text);
    CHECK(out.find('\n') == std::string::npos);
    CHECK(out.find('<') == std::string::npos);
    for (std::size_t at = out.find('|'); at != std::string::npos; at = out.find('|', at + 1)) {
      std::size_t slashes = 0;
      while (slashes < at && out[at - 1 - slashes] == '\\') ++slashes;
      CHECK(slashes % 2 == 1);
    }
  }
}

TEST_CASE("a placeholder inside of a name is not filled in", "[incident]") {
  Event event;
  event.kind = Kind::role;
  event.subject = "{role}";
  event.role = "{who}";
  CHECK(describe(event, Language::en) == "{role} is {who}");
}

TEST_CASE("hidden time and a late answer are in the document", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.give(MutesNow{{Mute{"window:sunday", {}, true, 0}}});
  world.pass(60);
  world.give(MutesNow{});
  world.pass(20);
  world.say(Verb::ack, contact("cto"));
  const std::string text = to_markdown(world.only(), world.events, {});
  has(text, "| Of that hidden by silences and windows | 1h |");
  has(text, "cto (1h20m; later than wanted) |");
  has(text, "| Resolved | still open |");
  has(text, "Nobody was told.");
}

TEST_CASE("a resolution leaves only when it is complete: all parts at P1 and P2, a summary below", "[incident]") {
  const Fields summary = {{"summary", "x"}}, blank = {{"summary", " \n"}};
  CHECK(missing_parts(summary, Level::p3).empty());
  CHECK(missing_parts(blank, Level::p4) == std::vector<std::string_view>{"summary"});
  CHECK(missing_parts(summary, Level::p2).size() == 5);
  CHECK(check_resolution(summary, Level::p3, false, ""));
  CHECK_FALSE(check_resolution(summary, Level::p1, false, "because"));
  CHECK_FALSE(check_resolution(summary, Level::p1, true, " "));
  CHECK(check_resolution(summary, Level::p1, true, "because"));
}

TEST_CASE("what joins and only waits does not fire, and a time is in the zone of the document", "[incident]") {
  Event waits;
  waits.kind = Kind::alert_joined;
  waits.alert = "web";
  waits.blocked = true;
  waits.text = "blocked by api, which is critical";
  CHECK(describe(waits, Language::en) == "alert web waits: blocked by api, which is critical");
  CHECK(describe(waits, Language::es) == "la alerta web espera: blocked by api, which is critical");
  Event ticket;
  ticket.kind = Kind::ticket;
  ticket.subject = "supabase";
  ticket.until_ns = 1'795'914'000'000'000'000;  // 2026-11-29 01:00:00 UTC
  DocumentOptions there;
  there.offset_s = -3 * 3600;
  there.zone = "America/Argentina/Buenos_Aires";
  CHECK(describe(ticket, there).find("answer owed until 2026-11-28 22:00:00 -0300") != std::string::npos);
  CHECK(describe(ticket, Language::en).find("answer owed until 2026-11-29 01:00:00 UTC") != std::string::npos);
}

TEST_CASE("every kind of event has words in both languages", "[incident]") {
  for (auto kind = static_cast<std::size_t>(Kind::other); kind <= static_cast<std::size_t>(Kind::clock_set); ++kind) {
    Event event;
    event.kind = static_cast<Kind>(kind);
    event.kind_name = "teleported";
    event.subject = "s";
    CHECK_FALSE(describe(event, Language::en).empty());
    CHECK_FALSE(describe(event, Language::es).empty());
  }
}
