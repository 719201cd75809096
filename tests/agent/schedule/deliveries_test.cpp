// SPDX-License-Identifier: Apache-2.0
// Messages on their way through a notifier: locks, and a notifier that leaves the configuration meanwhile.
#include <catch.hpp>

#include "scheduled.hpp"

using namespace ronda;
using namespace ronda::test;
using schedule::DeliveryEnd;
using schedule::Kind;

namespace {

Configured with_lock(Configured out) {
  out.rare.locks = {"shared"};
  return out;
}

struct Ends {
  std::vector<DeliveryEnd> all;

  void send(Scheduled& bench, const std::string& notifier, const std::string& title) {
    auto message = std::make_shared<wire::Message>();
    message->id = message->title = title;
    message->to = "ana";
    bench.scheduler().deliver(notifier, std::move(message), [this](const DeliveryEnd& end) { all.push_back(end); });
  }
};

}  // namespace

TEST_CASE("a notifier that needs a lock waits for it, and its messages go in their order once it is free", "[schedule]") {
  Scheduled bench;
  Ends ends;
  bench.begin(
      {with_lock({"busy", "slow", 700, Kind::task}), with_lock({"bell", "ok", 0, Kind::notifier}), {"free", "ok", 0, Kind::notifier}});
  bool task_ended = false;
  REQUIRE(bench.scheduler().run_now(Kind::task, "busy", 0, [&](const schedule::Entry&) { task_ended = true; }));
  REQUIRE(bench.until([&] { return bench.entry("busy", Kind::task).call != 0; }));
  ends.send(bench, "bell", "first");
  ends.send(bench, "bell", "second");
  Ends beside;
  beside.send(bench, "free", "beside");  // who needs no lock waits for none
  REQUIRE(bench.until([&] { return beside.all.size() == 1; }));
  if (!task_ended) CHECK(ends.all.empty());
  REQUIRE(bench.until([&] { return ends.all.size() == 2; }));
  CHECK(task_ended);
  CHECK(ends.all[0].what == DeliveryEnd::What::delivered);
  CHECK(ends.all[0].detail == "first to ana");
  CHECK(ends.all[1].detail == "second to ana");
  CHECK(bench.run("busy", Kind::task).runs == 2);  // the lock has come back
}

TEST_CASE("a message under way when its notifier leaves the configuration is handed over once, whatever locks come free", "[schedule]") {
  const bool own_lock = GENERATE(false, true);
  CAPTURE(own_lock);
  Scheduled bench;
  Ends ends;
  const Configured busy = with_lock({"busy", "slow", 200, Kind::task});
  Configured bell{"bell", "slow", 900, Kind::notifier};
  if (own_lock) bell = with_lock(bell);
  bench.begin({busy, bell});
  ends.send(bench, "bell", "under way");
  ends.send(bench, "bell", "behind it");
  REQUIRE(bench.until([&] { return bench.entry("bell", Kind::notifier).call != 0; }));
  bench.apply({busy});
  REQUIRE(ends.all.size() == 1);  // what has not begun never will: that is no attempt
  CHECK(ends.all[0].what == DeliveryEnd::What::not_begun);
  REQUIRE(bench.scheduler().run_now(Kind::task, "busy", 0, nullptr));
  REQUIRE(bench.until([&] { return ends.all.size() == 2; }));
  CHECK(ends.all[1].what == DeliveryEnd::What::delivered);
  CHECK(ends.all[1].detail == "under way to ana");
  REQUIRE(bench.until([&] { return bench.entry("busy", Kind::task).runs == 1; }));
  bench.turn_for(300ms);
  CHECK(bench.scheduler().in_flight() == 0);
  CHECK(ends.all.size() == 2);
  // its place can be had again
  bench.apply({busy, {"bell", "ok", 0, Kind::notifier}});
  ends.send(bench, "bell", "again");
  REQUIRE(bench.until([&] { return ends.all.size() == 3; }));
  CHECK(ends.all[2].detail == "again to ana");
}

TEST_CASE("notifiers that share a lock take turns", "[schedule]") {
  Scheduled bench;
  bench.begin(
      {with_lock({"a", "ok", 0, Kind::notifier}), with_lock({"b", "ok", 0, Kind::notifier}), with_lock({"c", "ok", 0, Kind::notifier})});
  std::vector<std::string> order;
  for (int round = 0; round < 3; ++round) {
    for (const char* name : {"a", "b", "c"}) {
      auto message = std::make_shared<wire::Message>();
      message->title = name;
      bench.scheduler().deliver(name, message, [&order, name](const DeliveryEnd&) { order.emplace_back(name); });
    }
  }
  REQUIRE(bench.until([&] { return order.size() == 9; }));
  CHECK(order == std::vector<std::string>{"a", "b", "c", "a", "b", "c", "a", "b", "c"});
}

TEST_CASE("a notifier gets its turn between checks that are never done with the lock they share, and they get theirs", "[schedule]") {
  Scheduled bench;
  Ends ends;
  // each is due again before the other has ended: there is always one that waits
  bench.begin({with_lock({"left", "slow", 150, Kind::check, 100ms}), with_lock({"right", "slow", 150, Kind::check, 100ms}),
               with_lock({"bell", "ok", 0, Kind::notifier})});
  const auto runs = [&] { return bench.entry("left").runs + bench.entry("right").runs; };
  REQUIRE(bench.until([&] { return runs() >= 2; }));
  const auto before = runs();
  for (const char* title : {"first", "second", "third"}) ends.send(bench, "bell", title);
  REQUIRE(bench.until([&] { return ends.all.size() == 3 || runs() >= before + 20; }));
  CHECK(ends.all.size() == 3);
  CHECK(runs() - before <= 9);  // the one under way and the one that waits, by message
  CHECK(runs() - before >= 3);
}

TEST_CASE("a message whose runner goes before it could begin is no attempt, whether the agent stops or a reload took its notifier",
          "[schedule]") {
  const bool stops = GENERATE(true, false);
  CAPTURE(stops);
  Scheduled bench;
  Ends ends;
  bench.begin({{"bell", "ok", 0, Kind::notifier}});
  ends.send(bench, "bell", "waits for a runner");
  REQUIRE(bench.entry("bell", Kind::notifier).call != 0);
  bool drained = false;
  if (stops)
    bench.scheduler().stop([&] { drained = true; });
  else
    bench.apply({{"bell", "slow", 0, Kind::notifier}});
  bench.scheduler().kill_all();
  REQUIRE(bench.until([&] { return ends.all.size() == 1; }));
  CHECK(ends.all[0].what == DeliveryEnd::What::not_begun);
  if (stops) CHECK(bench.until([&] { return drained; }));
}
