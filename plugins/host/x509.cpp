// SPDX-License-Identifier: Apache-2.0
#include "x509.hpp"

#include <array>

namespace host {
namespace {

enum Tag : unsigned char {
  tag_oid = 0x06,
  tag_utc_time = 0x17,
  tag_generalized_time = 0x18,
  tag_sequence = 0x30,
  tag_set = 0x31,
  tag_version = 0xA0,
};

struct Element {
  unsigned char tag = 0;
  std::string_view body;
};

/// Splits off the next element; lengths of up to four bytes, definite only, as DER demands.
std::optional<Element> take(std::string_view& der) {
  if (der.size() < 2) return std::nullopt;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(der[i]); };
  Element element;
  element.tag = byte(0);
  std::size_t header = 2;
  std::size_t length = byte(1);
  if (length >= 0x80) {
    const std::size_t count = length & 0x7F;
    if (count == 0 || count > 4 || der.size() < 2 + count) return std::nullopt;
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8 | byte(2 + i);
    header += count;
  }
  if (der.size() - header < length) return std::nullopt;
  element.body = der.substr(header, length);
  der.remove_prefix(header + length);
  return element;
}

std::optional<std::string_view> take_body(std::string_view& der, unsigned char tag) {
  const auto element = take(der);
  if (!element || element->tag != tag) return std::nullopt;
  return element->body;
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

/// Howard Hinnant's days_from_civil.
std::int64_t days_since_1970(std::int64_t year, std::int64_t month, std::int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

/// "YYMMDDHHMMSSZ" or "YYYYMMDDHHMMSSZ", as RFC 5280 demands.
std::optional<std::int64_t> parse_time(const Element& element) {
  const std::size_t year_digits = element.tag == tag_utc_time           ? 2
                                  : element.tag == tag_generalized_time ? 4
                                                                        : 0;
  if (year_digits == 0 || element.body.size() != year_digits + 11 || element.body.back() != 'Z')
    return std::nullopt;
  auto year = digits(element.body, 0, year_digits);
  std::array<int, 5> rest{};  // month, day, hour, minute, second
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const auto value = digits(element.body, year_digits + 2 * i, 2);
    if (!value) return std::nullopt;
    rest[i] = *value;
  }
  const bool in_range = rest[0] >= 1 && rest[0] <= 12 && rest[1] >= 1 && rest[1] <= 31 && rest[2] < 24 &&
                        rest[3] < 60 && rest[4] < 61;
  if (!year || !in_range) return std::nullopt;
  if (year_digits == 2) *year += *year < 50 ? 2000 : 1900;
  return days_since_1970(*year, rest[0], rest[1]) * 86400 + rest[2] * 3600 + rest[3] * 60 + rest[4];
}

std::string subject_name(std::string_view subject) {
  constexpr std::string_view common_name("\x55\x04\x03", 3);
  constexpr std::string_view organisation("\x55\x04\x0A", 3);
  std::string found;
  while (const auto set = take_body(subject, tag_set)) {
    std::string_view inside = *set;
    auto pair = take_body(inside, tag_sequence);
    if (!pair) continue;
    const auto oid = take_body(*pair, tag_oid);
    const auto value = take(*pair);
    if (!oid || !value) continue;
    if (*oid == common_name) return std::string(value->body);
    if (*oid == organisation) found = value->body;
  }
  return found;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == ' ' || c == '\t' || c == '=') continue;
    const int value = base64_value(c);
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xFF);
  }
  return out;
}

std::optional<Certificate> parse_der(std::string_view der) {
  auto certificate = take_body(der, tag_sequence);
  if (!certificate) return std::nullopt;
  auto signed_part = take_body(*certificate, tag_sequence);
  if (!signed_part) return std::nullopt;
  std::string_view rest = *signed_part;
  if (!rest.empty() && static_cast<unsigned char>(rest[0]) == tag_version && !take(rest)) return std::nullopt;
  if (!take(rest) || !take(rest) || !take(rest)) return std::nullopt;  // serial, algorithm, issuer
  auto validity = take_body(rest, tag_sequence);
  const auto subject = take_body(rest, tag_sequence);
  if (!validity || !subject) return std::nullopt;
  const auto begin = take(*validity);
  const auto end = take(*validity);
  if (!begin || !end) return std::nullopt;
  const auto not_before = parse_time(*begin);
  const auto not_after = parse_time(*end);
  if (!not_before || !not_after) return std::nullopt;
  return Certificate{*not_before, *not_after, subject_name(*subject)};
}

Certificates parse_certificates(std::string_view file) {
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view end = "-----END CERTIFICATE-----";
  Certificates out;
  std::size_t at = file.find(begin);
  if (at == std::string_view::npos) {
    if (auto certificate = parse_der(file)) out.good.push_back(std::move(*certificate));
    return out;
  }
  while (at != std::string_view::npos) {
    at += begin.size();
    const std::size_t stop = file.find(end, at);
    const auto der =
        stop == std::string_view::npos ? std::nullopt : decode_base64(file.substr(at, stop - at));
    auto certificate = der ? parse_der(*der) : std::nullopt;
    if (certificate) {
      out.good.push_back(std::move(*certificate));
    } else {
      ++out.broken;
    }
    at = file.find(begin, at);
  }
  return out;
}

}  // namespace host
