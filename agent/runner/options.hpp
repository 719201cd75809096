// SPDX-License-Identifier: Apache-2.0
// An instance's options as the plugin sees them: a borrowed tree over the encoded bytes, decoded on first use.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "plugin/wire.hpp"
#include "ronda/abi.h"

/// The opaque value of ronda.config/1. Strings view into the instance's encoded options.
struct ronda_value {
  std::uint32_t type = RONDA_TYPE_NONE;
  std::int64_t integer = 0;  // also a bool
  double real = 0;
  std::string_view text;     // also a secret's bytes
  std::vector<std::string_view> keys;
  std::vector<ronda_value> items;
};

namespace ronda::runner {

/// The tree of an encoded map; an empty table when the bytes are not one.
ronda_value decode_options(std::string_view encoded);

/// Every secret in the tree, for scrubbing.
void collect_secrets(const ronda_value& value, std::vector<std::string_view>& out);

}  // namespace ronda::runner
