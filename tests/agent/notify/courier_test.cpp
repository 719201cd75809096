// SPDX-License-Identifier: Apache-2.0
// The courier with a real store: nothing is sent before it is promised, nothing that was promised is lost, and a
// store that fails stops nothing.
#include <malloc.h>

#include <algorithm>

#include "agent/notify/courier_support.hpp"
#include "agent/store/faulty_vfs.hpp"
#include "catch.hpp"
#include "notify/template.hpp"

using namespace ronda;
using namespace ronda::notify;
using namespace ronda::notify::test;
using store::OutboxState;
using store::test::FaultyVfs;
using store::test::Scratch;

TEST_CASE("a message is sent when its decision is durable, not before", "[notify]") {
  const Scratch scratch;
  Post post(scratch / "state");
  REQUIRE(post.start());
  bool decided = false;
  store::Decision decision;
  decision.outbox = {envelope("a")};
  decision.events.push_back({"INC", 1, noon, "opened", "", "", "{}"});
  post.courier->decide(decision, [&](Result<Unit> result) { decided = result.has_value(); });
  CHECK(post.client.parcels.empty());
  REQUIRE(post.loop.run_until([&] { return decided; }));
  REQUIRE(post.client.parcels.size() == 1);
  const Parcel& parcel = post.client.parcels[0];
  CHECK(parcel.id == "a");
  CHECK(parcel.number == 1);
  CHECK(parcel.notifier == "slack");
  CHECK(parcel.level == "p1");
  CHECK(parcel.event == "open");
  CHECK(parcel.incident == "INC");
  CHECK(parcel.text.title == "title of a");
  CHECK(parcel.text.body == "body of a");
  CHECK(post.stored({"a"}).at(0).state == OutboxState::sending);
  post.client.now += 3 * ms;
  post.end(parcel);
  CHECK(post.stored({"a"}).at(0).state == OutboxState::delivered);
  std::vector<store::DeliveryAttempt> trail;
  post.store->load_trail("INC", [&](auto loaded) { trail = *loaded; });
  post.wait_stored();
  REQUIRE(trail.size() == 1);
  CHECK(trail[0].outcome == "delivered");
  CHECK(trail[0].started == noon);
  CHECK(trail[0].ended == noon + 3 * ms);
  CHECK(post.courier->is_idle());
}

TEST_CASE("what gathered goes as one, the newest in full and the others by title", "[notify]") {
  const Scratch scratch;
  Post post(scratch / "state");
  REQUIRE(post.start());
  std::vector<store::OutboxRow> rows;
  for (int i = 0; i < 5; ++i) rows.push_back(envelope("m" + std::to_string(i), "slack", "INC", "update"));
  REQUIRE(post.send(rows));
  REQUIRE(post.client.parcels.size() == 1);
  post.end(post.client.parcels[0]);
  post.next();
  REQUIRE(post.client.parcels.size() == 2);
  const Parcel parcel = post.client.parcels[1];
  CHECK(parcel.id == "m4");
  CHECK(parcel.carries == std::vector<std::string>{"m1", "m2", "m3"});
  CHECK(parcel.text.title == "(4) title of m4");
  CHECK(parcel.text.body ==
        "body of m4\n--\n4 messages in one, the newest above. Before it:\n- title of m3\n- title of m2\n- title of m1\n");
  CHECK(value_of(fields_from_json(parcel.text.fields), "merged") == "4");
  const auto stored = post.stored({"m3", "m4"});
  CHECK(stored[0].carrier == "m4");
  CHECK(stored[1].text.body == parcel.text.body);  // the same in the next attempt, whoever makes it
  post.end(parcel);
  for (const store::OutboxRow& row : post.stored({"m0", "m1", "m2", "m3", "m4"})) CHECK(row.state == OutboxState::delivered);
}

TEST_CASE("an update that is sent together with the open that the sink did not have yet is an open", "[notify]") {
  const Scratch scratch;
  Post post(scratch / "state");
  REQUIRE(post.start());
  REQUIRE(post.send({envelope("other", "slack", "A")}));
  auto open = envelope("open", "slack", "B"), update = envelope("update", "slack", "B", "update");
  open.group = update.group = "A";
  REQUIRE(post.send({open, update}));
  post.end(post.client.parcels[0]);
  post.next();
  REQUIRE(post.client.parcels.size() == 2);
  CHECK(post.client.parcels[1].id == "update");
  CHECK(post.client.parcels[1].event == "open");
}

