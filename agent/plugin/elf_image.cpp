// SPDX-License-Identifier: Apache-2.0
#include "plugin/elf_image.hpp"

#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <bit>
#include <cstddef>

namespace ronda::plugin {
namespace {

#if defined(__x86_64__)
constexpr std::uint16_t host_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t host_machine = EM_AARCH64;
#else
#error "Ronda runs on little-endian LP64 Linux: x86-64 and arm64"
#endif

constexpr std::size_t max_segments = 128;
constexpr std::uint64_t max_mapped_bytes = 1ULL << 30U;
constexpr std::size_t max_notes = 1000;
constexpr std::size_t max_dynamic_entries = 10'000;

Refusal refuse(LoadReason reason, std::string message, std::string remedy) {
  return {LoadStep::read, reason, std::move(message), std::move(remedy)};
}

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "arm64";
    case EM_386:
      return "i386";
    case EM_ARM:
      return "arm";
    case EM_RISCV:
      return "riscv";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390";
    default:
      return "machine number " + std::to_string(machine);
  }
}

bool starts_with(Bytes bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

std::optional<Refusal> check_magic(Bytes file) {
  if (file.empty())
    return refuse(LoadReason::empty_file, "the file is empty", "copy or build it again");
  if (starts_with(file, "!<arch>\n"))
    return refuse(LoadReason::archive, "is a static library (ar archive), not a shared object",
                  "link it with ronda_add_plugin()");
  if (starts_with(file, "#!"))
    return refuse(LoadReason::script, "is a script, not a shared object",
                  "run scripts with the check exec.nagios");
  if (file.size() < SELFMAG) {
    return starts_with(Bytes(reinterpret_cast<const std::uint8_t*>(ELFMAG), SELFMAG),
                       std::string_view(reinterpret_cast<const char*>(file.data()), file.size()))
               ? refuse(LoadReason::truncated, "ends inside the ELF header", "copy it again")
               : refuse(LoadReason::not_elf, "is not an ELF file", "build it with ronda_add_plugin()");
  }
  if (!starts_with(file, ELFMAG))
    return refuse(LoadReason::not_elf, "is not an ELF file", "build it with ronda_add_plugin()");
  return std::nullopt;
}

std::optional<Refusal> check_identity(Bytes file) {
  if (file.size() > EI_DATA) {
    if (file[EI_CLASS] == ELFCLASS32)
      return refuse(LoadReason::wrong_class, "is a 32-bit ELF file; the agent is 64-bit",
                    "build it for " + machine_name(host_machine));
    if (file[EI_DATA] == ELFDATA2MSB)
      return refuse(LoadReason::wrong_byte_order, "is a big-endian ELF file; this host is little-endian",
                    "build it for " + machine_name(host_machine));
  }
  if (file.size() < sizeof(Elf64_Ehdr))
    return refuse(LoadReason::truncated, "ends inside the ELF header", "copy it again");
  if (file[EI_CLASS] != ELFCLASS64 || file[EI_DATA] != ELFDATA2LSB || file[EI_VERSION] != EV_CURRENT)
    return refuse(LoadReason::not_elf, "has an ELF header that means nothing", "copy or build it again");
  return std::nullopt;
}

std::optional<Refusal> check_header(const Elf64_Ehdr& header, std::size_t size) {
  if (header.e_machine != host_machine)
    return refuse(LoadReason::wrong_machine,
                  "is built for " + machine_name(header.e_machine) + "; this host is " +
                      machine_name(host_machine),
                  "build it for this host");
  if (header.e_type != ET_DYN) {
    const std::string what = header.e_type == ET_EXEC  ? "is a program"
                             : header.e_type == ET_REL ? "is an object file, not linked yet"
                             : header.e_type == ET_CORE ? "is a core dump"
                                                        : "is an ELF file of unknown type";
    return refuse(LoadReason::not_shared_object, what + ", not a shared object",
                  "link it with ronda_add_plugin()");
  }
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > max_segments)
    return refuse(LoadReason::bad_segment, "has no usable table of segments", "copy or build it again");
  const std::uint64_t table = std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
  if (header.e_phoff < sizeof(Elf64_Ehdr) || header.e_phoff > size || size - header.e_phoff < table)
    return refuse(LoadReason::truncated, "ends before its table of segments", "copy it again");
  return std::nullopt;
}

std::optional<Refusal> check_segment(const Elf64_Phdr& segment, std::size_t index, std::size_t size) {
  const std::string name = "segment " + std::to_string(index);
  if (segment.p_type == PT_NULL || segment.p_filesz == 0) return std::nullopt;
  if (segment.p_offset > size || size - segment.p_offset < segment.p_filesz) {
    return refuse(LoadReason::truncated,
                  name + " ends at byte " + std::to_string(segment.p_offset + segment.p_filesz) +
                      ", the file has " + std::to_string(size),
                  "copy it again");
  }
  if (segment.p_type != PT_LOAD) return std::nullopt;
  const bool aligned = segment.p_align <= 1 || (std::has_single_bit(segment.p_align) &&
                                                (segment.p_vaddr - segment.p_offset) % segment.p_align == 0);
  const bool fits = segment.p_memsz >= segment.p_filesz && segment.p_memsz <= max_mapped_bytes &&
                    segment.p_vaddr <= max_mapped_bytes;
  if (!aligned || !fits)
    return refuse(LoadReason::bad_segment, name + " cannot be mapped as it is described",
                  "copy or build it again");
  return std::nullopt;
}

