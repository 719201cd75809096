// SPDX-License-Identifier: Apache-2.0
// Where redirects may lead: which address is how near, and a real nginx in a network of the test's own that sends a check
// to everything that is none of its business.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "catch.hpp"
#include "fixture.hpp"
#include "reach.hpp"
#include "servers.hpp"
#include "skip.hpp"
#include "url.hpp"

using http::Gate;
using http::Reach;

namespace {

http::Endpoint at(const char* address, long port = 80) {
  const auto endpoint = http::endpoint_of(address, port);
  REQUIRE(endpoint);
  return *endpoint;
}

bool is_done(const std::string& command) {
  return std::system(("exec >/dev/null 2>&1; " + command).c_str()) == 0;
}

/// This thread's network and mounts are its own until the end: a host, and beside it a shop that has a private, a link-local
/// and a public address. Both have loopback.
class Street {
 public:
  Street() {
    // /run is covered so that the names of networks are this test's own, too
    const bool entered = unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         mount("none", "/run", "tmpfs", 0, nullptr) == 0;
    if (!entered || !is_done("touch /run/hosts") || !is_done("mount --bind /run/hosts /etc/hosts") ||
        !is_done("ip netns add shop; ip -n shop link set lo up") ||
        !is_done("ip link set lo up && ip link add door type veth peer name street netns shop") ||
        !is_done("ip addr add 10.77.0.1/24 dev door && ip addr add 169.254.77.1/16 dev door && ip link set door up") ||
        !is_done("ip -n shop addr add 10.77.0.2/24 dev street && ip -n shop addr add 169.254.77.2/16 dev street") ||
        !is_done("ip -n shop addr add 93.184.216.34/32 dev street && ip -n shop link set street up") ||
        !is_done("ip route add 93.184.216.34/32 via 10.77.0.2 && ip addr add 93.184.216.35/32 dev lo"))
      missing_ = "a network and mounts of the test's own, with two ends of a cable";
    host_ = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    shop_ = open("/run/netns/shop", O_RDONLY | O_CLOEXEC);
  }
  ~Street() {
    setns(home_net_, CLONE_NEWNET);
    setns(home_mounts_, CLONE_NEWNS);
    for (const int fd : {home_net_, home_mounts_, host_, shop_}) close(fd);
  }
  Street(const Street&) = delete;
  Street& operator=(const Street&) = delete;

  const std::string& missing() const { return missing_; }
  void go_to_shop() const { REQUIRE(setns(shop_, CLONE_NEWNET) == 0); }
  void go_home() const { REQUIRE(setns(host_, CLONE_NEWNET) == 0); }
  /// "ADDRESS NAME\n", a line each.
  static void name(const std::string& lines) { std::ofstream("/etc/hosts") << lines; }

 private:
  std::string missing_;
  int home_net_ = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  int home_mounts_ = open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
  int host_ = -1, shop_ = -1;
};

/// The shop's web server sends wherever its path says; the host's, which nobody outside should reach, answers "inside".
class Neighbours {
 public:
  explicit Neighbours(const Street& street) {
    street.go_to_shop();
    const std::string shop =
        "server { listen 0.0.0.0:8001; listen 0.0.0.0:8002;\n"
        "location = /ok { return 200 outside; }\n"
        "location /to/ { rewrite ^/to/(.*)$ /go?$1; }\n"
        "location = /go { return 302 http://$args; } }\n";
    shop_.emplace(shop_dir_.path(), shop, 8001);
    street.go_home();
    const std::string inside =
        "server { listen 0.0.0.0:9001; location / { return 200 inside; } location = /out { return 302 "
        "http://93.184.216.34:8001/ok; } location = /turn { return 302 http://127.0.0.1:9002/; } }\n"
        "server { listen 0.0.0.0:9002; location / { return 200 inside; } }\n";
    inside_.emplace(inside_dir_.path(), inside, 9001);
  }

 private:
  TempDir shop_dir_, inside_dir_;
  std::optional<Nginx> shop_, inside_;
};

#define RONDA_NEED_STREET(street) \
  if (!(street).missing().empty()) return ronda::test::skipped("own-mounts", (street).missing())

report followed(host& h, const std::string& url) {
  set_request(h, "http://" + url);
  h.set("follow_redirects", true).set("connect_timeout", 2s);
  return run_request(h);
}

report followed(const std::string& url) {
  host h;
  return followed(h, url);
}

}  // namespace

