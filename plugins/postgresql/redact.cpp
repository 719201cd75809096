// SPDX-License-Identifier: Apache-2.0
#include "redact.hpp"

#include <algorithm>
#include <cctype>

namespace postgresql {
namespace {

constexpr std::string_view hidden = "***";
constexpr std::string_view secret_keys[] = {"password", "sslpassword", "passfile", "sslkey", "oauth_client_secret"};

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool is_secret(std::string_view key) {
  return std::find(std::begin(secret_keys), std::end(secret_keys), key) != std::end(secret_keys);
}

/// "?sslmode=require&password=x": libpq takes every option there.
std::string redact_parameters(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    const bool secret = equals != std::string_view::npos && is_secret(pair.substr(0, equals));
    out += secret ? std::string(pair.substr(0, equals + 1)) + std::string(hidden) : std::string(pair);
    if (end < query.size()) out += '&';
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return out;
}

/// scheme://user:password@host/db?options. A password with an unescaped '@' or '/' is still one: everything
/// from the first ':' to the last '@' goes.
std::string redact_uri(std::string_view dsn, std::size_t authority) {
  std::string out(dsn.substr(0, authority));
  std::string_view rest = dsn.substr(authority);
  const std::size_t at = rest.rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view userinfo = rest.substr(0, at);
    const std::size_t colon = userinfo.find(':');
    out += userinfo.substr(0, colon);
    if (colon != std::string_view::npos) (out += ':') += hidden;
    out += '@';
    rest.remove_prefix(at + 1);
  }
  const std::size_t question = rest.find('?');
  out += rest.substr(0, question);
  if (question != std::string_view::npos) (out += '?') += redact_parameters(rest.substr(question + 1));
  return out;
}

/// Past a keyword form's value: quoted with '' and backslashes, or bare up to a space.
std::size_t past_value(std::string_view dsn, std::size_t at) {
  const bool quoted = at < dsn.size() && dsn[at] == '\'';
  if (quoted) ++at;
  while (at < dsn.size()) {
    if (dsn[at] == '\\') {
      at = std::min(at + 2, dsn.size());
      continue;
    }
    if (quoted && dsn[at] == '\'') return at + 1;
    if (!quoted && is_space(dsn[at])) return at;
    ++at;
  }
  return at;
}

std::string redact_keywords(std::string_view dsn) {
  std::string out;
  std::size_t at = 0;
  while (at < dsn.size()) {
    if (!is_word(dsn[at])) {
      out += dsn[at++];
      continue;
    }
    const std::size_t key = at;
    while (at < dsn.size() && is_word(dsn[at])) ++at;
    const std::string_view name = dsn.substr(key, at - key);
    std::size_t value = at;
    while (value < dsn.size() && is_space(dsn[value])) ++value;
    out += name;
    if (value >= dsn.size() || dsn[value] != '=') continue;
    ++value;
    while (value < dsn.size() && is_space(dsn[value])) ++value;
    const std::size_t end = past_value(dsn, value);
    out += is_secret(name) ? "=" + std::string(hidden) : std::string(dsn.substr(at, end - at));
    at = end;
  }
  return out;
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
}

/// Past a string literal that begins at `at`; an unterminated one reaches to the end.
std::size_t past_literal(std::string_view text, std::size_t at) {
  if (text[at] == '\'') {
    const bool escapes = at > 0 && (text[at - 1] == 'E' || text[at - 1] == 'e');
    for (++at; at < text.size(); ++at) {
      if (escapes && text[at] == '\\') ++at;
      else if (text[at] == '\'' && (at + 1 >= text.size() || text[at + 1] != '\'')) return at + 1;
      else if (text[at] == '\'') ++at;
    }
    return text.size();
  }
  const std::size_t tag_end = text.find('$', at + 1);
  const std::string_view tag = text.substr(at, tag_end - at + 1);
  const std::size_t end = text.find(tag, tag_end + 1);
  return end == std::string_view::npos ? text.size() : end + tag.size();
}

/// $$ or $name$, but not the $1 that stands for a parameter.
bool opens_dollar_quote(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size() || std::isdigit(static_cast<unsigned char>(text[at + 1])) != 0) return false;
  std::size_t end = at + 1;
  while (end < text.size() && is_word(text[end])) ++end;
  return end < text.size() && text[end] == '$';
}

}  // namespace

std::string redact(std::string_view dsn) {
  for (const std::string_view scheme : {"postgresql://", "postgres://"})
    if (dsn.substr(0, scheme.size()) == scheme) return redact_uri(dsn, scheme.size());
  return redact_keywords(dsn);
}

std::string scrub(std::string_view text, const std::vector<std::string>& secrets) {
  std::string line(text);
  for (const std::string& secret : secrets) {
    // A secret of two or three letters occurs in ordinary words: only where it is quoted.
    if (secret.size() >= 4) replace_all(line, secret, hidden);
    else if (!secret.empty()) replace_all(line, '"' + secret + '"', hidden);
  }
  std::string out;
  for (const char c : line) {
    const bool blank = is_space(c) || static_cast<unsigned char>(c) < ' ';
    if (c == '\n' && !out.empty()) out += ';';
    if (!blank) out += c;
    else if (!out.empty() && out.back() != ' ') out += ' ';
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == ';')) out.pop_back();
  return out;
}

std::string mask_quoted(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t open = text.find('"');
    out += text.substr(0, open);
    if (open == std::string_view::npos) return out;
    out += "\"...\"";
    // The last quote of the text, so that a quote inside the piece cannot end it early.
    const std::size_t close = text.rfind('"');
    if (close == open) return out;
    text.remove_prefix(close + 1);
  }
}

std::string without_literals(std::string_view statement, std::size_t limit) {
  std::string out;
  for (std::size_t at = 0; at < statement.size() && out.size() < limit;) {
    const char c = statement[at];
    const bool in_word = !out.empty() && (is_word(out.back()) || out.back() == '$' || out.back() == '"');
    if (c == '\'' || (c == '$' && opens_dollar_quote(statement, at))) {
      out += '?';
      at = past_literal(statement, at);
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0 && !in_word) {
      out += '?';
      while (at < statement.size() && (is_word(statement[at]) || statement[at] == '.')) ++at;
    } else {
      if (!is_space(c)) out += c;
      else if (!out.empty() && out.back() != ' ') out += ' ';
      ++at;
    }
  }
  return out.substr(0, limit);
}

}  // namespace postgresql
