// SPDX-License-Identifier: Apache-2.0
// Small work on text: what a person probably meant, and text from outside made fit to show.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace ronda {

/// Levenshtein distance, or limit + 1 as soon as it is known to be larger than limit.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

/// The name that was probably meant: distance at most 2 (of a name of at most four letters 1, or two letters swapped), else one that
/// `word` is a prefix of; empty if none.
std::string_view nearest(std::string_view word, std::span<const std::string_view> names);

/// True for [a-z0-9][a-z0-9_-]*, at most 128 bytes: the names of objects in conf.d.
bool is_object_name(std::string_view name);

/// Valid UTF-8 with every broken byte replaced by U+FFFD, cut to at most max_bytes at a character's border.
std::string repair_utf8(std::string_view text, std::size_t max_bytes);

/// One line that is safe for a log or a terminal: C0, C1, DEL, line separators and bidi controls as \xNN.
std::string escape_controls(std::string_view text);

std::string_view trim(std::string_view text);

}  // namespace ronda
