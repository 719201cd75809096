// SPDX-License-Identifier: Apache-2.0
#include "plugin/refusal.hpp"

#include <array>

namespace ronda::plugin {

std::string_view to_string(LoadStep step) {
  constexpr std::array<std::string_view, 8> names = {"",       "open",    "stage", "read",
                                                     "policy", "options", "probe", "run"};
  return names[static_cast<std::size_t>(step)];
}

std::string_view to_string(LoadReason reason) {
  constexpr std::array<std::string_view, 42> names = {
      "no_directory",     "unreadable",       "symlink",          "not_regular",
      "wrong_owner",      "writable_by_others", "unsafe_ancestor", "too_large",
      "cannot_stage",     "empty_file",       "not_elf",          "archive",
      "script",           "truncated",        "wrong_class",      "wrong_byte_order",
      "wrong_machine",    "not_shared_object", "bad_segment",     "bad_dynamic",
      "text_relocations", "executable_stack", "foreign_run_path", "loads_by_path",
      "foreign_runtime",
      "missing_library",  "missing_version",  "no_note",          "many_notes",
      "note_too_large",   "note_not_utf8",    "bad_manifest",     "no_entry",
      "wrong_major",      "needs_newer_minor", "duplicate_id",    "duplicate_procedure",
      "not_pinned",       "wrong_hash",       "grant_refused",    "vetting_failed", "probe_failed"};
  static_assert(names.size() == static_cast<std::size_t>(LoadReason::probe_failed) + 1);
  return names[static_cast<std::size_t>(reason)];
}

std::string Refusal::text() const {
  std::string out(to_string(step));
  out += '/';
  out += to_string(reason);
  out += ": " + message;
  if (!remedy.empty()) out += "; " + remedy;
  return out;
}

}  // namespace ronda::plugin
