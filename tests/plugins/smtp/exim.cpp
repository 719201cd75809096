// SPDX-License-Identifier: Apache-2.0
#include "exim.hpp"

#include <arpa/inet.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "servers.hpp"

namespace fs = std::filesystem;

namespace {

constexpr const char* program = "/usr/sbin/exim4";

unsigned server_uid() {
  return geteuid() == 0 ? 65534 : geteuid();
}
unsigned server_gid() {
  return geteuid() == 0 ? 65534 : getegid();
}

bool answers(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

std::string content_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// Waits until `condition` holds, at most 10 s.
template <class Condition>
bool until(Condition&& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    poll(nullptr, 0, 10);
  }
  return true;
}

std::string configuration(const std::string& dir, const std::string& password, int port, int tls_port) {
  const auto uid = std::to_string(server_uid()), gid = std::to_string(server_gid());
  std::ostringstream out;
  out << "exim_user = " << uid << "\nexim_group = " << gid << "\nspool_directory = " << dir << "/spool\nlog_file_path = " << dir
      << "/log/%s\npid_file_path = " << dir << "/exim.pid\nprimary_hostname = mail.test.invalid\nlocal_interfaces = 127.0.0.1\n"
      << "daemon_smtp_ports = " << port << " : " << tls_port << "\ntls_on_connect_ports = " << tls_port << "\ntls_advertise_hosts = *\n"
      << "tls_certificate = " << dir << "/server.crt\ntls_privatekey = " << dir << "/server.key\nacl_smtp_rcpt = check_rcpt\n"
      << "acl_smtp_data = check_data\ndeliver_drop_privilege = true\nkeep_environment =\nnever_users =\nhost_lookup =\n"
      << "rfc1413_query_timeout = 0s\nlog_selector = +smtp_connection +smtp_protocol_error\nsmtp_accept_max = 50\n"
      << "begin acl\ncheck_rcpt:\n  deny !authenticated = *\n       message = log in first\n  deny !encrypted = *\n"
      << "  deny local_parts = nobody-here\n       message = no such user\n  accept\ncheck_data:\n  accept\n"
      << "begin routers\nall:\n  driver = accept\n  transport = box\n"
      << "begin transports\nbox:\n  driver = appendfile\n  directory = " << dir
      << "/box\n  maildir_format\n  create_directory\n  envelope_to_add\n  return_path_add\n  user = " << uid << "\n  group = " << gid
      << "\n"
      << "begin authenticators\nplain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n"
      << "  server_condition = ${if and {{eq{$auth2}{ronda}}{eq{$auth3}{" << password << "}}}}\n  server_set_id = $auth2\n"
      << "  server_advertise_condition = ${if def:tls_in_cipher}\n";
  return out.str();
}

}  // namespace

bool Exim::is_installed() {
  return access(program, X_OK) == 0;
}

Exim::Exim(const std::string& dir, const std::string& password) : dir_(dir), port_(free_port()), tls_port_(free_port()) {
  for (const char* name : {"spool", "log", "box"}) fs::create_directory(dir + "/" + name);
  std::ofstream(dir + "/exim.conf") << configuration(dir, password, port_, tls_port_);
  fs::permissions(dir, fs::perms(0755));
  fs::permissions(dir + "/exim.conf", fs::perms(0644));
  for (const auto& entry : fs::recursive_directory_iterator(dir))
    if (lchown(entry.path().c_str(), server_uid(), server_gid()) != 0 && geteuid() == 0) throw std::runtime_error("chown");
  const std::string config = dir + "/exim.conf", output = dir + "/output";
  pid_ = fork();
  if (pid_ == 0) {
    if (freopen(output.c_str(), "w", stderr) == nullptr) _exit(1);
    const bool is_other =
        geteuid() != 0 || (setgroups(0, nullptr) == 0 && setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
    if (is_other) execl(program, program, "-C", config.c_str(), "-bdf", nullptr);
    _exit(1);
  }
  const bool is_up = until([&] { return answers(port_) && answers(tls_port_); });
  if (!is_up) throw std::runtime_error("exim does not listen: " + content_of(output) + log());
}

Exim::~Exim() {
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
}

std::vector<std::string> Exim::mails(std::size_t count) const {
  std::vector<fs::path> paths;
  const bool came = until([&] {
    paths.clear();
    if (fs::exists(dir_ + "/box/new"))
      for (const auto& entry : fs::directory_iterator(dir_ + "/box/new")) paths.push_back(entry.path());
    return paths.size() >= count;
  });
  if (!came || paths.size() != count) throw std::runtime_error("there are " + std::to_string(paths.size()) + " mails\n" + log());
  std::sort(paths.begin(), paths.end(), [](const auto& a, const auto& b) { return fs::last_write_time(a) < fs::last_write_time(b); });
  std::vector<std::string> out;
  for (const auto& path : paths) out.push_back(content_of(path));
  return out;
}

std::string Exim::log() const {
  return content_of(dir_ + "/log/main") + content_of(dir_ + "/log/reject") + content_of(dir_ + "/log/panic");
}
