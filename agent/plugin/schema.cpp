// SPDX-License-Identifier: Apache-2.0
#include "plugin/schema.hpp"

namespace ronda::plugin {

std::optional<OptionNode> check_options(const Procedure& procedure, const config::Table& object,
                                        config::Place place, const TextJudges& judges,
                                        config::Diagnostics& diagnostics) {
  CheckContext context{diagnostics, judges};
  auto table = check_table({procedure.options, object, place, "", true}, context);
  // rules speak of values: with one missing they would only repeat what was said
  if (!table) return std::nullopt;
  OptionNode values(*std::move(table));
  const std::size_t before = diagnostics.errors();
  check_rules(procedure.rules, procedure.options, values, object, place, diagnostics);
  if (diagnostics.errors() != before) return std::nullopt;
  return values;
}

}  // namespace ronda::plugin
