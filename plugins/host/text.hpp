// SPDX-License-Identifier: Apache-2.0
// What every part of this plugin needs for text: bounded reads, fields, numbers, and names made fit to show.
// Nothing here trusts what it reads: names of processes, files and mounts are data and are only ever quoted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace host {

struct Contents {
  std::string text;
  int error = 0;           // errno of open or read, 0 when the text is good
  bool truncated = false;  // the file went on past the limit
};

/// At most `limit` bytes of a file. Never blocks on a FIFO and never follows into a device: those give
/// EINVAL.
Contents read_file(const std::string& path, std::size_t limit = 1 << 20);

/// Splits off the text before the next newline; false when nothing is left.
bool next_line(std::string_view& text, std::string_view& line);
/// The fields of a line between runs of blanks and tabs, at most `limit`; the last one keeps what follows.
std::vector<std::string_view> fields(std::string_view line, std::size_t limit = 64);
std::string_view trim(std::string_view text);

/// The whole of `text` as a number, else nothing.
std::optional<std::uint64_t> to_u64(std::string_view text);
std::optional<std::int64_t> to_i64(std::string_view text);
std::optional<double> to_f64(std::string_view text);

/// One line that is safe in a log, a terminal or a page: controls, bidi marks and broken UTF-8 as \xNN,
/// cut to about `limit` bytes with "...".
std::string shown(std::string_view text, std::size_t limit = 120);

/// "3d4h", "5m10s", "0s": the two largest units.
std::string span_text(std::int64_t seconds);

}  // namespace host
