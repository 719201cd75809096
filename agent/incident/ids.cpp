// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "incident/event.hpp"

namespace ronda::incident {
namespace {

// Crockford's alphabet: what is read aloud on a telephone is not taken for something else
constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t random_characters = 10;
constexpr std::size_t id_size = 4 + 8 + 1 + random_characters;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::string random_word(std::uint64_t random, std::size_t characters) {
  std::string out;
  for (std::size_t i = 0; i < std::min<std::size_t>(characters, 12); ++i) {
    out += alphabet[random & 31];
    random >>= 5;
  }
  return out;
}

std::string make_id(std::int64_t at_ns, std::uint64_t random) {
  using namespace std::chrono;
  const year_month_day date(floor<days>(sys_time<nanoseconds>(nanoseconds(at_ns))));
  char text[32];
  std::snprintf(text, sizeof text, "INC-%04d%02u%02u-", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text + random_word(random, random_characters);
}

bool is_id(std::string_view text) {
  if (text.size() != id_size || !text.starts_with("INC-") || text[12] != '-') return false;
  return std::ranges::all_of(text.substr(4, 8), is_digit) && text.substr(13).find_first_not_of(alphabet) == std::string_view::npos;
}

}  // namespace ronda::incident
