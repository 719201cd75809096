// SPDX-License-Identifier: Apache-2.0
// The post-incident document: what happened, how long it took, who was told when and by which channel, as Markdown in
// English or Spanish. And what a resolution must say before it may leave (requirements 5.3.2). Pure.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "incident/incident.hpp"

namespace ronda::incident {

/// The parts of a review, under the names that events keep them by.
inline constexpr std::array<std::string_view, 6> review_parts = {"summary",      "impact",   "root_cause",
                                                                 "action_items", "customer", "next_steps"};

using Fields = std::vector<std::pair<std::string, std::string>>;

/// Which required parts are empty; at P3 and P4 a summary is enough.
std::vector<std::string_view> missing_parts(const Fields& fields, config::Level level);
/// Ok when nothing is missing, or when forced with a reason. Else names what is missing.
Status check_resolution(const Fields& fields, config::Level level, bool force, std::string_view reason);
/// Refuses an unknown part, with "did you mean".
Status check_parts(const Fields& fields);

/// Of what a notifier said of a message that it delivered: whether the other side only took it to hand it on, which it says with that
/// word. Then nobody knows yet whether it has arrived.
bool is_only_accepted(std::string_view words);

enum class Language : std::uint8_t { en, es };

/// How instants are written: seconds to add to UTC, and what it is called.
struct DocumentOptions {
  Language language = Language::en;
  std::int64_t offset_s = 0;
  std::string zone = "UTC";
  std::string system;  // "Mini Market"; empty: left out
};

/// `events` are those of `incident`, in order.
std::string to_markdown(const Incident& incident, std::span<const Event> events, const DocumentOptions& options);

/// One line of it: what an event says, in words, not escaped: "taken by cto".
std::string describe(const Event& event, const DocumentOptions& options);
/// The same with times in UTC.
std::string describe(const Event& event, Language language);
/// Any text as Markdown that shows it as it is, on one line.
std::string escape_markdown(std::string_view text);

}  // namespace ronda::incident
