// SPDX-License-Identifier: Apache-2.0
#include "runner/open_secrets.hpp"

#include <string.h>
#include <sys/mman.h>

#include <algorithm>

namespace ronda::runner {

const char* OpenSecrets::open(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (over_) return nullptr;
  const std::size_t size = std::max<std::size_t>(bytes.size(), 1);  // an empty one has an address too, by which it is closed
  copies_.push_back({nullptr, size});                               // before there are pages that could not be remembered
  void* const pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) {
    copies_.pop_back();
    return nullptr;
  }
  ::mlock(pages, size);
  copies_.back().at = static_cast<char*>(pages);
  bytes.copy(copies_.back().at, bytes.size());
  return copies_.back().at;
}

void OpenSecrets::give_back(const Copy& copy) {
  ::explicit_bzero(copy.at, copy.size);
  ::munmap(copy.at, copy.size);
}

void OpenSecrets::close(const char* at) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(copies_, at, &Copy::at);
  if (found == copies_.end()) return;
  give_back(*found);
  copies_.erase(found);
}

void OpenSecrets::close_all() {
  const std::lock_guard lock(mutex_);
  over_ = true;
  for (const Copy& copy : copies_) give_back(copy);
  copies_.clear();
}

}  // namespace ronda::runner
