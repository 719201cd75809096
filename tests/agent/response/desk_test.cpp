// SPDX-License-Identifier: Apache-2.0
#include "agent/response/desk.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a failing check opens one incident and tells the first step, all in one decision", "[response]") {
  World world(three_checks);
  world.result("api", Seen::ok);
  CHECK(world.held.events.empty());
  world.now += 30 * second;
  world.result("api", Seen::critical);
  CHECK(world.told == Lines{"30s open p1 cto log"});
  CHECK(world.only().level == Level::p1);
  CHECK(world.only().service == "shop");
  REQUIRE(world.held.alerts.contains("api"));
  std::vector<std::string> kinds;
  for (const store::IncidentEvent& event : world.held.events) kinds.push_back(event.kind);
  CHECK(std::ranges::find(kinds, "opened") != kinds.end());
  CHECK(std::ranges::find(kinds, "notice_sent") != kinds.end());
  // no second page while nothing changes
  world.now += 30 * second;
  world.result("api", Seen::critical);
  CHECK(world.told.size() == 1);
}

TEST_CASE("the ladder is climbed by the clock until somebody has it, and its end is told to those who were told", "[response]") {
  World world(three_checks);
  world.result("api", Seen::critical);
  world.run_to(70 * minute, {{"api", Seen::critical}});
  CHECK(world.told == Lines{"0s open p1 cto log", "15m update p1 cto log", "30m update p1 cto log", "45m update p1 cto log",
                            "1h open p1 cto log", "1h open p1 ceo mail"});
  world.command(incident::Verb::ack);
  world.told.clear();
  world.run_to(110 * minute, {{"api", Seen::critical}});
  for (const std::string& line : world.told) CHECK(line.find(" open ") == std::string::npos);
  world.told.clear();
  world.run_to(111 * minute, {{"api", Seen::ok}});
  CHECK(std::ranges::count_if(world.told, [](const std::string& line) { return line.find("resolve p1 cto log") != std::string::npos; }) ==
        1);
  CHECK(std::ranges::count_if(world.told, [](const std::string& line) { return line.find("resolve p1 ceo mail") != std::string::npos; }) ==
        1);
  CHECK(world.only().stage == incident::Stage::resolved);
}

TEST_CASE("a message leads to where its incident is worked on", "[response]") {
  World world(three_checks);
  world.result("api", Seen::critical);
  REQUIRE(world.held.outbox.size() == 1);
  const notify::Fields fields = notify::fields_from_json(world.held.outbox.begin()->second.text.fields);
  CHECK(world.only().war_room.starts_with("https://"));
  CHECK(notify::value_of(fields, "incident_url") == world.only().war_room);
}

TEST_CASE("what only the last resort was told of, it is told the end of, over a restart too", "[response]") {
  const bool restarts = GENERATE(false, true);
  World world(R"([agent]
last_resort = ["mail"]
[notifier.mail]
use = "smtp"
[check.api]
use = "a.b"
every = "30s"
timeout = "10s"
severity = "p2"
)");
  world.result("api", Seen::critical);
  CHECK(world.told == Lines{"0s open p2  mail"});
  world.told.clear();
  if (restarts) world.restart();
  world.run_to(10 * minute, {{"api", Seen::critical}});
  CHECK(world.told.empty());
  world.run_to(20 * minute, {{"api", Seen::ok}});
  REQUIRE(world.told.size() == 1);
  CHECK(world.told[0].ends_with(" resolve p2  mail"));
  CHECK(world.only().stage == incident::Stage::resolved);
}

TEST_CASE("an alert's own title names the incident and stands in its messages", "[response]") {
  const auto [title, said] = GENERATE(table<std::string, std::string>({
      {"Database <1> of the shop", "Database <1> of the shop: db is critical"},
      {"{{system}} without {{check}}: {{reason}}", "The shop without db: db is critical"},
      {"{{alert}} on {{host}}{{#service}} ({{service}}){{/service}}", "db-down on shop1 (shop): db is critical"},
  }));
  std::string titled = three_checks;
  titled.insert(titled.find("for = \"5m\""), "title = \"" + title + "\"\n");
  World world(titled);
  world.result("db", Seen::critical);
  world.run_to(6 * minute, {{"db", Seen::critical}});
  INFO(world.only().title);
  CHECK(world.only().title.starts_with(said.substr(0, said.find(": ") + 2)));
  REQUIRE(world.held.outbox.size() == 1);
  const store::OutboxRow& row = world.held.outbox.begin()->second;
  CHECK(row.text.title == "🚨 INCIDENT ALERT - P1: " + world.only().title);
  world.use(three_checks);
  CHECK(world.only().title.find("db-down:") == std::string::npos);  // what it was called it is called
}

