// SPDX-License-Identifier: Apache-2.0
// Failed logins in the words of sshd and PostgreSQL. Pure. User names are what an attacker typed: a source is
// taken only from where the server wrote it, and only if it is an address.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace host {

struct LoginFailure {
  std::string_view service;  // "sshd", "postgresql"
  std::string source;        // an address, "local" or "unknown"
  std::string user;
  std::uint64_t times = 1;  // more for a line that syslog folded: "message repeated N times: [ ... ]"
};

/// Keeps what joins lines: PostgreSQL names the address in another line than the failure, and sshd reports
/// the end of a connection whose failures it reported already. Bounded.
class FailureReader {
 public:
  std::optional<LoginFailure> read(std::string_view line);

 private:
  std::optional<LoginFailure> read_sshd(std::string_view message);
  std::optional<LoginFailure> read_postgresql(std::string_view line);

  std::set<std::string> failed_connections_;          // "address port"
  std::map<std::string, std::string> backend_hosts_;  // pid -> address
};

/// Counts by source, most first; sources beyond 10,000 are counted as "others".
class FailureCount {
 public:
  void add(const LoginFailure& failure);
  std::uint64_t total() const { return total_; }

  struct Source {
    std::string address;
    std::uint64_t count = 0;
    std::set<std::string> users;  // at most 5
  };
  std::vector<Source> top(std::size_t limit) const;
  std::uint64_t of_service(std::string_view service) const;

 private:
  std::map<std::string, Source> sources_;
  std::map<std::string, std::uint64_t, std::less<>> services_;
  std::uint64_t total_ = 0;
};

}  // namespace host
