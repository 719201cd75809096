// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.hpp"
#include "incident/document.hpp"

namespace ronda::incident {
namespace {

bool is_written(const Fields& fields, std::string_view part) {
  return std::ranges::any_of(fields, [&](const auto& field) { return field.first == part && !trim(field.second).empty(); });
}

std::string joined(const std::vector<std::string_view>& words) {
  std::string out;
  for (const std::string_view word : words) out += (out.empty() ? "" : ", ") + std::string(word);
  return out;
}

}  // namespace

std::vector<std::string_view> missing_parts(const Fields& fields, config::Level level) {
  const bool is_small = level == config::Level::p3 || level == config::Level::p4;
  std::vector<std::string_view> out;
  for (const std::string_view part : review_parts) {
    if (is_small && part != review_parts.front()) continue;
    if (!is_written(fields, part)) out.push_back(part);
  }
  return out;
}

Status check_resolution(const Fields& fields, config::Level level, bool force, std::string_view reason) {
  const auto missing = missing_parts(fields, level);
  if (missing.empty()) return done();
  if (!force)
    return Error(Errc::exists,
                 "the review lacks " + joined(missing) + "; write them with `ronda incident review`, or use --force and a reason");
  if (trim(reason).empty()) return Error(Errc::invalid, "--force needs a reason");
  return done();
}

Status check_parts(const Fields& fields) {
  for (const auto& [name, text] : fields) {
    if (std::ranges::find(review_parts, name) != review_parts.end()) continue;
    const std::string_view close = nearest(name, review_parts);
    return Error(Errc::invalid, "a review has no part `" + repair_utf8(name, 64) + "`; " +
                                    (close.empty() ? "there are summary, impact, root_cause, action_items, customer and next_steps"
                                                   : "did you mean `" + std::string(close) + "`?"));
  }
  return done();
}

}  // namespace ronda::incident
