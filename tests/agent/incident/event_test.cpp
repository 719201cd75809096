// SPDX-License-Identifier: Apache-2.0
// Events as JSON: what is written is read back, what is malformed is refused by name, what is unknown is kept.
#include "incident/event.hpp"

#include <random>
#include <set>

#include "base/text.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::incident;

namespace {

Event full() {
  Event event;
  event.incident = "INC-20261129-K7Q2M4XD3A";
  event.sequence = 7;
  event.at_ns = 1'796'000'000'000'000'000;
  event.host = "shop-1";
  event.author = {Author::Kind::unix, "www-data"};
  event.source = "cli";
  event.kind = Kind::acked;
  event.level = config::Level::p2;
  event.service = "api";
  event.root = "network";
  event.alert = "api-down";
  event.check = "api-status";
  event.subject = "cto";
  event.role = "commander";
  event.channel = "sms";
  event.message = "m-1";
  event.text = "línea \"uno\"\nand <two>";
  event.war_room = "https://meet.jit.si/x";
  event.forced = event.blocked = event.muted = event.page = true;
  event.effective_ns = 1;
  event.within_ns = 2;
  event.due_ns = 3;
  event.remind_ns = 4;
  event.until_ns = 5;
  event.fields = {{"summary", "a"}, {"impact", "b"}};
  return event;
}

std::string message_of(std::string_view json) {
  const auto parsed = parse_event(json);
  return parsed ? "read" : parsed.error().message();
}

std::string random_text(std::mt19937_64& random, std::size_t most) {
  std::string out;
  for (std::size_t i = random() % (most + 1); i > 0; --i) out += static_cast<char>(random());
  return out;
}

}  // namespace

TEST_CASE("an event is read back as it was written", "[incident]") {
  const Event event = full();
  const auto back = parse_event(to_json(event));
  REQUIRE(back);
  CHECK(*back == event);
}

TEST_CASE("all kinds have a name of their own that is read back", "[incident]") {
  std::set<std::string_view> names;
  for (auto kind = static_cast<std::size_t>(Kind::opened); kind <= static_cast<std::size_t>(Kind::clock_set); ++kind) {
    Event event = full();
    event.kind = static_cast<Kind>(kind);
    const auto back = parse_event(to_json(event));
    REQUIRE(back);
    CHECK(back->kind == event.kind);
    names.insert(kind_name(event.kind));
  }
  CHECK(names.size() == static_cast<std::size_t>(Kind::clock_set));
}

TEST_CASE("kinds and members of a later version are kept and written again", "[incident]") {
  const std::string later =
      R"({"incident":"INC-20261129-K7Q2M4XD3A","sequence":3,"at_ns":5,"author":"agent","kind":"teleported","mood":{"a":[1,null]},"to":"mars"})";
  const auto event = parse_event(later);
  REQUIRE(event);
  CHECK(event->kind == Kind::other);
  CHECK(event->kind_name == "teleported");
  CHECK(event->extra == R"({"mood":{"a":[1,null]},"to":"mars"})");
  CHECK(to_json(*event) == later);
}

TEST_CASE("what is no event is refused, and the member is named", "[incident]") {
  CHECK(message_of("{").starts_with("event: not JSON: "));
  CHECK(message_of("[]") == "event: not a JSON object");
  CHECK(message_of("{}") == "event: `incident` must be given");
  CHECK(message_of(R"({"incident":"INC-1"})") == "event: `incident` must be an id like INC-20261129-K7Q2M4XD3A");
  const std::string id = R"({"incident":"INC-20261129-K7Q2M4XD3A",)";
  CHECK(message_of(id + R"("sequence":0})") == "event: `sequence` must be a whole number from 1");
  CHECK(message_of(id + R"("sequence":1.5})") == "event: `sequence` must be a whole number from 1");
  const std::string at = id + R"("sequence":1,)";
  CHECK(message_of(at + R"("at_ns":-1})") == "event: `at_ns` must be a whole number of nanoseconds, not negative");
  CHECK(message_of(at + R"("at_ns":99999999999999999999})") == "event: `at_ns` must be a whole number of nanoseconds, not negative");
  CHECK(message_of(at + R"("at_ns":9223372036854775807})") == "event: `at_ns` must be a whole number of nanoseconds, not negative");
  const std::string head = at + R"("at_ns":1,)";
  CHECK(message_of(head + R"("author":"bob"})") ==
        "event: `author`: an author is `agent`, `contact:NAME`, `unix:NAME`, `token:NAME` or `room:NAME`");
  const std::string author = head + R"("author":"agent",)";
  CHECK(message_of(author + R"("kind":"A b"})") == "event: `kind` must be a word of small letters, digits and _");
  CHECK(message_of(author + R"("kind":"note","level":"p5"})") == "event: `level` must be p1, p2, p3 or p4");
  CHECK(message_of(author + R"("kind":"note","text":7})") == "event: `text` must be a text of at most 65536 bytes");
  CHECK(message_of(author + R"("kind":"note","forced":1})") == "event: `forced` must be true or false");
  CHECK(message_of(author + R"("kind":"note","fields":{"a":1}})") == "event: `fields` must be a text of at most 4096 bytes");
  CHECK(message_of(author + R"("kind":"note"})") == "read");
  CHECK(message_of(std::string(max_event_bytes + 1, ' ')) == "event: longer than 524288 bytes");
}

