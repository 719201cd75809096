// SPDX-License-Identifier: Apache-2.0
// A decision about alerts and incidents is there as a whole, in the right order, for ever, or not at all.
#include <sqlite3.h>

#include <atomic>

#include "agent/store/support.hpp"
#include "catch.hpp"
#include "store/schema.hpp"
#include "store/tables.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

Decision opened(const std::string& incident) {
  Decision decision;
  decision.events.push_back({incident, 1, noon, "opened", "ronda", "alert", "{\"level\":\"p1\"}"});
  decision.alerts.push_back({"api-down", noon, "{\"level\":\"p1\"}"});
  decision.silences.push_back({"s-" + incident, noon + minute, "{\"reason\":\"known\"}"});
  OutboxRow row;
  row.id = incident + "/1/a";
  row.incident = row.group = incident;
  row.notifier = "slack";
  row.contact = "cto";
  row.to = "#ops";
  row.level = "p1";
  row.event = "open";
  row.order = 7;
  row.state = OutboxState::sending;
  row.attempts = 1;
  row.queued_at = row.first_at = noon;
  row.text = {"the title", "the body", "{\"severity\":\"P1\"}"};
  decision.outbox.push_back(row);
  return decision;
}

Result<Unit> decide(Store& store, Decision decision) {
  return ask<Unit>(store, &Store::decide, std::move(decision));
}
std::vector<OutboxRow> owed(Store& store) {
  return must<std::vector<OutboxRow>>(store, &Store::load_outbox);
}
std::vector<OutboxRow> rows(Store& store, std::vector<std::string> ids) {
  return must<std::vector<OutboxRow>>(store, &Store::load_outbox_rows, std::move(ids));
}
std::vector<IncidentEvent> open_events(Store& store) {
  return must<std::vector<IncidentEvent>>(store, &Store::load_incidents);
}

}  // namespace

TEST_CASE("a decision is there after a restart as it was given", "[store]") {
  const Scratch scratch;
  REQUIRE(decide(*open_at(scratch / "state"), opened("INC-1")));
  const auto store = open_at(scratch / "state");
  const auto events = open_events(*store);
  REQUIRE(events.size() == 1);
  CHECK(events[0].incident == "INC-1");
  CHECK(events[0].seq == 1);
  CHECK(events[0].at == noon);
  CHECK(events[0].kind == "opened");
  CHECK(events[0].author == "ronda");
  CHECK(events[0].source == "alert");
  CHECK(events[0].data == "{\"level\":\"p1\"}");
  const auto alerts = must<std::vector<AlertState>>(*store, &Store::load_alert_states);
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].name == "api-down");
  CHECK(alerts[0].data == "{\"level\":\"p1\"}");
  const auto silences = must<std::vector<SilenceRow>>(*store, &Store::load_silences);
  REQUIRE(silences.size() == 1);
  CHECK(silences[0].until == noon + minute);
  const auto light = owed(*store);
  REQUIRE(light.size() == 1);
  CHECK(light[0].text.title == "the title");
  CHECK(light[0].text.body.empty());
  const auto row = rows(*store, {light[0].id}).at(0);
  const OutboxRow given = opened("INC-1").outbox[0];
  CHECK(row.id == given.id);
  CHECK(row.incident == given.incident);
  CHECK(row.group == given.group);
  CHECK(row.notifier == given.notifier);
  CHECK(row.contact == given.contact);
  CHECK(row.to == given.to);
  CHECK(row.level == given.level);
  CHECK(row.event == given.event);
  CHECK(row.order == given.order);
  CHECK(row.state == given.state);
  CHECK(row.attempts == given.attempts);
  CHECK(row.first_at == given.first_at);
  CHECK(row.text.body == "the body");
  CHECK(row.text.fields == "{\"severity\":\"P1\"}");
}

TEST_CASE("of a decision with one part that is wrong nothing is applied", "[store]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  Decision decision = opened("INC-1");
  std::string message;
  SECTION("an event whose data is no JSON") {
    decision.events.push_back({"INC-1", 2, noon, "note", "", "", "{"});
    message = "event 2 of incident 'INC-1': its data is not JSON";
  }
  SECTION("an event that is too long") {
    decision.events.push_back({"INC-1", 2, noon, "note", "", "", "\"" + std::string(1'100'000, 'x') + "\""});
    message = "event 2 of incident 'INC-1': its data has at most 1048576 bytes, this has 1100002";
  }
  SECTION("an alert") {
    decision.alerts.push_back({"other", noon, "nothing"});
    message = "alert 'other': its data is not JSON";
  }
  SECTION("a message") {
    decision.outbox.push_back(decision.outbox[0]);
    decision.outbox[1].id = "b";
    decision.outbox[1].text.fields = "x";
    message = "message 'b': its data is not JSON";
  }
  const auto result = decide(*store, decision);
  REQUIRE_FALSE(result);
  CHECK(result.error().message() == message);
  CHECK(open_events(*store).empty());
  CHECK(owed(*store).empty());
  CHECK(must<std::vector<AlertState>>(*store, &Store::load_alert_states).empty());
}

