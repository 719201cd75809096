// SPDX-License-Identifier: Apache-2.0
// Every plugin of this tree once under the real runner, confined as the agent confines it.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "certificates.hpp"
#include "config/build.hpp"
#include "config/toml.hpp"
#include "plugin/elf_note.hpp"
#include "plugin/grade.hpp"
#include "plugin/plugin_file.hpp"
#include "plugin/runner_spec.hpp"
#include "plugin/schema.hpp"
#include "plugins/smtp/stub.hpp"
#include "ronda/abi.h"
#include "skip.hpp"
#include "supervised.hpp"
#include "support/postgres.hpp"
#include "support/scratch.hpp"
#include "support/servers.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;

namespace {

/// A plugin of this build with what its own manifest says: grants, kinds, limits, options.
class Shipped {
 public:
  Shipped(boost::asio::io_context& loop, const std::string& name) : Shipped(loop, name, {}) {}
  /// With these grants instead of all that it needs.
  Shipped(boost::asio::io_context& loop, const std::string& name, const std::vector<std::string>& grants)
      : manifest_(read(name)), bench(loop, under_test(name, manifest_, grants)) {}

  /// An instance as conf.d would say it, checked and defaulted by the manifest.
  std::uint32_t add(const std::string& procedure, const std::string& text) {
    config::Diagnostics diagnostics;
    const auto table = config::parse_toml("[check.x]\n" + text, 0, diagnostics);
    REQUIRE(table);
    return add(procedure, *table->at(0).value.find("x")->as_table());
  }
  std::uint32_t add(const std::string& procedure, const config::Table& said) {
    const auto found = std::ranges::find(manifest_.provides, procedure, &plugin::Procedure::name);
    REQUIRE(found != manifest_.provides.end());
    config::Diagnostics diagnostics;
    const auto options = plugin::check_options(*found, said, {0, 1, 1}, {}, diagnostics);
    for (const auto& diagnostic : diagnostics.all()) FAIL_CHECK(diagnostic.message);
    REQUIRE(options);
    return bench.add(static_cast<wire::Kind>(found->kind), procedure, *options->as_table());
  }
  const plugin::CallEnd& run(const std::string& procedure, const std::string& text) { return bench.run(add(procedure, text)); }

 private:
  static plugin::Manifest read(const std::string& name) {
    const auto bytes = plugin::read_any_plugin(RONDA_PLUGINS "/" + name + ".so");
    REQUIRE(bytes);
    const auto facts = plugin::read_plugin_elf(bytes->bytes);
    REQUIRE(facts);
    config::Diagnostics diagnostics;
    auto manifest = plugin::parse_manifest(facts->manifest, 0, diagnostics);
    REQUIRE(manifest);
    return std::move(*manifest);
  }

  static PluginUnderTest under_test(const std::string& name, const plugin::Manifest& manifest, const std::vector<std::string>& grants) {
    PluginUnderTest plugin;
    plugin.path = RONDA_PLUGINS "/" + name + ".so";
    plugin.id = manifest.id;
    plugin.grants = grants;
    if (grants.empty())
      for (const plugin::Grant grant : manifest.needs) plugin.grants.emplace_back(plugin::to_string(grant));
    plugin.pid_namespace = plugin.pid_namespace && plugin::fits_pid_namespace(plugin.grants);
    plugin.kinds.clear();
    for (const auto& procedure : manifest.provides) {
      const auto kind = static_cast<wire::Kind>(procedure.kind);
      if (std::ranges::find(plugin.kinds, kind) == plugin.kinds.end()) plugin.kinds.push_back(kind);
    }
    plugin.concurrency = manifest.max_concurrency;
    plugin.memory_bytes = (std::int64_t{64} << 20) + manifest.limits.memory * plugin.concurrency;
    plugin.fds = 64 + manifest.limits.fds * plugin.concurrency;
    plugin.pids = 16 + (manifest.limits.pids + 1) * plugin.concurrency;
    return plugin;
  }

  plugin::Manifest manifest_;

 public:
  Supervised bench;
};

/// Whatever came, a hello of TLS too: nobody waits for the end of it.
void answer_up(int fd) {
  char request[4096];
  static_cast<void>(::read(fd, request, sizeof request));
  send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nup");
}

}  // namespace

