// SPDX-License-Identifier: Apache-2.0
// A run from inside: metrics, events, progress, time, cancellation, and how it ends.
#include "catch.hpp"
// the matchers need Catch2 before them
#include <ronda/testing_catch.hpp>

#include <atomic>
#include <thread>

using namespace std::chrono_literals;
using ronda::status;
using ronda::testing::Ended;
using ronda::testing::HasMetric;
using ronda::testing::host;
using ronda::testing::make;

namespace {

/// A check whose body is the test's.
struct Scripted : ronda::check {
  static inline std::function<ronda::result(Scripted&, ronda::call&)> body;
  static inline std::atomic<int> cancels{0};
  ronda::result run(ronda::call& c) override { return body(*this, c); }
  void cancel() noexcept override { ++cancels; }
  using instance::clock;
};

ronda::testing::report run(std::function<ronda::result(ronda::call&)> body,
                           const ronda::testing::run_options& how = {}) {
  host h;
  Scripted::body = [&](Scripted&, ronda::call& c) { return body(c); };
  auto made = make<Scripted>(h);
  auto report = made.run(how);
  CHECK(h.broken() == std::vector<std::string>{});
  return report;
}

}  // namespace

TEST_CASE("a metric keeps its type, unit, thresholds and labels", "[sdk]") {
  auto report = run([](ronda::call& c) {
    c.metric("used", 0.83, ronda::ratio, 0.8, 0.95, {{"mount", "/"}});
    c.metric("free", std::uint64_t(1) << 40, ronda::bytes, 100, 50);
    c.metric("requests", 7, ronda::counter);
    c.metric("sent", 7, ronda::bytes.counted());
    c.metric("took", 20ms, 1.0);
    c.metric("state", 2, ronda::none, *ronda::range::parse("@2:3"), std::nullopt);
    return ronda::ok();
  });
  CHECK_THAT(report, HasMetric("used", 0.83, {{"mount", "/"}}));
  CHECK(report.find("used")->unit == "ratio");
  CHECK_FALSE(report.find("used")->integer);
  CHECK(report.find("used")->warn == "~:0.8");
  CHECK(report.find("used")->crit == "~:0.95");
  CHECK(report.find("free")->integer);
  CHECK(report.find("free")->warn == "100:");
  CHECK(report.find("free")->crit == "50:");
  CHECK(report.find("requests")->counter);
  CHECK(report.find("requests")->unit == "c");
  CHECK(report.find("sent")->counter);
  CHECK(report.find("sent")->unit == "B");
  CHECK_THAT(report, HasMetric("took", 0.02));
  CHECK(report.find("took")->unit == "s");
  CHECK(report.find("state")->warn == "@2:3");
  CHECK(report.find("state")->crit == "");
  CHECK(report.find("nothing") == nullptr);
}

namespace {

ronda::labels labels_of_a_frame_that_is_gone() {
  return {{"mount", "/"}, {"type", "ext4"}};
}
/// Writes over what a returned function left on the stack.
int write_over_the_stack() {
  volatile char bytes[4096];
  for (volatile char& b : bytes) b = 'x';
  return bytes[0];
}

}  // namespace

TEST_CASE("labels can be kept", "[sdk]") {
  auto report = run([](ronda::call& c) {
    ronda::labels kept = labels_of_a_frame_that_is_gone();
    write_over_the_stack();
    ronda::labels copy = kept;
    kept = {};
    c.metric("used", 0.5, ronda::ratio, {}, {}, copy);
    c.event("mounted", "it is there", copy);
    c.metric("free", 1, ronda::bytes, {}, {}, kept);
    return ronda::ok();
  });
  ronda::testing::fields both{{"mount", "/"}, {"type", "ext4"}};
  CHECK(report.find("used")->labels == both);
  CHECK(report.events.at(0).fields == both);
  CHECK(report.find("free")->labels.empty());
}

TEST_CASE("a text that dies with its expression is refused by the compiler where it would be kept", "[sdk]") {
  using ronda::borrowed;
  using ronda::label;
  static_assert(!std::is_constructible_v<label, const char*, std::string>);
  static_assert(!std::is_constructible_v<label, std::string, const char*>);
  static_assert(!std::is_constructible_v<label, const char*, const std::string>);
  static_assert(std::is_constructible_v<label, const char*, std::string&>);
  static_assert(std::is_constructible_v<label, std::string_view, const std::string&>);
  static_assert(!std::is_assignable_v<decltype(ronda::exec_options::input)&, std::string>);
  static_assert(!std::is_assignable_v<decltype(ronda::exec_options::dir)&, std::string>);
  static_assert(std::is_assignable_v<borrowed&, std::string&> &&
                std::is_assignable_v<borrowed&, const char*>);
  std::string owned = "text";
  CHECK(borrowed(owned).data() == owned.data());
  CHECK(borrowed("text") == owned);
  CHECK(borrowed().empty());
}

TEST_CASE("events and progress arrive as given", "[sdk]") {
  auto report = run([](ronda::call& c) {
    c.progress(0.25, "table ", 1, " of ", 4);
    c.event("rotated", "the log was rotated", {{"file", "x"}}, RONDA_LOG_WARNING);
    return ronda::ok("fine").with_detail("more\nlines").at(ronda::wall_time(9s));
  });
  REQUIRE(report.progress.size() == 1);
  CHECK(report.progress[0].share == 0.25);
  CHECK(report.progress[0].what == "table 1 of 4");
  REQUIRE(report.events.size() == 1);
  CHECK(report.events[0].name == "rotated");
  CHECK(report.events[0].level == RONDA_LOG_WARNING);
  CHECK(report.events[0].fields == ronda::testing::fields{{"file", "x"}});
  CHECK(report.detail == "more\nlines");
  CHECK(report.again_at.time_since_epoch() == 9s);
}

