// SPDX-License-Identifier: Apache-2.0
// What people write in conf.d: what is read can be written, and is then read as the same.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "base/units.hpp"

using namespace ronda;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto span = parse_duration(text)) {
    const auto again = parse_duration(format_duration(*span));
    if (!again || *again != *span) std::abort();
  }
  if (const auto bytes = parse_size(text)) {
    // four digits are kept, and the very largest are rounded over the limit
    const auto again = parse_size(format_size(*bytes));
    const double error = again ? std::abs(static_cast<double>(*again) - static_cast<double>(*bytes)) : 0;
    if (*bytes < 9'000'000'000'000'000'000 && (!again || error > 1e-3 * static_cast<double>(*bytes))) std::abort();
  }
  if (const auto ratio = parse_percent(text)) {
    if (!std::isfinite(*ratio)) std::abort();
  }
  if (const auto quantity = parse_quantity(text)) {
    if (std::isnan(*quantity)) std::abort();
  }
  if (const auto range = parse_range(text)) {
    if (std::isnan(range->low) || std::isnan(range->high) || range->low > range->high) std::abort();
    if (range->alerts(range->low) != range->inside) std::abort();
  }
  return 0;
}
