// SPDX-License-Identifier: Apache-2.0
#include "config/generation.hpp"

#include <malloc.h>
#include <time.h>

#include <iostream>

#include "catch.hpp"
#include "config/build.hpp"
#include "config/core_keys.hpp"
#include "config/objects.hpp"
#include "config/redact.hpp"

using namespace ronda;
using namespace ronda::config;
using namespace std::chrono_literals;

namespace {

Generation build(const Sources& sources, const Environment& environment = {}) {
  Diagnostics diagnostics;
  Generation generation = build_generation(sources, environment, diagnostics);
  INFO(render_all(diagnostics, sources));
  REQUIRE_FALSE(diagnostics.has_errors());
  return generation;
}

Generation build(const std::string& text) {
  return build({{"conf.d/a.toml", text, false}});
}

const Instance& at(const Generation& generation, Kind kind, std::string_view name) {
  const Instance* found = generation.find(kind, name);
  if (found == nullptr) throw std::runtime_error("no such instance");
  return *found;
}

}  // namespace

TEST_CASE("the example of the contract becomes typed values", "[config]") {
  const Generation g = build(R"([check.network]
use = "host.x"
[check.api-status]
use     = "http.request"
every   = "30s"
timeout = "10s"
url     = "https://h/api-proveedor/status"
expect  = { status = 200, json = { "success" = true } }
after   = ["network"]
warn    = { total = "500ms" }
crit    = { "share" = "@5%:10%", free = "1GiB:" }
severity = "p2"
for = { p1 = "1m", p2 = "3 of 5" }
tags = ["web", "api"]
service = "api"
[service.api]
title = "Supplier API"
checks = ["api-status"]
escalation = "default"
[escalation.default.p1]
steps = [{ from = "0m", notify = ["p1-all"] }]
[task.dump]
use = "exec.command"
cron = "0 3 * * *"
tz = "America/Argentina/Buenos_Aires"
locks = ["disk"]
overlap = "queue"
scope = "fleet"
changes = false
idempotent = true
retry = { times = 3, wait = "10s" }
user = "postgres"
command = ["/bin/true"]
params = { target = { type = "timestamp", required = false } }
)");
  CHECK(g.disabled.empty());
  const Instance& check = at(g, Kind::check, "api-status");
  CHECK(check.use == "http.request");
  CHECK(check.every == 30s);
  CHECK(check.timeout == 10s);
  CHECK(check.after == std::vector<std::string>{"network"});
  CHECK(check.tags.size() == 2);
  REQUIRE(check.options.size() == 2);
  CHECK(check.options[0].key == "url");
  CHECK(check.options[1].value.place().line == 8);
  const Judgement& judgement = check.judgement();
  CHECK(judgement.severity == Level::p2);
  REQUIRE(judgement.warn.size() == 1);
  CHECK(judgement.warn[0].range.alerts(0.6));
  CHECK_FALSE(judgement.warn[0].range.alerts(0.5));
  CHECK(judgement.crit[0].range.alerts(0.05));
  CHECK(judgement.crit[1].range.alerts(1000));
  REQUIRE(judgement.hold.size() == 2);
  CHECK(judgement.hold[0].time == 1min);
  CHECK((judgement.hold[1].need == 3 && judgement.hold[1].of == 5 && judgement.hold[1].level == Level::p2));
  CHECK(at(g, Kind::check, "network").every == 60s);
  const Instance& task = at(g, Kind::task, "dump");
  CHECK_FALSE(task.every);
  const Rare& rare = task.rare();
  CHECK(rare.cron == "0 3 * * *");
  CHECK(rare.tz == "America/Argentina/Buenos_Aires");
  CHECK((rare.overlap == Overlap::queue && rare.fleet && rare.changes == false && rare.idempotent == true));
  CHECK((rare.retry.times == 3 && rare.retry.wait == 10s));
  CHECK(rare.params.find("target") != nullptr);
  const Service* service = g.find_service("api");
  REQUIRE(service);
  CHECK(service->title == "Supplier API");
  CHECK(g.find_raw("escalation", "default.p1") != nullptr);
  CHECK(g.raw("escalation").size() == 1);
  CHECK(g.raw("alert").empty());
}

