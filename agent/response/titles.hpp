// SPDX-License-Identifier: Apache-2.0
// `[alert.N] title`: what people read in place of the alert's name, in the incident's title and so in all messages about it.
// A text with placeholders, read once and strictly as templates are. Pure.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "config/generation.hpp"
#include "notify/pattern.hpp"
#include "rule/change.hpp"

namespace ronda::response {

struct Plan;

struct AlertTitle {
  std::string text;                                // where there is nothing to fill in
  std::shared_ptr<const notify::Pattern> pattern;  // null: there is not
  bool says_reason = false;                        // else the reason comes behind it
};
using AlertTitles = std::map<std::string, AlertTitle, std::less<>>;  // by alert

/// Of alerts, and of objectives, which have no placeholders. What is wrong is reported and left out: the alert's name stands in.
AlertTitles read_titles(const config::Generation& generation, config::Diagnostics& diagnostics);

/// "Errors of the shop: api.error_rate is 6.1%, above 5%"; empty: it has no title of its own.
std::string title_of(const Plan& plan, const rule::Change& change);

}  // namespace ronda::response
