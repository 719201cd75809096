// SPDX-License-Identifier: Apache-2.0
#include "api/http.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "api/exchange.hpp"
#include "api/peer.hpp"
#include "base/accounts.hpp"
#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/safe_path.hpp"
#include "base/text.hpp"

namespace ronda::api {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;
using asio::generic::stream_protocol;
using boost::system::error_code;

namespace {

/// A file by what it is, not by its name.
struct Inode {
  dev_t device = 0;
  ino_t number = 0;
  bool operator==(const Inode&) const = default;
};

Inode inode_of(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0 ? Inode{found.st_dev, found.st_ino} : Inode{};
}

/// Takes away the socket of an agent that is dead. What serves somebody, or is none of ours, stays.
Status make_room(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return done();
  if (!S_ISSOCK(found.st_mode)) return Error(Errc::exists, path + " exists and is no socket; move it away");
  if (found.st_uid != ::geteuid()) return Error(Errc::denied, path + " belongs to another user");
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (!probe) return system_error("socket", errno);
  const bool connected = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (connected || errno != ECONNREFUSED)
    return Error(Errc::exists, path + " is served by another process; give this agent a socket of its own");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_error("remove the stale " + path, errno);
  return done();
}

void refuse_for_want_of_descriptors(int socket) {
  refuse(socket, 503, "the agent has no descriptor left; LimitNOFILE is its limit");
}

}  // namespace

class UnixServer::Impl : public std::enable_shared_from_this<UnixServer::Impl> {
 public:
  Impl(asio::io_context& loop, PeerRole role, Handler handler, std::function<void(std::string_view)> trouble)
      : loop_(loop), acceptor_(loop), role_(std::move(role)), handler_(std::move(handler)), trouble_(std::move(trouble)) {}

  Status listen(const std::string& path);
  void accept();
  void close(std::function<void()> closed);
  void abandon();
  void welcome(asio::local::stream_protocol::socket socket);
  void remove_socket();
  std::size_t connections() const { return open_.size(); }

 private:
  /// What is open of one user.
  struct Counts {
    std::size_t open = 0;     // but not those that wait
    std::size_t waiting = 0;  // for the answer to a request: a task that runs
  };
  struct Caller {
    Peer peer;
    Identity who;
  };

  Identity identify(const Peer& peer);
  asio::awaitable<void> serve(std::shared_ptr<Stream> stream, std::shared_ptr<const Caller> caller);
  void forget(const std::shared_ptr<Stream>& stream, uid_t uid);
  void keep_reserve() { reserve_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }
  void turn_away();
  void tell_trouble();
  asio::awaitable<bool> serve_one(Stream& stream, beast::flat_buffer& buffer, const Caller& caller, bool first);