TEST_CASE("the rest of the contract's examples load as objects of later parts", "[config]") {
  const Generation g = build(R"([check.api-status]
use = "x"
[notifier.ops-slack]
use = "slack"
[task.t]
use = "x"
[alert.api-error-rate]
p1    = "api-status.error_rate > 5%"
p2    = "api-status.error_rate > 1%"
for   = { p1 = "1m", p2 = "5m" }
clear = "api-status.error_rate < 0.5%"
keep_firing_for = "5m"
no_data = "unknown"
diagnose = "diagnose-api-500"
[slo.api-availability]
objective = "99.9%"
window = "30d"
good = "api-status.status == ok"
[contact.cto]
name = "CTO"
unix = ["alice"]
channels = [
  { notifier = "ops-slack" },
  { notifier = "sms", to = "+5491155550000", levels = ["p1"] },
]
[group.p1-all]
members = ["cto", "ciso"]
[token.wallboard]
contact = "cto"
role = "viewer"
sha256 = "c1f3e0c1a47d0f5b9a7e2c86f0d3b4a5968778695a4b3c2d1e0f9182736455e6"
[severity.p1]
respond_within = "15m"
[window.sunday]
at = "Sun *-*-* 02:00"
lasts = "2h"
announce = ["1h"]
services = ["api", "database"]
[backup.full]
task = "dump-minimarket"
rpo = "24h"
keep = { for = "30d", at_least = 7 }
offsite = ["copy-offsite"]
prove = { at = "Sun *-*-* 05:00", level = "L4" }
[runbook.disaster-recovery]
title = "Full disaster recovery"
params = { target = { type = "timestamp", required = false } }
[[runbook.disaster-recovery.step]]
name = "assess"
task = "assess-damage"
[[runbook.disaster-recovery.step]]
name = "strategy"
decision = { ask = "Which recovery?", options = ["full restore", "point in time", "partial"] }
)");
  CHECK(g.objects.size() == 9);
  CHECK(g.find_raw("runbook", "disaster-recovery")->value.find("step")->as_list()->size() == 2);
}

TEST_CASE("defaults hold unless the instance says otherwise", "[config]") {
  const Generation g = build(
      "[defaults.check]\nevery = \"5m\"\ntimeout = \"7s\"\ntags = [\"d\"]\n[defaults.task]\nuser = "
      "\"nobody\"\n"
      "[check.a]\nuse = \"x\"\n[check.b]\nuse = \"x\"\nat = \"daily\"\ntimeout = \"1s\"\n[check.c]\nuse = "
      "\"x\"\nevery = \"1s\"\n"
      "[task.a]\nuse = \"x\"\n[notifier.a]\nuse = \"x\"\n");
  CHECK(at(g, Kind::check, "a").every == 5min);
  CHECK(at(g, Kind::check, "a").timeout == 7s);
  CHECK(at(g, Kind::check, "a").tags.size() == 1);
  CHECK_FALSE(at(g, Kind::check, "b").every);
  CHECK(at(g, Kind::check, "b").timeout == 1s);
  CHECK(at(g, Kind::check, "c").every == 1s);
  CHECK(at(g, Kind::task, "a").rare().user == "nobody");
  CHECK(at(g, Kind::notifier, "a").rare().user.empty());
}

TEST_CASE("settings have their defaults and take what is said", "[config]") {
  const Generation bare = build("[task.a]\nuse = \"x\"\n");
  CHECK(bare.agent.stop_timeout == 90s);
  CHECK(bare.agent.language == "en");
  CHECK_FALSE(bare.agent.strict);
  CHECK(bare.api.others_may_view);
  const Generation said = build(
      "[agent]\ntz = \"Europe/Madrid\"\nlanguage = \"es\"\nstrict = true\nstop_timeout = \"5m\"\nhost = "
      "\"h\"\n"
      "root_approves = true\nlast_resort = [\"n\"]\n[api]\nothers = \"refuse\"\nlisten = \"127.0.0.1:80\"\n"
      "[store]\nkeep = \"48h\"\n[notifier.n]\nuse = \"x\"\n");
  CHECK((said.agent.tz == "Europe/Madrid" && said.agent.language == "es" && said.agent.strict));
  CHECK((said.agent.stop_timeout == 5min && said.agent.host == "h" && said.agent.root_approves));
  CHECK(said.agent.last_resort == std::vector<std::string>{"n"});
  CHECK((!said.api.others_may_view && said.api.listen == "127.0.0.1:80"));
  CHECK(said.store.find("keep") != nullptr);
}

TEST_CASE("a reference is resolved, marked, and shown as it was written", "[config]") {
  Environment environment;
  environment.variables = {{"BASE", "https://u:p@h/x?k=v"}};
  environment.read_file = [](const std::string&, FileUse) -> Result<std::string> { return std::string("hunter2\n"); };
  const Generation g =
      build({{"a.toml", "[check.a]\nuse = \"x\"\nurl = \"${env:BASE}\"\npassword = \"${file:/s}\"\n", false}}, environment);
  const Table& options = at(g, Kind::check, "a").options;
  CHECK(options[0].value.origin() == Origin::env);
  CHECK(options[1].value.origin() == Origin::secret);
  CHECK(std::get<std::string>(options[1].value.data()) == "hunter2");
  const auto shown = [&](const Member& m) { return shown_text(m.value, g.written_at(m.value.place()), is_address_key(m.key)); };
  CHECK(shown(options[0]) == "https://h/x");
  CHECK(shown(options[1]) == "${file:/s}");
  CHECK(g.secrets == std::vector<std::string>{"https://u:p@h/x?k=v", "hunter2"});
}

