// SPDX-License-Identifier: Apache-2.0
#include "plugin/lint.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "plugin/abi_window.hpp"
#include "plugin/elf_dynamic.hpp"
#include "plugin/host_libraries.hpp"
#include "plugin/lint_manifest.hpp"
#include "plugin/lint_symbols.hpp"

namespace ronda::plugin {
namespace {

/// What all rules look at.
struct Subject {
  const ElfImage& image;
  const DynamicFacts& dynamic;
  const ElfFacts& facts;
  const std::vector<std::string>& library_directories;
};
using Findings = std::vector<LintFinding>;

void add(Findings& out, LintSeverity severity, std::string_view rule, std::string message,
         std::string remedy) {
  out.push_back({severity, std::string(rule), std::move(message), std::move(remedy)});
}

void add(Findings& out, const Refusal& refusal) {
  add(out, LintSeverity::error, to_string(refusal.reason), refusal.message, refusal.remedy);
}

void check_segments(const Subject& subject, Findings& out) {
  const auto& segments = subject.image.segments();
  const auto stack = std::ranges::find(segments, std::uint32_t{PT_GNU_STACK}, &Elf64_Phdr::p_type);
  if (stack == segments.end() || (stack->p_flags & PF_X) != 0)
    add(out, LintSeverity::error, "executable_stack",
        "asks for an executable stack, or does not say that it needs none",
        "link with -Wl,-z,noexecstack, and give assembler files a .note.GNU-stack section");
  const bool writable_code = std::ranges::any_of(segments, [](const Elf64_Phdr& segment) {
    return segment.p_type == PT_LOAD && (segment.p_flags & PF_W) != 0 && (segment.p_flags & PF_X) != 0;
  });
  if (writable_code)
    add(out, LintSeverity::error, "writable_code", "has a segment that is writable and executable",
        "link without -N, -z nognustack and scripts that join .text and .data");
  if (subject.dynamic.text_relocations)
    add(out, LintSeverity::error, "text_relocations", "has relocations in its code (TEXTREL)",
        "compile everything in it with -fPIC");
}

bool is_bound_at_load(const ElfImage& image) {
  return std::ranges::any_of(image.dynamic(), [](const Elf64_Dyn& entry) {
    return entry.d_tag == DT_BIND_NOW || (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_BIND_NOW) != 0) ||
           (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_NOW) != 0);
  });
}

void check_linking(const Subject& subject, Findings& out) {
  for (const std::string& directory : subject.facts.run_paths) {
    const bool harmless = is_system_library_directory(directory);
    add(out, harmless ? LintSeverity::warning : LintSeverity::error, "foreign_run_path",
        "looks for libraries in '" + escape_controls(directory) + "' (RUNPATH)",
        "link without -rpath; install its libraries where the system looks");
  }
  for (const std::string& library : subject.facts.needed) {
    if (library.find('/') != std::string::npos)
      add(out, LintSeverity::error, "loads_by_path",
          "needs the library '" + escape_controls(library) + "' by path", "link it by its soname");
    if (auto wrong = foreign_runtime(library))
      add(out, LintSeverity::error, "foreign_runtime", std::move(*wrong), std::string(foreign_runtime_remedy));
  }
  if (subject.dynamic.loads_filters)
    add(out, LintSeverity::error, "loads_by_path", "names an auditor or a filter library",
        "link without --audit, --filter and --auxiliary");
  if (subject.dynamic.is_program)
    add(out, LintSeverity::error, "not_shared_object",
        "is a position-independent program, not a shared object", "link it with ronda_add_plugin()");
  if (subject.facts.no_delete)
    add(out, LintSeverity::warning, "no_delete", "says that it is never to be unloaded (NODELETE)",
        "link without -z nodelete");
  if (!is_bound_at_load(subject.image))
    add(out, LintSeverity::warning, "lazy_binding",
        "is bound lazily: a missing symbol shows at the first call, not at load", "link with -Wl,-z,now");
  if (subject.facts.build_id.empty())
    add(out, LintSeverity::warning, "no_build_id",
        "has no build id: crashes cannot be matched with debug symbols", "link with -Wl,--build-id");
  if (subject.facts.static_tls)
    add(out, LintSeverity::error, "static_tls",
        "has thread-local variables of the initial-exec model (STATIC_TLS): the place for them runs out "
        "after a few loads",
        "compile with -ftls-model=global-dynamic");
}

/// The first few of a list, for a message.
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 5;
  std::string out;
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i)
    out += (i == 0 ? "" : ", ") + escape_controls(names[i]);
  return names.size() > shown ? out + " and " + std::to_string(names.size() - shown) + " more" : out;
}

void check_exports(const Subject& subject, Findings& out) {
  std::vector<std::string> stray;
  for (const std::string& name : subject.facts.exports)
    if (!name.starts_with("ronda_plugin_entry_")) stray.push_back(name);
  if (!stray.empty())
    add(out, LintSeverity::error, "stray_export", "exports more than its entry: " + some_of(stray),
        "compile with -fvisibility=hidden and link with the version script of the SDK, as ronda_add_plugin() "
        "does");
  if (!subject.facts.unique_symbols.empty())
    add(out, LintSeverity::error, "unique_symbols",
        "has unique symbols, which two versions of it in one process would share: " +
            some_of(subject.facts.unique_symbols),
        "compile with -fno-gnu-unique and link with the version script of the SDK");
}

