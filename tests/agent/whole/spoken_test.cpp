// SPDX-License-Identifier: Apache-2.0
// What people type short, misspell and read at the command line, on one whole agent.
#include <algorithm>
#include <cstdio>

#include "broken_door.hpp"

using namespace ronda;
using namespace ronda::test;

TEST_CASE("an id may be typed in small letters and short, and where several are meant they are named", "[whole]") {
  Door door;
  REQUIRE(door.agent().start());
  REQUIRE(door.as_ana({"incident", "open", "--level", "p2", "the till is slow"}).code == 0);
  const std::string id = door.await_incident();
  std::string small = id;
  std::ranges::transform(small, small.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  CHECK(door.as_ana({"incident", "ack", small, "--for", "1h"}).out.starts_with(id + ": "));
  CHECK(has(door.as_ana({"incident", "show", small.substr(small.size() - 6)}).out, "the till is slow"));
  CHECK(has(door.as_ana({"notify", "list", "--incident", small.substr(13)}).out, "open"));
  // a level as it is shown
  REQUIRE(door.as_ana({"incident", "open", "--level", "P3", "the lamp is dark"}).code == 0);
  REQUIRE(door.incidents().size() == 2);
  const Finished several = door.as_ana({"incident", "note", small.substr(0, 8), "which?"});
  CHECK(several.code == 2);
  INFO(several.err);
  CHECK(has(several.err, "ronda: \"" + small.substr(0, 8) + "\" may be any of 2 incidents; say more of the one that you mean:\n"));
  CHECK(has(several.err, "\n  " + id + "  acknowledged p2: the till is slow"));
  CHECK(has(several.err, ": the lamp is dark"));
  CHECK(door.author_of(id, "note").empty());

  // a second id is no text of the first one
  for (const json::value& one : door.incidents()) {
    const std::string other(one.at("id").as_string());
    if (other == id) continue;
    const Finished both = door.as_ana({"incident", "ack", other, small.substr(small.size() - 6)});
    CHECK(both.code == 2);
    CHECK(has(both.err, "one incident at a time, and \"" + small.substr(small.size() - 6) + "\" is another; nothing was done"));
    CHECK(door.as_ana({"incident", "ack", other, "it", "is", small}).code == 2);
    CHECK(door.author_of(other, "acked").empty());
    // common words are none, also those that an id may begin or end with
    CHECK(door.as_ana({"incident", "ack", other, "inc", "called", "Acme", "Inc", small.substr(small.size() - 4)}).code == 0);
  }
  CHECK(door.as_ana({"notify", "list", "--incident", "INC-20200101-NSVCH12340"}).code == 2);

  const Finished added = door.as_ana({"silence", "add", "tag=front", "--for", "1h", "--reason", "new door", "--output", "json"});
  REQUIRE(added.code == 0);
  const std::string silence(json::parse(added.out).at("id").as_string());
  CHECK(door.as_ana({"silence", "expire", silence.substr(2, 4)}).out == silence + ": ended\n");
  CHECK(door.agent().stop() == 0);
}

TEST_CASE("an impact that no step waits for is recorded, and who said it hears that it calls nobody", "[whole]") {
  Door door;
  door.agent().configure("20.toml", R"([escalation.default.p3]
steps = [{ from = "0m", notify = ["ana"] }, { from = "0m", notify = ["ana"], impact = ["legal"] }]
)");
  REQUIRE(door.agent().start());
  REQUIRE(door.as_ana({"incident", "open", "--level", "p3", "the till is slow"}).code == 0);
  const std::string id = door.await_incident();
  const Finished slip = door.as_ana({"incident", "note", id, "--impact", "legl"});
  CHECK(slip.code == 0);
  CHECK(slip.out == id + ": noted; no step of an escalation waits for the impact `legl`; did you mean `legal`?\n");
  CHECK(door.as_ana({"incident", "note", id, "--impact", "legal"}).out == id + ": noted\n");
  CHECK(door.agent().stop() == 0);
}

TEST_CASE("people read times in the agent's zone, programs in UTC", "[whole]") {
  Door door;
  door.agent().configure("20.toml", "[agent]\ntz = \"Asia/Kathmandu\"\n");
  REQUIRE(door.agent().start());
  REQUIRE(door.as_ana({"incident", "open", "--level", "p2", "the till is slow"}).code == 0);
  const std::string id = door.await_incident();
  REQUIRE(door.as_ana({"incident", "ack", id, "--for", "1h"}).code == 0);
  const std::string shown = door.as_ana({"incident", "show", id}).out;
  INFO(shown);
  CHECK(has(shown, "times in     Asia/Kathmandu\n"));
  CHECK(has(shown, " +0545 "));
  CHECK_FALSE(has(shown, "UTC"));
  const json::value one = door.incident(id);
  CHECK(one.at("detected").as_string().ends_with("Z"));
  // five hours and three quarters later by the clock on the wall
  const std::string utc(one.at("detected").as_string());
  const std::int64_t minutes = std::stoi(utc.substr(11, 2)) * 60 + std::stoi(utc.substr(14, 2)) + 345;
  char clock[8];
  std::snprintf(clock, sizeof clock, "%02d:%02d", static_cast<int>(minutes / 60 % 24), static_cast<int>(minutes % 60));
  CHECK(has(shown, std::string(" ") + clock + utc.substr(16, 3) + " +0545"));
  CHECK(has(door.as_ana({"incident", "list"}).out, " +0545: the till is slow"));
  CHECK(has(door.as_ana({"status"}).out, " +0545: the till is slow"));
  CHECK(has(door.as_ana({"silence", "add", "check=door", "--for", "1h", "--reason", "new door"}).out, " +0545 "));
  CHECK(has(door.as_ana({"silence", "list"}).out, " +0545 "));
  CHECK(has(door.as_ana({"maintenance", "start", "1h", "--reason", "new door"}).out, " +0545 until "));
  CHECK(has(door.as_ana({"maintenance", "list"}).out, " +0545 until "));
  CHECK(has(door.as_ana({"notify", "list"}).out, " +0545 "));
  CHECK(door.agent().stop() == 0);
}

TEST_CASE("who waits at a terminal sees for what and how long, and nothing of it is left", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml",
                  "[check.slow]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/sh\", \"-c\", \"sleep 6; echo done\"]\n");
  REQUIRE(agent.start());
  std::string command = ronda_program();
  for (const std::string& word : agent.options()) command += " " + word;
  const std::string out = agent.scratch() / "terminal";
  const pid_t terminal = start_program({"/usr/bin/script", "-qec", command + " check slow", "/dev/null"}, out, agent.scratch() / "err");
  CHECK(wait_program(terminal, std::chrono::seconds(60)) == 0);
  const std::string seen = read_file(out);
  INFO(seen);
  CHECK(seen.find("\r\033[Kwaiting for slow, ") != std::string::npos);
  CHECK(seen.find("\r\033[KOK - slow: done") != std::string::npos);
  CHECK(agent.ronda({"check", "slow"}).err.empty());
  CHECK(agent.stop() == 0);
}
