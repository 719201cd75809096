// SPDX-License-Identifier: Apache-2.0
// From a check that fails to a message in somebody's hands and back: one whole agent, its store, a notifier that is a
// program, and people at the command line.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "broken_door.hpp"
#include "catch.hpp"
#include "skip.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

TEST_CASE("a failing check becomes an incident, is told, survives a kill, is taken by a person and ends with the recovery", "[whole]") {
  Door door;
  REQUIRE(door.agent().start());
  REQUIRE(eventually([&] { return door.agent().check_status("door") == "ok"; }));
  CHECK(door.agent().ronda({"incident", "list"}).out == "no incident is open\n");

  door.break_it();
  const std::string id = door.await_incident();
  CHECK(door.incidents().at(0).at("level").as_string() == "p1");
  CHECK(door.incidents().at(0).at("root").as_string() == "door");
  CHECK(eventually([&] { return door.heard("open p1 " + id + " ana") == 1; }));
  CHECK(eventually([&] { return door.author_of(id, "notice_delivered") == "agent"; }));
  const Finished status = door.agent().ronda({"status"});
  CHECK(status.code == 2);
  CHECK(has(status.out, id));

  door.agent().kill_hard();
  std::filesystem::remove(door.agent().state_directory() + "/starts");
  REQUIRE(door.agent().start());
  CHECK(door.await_incident() == id);
  CHECK(door.is_at_stage(id, "open"));

  const Finished taken = door.as_ana({"incident", "ack", id});
  INFO(taken.err);
  CHECK(taken.code == 0);
  CHECK(taken.out == id + ": it is yours for 1h\n");
  CHECK(door.author_of(id, "acked") == "contact:ana");
  CHECK(door.is_at_stage(id, "acknowledged"));
  CHECK(door.as_ana({"incident", "note", id, "the hinge is loose"}).code == 0);
  const Finished shown = door.agent().ronda({"incident", "show", id});
  CHECK(shown.code == 0);
  CHECK(has(shown.out, "the hinge is loose"));
  CHECK(has(shown.out, "paper"));

  door.mend_it();
  CHECK(eventually([&] { return door.is_at_stage(id, "resolved"); }));
  INFO(door.agent().ronda({"incident", "show", id}).out << door.agent().ronda({"alert", "list"}).out << door.agent().ronda({"status"}).out);
  CHECK(eventually([&] { return door.heard("resolve p1 " + id + " ana") == 1; }));
  CHECK(door.incidents().empty());
  CHECK(door.heard("open p1 " + id + " ana") == 1);
  CHECK(door.author_of(id, "resolved") == "agent");

  const Finished unreviewed = door.as_ana({"incident", "close", id});
  CHECK(unreviewed.code == 1);
  CHECK(has(unreviewed.err, "root_cause"));
  CHECK(door.as_ana({"incident", "review", id, "--set", "summary=the hinge broke", "--set", "impact=nobody came in", "--set",
                     "root_cause=rust", "--set", "action_items=oil it", "--set", "customer=a note on the door", "--set", "next_steps=none"})
            .code == 0);
  const Finished document = door.agent().ronda({"incident", "review", id, "--markdown"});
  CHECK(document.code == 0);
  CHECK(has(document.out, "the hinge broke"));
  CHECK(door.as_ana({"incident", "close", id}).code == 0);
  CHECK(door.is_at_stage(id, "closed"));
  CHECK(door.agent().stop() == 0);

  REQUIRE(door.agent().start());  // of closed ones the store alone knows
  const json::value all = door.agent().get("/v1/incidents?all=1");
  REQUIRE(all.as_array().size() == 1);
  INFO(json::serialize(all));
  CHECK(all.at(0).at("level").as_string() == "p1");
  CHECK(all.at(0).at("stage").as_string() == "closed");
  CHECK(has(std::string(all.at(0).at("title").as_string()), "door"));
  CHECK(has(door.agent().ronda({"incident", "list", "--all"}).out, "P1  " + id));
  CHECK(door.agent().stop() == 0);
}

