// SPDX-License-Identifier: Apache-2.0
#include "outgoing/retry_after.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <string>

namespace outgoing {
namespace {

constexpr std::size_t longest_date = 64;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, std::int64_t now_s) {
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  if (text.find_first_not_of("0123456789") == text.npos) {
    std::int64_t seconds = 0;
    for (const char digit : text) seconds = std::min<std::int64_t>(seconds * 10 + (digit - '0'), longest_retry_after.count());
    return std::chrono::seconds(seconds);
  }
  if (text.size() > longest_date) return std::nullopt;
  const std::int64_t when = curl_getdate(std::string(text).c_str(), nullptr);  // looks at no locale and no zone of the host
  if (when < 0) return std::nullopt;
  return std::chrono::seconds(std::clamp<std::int64_t>(when - now_s, 0, longest_retry_after.count()));
}

}  // namespace outgoing
