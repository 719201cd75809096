// SPDX-License-Identifier: Apache-2.0
// The bytes between the agent and its throw-away parser: little-endian numbers, texts with their length.
// Reads nothing past the end, whatever it is given.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/diagnostic.hpp"
#include "config/references.hpp"

namespace ronda::config {

constexpr std::size_t max_request_bytes = 96 << 20;
constexpr std::size_t max_answer_bytes = 8 << 20;

struct ParseRequest {
  Sources sources;
  Environment environment;  // its read_file stays behind: the child makes one for `uid`
  std::uint32_t uid = 0;
};

struct ParseAnswer {
  Diagnostics diagnostics;
  std::uint64_t instances = 0;
};

std::string encode_request(const Sources& sources, const Environment& environment, std::uint32_t uid);
Result<ParseRequest> decode_request(std::string_view bytes);

std::string encode_answer(const ParseAnswer& answer);
/// Places outside of `sources` become no_file.
Result<ParseAnswer> decode_answer(std::string_view bytes, const Sources& sources);

}  // namespace ronda::config