TEST_CASE("what failed for good and what takes its place are one transaction, and both are told", "[notify]") {
  const Scratch scratch;
  Post post(scratch / "state");
  REQUIRE(post.start());
  std::string seen;
  post.client.fallback = [&](const store::OutboxRow& failed) {
    seen = failed.text.body;
    return std::vector{envelope(failed.id + "/f", "sms")};
  };
  REQUIRE(post.send({envelope("a")}));
  post.end(post.client.parcels[0], dropped("404: no such channel"));
  CHECK(seen == "body of a");
  REQUIRE(post.client.parcels.size() == 2);
  CHECK(post.client.parcels[1].id == "a/f");
  CHECK(post.client.parcels[1].notifier == "sms");
  REQUIRE(post.client.troubles.size() == 1);
  CHECK(post.client.troubles[0].first.what == SinkTrouble::What::dead_letter);
  CHECK(post.client.troubles[0].second.contact == "cto");
  const auto rows = post.stored({"a", "a/f"});
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].state == OutboxState::dead);
  CHECK(rows[0].last_error == "404: no such channel");
  CHECK(rows[1].state == OutboxState::sending);
}

TEST_CASE("of a message that failed for good those that it carried are told too, each with the reason, once that is stored", "[notify]") {
  const Scratch scratch;
  Post post(scratch / "state");
  REQUIRE(post.start());
  std::vector<store::OutboxRow> rows;
  for (int i = 0; i < 3; ++i) rows.push_back(envelope("m" + std::to_string(i), "slack", "INC", "update"));
  REQUIRE(post.send(rows));
  post.end(post.client.parcels.at(0));
  post.next();
  REQUIRE(post.client.parcels.size() == 2);
  REQUIRE(post.client.parcels[1].carries == std::vector<std::string>{"m1"});
  CHECK(post.client.given_up.empty());
  post.end(Parcel(post.client.parcels[1]), {Delivery::What::dropped, 0, "no such room"});
  REQUIRE(post.client.given_up.size() == 2);
  CHECK(post.client.given_up[0].id == "m1");
  CHECK(post.client.given_up[1].id == "m2");
  for (const store::OutboxRow& row : post.client.given_up) {
    CHECK(row.last_error == "no such room");
    CHECK(row.incident == "INC");
    CHECK(row.contact == "cto");
  }
}

TEST_CASE("of a message that was delivered those that it carried are told too, also in the next life", "[notify]") {
  const bool restarts = GENERATE(false, true);
  CAPTURE(restarts);
  const Scratch scratch;
  auto post = std::make_unique<Post>(scratch / "state");
  REQUIRE(post->start());
  std::vector<store::OutboxRow> rows;
  for (int i = 0; i < 3; ++i) rows.push_back(envelope("m" + std::to_string(i), "slack", "INC", "update"));
  REQUIRE(post->send(rows));
  post->end(post->client.parcels.at(0), {Delivery::What::delivered, 0, "posted"});
  REQUIRE(post->client.delivered.size() == 1);
  CHECK(post->client.delivered[0].first.id == "m0");
  CHECK(post->client.delivered[0].second == "posted");
  post->next();
  REQUIRE(post->client.parcels.size() == 2);
  REQUIRE(post->client.parcels[1].carries == std::vector<std::string>{"m1"});
  Parcel last = post->client.parcels[1];
  if (restarts) {
    post.reset();
    post = std::make_unique<Post>(scratch / "state");
    post->client.now += minute_ns;
    REQUIRE(post->start());
    post->wait_stored();
    REQUIRE(post->client.parcels.size() == 1);
    last = post->client.parcels[0];
    CHECK(last.number == 2);
  }
  post->client.delivered.clear();
  post->end(last, {Delivery::What::delivered, 0, "posted too"});
  REQUIRE(post->client.delivered.size() == 2);
  CHECK(post->client.delivered[0].first.id == "m1");
  CHECK(post->client.delivered[1].first.id == "m2");
  for (const auto& [row, detail] : post->client.delivered) {
    CHECK(detail == "posted too");
    CHECK(row.incident == "INC");
    CHECK(row.contact == "cto");
    CHECK(row.notifier == "slack");
  }
}