TEST_CASE("a title that names what it has no value of is an error with its place, and the alert goes by its name", "[response]") {
  const auto [title, problem] = GENERATE(table<std::string, std::string>({
      {"{{severity}}: down",
       "`{{severity}}` has no value here; there are {{alert}}, {{check}}, {{host}}, {{reason}}, {{service}}, {{since}}, {{system}}"},
      {"{{sistem}} is down", "unknown placeholder `{{sistem}}`; did you mean `{{system}}`?"},
      {"{{{system}}} is down", "`{{{system}}}` would not be escaped; write `{{system}}`"},
      {"{{system is down", "`{{` without `}}`"},
  }));
  std::string titled = three_checks;
  titled.insert(titled.find("for = \"5m\""), "title = \"" + title + "\"\n");
  Staffed staffed = staff(titled, log_and_mail());
  const auto titles = response::read_titles(staffed.generation, staffed.diagnostics);
  CHECK(titles.empty());
  INFO(staffed.printed());
  CHECK(staffed.printed().find("`title`: " + problem) != std::string::npos);
}

TEST_CASE("over a restart nobody is paged again, and the next step comes at its time", "[response]") {
  World whole(three_checks), restarted(three_checks);
  for (World* world : {&whole, &restarted}) world->result("api", Seen::critical);
  whole.run_to(80 * minute, {{"api", Seen::critical}});
  for (int i = 1; i <= 80; ++i) {
    restarted.run_to(i * minute, {{"api", Seen::critical}});
    restarted.restart();
  }
  CHECK(restarted.told == whole.told);
  CHECK(restarted.only().id.starts_with("INC-20260105-"));
}

TEST_CASE("`for` is held over a restart", "[response]") {
  World world(three_checks);
  world.result("db", Seen::critical);
  world.run_to(4 * minute, {{"db", Seen::critical}});
  CHECK(world.told.empty());
  world.restart();
  world.run_to(6 * minute, {{"db", Seen::critical}});
  REQUIRE(world.told.size() == 1);
  CHECK(world.told.front() == "5m open p1 cto log");
}

TEST_CASE("an incident of which no ladder knows reaches somebody all the same", "[response]") {
  World world(R"([check.disk]
use = "a.b"
every = "30s"
severity = "p1"
[contact.cto]
name = "CTO"
channels = [{ notifier = "log" }]
)");
  world.result("disk", Seen::critical);
  CHECK_FALSE(world.told.empty());
  CHECK_FALSE(world.troubles.empty());
}

TEST_CASE("trouble of the agent itself is an incident that ends with the trouble", "[response]") {
  World world(three_checks);
  world.take(world.desk().on_own_trouble("sink/mail", Level::p2, "notifier mail takes no message: refused", world.now));
  CHECK(world.only().level == Level::p2);
  CHECK_FALSE(world.told.empty());
  world.now += minute;
  world.take(world.desk().on_own_trouble("sink/mail", Level::none, "notifier mail takes messages again", world.now));
  CHECK(world.only().stage == incident::Stage::resolved);
}

TEST_CASE("what is wrong with a notifier is told by another one", "[response]") {
  World world(R"([contact.ops]
name = "Operations"
channels = [{ notifier = "mail", to = "ops@example.com" }, { notifier = "log" }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["ops"] }]
)");
  world.take(world.desk().on_own_trouble("sink/mail", Level::p2, "notifier mail takes no message: refused", world.now));
  CHECK(world.told == Lines{"0s open p2 ops log"});
}

TEST_CASE("a silence hides and does not forget: at its end what still fails is told", "[response]") {
  World world(three_checks);
  incident::SilenceRequest request;
  request.what.checks = {"api"};
  request.owner = {incident::Author::Kind::contact, "cto"};
  request.reason = "deploy";
  request.for_ns = 30 * minute;
  auto silence = incident::make_silence(request, world.now, 7);
  REQUIRE(silence);
  world.take(world.desk().add_silence(*silence, world.now));
  world.result("api", Seen::critical);
  world.run_to(29 * minute, {{"api", Seen::critical}});
  CHECK(std::ranges::none_of(world.told, [](const std::string& line) { return line.find(" open ") != std::string::npos; }));
  world.run_to(31 * minute, {{"api", Seen::critical}});
  CHECK(std::ranges::count_if(world.told, [](const std::string& line) { return line.find("open p1 cto log") != std::string::npos; }) == 1);
}

