// SPDX-License-Identifier: Apache-2.0
#include "api/tcp.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <set>
#include <tuple>
#include <utility>

#include "api/exchange.hpp"

namespace ronda::api {
namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

Result<tcp::endpoint> endpoint_of(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  std::string host = listen.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  unsigned short port = 0;
  const std::string_view digits = colon == std::string::npos ? std::string_view() : std::string_view(listen).substr(colon + 1);
  const auto [end, number] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error || digits.empty() || number != std::errc() || end != digits.data() + digits.size() || !address.is_loopback())
    return Error(Errc::invalid, "[api] listen: \"" + listen + "\" is no loopback address with a port, for example \"127.0.0.1:8080\"");
  return tcp::endpoint(address, port);
}

}  // namespace

class TcpServer::Impl : public std::enable_shared_from_this<TcpServer::Impl> {
 public:
  Impl(asio::io_context& loop, Handler handler) : loop_(loop), acceptor_(loop), handler_(std::move(handler)) {}

  Status listen(const std::string& address);
  void accept();
  void close(std::function<void()> closed);
  void abandon();
  const std::string& address() const { return address_; }

 private:
  void welcome(tcp::socket socket);
  asio::awaitable<void> serve(std::shared_ptr<Stream> stream);
  asio::awaitable<bool> serve_one(Stream& stream, beast::flat_buffer& buffer, bool first);
  void forget(const std::shared_ptr<Stream>& stream);

  asio::io_context& loop_;
  tcp::acceptor acceptor_;
  Handler handler_;
  std::string address_;
  std::set<std::shared_ptr<Stream>> open_;
  std::set<const Stream*> asked_;  // those of them with a request that has no answer yet
  bool closed_ = false;
  std::function<void()> on_closed_;
};

Status TcpServer::Impl::listen(const std::string& address) {
  RONDA_TRY(const tcp::endpoint wanted, endpoint_of(address));
  error_code error;
  acceptor_.open(wanted.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(wanted, error);
  if (!error) acceptor_.listen(128, error);
  if (error) return system_error("listen on " + address, error.value());
  const tcp::endpoint bound = acceptor_.local_endpoint(error);
  const std::string host = bound.address().to_string();
  address_ = (bound.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(bound.port());
  accept();
  return done();
}

void TcpServer::Impl::accept() {
  acceptor_.async_accept([self = shared_from_this()](const error_code& error, tcp::socket socket) {
    if (self->closed_) return;
    if (error) {  // out of descriptors: the other door says so; try again, do not spin
      auto pause = std::make_shared<asio::steady_timer>(self->loop_, std::chrono::milliseconds(100));
      return pause->async_wait([self, pause](const error_code&) {
        if (!self->closed_) self->accept();
      });
    }
    self->welcome(std::move(socket));
    self->accept();
  });
}

void TcpServer::Impl::welcome(tcp::socket socket) {
  if (open_.size() >= most_connections) return refuse(socket.native_handle(), 503, "too many connections at once");
  const int family = acceptor_.local_endpoint().protocol().family();
  asio::generic::stream_protocol::socket generic(loop_);
  generic.assign(asio::generic::stream_protocol(family, IPPROTO_TCP), socket.release());
  auto stream = std::make_shared<Stream>(std::move(generic));
  open_.insert(stream);
  asio::co_spawn(loop_, serve(stream), [self = shared_from_this(), stream](const std::exception_ptr&) { self->forget(stream); });
}

void TcpServer::Impl::forget(const std::shared_ptr<Stream>& stream) {
  asked_.erase(stream.get());
  open_.erase(stream);
  if (open_.empty() && on_closed_) std::exchange(on_closed_, nullptr)();
}

asio::awaitable<void> TcpServer::Impl::serve(std::shared_ptr<Stream> stream) {
  beast::flat_buffer buffer(UnixServer::header_limit + UnixServer::body_limit);
  for (bool first = true; !closed_ && co_await serve_one(*stream, buffer, first); first = false) {
  }
}

asio::awaitable<bool> TcpServer::Impl::serve_one(Stream& stream, beast::flat_buffer& buffer, bool first) {
  Incoming in;
  co_await read_request(stream, buffer, first, in);
  if (in.what == Incoming::What::gone) co_return false;
  if (in.what == Incoming::What::refused) {
    co_await write_response(stream, in.refusal, in, false);
    co_return false;
  }
  asked_.insert(&stream);
  const WaitTold waiting = [](bool) {};
  Response response = co_await ask(loop_, handler_, in.request, waiting);
  const bool keep_alive = in.keep_alive && !closed_;
  const bool taken = co_await write_response(stream, response, in, keep_alive);
  asked_.erase(&stream);
  co_return taken&& keep_alive;
}

void TcpServer::Impl::close(std::function<void()> closed) {
  closed_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  if (open_.empty()) return asio::post(loop_, std::move(closed));
  on_closed_ = std::move(closed);
  for (const auto& stream : open_) {
    if (!asked_.contains(stream.get())) stream->close();
  }
}

void TcpServer::Impl::abandon() {
  closed_ = true;
  on_closed_ = nullptr;
  error_code ignored;
  acceptor_.close(ignored);
  for (const auto& stream : open_) stream->close();
}

Result<std::unique_ptr<TcpServer>> TcpServer::open(asio::io_context& loop, const std::string& listen, Handler handler) {
  auto impl = std::make_shared<Impl>(loop, std::move(handler));
  RONDA_TRY(std::ignore, impl->listen(listen));
  return std::unique_ptr<TcpServer>(new TcpServer(std::move(impl)));
}

TcpServer::~TcpServer() {
  impl_->abandon();
}
void TcpServer::close(std::function<void()> closed) {
  impl_->close(std::move(closed));
}
const std::string& TcpServer::address() const {
  return impl_->address();
}

}  // namespace ronda::api