TEST_CASE("a message that did not leave before a kill leaves after it, once, as the same message", "[whole]") {
  Door door;
  REQUIRE(door.agent().start());
  door.cut_line();
  door.break_it();
  const std::string id = door.await_incident();
  const auto messages = [&] {
    const json::value all = door.agent().get("/v1/outbox?incident=" + id);
    return all.is_array() ? all.as_array() : json::array();
  };
  const auto attempts = [&] {  // that have ended
    const json::value one = door.incident(id);
    const json::array& all = one.at("deliveries").as_array();
    const json::value* trail = all.empty() ? nullptr : all.at(0).as_object().if_contains("trail");
    return trail == nullptr ? std::size_t{0} : trail->as_array().size();
  };
  REQUIRE(eventually([&] { return attempts() >= 1; }));
  REQUIRE(messages().size() == 1);
  const std::string message(messages().at(0).at("id").as_string());
  CHECK(messages().at(0).at("state").as_string() != "delivered");
  const json::value sink = door.agent().status().at("sinks").at(0);
  INFO(json::serialize(sink));
  CHECK(sink.at("notifier").as_string() == "paper");
  CHECK(sink.at("waiting").to_number<int>() == 1);
  CHECK(sink.at("failures").to_number<int>() >= 1);
  CHECK(sink.at("oldest_age_s").as_double() >= 0);
  CHECK(sink.at("circuit").as_string() == "closed");
  CHECK(has(door.agent().ronda({"status"}).out, "1 message, the oldest for "));
  CHECK(has(door.agent().ronda({"notify", "list"}).out, "1 message, the oldest for "));
  door.agent().kill_hard();
  std::filesystem::remove(door.agent().state_directory() + "/starts");
  door.join_line();
  REQUIRE(door.agent().start());
  CHECK(eventually([&] { return door.heard("open p1 " + id + " ana") == 1; }, 60s));
  CHECK(eventually([&] { return !messages().empty() && messages().at(0).at("state").as_string() == "delivered"; }));
  REQUIRE(messages().size() == 1);
  CHECK(messages().at(0).at("id").as_string() == json::string_view(message));
  CHECK(attempts() >= 2);
  CHECK(has(door.agent().ronda({"notify", "list", "--incident", id}).out, "delivered open"));
  CHECK(eventually([&] { return has(door.agent().ronda({"notify", "list"}).out, "nothing waits"); }));
  CHECK(door.agent().stop() == 0);
}

TEST_CASE("while it is silenced nobody hears of what fails, and of what still fails at the end they do", "[whole]") {
  Door door;
  REQUIRE(door.agent().start());
  const Finished wrong = door.as_ana({"silence", "add", "check=dor", "--for", "1h", "--reason", "new door"});
  CHECK(wrong.code == 2);
  CHECK(wrong.err == "ronda: there is no check `dor`; did you mean `door`?\n");
  const auto refused = [&](const std::string& word) {
    return door.as_ana({"silence", "add", word, "--for", "1h", "--reason", "new door"}).err;
  };
  CHECK(refused("alert=ronda/stroe") == "ronda: there is no alert `ronda/stroe`; did you mean `ronda/store`?\n");
  CHECK(refused("alert=ronda/sink/papr") == "ronda: there is no alert `ronda/sink/papr`; did you mean `ronda/sink/paper`?\n");
  CHECK(refused("alert=ronda/route") == "ronda: `ronda/route` says that messages are lost: nothing hides that\n");
  CHECK(door.as_ana({"silence", "add", "alert=inbound/prometheus/0a1b", "--for", "1h", "--reason", "theirs"}).code == 0);
  const Finished endless = door.as_ana({"silence", "add", "check=door", "--reason", "new door"});
  CHECK(endless.code == 2);
  CHECK(endless.err == "ronda: a silence needs an end: --for DURATION, or --until-ok\n");
  CHECK(door.as_ana({"silence", "add", "check=door", "--for", "1h"}).code == 2);
  CHECK(door.as_ana({"silence", "add", "check=door", "--for", "1h", "--reason", " "}).code == 2);
  const Finished added = door.as_ana({"silence", "add", "tag=front", "--for", "1h", "--reason", "new door", "--output", "json"});
  INFO(added.err);
  REQUIRE(added.code == 0);
  const std::string silence(json::parse(added.out).at("id").as_string());
  CHECK(json::parse(added.out).at("owner").as_string() == "contact:ana");

  door.break_it();
  const std::string id = door.await_incident();
  CHECK(door.incident(id).at("suppressed_by").as_string() == json::string_view("silence:" + silence));
  CHECK(has(door.agent().ronda({"silence", "list"}).out, silence));
  // nobody is called; whose silence it is hears that it hides a P1
  CHECK(eventually([&] { return door.heard("update") == 1; }));
  CHECK(door.heard("open") == 0);
  CHECK(door.as_ana({"silence", "expire", silence}).code == 0);
  CHECK(eventually([&] { return door.heard("open p1 " + id) + door.heard("escalation p1 " + id) >= 1; }));
  CHECK(door.as_ana({"silence", "expire", silence}).code == 1);
  CHECK(door.agent().stop() == 0);
}

