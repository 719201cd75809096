// SPDX-License-Identifier: Apache-2.0
// `ronda silence`: what nobody is to be told of for a while, by whom, why and until when.
#include <algorithm>
#include <array>
#include <iostream>

#include "base/text.hpp"
#include "cli/ids.hpp"
#include "cli/incident_text.hpp"

namespace ronda::cli {

namespace {

constexpr std::array<std::string_view, 3> known = {"add", "list", "expire"};

void print_silence(const json::object& silence, const schedule::Zone& zone) {
  const bool ended = !silence.at("ended").is_null();
  std::cout << "  " << padded(text_of(silence, "id"), 11)
            << padded(ended                            ? "ended"
                      : silence.at("active").as_bool() ? "active"
                                                       : "planned",
                      8)
            << text_of(silence, "what");
  if (!ended && !silence.at("active").as_bool()) std::cout << "  from " << instant_text(silence.at("from"), zone);
  std::cout << "  until " << instant_text(silence.at(ended ? "ended" : "until"), zone);
  if (!ended && silence.at("until_ok").as_bool()) std::cout << " or until it is ok";
  std::cout << "  " << text_of(silence, "owner") << ": " << text_of(silence, "reason") << "\n";
  print_hidden(silence.at("hides").as_array());
}

int add(const Options& options) {
  if (!has_words(options, "reason")) return lacks("a silence needs a reason: --reason TEXT");
  if (!options.has("for") && !options.has("until-ok")) return lacks("a silence needs an end: --for DURATION, or --until-ok");
  json::array what;
  for (std::size_t i = 1; i < options.arguments.size(); ++i) {
    constexpr std::string_view of_level = "level=";
    std::string one = options.arguments[i];
    if (one.starts_with(of_level)) one = std::string(of_level) + level_typed(one.substr(of_level.size()));
    what.push_back(json::value(repair_utf8(one, 4096)));
  }
  json::object body{{"what", std::move(what)}};
  for (const char* flag : {"for", "reason", "from"}) {
    if (options.has(flag)) body[flag] = repair_utf8(options.value(flag), 16384);
  }
  if (options.has("until-ok")) body["until_ok"] = true;
  const auto answer = ask_json(options, "POST", "/v1/silences", json::serialize(body));
  if (!answer) return answer.error();
  if (options.json)
    std::cout << answer->text << "\n";
  else
    print_silence(answer->value.as_object(), *zone_of_agent(options));
  return exit_done;
}

int list(const Options& options) {
  const auto answer = ask_json(options, "GET", std::string("/v1/silences") + (options.has("all") ? "?all=1" : ""));
  if (!answer) return answer.error();
  if (options.json) {
    std::cout << answer->text << "\n";
    return exit_done;
  }
  const json::array& all = answer->value.as_array();
  if (all.empty()) std::cout << "nothing is silenced\n";
  if (all.empty()) return exit_done;
  const schedule::ZonePtr zone = zone_of_agent(options);
  for (const json::value& one : all) print_silence(one.as_object(), *zone);
  return exit_done;
}

int expire(const Options& options) {
  const auto id = whole_id(options, "/v1/silences?all=1", "silences", options.arguments[1]);
  if (!id) return id.error();
  const auto answer = ask_json(options, "POST", "/v1/silences/" + percent_encode(*id) + "/expire");
  if (!answer) return answer.error();
  std::cout << (options.json ? answer->text : text_of(answer->value.as_object(), "id") + ": ended") << "\n";
  return exit_done;
}

}  // namespace

int silence(const Options& options) {
  const std::size_t words = options.arguments.size();
  const std::string word = words == 0 ? std::string() : options.arguments.front();
  if (word == "add" && words >= 2) return add(options);
  if (word == "list" && words == 1) return list(options);
  if (word == "expire" && words == 2) return expire(options);
  if (words > 0 && std::ranges::find(known, word) == known.end()) return unknown_word("silence", word, known);
  complain(
      "usage: ronda silence add check=NAME|alert=NAME|service=NAME|tag=TAG|level=LEVEL ... --for DURATION --reason TEXT | list [--all] | "
      "expire ID");
  return exit_usage;
}

}  // namespace ronda::cli
