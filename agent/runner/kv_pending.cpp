// SPDX-License-Identifier: Apache-2.0
#include "runner/kv_pending.hpp"

#include <utility>

namespace ronda::runner {
namespace {

std::size_t size_of(const wire::KvWrite& write) {
  return write.key.size() + write.value.size();
}

}  // namespace

bool KvPending::add(wire::KvWrite write, std::size_t most) {
  const wire::KvWrite* before = find(write.key);
  const std::size_t bytes = (held_ == nullptr ? 0 : held_->bytes) - (before == nullptr ? 0 : size_of(*before)) + size_of(write);
  if (bytes > most) return false;
  if (held_ == nullptr) held_ = std::make_unique<Held>();
  held_->bytes = bytes;
  std::string key = write.key;
  held_->writes.insert_or_assign(std::move(key), std::move(write));
  return true;
}

const wire::KvWrite* KvPending::find(std::string_view key) const {
  const auto found = by_key().find(key);
  return found == by_key().end() ? nullptr : &found->second;
}

const std::map<std::string, wire::KvWrite, std::less<>>& KvPending::by_key() const {
  static const std::map<std::string, wire::KvWrite, std::less<>> none;
  return held_ == nullptr ? none : held_->writes;
}

std::vector<wire::KvWrite> KvPending::all() const {
  std::vector<wire::KvWrite> out;
  out.reserve(by_key().size());
  for (const auto& [key, write] : by_key()) out.push_back(write);
  return out;
}

}  // namespace ronda::runner
