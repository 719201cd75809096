// SPDX-License-Identifier: Apache-2.0
#include "reach.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace http {
namespace {

/// The addresses whose first `bits` are those of `start`.
struct Block {
  std::array<std::uint8_t, 16> start;
  int bits;
  Reach reach;

  bool holds(const Endpoint& endpoint) const {
    const auto whole = static_cast<std::size_t>(bits / 8);
    if (!std::equal(start.begin(), start.begin() + static_cast<std::ptrdiff_t>(whole), endpoint.bytes.begin())) return false;
    const int rest = bits % 8;
    return rest == 0 || (start[whole] ^ endpoint.bytes[whole]) >> (8 - rest) == 0;
  }
};

constexpr Block v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, int bits, Reach reach) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, 96 + bits, reach};
}

/// Of IANA's registries of special addresses, the narrower first. Link: also where clouds tell a host its secrets. What is for
/// documentation or reserved leads nowhere in public: where somebody answers at it, that is a private network.
constexpr Block v4_blocks[] = {
    v4(100, 100, 100, 200, 32, Reach::link), v4(168, 63, 129, 16, 32, Reach::link),      v4(192, 0, 0, 192, 32, Reach::link),
    v4(0, 0, 0, 0, 8, Reach::host),          v4(127, 0, 0, 0, 8, Reach::host),           v4(169, 254, 0, 0, 16, Reach::link),
    v4(10, 0, 0, 0, 8, Reach::network),      v4(100, 64, 0, 0, 10, Reach::network),      v4(172, 16, 0, 0, 12, Reach::network),
    v4(192, 0, 0, 0, 24, Reach::network),    v4(192, 168, 0, 0, 16, Reach::network),     v4(198, 18, 0, 0, 15, Reach::network),
    v4(192, 0, 2, 0, 24, Reach::network),    v4(198, 51, 100, 0, 24, Reach::network),    v4(203, 0, 113, 0, 24, Reach::network),
    v4(224, 0, 0, 0, 4, Reach::nowhere),     v4(255, 255, 255, 255, 32, Reach::nowhere), v4(240, 0, 0, 0, 4, Reach::network),
    v4(0, 0, 0, 0, 0, Reach::world),
};

constexpr Block v6_blocks[] = {
    {{0xfd, 0x00, 0x0e, 0xc2}, 32, Reach::link},
    {{0xfd, 0x20, 0x00, 0xce}, 32, Reach::link},
    {{0xfe, 0x80}, 10, Reach::link},
    {{0xfe, 0xc0}, 10, Reach::network},
    {{0xfc}, 7, Reach::network},
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, Reach::network},
    {{0x20, 0x01, 0x00}, 23, Reach::nowhere},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, Reach::network},
    {{0x3f, 0xff, 0x00}, 20, Reach::network},
    {{0x20}, 3, Reach::world},
};

/// Where in an address an IPv4 one stands that it leads to.
struct Wrapping {
  Block block;
  std::size_t at;
};

constexpr Wrapping wrappings[] = {
    {{{0x00, 0x64, 0xff, 0x9b}, 96, Reach::world}, 12},  // NAT64
    {{{0x20, 0x02}, 16, Reach::world}, 2},               // 6to4
    {{{}, 96, Reach::world}, 12},                        // "IPv4-compatible"; :: and ::1 are 0.0.0.0/8 by that, too
};

/// As the IPv4 address in it, where it is a wrapped one.
Endpoint unwrapped(const Endpoint& endpoint) {
  for (const auto& [block, at] : wrappings) {
    if (!block.holds(endpoint)) continue;
    Endpoint inner = endpoint;
    inner.bytes = v4(endpoint.bytes[at], endpoint.bytes[at + 1], endpoint.bytes[at + 2], endpoint.bytes[at + 3], 0, Reach::world).start;
    return inner;
  }
  return endpoint;
}

template <std::size_t Size>
Reach first_of(const Block (&blocks)[Size], const Endpoint& endpoint) {
  const auto found = std::find_if(std::begin(blocks), std::end(blocks), [&](const Block& one) { return one.holds(endpoint); });
  return found == std::end(blocks) ? Reach::nowhere : found->reach;
}

bool is_v4(const Endpoint& endpoint) {
  return v4(0, 0, 0, 0, 0, Reach::world).holds(endpoint);
}