TEST_CASE("a dead letter that a person revives goes by its id with the next number", "[notify]") {
  const Scratch scratch;
  Post post(scratch / "state");
  REQUIRE(post.start());
  REQUIRE(post.send({envelope("a")}));
  post.end(post.client.parcels[0], dropped());
  std::string said;
  const auto revive = [&](const std::string& id) {
    post.courier->revive(id, [&](Result<Unit> result) { said = result ? "done" : result.error().message(); });
    post.wait_stored();
  };
  revive("b");
  CHECK(said == "there is no message 'b'; ronda notify list shows them");
  revive("a");
  CHECK(said == "done");
  post.next();  // it waits for company, as any second message of a group
  REQUIRE(post.client.parcels.size() == 2);
  CHECK(post.client.parcels[1].id == "a");
  CHECK(post.client.parcels[1].number == 2);
  CHECK(post.client.parcels[1].text.body == "body of a");
  post.end(post.client.parcels[1]);
  CHECK(post.stored({"a"}).at(0).state == OutboxState::delivered);
  revive("a");
  CHECK(said == "message 'a' is no dead letter: it was delivered, or still waits");
}

TEST_CASE("what was revived and fails once more gets no second fallback, over a restart too, and one that never had any gets its",
          "[notify]") {
  const Scratch scratch;
  const auto fail = [](Post& post, const std::string& id, std::int64_t number) {
    post.courier->on_result(id, number, dropped());
    post.wait_stored();
  };
  const auto revive = [](Post& post, const std::string& id) {
    bool done = false;
    post.courier->revive(id, [&](Result<Unit> result) { done = result.has_value(); });
    post.wait_stored();
    CHECK(done);
    post.next();
  };
  std::vector<std::string> asked;
  const auto fallback = [&](const store::OutboxRow& failed) {
    asked.push_back(failed.id);
    return failed.id == "alone" ? std::vector<store::OutboxRow>() : std::vector{envelope(failed.id + "/f", "sms", failed.incident)};
  };
  {
    Post post(scratch / "state");
    post.client.fallback = fallback;
    REQUIRE(post.start());
    REQUIRE(post.send({envelope("a", "slack", "A"), envelope("alone", "slack", "B")}));
    fail(post, "a", 1);
    fail(post, "alone", 1);
    revive(post, "a");
    fail(post, "a", 2);
    CHECK(asked == std::vector<std::string>{"a", "alone"});
    revive(post, "a");
    CHECK(post.client.parcels.back().id == "a");
    CHECK(post.client.parcels.back().number == 3);
    CHECK(post.client.parcels.back().text.body == "body of a");
  }
  Post post(scratch / "state");
  post.client.now += hour_ns;
  post.client.fallback = fallback;
  REQUIRE(post.start());
  post.wait_stored();
  fail(post, "a", 4);
  CHECK(post.stored({"a"}).at(0).state == OutboxState::dead);
  CHECK(asked == std::vector<std::string>{"a", "alone"});
  revive(post, "alone");
  fail(post, "alone", 2);
  CHECK(asked == std::vector<std::string>{"a", "alone", "alone"});
}

TEST_CASE("the next life sends again what was in flight, and goes on with what waited", "[notify]") {
  const Scratch scratch;
  {
    Post post(scratch / "state");
    REQUIRE(post.start());
    REQUIRE(post.send({envelope("a"), envelope("b"), envelope("c")}));
    post.end(post.client.parcels[0]);
    post.next();
    REQUIRE(post.client.parcels.size() == 2);
  }
  Post post(scratch / "state");
  post.client.now += second_ns;
  REQUIRE(post.start());
  post.wait_stored();
  REQUIRE(post.client.parcels.size() == 1);
  const Parcel parcel = post.client.parcels[0];
  CHECK(parcel.id == "c");
  CHECK(parcel.number == 2);
  CHECK(parcel.carries == std::vector<std::string>{"b"});
  CHECK(parcel.text.title == "(2) title of c");
  CHECK(post.stored({"c"}).at(0).attempts == 2);
  post.end(parcel);
  CHECK(post.stored({"b"}).at(0).state == OutboxState::delivered);
}

