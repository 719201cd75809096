// SPDX-License-Identifier: Apache-2.0
// Services of the fake host where they have no business: after destroy, with a call that is over, by a thread of the plugin's own,
// from within a service's callback. It notes the rule, and is never harmed.
#include <ronda/testing.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

#include "catch.hpp"

using ronda::testing::exec_answer;
using ronda::testing::exec_request;
using ronda::testing::host;

namespace {

/// A check whose body is the test's.
struct AnyCheck : ronda::check {
  static inline std::function<void(AnyCheck&, ronda::call&)> body;
  ronda::result run(ronda::call& c) override { return body(*this, c), ronda::ok("done"); }
  using instance::kv;
};

ronda::testing::report run_any(host& h, std::function<void(AnyCheck&, ronda::call&)> body) {
  AnyCheck::body = std::move(body);
  return ronda::testing::make<AnyCheck>(h).run();
}

/// The services as C has them, of an instance that may be gone.
struct RawServices {
  explicit RawServices(const host& h) : inst(h.inst()) {}
  template <class Table>
  const Table& of(const char* id) const {
    return *static_cast<const Table*>(inst->query(inst, id));
  }
  const ronda_kv_1& kv() const { return of<ronda_kv_1>(RONDA_SERVICE_KV); }
  const ronda_emit_1& emit() const { return of<ronda_emit_1>(RONDA_SERVICE_EMIT); }
  const ronda_inbox_1& inbox() const { return of<ronda_inbox_1>(RONDA_SERVICE_INBOX); }
  const ronda_secret_1& secret() const { return of<ronda_secret_1>(RONDA_SERVICE_SECRET); }
  const ronda_config_1& config() const { return of<ronda_config_1>(RONDA_SERVICE_CONFIG); }
  std::int32_t start(const ronda_call* call) const {
    const ronda_str argv[] = {ronda::to_abi("/bin/true")};
    ronda_exec_spec spec{};
    spec.size = sizeof spec, spec.argv = argv, spec.argc = 1;
    ronda_exec_result done{};
    done.size = sizeof done;
    ronda_error why = ronda::detail::empty_error();
    return of<ronda_exec_1>(RONDA_SERVICE_EXEC).run(inst, call, &spec, &done, &why);
  }
  std::int32_t give(const ronda_call* call) const {
    ronda_result r{};
    r.size = sizeof r, r.summary = ronda::to_abi("given");
    return emit().result(inst, call, &r);
  }
  std::int32_t measure(const ronda_call* call) const {
    ronda_metric m{};
    m.size = sizeof m, m.name = ronda::to_abi("m");
    return emit().metric(inst, call, &m);
  }
  std::int32_t open(ronda_str* view) const {
    return secret().open(inst, config().member(config().root(inst), ronda::to_abi("password")), view);
  }

  const ronda_inst* inst;
};

std::int32_t count_entry(void* seen, ronda_str, ronda_str) {
  return ++*static_cast<int*>(seen), 0;
}
std::int32_t count_letter(void* seen, const ronda_inbox_event*) {
  return ++*static_cast<int*>(seen), 0;
}

}  // namespace

TEST_CASE("after destroy what belongs into a call is refused by its rule, and what was kept is as it was", "[sdk]") {
  host h;
  h.set_secret("password", "x").keep("a", "kept").send("start");
  const ronda_call* over = nullptr;
  run_any(h, [&](AnyCheck&, ronda::call& c) { over = c.raw(); });
  REQUIRE(h.broken().empty());
  const RawServices gone(h);
  const ronda_str a = ronda::to_abi("a");
  ronda_str view{nullptr, 0};
  ronda_event event{};
  event.size = sizeof event;
  int seen = 0;
  for (const std::int32_t code :
       {gone.kv().get(gone.inst, a, &view), gone.kv().put(gone.inst, a, a, 0), gone.kv().del(gone.inst, a),
        gone.kv().each(gone.inst, a, count_entry, &seen), gone.kv().commit(gone.inst), gone.measure(over), gone.give(over),
        gone.emit().event(gone.inst, over, &event), gone.emit().progress(gone.inst, over, 0.5, a), gone.start(over), gone.open(&view),
        gone.inbox().take(gone.inst, over, count_letter, &seen)})
    CHECK(code == RONDA_E_INVALID);
  std::vector<std::string> rules;
  for (const char* what : {"get", "put", "del", "each", "commit"})
    rules.push_back(ronda::text("RONDA-P-032: kv.", what, " outside a call, create or destroy"));
  for (const char* what : {"emit.metric", "emit.result", "emit.event", "emit.progress", "exec.run", "secret.open", "inbox.take"})
    rules.push_back(ronda::text("RONDA-P-033: ", what, " outside a call"));
  CHECK(h.broken() == rules);
  CHECK(seen == 0);
  CHECK(h.kept() == std::map<std::string, std::string>{{"a", "kept"}});
  CHECK(h.inbox_left() == 1);
  CHECK(h.programs().empty());
}

