// SPDX-License-Identifier: Apache-2.0
// Content hashes of values: equal for equal content, whatever the order of keys and wherever it stands.
#pragma once

#include <string>
#include <string_view>

#include "base/siphash.hpp"
#include "config/value.hpp"

namespace ronda::config {

/// Collects what is to be hashed; every piece carries its type and length, so that no two contents collide.
class Digest {
 public:
  Digest& add(std::string_view text);
  Digest& add(const Value& value);
  /// Members by name.
  Digest& add(const Table& table);
  Digest& add(const Hash128& hash);
  Hash128 finish() const { return siphash128(bytes_); }
  void clear() { bytes_.clear(); }

 private:
  void add_number(std::uint64_t number);

  std::string bytes_;
};

}  // namespace ronda::config
