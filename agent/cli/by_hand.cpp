// SPDX-License-Identifier: Apache-2.0
#include "cli/by_hand.hpp"

#include <filesystem>

#include "cli/show.hpp"
#include "incident/moment.hpp"

namespace ronda::cli {
namespace json = boost::json;

namespace {

/// Nanoseconds since 1970 of "2026-11-24T03:04:05.678Z".
std::int64_t instant_ns(const json::value& instant, const schedule::Zone& utc) {
  const std::string text = text_of(instant);
  const auto at = people::parse_moment(text.substr(0, 19) + "Z", utc);
  return at ? *at : 0;
}

}  // namespace

std::span<const people::Override> ByHand::of(const people::Rota& rota) const {
  const auto found = overrides.find(rota.name);
  return found == overrides.end() ? std::span<const people::Override>() : found->second;
}

json::array ByHand::of(std::string_view rota) const {
  json::array out;
  for (const json::value& one : all) {
    if (text_of(one.as_object(), "oncall") == rota) out.push_back(one);
  }
  return out;
}

json::array ByHand::within(std::int64_t from_ns, std::int64_t to_ns) const {
  json::array out;
  for (const auto& [rota, list] : overrides) {
    const json::array shown = of(rota);  // in the same order
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].when.begin_ns <= to_ns && list[i].when.end_ns > from_ns) out.push_back(shown[i]);
    }
  }
  return out;
}

ByHand read_by_hand(const Options& options, const schedule::Zone& utc) {
  ByHand out;
  std::error_code error;
  if (!std::filesystem::exists(socket_path(options), error)) return out;
  const auto answer = ask_agent(options, "GET", "/v1/overrides");
  boost::system::error_code failure;
  const json::value value = answer && answer->status == 200 ? json::parse(answer->body, failure) : json::value();
  out.is_known = value.is_array();
  if (!out.is_known) {
    complain("the agent does not answer: overrides made by hand are not in this");
    return out;
  }
  for (const json::value& one : value.as_array()) {
    const json::object& object = one.as_object();
    out.overrides[text_of(object, "oncall")].push_back(
        {{instant_ns(object.at("from"), utc), instant_ns(object.at("to"), utc)}, text_of(object, "contact"), text_of(object, "reason")});
  }
  out.all = value.as_array();
  return out;
}

std::string override_text(const json::object& one) {
  return "override " + text_of(one, "id") + ": " + text_of(one, "contact") + ", by " + text_of(one, "author") + ": " +
         text_of(one, "reason");
}

}  // namespace ronda::cli
