// SPDX-License-Identifier: Apache-2.0
#include "plugin/messages.hpp"

#include <catch.hpp>
#include <random>

using namespace ronda;
using namespace ronda::wire;

namespace {

template <class M>
std::string encoded(const M& message) {
  std::string out;
  Writer w(out);
  encode(w, message);
  return out;
}

/// There and back: the same bytes again, and no shorter text is taken for it.
template <class M>
M there_and_back(const M& message, Tag tag) {
  const std::string bytes = encoded(message);
  M back;
  Reader r(bytes);
  CHECK(read_tag(r) == tag);
  CHECK(decode(r, back));
  CHECK(r.at_end());
  CHECK(encoded(back) == bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Reader cut(std::string_view(bytes).substr(0, size));
    M ignored;
    const bool taken = read_tag(cut) == tag && decode(cut, ignored);
    CHECK_FALSE(taken);
  }
  return back;
}

Setup setup() {
  Setup m;
  m.build = "1.0.0+abc", m.plugin_id = "org.example.disk", m.exec_path = "/var/lib/x.so";
  m.pid_namespace = true, m.uid = 65534, m.gid = 65534, m.memory_bytes = 1 << 30, m.pids = 64, m.fds = 256;
  m.memory_by_group = false, m.pids_by_group = true;
  m.no_new_privs = false, m.concurrency = 16, m.grants = {"exec", "state"}, m.kinds = {wire::Kind::check, wire::Kind::notifier};
  m.facts = {{"hostname", "h"}, {"tz", ""}};
  return m;
}

Outcome outcome() {
  Outcome m;
  m.call = 1ULL << 40, m.end = End::threw, m.timed_out = true, m.status = 2, m.duration_ns = 12345678901;
  m.again_at_wall_ns = 99, m.summary = "s\xff", m.detail = std::string(70'000, 'd'), m.dropped_metrics = 3;
  m.took_inbox = true, m.worn = wire::Worn::fds, m.kv = {{"k", "v", 5, false}, {"gone", "", 0, true}};
  return m;
}

}  // namespace

TEST_CASE("every message comes back as it was sent", "[plugin]") {
  const Setup s = there_and_back(setup(), Tag::setup);
  CHECK(s.grants == setup().grants);
  CHECK(s.kinds == setup().kinds);
  CHECK(s.facts == setup().facts);
  CHECK(s.uid == 65534);
  CHECK_FALSE(s.no_new_privs);
  const Create c = there_and_back(Create{7, wire::Kind::task, "p", "n", "o"}, Tag::create);
  CHECK(c.instance == 7);
  CHECK(c.kind == wire::Kind::task);
  const Call call = there_and_back(Call{7, ~0ULL, 1ULL << 63, 3, 1, -5, true, true}, Tag::call);
  CHECK(call.id == ~0ULL);
  CHECK(call.deadline_mono_ns == 1ULL << 63);
  CHECK(call.quick);
  const Outcome o = there_and_back(outcome(), Tag::outcome);
  CHECK(o.detail == outcome().detail);
  CHECK(o.end == End::threw);
  CHECK((o.timed_out && o.took_inbox && o.worn == wire::Worn::fds));
  REQUIRE(o.kv.size() == 2);
  CHECK((o.kv[0].ttl_ns == 5 && o.kv[1].erase));
  there_and_back(Reply{1, -3, "payload"}, Tag::reply);
  there_and_back(Hello{"build", 2, "seccomp"}, Tag::hello);
  there_and_back(wire::Loaded{true, "", 3}, Tag::loaded);
  there_and_back(Created{1, false, "why"}, Tag::created);
  there_and_back(Log{1, 2, "line"}, Tag::log);
  there_and_back(Event{1, 2, "n", "t", {{"a", "b"}}}, Tag::event);
  there_and_back(Progress{1, 0.5, "w"}, Tag::progress);
  const Request q = there_and_back(Request{9, 1, Ask::calendar_next, "daily", 42, {{"k", "v", 0, false}}}, Tag::request);
  CHECK(q.ask == Ask::calendar_next);
}

TEST_CASE("a delivery is a call with its message", "[plugin]") {
  Message message;
  message.id = "i", message.to = "t", message.title = "T", message.body = "B", message.level = "p1", message.event = "open";
  message.incident = "INC", message.attempt = 3, message.fields = {{"f", "v"}};
  std::string bytes;
  Writer w(bytes);
  encode(w, Call{1, 2, 3, 4, 5, 6, false, false}, message);
  Reader r(bytes);
  Call call;
  Message back;
  CHECK(read_tag(r) == Tag::deliver);
  REQUIRE((decode(r, call) && decode(r, back)));
  CHECK(r.at_end());
  CHECK((call.id == 2 && back.incident == "INC" && back.attempt == 3 && back.fields == message.fields));
}

TEST_CASE("metrics come one after another, and a broken one is noticed", "[plugin]") {
  std::string bytes;
  Writer w(bytes);
  encode_metric(w, {"a", 1.5, false, false, "s", "1", "2", {{"l", "x"}}});
  encode_metric(w, {"b", 0, true, true, "", "", "", {}, 9'007'199'254'740'993});
  std::vector<Metric> seen;
  const auto keep = [&](Metric&& m) { seen.push_back(std::move(m)); };
  CHECK(each_metric(bytes, keep));
  REQUIRE(seen.size() == 2);
  CHECK((seen[0].labels.size() == 1 && seen[1].counter && seen[1].is_integer));
  CHECK(seen[0].value == 1.5);
  CHECK(seen[1].integer == 9'007'199'254'740'993);
  CHECK(seen[1].value == 9'007'199'254'740'992.0);  // the nearest
  CHECK_FALSE(each_metric(std::string_view(bytes).substr(0, bytes.size() - 1), keep));
}

TEST_CASE("numbers that do not fit their field are refused", "[plugin]") {
  const auto refused = [](std::int64_t tag, std::int64_t first) {
    std::string bytes;
    Writer w(bytes);
    w.integer(tag), w.integer(first), w.boolean(true), w.bytes("");
    Reader r(bytes);
    Created m;
    return !(read_tag(r) == Tag::created && decode(r, m));
  };
  const auto created = static_cast<std::int64_t>(Tag::created);
  CHECK_FALSE(refused(created, 0xffffffff));
  CHECK(refused(created, std::int64_t{1} << 32));
  CHECK(refused(created, -1));
  CHECK(refused(created + 256, 1));
  CHECK(refused(-1, 1));
}

TEST_CASE("values outside an enumeration are refused", "[plugin]") {
  std::string bytes = encoded(Outcome{});
  REQUIRE(bytes[2] == static_cast<char>(End::reported));
  bytes[2] = static_cast<char>(End::state_refused) + 1;
  Reader r(bytes);
  Outcome m;
  CHECK((read_tag(r) == Tag::outcome && !decode(r, m)));
}

TEST_CASE("any change of a message is taken or refused, never more", "[plugin]") {
  const auto seed = GENERATE(11U, 12U, 13U);
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const std::string whole = encoded(setup()) + encoded(outcome()) + encoded(Event{1, 2, "n", "t", {{"a", "b"}}});
  for (int round = 0; round < 500; ++round) {
    std::string bytes = whole;
    for (auto change = random() % 3 + 1; change > 0; --change) bytes[random() % 400] = static_cast<char>(random());
    Reader r(bytes);
    Setup s;
    Outcome o;
    Event e;
    const bool taken = read_tag(r) == Tag::setup && decode(r, s) && read_tag(r) == Tag::outcome && decode(r, o) &&
                       read_tag(r) == Tag::event && decode(r, e);
    CHECK((!taken || r.ok()));
    CHECK(s.grants.size() <= bytes.size());
    CHECK(o.kv.size() <= bytes.size());
  }
}
