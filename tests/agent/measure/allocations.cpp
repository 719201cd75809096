// SPDX-License-Identifier: Apache-2.0
#include "agent/measure/allocations.hpp"

#include <cstdlib>
#include <new>

namespace {
thread_local ronda::measure::test::Allocations counted;

void* counted_allocation(std::size_t bytes) {
  ++counted.count;
  counted.bytes += bytes;
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t bytes) {
  return counted_allocation(bytes);
}
void* operator new[](std::size_t bytes) {
  return counted_allocation(bytes);
}
// the one of a sanitizer would not know that it is freed here
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept try {
  return counted_allocation(bytes);
} catch (const std::bad_alloc&) {
  return nullptr;
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

ronda::measure::test::Allocations ronda::measure::test::allocations() {
  return counted;
}
