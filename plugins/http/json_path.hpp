// SPDX-License-Identifier: Apache-2.0
// The small language that names a value in a JSON document:
//   metrics.error_rate   data[0].id   data[-1].id   ["a key.with dots"].x   $.same   len(data)   has(data.id)
// len() is the number of items, members or characters, has() says whether there is such a value.
// No wildcards, no filters, no recursion: one path, at most one value. Pure.
#pragma once

#include <ronda/reply.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace http {

constexpr std::size_t max_path_bytes = 512;

struct JsonPath {
  enum class Apply { value, length, presence };
  struct Step {
    bool is_index = false;
    std::int64_t index = 0;  ///< negative counts from the end
    std::string name;
  };

  std::string text;  ///< as it was written, for messages
  Apply apply = Apply::value;
  std::vector<Step> steps;  ///< none: the whole document
};

ronda::reply<JsonPath> parse_json_path(std::string_view text);

}  // namespace http