TEST_CASE("the same decision once more changes nothing; another event by the same number is refused", "[store]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  REQUIRE(decide(*store, opened("INC-1")));
  REQUIRE(ask<Unit>(*store, &Store::record_attempt,
                    std::vector<OutboxChange>{{"INC-1/1/a", OutboxState::delivered, "", 1, 0, noon, "", {}}},
                    std::vector<DeliveryAttempt>{}));
  REQUIRE(decide(*store, opened("INC-1")));
  CHECK(open_events(*store).size() == 1);
  CHECK(owed(*store).empty());  // it stays delivered
  Decision other = opened("INC-1");
  other.events[0].data = "{\"level\":\"p2\"}";
  const auto result = decide(*store, other);
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == Errc::exists);
  CHECK(result.error().message() == "incident 'INC-1' has another event 1 already; events are never changed");
}

TEST_CASE("a message that is given again, for its commit was not promised and is there after all, tells what became of it since", "[store]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  REQUIRE(decide(*store, opened("INC-1")));
  const std::string id = opened("INC-1").outbox[0].id;
  Decision again = opened("INC-1");
  const auto give = [&](OutboxState state, std::int64_t attempts, const std::string& body) {
    OutboxRow& row = again.outbox[0];
    row.state = state;
    row.attempts = attempts;
    row.next_at = noon + attempts;
    row.last_error = "attempt " + std::to_string(attempts);
    row.text.body = body;
    REQUIRE(decide(*store, again));
    return rows(*store, {id}).at(0);
  };
  OutboxRow row = give(OutboxState::queued, 2, "with others");
  CHECK(row.state == OutboxState::queued);
  CHECK(row.attempts == 2);
  CHECK(row.next_at == noon + 2);
  CHECK(row.last_error == "attempt 2");
  CHECK(row.text.body == "with others");
  row = give(OutboxState::sending, 1, "of a life before");
  CHECK(row.state == OutboxState::queued);
  CHECK(row.text.body == "with others");
  const OutboxState end = GENERATE(OutboxState::delivered, OutboxState::dead);
  row = give(end, 2, "with others");
  CHECK(row.state == end);
  row = give(OutboxState::queued, 3, "late");
  CHECK(row.state == end);
  CHECK(row.attempts == 2);
  CHECK(row.text.body == "with others");
}

TEST_CASE("events of incidents cannot be changed, not even by a statement", "[store]") {
  const Scratch scratch;
  {
    const auto store = open_at(scratch / "state");
    REQUIRE(decide(*store, opened("INC-1")));
    store->close();
  }
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open((scratch / "state/ronda.db").c_str(), &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db, "UPDATE incident_event SET data='{}'", nullptr, nullptr, nullptr) == SQLITE_CONSTRAINT);
  CHECK(std::string(sqlite3_errmsg(db)) == "events of incidents are never changed");
  sqlite3_close(db);
}

TEST_CASE("only incidents that are not closed are loaded at a start, all of their events in order", "[store]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  for (const char* incident : {"INC-2", "INC-1"}) REQUIRE(decide(*store, opened(incident)));
  for (std::int64_t seq : {3, 2}) {
    Decision more;
    more.events.push_back({"INC-1", seq, noon + seq, "note", "cto", "cli", "{}"});
    REQUIRE(decide(*store, more));
  }
  Decision end;
  end.events.push_back({"INC-2", 2, noon + minute, "closed", "cto", "cli", "{}"});
  end.marks.push_back({"INC-2", noon + minute});
  REQUIRE(decide(*store, end));
  const auto events = open_events(*store);
  REQUIRE(events.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(events[i].incident == "INC-1");
    CHECK(events[i].seq == static_cast<std::int64_t>(i) + 1);
  }
  CHECK(must<std::vector<IncidentEvent>>(*store, &Store::load_incident, std::string("INC-2")).size() == 2);
  const auto all = must<std::vector<IncidentSummary>>(*store, &Store::load_incident_ids, std::int64_t{10});
  REQUIRE(all.size() == 2);
  CHECK(all[0].closed + all[1].closed == noon + minute);
  for (const IncidentSummary& one : all)
    CHECK(one.first == must<std::vector<IncidentEvent>>(*store, &Store::load_incident, one.id).front().data);
  Decision again;
  again.marks.push_back({"INC-2", 0});
  REQUIRE(decide(*store, again));
  CHECK(open_events(*store).size() == 5);
}

