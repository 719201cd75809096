// SPDX-License-Identifier: Apache-2.0
// {{name}} in a scenario's later steps: text with places, filled with values that a server answered.
// A value is data: it is escaped for where it stands, and can neither end a header nor leave a URL's path. Pure.
#pragma once

#include <ronda/reply.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace http {

using Values = std::map<std::string, std::string, std::less<>>;

enum class Place { url, header, json, form, text };

/// Every name in {{...}}, in order; fails on {{ without }} and on a name that is not [A-Za-z0-9_]+.
ronda::reply<std::vector<std::string>> names_in(std::string_view pattern);

/// Fails when a name has no value, or a value for a header holds a control character.
ronda::reply<std::string> fill(std::string_view pattern, const Values& values, Place place);

/// Where a body's values stand, by its Content-Type; without one, a body that begins with { or [ is JSON.
Place place_of_body(std::string_view content_type, std::string_view body);

/// [A-Za-z0-9-._~] stay, all else becomes %XX.
std::string percent_encoded(std::string_view text);

}  // namespace http
