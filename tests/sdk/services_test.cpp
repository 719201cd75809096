// SPDX-License-Identifier: Apache-2.0
// Every service as the C++ glue offers it, and what each answers when it was not granted.
#include <ronda/testing.hpp>

#include <cmath>

#include "catch.hpp"

using namespace std::chrono_literals;
using ronda::testing::exec_answer;
using ronda::testing::exec_request;
using ronda::testing::host;
using ronda::testing::make;

namespace {

/// A check whose body is the test's and whose services are open to it.
struct Open : ronda::check {
  static inline std::function<void(Open&, ronda::call&)> body;
  ronda::result run(ronda::call& c) override { return body(*this, c), ronda::ok(); }
  using instance::calendar, instance::clock, instance::config, instance::exec, instance::facts,
      instance::inbox, instance::kv, instance::log, instance::secret;
};

ronda::testing::report run(host& h, std::function<void(Open&, ronda::call&)> body) {
  Open::body = std::move(body);
  return make<Open>(h).run();
}

}  // namespace

TEST_CASE("log carries level and fields, and drops what is below the level", "[sdk]") {
  host h;
  h.set_log_level(RONDA_LOG_INFO);
  run(h, [](Open& self, ronda::call&) {
    self.log().debug("not seen");
    self.log().info("took ", 20ms);
    self.log().write(RONDA_LOG_ERROR, "refused", {{"host", "db1"}});
  });
  REQUIRE(h.logs().size() == 2);
  CHECK(h.logs()[0].text == "took 20ms");
  CHECK(h.logs()[1].level == RONDA_LOG_ERROR);
  CHECK(h.logs()[1].fields == ronda::testing::fields{{"host", "db1"}});
}

TEST_CASE("kv keeps text and numbers in the order of their keys", "[sdk]") {
  host h;
  h.keep("old", "1");
  run(h, [](Open& self, ronda::call&) {
    CHECK(*self.kv().get("old") == "1");
    CHECK(self.kv().put("pos/a", 41));
    CHECK(self.kv().put("pos/b", 2.5));
    CHECK(self.kv().put("name", "x"));
    CHECK(*self.kv().get_i64("pos/a") == 41);
    CHECK(*self.kv().get_f64("pos/b") == 2.5);
    CHECK(self.kv().get_i64("name").not_found());
    CHECK(self.kv().get("nothing").not_found());
    CHECK(self.kv().get("nothing").value_or("other") == "other");
    CHECK(self.kv().del("old"));
    CHECK(*self.kv().all("pos/") == std::map<std::string, std::string>{{"pos/a", "41"}, {"pos/b", "2.5"}});
    CHECK(self.kv().all()->size() == 3);
  });
  CHECK(h.kept() == std::map<std::string, std::string>{{"name", "x"}, {"pos/a", "41"}, {"pos/b", "2.5"}});
}

TEST_CASE("what a failed call wrote is not kept, but for what it committed", "[sdk]") {
  host h;
  run(h, [](Open& self, ronda::call&) {
    self.kv().put("a", "1");
    CHECK(self.kv().commit());
    self.kv().put("b", "2");
    throw std::runtime_error("after the writes");
  });
  CHECK(h.kept() == std::map<std::string, std::string>{{"a", "1"}});
}

namespace {

/// Writes when it is created, and fails in its first call.
struct Early : ronda::check {
  Early() {
    kv().put("early", "1");
    if (throws_in_create) throw std::runtime_error("not today");
  }
  ronda::result run(ronda::call&) override {
    if (fails) throw std::runtime_error("not yet");
    return ronda::ok("");
  }
  static inline bool throws_in_create = false, fails = false;
};

}  // namespace

TEST_CASE("what create wrote counts with the first call, as in a runner", "[sdk]") {
  host h;
  Early::throws_in_create = true;
  CHECK_FALSE(ronda::testing::make<Early>(h));
  CHECK(h.kept().empty());
  Early::throws_in_create = false;
  {
    auto early = ronda::testing::make<Early>(h);
    CHECK(h.kept().empty());
    Early::fails = true;
    early.run();
    CHECK(h.kept().empty());
    Early::fails = false;
    early.run();
    CHECK(h.kept().empty());  // it was written for the call that failed
  }
  auto early = ronda::testing::make<Early>(h);
  early.run();
  CHECK(h.kept() == std::map<std::string, std::string>{{"early", "1"}});
}

