// SPDX-License-Identifier: Apache-2.0
// What a monitoring plugin prints: summary, further lines and perfdata, by the Nagios guideline and by what
// plugins really write (comma decimals, exponents, missing quotes, stray separators).
// Pure functions over text that anybody may have written: bounded, never fails, counts what it could not read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nagios {

constexpr std::size_t max_items = 256;
constexpr std::size_t max_label_bytes = 256;
constexpr std::size_t max_unit_bytes = 16;

/// One item of perfdata: 'label'=value[unit];[warn];[crit];[min];[max]. The ranges stay text.
struct Perfdatum {
  std::string label;
  double value = 0;
  std::string unit;
  std::string warn, crit, min, max;
};

struct Perfdata {
  std::vector<Perfdatum> items;
  std::size_t undetermined = 0;  ///< value U, nan or inf: the plugin could not tell
  std::size_t malformed = 0;     ///< pieces that are no item
  std::size_t dropped = 0;       ///< items past max_items
};

Perfdata parse_perfdata(std::string_view text);

/// The same item in s, B or ratio where its unit is one of time, size or percent; ranges are scaled too.
/// KB is 1000 bytes and KiB 1024. A range that is none is emptied.
Perfdatum to_base_unit(Perfdatum item);

/// The three parts of a plugin's output; lines end in \n, no trailing one.
struct Output {
  std::string summary;
  std::string detail;
  std::string perfdata;
};

Output split_output(std::string_view out);

}  // namespace nagios