TEST_CASE("an address is as near as the registries of special addresses say, however it is written", "[http]") {
  const auto [address, reach] = GENERATE(table<const char*, Reach>({
      {"127.0.0.1", Reach::host},
      {"127.255.255.254", Reach::host},
      {"0.0.0.0", Reach::host},
      {"0.1.2.3", Reach::host},
      {"::1", Reach::host},
      {"::", Reach::host},
      {"::ffff:127.0.0.1", Reach::host},
      {"::127.0.0.1", Reach::host},
      {"64:ff9b::7f00:1", Reach::host},
      {"2002:7f00:1::", Reach::host},
      {"169.254.169.254", Reach::link},
      {"::ffff:a9fe:a9fe", Reach::link},
      {"fe80::1", Reach::link},
      {"febf::1", Reach::link},
      {"100.100.100.200", Reach::link},
      {"168.63.129.16", Reach::link},
      {"fd00:ec2::254", Reach::link},
      {"fd20:ce::254", Reach::link},
      {"2002:a9fe:a9fe::1", Reach::link},
      {"10.0.0.1", Reach::network},
      {"172.16.0.1", Reach::network},
      {"172.31.255.255", Reach::network},
      {"192.168.1.1", Reach::network},
      {"100.64.0.1", Reach::network},
      {"100.127.255.255", Reach::network},
      {"198.19.0.1", Reach::network},
      {"192.0.0.8", Reach::network},
      {"fc00::1", Reach::network},
      {"fdff::1", Reach::network},
      {"fec0::1", Reach::network},
      {"64:ff9b:1::1", Reach::network},
      {"::ffff:10.0.0.1", Reach::network},
      {"64:ff9b::a00:1", Reach::network},
      {"1.1.1.1", Reach::world},
      {"172.32.0.1", Reach::world},
      {"172.15.255.255", Reach::world},
      {"100.128.0.1", Reach::world},
      {"169.253.0.1", Reach::world},
      {"192.169.0.1", Reach::world},
      {"223.255.255.255", Reach::world},
      {"2606:4700::1111", Reach::world},
      {"64:ff9b::101:101", Reach::world},
      {"2001:200::1", Reach::world},
      {"3ffe::1", Reach::world},
      {"224.0.0.1", Reach::nowhere},
      {"240.0.0.1", Reach::network},
      {"255.255.255.255", Reach::nowhere},
      {"ff02::1", Reach::nowhere},
      {"192.0.2.1", Reach::network},
      {"203.0.113.1", Reach::network},
      {"2001:db8::1", Reach::network},
      {"2001::1", Reach::nowhere},
      {"4000::1", Reach::nowhere},
      {"100::1", Reach::nowhere},
      {"3fff:123::1", Reach::network},
  }));
  INFO(address);
  CHECK(http::reach_of(at(address)) == reach);
}

TEST_CASE("an address of this host is its own, another's is not", "[http]") {
  CHECK(http::is_own(at("127.0.0.1")) == true);
  CHECK(http::is_own(at("::ffff:127.0.0.1")) == true);
  CHECK(http::is_own(at("203.0.113.1")) == false);
}

TEST_CASE("a gate lets no nearer than where it has been, and back to where it began", "[http]") {
  Gate gate;
  CHECK(gate.lets(at("127.0.0.1")));
  gate.went_to(at("10.1.1.1", 8080));
  gate.close();
  CHECK(gate.lets(at("10.2.2.2")));
  CHECK(gate.lets(at("1.1.1.1")));
  CHECK(gate.refused().empty());
  CHECK_FALSE(gate.lets(at("127.0.0.1")));
  CHECK(gate.refused() == "127.0.0.1, an address of this host");
  CHECK_FALSE(gate.lets(at("::ffff:169.254.169.254")));
  CHECK(gate.refused() == "169.254.169.254, an address of this host's own link");
  CHECK_FALSE(gate.lets(at("224.0.0.1")));
  CHECK(gate.refused() == "224.0.0.1, an address that no server has");
  gate.went_to(at("1.1.1.1"));
  gate.close();
  CHECK_FALSE(gate.lets(at("10.2.2.2")));
  CHECK_FALSE(gate.lets(at("10.1.1.1", 22)));
  CHECK(gate.lets(at("10.1.1.1", 8080)));
  gate.went_to(at("10.1.1.1", 8080));  // nearer again, but whoever sent there was not
  CHECK_FALSE(gate.lets(at("10.2.2.2")));
  gate.open();
  CHECK(gate.lets(at("127.0.0.1")));
}