TEST_CASE("kv refuses what is over its quota, and forgets what is past its time", "[sdk]") {
  host h;
  run(h, [&](Open& self, ronda::call& c) {
    CHECK(self.kv().put(std::string(257, 'k'), "x").code() == RONDA_E_RANGE);
    CHECK(self.kv().put("k", std::string((64 << 10) + 1, 'x')).code() == RONDA_E_RANGE);
    CHECK(self.kv().put("", "x").code() == RONDA_E_INVALID);
    int stored = 0;
    while (self.kv().put(ronda::text("n", stored), std::string(60000, 'x'))) {
      CHECK(self.kv().commit());
      ++stored;
    }
    CHECK(stored == 17);  // 1 MiB
    for (int i = 0; i < stored; ++i) self.kv().del(ronda::text("n", i));
    CHECK(self.kv().put("brief", "x", 5s));
    self.clock().sleep(c, 4s);
    CHECK(self.kv().get("brief"));
    self.clock().sleep(c, 1s);
    CHECK(self.kv().get("brief").not_found());
  });
}

TEST_CASE("a secret is seen through a view that closes itself", "[sdk]") {
  host h;
  h.set_secret("password", "s3cr3t");
  run(h, [&](Open& self, ronda::call&) {
    {
      auto password = self.secret("password");
      REQUIRE(password);
      CHECK(password.view() == "s3cr3t");
      CHECK(h.secrets_open() == 1);
      auto moved = std::move(password);
      CHECK(moved.view() == "s3cr3t");
      auto again = self.secret(self.config()["password"]);
      CHECK(h.secrets_open() == 2);
    }
    CHECK(h.secrets_open() == 0);
    auto none = self.secret("nothing");
    CHECK_FALSE(none);
    CHECK(none.code() == RONDA_E_NOTFOUND);
    CHECK(none.view().empty());
  });
  CHECK(h.broken().empty());
}

TEST_CASE("exec hands over the whole request and gives back the whole answer", "[sdk]") {
  host h;
  h.on_exec([](const exec_request& r) {
    exec_answer a;
    a.exit_code = 2;
    a.out = "DISK CRITICAL";
    a.err = r.input;
    a.out_total = 9999;
    a.duration = 30ms;
    return a;
  });
  run(h, [](Open& self, ronda::call& c) {
    ronda::exec_options how;
    how.env = {{"A", "b"}};
    how.dir = "/tmp";
    how.input = "typed";
    how.output_limit = 100;
    how.clear_env = how.merge_err = true;
    auto r = self.exec().run(c, {"/usr/lib/nagios/plugins/check_disk", "-w", "10 %"}, how);
    REQUIRE(r);
    CHECK(r->exit_code == 2);
    CHECK(r->out == "DISK CRITICAL");
    CHECK(r->err == "typed");
    CHECK(r->out_total == 9999);
    CHECK(r->duration == 30ms);
    CHECK_FALSE(r->timed_out);
  });
  REQUIRE(h.programs().size() == 1);
  const exec_request& asked = h.programs()[0];
  CHECK(asked.argv == std::vector<std::string>{"/usr/lib/nagios/plugins/check_disk", "-w", "10 %"});
  CHECK(asked.env == ronda::testing::fields{{"A", "b"}});
  CHECK(asked.dir == "/tmp");
  CHECK(asked.clear_env);
  CHECK(asked.merge_err);
  CHECK(asked.output_limit == 100);
  CHECK(asked.timeout == 10s);
}

TEST_CASE("exec says why a program was not started", "[sdk]") {
  host h;
  run(h, [](Open& self, ronda::call& c) {
    auto r = self.exec().run(c, {"/bin/true"});
    CHECK(r.code() == RONDA_E_NOTFOUND);
    CHECK(r.error() == "the test says nothing about this program: host.on_exec()");
  });
  h.run_programs();
  run(h, [](Open& self, ronda::call& c) {
    CHECK(self.exec().run(c, {"/no/such"}).error() == "/no/such: No such file or directory");
    CHECK(self.exec().run(c, {"true"}).error() == "argv[0] is no absolute path");
  });
}

