// SPDX-License-Identifier: Apache-2.0
#include "cli/show.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <iostream>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "cli/waiting.hpp"

namespace ronda::cli {

namespace {

struct Look {
  std::string_view word, label, colour;
};
constexpr Look looks[] = {{"ok", "OK", "\033[32m"},           {"warning", "WARNING", "\033[33m"}, {"critical", "CRITICAL", "\033[31m"},
                          {"unknown", "UNKNOWN", "\033[35m"}, {"pending", "pending", "\033[2m"},  {"blocked", "blocked", "\033[2m"}};

/// Seconds since 1970 of "2026-11-24T03:04:05.678Z", or -1.
std::time_t seconds_of(std::string_view instant) {
  std::tm utc{};
  const std::string text(instant);
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &utc) == nullptr) return -1;
  return ::timegm(&utc);
}

}  // namespace

int exit_of_refusal(int status) {
  switch (status) {
    case 400:  // a value that cannot be
    case 404:  // a name or an id that there is not
    case 413:  // longer than a request may be
      return exit_usage;
    case 503:
      return exit_undetermined;
    default:  // 403: not by you, 409: not as things are, 429: not so often; 500
      return exit_failed;
  }
}

namespace {

Asked understood(const Options& options, const Result<api::Response>& response) {
  if (!response) {
    if (options.json)
      std::cout << json::serialize(json::object{{"error", "unreachable"}, {"reason", response.error().message()}}) << "\n";
    else
      complain(response.error().message());
    return exit_undetermined;
  }
  boost::system::error_code error;
  json::value value = json::parse(response->body, error);
  if (error || !(value.is_object() || value.is_array())) {
    complain("the agent's answer is not understood; is it of another version?");
    return exit_undetermined;
  }
  if (response->status < 300) return Answer{std::move(value), std::string(trim(response->body))};
  if (options.json)
    std::cout << trim(response->body) << "\n";
  else
    complain(value.is_object() ? text_of(value.as_object(), "error") : "the agent refused");
  return exit_of_refusal(response->status);
}

}  // namespace

Asked ask_json(const Options& options, std::string_view method, std::string_view target, std::string_view body,
               std::chrono::milliseconds timeout) {
  return understood(options, ask_agent(options, method, target, body, timeout));
}

Asked ask_long(const Options& options, std::string_view target, std::chrono::milliseconds timeout, std::string what,
               std::function<std::string()> more) {
  const auto response = [&] {
    const Waiting waiting(options, std::move(what), std::move(more));
    return ask_agent(options, "POST", target, {}, timeout);
  }();
  return understood(options, response);
}

std::string refusal_text(const api::Response& response) {
  boost::system::error_code error;
  const json::value value = json::parse(response.body, error);
  const std::string why = !error && value.is_object() ? text_of(value.as_object(), "error") : std::string();
  return why.empty() ? "the agent answers " + std::to_string(response.status) : why;
}

std::string text_of(const json::value& value) {
  const json::string* text = value.if_string();
  if (text == nullptr) return {};
  std::string out;
  const std::string_view all(text->data(), text->size());
  for (std::size_t at = 0; at <= all.size();) {
    const std::size_t end = std::min(all.find('\n', at), all.size());
    if (at > 0) out += '\n';
    out += escape_controls(all.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? std::string() : text_of(*value);
}

std::int64_t integer_of(const json::object& object, std::string_view key) {
  return static_cast<std::int64_t>(number_of(object, key));
}

double number_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  boost::system::error_code error;
  const double number = value == nullptr || !value->is_number() ? 0 : value->to_number<double>(error);
  return std::isfinite(number) ? std::clamp(number, -9e18, 9e18) : 0;
}

std::string status_label(std::string_view word, std::size_t width) {
  const auto* look = std::ranges::find(looks, word, &Look::word);
  std::string label(look == std::end(looks) ? word : look->label);
  const std::size_t length = label.size();
  if (colours() && look != std::end(looks)) label = std::string(look->colour) + label + "\033[0m";
  return label + std::string(width > length ? width - length : 0, ' ');
}

std::string age_of(const json::value& instant) {
  const json::string* text = instant.if_string();
  const std::time_t then = text == nullptr ? -1 : seconds_of({text->data(), text->size()});
  if (then < 0) return "never";
  const auto seconds = std::max<std::int64_t>(wall_clock().count() / 1'000'000'000 - then, 0);
  if (seconds < 120) return std::to_string(seconds) + "s";
  if (seconds < 2 * 3600) return std::to_string(seconds / 60) + "m";
  if (seconds < 2 * 86400) return std::to_string(seconds / 3600) + "h";
  return std::to_string(seconds / 86400) + "d";
}

std::string progress_bar(double share) {
  constexpr int cells = 20;
  const int full = std::clamp(static_cast<int>(share * cells), 0, cells);
  return "[" + std::string(static_cast<std::size_t>(full), '#') + std::string(static_cast<std::size_t>(cells - full), '.') + "] " +
         std::to_string(std::clamp(static_cast<int>(share * 100), 0, 100)) + "%";
}

}  // namespace ronda::cli
