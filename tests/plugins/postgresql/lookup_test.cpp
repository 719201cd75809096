// SPDX-License-Identifier: Apache-2.0
// Hosts by name: certificates go by the name although libpq is given the address; and a name server that does not answer, in
// a network of the test's own, costs a run its deadline and no more.
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "certificates.hpp"
#include "checks.hpp"
#include "lookup.hpp"
#include "name_server.hpp"
#include "server.hpp"
#include "servers.hpp"
#include "skip.hpp"

using namespace ronda::test;
using namespace std::chrono_literals;
using ronda::status;
using ronda::testing::host;
using ronda::testing::make;
using Said = NameServer::Answer;

namespace {

/// Empty: the calling thread and its threads have a network and a resolver of their own, as the usual one but quicker: asked
/// twice, three seconds for each. Else why not.
const std::string& why_no_names() {
  static const TempDir directory;
  static const std::string why = [] {
    std::string failed = enter_own_network(directory.path());
    // the same file, so that it shows where it was put over the system's
    if (failed.empty()) std::ofstream(directory.path() + "/resolv.conf") << "nameserver 127.0.0.1\noptions timeout:3 attempts:2\n";
    return failed;
  }();
  return why;
}

/// More than what a deadline of 300 ms may take on a busy machine, and less than what the resolver takes.
constexpr auto short_deadline = 300ms;
constexpr auto resolvers_time = 5500ms;

struct Named {
  host side;
  ronda::testing::subject check;
  explicit Named(const std::string& dsn) : check(make_check(side, dsn)) {}

  ronda::testing::report run(std::chrono::milliseconds deadline = short_deadline) { return check.run({.deadline = deadline}); }

