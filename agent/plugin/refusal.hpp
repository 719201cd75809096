// SPDX-License-Identifier: Apache-2.0
// Why a plugin file is not used: the step of the loader that said no, a code of its own, a sentence and a remedy.
// One bad file never disables anything but itself, so a refusal is a value that is kept and shown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/result.hpp"

namespace ronda::plugin {

/// The steps of the loader, in order; 1 to 5 run no code of the plugin.
enum class LoadStep : std::uint8_t { open = 1, stage, read, policy, options, probe, run };

enum class LoadReason : std::uint8_t {
  // open
  no_directory,
  unreadable,
  symlink,
  not_regular,
  wrong_owner,
  writable_by_others,
  unsafe_ancestor,
  too_large,
  // stage
  cannot_stage,
  // read: the file
  empty_file,
  not_elf,
  archive,
  script,
  truncated,
  wrong_class,
  wrong_byte_order,
  wrong_machine,
  not_shared_object,
  bad_segment,
  bad_dynamic,
  text_relocations,
  executable_stack,
  foreign_run_path,
  loads_by_path,
  foreign_runtime,
  missing_library,
  missing_version,
  // read: the note
  no_note,
  many_notes,
  note_too_large,
  note_not_utf8,
  bad_manifest,
  // policy
  no_entry,
  wrong_major,
  needs_newer_minor,
  duplicate_id,
  duplicate_procedure,
  not_pinned,
  wrong_hash,
  grant_refused,
  vetting_failed,
  // probe
  probe_failed,
};

std::string_view to_string(LoadStep step);
/// The code that people search for, as it is written above: "missing_version".
std::string_view to_string(LoadReason reason);

struct Refusal {
  LoadStep step = LoadStep::open;
  LoadReason reason = LoadReason::unreadable;
  std::string message;
  std::string remedy;

  /// "read/missing_version: needs GLIBCXX_3.4.99 ...; remedy"
  std::string text() const;
};

/// A value or a Refusal.
template <class T>
using Loaded = Result<T, Refusal>;

}  // namespace ronda::plugin
