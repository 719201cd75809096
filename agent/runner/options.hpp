// SPDX-License-Identifier: Apache-2.0
// An instance's options as the plugin sees them: a borrowed tree over the encoded bytes, decoded when
// it is made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin/wire.hpp"
#include "ronda/abi.h"

/// The opaque value of ronda.config/1. Texts and keys point into the instance's encoded options. Every
/// instance holds a tree of them for as long as it lives, so they are small.
struct ronda_value {
  ronda_value() = default;
  ronda_value(ronda_value&& other) noexcept { *this = std::move(other); }
  ronda_value& operator=(ronda_value&& other) noexcept;
  ~ronda_value() { drop_items(); }

  std::uint32_t type : 8 = RONDA_TYPE_NONE;
  std::uint32_t key_size : 24 = 0;  // bytes; whatever fits a frame (1 MiB) fits
  std::uint32_t size = 0;           // items, or bytes of text
  const char* key_data = nullptr;   // of a member of a table
  union {
    std::int64_t integer = 0;  // also a bool
    double real;
    const char* text_data;  // also a secret's bytes
    ronda_value* items;     // of LIST and TABLE, owned; null: none
  };

  std::string_view key() const { return {key_data, key_size}; }
  std::string_view text() const { return {text_data, size}; }  // of STR and SECRET only
  void set_text(std::uint8_t of_type, std::string_view text);
  void set_items(std::uint8_t of_type, std::size_t count);
  bool has_items() const { return (type == RONDA_TYPE_LIST || type == RONDA_TYPE_TABLE) && items != nullptr; }

 private:
  void drop_items();
};
static_assert(sizeof(ronda_value) == 24);

namespace ronda::runner {

/// The tree of an encoded map; an empty table when the bytes are not one.
ronda_value decode_options(std::string_view encoded);

/// Every secret in the tree, for scrubbing.
void collect_secrets(const ronda_value& value, std::vector<std::string_view>& out);
/// And what stands behind the encoded map: texts that may be parts of the options. Views into `encoded`.
void collect_pieces(std::string_view encoded, std::vector<std::string_view>& out);

}  // namespace ronda::runner