TEST_CASE("exec runs programs under the real runner", "[plugin]") {
  boost::asio::io_context loop;
  Shipped exec(loop, "exec");
  CHECK(exec.run("exec.nagios", "command = [\"/bin/true\"]").outcome.status == 0);
  CHECK(exec.run("exec.nagios", "command = [\"/bin/false\"]").outcome.status == 1);
  const auto& load = exec.run("exec.nagios", "command = [\"/bin/echo\", \"OK - fine | load=0.5;1;2\"]");
  CHECK(load.outcome.summary == "OK - fine");
  const auto metrics = plugin::decode_metrics(load.outcome.metrics);
  REQUIRE(metrics.size() == 1);
  CHECK(metrics[0].name == "load");
  CHECK(metrics[0].value == 0.5);
  CHECK(exec.run("exec.command", "command = [\"/bin/true\"]").outcome.status == 0);
  CHECK(exec.run("exec.nagios", "command = [\"/nonexistent/check\"]").outcome.status == 3);
  const auto slow = exec.add("exec.nagios", "command = [\"/bin/sleep\", \"600\"]");
  const auto& late = exec.bench.run(slow, 500ms);
  CHECK(late.fate == Fate::finished);
  CHECK(late.outcome.status == 3);
  CHECK_THAT(late.outcome.summary + late.outcome.detail, Catch::Contains("it was ended"));
  CHECK(exec.bench.status().deaths == 0);
}

TEST_CASE("a program that looks at processes sees the host's, and itself among them", "[plugin]") {
  boost::asio::io_context loop;
  Shipped exec(loop, "exec");
  const auto& ps = exec.run("exec.nagios", R"(command = ["/bin/sh", "-c", "ps -o comm= -p $$ && test -d /proc/$$ && ps -e -o pid="])");
  INFO(ps.outcome.summary << ps.outcome.detail);
  CHECK(ps.outcome.status == 0);
  CHECK((ps.outcome.summary + ps.outcome.detail).find(std::to_string(::getpid())) != std::string::npos);
  const std::string check_procs = "/usr/lib/nagios/plugins/check_procs";
  if (::access(check_procs.c_str(), X_OK) != 0) {
    return skipped("monitoring-plugins", "there is no " + check_procs);
  }
  const auto& end = exec.run("exec.nagios", "command = [\"" + check_procs + "\", \"-c\", \"2:\"]");
  INFO(end.outcome.summary);
  CHECK(end.outcome.status == 0);
  const auto metrics = plugin::decode_metrics(end.outcome.metrics);
  REQUIRE(metrics.size() == 1);
  CHECK(metrics[0].value >= 2);
}

TEST_CASE("sixty-four programs at once under exec's own limits", "[plugin]") {
  boost::asio::io_context loop;
  Shipped exec(loop, "exec");
  std::vector<std::uint32_t> instances;
  for (int i = 0; i < 64; ++i) instances.push_back(exec.add("exec.nagios", "command = [\"/bin/echo\", \"OK " + std::to_string(i) + "\"]"));
  const auto calls = exec.bench.dispatch_together(instances, 60s);
  for (std::size_t i = 0; i < calls.size(); ++i) CHECK(exec.bench.end_of(calls[i], 60s).outcome.summary == "OK " + std::to_string(i));
}

TEST_CASE("http asks a server under the real runner", "[plugin]") {
  boost::asio::io_context loop;
  const TinyServer server(answer_up);
  Shipped http(loop, "http");
  const std::string address = "127.0.0.1:" + std::to_string(server.port());
  const auto& end = http.run("http.request", "url = \"http://" + address + "/\"\nexpect = { body = \"up\" }");
  INFO(end.cause << end.outcome.summary);
  CHECK(end.outcome.status == 0);
  CHECK(http.run("http.request", "url = \"http://" + address + "/\"\nexpect = { status = 404 }").outcome.status == 2);
  // a name goes through the resolver, which has a thread of its own, within the limit of memory
  const auto& named = http.run("http.request", "url = \"http://localhost:" + std::to_string(server.port()) + "/\"");
  INFO(named.outcome.summary);
  CHECK(named.outcome.status == 0);
  std::vector<std::uint32_t> many;
  for (int i = 0; i < 32; ++i)
    many.push_back(http.add("http.request", "url = \"http://localhost:" + std::to_string(server.port()) + "/" + std::to_string(i) + "\""));
  for (const auto id : http.bench.dispatch_together(many)) CHECK(http.bench.end_of(id).outcome.status == 0);
  CHECK(http.bench.status().deaths == 0);
}

