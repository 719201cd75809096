// SPDX-License-Identifier: Apache-2.0
#include "api/tokens.hpp"

#include <algorithm>
#include <array>

#include "config/fields.hpp"
#include "plugin/hmac.hpp"

namespace ronda::api {
namespace {

constexpr std::size_t longest = 512;

Role role_of(std::string_view name) {
  for (const Role role : {Role::reporter, Role::viewer, Role::operator_, Role::approver}) {
    if (name == name_of(role)) return role;
  }
  return Role::none;
}

void judge_contact(config::Scope& scope, const config::Generation& generation, const config::Value& value, const std::string& name) {
  if (name.empty() || generation.find_raw("contact", name) != nullptr) return;
  // one that is wrong is told where it stands
  const bool is_disabled = std::ranges::any_of(
      generation.disabled, [&](const config::Disabled& one) { return one.kind == "file" || (one.kind == "contact" && one.name == name); });
  if (!is_disabled)
    config::wrong_text(scope, "contact", value, "there is no contact `" + name.substr(0, 64) + "`", "the name of a contact");
}

void judge_inbox(config::Scope& scope, const config::Value& value, const Token& token) {
  if (token.role == Role::reporter || token.role == Role::none || token.inbox.empty()) return;
  scope.error(value.place(), "`inbox` is for role reporter alone; " + std::string(name_of(token.role)) + " has no use for it");
}

Token read_token(config::Scope& scope, const config::Generation& generation, const config::RawObject& object) {
  constexpr std::array<std::string_view, 4> known = {"contact", "inbox", "role", "sha256"};
  Token out;
  out.name = object.name;
  const config::Value* inbox = nullptr;
  for (const config::Member& member : *object.value.as_table()) {
    if (member.key == "contact") {
      out.contact = config::read_text(scope, member.key, member.value).value_or("");
      judge_contact(scope, generation, member.value, out.contact);
    } else if (member.key == "inbox") {
      out.inbox = config::read_texts(scope, member.key, member.value);
      inbox = &member.value;
    } else if (member.key == "role") {
      out.role = role_of(config::read_text(scope, member.key, member.value).value_or(""));
    } else if (member.key == "sha256") {
      out.sha256 = config::read_text(scope, member.key, member.value).value_or("");
      for (char& c : out.sha256) c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    } else {
      scope.error(member.key_place, config::unknown_key(member.key, known));
    }
  }
  if (inbox != nullptr) judge_inbox(scope, *inbox, out);
  if (inbox == nullptr && out.role == Role::reporter && scope.sound())
    scope.error(object.place, "token `" + out.name + "` is a reporter's and lacks `inbox`: to which it may post");
  return out;
}

}  // namespace

std::vector<Token> read_tokens(const config::Generation& generation, config::Diagnostics& diagnostics) {
  std::vector<Token> out;
  for (const config::RawObject& object : generation.raw("token")) {
    if (object.value.as_table() == nullptr) continue;  // told by the core
    config::Scope scope(diagnostics);
    Token token = read_token(scope, generation, object);
    const auto same = token.sha256.empty() ? out.end() : std::ranges::find(out, token.sha256, &Token::sha256);
    if (same != out.end())
      scope.error(object.place, "token `" + token.name + "` is the same as token `" + same->name + "`; make each its own");
    if (scope.sound()) out.push_back(std::move(token));
  }
  return out;
}

const Token* find_token(const std::vector<Token>& tokens, std::string_view presented) {
  if (presented.empty() || presented.size() > longest) return nullptr;
  const std::string hash = plugin::sha256_hex(presented);
  const Token* out = nullptr;
  for (const Token& token : tokens) {
    if (plugin::is_same_secret(token.sha256, hash)) out = &token;
  }
  return out;
}

}  // namespace ronda::api