TEST_CASE("a test may run real programs, bounded like the agent's", "[sdk]") {
  host h;
  h.run_programs();
  run(h, [](Open& self, ronda::call& c) {
    ronda::exec_options how;
    how.input = "hello";
    auto cat = self.exec().run(c, {"/bin/cat"}, how);
    REQUIRE(cat);
    CHECK(cat->out == "hello");
    CHECK(cat->exit_code == 0);

    how = {};
    how.output_limit = 10;
    auto loud = self.exec().run(
        c, {"/bin/sh", "-c", "i=0; while [ $i -lt 100 ]; do echo 0123456789; i=$((i+1)); done; exit 3"}, how);
    CHECK(loud->out == "0123456789");
    CHECK(loud->out_total == 1100);
    CHECK(loud->exit_code == 3);

    how = {};
    how.env = {{"NAME", "v"}};
    how.clear_env = true;
    CHECK(self.exec().run(c, {"/usr/bin/env"}, how)->out == "NAME=v\n");

    how = {};
    how.merge_err = true;
    CHECK(self.exec().run(c, {"/bin/sh", "-c", "echo a; echo b >&2"}, how)->out == "a\nb\n");
    CHECK(self.exec().run(c, {"/bin/sh", "-c", "kill -9 $$"})->signal == 9);

    how = {};
    how.deadline_mono_ns = c.deadline_mono_ns() - 9900000000u;  // 100 ms from now
    auto slow = self.exec().run(c, {"/bin/sh", "-c", "sleep 60 & sleep 60"}, how);
    CHECK(slow->timed_out);
    CHECK(slow->exit_code == -1);
    CHECK(slow->duration < 5s);
  });
}

TEST_CASE("inbox gives events in order and again when the call fails", "[sdk]") {
  host h;
  h.send("start").send("fail", "tail of the output", 7);
  run(h, [](Open& self, ronda::call& c) {
    CHECK(self.inbox().take(c)->size() == 2);
    throw std::runtime_error("lost");
  });
  CHECK(h.inbox_left() == 2);
  run(h, [&](Open& self, ronda::call& c) {
    auto events = self.inbox().take(c);
    REQUIRE(events->size() == 2);
    CHECK((*events)[0].event == "start");
    CHECK((*events)[1].event == "fail");
    CHECK((*events)[1].code == 7);
    CHECK((*events)[1].text == "tail of the output");
    CHECK((*events)[1].at == h.wall());
    CHECK(self.inbox().take(c)->empty());
  });
  CHECK(h.inbox_left() == 0);
}

TEST_CASE("calendar asks the host for the instants around another", "[sdk]") {
  host h;
  h.on_calendar(
      [](std::string_view expression, ronda::wall_time at, bool next) -> std::optional<ronda::wall_time> {
        if (expression != "daily") return std::nullopt;
        return at + (next ? 1h : -1h);
      });
  run(h, [&](Open& self, ronda::call&) {
    auto now = self.clock().wall();
    CHECK(*self.calendar().next("daily", now) == now + 1h);
    CHECK(*self.calendar().previous("daily", now) == now - 1h);
    CHECK(self.calendar().next("never", now).not_found());
  });
}

TEST_CASE("the clock moves only when told to, and a sleep ends on cancel", "[sdk]") {
  host h;
  h.set_wall(ronda::wall_time(100s));
  run(h, [&](Open& self, ronda::call& c) {
    auto mono = self.clock().mono();
    CHECK(self.clock().wall().time_since_epoch() == 100s);
    CHECK(self.clock().sleep(c, 3s));
    CHECK(self.clock().wall().time_since_epoch() == 103s);
    CHECK(self.clock().mono() == mono + 3s);
    CHECK(c.remaining() == 7s);
    h.cancel();
    CHECK(self.clock().sleep(c, 3s).code() == RONDA_E_TIMEOUT);
    CHECK(self.clock().wall().time_since_epoch() == 103s);
  });
  CHECK(h.slept() == 3s);
}

TEST_CASE("facts are text by name", "[sdk]") {
  host h;
  h.set_fact("hostname", "db1").set_fact("tag.role", "primary");
  run(h, [](Open& self, ronda::call&) {
    CHECK(*self.facts().get("hostname") == "db1");
    CHECK(*self.facts().get("tag.role") == "primary");
    CHECK(self.facts().get("tag.none").not_found());
  });
}

