// SPDX-License-Identifier: Apache-2.0
#include "plugin/scrub.hpp"

#include <algorithm>
#include <utility>

#include "plugin/wire.hpp"

namespace ronda::plugin {
namespace {

constexpr std::size_t shortest = 4;

void collect(wire::Reader& r, std::vector<std::string>& out) {
  switch (r.peek()) {
    case wire::Type::secret:
      out.emplace_back(r.secret());
      return;
    case wire::Type::array:
      for (std::size_t n = r.array(); n > 0 && r.ok(); --n) collect(r, out);
      return;
    case wire::Type::map:
      for (std::size_t n = r.map(); n > 0 && r.ok(); --n) r.skip(), collect(r, out);
      return;
    default:
      r.skip();
  }
}

}  // namespace

void Scrubber::add_secrets_of(std::string_view encoded_options) {
  wire::Reader r(encoded_options);
  std::vector<std::string> found;
  // behind the options stand the parts of texts that are secret by themselves
  while (r.ok() && !r.rest().empty()) collect(r, found);
  for (std::string& secret : found) {
    const bool is_new = secret.size() >= shortest && std::ranges::find(secrets_, secret) == secrets_.end();
    if (is_new) secrets_.push_back(std::move(secret));
  }
  std::ranges::sort(secrets_, [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::string Scrubber::scrub(std::string text) const {
  for (const std::string& secret : secrets_) {
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3))
      text.replace(at, secret.size(), "***");
  }
  return text;
}

std::string Scrubber::feed(std::string_view bytes) {
  if (secrets_.empty() && kept_.empty()) return std::string(bytes);
  std::string text = scrub(std::exchange(kept_, {}) + std::string(bytes));
  std::size_t keep = 0;
  for (const std::string& secret : secrets_) {
    std::size_t length = std::min(secret.size() - 1, text.size());
    while (length > keep && !std::string_view(text).ends_with(std::string_view(secret).substr(0, length))) --length;
    keep = std::max(keep, length);
  }
  kept_ = text.substr(text.size() - keep);
  text.resize(text.size() - keep);
  return text;
}

std::string Scrubber::end() {
  return std::exchange(kept_, {});
}

}  // namespace ronda::plugin
