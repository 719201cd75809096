// SPDX-License-Identifier: Apache-2.0
#include "login_failures.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "text.hpp"

namespace host {
namespace {

constexpr std::size_t most_remembered = 4096;
constexpr std::size_t most_sources = 10'000;
constexpr std::uint64_t most_folded = 1'000'000;
constexpr std::size_t npos = std::string_view::npos;

bool starts_with(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

bool is_address(std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> parsed;
  const std::string copy(text.substr(0, text.find('%')));  // fe80::1%eth0
  return inet_pton(AF_INET, copy.c_str(), parsed.data()) == 1 ||
         inet_pton(AF_INET6, copy.c_str(), parsed.data()) == 1;
}

std::string address_or_unknown(std::string_view text) {
  if (text == "[local]") return "local";
  return is_address(text) ? std::string(text) : std::string("unknown");
}

/// "... sshd[123]: MESSAGE"; empty when another program wrote the line.
std::string_view sshd_message(std::string_view line) {
  const std::size_t colon = line.find("]: ");
  if (colon == npos) return {};
  const std::string_view before = line.substr(0, colon);
  const std::string_view tag = before.substr(before.rfind(' ') + 1);
  if (!starts_with(tag, "sshd[") && !starts_with(tag, "sshd-session[")) return {};
  return line.substr(colon + 3);
}

/// syslog writes a message that comes again at once as "message repeated N times: [ MESSAGE]". N is at most
/// what one line can stand for in good faith: it is the logger that writes it, but the file may be damaged.
struct Folded {
  std::string_view message;
  std::uint64_t times = 1;
};

Folded unfold(std::string_view message) {
  constexpr std::string_view begin = "message repeated ", middle = " times: [ ";
  const std::size_t split = message.find(middle);
  if (!starts_with(message, begin) || split == npos || message.back() != ']') return {message};
  const auto times = to_u64(message.substr(begin.size(), split - begin.size()));
  if (!times || *times == 0 || *times > most_folded) return {message};
  message = message.substr(split + middle.size());
  return {message.substr(0, message.size() - 1), *times};
}

struct Peer {
  std::string_view user, address, port;
};

/// "USER ADDRESS port N", read from the right: the user may be any text.
std::optional<Peer> read_peer(std::string_view text, std::string_view between) {
  const std::size_t port = text.rfind(" port ");
  if (port == npos) return std::nullopt;
  const std::string_view head = text.substr(0, port);
  const std::size_t split = head.rfind(between);
  if (split == npos) return std::nullopt;
  const std::string_view rest = text.substr(port + 6);
  return Peer{head.substr(0, split), head.substr(split + between.size()), rest.substr(0, rest.find(' '))};
}

/// "[123]" in a PostgreSQL line prefix.
std::string backend_pid(std::string_view prefix) {
  for (std::size_t at = prefix.find('['); at != npos; at = prefix.find('[', at + 1)) {
    const std::string_view inside = prefix.substr(at + 1, prefix.find(']', at) - at - 1);
    if (to_u64(inside)) return std::string(inside);
  }
  return {};
}

/// An address that the line prefix names: "10.0.0.1", "10.0.0.1(5432)", "host=10.0.0.1", "[local]".
std::string prefix_address(std::string_view prefix) {
  for (std::string_view word : fields(prefix)) {
    const std::size_t equals = word.rfind('=');
    if (equals != npos) word = word.substr(equals + 1);
    word = word.substr(0, word.find('('));
    while (!word.empty() && (word.back() == ',' || word.back() == ':')) word.remove_suffix(1);
    if (word == "[local]" || is_address(word)) return address_or_unknown(word);
  }
  return {};
}

/// The text between quotes after `key`.
std::optional<std::string_view> quoted_after(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == npos) return std::nullopt;
  const std::string_view rest = text.substr(at + key.size());
  return rest.substr(0, rest.find('"'));
}

bool is_login_failure(std::string_view message) {
  return message.find("authentication failed for user \"") != npos ||
         starts_with(message, "no pg_hba.conf entry for ") || starts_with(message, "pg_hba.conf rejects ") ||
         (starts_with(message, "role \"") && message.find("\" does not exist") != npos);
}

}  // namespace

std::optional<LoginFailure> FailureReader::read(std::string_view line) {
  if (line.empty() || line[0] == '\t')
    return std::nullopt;  // a continuation, which the client may have written
  const std::string_view message = sshd_message(line);
  if (message.empty()) return read_postgresql(line);
  const Folded folded = unfold(message);
  auto failure = read_sshd(folded.message);
  if (failure) failure->times = folded.times;
  return failure;
}

std::optional<LoginFailure> FailureReader::read_sshd(std::string_view message) {
  static constexpr std::array<std::string_view, 6> ends = {
      "Connection closed by invalid user ", "Connection closed by authenticating user ",
      "Connection reset by invalid user ",  "Connection reset by authenticating user ",
      "Disconnected from invalid user ",    "Disconnected from authenticating user "};
  if (failed_connections_.size() > most_remembered) failed_connections_.clear();
  const std::size_t method_end = message.find(" for ");
  if (starts_with(message, "Failed ") && !starts_with(message, "Failed none ") && method_end != npos) {
    std::string_view who = message.substr(method_end + 5);
    if (starts_with(who, "invalid user ")) who.remove_prefix(13);
    const auto peer = read_peer(who, " from ");
    if (!peer) return std::nullopt;
    failed_connections_.insert(std::string(peer->address) + " " + std::string(peer->port));
    return LoginFailure{"sshd", address_or_unknown(peer->address), std::string(peer->user)};
  }
  for (const std::string_view end : ends) {
    if (!starts_with(message, end)) continue;
    const auto peer = read_peer(message.substr(end.size()), " ");
    // one that tried passwords was counted with each of them
    if (!peer || failed_connections_.count(std::string(peer->address) + " " + std::string(peer->port)) > 0)
      break;
    return LoginFailure{"sshd", address_or_unknown(peer->address), std::string(peer->user)};
  }
  return std::nullopt;
}

std::optional<LoginFailure> FailureReader::read_postgresql(std::string_view line) {
  constexpr std::string_view received = "connection received: host=";
  if (backend_hosts_.size() > most_remembered) backend_hosts_.clear();
  const std::size_t log = line.find("LOG:  ");
  if (log != npos && starts_with(line.substr(log + 6), received)) {
    const std::string_view rest = line.substr(log + 6 + received.size());
    backend_hosts_[backend_pid(line.substr(0, log))] = address_or_unknown(rest.substr(0, rest.find(' ')));
    return std::nullopt;
  }
  const std::size_t fatal = line.find("FATAL:  ");
  if (fatal == npos) return std::nullopt;
  const std::string_view prefix = line.substr(0, fatal);
  const std::string_view message = line.substr(fatal + 8);
  if (!is_login_failure(message)) return std::nullopt;
  LoginFailure failure;
  failure.service = "postgresql";
  failure.user = quoted_after(message, starts_with(message, "role \"") ? "role \"" : "user \"").value_or("");
  failure.source = prefix_address(prefix);
  const auto known = backend_hosts_.find(backend_pid(prefix));
  if (failure.source.empty() && known != backend_hosts_.end()) failure.source = known->second;
  if (failure.source.empty())
    failure.source = address_or_unknown(quoted_after(message, "for host \"").value_or(""));
  return failure;
}

void FailureCount::add(const LoginFailure& failure) {
  total_ += failure.times;
  services_[std::string(failure.service)] += failure.times;
  const bool room = sources_.size() < most_sources || sources_.count(failure.source) > 0;
  Source& source = sources_[room ? failure.source : "others"];
  source.address = room ? failure.source : "others";
  source.count += failure.times;
  if (source.users.size() < 5) source.users.insert(failure.user.substr(0, 64));
}

std::vector<FailureCount::Source> FailureCount::top(std::size_t limit) const {
  std::vector<Source> out;
  for (const auto& [address, source] : sources_) out.push_back(source);
  std::stable_sort(out.begin(), out.end(),
                   [](const Source& a, const Source& b) { return a.count > b.count; });
  if (out.size() > limit) out.resize(limit);
  return out;
}

std::uint64_t FailureCount::of_service(std::string_view service) const {
  const auto found = services_.find(service);
  return found == services_.end() ? 0 : found->second;
}

}  // namespace host
