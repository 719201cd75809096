// SPDX-License-Identifier: Apache-2.0
// What the files of routes about one incident share: how it is read for an answer, and how a person's command is given.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/route.hpp"

namespace ronda::api {

/// An incident as it is read for one answer.
struct ReadIncident {
  incident::Incident incident;
  std::vector<incident::Event> events;
  std::vector<store::OutboxRow> rows;
  std::string trouble;  // why the store could not tell all of it
};

/// Its state and its timeline; where the store cannot say, the state alone. `then` is not called where there is none.
void load_incident(const Context& c, const std::function<void(std::shared_ptr<ReadIncident>)>& then);

/// Under the identity that the door established, for the incident that the path names; answers when it is durable.
void give_command(Context& c, incident::Command command);

}  // namespace ronda::api
