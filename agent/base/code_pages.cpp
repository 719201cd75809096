// SPDX-License-Identifier: Apache-2.0
#include "base/code_pages.hpp"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ronda {
namespace {

bool is_relocated_code(const dl_phdr_info& object, const ElfW(Phdr) & dynamic) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): where the loader has put it
  const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(object.dlpi_addr + dynamic.p_vaddr);
  for (; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_TEXTREL || (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0)) return true;
  }
  return false;
}

int release(dl_phdr_info* object, std::size_t, void*) {
  const std::span<const ElfW(Phdr)> headers(object->dlpi_phdr, object->dlpi_phnum);
  const auto dynamic = std::find_if(headers.begin(), headers.end(), [](const ElfW(Phdr) & h) { return h.p_type == PT_DYNAMIC; });
  if (dynamic != headers.end() && is_relocated_code(*object, *dynamic)) return 0;
  const std::uintptr_t kernels = ::getauxval(AT_SYSINFO_EHDR);
  const auto within_page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE)) - 1;
  for (const ElfW(Phdr) & header : headers) {
    // what is writable to the loader, and read-only only after relocation, is part of a writable segment
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (object->dlpi_addr + header.p_vaddr) & ~within_page;
    const std::uintptr_t end = (object->dlpi_addr + header.p_vaddr + header.p_memsz + within_page) & ~within_page;
    if (begin == kernels) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void release_code_pages() noexcept {
  ::dl_iterate_phdr(release, nullptr);
}

}  // namespace ronda