TEST_CASE("a redirect of a public server leads to no address of this host or its network, however it is written", "[http]") {
  const Street street;
  RONDA_NEED_STREET(street);
  const Neighbours neighbours(street);
  street.name("93.184.216.34 shop.test\n127.0.0.1 inside.test\n10.77.0.2 till.test\n");
  CHECK(followed("shop.test:8001/ok").is(ronda::status::ok));
  CHECK(followed("127.0.0.1:9001/").is(ronda::status::ok));
  struct Row {
    std::string target, address, whose;
  };
  const std::vector<Row> rows = {
      {"127.0.0.1", "127.0.0.1", "an address of this host"},
      {"inside.test", "127.0.0.1", "an address of this host"},
      {"2130706433", "127.0.0.1", "an address of this host"},
      {"0x7f000001", "127.0.0.1", "an address of this host"},
      {"0177.0.0.1", "127.0.0.1", "an address of this host"},
      {"127.1", "127.0.0.1", "an address of this host"},
      {"0.0.0.0", "0.0.0.0", "an address of this host"},
      {"[::1]", "::1", "an address of this host"},
      {"[::ffff:127.0.0.1]", "127.0.0.1", "an address of this host"},
      {"[::ffff:7f00:1]", "127.0.0.1", "an address of this host"},
      {"10.77.0.1", "10.77.0.1", "an address of this host"},
      {"93.184.216.35", "93.184.216.35", "an address of this host"},
      {"169.254.77.2", "169.254.77.2", "an address of this host's own link"},
      {"2852039166", "169.254.169.254", "an address of this host's own link"},
      {"10.77.0.2", "10.77.0.2", "an address of a private network"},
      {"till.test", "10.77.0.2", "an address of a private network"},
  };
  for (const auto& [target, address, whose] : rows) {
    const auto report = followed("shop.test:8001/to/" + target + ":9001/");
    INFO(target << ": " << report.summary);
    CHECK(report.is(ronda::status::critical));
    CHECK_THAT(report.summary, Catch::StartsWith("redirect refused: http://") &&
                                   Catch::Contains(":9001/ leads to " + address + ", " + whose + "; if it may, name "));
  }
  // to itself, by whatever name, and to what is as far away
  for (const char* target : {"shop.test:8001/ok", "93.184.216.34:8002/ok", "[::ffff:93.184.216.34]:8001/ok"}) {
    const auto report = followed(std::string("shop.test:8001/to/") + target);
    INFO(target << ": " << report.summary);
    CHECK(report.is(ronda::status::ok));
  }
}

TEST_CASE("what is inside may redirect to what is as far inside, and what a redirect leads to gains nothing by a second one", "[http]") {
  const Street street;
  RONDA_NEED_STREET(street);
  const Neighbours neighbours(street);
  CHECK(followed("127.0.0.1:9001/turn").is(ronda::status::ok));
  CHECK(followed("127.0.0.1:9001/out").is(ronda::status::ok));
  CHECK(followed("10.77.0.2:8001/to/10.77.0.2:8002/ok").is(ronda::status::ok));
  CHECK(followed("10.77.0.2:8001/to/93.184.216.34:8001/ok").is(ronda::status::ok));
  CHECK(followed("10.77.0.2:8001/to/93.184.216.34:8001/to/10.77.0.2:8001/ok").is(ronda::status::ok));  // back to where it began
  for (const char* url :
       {"10.77.0.2:8001/to/169.254.77.2:8001/ok", "10.77.0.2:8001/to/10.77.0.1:9001/",
        "10.77.0.2:8001/to/93.184.216.34:8001/to/10.77.0.2:8002/ok", "10.77.0.2:8001/to/93.184.216.34:8001/to/127.0.0.1:9001/"}) {
    const auto report = followed(url);
    INFO(url << ": " << report.summary);
    CHECK(report.is(ronda::status::critical));
    CHECK_THAT(report.summary, Catch::StartsWith("redirect refused: "));
  }
}

