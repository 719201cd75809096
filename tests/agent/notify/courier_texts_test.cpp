// SPDX-License-Identifier: Apache-2.0
// Texts that are not in memory: a message is sent with its own all the same, and in its order.
#include <algorithm>

#include "agent/notify/courier_support.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::notify;
using namespace ronda::notify::test;
using store::OutboxState;
using store::test::Scratch;

TEST_CASE("what stands behind a message that failed for good is sent once that end is stored, also where texts have to be fetched for it",
          "[notify]") {
  const bool is_there_before = GENERATE(true, false);
  CAPTURE(is_there_before);
  const Scratch scratch;
  const auto fallback = [](const store::OutboxRow& failed) { return std::vector{envelope(failed.id + "/f", "sms", failed.incident)}; };
  {
    Post post(scratch / "state");
    REQUIRE(post.start());
    REQUIRE(post.send({envelope("a"), envelope("b"), envelope("c")}));
    post.end(Parcel(post.client.parcels.at(0)));
    post.next();
    REQUIRE(post.client.parcels.size() == 2);
  }
  {
    Post post(scratch / "state");
    post.client.now += second_ns;
    post.client.fallback = fallback;
    REQUIRE(post.start());
    post.wait_stored();
    REQUIRE(post.client.parcels.size() == 1);
    const Parcel c = post.client.parcels[0];
    REQUIRE(c.id == "c");
    REQUIRE(c.carries == std::vector<std::string>{"b"});  // whose text is not in memory
    std::size_t ended = 0;
    post.client.on_deliver = [&](const Parcel& parcel) { ended = parcel.id == "d" ? post.client.given_up.size() : ended; };
    if (is_there_before) REQUIRE(post.send({envelope("d")}));
    post.courier->on_result(c.id, c.number, dropped());
    store::Decision decision;
    if (!is_there_before) decision.outbox = {envelope("d")};
    post.courier->decide(std::move(decision), {});
    const auto is_sent = [&] { return std::ranges::any_of(post.client.parcels, [](const Parcel& parcel) { return parcel.id == "d"; }); };
    REQUIRE(post.loop.run_until(is_sent));
    CHECK(ended == 2);
  }  // killed as soon as it was handed over
  Post post(scratch / "state");
  post.client.now += 2 * second_ns;
  REQUIRE(post.start());
  post.wait_stored();
  std::vector<std::string> sent;
  for (const Parcel& parcel : post.client.parcels) sent.push_back(parcel.id);
  std::ranges::sort(sent);
  CHECK(sent == std::vector<std::string>{"b/f", "d"});  // and c/f waits behind b/f
  CHECK(post.stored({"c"}).at(0).state == OutboxState::dead);
  CHECK(post.stored({"b"}).at(0).state == OutboxState::dead);
}

TEST_CASE("a message that begins before its decision is stored goes with its text, however much the texts of others take", "[notify]") {
  const Scratch scratch;
  Post post(scratch / "state");
  REQUIRE(post.start());
  auto big = envelope("big", "mail", "BIG");
  big.text.body = std::string(std::size_t{33} * 1024 * 1024, 'b');
  REQUIRE(post.send({big}));
  auto a = envelope("a", "slack", "A");
  a.next_at = post.client.now + second_ns;
  store::Decision decision;
  decision.outbox = {a};
  post.courier->decide(std::move(decision), {});
  post.client.now += second_ns;
  post.courier->tick();  // it begins, and that is stored after the decision
  REQUIRE(post.loop.run_until([&] { return post.client.parcels.size() == 2; }));
  CHECK(post.client.parcels[1].id == "a");
  CHECK(post.client.parcels[1].text.body == "body of a");
}

TEST_CASE("what the clock moves of messages is stored with the decision that says so, or not at all", "[notify]") {
  const bool is_killed = GENERATE(false, true);
  CAPTURE(is_killed);
  const Scratch scratch;
  const std::int64_t by = 100 * hour_ns, first = noon;
  {
    Post post(scratch / "state");
    REQUIRE(post.start());
    REQUIRE(post.send({envelope("a")}));
    post.end(Parcel(post.client.parcels.at(0)), retry());
    post.client.now += by;
    store::Decision decision;
    post.courier->on_clock_set(by, decision);
    CHECK(decision.changes.size() == 1);
    post.wait_stored();
    CHECK(post.stored({"a"}).at(0).first_at == first);
    if (!is_killed) REQUIRE(post.decide(std::move(decision)));
  }
  Post post(scratch / "state");
  post.client.now += by + hour_ns;
  REQUIRE(post.start());
  REQUIRE(post.loop.run_until([&] { return post.client.parcels.size() == 1; }));
  CHECK(post.stored({"a"}).at(0).first_at == (is_killed ? first : first + by));
  post.end(Parcel(post.client.parcels[0]), retry());
  CHECK(post.stored({"a"}).at(0).state == (is_killed ? OutboxState::dead : OutboxState::queued));
}

TEST_CASE("an attempt that waits for its text while the clock is set forward was first made when it was, by that clock", "[notify]") {
  const Scratch scratch;
  const std::int64_t by = 100 * hour_ns;
  {
    Post post(scratch / "state");
    REQUIRE(post.start());
    auto a = envelope("a");
    a.next_at = post.client.now + minute_ns;
    REQUIRE(post.send({a}));
  }
  Post post(scratch / "state");
  REQUIRE(post.start());
  post.client.now += minute_ns;
  post.courier->tick();  // it begins, and its text is asked for
  CHECK(post.client.parcels.empty());
  post.client.now += by;
  store::Decision decision;
  post.courier->on_clock_set(by, decision);
  REQUIRE(post.decide(std::move(decision)));
  REQUIRE(post.loop.run_until([&] { return post.client.parcels.size() == 1; }));
  CHECK(post.stored({"a"}).at(0).first_at == post.client.now);
  post.end(Parcel(post.client.parcels[0]), retry());
  CHECK(post.stored({"a"}).at(0).state == OutboxState::queued);
}

TEST_CASE("what waited since a life before and begins with the decision of another message goes with its own text", "[notify]") {
  const bool is_revived = GENERATE(false, true);  // the other one
  CAPTURE(is_revived);
  const Scratch scratch;
  {
    Post post(scratch / "state");
    REQUIRE(post.start());
    auto a = envelope("a", "slack", "A"), b = envelope("b", "slack", "B");
    a.next_at = post.client.now + minute_ns;
    REQUIRE(post.send({a}));
    if (is_revived) {
      REQUIRE(post.send({b}));
      post.end(Parcel(post.client.parcels.at(0)), dropped());
    }
  }
  Post post(scratch / "state");
  REQUIRE(post.start());
  post.client.now += minute_ns;  // nobody woke the courier yet
  if (is_revived)
    post.courier->revive("b", {});
  else
    REQUIRE(post.send({envelope("b", "slack", "B")}));
  REQUIRE(post.loop.run_until([&] { return post.client.parcels.size() == 2; }));
  for (const Parcel& parcel : post.client.parcels) {
    CHECK(parcel.text.body == "body of " + parcel.id);
    post.end(Parcel(parcel));
  }
  CHECK(post.client.delivered.size() == 2);
  CHECK(post.stored({"a"}).at(0).attempts == 1);
}
