// SPDX-License-Identifier: Apache-2.0
// Any bytes at a door, which is how both the command line and strangers speak to the agent: the same requests come of them however
// they are cut, each within its limits. What the routes then read of a request (query, form, object, events of others) is bounded,
// and an answer holds no byte of it that means something to a terminal.
#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "api/body.hpp"
#include "api/form.hpp"
#include "api/inbound.hpp"
#include "api/message.hpp"
#include "base/text.hpp"

namespace {

using namespace ronda;
using api::Request;

void expect(bool holds) {
  if (!holds) std::abort();
}

/// What the routes do with it. What is refused is refused in words.
void read_as_routes_do(const Request& request) {
  const auto form = api::parse_form(request.header("content-type"), request.body);
  expect(form ? form->size() <= api::most_form_fields : !form.error().message().empty());
  const std::array<std::string, 2> services = {"db", "shop"};
  const api::InboundContext context{"token-1", services, 1'800'000'000'000'000'000};
  for (const auto& batch : {api::parse_alertmanager(request.body, context), api::parse_event(request.body, context)}) {
    if (!batch) {
      expect(!batch.error().message().empty());
      continue;
    }
    expect(batch->alerts.size() <= api::most_posted);
    for (const response::InboundAlert& alert : batch->alerts) {
      expect(alert.name.starts_with(response::inbound_prefix) && repair_utf8(alert.reason, 300) == alert.reason);
      expect(alert.reason.find('\n') == std::string::npos && alert.reason.find('\x1b') == std::string::npos);
      expect(alert.service.empty() || alert.service == "db" || alert.service == "shop");
      expect(alert.until_ns >= 0 && alert.until_ns <= context.now_ns + api::repeated_within_ns);
    }
  }
  const auto body = api::Body::parse(request.body, {"text", "texts", "fields", "number", "for", "level", "flag"});
  if (!body) return expect(!body.error().message().empty());
  if (const auto text = body->text("text", 100); text) expect(text->size() <= 100);
  if (const auto texts = body->texts("texts", 5, 10); texts) expect(texts->size() <= 5);
  if (const auto fields = body->fields("fields", 5, 10); fields) expect(fields->size() <= 5);
  if (const auto length = body->duration_ns("for"); length) expect(*length >= 0);
  static_cast<void>(body->number("number").has_value() && body->level("level").has_value() && body->flag("flag").has_value());
}

void look_at(const Request& request) {
  expect(!request.method.empty() && request.body.size() <= api::UnixServer::body_limit);
  expect(request.target.find_first_of(std::string_view(" \r\n\0", 4)) == std::string::npos);
  expect(request.path.size() <= request.target.size());
  std::size_t bytes = request.method.size() + request.target.size();
  for (const auto& [name, value] : request.headers) {
    expect(!name.empty() && value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
    expect(std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; }) && request.count_of(name) > 0);
    bytes += name.size() + value.size();
  }
  expect(bytes <= api::UnixServer::header_limit);
  expect(request.count_of("transfer-encoding") == 0);
  for (const auto& [name, value] : request.query) expect(name.size() + value.size() <= request.target.size());
  read_as_routes_do(request);
}

/// What all of it says, one line a request, as a door reads it: one after the other, the end of the header first. In what words the
/// rest is refused may depend on how much of it was there.
std::string said(std::string_view bytes, std::size_t cut) {
  std::string out, have;
  std::optional<api::RequestParser> parser;
  const auto start = [&] {
    parser.emplace();
    api::set_limits(*parser);
  };
  start();
  while (true) {
    boost::system::error_code error;
    parser->eager(parser->is_header_done());
    have.erase(0, have.empty() ? 0 : parser->put(boost::asio::buffer(have), error));
    const bool needs_more = have.empty() || error == boost::beast::http::error::need_more;
    if (error && error != boost::beast::http::error::need_more) return out + "refused\n";
    if (parser->is_header_done() && api::is_coded(*parser)) return out + "coded\n";
    if (parser->is_done()) {
      const bool goes_on = parser->keep_alive();
      const Request request = api::request_of(parser->release());
      look_at(request);
      out += request.method + " " + request.target + " " + std::to_string(request.headers.size()) + " " + request.body + "\n";
      if (!goes_on) return out;
      start();
    } else if (needs_more) {
      if (bytes.empty()) return out + "refused\n";
      have += bytes.substr(0, cut);
      bytes.remove_prefix(std::min(cut, bytes.size()));
    }
  }
}

/// 0xff and a number: so many times 256 letters, for what is longer than an input may be.
std::string unfolded(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\xff' && i + 1 < bytes.size() && out.size() < (std::size_t{256} << 10))
      out.append(std::size_t{256} * static_cast<unsigned char>(bytes[++i]), 'a');
    else
      out += bytes[i];
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string bytes = unfolded({reinterpret_cast<const char*>(data) + 1, size - 1});
  constexpr std::array<std::size_t, 8> cuts = {1, 2, 3, 5, 17, 64, 200, 1000};
  const std::size_t cut = bytes.size() > 5000 ? 1000 + data[0] : cuts[data[0] % cuts.size()];
  expect(said(bytes, bytes.size()) == said(bytes, cut));
  const std::string answer = api::error_response(404, "there is no " + api::percent_decode(bytes)).body;
  expect(repair_utf8(answer, answer.size()) == answer && answer.back() == '\n');
  expect(
      std::ranges::none_of(answer.substr(0, answer.size() - 1), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
  // and as bodies by themselves: few inputs are whole requests
  Request request;
  request.body = bytes;
  request.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
  read_as_routes_do(request);
  return 0;
}
