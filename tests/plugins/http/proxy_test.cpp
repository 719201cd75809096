// SPDX-License-Identifier: Apache-2.0
// http.request through proxies that work: a real nginx for http, a tunnel of ours for https; and what redirects keep.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>

#include "catch.hpp"
#include "certificates.hpp"
#include "fixture.hpp"
#include "servers.hpp"

namespace {

/// What a server says of how it was asked, a proxy to it, and the same server with TLS.
struct ProxiedSite {
  TempDir dir;
  int plain = free_port(), proxy = free_port(), tls = free_port();
  Nginx nginx{dir.path(), servers(), plain};

  std::string servers() const {
    make_certificates(dir.path(), {{"site", {"IP:127.0.0.1"}}});
    const std::string listen = "server { listen 127.0.0.1:", file = dir.path() + "/site";
    return listen + std::to_string(plain) +
           R"(; location = /who { return 200 'by=$http_x_by method=$request_method'; }
              location = /keep { return 307 /body; }
              location = /keep-for-ever { return 308 /body; }
              location = /see { return 302 /who; }
              location = /see-other { return 303 /who; }
              location = /body { return 200 'method=$request_method bytes=$content_length'; } })" +
           listen + std::to_string(proxy) + "; location / { proxy_set_header X-By proxy; proxy_pass http://$http_host$request_uri; } }\n" +
           listen + std::to_string(tls) + " ssl; ssl_certificate " + file + ".crt; ssl_certificate_key " + file +
           ".key; location = /who { return 200 tunnelled; } }\n";
  }

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(plain) + path; }
};

ProxiedSite& proxied_site() {
  static ProxiedSite only;
  return only;
}

int connected_to(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return fd;
  close(fd);
  return -1;
}

/// Both ways until one of them has closed.
void pump(int a, int b) {
  pollfd both[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
  char bytes[16384];
  while (poll(both, 2, 10'000) > 0) {
    for (int i = 0; i < 2; ++i) {
      if (both[i].revents == 0) continue;
      const ssize_t got = recv(both[i].fd, bytes, sizeof bytes, 0);
      if (got <= 0) return;
      for (ssize_t at = 0; at < got;) {
        const ssize_t put = send(both[1 - i].fd, bytes + at, static_cast<std::size_t>(got - at), MSG_NOSIGNAL);
        if (put <= 0) return;
        at += put;
      }
    }
  }
}

/// A proxy that opens the way to one port for who has the password.
class Tunnel {
 public:
  explicit Tunnel(int to) : to_(to) {}
  int port() const { return server_.port(); }
  std::string asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void serve(int fd) {
    const std::string request = read_request(fd);
    {
      const std::lock_guard lock(mutex_);
      asked_ += request;
    }
    // "u:proxypw"
    if (request.find("Proxy-Authorization: Basic dTpwcm94eXB3\r\n") == std::string::npos)
      return send_text(fd,
                       "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 0\r\n\r\n");
    const int other = connected_to(to_);
    if (other < 0) return;
    send_text(fd, "HTTP/1.1 200 Connection established\r\n\r\n");
    pump(fd, other);
    close(other);
  }

  int to_;
  mutable std::mutex mutex_;
  std::string asked_;
  TinyServer server_{[this](int fd) { serve(fd); }};
};

}  // namespace

TEST_CASE("http goes through a proxy that is named, and only then", "[http]") {
  const auto& site = proxied_site();
  host h;
  set_request(h, site.url("/who"));
  h.set("expect", node::table{{"body", "by=proxy method=GET"}});
  CHECK(run_request(h).is(ronda::status::critical));
  h.set("proxy", "http://127.0.0.1:" + std::to_string(site.proxy));
  const auto report = run_request(h);
  INFO(report.summary);
  CHECK(report.is(ronda::status::ok));
}

TEST_CASE("https goes through a tunnel with the proxy's password, and the certificate is still the server's", "[http]") {
  const auto& site = proxied_site();
  Tunnel tunnel(site.tls);
  const std::string target = "127.0.0.1:" + std::to_string(site.tls);
  host h;
  set_request(h, "https://" + target + "/who");
  set_tls(h, {true, false, site.dir.path() + "/ca.crt"});
  h.set("headers", node::table{{"X-Api-Key", "for-the-site"}});
  h.set("expect", node::table{{"body", "tunnelled"}});
  h.set_secret("proxy", "http://u:proxypw@127.0.0.1:" + std::to_string(tunnel.port()));
  const auto report = run_request(h);
  INFO(report.summary);
  CHECK(report.is(ronda::status::ok));
  CHECK_THAT(tunnel.asked(), Catch::StartsWith("CONNECT " + target + " HTTP/1.1\r\n"));
  CHECK(tunnel.asked().find("for-the-site") == std::string::npos);

  h.set("tls", node::table{{"verify", true}, {"insecure", false}, {"min_days", 14}});  // nobody knows that CA
  CHECK(run_request(h).is(ronda::status::critical));
}

TEST_CASE("a proxy that wants another password tells nothing of the server, and the one it got is not shown", "[http]") {
  const auto& site = proxied_site();
  Tunnel tunnel(site.tls);
  host h;
  set_request(h, "https://127.0.0.1:" + std::to_string(site.tls) + "/who");
  h.set_secret("proxy", "http://u:wrongpw@127.0.0.1:" + std::to_string(tunnel.port()));
  const auto report = run_request(h);
  CHECK(report.is(ronda::status::unknown));
  CHECK_THAT(report.summary, Catch::Contains("407") && Catch::Contains("proxy") && !Catch::Contains("wrongpw"));
}

TEST_CASE("of a POST 307 and 308 keep method and body, other redirects ask with GET", "[http]") {
  const auto [path, says] = GENERATE(table<std::string, std::string>({
      {"/keep", "method=POST bytes=7"},
      {"/keep-for-ever", "method=POST bytes=7"},
      {"/see", "by= method=GET"},
      {"/see-other", "by= method=GET"},
  }));
  host h;
  set_request(h, proxied_site().url(path));
  h.set("method", "POST").set("body", "a=1&b=2").set("follow_redirects", true);
  h.set("expect", node::table{{"body", says}});
  const auto report = run_request(h);
  INFO(path << ": " << report.summary << "\n" << report.detail);
  CHECK(report.is(ronda::status::ok));
}
