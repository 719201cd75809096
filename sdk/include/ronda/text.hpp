// SPDX-License-Identifier: Apache-2.0
// Text for the SDK's glue: strings of the border, joining values into a sentence, numbers for people.
// Never includes iostream, never throws for a value, never looks at the locale.
#pragma once

#if __cplusplus < 201703L
#error "the C++ glue of Ronda's SDK needs C++17: give -std=c++17 or later, or use ronda/abi.h alone"
#endif
#ifndef __cpp_exceptions
#error "the C++ glue of Ronda's SDK needs exceptions: leave out -fno-exceptions, or use ronda/abi.h alone"
#endif

#include <ronda/abi.h>

// abi.h itself would bear it, having no padding; what the standard library has compiled would not
static_assert(alignof(ronda_str) == alignof(void*),
              "the C++ glue of Ronda's SDK is not for packed structs: leave out -fpack-struct and #pragma pack, or use ronda/abi.h "
              "alone");

#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>

#if defined(__x86_64__)
static_assert(std::is_same_v<void (*)(), void(__attribute__((sysv_abi)) *)()>,
              "ronda/abi.h: functions are called by the convention of the platform, without -mabi=ms");
#endif

namespace ronda {

/// Nanoseconds since 1970-01-01 UTC.
using wall_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

inline ronda_str to_abi(std::string_view text) noexcept {
  return {text.data(), text.size()};
}

/// Lives as long as what `text` borrows from.
inline std::string_view from_abi(ronda_str text) noexcept {
  return text.ptr == nullptr ? std::string_view()
                             : std::string_view(text.ptr, static_cast<std::size_t>(text.len));
}

/// Text of somebody else's that is kept beyond the expression it is given in. A std::string that dies with
/// that expression is refused at compile time: give it a name first.
class borrowed : public std::string_view {
 public:
  borrowed() = default;
  borrowed(std::string_view text) : std::string_view(text) {}
  borrowed(const char* text) : std::string_view(text) {}
  borrowed(const std::string& text) : std::string_view(text) {}
  borrowed(std::string&&) = delete;
  borrowed(const std::string&&) = delete;
};

namespace detail {

inline void append(std::string& to, std::string_view text) {
  to.append(text);
}
inline void append(std::string& to, const char* text) {
  to.append(text == nullptr ? "(null)" : text);
}
inline void append(std::string& to, char c) {
  to.push_back(c);
}
inline void append(std::string& to, bool b) {
  to.append(b ? "true" : "false");
}

inline void append(std::string& to, double value) {
  char digits[64];
#if defined(__cpp_lib_to_chars)
  auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::general, 6).ptr;
  to.append(digits, end);
#else
  to.append(digits, static_cast<std::size_t>(std::snprintf(digits, sizeof digits, "%.6g", value)));
#endif
}

/// Digits that read back as the same number, never with an exponent.
inline std::string exact(double value) {
  char digits[400];
#if defined(__cpp_lib_to_chars)
  return std::string(digits,
                     std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed).ptr);
#else
  // 17 significant digits: fewer may read back as another number
  int decimals = 17, length = 0;
  double size = value < 0 ? -value : value;
  for (; decimals < 340 && size > 0 && size < 1; ++decimals) size *= 10;
  length = std::snprintf(digits, sizeof digits, "%.*f", decimals, value);
  std::string shown(digits, static_cast<std::size_t>(length));
  for (char& c : shown)
    if (c == ',') c = '.';
  return shown;
#endif
}

template <class T, class = std::enable_if_t<std::is_integral_v<T>>, class = void>
void append(std::string& to, T value) {
  char digits[24];
  to.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

/// "1.5s", "20ms": the largest unit that leaves at least one whole.
template <class Rep, class Period>
void append(std::string& to, std::chrono::duration<Rep, Period> span) {
  double s = std::chrono::duration<double>(span).count();
  double size = s < 0 ? -s : s;
  if (size == 0 || size >= 1) return append(to, s), append(to, "s");
  if (size >= 1e-3) return append(to, s * 1e3), append(to, "ms");
  if (size >= 1e-6) return append(to, s * 1e6), append(to, "us");
  append(to, s * 1e9), append(to, "ns");
}

}  // namespace detail

/// Joins strings, numbers, bools and durations: text("waited ", 20ms, " for ", 3, " rows").
template <class... Parts>
std::string text(const Parts&... parts) {
  std::string joined;
  (detail::append(joined, parts), ...);
  return joined;
}

/// 0.834 -> "83.4%"; a ratio is what the config and the metrics carry.
inline std::string percent(double ratio) {
  char digits[64];
  int length = std::snprintf(digits, sizeof digits, "%.1f", ratio * 100);
  std::string shown(digits, static_cast<std::size_t>(length));
  for (char& c : shown)
    if (c == ',') c = '.';  // a plugin's library may have set a locale
  if (shown.size() > 2 && shown.compare(shown.size() - 2, 2, ".0") == 0) shown.resize(shown.size() - 2);
  return shown + "%";
}

/// 1536 -> "1.5 KiB"
inline std::string human_bytes(double bytes) {
  static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while ((bytes >= 1024 || bytes <= -1024) && unit + 1 < sizeof units / sizeof *units) bytes /= 1024, ++unit;
  char digits[64];
  int length = std::snprintf(digits, sizeof digits, unit == 0 ? "%.0f" : "%.1f", bytes);
  std::string shown(digits, static_cast<std::size_t>(length));
  for (char& c : shown)
    if (c == ',') c = '.';
  return shown + " " + units[unit];
}

}  // namespace ronda