TEST_CASE("an alert that left the configuration ends its incident, and that is told", "[response]") {
  World world(three_checks);
  world.result("api", Seen::critical);
  REQUIRE(world.told.size() == 1);
  std::string without = three_checks;
  const std::size_t at = without.find("severity = \"p1\"\n");
  without.erase(at, std::string("severity = \"p1\"\n").size());
  world.now += minute;
  world.take(world.desk().use(plan_of(without), world.now));
  CHECK(world.only().stage != incident::Stage::open);
  CHECK(world.told.size() == 2);
}

TEST_CASE("an alert whose file or object is wrong at a start has not recovered: it ends when the configuration is sound without it",
          "[response]") {
  World world(three_checks);
  world.result("api", Seen::critical);
  std::string without = three_checks;
  without.erase(without.find("severity = \"p1\"\n"), std::string("severity = \"p1\"\n").size());
  const auto [kind, name] = GENERATE(table<std::string, std::string>({{"file", "conf.d/10.toml"}, {"check", "api"}, {"alert", "api"}}));
  CAPTURE(kind);
  World next(without);
  next.now = world.now + minute;
  REQUIRE(next.desk().restore(world.held.kept(), next.now).empty());
  const auto broken = std::const_pointer_cast<response::Plan>(plan_of(without));
  broken->lost = response::lost_by({{kind, name, {}, "wrong"}, {"check", "another", {}, "wrong"}});
  next.take(next.desk().use(broken, next.now));
  CHECK(next.only().stage == incident::Stage::open);
  REQUIRE(next.desk().alert("api") != nullptr);
  CHECK(next.desk().alert("api")->level == Level::p1);
  next.run_to(next.now - monday + 20 * minute, {{"db", Seen::ok}, {"page", Seen::ok}});
  CHECK(std::ranges::any_of(next.told, [](const std::string& line) { return line.find(" p1 cto log") != std::string::npos; }));
  CHECK(std::ranges::none_of(next.told, [](const std::string& line) { return line.find("resolve") != std::string::npos; }));

  next.take(next.desk().use(plan_of(three_checks), next.now));  // mended: it is judged again
  CHECK(next.only().stage == incident::Stage::open);
  next.take(next.desk().use(plan_of(without), next.now));
  CHECK_FALSE(next.only().is_live());
}

TEST_CASE("what nobody could be told of, for want of a notifier, is told when there is one", "[response]") {
  World world(three_checks);
  const std::map<std::string, Seen> others = {{"db", Seen::ok}, {"page", Seen::ok}};
  const auto mute = std::const_pointer_cast<response::Plan>(plan_of(three_checks));
  mute->people.notifiers.clear();
  world.take(world.desk().use(mute, world.now));
  world.result("api", Seen::critical);
  CHECK(world.told.empty());
  CHECK(std::ranges::any_of(world.troubles, [](const std::string& text) { return text.find("nobody can be told") != std::string::npos; }));
  world.run_to(5 * minute, others);
  world.use(three_checks);
  CHECK(world.told == Lines{"5m open p1 cto log"});
  world.run_to(10 * minute, others);
  CHECK(world.told.size() == 1);
}

