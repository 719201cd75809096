// SPDX-License-Identifier: Apache-2.0
#include "verdict.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>

#include "outgoing/shown.hpp"

namespace command {
namespace {

constexpr std::size_t min_secret_bytes = 4;  // shorter ones stand in any text

std::string without(std::string text, const std::vector<std::string_view>& secrets) {
  for (const auto secret : secrets) {
    if (secret.size() < min_secret_bytes) continue;
    for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + 3)) text.replace(at, secret.size(), "***");
  }
  return text;
}

/// Where the host kept no more, the last bytes may be the first part of a secret.
void drop_begun_secret(std::string& text, const std::vector<std::string_view>& secrets) {
  for (const auto secret : secrets) {
    for (std::size_t length = std::min(secret.size(), text.size()); length >= min_secret_bytes; --length) {
      if (text.compare(text.size() - length, length, secret.substr(0, length)) != 0) continue;
      text.resize(text.size() - length);
      break;
    }
  }
}

/// Sent by a host that goes down or is short of memory, or by a person: none of it says anything about the message.
bool is_from_outside(std::int32_t signal) {
  return signal == SIGKILL || signal == SIGTERM || signal == SIGHUP || signal == SIGINT;
}

}  // namespace

std::string told(std::string_view err, bool is_whole, const std::vector<std::string_view>& secrets) {
  auto text = without(std::string(err), secrets);
  if (!is_whole) drop_begun_secret(text, secrets);
  while (!text.empty() && std::strchr(" \t\r\n", text.back()) != nullptr) text.pop_back();
  std::size_t begin = text.size() > max_told_bytes ? text.size() - max_told_bytes : 0;
  const bool is_cut = begin > 0;
  while (is_cut && begin < text.size() && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80) ++begin;
  std::string line;
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '\r') continue;
    line += text[i] == '\n' ? std::string(" / ") : std::string(1, text[i]);
  }
  return (is_cut ? "..." : "") + shown::escape(line);
}

ronda::delivery judge(const std::string& program, const ronda::exec_result& ended, bool is_cancelled,
                      const std::vector<std::string_view>& secrets) {
  const auto words = told(ended.err, ended.err_total <= ended.err.size(), secrets);
  const auto said = words.empty() ? std::string() : ": " + words;
  if (ended.timed_out && is_cancelled) return ronda::retry({}, program, " was ended because the delivery was cancelled", said);
  if (ended.timed_out) return ronda::retry({}, program, " was not done within ", ended.duration, " and was ended", said);
  if (ended.signal != 0) {
    const char* name = sigabbrev_np(ended.signal);
    const auto what = ronda::text(program, " was killed by ",
                                  name == nullptr ? "signal " + std::to_string(ended.signal) : "SIG" + std::string(name), said);
    return is_from_outside(ended.signal) ? ronda::retry({}, what) : ronda::drop(what);
  }
  if (ended.exit_code == 0) return ronda::delivered("handed to ", program);
  if (ended.exit_code == exit_try_again) return ronda::retry({}, program, " asks to try again (exit code 75)", said);
  return ronda::drop(program, " ended with exit code ", ended.exit_code, said);
}

}  // namespace command
