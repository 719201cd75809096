// SPDX-License-Identifier: Apache-2.0
#include "plugin/elf_dynamic.hpp"

#include <algorithm>

namespace ronda::plugin {
namespace {

constexpr std::size_t max_name_bytes = 4096;
constexpr std::uint64_t max_symbols = 1U << 20U;
constexpr std::size_t max_versions = 10'000;

Refusal damaged(std::string what) {
  return {LoadStep::read, LoadReason::bad_dynamic, "its dynamic section is damaged: " + std::move(what),
          "copy or build it again"};
}

/// Where the tables stand; 0: the file has none.
struct Tables {
  std::uint64_t strings = 0, strings_size = 0, symbols = 0, hash = 0, gnu_hash = 0;
  std::uint64_t needs = 0, needs_count = 0, offers = 0, offers_count = 0;
};

void take_address(const Elf64_Dyn& entry, Tables& tables) {
  const std::uint64_t value = entry.d_un.d_val;
  switch (entry.d_tag) {
    case DT_STRTAB: tables.strings = value; break;
    case DT_STRSZ: tables.strings_size = value; break;
    case DT_SYMTAB: tables.symbols = value; break;
    case DT_HASH: tables.hash = value; break;
    case DT_GNU_HASH: tables.gnu_hash = value; break;
    case DT_VERNEED: tables.needs = value; break;
    case DT_VERNEEDNUM: tables.needs_count = value; break;
    case DT_VERDEF: tables.offers = value; break;
    case DT_VERDEFNUM: tables.offers_count = value; break;
    default: break;
  }
}

void take_flags(const Elf64_Dyn& entry, DynamicFacts& dynamic, ElfFacts& facts) {
  const std::uint64_t value = entry.d_un.d_val;
  switch (entry.d_tag) {
    case DT_TEXTREL: dynamic.text_relocations = true; break;
    case DT_FLAGS:
      dynamic.text_relocations |= (value & DF_TEXTREL) != 0;
      facts.static_tls |= (value & DF_STATIC_TLS) != 0;
      break;
    case DT_FLAGS_1:
      facts.no_delete |= (value & DF_1_NODELETE) != 0;
      dynamic.is_program |= (value & DF_1_PIE) != 0;
      break;
    case DT_AUDIT:
    case DT_DEPAUDIT:
    case DT_FILTER:
    case DT_AUXILIARY: dynamic.loads_filters = true; break;
    default: break;
  }
}

class Strings {
 public:
  Strings(Bytes all, std::uint64_t size) : text_(all.first(std::min<std::uint64_t>(size, all.size()))) {}

  /// The text at `offset` up to its NUL; nothing when there is no NUL near.
  std::optional<std::string> at(std::uint64_t offset) const {
    if (offset >= text_.size()) return std::nullopt;
    const Bytes rest = text_.subspan(offset, std::min(max_name_bytes, text_.size() - offset));
    const auto end = std::ranges::find(rest, std::uint8_t{0});
    if (end == rest.end()) return std::nullopt;
    return std::string(rest.begin(), end);
  }

