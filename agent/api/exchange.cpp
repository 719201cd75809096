// SPDX-License-Identifier: Apache-2.0
#include "api/exchange.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http.hpp>
#include <memory>
#include <optional>

#include "api/message.hpp"

namespace ronda::api {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

namespace {

constexpr auto idle_limit = std::chrono::seconds(30);  // between two requests of a connection

/// The first bytes of a request may take long to come, unless nothing was ever asked; what follows them may not.
asio::awaitable<error_code> await_request(Stream& stream, beast::flat_buffer& buffer, bool first) {
  error_code error;
  if (buffer.size() > 0) co_return error;
  stream.expires_after(first ? request_limit : idle_limit);
  const auto room = buffer.prepare(UnixServer::header_limit);
  buffer.commit(co_await stream.async_read_some(room, asio::redirect_error(asio::use_awaitable, error)));
  co_return error == asio::error::eof ? error_code(http::error::end_of_stream) : error;
}

int reading_status(const error_code& error) {
  if (error == http::error::body_limit) return 413;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) return 431;
  if (error == beast::error::timeout) return 408;
  return 400;
}

}  // namespace

/// The one answer to a connection that is not let in, as far as the kernel takes it at once.
void refuse(int socket, int status, std::string_view why) {
  const Response response = error_response(status, why);
  const std::string text =
      "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(http::obsolete_reason(static_cast<http::status>(status))) +
      "\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(response.body.size()) + "\r\n\r\n" +
      response.body;
  ::send(socket, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  ::shutdown(socket, SHUT_WR);
  std::array<char, 4096> asked{};
  (void)::recv(socket, asked.data(), asked.size(), MSG_DONTWAIT);  // what is left unread resets the connection
}

asio::awaitable<void> read_request(Stream& stream, beast::flat_buffer& buffer, bool first, Incoming& in) {
  RequestParser parser;
  set_limits(parser);
  error_code error = co_await await_request(stream, buffer, first);
  stream.expires_after(request_limit);
  if (!error) co_await http::async_read_header(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
  // a body is told by its length: in pieces, or coded otherwise, it is none that fits
  const bool coded = !error && is_coded(parser);
  if (!error && !coded) {
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
  }
  if (error == http::error::end_of_stream || error == asio::error::operation_aborted) co_return;
  in.what = Incoming::What::refused;
  if (error || coded) {
    in.refusal = coded ? error_response(413, "a body has a Content-Length here, and no Transfer-Encoding")
                       : error_response(reading_status(error), "the request cannot be read");
    co_return;
  }
  in.what = Incoming::What::request;
  auto message = parser.release();
  in.version = message.version();
  in.keep_alive = message.keep_alive();
  in.request = request_of(std::move(message));
  stream.expires_never();
}

/// Waits for the handler's answer; a timer that never fires on its own is what it is waited on with.
asio::awaitable<Response> ask(asio::io_context& loop, const Handler& handler, const Request& request, const WaitTold& waiting) {
  struct Slot {
    explicit Slot(asio::io_context& of) : ready(of, asio::steady_timer::time_point::max()) {}
    asio::steady_timer ready;
    std::optional<Response> response;
  };
  struct Answerer {
    explicit Answerer(std::shared_ptr<Slot> one) : slot(std::move(one)) {}
    std::shared_ptr<Slot> slot;
    void answer(Response response) {
      if (slot->response) return;
      slot->response = std::move(response);
      slot->ready.cancel();
    }
    ~Answerer() { answer(error_response(503, "what was asked for is not there any more")); }
  };
  const auto slot = std::make_shared<Slot>(loop);
  // whoever drops the callback uncalled (a check that a reload removed) has answered with that
  handler(request, [answerer = std::make_shared<Answerer>(slot)](Response response) { answerer->answer(std::move(response)); });
  error_code ignored;
  if (!slot->response) {
    waiting(true);
    co_await slot->ready.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    waiting(false);
  }
  co_return std::move(*slot->response);
}

asio::awaitable<bool> write_response(Stream& stream, Response& response, const Incoming& in, bool keep_alive) {
  http::response<http::string_body> message(static_cast<http::status>(response.status), in.version);
  message.set(http::field::content_type, response.content_type);
  message.set(http::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  message.set("Content-Security-Policy",
              "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
              "form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
  for (const auto& [name, value] : response.headers) message.set(name, value);
  message.keep_alive(keep_alive);
  message.body() = std::move(response.body);
  message.prepare_payload();
  if (in.request.method == "HEAD") message.body().clear();
  error_code error;
  stream.expires_after(request_limit);
  co_await http::async_write(stream, message, asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

}  // namespace ronda::api
