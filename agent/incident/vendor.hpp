// SPDX-License-Identifier: Apache-2.0
// Those outside the house whose help is asked for: `[vendor.NAME]` with support levels, each with its own clock, how
// to reach it, and the text of a ticket made from an incident's fields. Pure; Ronda writes the ticket, people send it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"
#include "config/fields.hpp"
#include "config/generation.hpp"

namespace ronda::people {

struct VendorLevel {
  std::string name;
  std::string use;                      // what it is for
  std::string url, email, phone;        // at least one
  std::optional<Nanos> respond_within;  // their promise, from the moment the ticket was opened; none: they promise nothing
};

struct Vendor {
  std::string name;
  std::string title;
  std::string account;              // what they know us by
  std::string status_check;         // a check that watches their status page; empty: none
  std::string ticket;               // with {{field}}
  std::vector<VendorLevel> levels;  // from the first that is asked on
  config::Place place;
};

/// The fields that a ticket may name.
std::span<const std::string_view> ticket_fields();

/// Values by field. `vendor`, `account`, `vendor_level` and `respond_within` come from the vendor itself.
using TicketFields = std::map<std::string, std::string, std::less<>>;

/// The text for one of its levels (index); a field without value reads "-". Control characters in values are
/// escaped but newline and tab; at most 16 KiB.
std::string ticket_text(const Vendor& vendor, std::size_t level, const TicketFields& fields);

/// Until when this level owes an answer to a ticket opened at `opened_ns`; none: it promised none.
std::optional<std::int64_t> owed_until(const VendorLevel& level, std::int64_t opened_ns);

/// Reads `[vendor.NAME]`; `checks` are the names that status_check may mention. None: the object is wrong.
std::optional<Vendor> read_vendor(config::Scope& scope, const config::RawObject& object, std::span<const std::string> checks);

}  // namespace ronda::people
