// SPDX-License-Identifier: Apache-2.0
#include "scheduled.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <catch.hpp>
#include <chrono>
#include <thread>

#include "base/clock.hpp"
#include "plugin/encode_options.hpp"
#include "plugin/runner_process.hpp"

namespace ronda::test {
namespace {

constexpr std::int64_t nobody = 65534;

store::Options store_options(Scheduled& bench, const std::string& vfs) {
  store::Options options;
  options.directory = bench.scratch / "state";
  options.post = [&bench](std::function<void()> work) {
    boost::asio::post(bench.loop, [&bench, work = std::move(work)] {
      if (bench.hold_answers)
        bench.held.push_back(work);
      else
        work();
    });
  };
  options.wall_ns = [] { return wall_clock().count(); };
  options.mono_ns = [] { return monotonic().count(); };
  options.ballast_bytes = 0;
  options.retry_after = std::chrono::milliseconds(100);
  options.vfs = vfs;
  return options;
}

}  // namespace

Scheduled::Scheduled(const std::string& vfs) {
  ::chmod(scratch.path().c_str(), 0755);
  std::filesystem::create_directories(scratch / "state");
  std::filesystem::permissions(scratch / "state", std::filesystem::perms(0700));
  auto opened = store::Store::open(store_options(*this, vfs));
  REQUIRE(opened);
  store_ = std::move(*opened);
}

Scheduled::~Scheduled() {
  kill();
  store_->close();
  loop.poll();
}

void Scheduled::kill() {
  if (scheduler_ == nullptr) return;
  scheduler_->kill_all();
  const auto limit = monotonic() + 10s;
  const auto runs = [&] { return std::ranges::any_of(scheduler_->plugins(), [](const auto& hosted) { return !hosted.runners.empty(); }); };
  while (runs() && monotonic() < limit) turn_for(5ms);
  turn_for(1ms);  // what it has posted to itself
  // what it has asked the store would be answered to nobody: the store answers in the order of the questions
  const auto is_answered = std::make_shared<bool>(false);
  store_->load_calendars([is_answered](const auto&) { *is_answered = true; });
  if (!hold_answers) until([&] { return *is_answered; }, 10s);
  scheduler_.reset();
}

std::unique_ptr<plugin::Supervisor> Scheduled::make_supervisor(const schedule::PluginRef& of, plugin::SupervisorClient& client) const {
  plugin::RunnerSpec spec;
  spec.runner_path = RONDA_RUNNER;
  spec.plugin_id = of.id;
  spec.sha256 = of.sha256;
  spec.plugin_fd = std::make_shared<const Descriptor>(::open(object.c_str(), O_RDONLY | O_CLOEXEC));
  spec.pid_namespace = plugin::can_use_pid_namespace();
  wire::Setup& setup = spec.setup;
  setup.build = RONDA_BUILD;
  setup.plugin_id = of.id;
  setup.exec_path = object;
  setup.concurrency = of.concurrency;
  setup.grants = {"state", "secrets", "exec", "inbox", "threads"};
  setup.kinds = {wire::Kind::check};
  if (of.id == "org.ronda.chaos") setup.kinds.insert(setup.kinds.end(), {wire::Kind::task, wire::Kind::notifier});
  if (::geteuid() == 0) setup.uid = setup.gid = nobody;
  return std::make_unique<plugin::Supervisor>(const_cast<boost::asio::io_context&>(loop), std::move(spec), client);
}

schedule::Prepared Scheduled::prepare(const Configured& configured) {
  const auto text = [](const std::string& value) { return plugin::OptionNode(plugin::OptionNode::Data(value)); };
  schedule::Prepared out;
  out.kind = configured.kind;
  out.name = configured.name;
  out.procedure = std::make_shared<schedule::ProcedureRef>(schedule::ProcedureRef{
      "chaos." + std::string(config::kind_name(configured.kind)), configured.kind, std::make_shared<schedule::PluginRef>(plugin), {}});
  out.options = plugin::encode_options(plugin::OptionNode(
      plugin::OptionTable{{"mode", text(configured.mode)}, {"n", plugin::OptionNode(plugin::OptionNode::Data(configured.n))}}));
  out.timeout = configured.timeout;
  out.when.every = configured.every;
  if (!configured.at.empty()) {
    auto calendar = schedule::parse_calendar(configured.at, zones, *zones.find("UTC"));
    REQUIRE(calendar);
    out.when.calendar = std::make_shared<const schedule::Calendar>(std::move(*calendar));
  }
  if (!configured.after.empty()) out.after = std::make_unique<const std::vector<std::string>>(configured.after);
  out.rare = std::make_unique<config::Rare>(configured.rare);
  if (!configured.limits.warn.empty()) out.limits = std::make_unique<config::Judgement>(configured.limits);
  out.hash = siphash128(plugin.sha256 + "/" + out.options.str() + "/" + configured.at + "/" + std::to_string(configured.every.count()));
  return out;
}

std::vector<schedule::Prepared> Scheduled::prepare(std::vector<Configured>& set) {
  std::vector<schedule::Prepared> out;
  for (const Configured& one : set) out.push_back(prepare(one));
  return out;
}

schedule::Remembered Scheduled::remembered() {
  schedule::Remembered known;
  known.states = ask<std::vector<store::InstanceState>>([&](auto done) { store_->load_instances(std::move(done)); });
  known.last_slots = ask<std::vector<store::Slot>>([&](auto done) { store_->load_last_slots(std::move(done)); });
  known.calendars = ask<std::vector<store::KnownCalendar>>([&](auto done) { store_->load_calendars(std::move(done)); });
  known.started_slots = ask<std::vector<store::Slot>>([&](auto done) { store_->load_started_slots(std::move(done)); });
  known.state_versions = ask<std::vector<store::KvVersion>>([&](auto done) { store_->load_kv_versions(std::move(done)); });
  known.inbox_owners = ask<std::vector<store::InstanceId>>([&](auto done) { store_->load_inbox_owners(std::move(done)); });
  known.quarantines = ask<std::vector<store::Quarantine>>([&](auto done) { store_->load_quarantines(std::move(done)); });
  return known;
}

void Scheduled::begin(std::vector<Configured> set, const std::optional<schedule::Remembered>& known) {
  const schedule::Remembered read = known ? *known : remembered();
  scheduler_ = std::make_unique<schedule::Scheduler>(schedule::SchedulerPorts{
      loop, *store_, zones, *zones.find("UTC"), "testhost", schedule::sys_seconds(std::chrono::seconds(1'700'000'000)),
      [this](const schedule::PluginRef& of, const schedule::RunAs&, plugin::SupervisorClient& client) {
        return make_supervisor(of, client);
      },
      [this](std::int64_t, std::string_view line) { logs.emplace_back(line); }, safe_mode, [this] { return wall ? *wall : wall_clock(); },
      500ms,
      [this](const schedule::Entry& entry) {
        if (on_result) on_result(entry);
      }});
  scheduler_->begin(prepare(set), read);
}

void Scheduled::begin_after_second(std::vector<Configured> set) {
  std::this_thread::sleep_until(std::chrono::ceil<std::chrono::seconds>(std::chrono::system_clock::now()) + 20ms);
  begin(std::move(set));
}

void Scheduled::hold_all_answers() {
  ask<Unit>([&](auto done) { store().flush(std::move(done)); });
  hold_answers = true;
}

schedule::ApplyReport Scheduled::apply(std::vector<Configured> set) {
  return scheduler_->apply(prepare(set));
}

bool Scheduled::until(const std::function<bool()>& condition, std::chrono::nanoseconds limit) {
  const auto end = monotonic() + limit;
  while (!condition()) {
    if (monotonic() > end) return false;
    turn_for(5ms);
  }
  return true;
}

void Scheduled::turn_for(std::chrono::nanoseconds span) {
  loop.restart();
  loop.run_for(span);
}

const schedule::Entry& Scheduled::entry(const std::string& name, schedule::Kind kind) const {
  const schedule::Entry* found = scheduler_->find(kind, name);
  REQUIRE(found != nullptr);
  return *found;
}

const schedule::Entry& Scheduled::run(const std::string& name, schedule::Kind kind) {
  bool ended = false;
  REQUIRE(scheduler_->run_now(kind, name, 0, [&](const schedule::Entry&) { ended = true; }));
  REQUIRE(until([&] { return ended; }));
  return entry(name, kind);
}

store::KvContent Scheduled::kv(const std::string& name, const std::string& kind) {
  return ask<store::KvContent>([&](auto done) { store_->load_kv({{kind, name}, plugin.id}, std::move(done)); });
}

std::vector<store::InboxEvent> Scheduled::inbox(const std::string& name) {
  return ask<std::vector<store::InboxEvent>>([&](auto done) { store_->peek_inbox({"check", name}, 100, std::move(done)); });
}

std::vector<store::Slot> Scheduled::slots(const std::string& name, const std::string& kind) {
  return ask<std::vector<store::Slot>>([&](auto done) { store_->load_slots({kind, name}, 100, std::move(done)); });
}

void Scheduled::post(const std::string& name, const std::string& event) {
  ask<store::Posted>([&](auto done) { store_->post_inbox({"check", name}, {0, event, 0, "text", 1}, std::move(done)); });
}

bool Scheduled::has_log(std::string_view part) const {
  return std::ranges::any_of(logs, [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

}  // namespace ronda::test