TEST_CASE("a person opens an incident, raises it and ends it, under the name that the socket knows", "[whole]") {
  Door door;
  REQUIRE(door.agent().start());
  const Finished untitled = door.as_ana({"incident", "open", "--level", "p2"});
  CHECK(untitled.code == 2);
  const Finished opened = door.as_ana({"incident", "open", "--level", "p2", "the till is slow"});
  INFO(opened.err);
  REQUIRE(opened.code == 0);
  const std::string id = door.await_incident();
  CHECK(has(opened.out, id));
  CHECK(door.author_of(id, "opened") == "contact:ana");
  CHECK(eventually([&] { return door.heard("open p2 " + id + " ana") == 1; }));
  CHECK(door.as_ana({"incident", "raise", id, "--level", "p1", "nobody can pay"}).code == 0);
  CHECK(door.incident(id).at("level").as_string() == "p1");
  const Finished lower = door.as_ana({"incident", "raise", id, "--level", "p3"});
  CHECK(lower.code == 1);
  CHECK(has(lower.err, "p3 is not higher"));
  const Finished unknown = door.as_ana({"incident", "ack", "INC-20261129-0000000000"});
  CHECK(unknown.code == 2);
  CHECK(has(unknown.err, "there is no incident"));
  CHECK(door.as_ana({"incident", "mitigate", id}).code == 0);
  CHECK(door.as_ana({"incident", "mitigate", id}).code == 1);  // what was typed is right, and it is so already
  const Finished verb = door.as_ana({"incident", "acc", id});
  CHECK(verb.code == 2);
  CHECK(has(verb.err, "did you mean \"ack\"?"));
  const Finished stale = door.as_ana({"incident", "resolve", id, "--based-on", "1"});
  INFO(stale.err);
  CHECK(stale.code == 0);  // only what somebody else did is in the way
  CHECK(eventually([&] { return door.is_at_stage(id, "resolved"); }));
  if (::geteuid() == 0) {
    const Finished by_root = door.agent().ronda({"incident", "note", id, "root was here"});
    CHECK(by_root.code == 0);
    CHECK(door.author_of(id, "note") == "unix:root");
  }
  CHECK(door.agent().stop() == 0);
}