 private:
  static ronda::testing::subject make_check(host& side, const std::string& dsn) {
    configure(side, "postgresql.connect", dsn);
    return make<postgresql::Connect>(side);
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string unresolved(const std::string& name) {
  return "the host name \"" + name + "\" was not resolved in time: the resolver does not answer";
}

/// No thread looks anything up any more: those of a test before have ended.
bool all_quiet() {
  return ronda::testing::thread_count() == 1;
}

/// An environment variable, for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

/// Over TCP, by whatever name.
std::string over_tcp(const Postgres& server, const std::string& name) {
  return "host=" + name + " port=" + std::to_string(server.port()) + " user=monitor dbname=shop password='pa\\'ss w@rd/%41'";
}

/// The certificate for `name` becomes the server's.
void certify(const Postgres& server, const std::string& directory, const std::string& name) {
  for (const char* end : {".crt", ".key"}) {
    const std::string to = server.data_directory() + "/server" + end;
    std::filesystem::copy_file(directory + "/" + name + end, to, std::filesystem::copy_options::overwrite_existing);
    struct stat owner {};
    REQUIRE(::stat(server.data_directory().c_str(), &owner) == 0);
    REQUIRE(::chmod(to.c_str(), 0600) == 0);
    REQUIRE((::geteuid() != 0 || ::chown(to.c_str(), owner.st_uid, owner.st_gid) == 0));
  }
}

}  // namespace

TEST_CASE("a host by name is verified by its name, not by its address", "[postgresql][live]") {
  Postgres& server = shared_server();
  const TempDir directory;
  make_certificates(directory.path(), {{"localhost", {"DNS:localhost"}}, {"other", {"DNS:other.test", "IP:127.0.0.1"}}});
  const std::string verified = " sslmode=verify-full sslrootcert=" + directory.path() + "/ca.crt";
  server.stop(SIGINT);
  std::ofstream(server.data_directory() + "/postgresql.conf", std::ios::app) << "ssl = on\n";
  certify(server, directory.path(), "localhost");
  server.start();
  Named right(over_tcp(server, "localhost") + verified);
  const auto report = right.run(10s);
  INFO(report.summary);
  CHECK(report.is(status::ok));
  CHECK(right.side.broken().empty());
  server.stop(SIGINT);
  certify(server, directory.path(), "other");
  server.start();
  const auto other = Named(over_tcp(server, "localhost") + verified + " connect_timeout=9").run(10s);
  INFO(other.summary);
  CHECK(other.is(status::critical));
  CHECK(has(other.summary, "does not match host name \"localhost\""));
}

TEST_CASE("a name server that does not answer costs the deadline and no more, and is asked once", "[postgresql]") {
  if (!why_no_names().empty()) return skipped("own-network", why_no_names());
  REQUIRE(eventually(all_quiet));
  NameServer names;
  names.say("silent.test", Said::silent);
  names.say("here.test", Said::here);
  Named connect("host=silent.test port=1 user=x password=s3cret");
  host other_side;
  configure(other_side, "postgresql.locks", "postgresql://silent.test:1/shop?user=y");
  auto other = make<postgresql::Locks>(other_side);
  const auto begun = std::chrono::steady_clock::now();
  const auto report = connect.run();
  const auto unknown = other.run({.deadline = short_deadline});
  CHECK(std::chrono::steady_clock::now() - begun < resolvers_time);
  CHECK(report.is(status::critical));
  CHECK(report.summary == "silent.test:1/x as x: " + unresolved("silent.test"));
  CHECK(unknown.is(status::unknown));
  CHECK(has(unknown.summary, unresolved("silent.test")));
  connect.check.cancel();
  const auto cancelled = connect.run(60s);
  CHECK(cancelled.is(status::unknown));
  CHECK(has(cancelled.summary, "cancelled while the name of the host was looked up"));
  // another name is not held up by it
  CHECK(has(Named("host=here.test port=1 user=x").run(10s).summary, "Connection refused"));
  CHECK(names.asked("silent.test") == 1);  // a second look-up would have asked anew
  // the resolver's second question is answered, while nobody waits: the next run has it, and asks for nothing
  names.say("silent.test", Said::here);
  CHECK(eventually([&] { return names.asked("silent.test") == 2 && ronda::testing::thread_count() == 2; }));
  CHECK(has(connect.run(10s).summary, "Connection refused"));
  CHECK(names.asked("silent.test") == 2);
  CHECK(has(connect.run(10s).summary, "Connection refused"));
  CHECK(names.asked("silent.test") == 3);
}

TEST_CASE("of several hosts those are tried whose name is known in half of the time", "[postgresql][live]") {
  if (!why_no_names().empty()) return skipped("own-network", why_no_names());
  REQUIRE(eventually(all_quiet));
  NameServer names;
  Postgres& server = shared_server();
  server.stop(SIGINT);
  server.start();  // in this network
  names.say("here.test", Said::here);
  names.say("silent.test", Said::silent);
  names.say("thousand.test", Said::thousand);
  const std::string port = std::to_string(server.port());
  const std::string login = " user=monitor dbname=shop password='pa\\'ss w@rd/%41'";
  for (const std::string& dsn : {
           "host=nowhere.test,here.test port=1," + port + login,
           "host=127.0.0.1,here.test,silent.test port=1," + port + ",1" + login,
           "host=here.test,silent.test,127.0.0.1 port=1,1," + port + login,
           "host=silent.test,here.test hostaddr=127.0.0.1, port=" + port + login,
           "host=" + server.directory() + ",silent.test port=" + port + login,
           "postgresql://monitor:pa%27ss%20w%40rd%2F%2541@here.test:1,here.test:" + port + "/shop",
           "host=thousand.test port=" + port + login,
       }) {
    const auto report = Named(dsn).run(has(dsn, "silent") ? 2s : 10s);
    INFO(dsn << ": " << report.summary);
    CHECK(report.is(status::ok));
  }
  const auto refused = Named("host=nowhere.test,here.test,silent.test port=1" + login).run(2s);
  INFO(refused.summary);
  CHECK(refused.is(status::critical));
  CHECK(has(refused.summary, "could not translate host name \"nowhere.test\" to address: Name or service not known; "));
  CHECK(has(refused.summary, "the host name \"silent.test\" was not resolved in time; "));
  CHECK(has(refused.summary, "Connection refused"));
  const auto unknown = Named("host=nowhere.test" + login).run(10s);
  CHECK(unknown.is(status::critical));
  CHECK(has(unknown.summary, "could not translate host name \"nowhere.test\" to address: Name or service not known"));
  names.say("silent.test", Said::here);  // at the second question, so that no thread hangs for longer
}

TEST_CASE("a name in a service file or in the environment is looked up aside as well", "[postgresql]") {
  if (!why_no_names().empty()) return skipped("own-network", why_no_names());
  REQUIRE(eventually(all_quiet));
  NameServer names;
  names.say("hidden.test", Said::silent);
  const TempDir directory;
  const std::string file = directory.path() + "/services";
  std::ofstream(file) << "[shop]\nhost=hidden.test\nport=1\n";
  const auto begun = std::chrono::steady_clock::now();
  {
    const Variable services("PGSERVICEFILE", file);
    CHECK(has(Named("service=shop user=x").run().summary, unresolved("hidden.test")));
    CHECK(has(Named("service=shop user=x host=127.0.0.1").run().summary, "Connection refused"));
  }
  const Variable variable("PGHOST", "hidden.test");
  CHECK(has(Named("user=x port=1").run().summary, unresolved("hidden.test")));
  CHECK(std::chrono::steady_clock::now() - begun < resolvers_time);
  names.say("hidden.test", Said::here);
}

TEST_CASE("names that hang take no more threads than there are places", "[postgresql]") {
  if (!why_no_names().empty()) return skipped("own-network", why_no_names());
  REQUIRE(eventually(all_quiet));
  NameServer names;
  const auto name_of = [](std::size_t number) { return "silent" + std::to_string(number) + ".test"; };
  for (std::size_t i = 0; i <= postgresql::max_lookups; ++i) {
    names.say(name_of(i), Said::silent);
    CHECK(has(Named("user=x host=" + name_of(i)).run(60ms).summary, unresolved(name_of(i))));
  }
  CHECK(ronda::testing::thread_count() == 2 + postgresql::max_lookups);  // the name server's
  CHECK(names.asked(name_of(postgresql::max_lookups)) == 0);
  // it waits for a place, and has one as soon as another's thread ends
  for (std::size_t i = 0; i <= postgresql::max_lookups; ++i) names.say(name_of(i), Said::here);
  CHECK(has(Named("port=1 user=x host=" + name_of(postgresql::max_lookups)).run(20s).summary, "Connection refused"));
}

TEST_CASE("the plugin's file does not leave the memory before its threads", "[postgresql]") {
  if (!why_no_names().empty()) return skipped("own-network", why_no_names());
  REQUIRE(eventually(all_quiet));
  NameServer names;
  names.say("silent.test", Said::silent);
  const std::string path = RONDA_BINARY_DIR "/plugins/postgresql.so";
  const ronda::testing::library plugin(path);
  {
    host side;
    configure(side, "postgresql.connect", "user=x host=silent.test");
    auto check = plugin.create(side, RONDA_KIND_CHECK, "postgresql.connect");
    CHECK(has(check.run({.deadline = short_deadline}).summary, unresolved("silent.test")));
  }
  CHECK(ronda::testing::thread_count() == 3);  // it hangs, and the instance is gone all the same
  names.say("silent.test", Said::here);
  void* const file = ::dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  REQUIRE(file != nullptr);
  ::dlclose(file);
  ::dlclose(file);  // of the library above
  CHECK(::dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD) == nullptr);
  CHECK(eventually([] { return ronda::testing::thread_count() == 2; }));
}
