// SPDX-License-Identifier: Apache-2.0
// What a file is, what it should be, and how it differs from what it was. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verdict.hpp"

namespace host {

struct FileFacts {
  std::uint32_t mode = 0;  // the twelve bits of chmod
  std::uint32_t owner = 0;
  std::uint32_t group = 0;
  std::uint64_t size = 0;
  std::int64_t changed_s = 0;  // mtime
  std::string type;            // "file", "folder", "link", ...
  std::string target;          // of a symbolic link
  std::string sha256;          // empty when it was not computed
  int read_error = 0;          // errno of reading it for that
};

struct FileWishes {
  std::optional<std::int64_t> max_age_s;
  std::optional<std::uint64_t> min_size, max_size;
  std::optional<std::uint32_t> mode, owner, group;
  std::string sha256;  // lower case; empty: any
};

/// Why reading failed with that errno, and what to do.
std::string cannot_read(int error);

Verdict judge_file(const FileFacts& facts, const FileWishes& wishes, std::int64_t now_s);

/// "0640", "640" as bits.
std::optional<std::uint32_t> parse_mode(std::string_view text);
std::string mode_text(std::uint32_t mode);

/// The number of a name in a text like /etc/passwd or /etc/group, or the number itself.
std::optional<std::uint32_t> find_id(std::string_view text, std::string_view name_or_number);

/// A baseline as it is kept: what must not change, one line each. Age is no part of it.
std::string format_baseline(const FileFacts& facts);
/// What differs, for people: "mode 0640, was 0600". Damaged or empty text: "the baseline cannot be read".
std::vector<std::string> drift(std::string_view baseline, const FileFacts& facts);

}  // namespace host
