// SPDX-License-Identifier: Apache-2.0
// A request out of what was parsed, and within which limits that is. Pure; knows no connection.
#pragma once

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <string>
#include <string_view>

#include "api/http.hpp"

namespace ronda::api {

using RequestParser = boost::beast::http::request_parser<boost::beast::http::string_body>;
using ParsedRequest = boost::beast::http::request<boost::beast::http::string_body>;

void set_limits(RequestParser& parser);
/// Of a request whose header is there: its body comes in pieces or coded, and not by its length.
bool is_coded(const RequestParser& parser);
/// All but who asks.
Request request_of(ParsedRequest message);

/// "%41+b" as "A b"; what is no escape stays.
std::string percent_decode(std::string_view text);

}  // namespace ronda::api