TEST_CASE("of two who decide at once the first one's word holds, and both stand in the timeline", "[whole]") {
  if (::geteuid() != 0) return skipped("other-users", "there is one user only that operates");
  Door door;
  REQUIRE(door.agent().start());
  REQUIRE(door.as_ana({"incident", "open", "--level", "p2", "the till is slow"}).code == 0);
  const std::string id = door.await_incident();
  const std::string seen = std::to_string(door.incident(id).at("sequence").to_number<std::int64_t>());
  CHECK(door.as_ana({"incident", "ack", id, "--based-on", seen}).code == 0);
  const Finished late = door.agent().ronda({"incident", "resolve", id, "--based-on", seen});
  CHECK(late.code == 1);
  CHECK(has(late.err, "ronda: ana was first: it is acknowledged at p2 now"));
  CHECK(door.is_at_stage(id, "acknowledged"));
  CHECK(door.author_of(id, "acked") == "contact:ana");
  CHECK(door.author_of(id, "refused") == "unix:root");
  const api::Response both = door.agent().ask("POST", "/v1/incidents/" + id + "/resolve", "{\"based_on\": " + seen + "}");
  CHECK(both.status == 409);
  CHECK(door.agent().ask("POST", "/v1/incidents/" + id + "/resolve", "{\"bsed_on\": 1}").status == 400);
  CHECK(door.agent().ask("POST", "/v1/incidents/" + id, "{}").status == 405);
  CHECK(door.agent().ask("GET", "/v1/incidents/nothing").status == 404);
  CHECK(door.agent().stop() == 0);
}

TEST_CASE("who may only look sees alerts and incidents and changes none", "[whole]") {
  if (::geteuid() != 0) return skipped("other-users", "everybody that the test can be operates");
  WholeAgent agent;
  agent.configure("10.toml",
                  "[check.one]\nuse = \"exec.nagios\"\nevery = \"1h\"\nseverity = \"p3\"\ncommand = [\"/bin/echo\", \"fine\"]\n"
                  "[notifier.cut]\nuse = \"command\"\ncommand = [\"/bin/sh\", \"-c\", \"echo inner-host refuses >&2; exit 75\"]\n");
  REQUIRE(agent.start());
  const auto as_nobody = [&](std::vector<std::string> words) {
    std::vector<std::string> argv{"/usr/bin/setpriv", "--reuid", "65534",         "--regid",  "65534",
                                  "--clear-groups",   "--",      ronda_program(), "--socket", agent.socket()};
    argv.insert(argv.end(), words.begin(), words.end());
    const std::string base = agent.open_directory() + "/" + words[0] + words[1];
    const int code = wait_program(start_program(argv, base, base), 60s);
    return std::pair(code, read_file(base));
  };
  CHECK(as_nobody({"alert", "list"}).first == 0);
  CHECK(as_nobody({"incident", "list"}).second == "no incident is open\n");
  CHECK(as_nobody({"silence", "list"}).first == 0);
  CHECK(as_nobody({"notify", "list"}).first == 0);
  const auto [code, said] = as_nobody({"incident", "open", "--level", "p1", "fire"});
  CHECK(code == 1);
  CHECK(said == "ronda: unix:nobody is viewer; this needs operator\n");
  REQUIRE(agent.ronda({"incident", "open", "--level", "p3", "the till is slow"}).code == 0);
  const json::value opened = agent.get("/v1/incidents").at(0);
  const std::string id(opened.at("id").as_string());
  CHECK(has(std::string(opened.at("war_room").as_string()), id));
  const auto [show_code, shown] = as_nobody({"incident", "show", id});
  CHECK(show_code == 0);
  CHECK(has(shown, "the till is slow"));
  CHECK_FALSE(has(shown, "meet.jit.si"));
  CHECK(has(agent.ronda({"incident", "show", id}).out, "meet.jit.si"));
  CHECK(as_nobody({"incident", "review", id, "--markdown"}).first == 1);
  const auto sinks = [&] { return agent.get("/v1/sinks"); };
  REQUIRE(eventually([&] { return sinks().is_array() && !sinks().as_array().empty() && sinks().at(0).at("last_error").is_string(); }));
  CHECK(has(agent.ronda({"notify", "list"}).out, "inner-host"));
  CHECK(has(agent.ronda({"status"}).out, "inner-host"));
  CHECK(has(as_nobody({"notify", "list", "--output=text"}).second, "1 message, the oldest for "));
  CHECK_FALSE(has(as_nobody({"notify", "list", "--output=text"}).second, "inner-host"));
  CHECK_FALSE(has(as_nobody({"status", "--output=json"}).second, "inner-host"));
  const auto [silence_code, silence_said] = as_nobody({"silence", "add", "check=one", "--for", "1h", "--reason", "quiet"});
  CHECK(silence_code == 1);
  CHECK(silence_said == "ronda: unix:nobody is viewer; this needs operator\n");
  CHECK(agent.stop() == 0);
}

