// SPDX-License-Identifier: Apache-2.0
// What the agent itself says to people, in every language that it speaks. What a person or a plugin said has no other words.
#pragma once

#include <string>
#include <utility>

namespace ronda {

struct Said {
  Said() = default;
  Said(std::string same) : en(same), es(std::move(same)) {}
  Said(const char* same) : Said(std::string(same)) {}
  Said(std::string english, std::string spanish) : en(std::move(english)), es(std::move(spanish)) {}

  std::string en, es;
};

}  // namespace ronda