 private:
  Bytes text_;
};

void split_run_path(std::string_view text, std::vector<std::string>& out) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(':'), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::optional<Refusal> take_names(const std::vector<Elf64_Dyn>& entries, const Strings& strings,
                                  ElfFacts& facts) {
  for (const Elf64_Dyn& entry : entries) {
    const auto tag = entry.d_tag;
    if (tag != DT_NEEDED && tag != DT_SONAME && tag != DT_RPATH && tag != DT_RUNPATH) continue;
    const auto name = strings.at(entry.d_un.d_val);
    if (!name) return damaged("a name lies outside its string table");
    if (tag == DT_NEEDED) facts.needed.push_back(*name);
    if (tag == DT_SONAME) facts.soname = *name;
    if (tag == DT_RPATH || tag == DT_RUNPATH) split_run_path(*name, facts.run_paths);
  }
  return std::nullopt;
}

/// How many symbols a GNU hash table covers: the end of the chain that starts last.
std::optional<std::uint64_t> count_by_gnu_hash(Bytes table) {
  const auto buckets = read_at<std::uint32_t>(table, 0);
  const auto first = read_at<std::uint32_t>(table, 4);
  const auto bloom = read_at<std::uint32_t>(table, 8);
  if (!buckets || !first || !bloom) return std::nullopt;
  const std::uint64_t buckets_at = 16 + std::uint64_t{*bloom} * 8;
  const std::uint64_t chains_at = buckets_at + std::uint64_t{*buckets} * 4;
  if (chains_at > table.size()) return std::nullopt;
  std::uint64_t last = 0;
  for (std::uint64_t i = 0; i < *buckets; ++i)
    last = std::max<std::uint64_t>(last, read_at<std::uint32_t>(table, buckets_at + i * 4).value_or(0));
  if (last < *first) return *first;
  for (;; ++last) {
    const auto link = read_at<std::uint32_t>(table, chains_at + (last - *first) * 4);
    if (!link || last > max_symbols) return std::nullopt;
    if ((*link & 1U) != 0) return last + 1;
  }
}

std::optional<std::uint64_t> count_symbols(const ElfImage& image, const Tables& tables) {
  if (tables.gnu_hash != 0) return count_by_gnu_hash(image.from_address(tables.gnu_hash));
  if (tables.hash != 0) {
    const auto count = read_at<std::uint32_t>(image.from_address(tables.hash), 4);
    return count ? std::optional<std::uint64_t>(*count) : std::nullopt;
  }
  return 0;
}

void take_symbol(const Elf64_Sym& symbol, std::string name, ElfFacts& facts) {
  const unsigned binding = ELF64_ST_BIND(symbol.st_info);
  if (binding == STB_LOCAL || name.empty()) return;
  if (symbol.st_shndx == SHN_UNDEF) {
    if (binding == STB_WEAK) facts.weak_imports.push_back(name);
    facts.imports.push_back(std::move(name));
    return;
  }
  // version names are absolute symbols of no size; they are not code or data of anybody
  if (symbol.st_shndx == SHN_ABS) return;
  const unsigned visibility = ELF64_ST_VISIBILITY(symbol.st_other);
  if (visibility == STV_HIDDEN || visibility == STV_INTERNAL) return;
  if (binding == STB_GNU_UNIQUE) facts.unique_symbols.push_back(name);
  facts.exports.push_back(std::move(name));
}

std::optional<Refusal> take_symbols(const ElfImage& image, const Tables& tables, const Strings& strings,
                                    ElfFacts& facts) {
  const auto count = count_symbols(image, tables);
  const Bytes table = image.from_address(tables.symbols);
  if (!count || *count > max_symbols || *count > table.size() / sizeof(Elf64_Sym))
    return damaged("its symbol table does not fit");
  for (std::uint64_t i = 1; i < *count; ++i) {
    const auto symbol = read_at<Elf64_Sym>(table, i * sizeof(Elf64_Sym));
    auto name = strings.at(symbol->st_name);
    if (!name) return damaged("a symbol's name lies outside its string table");
    take_symbol(*symbol, *std::move(name), facts);
  }
  return std::nullopt;
}

/// The versions wanted from one library; false when the list leaves its table.
bool take_needed_of(Bytes table, std::uint64_t at, const Elf64_Verneed& need, const Strings& strings,
                    ElfFacts& facts) {
  const auto library = strings.at(need.vn_file);
  if (!library) return false;
  at += need.vn_aux;
  for (unsigned i = 0; i < need.vn_cnt; ++i) {
    const auto aux = read_at<Elf64_Vernaux>(table, at);
    if (!aux || facts.needed_versions.size() > max_versions) return false;
    auto version = strings.at(aux->vna_name);
    if (!version) return false;
    facts.needed_versions.push_back({*library, *std::move(version), (aux->vna_flags & VER_FLG_WEAK) != 0});
    if (aux->vna_next == 0) break;
    at += aux->vna_next;
  }
  return true;
}

std::optional<Refusal> take_needed_versions(const ElfImage& image, const Tables& tables,
                                            const Strings& strings, ElfFacts& facts) {
  if (tables.needs == 0) return std::nullopt;
  const Bytes table = image.from_address(tables.needs);
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(tables.needs_count, max_versions); ++i) {
    const auto need = read_at<Elf64_Verneed>(table, at);
    if (!need || !take_needed_of(table, at, *need, strings, facts))
      return damaged("its list of needed versions does not fit");
    if (need->vn_next == 0) break;
    at += need->vn_next;
  }
  return std::nullopt;
}

std::optional<Refusal> take_offered_versions(const ElfImage& image, const Tables& tables,
                                             const Strings& strings, ElfFacts& facts) {
  if (tables.offers == 0) return std::nullopt;
  const Bytes table = image.from_address(tables.offers);
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(tables.offers_count, max_versions); ++i) {
    const auto offer = read_at<Elf64_Verdef>(table, at);
    const auto aux = offer ? read_at<Elf64_Verdaux>(table, at + offer->vd_aux) : std::nullopt;
    auto version = aux ? strings.at(aux->vda_name) : std::nullopt;
    if (!version) return damaged("its list of offered versions does not fit");
    facts.offered_versions.push_back(*std::move(version));
    if (offer->vd_next == 0) break;
    at += offer->vd_next;
  }
  return std::nullopt;
}

}  // namespace

Loaded<DynamicFacts> read_dynamic(const ElfImage& image, ElfFacts& facts) {
  const std::vector<Elf64_Dyn> entries = image.dynamic();
  if (entries.empty()) return damaged("there is none");
  Tables tables;
  DynamicFacts dynamic;
  for (const Elf64_Dyn& entry : entries) {
    take_address(entry, tables);
    take_flags(entry, dynamic, facts);
  }
  const Strings strings(image.from_address(tables.strings), tables.strings_size);
  if (auto refusal = take_names(entries, strings, facts)) return *std::move(refusal);
  if (auto refusal = take_symbols(image, tables, strings, facts)) return *std::move(refusal);
  if (auto refusal = take_needed_versions(image, tables, strings, facts)) return *std::move(refusal);
  if (auto refusal = take_offered_versions(image, tables, strings, facts)) return *std::move(refusal);
  return dynamic;
}

}  // namespace ronda::plugin