TEST_CASE("a name that leads elsewhere when the redirect comes is refused there, and a connection kept by another check is no way in",
          "[http]") {
  const Street street;
  RONDA_NEED_STREET(street);
  const Neighbours neighbours(street);
  street.name("127.0.0.1 turn.test\n93.184.216.34 turn.test\n");
  // of several addresses the one that may be is taken
  CHECK(followed("93.184.216.34:8001/to/turn.test:8002/ok").is(ronda::status::ok));
  street.name("93.184.216.34 turn.test\n");
  street.go_to_shop();
  TinyServer turning([&](int fd) {
    read_request(fd);
    street.name("127.0.0.1 turn.test\n");
    send_text(fd, "HTTP/1.1 302 Found\r\nLocation: http://turn.test:9001/\r\nContent-Length: 0\r\n\r\n");
  });
  const auto inner = std::to_string(turning.port());
  const TempDir relay_dir;
  const Nginx relay(relay_dir.path(),
                    "server { listen 0.0.0.0:8003; location / { proxy_pass http://127.0.0.1:" + inner + "; proxy_redirect off; } }", 8003);
  street.go_home();
  const auto turned = followed("turn.test:8003/");
  INFO(turned.summary);
  CHECK(turned.is(ronda::status::critical));
  CHECK_THAT(turned.summary, Catch::StartsWith("redirect refused: http://turn.test:9001/ leads to 127.0.0.1, "));

  // the client of an origin is shared: who may reach 127.0.0.1 leaves it connected
  const std::string url = "93.184.216.34:8001/to/127.0.0.1:9001/";
  host trusting, strict;
  trusting.set("redirect_hosts", node::list{"127.0.0.1:9001"});
  set_request(trusting, "http://" + url);
  trusting.set("follow_redirects", true);
  auto held = request_check(trusting);
  REQUIRE(held);
  for (int i = 0; i < 2; ++i) {
    const auto let = held.run(within(10s));
    INFO(let.summary);
    CHECK(let.is(ronda::status::ok));
    if (i == 1) CHECK(let.find("connect")->value == 0);
  }
  const auto refused = followed(strict, url);
  INFO(refused.summary);
  CHECK(refused.is(ronda::status::critical));
  CHECK_THAT(refused.summary, Catch::Contains("leads to 127.0.0.1, an address of this host; if it may, name 127.0.0.1 in redirect_hosts"));
}

TEST_CASE("redirect_hosts names hosts, or one port of a host, and nothing else is one", "[http]") {
  const auto [host_text, url, is_it] = GENERATE(table<std::string, std::string, bool>({
      {"Portal.Test", "http://portal.test:81/", true},
      {"portal.test", "https://PORTAL.test/", true},
      {"portal.test:443", "https://portal.test/", true},
      {"portal.test:443", "https://portal.test:444/", false},
      {"portal.test", "http://portal.test.evil.example/", false},
      {"portal.test", "http://portal.test@evil.example/", false},
      {"127.1", "http://0x7f000001/", true},
      {"[::1]:80", "http://[0:0:0:0:0:0:0:1]/", true},
  }));
  INFO(host_text << " and " << url);
  const auto named = http::parse_host(host_text);
  const auto parsed = http::parse_url(url);
  REQUIRE(named);
  REQUIRE(parsed);
  CHECK(http::is_host_of(*named, *parsed) == is_it);
  const std::string none = GENERATE("", "a/b", "http://a", "u@a", "a:99999", "a?b", "*.test x", "%33333333333");
  INFO(none);
  host h;
  set_request(h, "http://127.0.0.1/");
  h.set("redirect_hosts", node::list{none});
  const auto check = request_check(h);
  REQUIRE_FALSE(check);
  CHECK(check.error() == "redirect_hosts[0]: '" + none + "' is no host and no host:port");
}

TEST_CASE("through a proxy a redirect leads to another host only where that is named", "[http]") {
  const TempDir dir;
  const int port = free_port(), proxy = free_port();
  const std::string listen = "server { listen 127.0.0.1:";
  const Nginx nginx(dir.path(),
                    listen + std::to_string(port) + "; server_name a.test b.test; location = /away { return 302 http://b.test/ok; } " +
                        "location = /near { return 302 http://a.test:81/ok; } location = /ok { return 200 ok; } }\n" + listen +
                        std::to_string(proxy) + "; location / { proxy_set_header Host $http_host; proxy_redirect off; proxy_pass " +
                        "http://127.0.0.1:" + std::to_string(port) + "; } }\n",
                    port);
  host h;
  h.set("proxy", "http://127.0.0.1:" + std::to_string(proxy));
  CHECK(followed(h, "a.test/near").is(ronda::status::ok));
  const auto refused = followed(h, "a.test/away");
  CHECK(refused.is(ronda::status::critical));
  CHECK(refused.summary ==
        "redirect refused: http://b.test/ok is another host, and whose address the proxy takes for it cannot be seen "
        "from here; if it may, name b.test in redirect_hosts");
  h.set("redirect_hosts", node::list{"b.test"});
  CHECK(followed(h, "a.test/away").is(ronda::status::ok));
}
