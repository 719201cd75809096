// SPDX-License-Identifier: Apache-2.0
// What a monitoring plugin prints: a verdict within its bounds, whatever it was.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "exec/verdict.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  nagios::Ended ended;
  ended.exit_code = data[0] % 6 - 1;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  ended.out = text.substr(0, text.size() / 2);
  ended.err = text.substr(text.size() / 2);
  ended.out_total = ended.out.size();
  ended.err_total = ended.err.size();
  const nagios::Verdict verdict = nagios::judge_plugin(ended);
  if (static_cast<int>(verdict.state) < 0 || static_cast<int>(verdict.state) > 3) std::abort();
  if (verdict.perfdata.items.size() > nagios::max_items) std::abort();
  for (const nagios::Perfdatum& item : verdict.perfdata.items) {
    if (item.label.size() > nagios::max_label_bytes || item.unit.size() > nagios::max_unit_bytes || !std::isfinite(item.value))
      std::abort();
    nagios::to_base_unit(item);
  }
  nagios::judge_command(ended, {});
  return 0;
}