  asio::io_context& loop_;
  asio::local::stream_protocol::acceptor acceptor_;
  PeerRole role_;
  Handler handler_;
  std::function<void(std::string_view)> trouble_;
  Descriptor reserve_;  // given up to tell a client that there is no other, and to see who a client is
  std::chrono::nanoseconds told_trouble_{0};
  Accounts accounts_;
  std::string path_;
  Inode bound_;  // what stands there under our name
  std::set<std::shared_ptr<Stream>> open_;
  std::set<const Stream*> asked_;  // those of them with a request that has no answer yet
  std::map<uid_t, Counts> per_uid_;
  bool closed_ = false;
  std::function<void()> on_closed_;
};

Status UnixServer::Impl::listen(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return Error(Errc::invalid, "the socket path " + path + " is longer than 107 bytes");
  // whoever can write to the directory could put a socket of his own there, and be given what is meant for this agent
  RONDA_TRY([[maybe_unused]] const Descriptor directory, open_trusted_directory(std::filesystem::path(path).parent_path(), ::geteuid()));
  RONDA_TRY(std::ignore, make_room(path));
  error_code error;
  acceptor_.open(asio::local::stream_protocol(), error);
  if (!error) acceptor_.bind(path, error);
  if (!error) acceptor_.listen(128, error);
  if (error) return system_error("listen on " + path, error.value());
  keep_reserve();
  path_ = path;
  bound_ = inode_of(path);
  ::chmod(path.c_str(), 0666);  // the peer's credentials decide, not the file's mode
  accept();
  return done();
}

void UnixServer::Impl::accept() {
  acceptor_.async_accept([self = shared_from_this()](const error_code& error, asio::local::stream_protocol::socket socket) {
    if (self->closed_) return;
    if (error) {  // out of descriptors: try again, do not spin
      self->turn_away();
      auto pause = std::make_shared<asio::steady_timer>(self->loop_, std::chrono::milliseconds(100));
      return pause->async_wait([self, pause](const error_code&) {
        if (!self->closed_) self->accept();
      });
    }
    self->welcome(std::move(socket));
    self->accept();
  });
}

/// Those who wait would wait until somebody ends. They are let in on the reserve one after the other, told what is the
/// matter, and let go.
void UnixServer::Impl::turn_away() {
  reserve_.reset();
  for (std::size_t i = 0; i < connections_per_uid; ++i) {
    const Descriptor client(::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) break;
    refuse_for_want_of_descriptors(client.get());
  }
  keep_reserve();
  tell_trouble();
}

void UnixServer::Impl::tell_trouble() {
  const auto now = monotonic();
  if (!trouble_ || (told_trouble_ != std::chrono::nanoseconds(0) && now - told_trouble_ < std::chrono::minutes(1))) return;
  told_trouble_ = now;
  trouble_("no descriptor is left: nobody can be let in, no runner be started, until one is free");
}

void UnixServer::Impl::welcome(asio::local::stream_protocol::socket socket) {
  auto peer = Peer::of(socket.native_handle());
  if (!peer) {  // it was let in with the last one
    refuse_for_want_of_descriptors(socket.native_handle());
    return tell_trouble();
  }
  const uid_t uid = peer->uid();
  Counts& counts = per_uid_[uid];  // first of all: what else is asked about a peer costs more
  if (counts.open >= connections_per_uid) return refuse(socket.native_handle(), 429, "too many connections of this user at once");
  ++counts.open;
  reserve_.reset();  // what /proc says of it is to be readable
  Identity who = identify(*peer);
  keep_reserve();
  const auto caller = std::make_shared<const Caller>(Caller{std::move(*peer), std::move(who)});
  stream_protocol::socket generic(loop_);
  generic.assign(stream_protocol(AF_UNIX, 0), socket.release());
  auto stream = std::make_shared<Stream>(std::move(generic));
  open_.insert(stream);
  asio::co_spawn(loop_, serve(stream, caller),
                 [self = shared_from_this(), stream, uid](const std::exception_ptr&) { self->forget(stream, uid); });
}

Identity UnixServer::Impl::identify(const Peer& peer) {
  Identity who;
  who.uid = peer.uid();
  who.gid = peer.gid();
  who.role = role_(peer.uid(), peer.gid(), peer.groups(), peer.pid());
  if (!peer.is_there()) who.role = Role::none;  // what was just read under its number may be another's
  who.name = "unix:" + accounts_.user_name(peer.uid());
  return who;
}

void UnixServer::Impl::forget(const std::shared_ptr<Stream>& stream, uid_t uid) {
  asked_.erase(stream.get());
  open_.erase(stream);
  Counts& counts = per_uid_[uid];
  if (--counts.open == 0 && counts.waiting == 0) per_uid_.erase(uid);
  if (open_.empty() && on_closed_) std::exchange(on_closed_, nullptr)();
}

void UnixServer::Impl::close(std::function<void()> closed) {
  closed_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  remove_socket();
  if (open_.empty()) return asio::post(loop_, std::move(closed));
  on_closed_ = std::move(closed);
  for (const auto& stream : open_) {
    if (!asked_.contains(stream.get())) stream->close();
  }
}

void UnixServer::Impl::abandon() {
  const bool was_closed = std::exchange(closed_, true);
  on_closed_ = nullptr;
  error_code ignored;
  acceptor_.close(ignored);
  for (const auto& stream : open_) stream->close();
  if (!was_closed) remove_socket();
}

void UnixServer::Impl::remove_socket() {
  if (!path_.empty() && inode_of(path_) == bound_) ::unlink(path_.c_str());  // another's in its place stays
}

asio::awaitable<void> UnixServer::Impl::serve(std::shared_ptr<Stream> stream, std::shared_ptr<const Caller> caller) {
  beast::flat_buffer buffer(header_limit + body_limit);
  for (bool first = true; !closed_ && co_await serve_one(*stream, buffer, *caller, first); first = false) {
  }
}

asio::awaitable<bool> UnixServer::Impl::serve_one(Stream& stream, beast::flat_buffer& buffer, const Caller& caller, bool first) {
  Incoming in;
  co_await read_request(stream, buffer, first, in);
  if (in.what == Incoming::What::gone) co_return false;
  if (in.what == Incoming::What::refused) {
    co_await write_response(stream, in.refusal, in, false);
    co_return false;
  }
  Request& request = in.request;
  request.who = caller.who;
  // a connection that its maker left to others speaks for nobody; who waits for an answer is there
  if (!caller.peer.is_there()) request.who.role = Role::none;
  asked_.insert(&stream);
  Response response = error_response(403, "this socket is not for you");
  // this connection counts in it until it is forgotten; beyond the limit waiting ones count as the others do
  Counts& counts = per_uid_[request.who.uid];
  const bool apart = counts.waiting < waiting_per_uid;
  const WaitTold waiting = [&counts, apart](bool begins) {
    if (!apart) return;
    if (begins)
      ++counts.waiting, --counts.open;
    else
      --counts.waiting, ++counts.open;
  };
  if (request.who.role != Role::none) response = co_await ask(loop_, handler_, request, waiting);
  const bool taken = co_await write_response(stream, response, in, in.keep_alive && !closed_);
  asked_.erase(&stream);
  if (!taken) co_return false;
  co_return in.keep_alive;
}

Result<std::unique_ptr<UnixServer>> UnixServer::open(asio::io_context& loop, const std::string& path, PeerRole role, Handler handler,
                                                     std::function<void(std::string_view)> trouble) {
  auto impl = std::make_shared<Impl>(loop, std::move(role), std::move(handler), std::move(trouble));
  RONDA_TRY([[maybe_unused]] auto listening, impl->listen(path));
  return std::unique_ptr<UnixServer>(new UnixServer(std::move(impl)));
}

UnixServer::~UnixServer() {
  impl_->abandon();
}
void UnixServer::close(std::function<void()> closed) {
  impl_->close(std::move(closed));
}
std::size_t UnixServer::connections() const {
  return impl_->connections();
}

Result<Response> call(const std::string& socket_path, std::string_view method, std::string_view target, std::string_view body,
                      std::chrono::milliseconds timeout) {
  if (socket_path.size() >= sizeof(sockaddr_un::sun_path))
    return Error(Errc::invalid, "the socket path " + socket_path + " is longer than 107 bytes");
  asio::io_context loop;
  Stream stream(loop.get_executor());
  http::request<http::string_body> request(http::string_to_verb(beast::string_view(method.data(), method.size())),
                                           beast::string_view(target.data(), target.size()), 11);
  request.set(http::field::host, "localhost");
  request.body() = body;
  request.prepare_payload();
  http::response_parser<http::string_body> parser;
  parser.body_limit(std::uint64_t{256} << 20);
  beast::flat_buffer buffer;
  error_code error;
  stream.expires_after(timeout);
  const auto exchange = [&]() -> asio::awaitable<void> {
    co_await stream.async_connect(stream_protocol::endpoint(asio::local::stream_protocol::endpoint(socket_path)),
                                  asio::redirect_error(asio::use_awaitable, error));
    if (!error) co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, error));
    // who refuses a connection answers unasked and closes: what it said is there all the same
    if (!error || error == asio::error::broken_pipe)
      co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
  };
  asio::co_spawn(loop, exchange, [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
  loop.run();
  if (error) return Error(Errc::unavailable, "no agent answers on " + socket_path + ": " + error.message());
  Response response;
  response.status = static_cast<int>(parser.get().result_int());
  response.content_type = parser.get()[http::field::content_type];
  response.body = std::move(parser.get().body());
  return response;
}

}  // namespace ronda::api
