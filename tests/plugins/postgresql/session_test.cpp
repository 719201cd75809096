// SPDX-License-Identifier: Apache-2.0
// postgresql.connect and the kept session under it, through what happens to servers: restarts, ended backends,
// hanging, full, refusing.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "catch.hpp"
#include "checks.hpp"
#include "server.hpp"

using namespace ronda::test;
using namespace std::chrono_literals;
using ronda::status;
using ronda::testing::host;
using ronda::testing::make;

namespace {

/// Sessions of the role that the checks use.
int sessions(const Postgres& server, const std::string& role = "monitor") {
  return std::stoi(server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ronda' AND usename = '" + role + "'"));
}

int backend_of(const Postgres& server) {
  return std::stoi(server.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'ronda' ORDER BY state_change DESC LIMIT 1"));
}

/// A port that accepts and never says a word.
class MuteServer {
 public:
  MuteServer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address_;
    auto* generic = reinterpret_cast<sockaddr*>(&address_);
    REQUIRE(::bind(fd_, generic, length) == 0);
    REQUIRE(::listen(fd_, 4) == 0);
    REQUIRE(::getsockname(fd_, generic, &length) == 0);
  }
  ~MuteServer() { ::close(fd_); }
  int fd() const { return fd_; }
  std::string dsn() const { return "host=127.0.0.1 user=x password=s3cret port=" + std::to_string(ntohs(address_.sin_port)); }

 private:
  int fd_;
  sockaddr_in address_{};
};

/// A port that answers whoever connects with a text of its own, at once.
class TalkingServer {
 public:
  explicit TalkingServer(std::string text) : text_(std::move(text)), thread_([this] { serve(); }) {}
  ~TalkingServer() {
    stop_ = true;
    thread_.join();
  }
  std::string dsn() const { return mute_.dsn(); }

 private:
  void serve() {
    while (!stop_) {
      pollfd waiting{mute_.fd(), POLLIN, 0};
      if (::poll(&waiting, 1, 20) != 1) continue;
      const int peer = ::accept4(mute_.fd(), nullptr, nullptr, SOCK_CLOEXEC);
      char asked[64];
      static_cast<void>(::recv(peer, asked, sizeof asked, 0));
      static_cast<void>(::send(peer, text_.data(), text_.size(), MSG_NOSIGNAL));
      ::close(peer);
    }
  }

  MuteServer mute_;
  std::string text_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

struct Connect {
  host side;
  ronda::testing::subject check;
  explicit Connect(const std::string& dsn, bool new_session = false) : check(make_check(side, dsn, new_session)) {}

 private:
  static ronda::testing::subject make_check(host& side, const std::string& dsn, bool new_session) {
    configure(side, "postgresql.connect", dsn);
    side.set("new_session", new_session);
    return make<postgresql::Connect>(side);
  }
};

}  // namespace

TEST_CASE("the session is kept between runs and shared by instances", "[postgresql][live]") {
  Postgres& server = shared_server();
  {
    Connect one(monitor_dsn(server)), two(monitor_dsn(server));
    const auto report = one.check.run();
    INFO(report.summary);
    REQUIRE(report.is(status::ok));
    CHECK(report.summary.find("PostgreSQL 15.") == 0);
    CHECK(report.find("response") != nullptr);
    const int backend = backend_of(server);
    CHECK(two.check.run().is(status::ok));
    CHECK(one.check.run().is(status::ok));
    CHECK(backend_of(server) == backend);
    CHECK(sessions(server) == 1);
    CHECK(one.side.broken().empty());
  }
  CHECK(eventually([&] { return sessions(server) == 0; }));
}

TEST_CASE("the session is read-only, bounded and named", "[postgresql][live]") {
  Postgres& server = shared_server();
  host side;
  configure(side, "postgresql.query", monitor_dsn(server) + " options='-c default_transaction_read_only=off -c work_mem=1MB'");
  side.set("sql", "SELECT current_setting('default_transaction_read_only') AS ro, current_setting('application_name') AS name, "
                  "current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock, "
                  "current_setting('work_mem') AS mem");
  auto check = make<postgresql::Query>(side);
  CHECK(check.run().summary == "ro = on, name = ronda, statement = 7601ms, lock = 3801ms, mem = 1MB");
}

TEST_CASE("a dead session is replaced within the same run", "[postgresql][live]") {
  Postgres& server = shared_server();
  Connect connect(monitor_dsn(server));
  REQUIRE(connect.check.run().is(status::ok));
  const int backend = backend_of(server);
  SECTION("an administrator ended it") {
    server.sql("SELECT pg_terminate_backend(" + std::to_string(backend) + ", 5000)");
  }
  SECTION("the server crashed and came back") {
    server.stop(SIGQUIT);
    server.start();
  }
  SECTION("the server was restarted") {
    server.stop(SIGINT);
    server.start();
  }
  const auto report = connect.check.run();
  INFO(report.summary);
  CHECK(report.is(status::ok));
  CHECK(backend_of(server) != backend);
}

TEST_CASE("a server that went away is critical to connect and unknown to the others", "[postgresql][live]") {
  Postgres& server = shared_server();
  Connect connect(monitor_dsn(server));
  host other_side;
  configure(other_side, "postgresql.locks", monitor_dsn(server));
  auto other = make<postgresql::Locks>(other_side);
  REQUIRE(connect.check.run().is(status::ok));
  REQUIRE(other.run().is(status::ok));
  server.stop(SIGQUIT);
  const auto report = connect.check.run();
  CHECK(report.is(status::critical));
  CHECK(report.summary.find("Is the server running locally and accepting connections on that socket?") != std::string::npos);
  CHECK(other.run().is(status::unknown));
  server.start();
  CHECK(connect.check.run().is(status::ok));
  CHECK(other.run().is(status::ok));
}

TEST_CASE("a refused connection names the reason and never the password", "[postgresql][live]") {
  Postgres& server = shared_server();
  const std::string tcp = "host=127.0.0.1 port=" + std::to_string(server.port());
  const auto [dsn, reason] = GENERATE_REF(table<std::string, std::string>({
      {tcp + " user=monitor dbname=shop password=wrong-s3cret",
       "FATAL: password authentication failed for user \"monitor\" (check the user and the password that dsn refers to)"},
      {tcp + " user=monitor dbname=nowhere password='pa\\'ss w@rd/%41'", "FATAL: database \"nowhere\" does not exist (check dbname in dsn)"},
      {"postgresql://monitor:wrong-s3cret@127.0.0.1:" + std::to_string(server.port()) + "/shop", "password authentication failed"},
      {"host=127.0.0.1 port=1 user=monitor password=wrong-s3cret", "Connection refused; Is the server running on that host"},
      {"host=/nonexistent user=monitor password=wrong-s3cret", "No such file or directory"},
  }));
  Connect connect(dsn);
  const auto report = connect.check.run();
  INFO(report.summary);
  CHECK(report.is(status::critical));
  CHECK(report.summary.find(reason) != std::string::npos);
  CHECK(report.summary.find("s3cret") == std::string::npos);
  CHECK(report.summary.find("w@rd") == std::string::npos);
}

TEST_CASE("a malformed dsn is unknown, not critical", "[postgresql]") {
  Connect connect("host=db1 password=s3cret tail");
  const auto report = connect.check.run();
  CHECK(report.is(status::unknown));
  CHECK(report.summary.find("dsn: ") == 0);
  CHECK(report.summary.find("tail") == std::string::npos);
}

TEST_CASE("a dsn with which no server can be asked is unknown, and nothing of it is shown", "[postgresql]") {
  const auto [dsn, reason] = GENERATE(table<std::string, std::string>({
      {"", "dsn: it is empty; "},
      {" \n", "dsn: it is empty; "},
      {"service=nope", "dsn: definition of service \"...\" not found"},
      {"host=127.0.0.1 sslmode=nope", "dsn: invalid sslmode value: \"...\""},
      {"host=127.0.0.1,127.0.0.1,127.0.0.1 port=1,2", "dsn: could not match 2 port numbers to 3 hosts"},
      {"host=127.0.0.1 port=5432x", "dsn: the port is not a number from 1 to 65535; "},
      {"host=127.0.0.1 port=99999", "dsn: the port is not a number from 1 to 65535; "},
      {"postgresql://mon:Hunter22/Zebra77@127.0.0.1:1/postgres", "dsn: a '/' before the '@'; "},
      {"postgresql://mon:22/Zebra77@127.0.0.1:1/postgres", "dsn: a '/' before the '@'; "},
      {"postgresql://mon:Hunter22/Zebra77?x@127.0.0.1:1/postgres", "dsn: "},
      {"postgresql://mon:Hunter22?Zebra77@nope@127.0.0.1:1/postgres", "dsn: more than one '@' before the database name; "},
  }));
  host other_side;
  configure(other_side, "postgresql.locks", dsn);
  Connect connect(dsn);
  for (const auto& report : {connect.check.run(), make<postgresql::Locks>(other_side).run()}) {
    INFO(report.summary);
    CHECK(report.is(status::unknown));
    CHECK(report.summary.find(reason) != std::string::npos);
    for (const char* piece : {"Hunter22", "Zebra77", "sslmode=nope", "\"nope\"", "5432x", "mon:"})
      CHECK(report.summary.find(piece) == std::string::npos);
  }
}

TEST_CASE("an '@' in a parameter of a URI is not taken for a password's", "[postgresql]") {
  CHECK(postgresql::parse_dsn("postgresql://mon:pw@db1:5432/shop?application_name=a@b"));
  CHECK(postgresql::parse_dsn("postgresql://db1,db2:5433/shop?application_name=a@b"));
  CHECK(postgresql::parse_dsn("postgresql://mon:pw@db1:5432,db2:5433/shop"));
  CHECK(postgresql::parse_dsn("host=db1,db2 port=5432,"));
}

TEST_CASE("a host name that nobody knows is critical to connect", "[postgresql]") {
  Connect connect("host=nobody.invalid user=x");
  const auto report = connect.check.run();
  INFO(report.summary);
  CHECK(report.is(status::critical));
  CHECK(report.summary.find("could not translate host name") != std::string::npos);
}

TEST_CASE("a dsn that cannot be read is unknown", "[postgresql]") {
  Connect connect("host=db1");
  connect.side.deny("ronda.secret/1");
  CHECK(connect.check.run().summary == "dsn cannot be read: not granted: the manifest's `needs` must name it");
}

TEST_CASE("a full server refuses a new session and answers on a kept one", "[postgresql][live]") {
  Postgres& server = shared_server();
  Connect kept(monitor_dsn(server)), fresh(monitor_dsn(server), true);
  REQUIRE(kept.check.run().is(status::ok));
  REQUIRE(fresh.check.run().is(status::ok));
  std::vector<std::unique_ptr<PostgresSession>> crowd;
  try {
    while (true) crowd.push_back(std::make_unique<PostgresSession>(server.dsn("plain", "shop") + " password=plain-password"));
  } catch (const std::exception& full) {
    INFO(full.what());
  }
  CHECK(kept.check.run().is(status::ok));
  host counting_side;
  // a string of its own, so that no session is kept for it
  configure(counting_side, "postgresql.connections", monitor_dsn(server) + " connect_timeout=9");
  const auto counted = make<postgresql::Connections>(counting_side).run();
  CHECK(counted.is(status::critical));
  CHECK(counted.summary.find("(the server has no free connection slot left)") != std::string::npos);
  const auto report = fresh.check.run();
  INFO(report.summary);
  CHECK(report.is(status::critical));
  CHECK(report.summary.find("the server has no free connection slot left") != std::string::npos);
}

TEST_CASE("a server that accepts and says nothing costs the deadline and no more", "[postgresql]") {
  const MuteServer mute;
  Connect connect(mute.dsn());
  const auto begun = std::chrono::steady_clock::now();
  const auto report = connect.check.run({.deadline = 300ms});
  const auto took = std::chrono::steady_clock::now() - begun;
  CHECK(report.is(status::critical));
  CHECK(report.summary.find("in time: the host does not answer") != std::string::npos);
  CHECK(took >= 250ms);
  CHECK(took < 8s);  // without the deadline for ever
}

TEST_CASE("a port on which something else answers is critical to connect, with what it said", "[postgresql]") {
  const std::string answer = GENERATE("HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "x", "N");
  INFO(answer);
  const TalkingServer other(answer);
  for (const char* sslmode : {" sslmode=prefer", " sslmode=disable"}) {
    Connect connect(other.dsn() + sslmode);
    const auto report = connect.check.run({.deadline = 2s});
    INFO(report.summary);
    CHECK(report.is(status::critical));
    CHECK(report.summary.find("basic_string") == std::string::npos);
    CHECK(report.summary.find("127.0.0.1") != std::string::npos);
  }
}

TEST_CASE("a frozen server costs the deadline and no more", "[postgresql][live]") {
  Postgres& server = shared_server();
  Connect connect(monitor_dsn(server));
  REQUIRE(connect.check.run().is(status::ok));
  const int backend = backend_of(server);
  REQUIRE(::kill(server.pid(), SIGSTOP) == 0);
  REQUIRE(::kill(backend, SIGSTOP) == 0);
  const auto begun = std::chrono::steady_clock::now();
  const auto report = connect.check.run({.deadline = 300ms});
  const auto took = std::chrono::steady_clock::now() - begun;
  ::kill(backend, SIGCONT);
  ::kill(server.pid(), SIGCONT);
  CHECK(report.is(status::critical));
  CHECK(report.summary.find("no answer from the server in time") != std::string::npos);
  CHECK(took < 8s);  // without the deadline for ever
  CHECK(connect.check.run().is(status::ok));
}

TEST_CASE("a cancelled run ends its statement on the server", "[postgresql][live]") {
  Postgres& server = shared_server();
  host side;
  configure(side, "postgresql.query", monitor_dsn(server));
  side.set("sql", "SELECT pg_sleep(60)::text AS slept");
  auto check = make<postgresql::Query>(side);
  const auto sleeping = [&server] {
    return server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1";
  };
  std::thread canceller([&] {
    eventually(sleeping);
    check.cancel();
  });
  const auto report = check.run({.deadline = 60s});
  canceller.join();
  CHECK(report.is(status::unknown));
  CHECK(report.summary.find("cancelled while the server was working") != std::string::npos);
  CHECK(eventually([&] { return !sleeping(); }));
}

TEST_CASE("a run that is cancelled while connecting is unknown also to connect", "[postgresql]") {
  const MuteServer mute;
  Connect connect(mute.dsn());
  connect.check.cancel();
  const auto report = connect.check.run();
  CHECK(report.is(status::unknown));
  CHECK(report.summary.find("cancelled while connecting") != std::string::npos);
}

TEST_CASE("a statement longer than the deadline is ended by the server, and the session goes on", "[postgresql][live]") {
  Postgres& server = shared_server();
  host side;
  configure(side, "postgresql.query", monitor_dsn(server));
  side.set("sql", "SELECT pg_sleep(60)::text AS slept");
  auto check = make<postgresql::Query>(side);
  const auto report = check.run({.deadline = 4s});
  INFO(report.summary);
  CHECK(report.is(status::unknown));
  CHECK(report.summary.find("canceling statement due to statement timeout (the server ended it at its time limit") !=
        std::string::npos);
  const int backend = backend_of(server);
  Connect connect(monitor_dsn(server));
  CHECK(connect.check.run().is(status::ok));
  CHECK(backend_of(server) == backend);
}

TEST_CASE("a shorter deadline than before is told to the server", "[postgresql][live]") {
  Postgres& server = shared_server();
  host long_side, short_side;
  configure(long_side, "postgresql.query", monitor_dsn(server));
  long_side.set("sql", "SELECT current_setting('statement_timeout') AS ms");
  auto slow = make<postgresql::Query>(long_side);
  configure(short_side, "postgresql.locks", monitor_dsn(server));
  auto fast = make<postgresql::Locks>(short_side);
  CHECK(slow.run({.deadline = 100s}).summary == "ms = 76001ms");
  CHECK(fast.run({.deadline = 1s}).is(status::ok));
  CHECK(server.sql("SELECT query FROM pg_stat_activity WHERE application_name = 'ronda'").find("SET /* ronda */ statement_timeout = 761; ") == 0);
  CHECK(slow.run({.deadline = 100s}).summary == "ms = 76001ms");
}

TEST_CASE("the plugin file itself runs its procedures", "[postgresql][live]") {
  const ronda::testing::library plugin(RONDA_BINARY_DIR "/plugins/postgresql.so");
  host side;
  configure(side, "postgresql.connect", monitor_dsn(shared_server()));
  auto check = plugin.create(side, RONDA_KIND_CHECK, "postgresql.connect");
  REQUIRE(check);
  CHECK(check.run().is(status::ok));
  CHECK_FALSE(plugin.create(side, RONDA_KIND_CHECK, "postgresql.nothing"));
}