TEST_CASE("the newest state of an alert wins, in whatever order they come", "[store]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  const auto put = [&](std::int64_t at, std::optional<std::string> data) {
    Decision decision;
    decision.alerts.push_back({"a", at, std::move(data)});
    REQUIRE(decide(*store, decision));
  };
  const auto states = [&] { return must<std::vector<AlertState>>(*store, &Store::load_alert_states); };
  put(20, "{\"n\":2}");
  put(10, "{\"n\":1}");
  REQUIRE(states().size() == 1);
  CHECK(states()[0].data == "{\"n\":2}");
  put(10, {});
  CHECK(states().size() == 1);
  put(30, {});
  CHECK(states().empty());
}

TEST_CASE("what was delivered stays delivered; a dead letter may be revived", "[store]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  REQUIRE(decide(*store, opened("INC-1")));
  const auto change = [&](OutboxState state) {
    REQUIRE(ask<Unit>(*store, &Store::record_attempt, std::vector<OutboxChange>{{"INC-1/1/a", state, "", 2, 0, noon, "why", {}}},
                      std::vector<DeliveryAttempt>{{"INC-1/1/a", 2, noon, noon + 5, "retry", "why"}}));
    return rows(*store, {"INC-1/1/a"}).at(0).state;
  };
  CHECK(change(OutboxState::dead) == OutboxState::dead);
  CHECK(owed(*store).empty());
  CHECK(change(OutboxState::queued) == OutboxState::queued);
  CHECK(owed(*store).size() == 1);
  CHECK(change(OutboxState::delivered) == OutboxState::delivered);
  CHECK(change(OutboxState::sending) == OutboxState::delivered);
  const auto trail = must<std::vector<DeliveryAttempt>>(*store, &Store::load_trail, std::string("INC-1"));
  REQUIRE(trail.size() == 1);
  CHECK(trail[0].number == 2);
  CHECK(trail[0].ended == noon + 5);
  CHECK(trail[0].detail == "why");
  REQUIRE(ask<Unit>(*store, &Store::record_attempt, std::vector<OutboxChange>{},
                    std::vector<DeliveryAttempt>{{"INC-1/1/a", 10, noon + 9, noon + 10, "delivered", "accepted as 7"}}));
  const auto last = must<std::vector<DeliveryAttempt>>(*store, &Store::load_last_attempts, std::vector<std::string>{"none", "INC-1/1/a"});
  REQUIRE(last.size() == 1);
  CHECK(last[0].number == 10);
  CHECK(last[0].detail == "accepted as 7");
  CHECK(must<std::vector<OutboxRow>>(*store, &Store::list_outbox, std::string("INC-1"), std::int64_t{0}).size() == 1);
  CHECK(must<std::vector<OutboxRow>>(*store, &Store::list_outbox, std::string(), std::int64_t{10}).size() == 1);
}

// By hand: how many decisions a second are accepted, given as they come and one after the other.
TEST_CASE("decisions accepted in a second", "[store][.bench]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  const auto measure = [&](int in_flight) {
    std::atomic<int> waiting{0}, good{0};
    const auto begin = std::chrono::steady_clock::now();
    int made = 0;
    while (std::chrono::steady_clock::now() - begin < std::chrono::seconds(2)) {
      if (waiting >= in_flight) {
        std::this_thread::yield();
        continue;
      }
      ++waiting;
      store->decide(opened("INC-" + std::to_string(in_flight) + "-" + std::to_string(++made)), [&](Result<Unit> result) {
        good += result ? 1 : 0;
        --waiting;
      });
    }
    while (waiting > 0) std::this_thread::yield();
    WARN(in_flight << " in flight: " << good / 2 << " a second");
  };
  measure(1);
  measure(64);
}

TEST_CASE("a message in a state that there is not, as damage makes it, is owed or over, and has one of those that there are", "[store]") {
  auto opened_db = Database::open(":memory:", "");
  REQUIRE(opened_db);
  Database db = *std::move(opened_db);
  REQUIRE(migrate(db));
  REQUIRE(apply_decision(db, opened("INC-1")));
  const auto state_of = [&](const char* sql) {
    REQUIRE(db.script(sql));
    const auto found = list_outbox(db, "INC-1", 10);
    REQUIRE(found);
    REQUIRE(found->size() == 1);
    return found->front().state;
  };
  CHECK(state_of("UPDATE outbox SET state=199") == OutboxState::dead);
  CHECK(state_of("UPDATE outbox SET state='x'") == OutboxState::queued);
  CHECK(state_of("UPDATE outbox SET state=-9223372036854775808") == OutboxState::queued);
  const auto still_owed = load_outbox(db);
  REQUIRE(still_owed);
  CHECK(still_owed->size() == 1);
}