struct ElfCloser {
  void operator()(Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, ElfCloser>;

/// libelf wants a pointer to non-const and, with elf_memory, writes only when asked to update.
ElfHandle open_handle(const std::vector<std::uint8_t>& copy) {
  elf_version(EV_CURRENT);
  char* image = const_cast<char*>(reinterpret_cast<const char*>(copy.data()));
  return ElfHandle(elf_memory(image, copy.size()));
}

Elf_Data* chunk(Elf* elf, const Elf64_Phdr& segment, Elf_Type type) {
  return elf_getdata_rawchunk(elf, static_cast<std::int64_t>(segment.p_offset), segment.p_filesz, type);
}

/// Section headers are not what the dynamic linker reads and may lie: libelf does not get to see them.
void hide_sections(std::vector<std::uint8_t>& copy) {
  Elf64_Ehdr header;
  std::memcpy(&header, copy.data(), sizeof header);
  header.e_shoff = 0;
  header.e_shnum = 0;
  header.e_shstrndx = 0;
  std::memcpy(copy.data(), &header, sizeof header);
}

}  // namespace

Loaded<ElfImage> ElfImage::open(Bytes file) {
  if (file.size() > max_plugin_bytes) {
    return refuse(LoadReason::too_large,
                  "has " + std::to_string(file.size()) + " bytes; a plugin has at most 64 MiB",
                  "strip it, or link its libraries dynamically");
  }
  if (auto refusal = check_magic(file)) return *std::move(refusal);
  if (auto refusal = check_identity(file)) return *std::move(refusal);
  if (auto refusal = check_header(*read_at<Elf64_Ehdr>(file, 0), file.size())) return *std::move(refusal);
  ElfImage image(file);
  hide_sections(image.copy_);
  if (auto refusal = image.read_segments()) return *std::move(refusal);
  return image;
}

std::optional<Refusal> ElfImage::read_segments() {
  const ElfHandle elf = open_handle(copy_);
  std::size_t count = 0;
  if (!elf || elf_getphdrnum(elf.get(), &count) != 0 || count > max_segments)
    return refuse(LoadReason::bad_segment, "has no usable table of segments", "copy or build it again");
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf.get(), static_cast<int>(i), &segment) == nullptr)
      return refuse(LoadReason::bad_segment, "has no usable table of segments", "copy or build it again");
    if (auto refusal = check_segment(segment, i, copy_.size())) return refusal;
    if (segment.p_type == PT_LOAD) {
      if (segment.p_vaddr < end)
        return refuse(LoadReason::bad_segment, "segment " + std::to_string(i) + " overlaps the one before it",
                      "copy or build it again");
      end = segment.p_vaddr + segment.p_memsz;
    }
    segments_.push_back(segment);
  }
  if (end == 0)
    return refuse(LoadReason::bad_segment, "has no segment to load", "copy or build it again");
  return std::nullopt;
}

Bytes ElfImage::from_address(std::uint64_t address) const {
  for (const Elf64_Phdr& segment : segments_) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
    const std::uint64_t inside = address - segment.p_vaddr;
    if (inside >= segment.p_filesz) continue;
    return Bytes(copy_).subspan(segment.p_offset + inside, segment.p_filesz - inside);
  }
  return {};
}

std::vector<ElfNote> ElfImage::notes() const {
  const ElfHandle elf = open_handle(copy_);
  std::vector<ElfNote> out;
  for (const Elf64_Phdr& segment : segments_) {
    if (segment.p_type != PT_NOTE || segment.p_filesz == 0 || !elf) continue;
    Elf_Data* data = chunk(elf.get(), segment, segment.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
    if (data == nullptr) continue;
    // the chunk may be libelf's own memory: results point into the copy, at the same place
    const char* const mine = reinterpret_cast<const char*>(copy_.data()) + segment.p_offset;
    std::size_t offset = 0;
    while (out.size() < max_notes && offset < data->d_size) {
      GElf_Nhdr note;
      std::size_t name = 0;
      std::size_t text = 0;
      offset = gelf_getnote(data, offset, &note, &name, &text);
      if (offset == 0 || name > data->d_size || text > data->d_size) break;
      if (data->d_size - name < note.n_namesz || data->d_size - text < note.n_descsz) break;
      // the owner's length counts its NUL
      const std::size_t owner = note.n_namesz == 0 ? 0 : note.n_namesz - 1;
      out.push_back({{mine + name, owner}, note.n_type, {mine + text, note.n_descsz}});
    }
  }
  return out;
}

std::vector<Elf64_Dyn> ElfImage::dynamic() const {
  const auto found = std::ranges::find(segments_, std::uint32_t{PT_DYNAMIC}, &Elf64_Phdr::p_type);
  const ElfHandle elf = open_handle(copy_);
  if (found == segments_.end() || found->p_filesz == 0 || !elf) return {};
  Elf_Data* data = chunk(elf.get(), *found, ELF_T_DYN);
  if (data == nullptr) return {};
  std::vector<Elf64_Dyn> out;
  const std::size_t count = std::min(data->d_size / sizeof(Elf64_Dyn), max_dynamic_entries);
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Dyn entry;
    if (gelf_getdyn(data, static_cast<int>(i), &entry) == nullptr || entry.d_tag == DT_NULL) break;
    out.push_back(entry);
  }
  return out;
}

}  // namespace ronda::plugin
