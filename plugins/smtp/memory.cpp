// SPDX-License-Identifier: Apache-2.0
#include "memory.hpp"

#include "header.hpp"

namespace smtp {
namespace {
constexpr const char* taken_key = "taken";
constexpr std::size_t name_bytes = 17;  // 16 digits and a line's end
}  // namespace

Memory::Memory(const ronda::kv_service& kv, std::string_view message_id) : kv_(kv), id_(message_id) {}

std::string Memory::name_of(std::string_view recipient) const {
  auto name = hex_hash(id_ + "\n" + std::string(recipient));
  return name += '\n';
}

bool Memory::was_taken(std::string_view recipient) const {
  return !id_.empty() && kv_.get(taken_key).value_or("").find(name_of(recipient)) != std::string::npos;
}

void Memory::take(std::string_view recipient) {
  if (id_.empty()) return;
  auto taken = kv_.get(taken_key).value_or("") + name_of(recipient);
  if (taken.size() > max_remembered * name_bytes) taken.erase(0, taken.size() - max_remembered * name_bytes);
  if (kv_.put(taken_key, taken)) kv_.commit();
}

}  // namespace smtp
