// SPDX-License-Identifier: Apache-2.0
#include "api/form.hpp"

#include "api/message.hpp"
#include "base/text.hpp"

namespace ronda::api {

Result<Form> parse_form(std::string_view content_type, std::string_view body) {
  if (trim(content_type.substr(0, content_type.find(';'))) != "application/x-www-form-urlencoded")
    return Error(Errc::invalid, "the body must be application/x-www-form-urlencoded");
  Form out;
  while (!body.empty()) {
    const std::string_view pair = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(body.size(), pair.size() + 1));
    if (pair.empty()) continue;
    if (out.size() == most_form_fields) return Error(Errc::invalid, "the form has too many fields");
    const std::size_t equals = pair.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    if (!out.emplace(percent_decode(pair.substr(0, equals)), percent_decode(value)).second)
      return Error(Errc::invalid, "the form has a field twice");
  }
  return out;
}

std::string_view value_in(const Form& form, std::string_view name) {
  const auto found = form.find(name);
  return found == form.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace ronda::api