TEST_CASE("who shares an address with others hears of the end as well, once", "[response]") {
  World world(R"([check.api]
use = "a.b"
every = "30s"
severity = "p1"
[contact.ana]
name = "Ana"
channels = [{ notifier = "log" }]
[contact.bo]
name = "Bo"
channels = [{ notifier = "log" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ana", "bo"] }]
)");
  world.result("api", Seen::critical);
  CHECK(world.told == Lines{"0s open p1 ana,bo log"});
  CHECK(world.only().told == std::set<std::string, std::less<>>{"ana", "bo"});
  world.told.clear();
  world.run_to(5 * minute, {{"api", Seen::ok}});
  CHECK(std::ranges::count_if(world.told,
                              [](const std::string& line) { return line.find(" resolve p1 ana,bo log") != std::string::npos; }) == 1);
  CHECK(world.troubles.empty());
}

TEST_CASE("an alert that left while no agent ran is ended by the next one", "[response]") {
  World world(three_checks);
  world.result("api", Seen::critical);
  std::string without = three_checks;
  without.erase(without.find("severity = \"p1\"\n"), std::string("severity = \"p1\"\n").size());
  World next(without);
  next.now = world.now + minute;
  REQUIRE(next.desk().restore(world.held.kept(), next.now).empty());
  CHECK(next.only().stage == incident::Stage::open);
  next.take(next.desk().use(next.desk().share_plan(), next.now));
  CHECK(next.only().stage != incident::Stage::open);
}

TEST_CASE("a silence that hides two incidents at P1 tells its owner of both", "[response]") {
  World world(R"([check.api]
use = "a.b"
every = "30s"
severity = "p1"
service = "api"
[check.db]
use = "a.b"
every = "30s"
severity = "p1"
service = "db"
[service.api]
checks = ["api"]
[service.db]
checks = ["db"]
[contact.cto]
name = "CTO"
channels = [{ notifier = "log" }]
)");
  for (const char* check : {"api", "db"}) world.result(check, Seen::critical);
  REQUIRE(world.desk().incidents().incidents.size() == 2);
  world.told.clear();
  incident::SilenceRequest request;
  request.what.checks = {"api", "db"};
  request.owner = {incident::Author::Kind::contact, "cto"};
  request.reason = "deploy";
  request.for_ns = hour;
  world.take(world.desk().add_silence(*incident::make_silence(request, world.now, 7), world.now));
  CHECK(world.told.size() == 2);
}

TEST_CASE("what notifiers for machines read of an incident is there", "[response]") {
  World world(three_checks);
  world.now += 90 * second;
  world.result("api", Seen::critical);
  const auto field = [&](std::string_view name) {
    for (const auto& [known, value] : response::fields_of(world.desk().plan(), world.only(), world.now)) {
      if (known == name) return value;
    }
    return std::string("absent");
  };
  CHECK(field("alert") == "api");
  CHECK(field("check") == "api");
  CHECK(field("service") == "shop");
  CHECK(field("host") == "shop1");
  CHECK(field("opened_at") == "2026-01-05T00:01:30Z");
  CHECK(field("state") == "open");
  world.command(incident::Verb::ack);
  CHECK(field("state") == "acknowledged");
}

TEST_CASE("after a start an alert that fires is in its incident, whichever incidents of it there were before", "[response]") {
  World world(three_checks);
  const std::map<std::string, Seen> well = {{"api", Seen::ok}, {"db", Seen::ok}, {"page", Seen::ok}};
  // of the others something is known: else they are told too, and the incident of their service does not end
  for (const auto& [check, status] : well) world.result(check, status);
  for (int i = 0; i < 6; ++i) {  // ids are random: some older one is given after the newest
    INFO(i);
    world.result("api", Seen::critical);
    world.restart();
    world.take(world.desk().use(world.desk().share_plan(), world.now));
    REQUIRE(world.desk().incidents().by_alert.contains("api"));
    world.now += minute;
    world.result("api", Seen::ok);
    CHECK(world.desk().incidents().by_alert.empty());
    for (const auto& [id, one] : world.desk().incidents().incidents) CHECK_FALSE(one.is_live());
    world.run_to(world.now - monday + hour, well);
  }
  CHECK(world.desk().incidents().incidents.size() > 1);
}

TEST_CASE("a silence that ends while no agent runs is over for what it hid", "[response]") {
  World world(three_checks);
  incident::SilenceRequest request;
  request.what.checks = {"api", "page"};
  request.owner = {incident::Author::Kind::contact, "ceo"};
  request.reason = "deploy";
  request.for_ns = 10 * minute;
  world.take(world.desk().add_silence(*incident::make_silence(request, world.now, 7), world.now));
  world.result("page", Seen::critical);
  world.result("api", Seen::critical);
  CHECK(world.only().is_suppressed());
  world.told.clear();
  world.now += 20 * minute;
  world.restart();
  world.take(world.desk().use(world.desk().share_plan(), world.now));
  CHECK_FALSE(world.only().is_suppressed());
  CHECK(world.only().level == Level::p1);  // also where it was opened by less, and what is worse was hidden
  CHECK(std::ranges::find(world.told, "20m open p1 cto log") != world.told.end());
}

TEST_CASE("what was due while no agent ran and is hidden by now is called when it comes out, unless somebody has it", "[response]") {
  const bool is_taken = GENERATE(false, true);
  World world(three_checks);
  // of the others something is known: else they are told too
  const std::map<std::string, Seen> down = {{"api", Seen::critical}, {"db", Seen::ok}, {"page", Seen::ok}};
  world.result("api", Seen::critical);
  world.run_to(10 * minute, down);
  incident::SilenceRequest request;
  request.what.checks = {"api"};
  request.owner = {incident::Author::Kind::contact, "cto"};
  request.reason = "deploy";
  request.from_ns = world.now + 6 * minute;
  request.for_ns = hour;
  world.take(world.desk().add_silence(*incident::make_silence(request, world.now, 7), world.now));
  const auto messages = [&] {
    return std::ranges::count_if(world.held.outbox, [](const auto& row) { return !row.second.incident.empty(); });
  };
  const auto before = messages();
  world.now += 10 * minute;  // a call was due after 15m, the silence began after 16m
  world.restart();
  world.take(world.desk().use(world.desk().share_plan(), world.now));
  world.run_to(60 * minute, down);
  CHECK(messages() == before);
  if (is_taken) world.command(incident::Verb::ack);
  const auto told = messages();
  world.run_to(77 * minute, down);
  CHECK((messages() > told) == !is_taken);
}

TEST_CASE("an incident whose worst is over is lowered by time in which an agent watched", "[response]") {
  World world(one_check_toml + R"(
[escalation.default.p3]
steps = [{ from = "0m", notify = ["cto"] }, { from = "1h", notify = ["dev"] }]
[contact.dev]
channels = [{ notifier = "mail", to = "dev@example.com" }]
[alert.outage]
p1 = "api.status == critical"
[alert.slow]
p3 = "api.status >= warning"
)");
  world.run_to(5 * minute, {{"api", Seen::critical}});
  REQUIRE(world.only().level == Level::p1);
  world.run_to(15 * minute, {{"api", Seen::warning}});
  REQUIRE(world.only().level == Level::p1);
  std::int64_t since = 15 * minute;
  SECTION("of one life") {
    world.run_to(20 * minute, {{"api", Seen::warning}});
    CHECK(world.only().level == Level::p1);
    world.run_to(21 * minute, {{"api", Seen::warning}});
    CHECK(world.only().level == Level::p3);
    CHECK(world.told.back() == "20m30s update p3 cto log");
    const auto told = world.told.size();
    world.restart();
    CHECK(world.only().level == Level::p3);
    // the lower ladder goes on by the clock of the incident, and who was told above is not told again
    world.run_to(2 * hour, {{"api", Seen::warning}});
    REQUIRE(world.told.size() == told + 1);
    CHECK(world.told.back() == "1h30s open p3 dev mail");
    world.run_to(2 * hour + minute, {{"api", Seen::critical}});
    CHECK(world.only().level == Level::p1);
    CHECK(world.told.back() == "2h30s open p1 cto log");
    return;
  }
  SECTION("a restart") {
    world.restart();
  }
  SECTION("a restart after an hour") {
    world.now += hour;
    since += hour;
    world.restart();
  }
  SECTION("the host slept for as long as was left, or longer") {
    const std::int64_t slept = GENERATE(6 * minute, hour);
    world.now += slept;
    since += slept;
    world.result("api", Seen::warning);
  }
  world.run_to(since + 14 * minute, {{"api", Seen::warning}});
  CHECK(world.only().level == Level::p1);
  world.run_to(since + 16 * minute, {{"api", Seen::warning}});
  CHECK(world.only().level == Level::p3);
}

TEST_CASE("what a user has who is no contact is asked of whom the escalation called last, and of nobody else", "[response]") {
  World world(three_checks);
  world.result("db", Seen::critical);
  world.run_to(70 * minute, {{"db", Seen::critical}});
  REQUIRE(world.only().level == Level::p1);
  REQUIRE(world.told.back().ends_with("ceo mail"));
  world.told.clear();
  world.command(incident::Verb::ack, incident::Author{incident::Author::Kind::unix, "root"});
  world.told.clear();
  world.run_to(102 * minute, {{"db", Seen::critical}});
  CHECK(world.told == Lines{"1h40m update p1 ceo mail"});
}

TEST_CASE("what flaps, was raised by a person and then taken calls nobody", "[response]") {
  World world(three_checks);
  world.run_to(2 * minute, {{"page", Seen::critical}});
  world.run_to(10 * minute, {{"page", Seen::ok}});
  world.run_to(12 * minute, {{"page", Seen::critical}});
  world.run_to(33 * minute, {{"page", Seen::ok}});
  REQUIRE(world.only().is_flapping);
  world.command(incident::Verb::ack);
  incident::Command raise;
  raise.verb = incident::Verb::raise;
  raise.incident = world.only().id;
  raise.author = {incident::Author::Kind::contact, "cto"};
  raise.level = Level::p1;
  world.take(world.desk().command(raise, world.now));
  REQUIRE(world.only().level == Level::p1);
  REQUIRE(world.only().is_flapping);
  // at the instant of the raise or later
  world.now += GENERATE(0, 1) * minute;
  world.command(incident::Verb::ack);
  world.told.clear();
  world.run_to(58 * minute);
  CHECK(world.told.empty());
}
