// SPDX-License-Identifier: Apache-2.0
// The body of an HTML form: names and values, percent-encoded. Bounded; the same name twice is refused, for whoever signs
// such a body and whoever reads it must mean the same.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ronda::api {

using Form = std::map<std::string, std::string, std::less<>>;

inline constexpr std::size_t most_form_fields = 100;

/// Errc::invalid: not readable, or too much of it.
Result<Form> parse_form(std::string_view content_type, std::string_view body);
/// Empty where there is none.
std::string_view value_in(const Form& form, std::string_view name);

}  // namespace ronda::api
