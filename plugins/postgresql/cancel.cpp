// SPDX-License-Identifier: Apache-2.0
#include "cancel.hpp"

#include <libpq-fe.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "limits.hpp"

namespace postgresql {
namespace {

class Socket {
 public:
  explicit Socket(int domain) : fd_(::socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

/// Asks the postmaster whether it speaks TLS and hangs up: one byte that only a living server sends. It logs
/// nothing about that.
bool server_answers(int session_fd, int timeout_ms) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::getpeername(session_fd, generic, &length) != 0) return false;
  const Socket probe(address.ss_family);
  if (probe.fd() < 0) return false;
  if (::connect(probe.fd(), generic, length) != 0) {
    int error = 0;
    socklen_t size = sizeof error;
    if (errno != EINPROGRESS || !wait_for(probe.fd(), POLLOUT, timeout_ms)) return false;
    if (::getsockopt(probe.fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return false;
  }
  constexpr unsigned char ssl_request[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
  char answer = 0;
  return ::send(probe.fd(), ssl_request, sizeof ssl_request, MSG_NOSIGNAL) == sizeof ssl_request &&
         wait_for(probe.fd(), POLLIN, timeout_ms) && ::recv(probe.fd(), &answer, 1, 0) == 1;
}

}  // namespace

bool cancel_statement(PGconn* conn, int timeout_ms) {
  if (!server_answers(PQsocket(conn), timeout_ms)) return false;
  const std::unique_ptr<PGcancel, void (*)(PGcancel*)> request(PQgetCancel(conn), PQfreeCancel);
  char ignored[256];
  return request && PQcancel(request.get(), ignored, sizeof ignored) == 1;
}

}  // namespace postgresql
