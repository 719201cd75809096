// SPDX-License-Identifier: Apache-2.0
#include "server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <vector>

namespace {

constexpr unsigned nobody = 65534;

/// Its standard output and error go to a file.
int start(std::vector<std::string> words, const std::string& log) {
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  int pid = -1;
  const int error = posix_spawn(&pid, argv[0], &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) throw std::runtime_error("cannot start " + words[0]);
  return pid;
}

}  // namespace

std::string http_get(int port, const std::string& target) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  std::string answer;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    send_text(fd, "GET " + target + " HTTP/1.0\r\nHost: localhost\r\n\r\n");
    char bytes[4096];
    for (auto n = read(fd, bytes, sizeof bytes); n > 0; n = read(fd, bytes, sizeof bytes))
      answer.append(bytes, static_cast<std::size_t>(n));
  }
  close(fd);
  const auto end = answer.find("\r\n\r\n");
  return end == answer.npos ? std::string() : answer.substr(end + 4);
}

AlertmanagerServer::AlertmanagerServer(const std::string& webhook_url) {
  const auto& dir = dir_.path();
  std::ofstream(dir + "/config.yml") << "route: { receiver: sink, group_wait: 500ms, group_interval: 1s, group_by: [incident] }\n"
                                     << "receivers: [{ name: sink, webhook_configs: [{ url: '" << webhook_url
                                     << "', send_resolved: true }] }]\n";
  std::vector<std::string> words;
  if (geteuid() == 0) {
    chmod(dir.c_str(), 0755);
    mkdir((dir + "/data").c_str(), 0700);
    if (chown((dir + "/data").c_str(), nobody, nobody) != 0) throw std::runtime_error("chown");
    words = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"};
  }
  for (const auto& word : {std::string(alertmanager_program), "--config.file=" + dir + "/config.yml", "--storage.path=" + dir + "/data",
                           "--web.listen-address=127.0.0.1:" + std::to_string(port_), std::string("--cluster.listen-address=")})
    words.push_back(word);
  pid_ = start(std::move(words), dir + "/log");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (http_get(port_, "/-/ready").empty()) {
    if (std::chrono::steady_clock::now() > end || waitpid(pid_, nullptr, WNOHANG) == pid_) {
      std::ifstream log(dir + "/log");
      throw std::runtime_error("alertmanager does not listen: " + std::string(std::istreambuf_iterator<char>(log), {}));
    }
    poll(nullptr, 0, 20);
  }
}

AlertmanagerServer::~AlertmanagerServer() {
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
}

std::string AlertmanagerServer::alerts() const {
  return http_get(port_, "/api/v2/alerts");
}
