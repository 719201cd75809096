// SPDX-License-Identifier: Apache-2.0
#include "api/message.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <utility>

#include "base/text.hpp"

namespace ronda::api {
namespace json = boost::json;

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void parse_target(std::string_view target, Request& request) {
  request.target = target;
  const std::size_t question = target.find('?');
  request.path = percent_decode(target.substr(0, question));
  if (question == std::string_view::npos) return;
  std::string_view rest = target.substr(question + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    request.query.emplace_back(percent_decode(pair.substr(0, equals)), percent_decode(value));
  }
}

void read_headers(const ParsedRequest& message, Request& request) {
  for (const auto& field : message) {
    std::string name(field.name_string());
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    request.headers.emplace_back(std::move(name), std::string(field.value()));
  }
}

}  // namespace

void set_limits(RequestParser& parser) {
  parser.header_limit(UnixServer::header_limit);
  parser.body_limit(UnixServer::body_limit);
}

bool is_coded(const RequestParser& parser) {
  return parser.get().count(boost::beast::http::field::transfer_encoding) > 0;
}

Request request_of(ParsedRequest message) {
  Request out;
  out.method = message.method_string();
  parse_target(message.target(), out);
  read_headers(message, out);
  out.body = std::move(message.body());
  return out;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    out += escaped ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i] == '+' ? ' ' : text[i];
    if (escaped) i += 2;
  }
  return out;
}

std::string_view name_of(Role role) {
  constexpr std::array<std::string_view, 5> names = {"none", "reporter", "viewer", "operator", "approver"};
  return names[static_cast<std::size_t>(role)];
}

std::string_view Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

std::string_view Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::size_t Request::count_of(std::string_view header) const {
  std::size_t out = 0;
  for (const auto& [key, value] : headers) out += key == header ? 1 : 0;
  return out;
}

Response error_response(int status, std::string_view text) {
  return {status, json::serialize(json::object{{"error", escape_controls(text)}}) + "\n", "application/json"};
}

}  // namespace ronda::api
