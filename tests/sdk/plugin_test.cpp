// SPDX-License-Identifier: Apache-2.0
// The border itself: which kinds a plugin answers to, how an instance comes and goes, and what the host
// sees of a plugin that breaks the contract. C is spoken here on purpose.
#include <ronda/testing.hpp>

#include <cstring>
#include <thread>

#include "catch.hpp"

using namespace std::chrono_literals;
using ronda::testing::host;
using ronda::testing::make;

namespace {

int alive = 0;

struct Request : ronda::check {
  static constexpr std::string_view procedure = "http.request";
  Request() { ++alive; }
  ~Request() override { --alive; }
  ronda::result run(ronda::call&) override { return ronda::ok("request"); }
  bool migrate(std::uint32_t from, std::uint32_t to) override { return from == 1 && to == 2 && kv().put("v", to); }
};
struct Scenario : ronda::check {
  static constexpr std::string_view procedure = "http.scenario";
  ronda::result run(ronda::call&) override { return ronda::ok("scenario"); }
};
struct Rotate : ronda::task {
  ronda::task_result run(ronda::call& c) override {
    return c.dry_run() ? ronda::changed("would rotate") : ronda::unchanged("nothing to do");
  }
};
struct Mail : ronda::notifier {
  ronda::delivery deliver(ronda::call&, const ronda::message& m) override {
    if (m.to().empty()) return ronda::drop("no address");
    if (m.attempt() == 1) return ronda::retry(5s, "greylisted");
    return ronda::delivered(m.id(), " ", m.level(), " ", m.event(), " ", m.field("value"), m.field("none"), " ", m.incident(), " ",
                            m.title(), " ", m.body());
  }
};
struct Failing : ronda::check {
  Failing() { throw std::runtime_error("no such table"); }
  ronda::result run(ronda::call&) override { return ronda::ok(); }
};
struct Leaky : ronda::check {
  std::thread own;
  ~Leaky() override { own.detach(); }
  ronda::result run(ronda::call&) override;
};
std::atomic<bool> release{false};
ronda::result Leaky::run(ronda::call&) {
  own = std::thread([] {
    while (!release) std::this_thread::yield();
  });
  return ronda::ok();
}

using all_of = ronda::detail::plugin_of<Request, Scenario, Rotate, Mail>;

}  // namespace

TEST_CASE("a plugin answers to the kinds of its classes and to nothing else", "[sdk]") {
  CHECK(all_of::query(RONDA_KIND_CHECK) != nullptr);
  CHECK(all_of::query(RONDA_KIND_TASK) != nullptr);
  CHECK(all_of::query(RONDA_KIND_NOTIFIER) != nullptr);
  CHECK(ronda::detail::plugin_of<Mail>::query(RONDA_KIND_CHECK) == nullptr);
  std::string huge(1 << 20, 'x');
  for (const char* id : {"", "ronda.check/1 ", "ronda.check/2", "ronda.check", huge.c_str()}) CHECK(all_of::query(id) == nullptr);
  CHECK(all_of::query(nullptr) == nullptr);
}

TEST_CASE("the procedure's name chooses the class", "[sdk]") {
  host h;
  auto run = [&](const char* name) { return ronda::testing::subject(h, all_of::query, RONDA_KIND_CHECK, name).run().summary; };
  CHECK(run("http.request") == "request");
  CHECK(run("http.scenario") == "scenario");
  CHECK(run("http.other") == "the code has no procedure 'http.other' of this kind");
  CHECK(run("") == "the code has no procedure '' of this kind");
  CHECK(alive == 0);
}

TEST_CASE("a class without a procedure serves every name of its kind", "[sdk]") {
  host h;
  ronda::testing::subject rotate(h, all_of::query, RONDA_KIND_TASK, "log.rotate");
  CHECK(rotate.run().is(ronda::task_status::unchanged));
  ronda::testing::run_options dry;
  dry.dry_run = true;
  auto report = rotate.run(dry);
  CHECK(report.is(ronda::task_status::changed));
  CHECK(report.summary == "would rotate");
}

TEST_CASE("a notifier delivers, asks for another try, or drops", "[sdk]") {
  host h;
  auto mail = make<Mail>(h);
  ronda::testing::message_options m;
  CHECK(mail.deliver(m).is(ronda::delivery_status::drop));
  m.to = "a@example.org";
  auto report = mail.deliver(m);
  CHECK(report.is(ronda::delivery_status::retry));
  CHECK(report.again_at == h.wall() + 5s);
  m.attempt = 2;
  m.incident = "i-7";
  m.fields = {{"value", "0.93"}};
  report = mail.deliver(m);
  CHECK(report.is(ronda::delivery_status::delivered));
  CHECK(report.summary == "m-1 p1 open 0.93 i-7 title body");
  CHECK(mail.run().code == RONDA_E_NOTFOUND);
}

TEST_CASE("a constructor that throws fails create with its text", "[sdk]") {
  host h;
  auto made = make<Failing>(h);
  CHECK_FALSE(made);
  CHECK(made.error() == "no such table");
  CHECK(made.run().error == "no such table");
  CHECK_THROWS_AS(ronda::cfg<int>("x"), std::logic_error);  // the frame of create was left
}

TEST_CASE("an instance lives from create to destroy", "[sdk]") {
  host h;
  {
    auto one = make<Request>(h);
    auto two = make<Request>(h);
    CHECK(alive == 2);
    auto moved = std::move(one);
    CHECK(alive == 2);
  }
  CHECK(alive == 0);
}

