// SPDX-License-Identifier: Apache-2.0
// `ronda maintenance`: a window that a person opens once; the recurring ones stand in conf.d and are listed beside.
#include <algorithm>
#include <array>
#include <iostream>

#include "base/text.hpp"
#include "cli/ids.hpp"
#include "cli/incident_text.hpp"

namespace ronda::cli {

namespace {

constexpr std::array<std::string_view, 3> known = {"start", "end", "list"};

std::string names_of(const json::object& one) {
  std::string out;
  for (const auto& [key, word] : {std::pair("services", "service="), std::pair("checks", "check="), std::pair("tags", "tag=")}) {
    for (const json::value& name : one.at(key).as_array()) out += (out.empty() ? "" : " ") + std::string(word) + text_of(name);
  }
  return out.empty() ? "everything" : out;
}

void print_one(const json::object& one, const schedule::Zone& zone) {
  const json::value* ended = one.if_contains("ended");
  const bool is_over = ended != nullptr && !ended->is_null();
  std::cout << "  " << padded(text_of(one, "id"), 11)
            << padded(is_over                      ? "ended"
                      : one.at("active").as_bool() ? "active"
                                                   : "planned",
                      8)
            << names_of(one) << "  " << instant_text(one.at("from"), zone) << " until "
            << instant_text(is_over ? *ended : one.at("until"), zone);
  if (one.at("until_ok").as_bool() && !is_over) std::cout << ", longer until it is ok";
  if (one.contains("owner")) std::cout << "  " << text_of(one, "owner") << ": " << text_of(one, "reason");
  std::cout << "\n";
  print_hidden(one.at("hides").as_array());
}

int print_answer(const Options& options, const Asked& answer) {
  if (!answer) return answer.error();
  if (options.json)
    std::cout << answer->text << "\n";
  else
    print_one(answer->value.as_object(), *zone_of_agent(options));
  return exit_done;
}

json::array all_of(const Options& options, std::string_view flag) {
  json::array out;
  for (const auto& [name, value] : options.flags) {
    if (name == flag) out.push_back(json::value(repair_utf8(value, 4096)));
  }
  return out;
}

int start(const Options& options) {
  if (!has_words(options, "reason")) return lacks("maintenance needs a reason: --reason TEXT");
  json::object body{{"for", repair_utf8(options.arguments[1], 64)}};
  for (const auto& [flag, key] : {std::pair("service", "services"), std::pair("check", "checks"), std::pair("tag", "tags"),
                                  std::pair("announce", "announce"), std::pair("notify", "notify")}) {
    if (options.has(flag)) body[key] = all_of(options, flag);
  }
  for (const auto& [flag, key] : {std::pair("reason", "reason"), std::pair("from", "from"), std::pair("at-most", "at_most")}) {
    if (options.has(flag)) body[key] = repair_utf8(options.value(flag), 16384);
  }
  if (options.has("until-ok")) body["until_ok"] = true;
  return print_answer(options, ask_json(options, "POST", "/v1/maintenance", json::serialize(body)));
}

int list(const Options& options) {
  const auto answer = ask_json(options, "GET", std::string("/v1/maintenance") + (options.has("all") ? "?all=1" : ""));
  if (!answer) return answer.error();
  if (options.json) {
    std::cout << answer->text << "\n";
    return exit_done;
  }
  const json::array& all = answer->value.as_array();
  if (all.empty()) std::cout << "no maintenance is planned\n";
  if (all.empty()) return exit_done;
  const schedule::ZonePtr zone = zone_of_agent(options);
  for (const json::value& one : all) print_one(one.as_object(), *zone);
  return exit_done;
}

int end(const Options& options) {
  const auto id = whole_id(options, "/v1/maintenance?all=1", "windows", options.arguments[1]);
  if (!id) return id.error();
  return print_answer(options, ask_json(options, "POST", "/v1/maintenance/" + percent_encode(*id) + "/end"));
}

}  // namespace

int maintenance(const Options& options) {
  const std::size_t words = options.arguments.size();
  const std::string word = words == 0 ? std::string() : options.arguments.front();
  if (word == "start" && words == 2) return start(options);
  if (word == "list" && words == 1) return list(options);
  if (word == "end" && words == 2) return end(options);
  if (words > 0 && std::ranges::find(known, word) == known.end()) return unknown_word("maintenance", word, known);
  complain(
      "usage: ronda maintenance start DURATION --reason TEXT [--service NAME] [--check NAME] [--tag TAG] [--from TIME] [--until-ok] "
      "[--at-most DURATION] [--announce DURATION] [--notify NAME] | end ID | list [--all]");
  return exit_usage;
}

}  // namespace ronda::cli