TEST_CASE("a call knows why, for when and until when it runs", "[sdk]") {
  ronda::testing::run_options how;
  how.reason = ronda::reason::catch_up;
  how.scheduled = ronda::wall_time(3s);
  how.deadline = 2500us;
  how.dry_run = true;
  auto report = run(
      [](ronda::call& c) {
        CHECK(c.reason() == ronda::reason::catch_up);
        CHECK(c.scheduled().value().time_since_epoch() == 3s);
        CHECK(c.remaining() == 2500us);
        CHECK(c.remaining_ms() == 3);
        CHECK(c.remaining_ms(1) == 1);
        CHECK(c.deadline_mono_ns() == 3600000000000u + 2500000u);
        CHECK(c.dry_run());
        CHECK(c.id() == 1);
        CHECK_FALSE(c.cancelled());
        return ronda::ok();
      },
      how);
  CHECK_THAT(report, Ended(status::ok));
  run([](ronda::call& c) {
    CHECK_FALSE(c.scheduled());
    CHECK_FALSE(c.dry_run());
    return ronda::ok();
  });
}

TEST_CASE("again() is counted from the end of the run by the host's clock", "[sdk]") {
  host h;
  Scripted::body = [](Scripted& self, ronda::call& c) {
    self.clock().sleep(c, 10s);
    return ronda::warning("look again").again(30s);
  };
  auto made = make<Scripted>(h);
  auto start = h.wall();
  CHECK(made.run().again_at == start + 40s);
}

TEST_CASE("cancel from another thread wakes a run that polls its descriptor", "[sdk]") {
  host h;
  std::atomic<bool> inside{false};
  Scripted::cancels = 0;
  Scripted::body = [&](Scripted&, ronda::call& c) {
    inside = true;
    pollfd watched{c.cancel_fd(), POLLIN, 0};
    int woken = ::poll(&watched, 1, 20000);
    return woken == 1 && c.cancelled() ? ronda::unknown("cancelled") : ronda::critical("not woken");
  };
  auto made = make<Scripted>(h);
  std::thread other([&] {
    while (!inside) std::this_thread::yield();
    made.cancel();
  });
  auto report = made.run();
  other.join();
  CHECK_THAT(report, Ended(status::unknown, "cancelled"));
  CHECK(Scripted::cancels == 1);
  Scripted::body = [](Scripted&, ronda::call& c) {
    return c.cancelled() ? ronda::critical() : ronda::ok("calm");
  };
  CHECK_THAT(made.run(), Ended(status::ok, "calm"));
}

TEST_CASE("what a run throws becomes its error, and the next run works", "[sdk]") {
  host h;
  auto made = make<Scripted>(h);
  Scripted::body = [](Scripted&, ronda::call&) -> ronda::result {
    throw std::runtime_error("the disk is on fire");
  };
  auto report = made.run();
  CHECK(report.code == RONDA_E_INTERNAL);
  CHECK(report.summary == "the disk is on fire");
  CHECK(report.status == RONDA_STATUS_UNKNOWN);
  CHECK_FALSE(report.ended());
  Scripted::body = [](Scripted&, ronda::call&) -> ronda::result { throw 42; };
  CHECK(made.run().error == "an exception that is not a std::exception");
  Scripted::body = [](Scripted&, ronda::call&) -> ronda::result {
    throw std::runtime_error(std::string(9000, 'x'));
  };
  CHECK(made.run().error.size() == 503);
  Scripted::body = [](Scripted&, ronda::call&) { return ronda::ok(); };
  CHECK_THAT(made.run(), Ended(status::ok));
}

TEST_CASE("without emit a run fails with a reason, and metrics go nowhere", "[sdk]") {
  host h;
  h.deny(RONDA_SERVICE_EMIT);
  Scripted::body = [](Scripted&, ronda::call& c) {
    c.metric("x", 1);
    c.event("x", "y");
    c.progress(1);
    return ronda::ok();
  };
  auto made = make<Scripted>(h);
  auto report = made.run();
  CHECK(report.code == RONDA_E_DENIED);
  CHECK(report.error == "the host has no ronda.emit/1");
}

TEST_CASE("of a call's metrics as many are kept as by a runner, and the rest is counted", "[sdk]") {
  const auto many = run([](ronda::call& c) {
    for (int i = 0; i < 1003; ++i) c.metric("m", i);
    return ronda::ok("many");
  });
  CHECK(many.metrics.size() == ronda::most_metrics);
  CHECK(many.metrics.back().value == 999);
  CHECK(many.dropped_metrics == 3);
  const auto large = run([](ronda::call& c) {
    const std::string text(250, 'x');
    for (int i = 0; i < 900; ++i) c.metric("m", i, ronda::none, {}, {}, {{"a", text}, {"b", text}});
    return ronda::ok("large");
  });
  CHECK(large.metrics.size() > 450);
  CHECK(large.metrics.size() < 520);
  CHECK(large.metrics.size() + large.dropped_metrics == 900);
  CHECK(run([](ronda::call&) { return ronda::ok("none"); }).dropped_metrics == 0);
}

TEST_CASE("metrics may come from threads of the plugin's own", "[sdk]") {
  auto report = run([](ronda::call& c) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&c, t] {
        for (int i = 0; i < 100; ++i) c.metric(ronda::text("m", t), i);
      });
    for (auto& t : threads) t.join();
    return ronda::ok();
  });
  CHECK(report.metrics.size() == 400);
}