TEST_CASE("the notifiers that post over HTTP do so under the real runner", "[plugin]") {
  struct Row {
    std::string name, options, summary;  // PORT in the options stands for the server's, which answers "up" to everything
    int status;
  };
  const Row rows[] = {
      {"webhook", "url = \"http://localhost:PORT/\"\nsecret = \"0123456789abcdef\"", "HTTP 200", 0},
      {"alertmanager", "url = \"http://localhost:PORT/\"", "HTTP 200", 0},
      {"slack", "webhook_url = \"http://localhost:PORT/\"", "HTTP 200, but not Slack's `ok`: up", 2},
      {"slack", "token = \"xoxb-12345678\"\nchannel = \"C1\"\napi_base = \"http://localhost:PORT/\"",
       "what answers is not Slack's web API: up", 2},
      {"pagerduty", "routing_key = \"0123456789abcdef0123456789abcdef\"\napi_base = \"http://localhost:PORT\"",
       "HTTP 200, but not PagerDuty's word that it took the event: up", 2},
      {"sms", "account_sid = \"AC1\"\nauth_token = \"x\"\nfrom = \"+15005550006\"",
       "`to` is \"somebody\": a telephone number is written like", 2},
  };
  const TinyServer server(answer_up);
  for (const Row& row : rows) {
    boost::asio::io_context loop;
    Shipped notifier(loop, row.name);
    auto options = row.options;
    if (const auto at = options.find("PORT"); at != options.npos) options.replace(at, 4, std::to_string(server.port()));
    const auto& end = notifier.run(row.name, options);
    INFO(row.name << ": " << end.cause << end.outcome.summary);
    CHECK(end.fate == Fate::finished);
    CHECK(end.outcome.status == row.status);
    CHECK_THAT(end.outcome.summary, Catch::StartsWith(row.summary));
    CHECK(notifier.bench.status().deaths == 0);
  }
}

