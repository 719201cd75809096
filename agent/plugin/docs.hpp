// SPDX-License-Identifier: Apache-2.0
// The Markdown that a manifest becomes: the manual of a plugin, and the tables of options that stand in a
// README between markers. Pure; the manifest is the only source, so a table that differs from it is out of
// date.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "plugin/manifest.hpp"

namespace ronda::plugin {

/// What an option means and what may be written, and its default, as they stand in the cells of that table.
std::string option_meaning(const Option& option);
std::string option_default(const Option& option);
/// The table of a procedure's options, nested ones as "expect.status", "steps[].url", "metrics.NAME.path".
std::string options_table(const Procedure& procedure);
/// The same between its markers, as it stands in a README.
std::string marked_table(const Procedure& procedure);
/// A conf.d object that uses the procedure: what is required with its examples, the rest as comments.
std::string example_object(const Procedure& procedure);
/// "in mrkdwn, each by itself, at least 1s apart, to a telephone number"
std::string messages_text(const MessageWants& wants);
/// The whole manual.
std::string manual(const Manifest& manifest);

/// `readme` with every table between markers made anew. An error where a marker has no end, or where the
/// markers of a procedure are missing.
Result<std::string> renew_tables(std::string_view readme, const Manifest& manifest);

}  // namespace ronda::plugin