TEST_CASE("a call that is over is not taken for the one that runs", "[sdk]") {
  host h;
  const ronda_call over{};  // where a call was: another one may be anywhere
  run_any(h, [&](AnyCheck&, ronda::call&) {
    const RawServices raw(h);
    int seen = 0;
    CHECK(raw.measure(&over) == RONDA_E_INVALID);
    CHECK(raw.give(&over) == RONDA_E_INVALID);
    CHECK(raw.start(&over) == RONDA_E_INVALID);
    CHECK(raw.inbox().take(raw.inst, &over, count_letter, &seen) == RONDA_E_INVALID);
  });
  REQUIRE(h.broken().size() == 4);
  CHECK(h.broken()[1] == "RONDA-P-033: emit.result with a call that is over");
}

namespace {

/// What the callbacks below find out.
struct Nested {
  const RawServices& raw;
  const ronda_call* call;
  int entries = 0, again = 0, letters = 0, inner_letters = 0;
  std::vector<std::int32_t> codes = {};
};

std::int32_t letter_within(void* user, const ronda_inbox_event*) {
  auto& n = *static_cast<Nested*>(user);
  if (n.letters++ == 0) CHECK(n.raw.inbox().take(n.raw.inst, n.call, count_letter, &n.inner_letters) == RONDA_OK);
  return 0;
}

std::int32_t all_within(void* user, ronda_str key, ronda_str value) {
  auto& n = *static_cast<Nested*>(user);
  const ronda_kv_1& kv = n.raw.kv();
  if (n.entries++ > 0) return 0;
  ronda_str found{nullptr, 0}, view{nullptr, 0};
  n.codes = {kv.get(n.raw.inst, key, &found),
             kv.put(n.raw.inst, ronda::to_abi("within"), value, 0),
             kv.del(n.raw.inst, key),
             kv.each(n.raw.inst, ronda::to_abi(""), count_entry, &n.again),
             kv.commit(n.raw.inst),
             n.raw.start(n.call),
             n.raw.open(&view),
             n.raw.measure(n.call),
             n.raw.inbox().take(n.raw.inst, n.call, letter_within, user),
             n.raw.give(n.call)};
  n.raw.secret().close(n.raw.inst, view);
  CHECK(ronda::from_abi(found) == ronda::from_abi(value));
  CHECK(ronda::from_abi(value) == "1");
  return 0;
}

}  // namespace

TEST_CASE("services that are used from within the callback of another are answered as in any call", "[sdk]") {
  host h;
  h.set_secret("password", "x").keep("a", "1").keep("b", "2").send("start").send("fail");
  h.on_exec([](const exec_request&) { return exec_answer(); });
  const RawServices raw(h);
  const auto report = run_any(h, [&](AnyCheck&, ronda::call& c) {
    Nested n{raw, c.raw()};
    CHECK(raw.kv().each(raw.inst, ronda::to_abi(""), all_within, &n) == RONDA_OK);
    CHECK(n.entries == 2);
    CHECK(n.again == 2);
    CHECK(n.letters == 1);  // each event comes once, here or there
    CHECK(n.inner_letters == 1);
    CHECK(std::count(n.codes.begin(), n.codes.end(), RONDA_OK) == 10);
    CHECK(n.codes.size() == 10);
  });
  CHECK(report.summary == "given");
  CHECK(h.kept() == std::map<std::string, std::string>{{"b", "2"}, {"within", "1"}});
  CHECK(h.inbox_left() == 0);
  CHECK(h.broken() == std::vector<std::string>{"RONDA-P-031: two results in one call"});
}

TEST_CASE("a thread of the plugin's own may speak at any time: it is answered, or refused by its rule", "[sdk]") {
  host h;
  std::atomic<bool> stop{false};
  std::atomic<int> rounds{0};
  std::thread own;
  const auto speak = [&](const ronda_call* call) {
    const RawServices raw(h);
    const ronda_str a = ronda::to_abi("a");
    for (; !stop; ++rounds) {
      ronda_str found{nullptr, 0};
      int seen = 0;
      raw.kv().put(raw.inst, a, a, 0), raw.kv().get(raw.inst, a, &found), raw.kv().each(raw.inst, a, count_entry, &seen);
      raw.measure(call), raw.open(&found), raw.inbox().take(raw.inst, call, count_letter, &seen);
      raw.of<ronda_log_1>(RONDA_SERVICE_LOG).write(raw.inst, RONDA_LOG_INFO, a, nullptr, 0);
      raw.of<ronda_clock_1>(RONDA_SERVICE_CLOCK).wall_ns(raw.inst);
    }
  };
  const auto next_round = [&] {
    for (const int now = rounds; rounds < now + 2;) std::this_thread::yield();
  };
  h.set_secret("password", "x");
  run_any(h, [&](AnyCheck&, ronda::call& c) {
    own = std::thread(speak, c.raw());
    next_round();
  });
  for (int i = 0; i < 20; ++i) {
    h.send("start");
    const auto report = run_any(h, [&](AnyCheck& self, ronda::call&) {
      CHECK(self.kv().put("b", i));
      next_round();
    });
    CHECK(report.is(ronda::status::ok));
    next_round();
  }
  stop = true;
  own.join();
  CHECK(h.kept().at("b") == "19");
  for (const std::string& rule : h.broken()) {
    const std::string number = rule.substr(0, 11);
    if (number != "RONDA-P-032" && number != "RONDA-P-033" && number != "RONDA-P-043") FAIL(rule);
  }
  CHECK(h.broken().size() > 20);
}
