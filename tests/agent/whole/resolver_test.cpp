// SPDX-License-Identifier: Apache-2.0
// Sinks that are named and not numbered, while the name server answers wrongly or not at all: messages are tried again, and
// neither other sinks nor the agent wait.
#include <algorithm>
#include <chrono>

#include "catch.hpp"
#include "name_server.hpp"
#include "sink.hpp"
#include "skip.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

/// Empty: this test has a network and a resolver of its own; else why it has not.
const std::string& why_no_network() {
  static const TempDir directory;
  static const std::string why = enter_own_network(directory.path());
  return why;
}

/// Short: a longer part of a URL is secret, and hidden wherever it stands.
std::string path_of(const std::string& notifier) {
  return "/" + notifier.substr(0, 4);
}

/// Each notifier has a person of its name, and a P1 is told to all of them.
class Switchboard {
 public:
  void add(const std::string& name, const std::string& options) {
    notifiers_ += "[notifier." + name + "]\ntimeout = \"4s\"\nconnect_timeout = \"2s\"\n" + options + "[contact." + name +
                  "]\nchannels = [{ notifier = \"" + name + "\", to = \"ops@shop.example\" }]\n";
    names_ += (names_.empty() ? "\"" : ", \"") + name + "\"";
  }
  void add_webhook(const std::string& name, const std::string& host, const Sink& sink) {
    const std::string peer = sink.peer();
    add(name, "use = \"webhook\"\nurl = \"http://" + host + peer.substr(peer.find(':')) + path_of(name) + "\"\n");
  }
  void start() {
    agent_.configure("10.toml", notifiers_ +
                                    "[check.door]\nuse = \"exec.nagios\"\nevery = \"1s\"\nseverity = \"p1\"\n"
                                    "command = [\"/bin/sh\", \"-c\", \"echo broken; exit 2\"]\n"
                                    "[escalation.default.p1]\nsteps = [{ from = \"0m\", notify = [" +
                                    names_ + "] }]\n[escalation.default.p2]\nsteps = [{ from = \"0m\", notify = [\"numbered\"] }]\n");
    REQUIRE(agent_.start());
    REQUIRE(eventually([&] { return !incident().empty(); }));
  }
  WholeAgent& agent() { return agent_; }

  /// The message of that notifier with its attempts; null: there is none yet.
  json::value message(const std::string& notifier) const {
    const json::value one = agent_.get("/v1/incidents/" + incident());
    if (!one.is_object()) return nullptr;
    for (const json::value& row : one.at("deliveries").as_array()) {
      if (std::string(row.at("notifier").as_string()) == notifier) return row;
    }
    return nullptr;
  }
  std::string state(const std::string& notifier) const {
    const json::value row = message(notifier);
    return row.is_object() ? std::string(row.at("state").as_string()) : std::string();
  }
  /// What became of the first attempt: "retry: the name ..."; empty: it has not ended.
  std::string first_attempt(const std::string& notifier) const {
    const json::value row = message(notifier);
    const json::value* trail = row.is_object() ? row.as_object().if_contains("trail") : nullptr;
    if (trail == nullptr || trail->as_array().empty()) return {};
    const json::value& first = trail->as_array().front();
    return std::string(first.at("outcome").as_string()) + ": " + std::string(first.at("detail").as_string());
  }

 private:
  std::string incident() const {
    const json::value all = agent_.get("/v1/incidents");
    if (!all.is_array()) return {};
    for (const json::value& one : all.as_array()) {
      if (one.at("root").is_string() && one.at("root").as_string() == "door") return std::string(one.at("id").as_string());
    }
    return {};
  }

  std::string notifiers_, names_;
  WholeAgent agent_;
};

std::size_t arrived(const Sink& sink, const std::string& notifier) {
  const auto all = sink.requests();
  return static_cast<std::size_t>(std::ranges::count(all, path_of(notifier), &SinkRequest::target));
}

}  // namespace