TEST_CASE("what an end brings is stored before the next attempt of the same message, whatever else waits for its text", "[notify]") {
  const Scratch scratch;
  {
    Post post(scratch / "state");
    REQUIRE(post.start());
    SinkPolicy one;
    one.in_flight = 1;
    post.courier->set_policy("slack", one);
    REQUIRE(post.send({envelope("a", "slack", "A"), envelope("b", "slack", "B")}));
  }
  Post post(scratch / "state");
  SinkPolicy one;
  one.in_flight = 1;
  post.courier->set_policy("slack", one);
  REQUIRE(post.start());
  post.wait_stored();
  REQUIRE(post.client.parcels.size() == 1);
  const Parcel a = post.client.parcels[0];
  REQUIRE(a.id == "a");
  post.client.now += second_ns;
  post.courier->on_result(a.id, a.number, retry());  // and now the text of b is fetched
  CHECK(post.client.parcels.size() == 1);
  post.wait_stored();
  REQUIRE(post.client.parcels.size() == 2);
  CHECK(post.client.parcels[1].id == "b");
  CHECK(post.client.parcels[1].text.body == "body of b");
  CHECK(post.stored({"a"}).at(0).state == OutboxState::queued);
  CHECK(post.stored({"a"}).at(0).last_error == "503");
}

TEST_CASE("a stop begins nothing, and the next life sends it once", "[notify]") {
  const Scratch scratch;
  {
    Post post(scratch / "state");
    REQUIRE(post.start());
    bool decided = false;
    store::Decision decision;
    decision.outbox = {envelope("a")};
    post.courier->decide(decision, [&](Result<Unit>) { decided = true; });
    post.courier->stop();
    REQUIRE(post.loop.run_until([&] { return decided; }));
    CHECK(post.client.parcels.empty());
    post.wait_stored();  // that it was not begun
    CHECK(post.courier->is_idle());
  }
  Post post(scratch / "state");
  REQUIRE(post.start());
  post.next();
  CHECK(post.client.parcels.size() == 1);
}

TEST_CASE("what a stop kept from beginning is no attempt to the next life, whether it was decided before the stop or after it",
          "[notify]") {
  const Scratch scratch;
  std::size_t decided = 0;
  const auto decide = [&](Post& post, const std::string& id) {
    store::Decision decision;
    decision.outbox = {envelope(id, "slack", id)};
    post.courier->decide(decision, [&](Result<Unit>) { ++decided; });
  };
  {
    Post post(scratch / "state");
    REQUIRE(post.start());
    decide(post, "before");
    post.courier->stop();
    decide(post, "after");
    REQUIRE(post.loop.run_until([&] { return decided == 2; }));
    post.wait_stored();
    CHECK(post.client.parcels.empty());
    for (const store::OutboxRow& row : post.stored({"before", "after"})) {
      CHECK(row.state == OutboxState::queued);
      CHECK(row.attempts == 0);
      CHECK(row.first_at == 0);
    }
  }
  Post post(scratch / "state");
  post.client.now += 5 * second_ns;
  REQUIRE(post.start());
  post.next();
  REQUIRE(post.client.parcels.size() == 2);
  for (const Parcel& parcel : std::vector(post.client.parcels)) {
    CHECK(parcel.number == 1);
    post.end(parcel);
    std::vector<store::DeliveryAttempt> trail;
    post.store->load_trail(parcel.id, [&](auto loaded) { trail = *loaded; });
    post.wait_stored();
    REQUIRE(trail.size() == 1);
    CHECK(trail[0].outcome == "delivered");
  }
}

TEST_CASE("a message behind one that ends while the agent stops is not begun", "[notify]") {
  const Scratch scratch;
  Post post(scratch / "state");
  REQUIRE(post.start());
  REQUIRE(post.send({envelope("a"), envelope("b", "slack", "INC", "update")}));
  REQUIRE(post.client.parcels.size() == 1);
  post.client.now += minute_ns;
  post.courier->stop();
  post.end(Parcel(post.client.parcels[0]));
  CHECK(post.client.parcels.size() == 1);
  CHECK(post.stored({"a"}).at(0).state == OutboxState::delivered);
  CHECK(post.stored({"b"}).at(0).state == OutboxState::queued);
  CHECK(post.courier->is_idle());
}