TEST_CASE("state of an older version is handed to migrate, and refused without one", "[sdk]") {
  host h;
  auto request = make<Request>(h);
  CHECK(request.migrate(1, 2) == RONDA_OK);
  CHECK(h.kept() == std::map<std::string, std::string>{{"v", "2"}});
  CHECK(request.migrate(3, 2) == RONDA_E_INVALID);
  auto scenario = make<Scenario>(h);
  CHECK(scenario.migrate(1, 2) == RONDA_E_INVALID);
  CHECK(scenario.error() == "state of version 1 cannot be used by version 2");
}

TEST_CASE("an error struct smaller than ours is not written past its size", "[sdk]") {
  alignas(8) char raw[sizeof(ronda_error)];  // what an older caller has of it ends where the # begin
  std::memset(raw, '#', sizeof raw);
  auto* err = reinterpret_cast<ronda_error*>(raw);
  err->size = offsetof(ronda_error, msg) + 8;
  ronda::glue::fail(err, RONDA_E_RANGE, "a long reason");
  CHECK(std::string(err->msg) == "a long ");
  CHECK(err->code == RONDA_E_RANGE);
  CHECK(raw[offsetof(ronda_error, msg) + 8] == '#');
  std::memset(raw, '#', sizeof raw);
  for (std::uint32_t size : {0u, 4u, 8u}) {
    err->size = size;
    CHECK(ronda::glue::fail(err, RONDA_E_RANGE, "x") == RONDA_E_RANGE);
    CHECK(raw[4] == '#');
  }
  CHECK(ronda::glue::fail(nullptr, RONDA_E_RANGE, "x") == RONDA_E_RANGE);
}

TEST_CASE("a thread that outlives destroy is noted", "[sdk]") {
  host h;
  release = false;
  {
    auto leaky = make<Leaky>(h);
    leaky.run();
  }
  CHECK(h.broken() == std::vector<std::string>{"RONDA-P-043: a thread of the plugin's outlived destroy"});
  release = true;
}

TEST_CASE("no result and two results are noted by the rule", "[sdk]") {
  host h;
  const ronda_inst* inst = h.inst();
  auto* emit = static_cast<const ronda_emit_1*>(inst->query(inst, RONDA_SERVICE_EMIT));
  ronda_result r{sizeof r, 0, {"x", 1}, {nullptr, 0}, 0};
  h.enter(host::frame::call);
  CHECK_FALSE(h.leave(RONDA_OK, "").ended());
  h.enter(host::frame::call);
  CHECK(emit->result(inst, nullptr, &r) == RONDA_OK);
  CHECK(emit->result(inst, nullptr, &r) == RONDA_E_INVALID);
  const auto twice = h.leave(RONDA_E_INVALID, "");  // as the glue returns it: the first stands all the same
  CHECK(twice.results == 2);
  CHECK(twice.ended());
  r.status = 9;
  h.enter(host::frame::call);
  CHECK(emit->result(inst, nullptr, &r) == RONDA_E_INVALID);
  CHECK_FALSE(h.leave(RONDA_OK, "").ended());
  CHECK(emit->result(inst, nullptr, &r) == RONDA_E_INVALID);
  CHECK(h.broken() == std::vector<std::string>{"RONDA-P-030: a call returned without a result", "RONDA-P-031: two results in one call",
                                               "RONDA-P-034: no such status", "RONDA-P-033: emit.result outside a call"});
}

TEST_CASE("a plugin file is tested like a class", "[sdk]") {
  ronda::testing::library file(RONDA_TINY_PLUGIN);
  host h;
  h.set("path", "/").set("warn_at", 1.5).set("crit_at", 2.0);
  auto disk = file.create(h, RONDA_KIND_CHECK, "tiny");
  REQUIRE(disk);
  auto report = disk.run();
  CHECK(report.is(ronda::status::ok));
  CHECK(report.find("used") != nullptr);
  CHECK(file.create(h, RONDA_KIND_TASK, "tiny").error() == "the plugin has no kind ronda.task/1");
  h.set("path", "/no/such");
  CHECK(file.create(h, RONDA_KIND_CHECK, "tiny").run().summary == "statvfs /no/such: No such file or directory");
  h.set("path", 3);
  CHECK(file.create(h, RONDA_KIND_CHECK, "tiny").error() == "config key 'path' is an integer, not a string");
  CHECK(h.broken().empty());
}

TEST_CASE("a file that is no plugin is refused with its reason", "[sdk]") {
  CHECK_THROWS_WITH(ronda::testing::library("/no/such.so"), Catch::Contains("cannot open shared object file"));
  CHECK_THROWS_WITH(ronda::testing::library("libm.so.6"), "libm.so.6: does not export ronda_plugin_entry_1");
}

TEST_CASE("an entry called by an older host refuses", "[sdk]") {
  ronda_error err = ronda::detail::empty_error();
  CHECK(all_of::entry(nullptr, &err) == nullptr);
  CHECK(std::string(err.msg) == "the host is older than this plugin needs");
  static_assert(RONDA_TARGET_MINOR <= RONDA_ABI_MINOR);
}

namespace {

struct First : ronda::check {
  static inline int destroyed = 0;
  ~First() override { ++destroyed; }
  ronda::result run(ronda::call&) override { return ronda::ok("first"); }
};

struct Second : ronda::task {
  static inline int destroyed = 0;
  std::string text = "second, and longer than a string keeps in itself";
  ~Second() override { ++destroyed; }
  ronda::task_result run(ronda::call&) override { return ronda::changed(text); }
};

}  // namespace

TEST_CASE("a subject that is assigned to destroys what it held by its own table", "[sdk]") {
  host h;
  {
    auto held = make<First>(h, "first");
    held = make<Second>(h, "second");
    CHECK(First::destroyed == 1);
    CHECK(Second::destroyed == 0);
    CHECK(held.run().summary == "second, and longer than a string keeps in itself");
  }
  CHECK(First::destroyed == 1);
  CHECK(Second::destroyed == 1);
}
