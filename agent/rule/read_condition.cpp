// SPDX-License-Identifier: Apache-2.0
#include "rule/read_condition.hpp"

#include <algorithm>

#include "config/inside.hpp"
#include "rule/parser.hpp"

namespace ronda::rule {

std::optional<Condition> read_condition(config::Scope& scope, const ConditionSource& from, std::string_view key, const config::Value& value,
                                        std::string_view more) {
  const auto text = config::read_text(scope, key, value);
  if (!text) return {};
  std::vector<Remark> remarks;
  auto out = parse_condition(*text + std::string(more), from.facts, remarks);
  const config::Place place = value.place();
  const bool is_written = value.origin() == config::Origin::literal && from.generation.written_at(place).empty();
  const std::string_view source = is_written && place.file < from.files.size() ? from.files[place.file].text : std::string_view();
  for (const Remark& remark : remarks) {
    const config::Place where = config::inside(place, source, std::min(remark.offset, text->size()));
    const std::string message = tick(key) + ": " + remark.message;
    if (remark.warning) {
      if (more.empty()) scope.warning(where, message);
    } else if (value.origin() == config::Origin::literal) {
      scope.error(where, message);
    } else {
      scope.error(place, tick(key) + ": what the reference gives is no condition");  // it may be a secret
    }
  }
  return out;
}

}  // namespace ronda::rule