sockaddr_in6 socket_address(const Endpoint& endpoint) {
  sockaddr_in6 out{};
  out.sin6_family = AF_INET6;
  out.sin6_port = htons(endpoint.port);
  std::memcpy(&out.sin6_addr, endpoint.bytes.data(), endpoint.bytes.size());
  return out;
}

sockaddr_in socket_address_v4(const Endpoint& endpoint) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(endpoint.port);
  std::memcpy(&out.sin_addr, endpoint.bytes.data() + 12, 4);
  return out;
}

Reach nearest_of(const Endpoint& endpoint, bool if_unknown) {
  return is_own(endpoint).value_or(if_unknown) ? Reach::host : reach_of(endpoint);
}

const char* whose(Reach reach) {
  switch (reach) {
    case Reach::host:
      return "an address of this host";
    case Reach::link:
      return "an address of this host's own link";
    case Reach::network:
      return "an address of a private network";
    case Reach::world:
      return "a public address";
    case Reach::nowhere:
      break;
  }
  return "an address that no server has";
}

}  // namespace

std::optional<Endpoint> endpoint_of(const sockaddr* address) {
  Endpoint out;
  if (address->sa_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, address, sizeof in);
    out.bytes = v4(0, 0, 0, 0, 0, Reach::world).start;
    std::memcpy(out.bytes.data() + 12, &in.sin_addr, 4);
    out.port = ntohs(in.sin_port);
    return out;
  }
  if (address->sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 in;
  std::memcpy(&in, address, sizeof in);
  std::memcpy(out.bytes.data(), &in.sin6_addr, out.bytes.size());
  out.port = ntohs(in.sin6_port);
  return out;
}

std::optional<Endpoint> endpoint_of(const char* address, long port) {
  Endpoint out;
  out.port = static_cast<std::uint16_t>(port);
  if (inet_pton(AF_INET6, address, out.bytes.data()) == 1) return out;
  out.bytes = v4(0, 0, 0, 0, 0, Reach::world).start;
  if (inet_pton(AF_INET, address, out.bytes.data() + 12) == 1) return out;
  return std::nullopt;
}

std::string text_of(const Endpoint& endpoint) {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_v4(endpoint))
    inet_ntop(AF_INET, endpoint.bytes.data() + 12, text, sizeof text);
  else
    inet_ntop(AF_INET6, endpoint.bytes.data(), text, sizeof text);
  return text;
}

Reach reach_of(const Endpoint& endpoint) {
  const auto inner = unwrapped(endpoint);
  return is_v4(inner) ? first_of(v4_blocks, inner) : first_of(v6_blocks, inner);
}

std::optional<bool> is_own(const Endpoint& endpoint) {
  const auto inner = unwrapped(endpoint);
  const bool old = is_v4(inner);
  // what this host would send to itself it would send from the very same address
  const int fd = socket(old ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::nullopt;
  const auto to_v4 = socket_address_v4(inner);
  const auto to_v6 = socket_address(inner);
  const bool has_route = old ? connect(fd, reinterpret_cast<const sockaddr*>(&to_v4), sizeof to_v4) == 0
                             : connect(fd, reinterpret_cast<const sockaddr*>(&to_v6), sizeof to_v6) == 0;
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  const bool is_known = has_route && getsockname(fd, reinterpret_cast<sockaddr*>(&from), &size) == 0;
  close(fd);
  const auto source = is_known ? endpoint_of(reinterpret_cast<const sockaddr*>(&from)) : std::nullopt;
  return source && source->bytes == inner.bytes;
}

void Gate::went_to(const Endpoint& endpoint) {
  if (!first_) first_ = endpoint;
  nearest_ = std::max(nearest_, std::min(nearest_of(endpoint, false), Reach::world));
}

bool Gate::lets(const Endpoint& endpoint) {
  const auto reach = is_open_ || endpoint == first_ ? Reach::world : nearest_of(endpoint, true);  // what is not known opens no way
  if (reach >= nearest_ && reach != Reach::nowhere) {
    refused_.clear();  // of an address tried before this one: how this one ends is what counts
    return true;
  }
  refused_ = text_of(endpoint) + ", " + whose(reach);
  return false;
}

}  // namespace http
