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
  const auto found = writes_.find(write.key);
  const std::size_t bytes = bytes_ - (found == writes_.end() ? 0 : size_of(found->second)) + size_of(write);
  if (bytes > most) return false;
  bytes_ = bytes;
  if (found != writes_.end()) {
    found->second = std::move(write);
  } else {
    std::string key = write.key;
    writes_.emplace(std::move(key), std::move(write));
  }
  return true;
}

const wire::KvWrite* KvPending::find(std::string_view key) const {
  const auto found = writes_.find(key);
  return found == writes_.end() ? nullptr : &found->second;
}

std::vector<wire::KvWrite> KvPending::all() const {
  std::vector<wire::KvWrite> out;
  out.reserve(writes_.size());
  for (const auto& [key, write] : writes_) out.push_back(write);
  return out;
}

void KvPending::clear() {
  writes_.clear();
  bytes_ = 0;
}

}  // namespace ronda::runner
