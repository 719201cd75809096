// SPDX-License-Identifier: Apache-2.0
// One request and its answer on a connection, the same for both doors: small and strict. Beast is compiled here and nowhere
// else; the servers see its types and none of its templates.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>

#include "api/http.hpp"

namespace ronda::api {

using Stream = boost::beast::basic_stream<boost::asio::generic::stream_protocol, boost::asio::any_io_executor>;

inline constexpr auto request_limit = std::chrono::seconds(5);  // for a request to arrive, and for a response to be taken

/// What came in.
struct Incoming {
  enum class What : std::uint8_t { gone, refused, request } what = What::gone;
  Request request;   // who: nobody yet
  Response refusal;  // where it cannot be read
  unsigned version = 11;
  bool keep_alive = false;
};

// All by reference to what the caller's frame names: g++ 12 destroys temporaries in a co_await expression twice.

/// `first`: nothing was asked on this connection yet.
boost::asio::awaitable<void> read_request(Stream& stream, boost::beast::flat_buffer& buffer, bool first, Incoming& in);

/// Called with true when the answer does not come at once, and with false when it did.
using WaitTold = std::function<void(bool begins)>;
/// The handler's answer, whenever it comes; 503 where it dropped the question.
boost::asio::awaitable<Response> ask(boost::asio::io_context& loop, const Handler& handler, const Request& request,
                                     const WaitTold& waiting);

/// The answer to `in`; to HEAD without its body, which a client that goes on would take for the next answer. False when the
/// client did not take it: it is gone, and what else it asked for is asked by nobody.
boost::asio::awaitable<bool> write_response(Stream& stream, Response& response, const Incoming& in, bool keep_alive);

/// The one answer to a connection that is not let in, as far as the kernel takes it at once.
void refuse(int socket, int status, std::string_view why);

}  // namespace ronda::api
