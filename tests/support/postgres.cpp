// SPDX-License-Identifier: Apache-2.0
#include "postgres.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace ronda::test {
namespace {

constexpr unsigned nobody = 65534;

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, generic, sizeof address) != 0 || ::getsockname(fd, generic, &length) != 0)
    throw std::runtime_error("no free loopback port");
  ::close(fd);
  return ntohs(address.sin_port);
}

/// The server refuses to run as root, so a root test becomes nobody; the server dies with the test.
std::vector<std::string> unprivileged(std::vector<std::string> argv) {
  std::vector<std::string> all = {"/usr/bin/setpriv", "--pdeathsig=QUIT"};
  if (::geteuid() == 0) {
    const auto id = std::to_string(nobody);
    all.insert(all.end(), {"--reuid=" + id, "--regid=" + id, "--clear-groups"});
  }
  all.insert(all.end(), argv.begin(), argv.end());
  return all;
}

pid_t spawn(const std::vector<std::string>& command, const std::string& output) {
  std::vector<std::string> text = unprivileged(command);
  std::vector<char*> argv;
  for (auto& word : text) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::string lang = "LC_ALL=C.UTF-8";
  std::string tz = "TZ=UTC";
  char* environment[] = {lang.data(), tz.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  posix_spawn_file_actions_addchdir_np(&actions, "/");
  pid_t pid = -1;
  const int error = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environment);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + text[0]);
  return pid;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

PostgresSession::PostgresSession(const std::string& dsn) : conn_(PQconnectdb(dsn.c_str())) {
  if (PQstatus(conn_.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(conn_.get()));
  PQsetNoticeProcessor(conn_.get(), [](void*, const char*) {}, nullptr);
}

std::string PostgresSession::sql(const std::string& text) {
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(conn_.get(), text.c_str()), PQclear);
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    throw std::runtime_error(text + ": " + PQerrorMessage(conn_.get()));
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

void PostgresSession::send(const std::string& text) {
  if (PQsendQuery(conn_.get(), text.c_str()) != 1) throw std::runtime_error(PQerrorMessage(conn_.get()));
}

std::string Postgres::bin_directory() {
  std::string best;
  int best_version = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (version > best_version && std::filesystem::exists(entry.path() / "bin/initdb")) {
      best_version = version;
      best = entry.path() / "bin";
    }
  }
  return best;
}

Postgres::Postgres(Unprepared) {
  if (bin_directory().empty()) throw std::runtime_error("install the Debian package postgresql");
  char path[] = "/tmp/ronda-postgres-XXXXXX";
  if (::mkdtemp(path) == nullptr) throw std::runtime_error("mkdtemp failed");
  directory_ = path;
  if (::geteuid() == 0 && ::chown(path, nobody, nobody) != 0) throw std::runtime_error("chown failed");
}

// From here on the object is whole: what throws below runs the destructor.
Postgres::Postgres(const std::vector<std::string>& settings) : Postgres(Unprepared{}) {
  run({bin_directory() + "/initdb", "-D", data_directory(), "-N", "-U", "postgres", "-A", "trust", "-E", "UTF8",
       "--locale=C.UTF-8", "--no-instructions"});
  std::ofstream(data_directory() + "/pg_hba.conf")
      << "local all,replication postgres trust\nlocal all all scram-sha-256\n"
      << "host all,replication all 127.0.0.1/32 scram-sha-256\n";
  configure({"listen_addresses = '127.0.0.1'", "fsync = off", "shared_preload_libraries = 'pg_stat_statements'",
             "password_encryption = scram-sha-256", "shared_buffers = 16MB", "autovacuum = off", "lc_messages = 'C'"});
  configure(settings);
  start();
}

std::unique_ptr<Postgres> Postgres::standby_of(const Postgres& primary, const std::vector<std::string>& settings) {
  std::unique_ptr<Postgres> standby(new Postgres(Unprepared{}));
  standby->run({bin_directory() + "/pg_basebackup", "-D", standby->data_directory(), "-d", primary.dsn(), "-c", "fast", "-N"});
  std::ofstream(standby->data_directory() + "/standby.signal").flush();
  standby->configure(settings);
  standby->start();
  return standby;
}

Postgres::~Postgres() {
  stop(SIGQUIT);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void Postgres::run(const std::vector<std::string>& command) const {
  if (wait_for(spawn(command, directory_ + "/log")) != 0) throw std::runtime_error(command[0] + " failed: " + log());
}

void Postgres::configure(const std::vector<std::string>& settings) const {
  std::ofstream conf(data_directory() + "/postgresql.conf", std::ios::app);
  conf << "unix_socket_directories = '" << directory_ << "'\n";
  for (const auto& line : settings) conf << line << '\n';
}

std::string Postgres::dsn(const std::string& user, const std::string& database) const {
  return "host=" + directory_ + " port=" + std::to_string(port_) + " dbname=" + database + " user=" + user;
}

std::string Postgres::log() const { return read_file(directory_ + "/log"); }

std::string Postgres::sql(const std::string& text, const std::string& database) const {
  return PostgresSession(dsn("postgres", database)).sql(text);
}

void Postgres::start() {
  if (port_ == 0) port_ = free_port();
  pid_ = spawn({bin_directory() + "/postgres", "-D", data_directory(), "-p", std::to_string(port_)},
               directory_ + "/log");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const std::string probe = dsn();
  while (PQping(probe.c_str()) != PQPING_OK) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      throw std::runtime_error("the server ended at its start: " + log());
    }
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("the server did not start: " + log());
    ::poll(nullptr, 0, 10);
  }
}

void Postgres::stop(int signal) {
  if (pid_ <= 0) return;
  ::kill(pid_, signal);
  wait_for(pid_);
  pid_ = -1;
}

}  // namespace ronda::test