/// Names that end, fork or change the whole process of which the plugin is a guest, with what to use instead.
struct RiskyImport {
  std::string_view name;
  LintSeverity severity;
  std::string_view instead;
};
constexpr std::string_view by_exec =
    "run programs by ronda.exec/1 (grant exec): it has a deadline and cleans up";
constexpr std::string_view by_result = "report a result; a failing create returns an error";
constexpr std::string_view by_cancel =
    "signals belong to the runner; a call is told to end by cancel and cancel_fd";
constexpr std::string_view by_spec =
    "it changes the process for other calls at the same time; give it to the program that needs it";
constexpr std::array<RiskyImport, 33> risky_imports = {{
    {"exit", LintSeverity::error, by_result},
    {"_exit", LintSeverity::error, by_result},
    {"_Exit", LintSeverity::error, by_result},
    {"quick_exit", LintSeverity::error, by_result},
    {"fork", LintSeverity::error, by_exec},
    {"vfork", LintSeverity::error, by_exec},
    {"daemon", LintSeverity::error, by_exec},
    {"system", LintSeverity::error, by_exec},
    {"popen", LintSeverity::error, by_exec},
    {"posix_spawn", LintSeverity::error, by_exec},
    {"posix_spawnp", LintSeverity::error, by_exec},
    {"execl", LintSeverity::error, by_exec},
    {"execlp", LintSeverity::error, by_exec},
    {"execv", LintSeverity::error, by_exec},
    {"execve", LintSeverity::error, by_exec},
    {"execvp", LintSeverity::error, by_exec},
    {"signal", LintSeverity::error, by_cancel},
    {"sigaction", LintSeverity::error, by_cancel},
    {"alarm", LintSeverity::error, by_cancel},
    {"setitimer", LintSeverity::error, by_cancel},
    {"raise", LintSeverity::error, by_cancel},
    {"sigprocmask", LintSeverity::warning, by_cancel},
    {"abort", LintSeverity::warning, by_result},
    {"setenv", LintSeverity::warning, by_spec},
    {"unsetenv", LintSeverity::warning, by_spec},
    {"putenv", LintSeverity::warning, by_spec},
    {"setlocale", LintSeverity::warning, by_spec},
    {"chdir", LintSeverity::warning, by_spec},
    {"fchdir", LintSeverity::warning, by_spec},
    {"umask", LintSeverity::warning, by_spec},
    {"tzset", LintSeverity::warning, by_spec},
    {"pthread_cancel", LintSeverity::warning, by_cancel},
    {"dlopen", LintSeverity::warning,
     "link what it needs, so that a missing library is known before it is loaded"},
}};

bool imports(const ElfFacts& facts, std::string_view name) {
  return std::ranges::find(facts.imports, name) != facts.imports.end();
}

void check_imports(const Subject& subject, Findings& out) {
  for (const RiskyImport& risky : risky_imports) {
    if (imports(subject.facts, risky.name))
      add(out, risky.severity, "risky_import", "uses " + std::string(risky.name), std::string(risky.instead));
  }
  const std::vector<std::string> missing = undefined_symbols(subject.facts, subject.library_directories);
  if (!missing.empty())
    add(out, LintSeverity::error, "undefined_symbol",
        "uses what no library that it names has: " + some_of(missing),
        "link the library that has it, with -Wl,-z,defs to find it at build time");
}

/// What the manifest must ask for because the code visibly does it.
void check_needs(const Subject& subject, const Manifest& manifest, Findings& out) {
  constexpr std::array<std::pair<std::string_view, Grant>, 4> signs = {{{"pthread_create", Grant::threads},
                                                                        {"socket", Grant::net},
                                                                        {"connect", Grant::net},
                                                                        {"getaddrinfo", Grant::net}}};
  for (const auto& [name, grant] : signs) {
    const bool declared = std::ranges::find(manifest.needs, grant) != manifest.needs.end();
    const bool by_database =
        grant == Grant::net && std::ranges::find(manifest.needs, Grant::db) != manifest.needs.end();
    if (!imports(subject.facts, name) || declared || by_database) continue;
    add(out, LintSeverity::warning, "undeclared_need",
        "uses " + std::string(name) + " and does not need the grant '" + std::string(to_string(grant)) + "'",
        "add it to `needs`, or leave out what uses it");
  }
}

void check_manifest(const Subject& subject, Findings& out) {
  const auto text = find_manifest(subject.image);
  if (!text) return add(out, text.error());
  const auto manifest = lint_manifest(*text, out);
  if (!manifest) return;
  check_needs(subject, *manifest, out);
  if (const auto entry = choose_entry(this_agents_abi(), subject.facts.entry_majors, manifest->abi); !entry)
    add(out, entry.error());
}

}  // namespace

std::string_view to_string(LintSeverity severity) {
  return severity == LintSeverity::error ? "error" : "warning";
}

std::vector<LintFinding> lint(std::span<const std::uint8_t> file,
                              const std::vector<std::string>& library_directories) {
  Findings out;
  const auto image = ElfImage::open(file);
  if (!image) {
    add(out, image.error());
    return out;
  }
  const auto read = read_elf_facts(*image);
  if (!read) {
    add(out, read.error());
    return out;
  }
  const Subject subject{*image, read->dynamic, read->facts, library_directories};
  check_segments(subject, out);
  check_linking(subject, out);
  check_exports(subject, out);
  if (const auto refusal = HostLibraries(library_directories).check(read->facts)) add(out, *refusal);
  check_imports(subject, out);
  check_manifest(subject, out);
  std::ranges::stable_sort(out, {}, &LintFinding::severity);
  return out;
}

}  // namespace ronda::plugin