TEST_CASE("a name server that answers wrongly delays the sinks that it names, and no other", "[whole]") {
  if (!why_no_network().empty()) return skipped("own-network", why_no_network());
  using Answer = NameServer::Answer;
  NameServer names;
  Sink sink(http_answer(200));
  Switchboard board;
  const std::vector<std::pair<std::string, Answer>> wrong = {
      {"nowhere", Answer::nxdomain}, {"failing", Answer::servfail}, {"empty", Answer::empty}, {"elsewhere", Answer::elsewhere}};
  for (const auto& [name, answer] : wrong) {
    names.say(name + ".test", answer);
    board.add_webhook(name, name + ".test", sink);
  }
  board.add("mail", "use = \"smtp\"\nserver = \"nomail.test:25\"\nfrom = \"ronda@shop.example\"\nsecurity = \"none\"\n");
  names.say("thousand.test", Answer::thousand);
  board.add_webhook("thousand", "thousand.test", sink);
  board.add_webhook("numbered", "127.0.0.1", sink);
  board.start();
  CHECK(eventually([&] { return arrived(sink, "numbered") >= 1; }, 10s));
  CHECK(eventually([&] { return arrived(sink, "thousand") == 1; }, 30s));  // the one of them where somebody listens
  for (const auto& [name, answer] : wrong) {
    REQUIRE(eventually([&, name = name] { return !board.first_attempt(name).empty(); }));
    const std::string first = board.first_attempt(name);
    INFO(name << ": " << first);
    if (answer == Answer::elsewhere)
      CHECK((first.starts_with("retry: cannot connect to elsewhere.test:") ||
             first.starts_with("retry: timeout while connecting to elsewhere.test:")));
    else
      CHECK(first == "retry: the name " + name + ".test cannot be resolved");
    CHECK(arrived(sink, name) == 0);
  }
  REQUIRE(eventually([&] { return !board.first_attempt("mail").empty(); }));
  CHECK(board.first_attempt("mail") == "retry: the name of mail server nomail.test:25 cannot be resolved");
  // none of it is for good: who answers again gets the message, once
  CHECK(board.agent().ronda({"notify", "retry"}).out == "there is no dead letter\n");
  for (const auto& [name, answer] : wrong) names.say(name + ".test", Answer::here);
  for (const auto& [name, answer] : wrong) {
    INFO(name);
    CHECK(eventually([&, name = name] { return board.state(name) == "delivered"; }, 90s));
    CHECK(arrived(sink, name) == 1);
  }
  CHECK(board.agent().stop() == 0);
}

TEST_CASE("a name server that does not answer for a minute holds up one runner's call, not the agent", "[whole]") {
  if (!why_no_network().empty()) return skipped("own-network", why_no_network());
  NameServer names;
  names.say("silent.test", NameServer::Answer::silent);
  Sink sink(http_answer(200));
  Switchboard board;
  board.add_webhook("silent", "silent.test", sink);
  board.add("mail", "use = \"smtp\"\nserver = \"silent.test:25\"\nfrom = \"ronda@shop.example\"\nsecurity = \"none\"\n");
  board.add_webhook("numbered", "127.0.0.1", sink);
  board.start();
  REQUIRE(eventually([&] { return names.asked("silent.test") >= 1; }));
  // while the resolver hangs the agent answers, its checks run, and other messages leave
  const auto begin = std::chrono::steady_clock::now();
  std::chrono::nanoseconds slowest{0};
  const auto runs = [&] { return board.agent().get("/v1/explain/door").at("runs").to_number<std::int64_t>(); };
  const auto before = runs();
  while (board.first_attempt("silent").empty() && std::chrono::steady_clock::now() - begin < 45s) {
    const auto asked = std::chrono::steady_clock::now();
    CHECK(board.agent().answers());
    slowest = std::max<std::chrono::nanoseconds>(slowest, std::chrono::steady_clock::now() - asked);
  }
  CHECK(slowest < 5s);  // a busy machine's; the resolver's would be a minute
  CHECK(runs() > before);
  CHECK(arrived(sink, "numbered") >= 1);
  const std::string first = board.first_attempt("silent");
  INFO(first);
  CHECK(first.starts_with("retry: timeout while resolving the name of silent.test:"));
  CHECK(std::chrono::steady_clock::now() - begin < 30s);  // by its own limit, long before the resolver's
  REQUIRE(eventually([&] { return !board.first_attempt("mail").empty(); }));
  INFO(board.first_attempt("mail"));
  CHECK(board.first_attempt("mail").starts_with("retry: mail server silent.test:25 did not answer within "));
  names.say("silent.test", NameServer::Answer::here);
  CHECK(eventually([&] { return board.state("silent") == "delivered"; }, 90s));
  CHECK(arrived(sink, "silent") == 1);
  CHECK(board.agent().stop() == 0);
}
