// SPDX-License-Identifier: Apache-2.0
// What the ladder of an alert says when its state changed: what incidents are made of. A plain value.
#pragma once

#include <cstdint>
#include <string>

#include "config/generation.hpp"

namespace ronda::rule {

struct Change {
  enum class What : std::uint8_t {
    fired,          // from none to a level
    level_changed,  // the same alert on another level, up or down
    resolved,       // from a level to none
    no_data,        // what it judges is not known any more; `to` is `from`: the level stays as it was
    blocked,        // waits for `blocked_by`; `to` is none: not resolved, the cause is elsewhere. With a level: nobody was told of that one
    unblocked,      // judged anew from here on
    data_back,      // the end of no_data, where the level stayed as it was
  };

  std::string alert;    // its name, unique in a generation; of a check's `severity`: the check's name
  std::string check;    // the first check that its conditions name
  std::string service;  // empty: it belongs to none
  config::Level from = config::Level::none;
  config::Level to = config::Level::none;
  What what = What::fired;
  std::string blocked_by;      // the check that is critical and that `check` depends on
  std::int64_t at_ns = 0;      // of the decision
  std::int64_t since_ns = 0;   // since when the condition of the level has held; of no_data: since when nothing is known
  std::string reason;          // for people, one line of at most 300 bytes: "api.error_rate is 6.1%, above 5%"
  std::string source, author;  // who judged where no rule did: "alertmanager", "token:prometheus"; empty: a rule
  double value = 0;            // the number that decided, in base units; 0 where it was a status
  std::string title = {};      // for people, in place of alert and reason; empty: those
  std::string said = {};       // what the check says of it itself, one line; empty: nothing, or not known

  bool operator==(const Change&) const = default;
};

std::string_view what_name(Change::What what);  // "fired", "level_changed", ...

}  // namespace ronda::rule