TEST_CASE("each instance knows what the files and variables that it refers to hold, also inside longer texts, and no other's", "[config]") {
  Environment environment;
  environment.variables = {{"LONG", "long-enough-to-be-one"}};
  environment.read_file = [](const std::string& path, FileUse) -> Result<std::string> { return "of" + path + "\n"; };
  const std::string rest = "u = \"key=${file:/t} ${env:LONG}\"\nw = [\"${file:/s}\", { x = \"${file:/t}\" }]\n";
  const Generation g = build({{"a.toml",
                               "[agent]\nhost = \"${file:/settings}\"\n[check.a]\nuse = \"x\"\n" + rest +
                                   "[check.b]\nuse = \"x\"\n[check.c]\nuse = \"x\"\nu = \"${file:/s}\"\n",
                               false}},
                             environment);
  CHECK(at(g, Kind::check, "a").secrets == std::vector<std::string>{"long-enough-to-be-one", "of/s", "of/t"});
  CHECK(at(g, Kind::check, "b").secrets.empty());
  CHECK(at(g, Kind::check, "c").secrets == std::vector<std::string>{"of/s"});  // read once, referred to twice
}

TEST_CASE("an instance whose text comes from a file instead of from itself is another one", "[config]") {
  Environment environment;
  environment.read_file = [](const std::string&, FileUse) -> Result<std::string> { return std::string("word"); };
  const auto hash = [&](const std::string& text) {
    return at(build({{"a.toml", "[check.a]\nuse = \"x\"\nu = \"" + text + "\"\n", false}}, environment), Kind::check, "a").hash;
  };
  CHECK(hash("the word") != hash("the ${file:/s}"));
}

TEST_CASE("the core's keys are those of the contract", "[config]") {
  std::string names;
  for (const std::string_view name : core_key_names()) names += std::string(name) + " ";
  CHECK(names ==
        "after at changes crit cron detached enabled every for idempotent locks overlap params reporters "
        "retry ronda "
        "runbook scope service severity tags timeout title tz use user warn window ");
  for (std::size_t i = 1; i < top_tables().size(); ++i) CHECK(top_tables()[i - 1].name < top_tables()[i].name);
}

TEST_CASE("a set cut at any byte is a valid set or has a diagnostic, never a crash", "[config]") {
  const std::string text =
      "[defaults.check]\nevery = \"5m\"\n[check.a]\nuse = \"x.y\" # \xC3\xBC\nafter = [\"b\"]\nurl = "
      "\"${env:A:-x}\"\n"
      "[check.b]\nuse = \"z\"\nwarn = { total = \"500ms\" }\n[[runbook.r.step]]\nname = "
      "'n'\n[service.s]\nchecks = [\"a\"]\n";
  std::size_t valid = 0;
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const Sources sources = {{"a.toml", text.substr(0, size), false}, {"b.toml", "[task.t]\nuse = \"x\"\n", false}};
    Diagnostics diagnostics;
    const Generation generation = build_generation(sources, {}, diagnostics);
    CAPTURE(size);
    CHECK(generation.find(Kind::task, "t") != nullptr);
    CHECK(diagnostics.has_errors() == !generation.disabled.empty());
    valid += diagnostics.has_errors() ? 0 : 1;
  }
  CHECK(valid > 20);
}

TEST_CASE("circles of after are found at any length, and long ones are cut in the message", "[config]") {
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text += "[check.c" + std::to_string(i) + "]\nuse = \"x\"\nafter = [\"c" + std::to_string((i + 1) % 5000) + "\"]\n";
  }
  Diagnostics diagnostics;
  const Generation generation = build_generation({{"a.toml", text, false}}, {}, diagnostics);
  CHECK(generation.instances.empty());
  CHECK(diagnostics.errors() == 1);
  const std::string message = diagnostics.all().at(0).message;
  CHECK(message.find("`after` leads in a circle: c0 -> c1 -> c2 -> ") == 0);
  CHECK(message.find("c19 -> ... -> c0") != std::string::npos);
}

namespace {

std::string many_checks(int from, int count) {
  std::string text;
  for (int i = from; i < from + count; ++i) {
    const std::string n = std::to_string(i);
    text += "[check.http-" + n + "]\nuse = \"http.request\"\nevery = \"60s\"\ntimeout = \"10s\"\nseverity = \"p3\"\n" +
            "url = \"http://127.0.0.1:8080/status/" + n + "\"\nwarn = { total = \"500ms\" }\n";
  }
  return text;
}

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

void load_many(int count) {
  Sources sources;
  for (int i = 0; i < count; i += 1000) sources.push_back({std::to_string(i), many_checks(i, 1000), false});
  ::malloc_trim(0);
  const std::size_t before = ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
  const double start = cpu_seconds();
  const Generation generation = build(sources);
  const double seconds = cpu_seconds() - start;
  const std::size_t bytes = ::mallinfo2().uordblks + ::mallinfo2().hblkhd - before;
  CHECK(generation.instances.size() == static_cast<std::size_t>(count));
  std::cout << count << " checks: " << seconds << " s of CPU, " << bytes / static_cast<std::size_t>(count) << " bytes a check\n";
}

}  // namespace

TEST_CASE("10,000 checks load", "[config]") {
  load_many(10'000);
}
TEST_CASE("100,000 checks load", "[.long]") {
  load_many(100'000);
}