TEST_CASE("with the store failed messages leave all the same, that is told, and what was owed is stored when it can be", "[notify]") {
  const Scratch scratch;
  FaultyVfs vfs;
  {
    Post post(scratch / "state", vfs.name());
    REQUIRE(post.start());
    vfs.fail_writes(1, 1'000'000, SQLITE_IOERR_WRITE);
    store::Decision decision;
    decision.events.push_back({"INC", 1, noon, "opened", "", "", "{}"});
    decision.outbox = {envelope("a"), envelope("b", "slack", "INC", "update")};
    const Status decided = post.decide(decision);
    REQUIRE_FALSE(decided);
    CHECK(decided.error().code() == Errc::unavailable);
    REQUIRE(post.client.parcels.size() == 1);  // sent, though nothing could be promised
    CHECK(post.client.parcels[0].id == "a");
    REQUIRE(post.client.durability.size() == 1);
    CHECK_FALSE(post.client.durability[0].first);
    CHECK(post.courier->ring().size() == 1);
    post.courier->on_result("a", 1, delivered());
    post.client.now = post.client.wake + second_ns;
    post.courier->tick();
    REQUIRE(post.loop.run_until([&] { return post.client.parcels.size() == 2; }));  // and so is the next one
    CHECK(post.client.parcels[1].id == "b");
    vfs.fail_writes(0, 0, 0);
    REQUIRE(post.loop.run_until([&] {
      post.client.now += second_ns;
      post.courier->tick();
      return post.client.durability.size() == 2;
    }));
    CHECK(post.client.durability[1].first);
    CHECK(post.courier->ring().size() == 0);
    const auto rows = post.stored({"a", "b"});
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].state == OutboxState::delivered);
    CHECK(rows[1].state == OutboxState::sending);
    post.end(post.client.parcels[1]);
    CHECK(post.stored({"b"}).at(0).state == OutboxState::delivered);
  }
  Post post(scratch / "state");
  REQUIRE(post.start());
  post.wait_stored();
  CHECK(post.client.parcels.empty());
  std::vector<store::IncidentEvent> events;
  post.store->load_incidents([&](auto loaded) { events = *loaded; });
  post.wait_stored();
  CHECK(events.size() == 1);
}

TEST_CASE("a message that begins with the decision of another, and fails for good while the store does, stays failed", "[notify]") {
  const Scratch scratch;
  FaultyVfs vfs;
  Post post(scratch / "state", vfs.name());
  REQUIRE(post.start());
  vfs.fail_writes(1, 1'000'000, SQLITE_IOERR_WRITE);
  REQUIRE_FALSE(post.send({envelope("a"), envelope("b", "slack", "INC", "update")}));
  REQUIRE(post.client.parcels.size() == 1);
  post.courier->on_result("a", 1, delivered());
  post.client.now = post.client.wake + second_ns;
  REQUIRE_FALSE(post.send({envelope("c", "slack", "INC-2")}));
  REQUIRE(post.loop.run_until([&] { return post.client.parcels.size() == 3; }));
  post.courier->on_result("b", 1, dropped());
  vfs.fail_writes(0, 0, 0);
  REQUIRE(post.loop.run_until([&] {
    post.client.now += second_ns;
    post.courier->tick();
    return post.courier->is_durable();
  }));
  CHECK(post.stored({"b"}).at(0).state == OutboxState::dead);
}

TEST_CASE("what waited behind a decision that was refused is stored after it, though the disk was well again before", "[notify]") {
  const Scratch scratch;
  FaultyVfs vfs;
  Steps steps;
  Post post(scratch / "state", vfs.name());
  const std::shared_ptr<void> let_go(nullptr, [&](void*) { steps.go(true); });
  REQUIRE(post.start());
  post.wait_stored();
  const auto silence_until = [](const std::string& id, std::int64_t until) {
    store::Decision decision;
    decision.silences.push_back({id, until, "{}"});
    return decision;
  };
  post.on_store_thread = [&] { steps.stop(); };
  vfs.fail_writes(1, 1'000'000, SQLITE_FULL);
  std::vector<std::string> answers;
  const auto decide = [&](const std::string& name, store::Decision decision) {
    post.courier->decide(std::move(decision),
                         [&, name](Result<Unit> result) { answers.push_back(name + (result ? " stored" : " refused")); });
  };
  decide("first", silence_until("S-1", 9));
  REQUIRE(steps.wait_for_stop());
  decide("second", silence_until("S-1", 3));  // somebody ends it
  decide("third", silence_until("S-2", 5));
  while (answers.empty()) {  // the attempts of the first
    steps.go();
    REQUIRE(steps.wait_for_stop());
    post.loop.run_pending();
  }
  vfs.fail_writes(0, 0, 0);
  steps.go(true);
  REQUIRE(post.loop.run_until([&] { return answers.size() == 3; }));
  CHECK(answers == std::vector<std::string>{"first refused", "second refused", "third refused"});
  CHECK_FALSE(post.courier->is_durable());
  REQUIRE(post.loop.run_until([&] {
    post.client.now += second_ns;
    post.courier->tick();
    return post.courier->is_durable();
  }));
  std::vector<store::SilenceRow> silences;
  post.store->load_silences([&](auto loaded) { silences = *loaded; });
  post.wait_stored();
  REQUIRE(silences.size() == 2);
  CHECK(silences[0].until == 3);
}

