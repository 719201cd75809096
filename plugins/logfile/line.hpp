// SPDX-License-Identifier: Apache-2.0
// A message as one line of a log, in one of three forms. Pure: the time and its zone are given. Whatever the texts hold,
// the line has no line's end, no control character and nothing that shows text in another order than it is read.
#pragma once

#include <ronda/plugin.hpp>

#include <array>
#include <string>
#include <string_view>

#include "zone.hpp"

namespace logfile {

enum class Format { alerts, notifications, json };
enum class Text { title, body, both };

struct Style {
  Format format = Format::alerts;
  Text text = Text::title;
  std::array<std::string, 4> severities;  ///< of p1 to p4
};

/// The longest text in a line; what is beyond it is cut, which three dots at its end say. Bytes, before escaping.
constexpr std::size_t max_title_bytes = 4096;
constexpr std::size_t max_body_bytes = 16384;
constexpr std::size_t max_field_bytes = 1024;
constexpr std::size_t max_fields = 64;

/// The words that the runbook's own scripts write: CRITICAL .. LOW for alerts, P1 .. P4 for the others.
std::array<std::string, 4> usual_severities(Format format);

/// Without the line's end.
std::string make_line(const Style& style, const ronda::message& message, const Reading& time);

}  // namespace logfile