TEST_CASE("a configuration that is not taken is told to the agent's people, and a good reload ends that", "[whole]") {
  Door door;
  const bool at_start = GENERATE(false, true);
  CAPTURE(at_start);
  const std::string wrong = "[check.two]\nuse = \"exec.nagios\"\ncommand = 5\n";
  if (at_start) door.agent().configure("20.toml", wrong);
  REQUIRE(door.agent().start());
  if (!at_start) {
    CHECK(door.incidents().empty());
    door.agent().configure("20.toml", wrong);
    CHECK(door.agent().ronda({"reload"}).code == 1);
  }
  const std::string id = door.await_incident();
  CHECK(door.incident(id).at("level").as_string() == "p2");
  CHECK(has(std::string(door.incident(id).at("title").as_string()), "1 error in the configuration"));
  CHECK(eventually([&] { return door.heard("open p2 " + id + " ana") == 1; }));
  CHECK(door.agent().ronda({"reload"}).code == 1);  // told once, however often it is tried
  door.agent().configure("20.toml", "");
  CHECK(door.agent().ronda({"reload"}).code == 0);
  CHECK(eventually([&] { return door.is_at_stage(id, "resolved"); }));
  CHECK(eventually([&] { return door.heard("resolve p2 " + id + " ana") == 1; }));
  CHECK(door.heard("open p2") == 1);
  CHECK(door.agent().stop() == 0);
}

TEST_CASE("help of a vendor is asked for with a text from the incident, and its clock stands in the incident", "[whole]") {
  Door door;
  door.agent().configure("20.toml", R"([vendor.locks]
title = "Locks Ltd"
account = "4711"
status_check = "door"
ticket = "{{account}} {{level}} {{incident}} {{title}} by {{reporter}}"
levels = [{ name = "Forum", url = "https://forum.example/" }, { name = "Pro", email = "pro@locks.example", respond_within = "4h" }]
)");
  REQUIRE(door.agent().start());
  door.break_it();
  const std::string id = door.await_incident();
  const Finished text = door.as_ana({"incident", "ticket", id, "locks", "--level", "2"});
  INFO(text.out << text.err);
  CHECK(text.code == 0);
  CHECK(has(text.out, "Locks Ltd, Pro (level 2 of 2)"));
  CHECK(has(text.out, "pro@locks.example"));
  CHECK(has(text.out, "within 4h"));
  CHECK(has(text.out, "status page: door critical"));
  CHECK(has(text.out, "4711 P1 " + id + " door: "));
  CHECK(has(text.out, " by Ana\n"));
  CHECK(door.incident(id).at("tickets").as_array().empty());  // reading it asks nobody

  const Finished typo = door.as_ana({"incident", "ticket", id, "lock"});
  CHECK(typo.code == 2);
  CHECK(typo.err == "ronda: there is no vendor `lock`; did you mean `locks`?\n");
  const Finished level = door.as_ana({"incident", "ticket", id, "locks", "--level", "3", "--opened", "T-9"});
  CHECK(level.code == 2);
  CHECK(level.err == "ronda: `level`: vendor `locks` has 1 Forum, 2 Pro\n");
  CHECK(door.as_ana({"incident", "ticket", id, "locks", "--level", "p1"}).code == 2);
  CHECK(door.as_ana({"incident", "ticket", id, "locks", "--answered", "yes"}).code == 1);

  const Finished opened = door.as_ana({"incident", "ticket", id, "locks", "--level", "2", "--opened", "T-9"});
  CHECK(opened.out == id + ": noted: a ticket at locks, T-9\n");
  CHECK(door.author_of(id, "ticket") == "contact:ana");
  const json::value ticket = door.incident(id).at("tickets").at(0);
  INFO(json::serialize(ticket));
  CHECK(ticket.at("vendor").as_string() == "locks");
  CHECK(ticket.at("level").as_string() == "Pro");
  CHECK(ticket.at("text").as_string() == "T-9");
  CHECK(ticket.at("owed_until").is_string());
  CHECK_FALSE(ticket.at("overdue").as_bool());
  CHECK(ticket.at("status_check").at("status").as_string() == "critical");
  std::string shown = door.agent().ronda({"incident", "show", id}).out;
  CHECK(has(shown, "  locks, Pro, T-9: asked "));
  CHECK(has(shown, "ticket opened at locks, Pro; answer owed until "));

  door.agent().kill_hard();
  std::filesystem::remove(door.agent().state_directory() + "/starts");
  REQUIRE(door.agent().start());
  CHECK(door.incident(id).at("tickets").as_array().size() == 1);
  const Finished answered = door.as_ana({"incident", "ticket", id, "locks", "--answered", "they are on it"});
  CHECK(answered.out == id + ": noted: locks has answered\n");
  CHECK(door.incident(id).at("tickets").at(0).at("answered").is_string());
  shown = door.agent().ronda({"incident", "show", id}).out;
  CHECK(has(shown, "locks has answered: they are on it"));
  CHECK(has(shown, ", answered 20"));
  CHECK(door.agent().stop() == 0);
}

