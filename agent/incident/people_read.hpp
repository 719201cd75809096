// SPDX-License-Identifier: Apache-2.0
// Single objects of the people's side, from their tables: what can be judged of each alone.
#pragma once

#include <optional>

#include "config/fields.hpp"
#include "incident/people.hpp"

namespace ronda::people {

/// What an object may refer to, and who is told.
struct ReadContext {
  const Input& input;
  config::Diagnostics& diagnostics;
  std::vector<std::string_view> notifiers;  // all that are configured, wrong ones too
  bool names_complete = true;               // false: a file could not be read, so an unknown name may be right
};

/// A channel that is wrong is left out and told in `people.disabled`, the others stay. None: the contact itself is wrong.
std::optional<Contact> read_contact(const ReadContext& context, const config::RawObject& object, People& people);
std::optional<Group> read_group(const ReadContext& context, config::Scope& scope, const config::RawObject& object);

/// Needs the contacts. None: the rota is wrong. `targets`: names of contacts, also of those that are wrong.
std::optional<Rota> read_rota(const ReadContext& context, config::Scope& scope, const config::RawObject& object, const People& people,
                              std::span<const std::string_view> contacts);

/// `quiet` of a contact or a channel; none: it is wrong, which was told.
std::optional<Quiet> read_quiet(const Input& input, config::Scope& scope, const config::Value& value);

}  // namespace ronda::people
