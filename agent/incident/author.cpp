// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "incident/event.hpp"

namespace ronda::incident {
namespace {

constexpr std::array<std::string_view, 5> kinds = {"agent", "contact", "unix", "token", "room"};

}  // namespace

std::string to_text(const Author& author) {
  std::string out(kinds[static_cast<std::size_t>(author.kind)]);
  return author.kind == Author::Kind::agent ? out : out + ":" + author.name;
}

Result<Author> parse_author(std::string_view text) {
  if (text == kinds[0]) return Author{};
  const std::size_t colon = text.find(':');
  for (std::size_t i = 1; i < kinds.size(); ++i) {
    if (colon == std::string_view::npos || text.substr(0, colon) != kinds[i]) continue;
    const std::string_view name = text.substr(colon + 1);
    if (name.empty() || name.size() > max_name_bytes) break;
    return Author{static_cast<Author::Kind>(i), std::string(name)};
  }
  return Error(Errc::invalid, "an author is `agent`, `contact:NAME`, `unix:NAME`, `token:NAME` or `room:NAME`");
}

}  // namespace ronda::incident
