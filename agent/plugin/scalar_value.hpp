// SPDX-License-Identifier: Apache-2.0
// One value of conf.d or of a manifest against the type of an option: the type itself, then its limits.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "config/diagnostic.hpp"
#include "plugin/option.hpp"

namespace ronda::plugin {

/// Judges of text whose grammar lives in later parts of the agent; an empty one accepts everything.
struct TextJudges {
  std::function<Status(std::string_view)> cron;
  std::function<Status(std::string_view)> calendar;
};

struct CheckContext {
  config::Diagnostics& diagnostics;
  const TextJudges& judges;
};

/// `name` is what people read: "expect.status", "command[2]".
std::optional<OptionNode> check_scalar(const Option& option, const config::Value& value, const std::string& name, CheckContext& context);

/// The first item of a list against `first_pattern`; `node` is what check_scalar made of it. False when an error was added.
bool check_first(const Option& option, const config::Value& value, const OptionNode& node, const std::string& name, CheckContext& context);

/// A value of base units as people write it for this type: "30s", "10MiB", "80%", "\"text\"".
std::string format_scalar(OptionType type, const OptionNode& value);

/// Text in quotes, controls escaped, cut to 80 bytes.
std::string shown_text(std::string_view text);

/// "a duration like \"30s\"": what the type wants.
std::string_view expectation(OptionType type);

/// -1, 0, 1; int64 and double compare as numbers. Nothing when there is no order between them.
std::optional<int> compare_scalars(const OptionNode& left, const OptionNode& right);

/// RFC 3339 with offset, to nanoseconds since 1970 UTC.
Result<std::int64_t> parse_timestamp(std::string_view text);

}  // namespace ronda::plugin