TEST_CASE("no cut of a good event and no random bytes get further than a refusal", "[incident]") {
  const std::string good = to_json(full());
  for (std::size_t i = 0; i < good.size(); ++i) CHECK_FALSE(parse_event(good.substr(0, i)));
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string bad = good;
    for (std::size_t n = random() % 4; n < 4; ++n) bad[random() % bad.size()] = static_cast<char>(random());
    const auto event = parse_event(bad);
    if (!event) continue;
    const auto again = parse_event(to_json(*event));
    REQUIRE(again);
    CHECK(*again == *event);
  }
}

TEST_CASE("whatever a text holds, an event that was bounded is read back as it is", "[incident]") {
  std::mt19937_64 random(2);
  for (int i = 0; i < 2000; ++i) {
    Event event = full();
    event.text = random_text(random, 6000);
    event.subject = random_text(random, 400);
    event.author.name = "x" + random_text(random, 400);
    event.fields = {{"summary", random_text(random, 5000)}};
    bound(event);
    CHECK(event.text.size() <= max_text_bytes);
    const auto back = parse_event(to_json(event));
    REQUIRE(back);
    CHECK(*back == event);
  }
}

TEST_CASE("a text that is too long is cut at a character and ends with dots", "[incident]") {
  Event event = full();
  event.text.clear();
  for (int i = 0; i < 3000; ++i) event.text += "ñ";
  bound(event);
  CHECK(event.text.size() <= max_text_bytes);
  CHECK(event.text.ends_with("ñ..."));
  event.kind = Kind::diagnosis;
  event.text = std::string(max_output_bytes, 'x');
  bound(event);
  CHECK(event.text.size() == max_output_bytes);
}

TEST_CASE("ids carry the UTC date, no word of the host, and do not repeat", "[incident]") {
  CHECK(make_id(1'796'000'000'000'000'000, 0) == "INC-20261130-0000000000");
  CHECK(make_id(0, 0xFFFFFFFFFFFFFFFF) == "INC-19700101-ZZZZZZZZZZ");
  CHECK(is_id("INC-20261129-K7Q2M4XD3A"));
  CHECK_FALSE(is_id("INC-20261129-K7Q2M4XDIL"));
  CHECK_FALSE(is_id("INC-20261129-K7Q2M4XD3"));
  CHECK_FALSE(is_id("inc-20261129-k7q2m4xd3a"));
  std::mt19937_64 random(3);
  std::set<std::string> ids;
  for (int i = 0; i < 100000; ++i) ids.insert(make_id(0, random()));
  CHECK(ids.size() == 100000);
}

TEST_CASE("authors are read back, and only a contact is a named person", "[incident]") {
  for (const Author& author :
       {Author{}, Author{Author::Kind::contact, "cto"}, Author{Author::Kind::unix, "a:b"}, Author{Author::Kind::token, "wall"}}) {
    const auto back = parse_author(to_text(author));
    REQUIRE(back);
    CHECK(*back == author);
    CHECK(author.is_named() == (author.kind == Author::Kind::contact));
  }
  CHECK_FALSE(parse_author("contact:"));
  CHECK_FALSE(parse_author("cto"));
}
