// SPDX-License-Identifier: Apache-2.0
// Links and codes by which one contact takes one incident once; and alerts that others judged.
#include "response/links.hpp"

#include "agent/response/desk.hpp"
#include "response/inbound.hpp"
#include "response/message.hpp"

using namespace ronda;
using namespace ronda::test;
using response::Claim;
using response::LinkSettings;

namespace {

const LinkSettings links{std::string(32, 'k'), "https://ronda.example", true};
const Claim claim{"INC-20260105-K7Q2M4XD3A", "cto", 3, monday + hour};

const std::string inbound_shop = R"(
[service.shop]
title = "The shop"
checks = []
escalation = "default"
[token.prometheus]
role = "reporter"
inbox = ["@alertmanager"]
sha256 = "c1f3e0c1a47d0f5b9a7e2c86f0d3b4a5968778695a4b3c2d1e0f9182736455e6"
[contact.cto]
channels = [{ notifier = "log" }]
[contact.ceo]
channels = [{ notifier = "log" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["cto"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["cto"] }]
)";

response::InboundAlert fires(const std::string& key, Level level, const std::string& service = "") {
  return {"inbound/prometheus/" + key, "inbound/prometheus/Word", service, level, key + " is bad", 0};
}
response::InboundBatch batch_of(std::vector<response::InboundAlert> alerts) {
  return {"alertmanager", "token:prometheus", std::move(alerts)};
}

/// The author and the source of the first event of that kind.
std::string who_did(const Held& held, std::string_view kind) {
  for (const store::IncidentEvent& event : held.events) {
    if (event.kind == kind) return event.author + " by " + event.source;
  }
  return {};
}

}  // namespace

TEST_CASE("a link says what it was made for, until its time is over", "[response]") {
  const std::string token = make_link(links, claim);
  const auto read = read_link(links, token, monday);
  REQUIRE(read);
  CHECK(*read == claim);
  CHECK(read_link(links, token, monday + hour - 1));
  CHECK(read_link(links, token, monday + hour).error().code() == Errc::range);
}

