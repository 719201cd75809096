// SPDX-License-Identifier: Apache-2.0
#include "config/digest.hpp"

#include <algorithm>
#include <bit>

namespace ronda::config {

void Digest::add_number(std::uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) bytes_ += static_cast<char>((number >> shift) & 0xFFU);
}

Digest& Digest::add(std::string_view text) {
  bytes_ += 's';
  add_number(text.size());
  bytes_ += text;
  return *this;
}

Digest& Digest::add(const Hash128& hash) {
  bytes_ += 'h';
  add_number(hash.first);
  add_number(hash.second);
  return *this;
}

Digest& Digest::add(const Table& table) {
  std::vector<const Member*> members;
  members.reserve(table.size());
  for (const Member& member : table) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const Member* a, const Member* b) { return a->key < b->key; });
  bytes_ += 't';
  add_number(members.size());
  for (const Member* member : members) add(member->key).add(member->value);
  return *this;
}

Digest& Digest::add(const Value& value) {
  if (const std::string* text = value.as_string()) return add(*text);
  if (const Table* table = value.as_table()) return add(*table);
  if (const List* list = value.as_list()) {
    bytes_ += 'l';
    add_number(list->size());
    for (const Value& element : *list) add(element);
  } else if (const std::int64_t* integer = value.as_int()) {
    bytes_ += 'i';
    add_number(static_cast<std::uint64_t>(*integer));
  } else if (const double* number = value.as_float()) {
    bytes_ += 'f';
    add_number(std::bit_cast<std::uint64_t>(*number));
  } else {
    const bool* flag = value.as_bool();
    bytes_ += flag == nullptr ? 'n' : *flag ? 'y' : 'z';
  }
  return *this;
}

}  // namespace ronda::config
