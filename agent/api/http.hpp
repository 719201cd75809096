// SPDX-License-Identifier: Apache-2.0
// HTTP as the two doors speak it: one request at a time, small and strict. This part knows connections, limits
// and who is on the other end; it knows no route and decides nothing about the agent.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace boost::asio {
class io_context;
}

namespace ronda::api {

enum class Role : std::uint8_t { none, reporter, viewer, operator_, approver };
std::string_view name_of(Role role);

/// Who is on the other end, as the door established it; never a name that the caller typed.
struct Identity {
  uid_t uid = static_cast<uid_t>(-1);
  gid_t gid = static_cast<gid_t>(-1);
  std::string name;  // "unix:alice", "token:wallboard"
  Role role = Role::none;
  std::string contact;               // whose token it is; empty: nobody's, or no token
  std::vector<std::string> inboxes;  // of a token: what a reporter may post to
};

struct Request {
  std::string method;
  std::string path;  // decoded, without the query
  std::vector<std::pair<std::string, std::string>> query;
  std::string body;
  Identity who;
  std::string target = {};                                        // as it came
  std::vector<std::pair<std::string, std::string>> headers = {};  // names in small letters, in their order

  std::string_view parameter(std::string_view name) const;
  /// Empty: there is none. More than one of a name: `count_of` says so.
  std::string_view header(std::string_view name) const;
  std::size_t count_of(std::string_view header) const;
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};  // besides the usual ones, or in their place
};

/// Answers by calling `respond` once, now or later, on the loop. A request whose client has gone away is answered
/// to nobody.
using Respond = std::function<void(Response)>;
using Handler = std::function<void(const Request&, Respond respond)>;
/// The role of a peer on the Unix socket. A peer that does not run any more has none, whatever this says.
using PeerRole = std::function<Role(uid_t uid, gid_t gid, const std::vector<gid_t>& groups, pid_t pid)>;

/// {"error": text}
Response error_response(int status, std::string_view text);

class UnixServer {
 public:
  static constexpr std::size_t body_limit = 64 << 10;
  static constexpr std::size_t header_limit = 8 << 10;
  /// Of one user at once; one more is answered 429 before anything else is asked about it. Connections whose request
  /// waits for its answer are counted for themselves, up to their own limit; beyond that they count as the others do.
  static constexpr std::size_t connections_per_uid = 32;
  static constexpr std::size_t waiting_per_uid = 256;

  /// Binds and listens; a stale socket of a dead agent is replaced. A socket that somebody serves and anything else in
  /// its place is refused, and so is a directory that others than root and this user can change. At the end only what
  /// was bound here is removed. `trouble` is told, at most once a minute, that nobody can be let in for want of
  /// descriptors; they are told it too.
  static Result<std::unique_ptr<UnixServer>> open(boost::asio::io_context& loop, const std::string& path, PeerRole role, Handler handler,
                                                  std::function<void(std::string_view)> trouble);
  ~UnixServer();

  /// Takes no new connections and closes those on which nothing is asked. `closed` is called once the others have
  /// their answers and are gone too.
  void close(std::function<void()> closed);
  std::size_t connections() const;

 private:
  class Impl;
  explicit UnixServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

/// One request to an agent's Unix socket, from a program that has no event loop. Errc::unavailable when no agent answers.
Result<Response> call(const std::string& socket_path, std::string_view method, std::string_view target, std::string_view body,
                      std::chrono::milliseconds timeout);

}  // namespace ronda::api