TEST_CASE("a decision that the store refuses for its content is told so, and its messages leave", "[notify]") {
  const Scratch scratch;
  Post post(scratch / "state");
  REQUIRE(post.start());
  store::Decision decision;
  decision.events.push_back({"INC", 1, noon, "opened", "", "", "no json"});
  decision.outbox = {envelope("a")};
  const Status decided = post.decide(decision);
  REQUIRE_FALSE(decided);
  CHECK(decided.error().message() == "event 1 of incident 'INC': its data is not JSON");
  CHECK(post.client.parcels.size() == 1);
  CHECK(post.courier->ring().size() == 0);
  CHECK(post.client.durability.empty());
}

TEST_CASE("a hundred thousand messages that wait take less than 256 MiB", "[notify]") {
  const Scratch scratch;
  const auto used = [] { return mallinfo2().uordblks + mallinfo2().hblkhd; };
  Post post(scratch / "state");
  REQUIRE(post.start());
  const std::size_t before = used();
  int number = 0;
  for (int i = 0; i < 200; ++i) {
    std::vector<store::OutboxRow> rows;
    for (int j = 0; j < 500; ++j) {
      const std::string incident = "0193-incident-" + std::to_string(++number);
      auto row = envelope(incident + "/12/0123456789abcdef", "slack", incident);
      row.text.body = std::string(600, 'b');
      row.text.fields = "{\"description\":\"" + std::string(600, 'f') + "\"}";
      rows.push_back(std::move(row));
    }
    REQUIRE(post.send(std::move(rows)));
  }
  ::malloc_trim(0);
  const std::size_t bytes = used() - before;
  INFO(bytes / 1024 / 1024 << " MiB");
  CHECK(bytes < std::size_t{256} * 1024 * 1024);
  CHECK(post.courier->status().at(0).waiting == 100'000);
  // and the text of one whose text is only in the store is found again
  const Parcel parcel = post.client.parcels.at(0);
  post.end(parcel);
  for (int i = 0; i < 50 && !post.client.parcels.empty(); ++i) {
    const Parcel one = post.client.parcels.back();
    CHECK(one.text.body.size() == 600);
    post.client.parcels.clear();
    post.end(one);
  }
}

TEST_CASE("a message that its notifier never began is no attempt and goes again with the same number", "[notify]") {
  const Scratch scratch;
  Post post(scratch / "state");
  REQUIRE(post.start());
  REQUIRE(post.send({envelope("a")}));
  REQUIRE(post.client.parcels.size() == 1);
  post.courier->take_back("a", 1);
  post.courier->take_back("a", 1);  // once is all
  post.wait_stored();
  const store::OutboxRow row = post.stored({"a"}).at(0);
  CHECK(row.attempts == 0);
  CHECK(row.first_at == 0);
  CHECK(row.state == OutboxState::queued);
  CHECK(post.courier->status().at(0).failures == 0);
  CHECK(post.courier->is_idle());
  post.next();
  REQUIRE(post.client.parcels.size() == 2);
  CHECK(post.client.parcels[1].number == 1);
}

TEST_CASE("an attempt that was under way when the agent was killed stands in the trail as unknown", "[notify]") {
  const Scratch scratch;
  {
    Post killed(scratch / "state");
    REQUIRE(killed.start());
    REQUIRE(killed.send({envelope("a")}));
    REQUIRE(killed.client.parcels.size() == 1);
  }
  Post post(scratch / "state");
  post.client.now = noon + 5 * ms;
  REQUIRE(post.start());
  post.wait_stored();
  REQUIRE(post.client.parcels.size() == 1);
  CHECK(post.client.parcels[0].number == 2);
  post.end(post.client.parcels[0]);
  std::vector<store::DeliveryAttempt> trail;
  post.store->load_trail("INC", [&](auto loaded) { trail = *loaded; });
  post.wait_stored();
  REQUIRE(trail.size() == 2);
  CHECK(trail[0].number == 1);
  CHECK(trail[0].outcome == "unknown");
  CHECK(trail[0].started == noon);
  CHECK(trail[1].outcome == "delivered");
}
