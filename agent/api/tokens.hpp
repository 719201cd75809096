// SPDX-License-Identifier: Apache-2.0
// [token.N]: who may come in over TCP. A token itself stands nowhere, only its SHA-256.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/http.hpp"
#include "config/diagnostic.hpp"
#include "config/generation.hpp"

namespace ronda::api {

struct Token {
  std::string name, contact, sha256;  // of small letters
  Role role = Role::none;
  std::vector<std::string> inbox;
};

/// Of the tokens, those that are sound. What is wrong is told.
std::vector<Token> read_tokens(const config::Generation& generation, config::Diagnostics& diagnostics);

/// Whose token this is; null: nobody's. Looks at all of them, whichever it is.
const Token* find_token(const std::vector<Token>& tokens, std::string_view presented);

}  // namespace ronda::api
