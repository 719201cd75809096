// SPDX-License-Identifier: Apache-2.0
// A shop whose door and gate break when a test says so, one whole agent that watches them, and a receiver of messages that keeps
// what it was given: for what becomes of a P1 while the store is in trouble.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "catch.hpp"
#include "sink.hpp"
#include "tiny_disk.hpp"
#include "whole_agent.hpp"

namespace ronda::test {

inline constexpr std::string_view shop_configuration = R"([check.door]
use = "exec.nagios"
every = "500ms"
severity = "p1"
command = ["/bin/sh", "-c", "test ! -e OPEN/door || { echo the hinge broke; exit 2; }; echo fine"]
[check.gate]
use = "exec.nagios"
every = "500ms"
severity = "p1"
command = ["/bin/sh", "-c", "test ! -e OPEN/gate || { echo the bolt broke; exit 2; }; echo fine"]
[notifier.post]
use = "webhook"
url = "SINK/hook"
[contact.ana]
name = "Ana"
unix = ["USER"]
channels = [{ notifier = "post", to = "ana" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ana"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["ana"] }]
)";

struct Heard {
  std::string id, event, level, incident, title, text;
};

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A shop whose door and gate break when the test says so, with an agent that watches them and Ana who hears of it.
class Shop {
 public:
  Shop() : sink_(http_answer(200, "ok")) {}
  ~Shop() {
    if (agent_.pid() > 0 && agent_.stop() == -1) agent_.kill_hard();
  }
  WholeAgent& agent() { return agent_; }

  /// Call it when the state is where it is to be.
  void configure() {
    const char* login = ::getenv("USER");
    if (::geteuid() == 0) agent_.become_nobody();  // uid 0 is nobody in particular
    std::string text = replaced(std::string(shop_configuration), "OPEN", agent_.open_directory());
    text = replaced(text, "USER", ::geteuid() == 0 || login == nullptr ? "nobody" : login);
    agent_.configure("10.toml", replaced(text, "SINK", sink_.base()));
  }
  void start() {
    std::error_code read_only;
    std::filesystem::remove(agent_.state_directory() + "/starts", read_only);  // a crash of ours is no crash loop
    REQUIRE(agent_.start());
    pid_ = agent_.pid();
    REQUIRE(eventually([&] { return agent_.check_status("gate") == (is_broken("gate") ? "critical" : "ok"); }));
  }
  void crash_and_start() {
    agent_.kill_hard();
    start();
  }
  void break_it(const std::string& what) const { std::ofstream(agent_.open_directory() + "/" + what) << "yes"; }
  void mend_it(const std::string& what) const { std::filesystem::remove(agent_.open_directory() + "/" + what); }
  bool is_broken(const std::string& what) const { return std::filesystem::exists(agent_.open_directory() + "/" + what); }

  std::vector<Heard> heard() const {
    std::vector<Heard> out;
    for (const SinkRequest& request : sink_.requests()) {
      const json::value body = json::parse(request.body);
      const auto word = [&](const char* key) { return std::string(body.at(key).as_string()); };
      out.push_back({word("id"), word("event"), word("level"), word("incident"), word("title"), word("body")});
    }
    return out;
  }
  /// Those whose title or text has that.
  std::vector<Heard> heard(std::string_view event, std::string_view level, std::string_view part) const {
    std::vector<Heard> out = heard();
    std::erase_if(out, [&](const Heard& one) {
      return one.event != event || one.level != level || (!has(one.title, part) && !has(one.text, part));
    });
    return out;
  }
  /// The incident of what has just broken, as Ana hears of it: at once, and once.
  std::string await_p1(const std::string& check) const {
    const std::string cause = check + ": " + check + ".status is critical";
    const bool came = eventually([&] { return !heard("open", "p1", cause).empty(); }, std::chrono::seconds(20));
    INFO(story());
    REQUIRE(came);
    CHECK(heard("open", "p1", cause).size() == 1);
    return heard("open", "p1", cause).front().incident;
  }
  bool await_p2(std::string_view cause) const {
    return eventually([&] { return heard("open", "p2", cause).size() == 1; }, std::chrono::seconds(20));
  }
  bool await_end_of_p2() const {
    return eventually([&] { return own_incidents() == 0; }, std::chrono::seconds(30));
  }
  /// Live ones about the agent itself.
  std::size_t own_incidents() const {
    const json::value all = agent_.get("/v1/incidents");
    std::size_t out = 0;
    for (const json::value& one : all.as_array()) out += one.at("level").as_string() == "p2" && one.at("stage").as_string() != "resolved";
    return out;
  }

  std::string store_state() const {
    const json::value status = agent_.status();
    return status.is_object() ? std::string(status.at("agent").at("store").at("state").as_string()) : std::string();
  }
  bool await_store(std::string_view state) const {
    return eventually([&] { return store_state() == state; });
  }
  std::string stage(const std::string& id) const {
    const json::value one = agent_.get("/v1/incidents/" + id);
    return one.is_object() ? std::string(one.at("stage").as_string()) : std::string();
  }
  bool status_says(std::string_view part) const { return has(agent_.ronda({"status"}).out, part); }
  Finished ack(const std::string& id) const {
    return agent_.run_as_agent({ronda_program(), "--socket", agent_.socket(), "incident", "ack", id});
  }
  /// It has been one process all the while, that knows what it says.
  bool is_same() const {
    const json::value status = agent_.status();
    return agent_.pid() == pid_ && status.is_object() && status.at("agent").at("pid").to_number<pid_t>() == pid_;
  }

  /// What `ronda notify list` knows is what came, each message once; empty: so it is.
  std::string disagreement() const {
    std::map<std::string, std::size_t> came;
    for (const Heard& one : heard()) ++came[one.id];
    std::string out;
    for (const auto& [id, count] : came) {
      if (count > 1) out += id + " came " + std::to_string(count) + " times; ";
    }
    const json::value rows = agent_.get("/v1/outbox?limit=500");
    if (!rows.is_array()) return out + "the outbox cannot be read";
    for (const json::value& row : rows.as_array()) {
      const std::string id(row.at("id").as_string()), state(row.at("state").as_string());
      if (state != "delivered") out += id + " is " + state + "; ";
      if (row.as_object().contains("carrier") && row.at("carrier").is_string()) continue;
      if (!came.contains(id)) out += id + " is listed and never came; ";
      came.erase(id);
    }
    for (const auto& [id, count] : came) out += id + " came and is not listed; ";
    return out;
  }
  bool await_agreement() const {
    return eventually([&] { return disagreement().empty(); });
  }
  std::string story() const {
    std::string out;
    for (const Heard& one : heard()) out += one.event + " " + one.level + " " + one.incident + " " + one.title + " | " + one.text + "\n";
    return out + agent_.ronda({"notify", "list"}).out + agent_.ronda({"incident", "list"}).out + disagreement() + "\n" + agent_.log();
  }

 private:
  Sink sink_;
  WholeAgent agent_;
  pid_t pid_ = -1;
};

/// With its state on a disk of its own.
class ShopOnDisk : public Shop {
 public:
  template <class Settings = std::string>
  explicit ShopOnDisk(const Settings& settings = "size=64m") : disk_(settings) {
    if (disk_.missing().empty()) disk_.show_at(agent().state_directory());
    if (disk_.missing().empty()) configure();
  }
  ~ShopOnDisk() {
    if (agent().pid() > 0 && agent().stop() == -1) agent().kill_hard();
    disk_.hide();
  }
  const TinyDisk& disk() const { return disk_; }

 private:
  TinyDisk disk_;
};

inline constexpr std::string_view not_stored = "it holds, but is not on the disk and is lost if the agent ends before it is: ";

/// What a person who takes an incident is told: that it is his, or why that is not on the disk.
inline void check_taken(const Finished& taken, const std::string& id, bool is_stored, const std::string& why) {
  INFO(taken.out << taken.err);
  CHECK(taken.code == (is_stored ? 0 : 3));
  if (is_stored)
    CHECK(taken.out == id + ": it is yours for 1h\n");
  else
    CHECK(has(taken.err, std::string(not_stored)));
  CHECK(has(taken.err, why));
}

}  // namespace ronda::test
