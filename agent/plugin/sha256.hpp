// SPDX-License-Identifier: Apache-2.0
// SHA-256 of bytes, as 64 hexadecimal digits: the identity of a plugin's code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace ronda::plugin {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::span<const std::uint8_t> bytes);
  /// Ends it; call once.
  std::string hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string sha256_hex(std::span<const std::uint8_t> bytes);
bool is_sha256(std::string_view text);

}  // namespace ronda::plugin