TEST_CASE("who has which role, how long it has been and whom the escalation calls next stand in the incident", "[whole]") {
  Door door;
  door.agent().configure("20.toml", R"([contact.bo]
channels = [{ notifier = "paper", to = "bo" }]
[escalation.later.p1]
steps = [{ from = "0m", notify = ["ana"] }, { from = "1h", notify = ["bo"] }]
[service.house]
checks = ["door"]
escalation = "later"
)");
  REQUIRE(door.agent().start());
  door.break_it();
  const std::string id = door.await_incident();
  const json::value next = door.incident(id).at("next_step");
  INFO(json::serialize(next));
  REQUIRE(next.is_object());
  CHECK(next.at("contacts") == json::array{"bo"});
  CHECK(next.at("due").at(0).at("escalation").as_string() == "later");
  CHECK(next.at("due").at(0).at("step").to_number<int>() == 2);
  CHECK(door.incident(id).at("elapsed_s").as_double() < 600);
  CHECK(door.incidents().at(0).as_object().contains("elapsed_s"));
  std::string shown = door.agent().ronda({"incident", "show", id}).out;
  CHECK(has(shown, "UTC: bo (later, step 2, start)"));
  CHECK(has(shown, "  clock "));

  const Finished nobody = door.as_ana({"incident", "role", id, "commander", "bob"});
  CHECK(nobody.code == 2);
  CHECK(nobody.err == "ronda: there is no contact `bob`; did you mean `bo`?\n");
  CHECK(door.as_ana({"incident", "role", id, "commander"}).code == 2);
  const Finished given = door.as_ana({"incident", "role", id, "commander", "bo"});
  CHECK(given.out == id + ": bo is commander\n");
  CHECK(eventually([&] { return door.heard("update p1 " + id + " bo") == 1; }));
  CHECK(door.incident(id).at("roles").at("commander").as_string() == "bo");
  shown = door.agent().ronda({"incident", "show", id}).out;
  CHECK(has(shown, "commander: bo"));
  CHECK(door.author_of(id, "role") == "contact:ana");

  REQUIRE(door.as_ana({"incident", "ack", id}).code == 0);
  CHECK(door.incident(id).at("next_step").is_null());  // somebody has it
  CHECK(door.agent().stop() == 0);
}