TEST_CASE("a webhook's path is in no process's arguments, environment or result", "[plugin][alone]") {
  const TinyServer server(answer_up);
  boost::asio::io_context loop;
  Shipped notifier(loop, "webhook");
  const std::string canary = std::string("a-path-") + "that-opens-doors";
  const auto peer = "127.0.0.1:" + std::to_string(server.port());
  const auto url = "https://" + peer + "/" + canary;
  const auto& end = notifier.run("webhook", "url = \"" + url + "\"\nsecret = \"" + canary + "-key\"");
  CHECK(end.outcome.status == 1);
  CHECK(end.outcome.summary == "TLS: " + peer + " does not speak TLS on this port");
  CHECK((end.outcome.summary + end.outcome.detail + end.cause).find(canary) == std::string::npos);
  CHECK(notifier.bench.status().deaths == 0);
  std::size_t seen = 0;
  for (const auto& process : std::filesystem::directory_iterator("/proc"))
    for (const char* name : {"/cmdline", "/environ"}) {
      std::ifstream file(process.path().string() + name, std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      seen += text.find("ronda-runner") != std::string::npos;
      CHECK(text.find(canary) == std::string::npos);
    }
  CHECK(seen > 0);  // the runner is still there
}

TEST_CASE("host looks at this machine under the real runner", "[plugin]") {
  boost::asio::io_context loop;
  Shipped host(loop, "host");
  for (const char* procedure : {"host.load", "host.memory", "host.disk"}) {
    const auto& end = host.run(procedure, "");
    INFO(procedure << ": " << end.cause << end.outcome.summary);
    CHECK(end.fate == Fate::finished);
    CHECK(end.outcome.end == wire::End::reported);
    CHECK_FALSE(plugin::decode_metrics(end.outcome.metrics).empty());
  }
  CHECK(host.bench.status().deaths == 0);
}

namespace {

/// A result, or an UNKNOWN that says what would make it one.
void check_clear(const std::string& name, const plugin::CallEnd& end) {
  INFO(name << ": " << end.cause << end.outcome.summary);
  CHECK(end.fate == Fate::finished);
  CHECK(end.outcome.end == wire::End::reported);
  CHECK_FALSE(end.outcome.summary.empty());
  if (end.outcome.status < 3) return;
  const std::vector<std::string> remedies = {"run apt-get update", "needs apt", "a longer one", "which trust.toml has to allow"};
  CHECK(std::ranges::any_of(remedies, [&](const std::string& one) { return end.outcome.summary.find(one) != std::string::npos; }));
}

std::string whole_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("every host check of the shipped conf.d runs as it stands there under the real runner", "[plugin]") {
  boost::asio::io_context loop;
  Shipped host(loop, "host");
  const std::string path = RONDA_SOURCE_DIR "/conf.d/10-host.toml";
  config::Diagnostics diagnostics;
  const config::Generation generation = config::build_generation({{path, whole_text(path), false}}, {}, diagnostics);
  std::size_t count = 0;
  for (const config::Instance& one : generation.all(config::Kind::check)) {
    if (!one.use.starts_with("host.")) continue;
    ++count;
    check_clear(one.name, host.bench.end_of(host.bench.dispatch(host.add(one.use, one.options), 60s), 90s));
  }
  CHECK(count >= 7);
  CHECK(host.bench.status().deaths == 0);
}

TEST_CASE("host checks that read files and processes do so under the real runner, or say who may", "[plugin]") {
  const Scratch folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  make_certificates(folder.path(), {{"server", {"DNS:localhost"}, -3600, 86400, false}});
  std::filesystem::permissions(folder / "server.crt", std::filesystem::perms(0644));
  const std::string log = folder.write("app.log", "before\n"), logins = folder.write("auth.log", "before\n");
  for (const std::string& one : {log, logins}) std::filesystem::permissions(one, std::filesystem::perms(0644));
  const std::string closed = folder.write("closed", whole_text(folder / "server.crt"));
  std::filesystem::permissions(closed, std::filesystem::perms(0));
  boost::asio::io_context loop;
  Shipped host(loop, "host");
  const auto run = [&](const std::string& procedure, const std::string& options) -> const plugin::CallEnd& {
    const auto& end = host.bench.end_of(host.bench.dispatch(host.add(procedure, options), 60s), 90s);
    check_clear(procedure, end);
    return end;
  };
  // what comes after the first look counts
  const auto read_log = host.add("host.log", "path = \"" + log + "\"\npattern = \"ERROR\"");
  const auto read_logins = host.add("host.logins", "logs = [\"" + logins + "\"]");
  host.bench.state.clear();
  CHECK(host.bench.run(read_log).outcome.status == 0);
  std::ofstream(log, std::ios::app) << "an ERROR\n";
  const auto& found = host.bench.run(read_log);
  check_clear("host.log", found);
  CHECK_THAT(found.outcome.summary, Catch::StartsWith("1 of 1 new lines match"));
  host.bench.state.clear();  // kept here without the instance's name
  CHECK(host.bench.run(read_logins).outcome.status == 0);
  std::ofstream(logins, std::ios::app) << "Nov 30 02:00:00 shop sshd[17]: Failed password for root from 192.0.2.7 port 22 ssh2\n";
  const auto& failed = host.bench.run(read_logins);
  check_clear("host.logins", failed);
  CHECK_THAT(failed.outcome.summary, Catch::StartsWith("1 failed login, 1 from 192.0.2.7"));
  host.bench.state.clear();

  std::string own = whole_text("/proc/self/comm");
  own.pop_back();
  CHECK(run("host.process", "name = \"" + own + "\"").outcome.status == 0);
  CHECK(run("host.certificate", "path = \"" + folder / "server.crt" + "\"").outcome.status == 2);  // for one day
  CHECK(run("host.file", "path = \"" + log + "\"\nmax_age = \"1h\"\nbaseline = \"one\"").outcome.status == 0);

  const std::string quoted = "\"" + closed + "\"";
  const std::vector<std::pair<std::string, std::string>> unreadable = {
      {"host.log", "pattern = \"x\"\npath = " + quoted},
      {"host.logins", "logs = [" + quoted + "]"},
      {"host.certificate", "path = " + quoted},
      {"host.file", "baseline = \"two\"\npath = " + quoted},
  };
  for (const auto& [procedure, options] : unreadable) {
    const auto& end = run(procedure, options);
    CHECK(end.outcome.status == 3);
    CHECK_THAT(end.outcome.summary, Catch::Contains("Permission denied; let its user read it"));
  }
  CHECK(host.bench.status().deaths == 0);
}

TEST_CASE("heartbeat reads its inbox and keeps its state under the real runner", "[plugin]") {
  boost::asio::io_context loop;
  Shipped heartbeat(loop, "heartbeat");
  const auto job = heartbeat.add("heartbeat.job", "expect = \"1h\"");
  heartbeat.bench.inbox = {{"start", ""}, {"success", "done"}};
  const auto& end = heartbeat.bench.run(job);
  INFO(end.cause << end.outcome.summary);
  CHECK(end.fate == Fate::finished);
  CHECK(end.outcome.end == wire::End::reported);
  CHECK(end.outcome.took_inbox);
  CHECK_FALSE(heartbeat.bench.state.empty());
}

TEST_CASE("postgresql asks a server under the real runner, on a session that it keeps", "[plugin]") {
  if (Postgres::bin_directory().empty()) {
    return skipped("postgresql", "no server is installed");
  }
  boost::asio::io_context loop;
  const Postgres server;
  Shipped postgresql(loop, "postgresql");
  const auto instance = postgresql.add("postgresql.connect", "dsn = \"" + server.dsn() + "\"");
  for (int i = 0; i < 3; ++i) {
    const auto& end = postgresql.bench.run(instance);
    INFO(end.cause << end.outcome.summary);
    CHECK(end.outcome.status == 0);
  }
  CHECK(server.sql("select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> "
                   "pg_backend_pid()") == "1");
  // leaving is orderly: the session is closed, not dropped
  postgresql.bench.supervisor().retire();
  REQUIRE(postgresql.bench.until([&] { return postgresql.bench.supervisor().is_empty(); }));
  CHECK(postgresql.bench.status().deaths == 0);
}

TEST_CASE("logfile adds a line outside of /tmp under the real runner, which a plugin without its grant could not", "[plugin]") {
  char name[] = "/dev/shm/ronda-logfile-XXXXXX";
  REQUIRE(::mkdtemp(name) != nullptr);
  const std::string folder = name, path = folder + "/alerts.log";
  std::ofstream(path) << "";
  // the runner's user writes, and passes the directory
  ::chmod(name, 0755);
  std::filesystem::permissions(path, std::filesystem::perms(0666));
  boost::asio::io_context loop;
  Shipped logfile(loop, "logfile");
  const auto instance = logfile.add("logfile", "path = \"" + path + "\"\nzone = \"UTC\"");
  logfile.bench.message.level = "p1";
  logfile.bench.message.title = "two\nlines";
  const auto line_count = [&] {
    std::ifstream file(path);
    return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
  };
  std::vector<std::ptrdiff_t> lines_at_commit;
  logfile.bench.leave_unanswered = [&](const wire::Request& request) {
    if (request.ask == wire::Ask::kv_commit) lines_at_commit.push_back(line_count());
    return false;
  };
  for (int i = 0; i < 2; ++i) {
    const auto& end = logfile.bench.run(instance);
    INFO(end.cause << end.outcome.summary);
    CHECK(end.outcome.end == wire::End::reported);
    CHECK(end.outcome.status == RONDA_DELIVERY_OK);
    CHECK(line_count() == 1);
  }
  // what a crash would need is durable before the line is there, and only for the one that was written
  CHECK(lines_at_commit == std::vector<std::ptrdiff_t>{0});
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  CHECK_THAT(line, Catch::EndsWith("] [CRITICAL] two\\x0alines"));
  CHECK(logfile.bench.status().deaths == 0);
  // what the grant is for
  Shipped without(loop, "logfile", {"state"});
  const auto& refused = without.bench.run(without.add("logfile", "path = \"" + path + "\""));
  if (without.bench.status().runners.at(0).locked.find(", landlock ") != std::string::npos) {
    CHECK(refused.outcome.status == RONDA_DELIVERY_DROP);
    CHECK_THAT(refused.outcome.summary, Catch::StartsWith("open " + path + ": Permission denied; let uid "));
    CHECK(line_count() == 1);
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("command hands a message to a program under the real runner, with its secrets in no result", "[plugin]") {
  boost::asio::io_context loop;
  Shipped command(loop, "command");
  command.bench.message = {"m1", "ops", "a title", "a body", "p1", "open", "", 1, {{"service", "shop"}}};
  const auto end_of = [&](const std::string& script) -> const plugin::CallEnd& {
    return command.run("command", "command = [\"/bin/sh\", \"-c\", '" + script + "']");
  };
  CHECK(end_of("read title; test \"$title\" = \"$RONDA_TITLE\" && test $RONDA_FIELD_SERVICE = shop").outcome.status == RONDA_DELIVERY_OK);
  CHECK(end_of("exit 75").outcome.status == RONDA_DELIVERY_RETRY);
  const auto& refused = end_of("echo no such pager >&2; exit 1");
  CHECK(refused.outcome.status == RONDA_DELIVERY_DROP);
  CHECK(refused.outcome.summary == "/bin/sh ended with exit code 1: no such pager");
  const auto slow = command.add("command", "command = [\"/bin/sleep\", \"600\"]");
  CHECK(command.bench.run(slow, 500ms).outcome.status == RONDA_DELIVERY_RETRY);
  const auto& absent = command.run("command", "command = [\"/nonexistent/page-me\"]");
  CHECK(absent.outcome.status == RONDA_DELIVERY_DROP);
  CHECK_THAT(absent.outcome.summary, Catch::StartsWith("cannot start /nonexistent/page-me: "));
  CHECK(command.bench.status().deaths == 0);
}

TEST_CASE("smtp sends an encrypted mail under the real runner", "[plugin]") {
  const Scratch folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));  // the runner reads ca.crt
  make_certificates(folder.path(), {{"server", {"DNS:localhost"}, -3600, 86400, false}});
  std::filesystem::permissions(folder / "ca.crt", std::filesystem::perms(0644));
  SmtpStub::Options options;
  options.certificate = folder / "server.crt", options.key = folder / "server.key";
  SmtpStub server(options, [](const std::string&, int) { return std::string(); });
  boost::asio::io_context loop;
  Shipped smtp(loop, "smtp");
  const auto instance = smtp.add("smtp", "server = \"localhost:" + std::to_string(server.port()) +
                                             "\"\nfrom = \"ronda@example.com\"\ntls.ca = \"" + folder / "ca.crt" + "\"");
  smtp.bench.message.to = "ops@example.com";
  for (int i = 0; i < 2; ++i) {
    const auto& end = smtp.bench.run(instance);
    INFO(end.cause << end.outcome.summary);
    CHECK(end.outcome.status == RONDA_DELIVERY_OK);
  }
  // the second attempt found in the agent's store that the server had taken it
  REQUIRE(server.mails().size() == 1);
  CHECK(server.mails()[0].encrypted);
  CHECK_THAT(server.mails()[0].text, Catch::Contains("Message-ID: <m1@example.com>\r\n"));
  std::vector<std::uint32_t> many(16, 0);
  for (auto& one : many)
    one = smtp.add("smtp", "server = \"localhost:" + std::to_string(server.port()) + "\"\nfrom = \"ronda@example.com\"\ntls.ca = \"" +
                               folder / "ca.crt" + "\"");
  smtp.bench.message.id = "m2";
  for (const auto call : smtp.bench.dispatch_together(many)) {
    const auto& end = smtp.bench.end_of(call);
    INFO(end.cause << end.outcome.summary);
    CHECK(end.outcome.end == wire::End::reported);
  }
  CHECK(smtp.bench.status().deaths == 0);
}

TEST_CASE("options with a name longer than 64 KiB arrive whole", "[plugin]") {
  boost::asio::io_context loop;
  Shipped exec(loop, "exec");
  const std::string name(70'000, 'K');
  const plugin::CallEnd& end = exec.run("exec.nagios", "command = ['/usr/bin/true']\nenv = { " + name + " = 'v' }\n");
  CHECK(end.fate == Fate::finished);
  CHECK(end.outcome.status == 0);
}
