// SPDX-License-Identifier: Apache-2.0
// How near an address is to this host, and by that where a redirect may lead: what a server answers is data, and must not
// make this host ask what the server itself cannot reach (decision 0102).
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace http {

/// The nearest first. To `nowhere` (multicast, broadcast, what IPv6 has given to nobody) nothing leads.
enum class Reach { host, link, network, world, nowhere };

/// An address with its port; IPv4 as IPv6 writes it, ::ffff:a.b.c.d.
struct Endpoint {
  std::array<std::uint8_t, 16> bytes{};
  std::uint16_t port = 0;

  bool operator==(const Endpoint& other) const { return bytes == other.bytes && port == other.port; }
};

std::optional<Endpoint> endpoint_of(const sockaddr* address);
/// Of an address in digits.
std::optional<Endpoint> endpoint_of(const char* address, long port);
/// "10.0.0.1" or "fe80::1", without the port.
std::string text_of(const Endpoint& endpoint);

/// By the address alone. Pure.
Reach reach_of(const Endpoint& endpoint);
/// Whether it is one of this host's own, by its routes; nothing is sent. None: it cannot be found out.
std::optional<bool> is_own(const Endpoint& endpoint);

/// What the requests of one exchange may connect to. It is asked about every address at the moment of its use: a name that
/// leads elsewhere than it did a moment ago gains nothing.
class Gate {
 public:
  /// For the URL of the configuration, and for hosts that it names: to anything.
  void open() { set(true); }
  /// For any other: to addresses no nearer than those that were told by `went_to`, or to the first of them, at its port.
  void close() { set(false); }
  bool is_closed() const { return !is_open_; }
  void went_to(const Endpoint& endpoint);

  bool lets(const Endpoint& endpoint);
  /// The last address that was not let since then, and whose it is: "127.0.0.1, an address of this host"; empty: none.
  const std::string& refused() const { return refused_; }

 private:
  void set(bool is_open) {
    is_open_ = is_open;
    refused_.clear();
  }

  bool is_open_ = true;
  Reach nearest_ = Reach::host;
  std::optional<Endpoint> first_;
  std::string refused_;
};

}  // namespace http