TEST_CASE("a link with one byte changed, cut off or added is none, and so is one of another key", "[response]") {
  const std::string token = make_link(links, claim);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string other = token;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    INFO(other);
    CHECK_FALSE(read_link(links, other, monday));
    CHECK_FALSE(read_link(links, token.substr(0, i), monday));
  }
  CHECK_FALSE(read_link(links, token + "A", monday));
  CHECK_FALSE(read_link(links, "x" + token, monday));
  LinkSettings foreign = links;
  foreign.key[31] = 'K';
  CHECK_FALSE(read_link(foreign, token, monday));
  CHECK_FALSE(read_link(LinkSettings(), make_link(LinkSettings(), claim), monday));  // without a key nothing is good
  for (const std::string_view bad : {"", ".", "....", "a.b.c.d.e", "\0\xff"}) CHECK_FALSE(read_link(links, bad, monday));
  CHECK_FALSE(read_link(links, std::string(100'000, 'x'), monday));
}

TEST_CASE("a code is six characters, and another one for each incident, contact and time that it was taken", "[response]") {
  const std::string code = make_code(links, claim.incident, "cto", 0);
  CHECK(code.size() == 6);
  CHECK(code.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ") == std::string::npos);
  CHECK(code == make_code(links, claim.incident, "cto", 0));
  CHECK(code != make_code(links, claim.incident, "cto", 1));
  CHECK(code != make_code(links, claim.incident, "ceo", 0));
  CHECK(code != make_code(links, "INC-20260105-K7Q2M4XD3B", "cto", 0));
}

TEST_CASE("links are given out while no person has the incident, codes by SMS alone", "[response]") {
  incident::Incident incident;
  incident.id = claim.incident;
  const auto names = [&](const response::Reader& reader) {
    std::string out;
    for (const auto& [name, value] : link_fields(links, incident, reader, monday)) out += name + " ";
    return out;
  };
  const response::Reader cto{"cto"}, by_sms{"cto", false, true}, room{"ops-room", true, true};
  CHECK(names(cto) == "ack ");
  CHECK(names(by_sms) == "ack ack_code ");
  CHECK(names(room) == "ack ");
  const auto fields = link_fields(links, incident, cto, monday);
  CHECK(fields[0].second.starts_with("https://ronda.example/ack/INC-20260105-K7Q2M4XD3A.cto.0."));
  CHECK(link_fields(links, incident, {}, monday).empty());
  CHECK(link_fields(LinkSettings(), incident, by_sms, monday).empty());
  incident.stage = incident::Stage::acknowledged;
  CHECK(names(by_sms).empty());
  incident.ack = incident::Ack{{incident::Author::Kind::contact, "cto"}};
  CHECK(names(by_sms).empty());
  incident.ack->author = {incident::Author::Kind::room, "ops-room"};  // the time to respond waits for a person
  CHECK(names(by_sms) == "ack ack_code ");
  CHECK(names(room).empty());
  incident.stage = incident::Stage::resolved;
  CHECK(names(by_sms).empty());
}

TEST_CASE("a link that went where many read says so, signed, and is no person's", "[response]") {
  Claim room = claim;
  room.room = true;
  const std::string token = make_link(links, room);
  CHECK(token.starts_with("INC-20260105-K7Q2M4XD3A.~cto.3."));
  const auto read = read_link(links, token, monday);
  REQUIRE(read);
  CHECK(*read == room);
  CHECK_FALSE(read_link(links, with_other(token, "~", ""), monday));
}

TEST_CASE("a link is good until somebody takes the incident; a person's outlives that nobody in particular has it", "[response]") {
  incident::Incident incident;
  const auto is_good = [&](std::uint32_t acks) {
    return std::pair(response::is_still_good(incident, acks, false), response::is_still_good(incident, acks, true));
  };
  using Pair = std::pair<bool, bool>;  // of a person, of a room
  CHECK(is_good(0) == Pair{true, true});
  incident.acks = 1;
  incident.stage = incident::Stage::acknowledged;
  incident.ack = incident::Ack{{incident::Author::Kind::room, "ops-room"}};
  CHECK(is_good(0) == Pair{true, false});
  CHECK(is_good(1) == Pair{true, false});
  incident.ack->author = {incident::Author::Kind::contact, "cto"};
  CHECK(is_good(0) == Pair{false, false});
  incident.ack->author = {incident::Author::Kind::unix, "root"};
  incident.acks = 2;  // taken by a person in between
  CHECK(is_good(0) == Pair{false, false});
  incident.ack.reset();
  incident.stage = incident::Stage::open;
  CHECK(is_good(1) == Pair{false, false});
}

TEST_CASE("an alert of others opens an incident with its sender's name, is said again without a second one, and ends it", "[response]") {
  World world(inbound_shop);
  world.take(world.desk().on_inbound(batch_of({fires("a", Level::p1, "shop")}), world.now));
  CHECK(world.only().level == Level::p1);
  CHECK(world.only().service == "shop");
  CHECK_FALSE(world.only().by_hand);
  CHECK(world.told == std::vector<std::string>{"0s open p1 cto log"});
  CHECK(who_did(world.held, "opened") == "token:prometheus by alertmanager");
  CHECK(who_did(world.held, "alert_joined") == "token:prometheus by alertmanager");
  const auto events = world.held.events.size();
  world.take(world.desk().on_inbound(batch_of({fires("a", Level::p1, "shop")}), world.now + minute));
  CHECK(world.held.events.size() == events);

  world.restart();
  REQUIRE(world.desk().alert("inbound/prometheus/a") != nullptr);
  CHECK(world.only().is_live());
  CHECK_FALSE(world.only().by_hand);
  world.now += 2 * minute;
  world.take(world.desk().on_inbound(batch_of({fires("a", Level::none)}), world.now));
  CHECK(world.only().stage == incident::Stage::resolved);
  CHECK(who_did(world.held, "alert_left") == "token:prometheus by alertmanager");
  CHECK(world.desk().alert("inbound/prometheus/a") == nullptr);
  CHECK_FALSE(world.held.kept().alerts.size() > 0);
}

TEST_CASE("one that its sender does not say again in time ends, also over a restart; what never fired says nothing", "[response]") {
  World world(inbound_shop);
  auto alert = fires("a", Level::p2);
  alert.until_ns = world.now + hour;
  world.take(world.desk().on_inbound(batch_of({alert, fires("never", Level::none)}), world.now));
  CHECK(world.only().members.size() == 1);
  world.run_to(50 * minute);
  CHECK(world.only().is_live());
  world.restart();
  world.run_to(61 * minute);
  CHECK(world.only().stage == incident::Stage::resolved);
  CHECK(world.desk().inbound_count() == 0);
}

TEST_CASE("no more than ten thousand alerts of others fire at once", "[response]") {
  World world(inbound_shop);
  std::vector<response::InboundAlert> many;
  for (int i = 0; i < 10'100; ++i) many.push_back(fires("k" + std::to_string(i), Level::p2, "shop"));
  world.take(world.desk().on_inbound(batch_of(many), world.now));
  CHECK(world.desk().inbound_count() == response::most_inbound);
  CHECK(world.only().members.size() == response::most_inbound);
}

TEST_CASE("an incident counts how often it was taken, whatever ended that", "[response]") {
  World world(inbound_shop);
  world.take(world.desk().on_inbound(batch_of({fires("a", Level::p2)}), world.now));
  CHECK(world.only().acks == 0);
  world.command(incident::Verb::ack);
  CHECK(world.only().acks == 1);
  world.command(incident::Verb::unack);
  CHECK(world.only().acks == 1);
  world.restart();
  CHECK(world.only().acks == 1);
}