TEST_CASE("what a check that an alert names for its diagnosis finds stands in the timeline, without secrets", "[whole]") {
  Door door;
  door.agent().configure(
      "20.toml",
      std::string(
          "[check.look]\nuse = \"exec.nagios\"\nevery = \"1d\"\nseverity = \"p4\"\n"
          "command = [\"/bin/sh\", \"-c\", \"printf 'hinge %s \\\\033[2J\\\\nrust\\\\n' $WORD\"]\nenv = { WORD = \"${env:WORD}\" }\n") +
          "[check.gate]\nuse = \"exec.nagios\"\nevery = \"1s\"\ncommand = [\"/bin/sh\", \"-c\", \"test ! -e " +
          door.agent().open_directory() +
          "/gate || exit 2\"]\n"
          "[alert.gate-broken]\np1 = \"gate.status == critical\"\ndiagnose = \"look\"\n");
  REQUIRE(door.agent().start({}, {"WORD=correct-horse-battery"}));
  REQUIRE(eventually([&] { return door.agent().check_status("look") == "ok"; }));
  std::ofstream(door.agent().open_directory() + "/gate") << "yes";
  const std::string id = door.await_incident();
  const auto diagnosis = [&] {
    const json::value one = door.incident(id);
    for (const json::value& event : one.at("timeline").as_array()) {
      if (event.at("kind").as_string() == "diagnosis") return event;
    }
    return json::value();
  };
  REQUIRE(eventually([&] { return diagnosis().is_object(); }));
  const std::string text(diagnosis().at("text").as_string());
  INFO(text);
  CHECK(diagnosis().at("subject").as_string() == "look");
  CHECK(diagnosis().at("source").as_string() == "diagnosis");
  CHECK(has(text, "OK: hinge "));
  CHECK(has(text, "rust"));
  CHECK_FALSE(has(text, "correct-horse"));
  CHECK_FALSE(has(text, "\x1b"));
  CHECK(has(door.agent().ronda({"incident", "show", id}).out, "rust"));
  CHECK(door.agent().stop() == 0);
}

TEST_CASE("what people say of an incident while the configuration is read is kept over the reload", "[whole]") {
  Door door;
  std::string comments;  // so that parsing takes long enough to be caught
  while (comments.size() < (12 << 20)) comments += "# nothing that matters, and a lot of it\n";
  door.agent().configure("90-long.toml", comments);
  REQUIRE(door.agent().start());
  door.break_it();
  const std::string id = door.await_incident();
  door.agent().configure("20.toml", "[check.other]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/true\"]\n");
  const pid_t asks = start_program({ronda_program(), "--socket", door.agent().socket(), "reload"}, door.agent().scratch() / "reload.out",
                                   door.agent().scratch() / "reload.err");
  const pid_t parser = hold_parser(door.agent());
  REQUIRE(parser > 0);
  CHECK(door.as_ana({"incident", "ack", id}).out == id + ": it is yours for 1h\n");
  CHECK(door.as_ana({"silence", "add", "check=door", "--for", "1h", "--reason", "new door"}).code == 0);
  ::kill(parser, SIGCONT);
  REQUIRE(wait_program(asks, 30s) == 0);
  CHECK(door.agent().check_status("other") != "");
  CHECK(door.author_of(id, "acked") == "contact:ana");
  CHECK(door.is_at_stage(id, "acknowledged"));
  CHECK(has(door.agent().ronda({"silence", "list"}).out, "new door"));
  // and it is no less durable than what was said before
  door.agent().kill_hard();
  REQUIRE(door.agent().start());
  CHECK(door.is_at_stage(id, "acknowledged"));
  CHECK(has(door.agent().ronda({"silence", "list"}).out, "new door"));
  CHECK(door.agent().stop() == 0);
}