TEST_CASE("a service that was not granted answers DENIED and never crashes", "[sdk]") {
  host h;
  h.set_secret("password", "x");
  for (const char* id :
       {RONDA_SERVICE_LOG, RONDA_SERVICE_KV, RONDA_SERVICE_SECRET, RONDA_SERVICE_EXEC, RONDA_SERVICE_INBOX,
        RONDA_SERVICE_CALENDAR, RONDA_SERVICE_CLOCK, RONDA_SERVICE_FACTS})
    h.deny(id);
  auto report = run(h, [](Open& self, ronda::call& c) {
    self.log().error("nowhere");
    CHECK_FALSE(self.kv().granted());
    CHECK(self.kv().get("a").denied());
    CHECK(self.kv().get_i64("a").denied());
    CHECK(self.kv().get_f64("a").denied());
    CHECK(self.kv().put("a", "b").denied());
    CHECK(self.kv().put("a", 1).error() == "not granted: the manifest's `needs` must name it");
    CHECK(self.kv().del("a").denied());
    CHECK(self.kv().all().denied());
    CHECK(self.kv().commit().denied());
    CHECK(self.secret("password").code() == RONDA_E_DENIED);
    CHECK(self.exec().run(c, {"/bin/true"}).denied());
    CHECK(self.inbox().take(c).denied());
    CHECK(self.calendar().next("daily", {}).denied());
    CHECK(self.calendar().previous("daily", {}).denied());
    CHECK(self.clock().wall().time_since_epoch() == 0s);
    CHECK(self.clock().mono() == 0s);
    CHECK(self.clock().sleep(c, 1s).denied());
    CHECK(self.facts().get("hostname").denied());
    CHECK_THROWS_WITH(self.inbox().take(c).value(), "not granted: the manifest's `needs` must name it");
  });
  CHECK(report.is(ronda::status::ok));
}

TEST_CASE("what is used outside its frame is refused and noted by its rule", "[sdk]") {
  host h;
  h.set_secret("password", "x");
  auto made = make<Open>(h);
  auto& self = made.as<Open>();
  CHECK(self.kv().put("a", "b").code() == RONDA_E_INVALID);
  CHECK(self.secret("password").code() == RONDA_E_INVALID);
  CHECK(h.broken() == std::vector<std::string>{"RONDA-P-032: kv.put outside a call, create or destroy",
                                               "RONDA-P-033: secret.open outside a call"});
}

namespace {

struct LastWords : ronda::check {
  ronda::result run(ronda::call&) override { return kv().put("kept", "1"), ronda::ok(); }
  ~LastWords() override {
    code = kv().put("kept", "2").code();
    read = kv().get("kept").value_or("");
  }
  static inline std::int32_t code = 0;
  static inline std::string read;
};

}  // namespace

TEST_CASE("state is not written in destroy, only read", "[sdk]") {
  host h;
  {
    auto made = make<LastWords>(h);
    made.run();
  }
  CHECK(LastWords::code == RONDA_E_INVALID);
  CHECK(LastWords::read == "1");
  CHECK(h.kept() == std::map<std::string, std::string>{{"kept", "1"}});
  CHECK(h.broken() == std::vector<std::string>{"RONDA-P-038: kv.put in destroy"});
}

TEST_CASE("what is written between commits has a limit, and of one key the last write counts", "[sdk]") {
  host h;
  run(h, [](Open& self, ronda::call&) {
    const std::string value(60'000, 'v');
    for (const char* key : {"a", "b", "c", "d", "a", "b"}) CHECK(self.kv().put(key, value));
    CHECK(self.kv().put("e", value).code() == RONDA_E_RANGE);
    CHECK(self.kv().commit());
    CHECK(self.kv().put("e", value));
  });
  CHECK(h.kept().size() == 5);
}

TEST_CASE("a number that was put is the number that is got", "[sdk]") {
  std::uint64_t state = 1;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const double mantissa = 1.0 + static_cast<double>(state >> 11) / 9007199254740992.0;
    const double number = std::ldexp(mantissa, static_cast<int>(state % 600) - 300);
    if (ronda::detail::parse_number(ronda::detail::exact(number)) != number) FAIL(number);
  }
  CHECK(ronda::detail::parse_number("+.5") == 0.5);
  CHECK(ronda::detail::parse_number("5.") == 5.0);
  for (const char* wrong : {"", ".", "inf", "nan", "1e5", "1 ", "0x1"}) CHECK_FALSE(ronda::detail::parse_number(wrong));
}
