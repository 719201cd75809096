// SPDX-License-Identifier: Apache-2.0
// `ronda notify`: the messages that are owed, on their way, delivered or given up; a marked one as a test; a dead letter
// once more.
#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <thread>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/ids.hpp"
#include "cli/incident_text.hpp"

namespace ronda::cli {

namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 3> known = {"list", "test", "retry"};
constexpr auto look_every = 200ms;
constexpr Nanos most_wait = 1h;

int print_list(const Options& options, const std::string& target, std::string_view nothing) {
  const auto answer = ask_json(options, "GET", target);
  if (!answer) return answer.error();
  if (options.json) {
    std::cout << answer->text << "\n";
    return exit_done;
  }
  const json::array& all = answer->value.as_array();
  if (all.empty()) std::cout << nothing << "\n";
  if (!all.empty()) print_messages(all, *zone_of_agent(options));
  return exit_done;
}

int list(const Options& options) {
  std::string query;
  if (options.has("limit")) query = "?limit=" + percent_encode(options.value("limit"));
  if (options.has("incident")) {
    const auto id = whole_incident_id(options, options.value("incident"));
    if (!id) return id.error();
    // of one that there is not nobody was told either, and that is no answer
    if (const auto found = ask_json(options, "GET", "/v1/incidents/" + percent_encode(*id)); !found) return found.error();
    query += (query.empty() ? "?incident=" : "&incident=") + percent_encode(*id);
  }
  const int code = print_list(options, "/v1/outbox" + query, "there is no message");
  if (code != exit_done || options.json || options.has("incident")) return code;
  const auto sinks = ask_json(options, "GET", "/v1/sinks");
  if (!sinks) return sinks.error();
  const json::array& all = sinks->value.as_array();
  if (!all.empty()) std::cout << "\nsinks\n";
  print_sinks(all);
  return exit_done;
}

bool is_ended(const json::value& message) {
  const std::string state = text_of(message.as_object(), "state");
  return state == "delivered" || state == "dead";
}

void print_trail(const json::array& messages, bool with_names, const schedule::Zone& zone) {
  for (const json::value& value : messages) {
    const json::object& one = value.as_object();
    const std::string state = text_of(one, "state");
    std::cout << "  "
              << padded(state == "dead"        ? "FAILED"
                        : state == "delivered" ? outcome_of(one)
                                               : "waits",
                        10)
              << (with_names ? padded(text_of(one, "contact"), 18) : "") << text_of(one, "notifier") << "\n";
    const json::value* trail = one.if_contains("trail");
    if (trail == nullptr) continue;
    for (const json::value& attempt : trail->as_array()) {
      const json::object& made = attempt.as_object();
      std::cout << "      " << instant_text(made.at("ended"), zone) << "  " << padded(text_of(made, "outcome"), 10)
                << text_of(made, "detail") << "\n";
    }
  }
}

/// Those of `wanted` whom none of the messages is for: they have no channel. An address that several share is for each of them.
std::vector<std::string> left_out(const json::array& wanted, const json::array& messages) {
  std::string all = ",";
  for (const json::value& one : messages) all += text_of(one.as_object(), "contact") + ",";
  std::vector<std::string> out;
  for (const json::value& one : wanted) {
    if (all.find("," + text_of(one) + ",") == std::string::npos) out.push_back(text_of(one));
  }
  return out;
}

/// Waits until each envelope has its end, or the time is over.
int test(const Options& options) {
  const std::string text = options.value("wait", "60s");
  const auto wait = parse_duration(text);
  if (!wait || *wait > most_wait) {
    complain("--wait is a duration up to 1h like \"60s\", not \"" + escape_controls(text) + "\"");
    return exit_usage;
  }
  const auto begun = ask_json(options, "POST", "/v1/contacts/" + percent_encode(options.arguments[1]) + "/test");
  if (!begun) return begun.error();
  const std::string target = "/v1/tests/" + percent_encode(text_of(begun->value.as_object(), "test"));
  const json::array& contacts = list_of(begun->value.as_object(), "contacts");
  const Nanos until = monotonic() + *wait;
  for (;;) {
    const auto answer = ask_json(options, "GET", target);
    if (!answer) return answer.error();
    const json::array& all = answer->value.as_array();
    const bool ended = std::ranges::all_of(all, is_ended);
    if (!ended && monotonic() < until) {
      std::this_thread::sleep_for(look_every);
      continue;
    }
    if (options.json)
      std::cout << answer->text << "\n";
    else
      print_trail(all, contacts.size() > 1, *zone_of_agent(options));
    if (!ended) complain("not every channel has answered within " + text + "; it is tried on: 'ronda notify list' shows it");
    const std::vector<std::string> silent = left_out(contacts, all);
    for (const std::string& one : silent) complain(one + " has no channel that can be used");
    const auto is_delivered = [](const json::value& one) { return text_of(one.as_object(), "state") == "delivered"; };
    return !ended ? exit_undetermined : silent.empty() && std::ranges::all_of(all, is_delivered) ? exit_done : exit_failed;
  }
}

int revive(const Options& options, const std::string& id) {
  const auto answer = ask_json(options, "POST", "/v1/dead-letters/retry", json::serialize(json::object{{"id", id}}));
  if (!answer) return answer.error();
  if (!options.json) std::cout << text_of(answer->value.as_object(), "id") << ": owed again\n";
  if (options.json && !options.has("all")) std::cout << answer->text << "\n";  // of all there is one answer
  return exit_done;
}

/// One dead letter, or all of them.
int retry(const Options& options) {
  const bool all = options.has("all");
  const std::size_t words = options.arguments.size();
  if (!all && words == 1) return print_list(options, "/v1/dead-letters", "there is no dead letter");
  if (!all) return revive(options, options.arguments[1]);
  const auto answer = ask_json(options, "GET", "/v1/dead-letters?limit=1000");
  if (!answer) return answer.error();
  int worst = exit_done;
  json::array ids;
  for (const json::value& one : answer->value.as_array()) {
    const json::string& id = one.as_object().at("id").as_string();
    const int code = revive(options, std::string(id.data(), id.size()));
    if (code == exit_done) ids.push_back(json::value(id));
    worst = std::max(worst, code);
  }
  if (options.json)
    std::cout << json::serialize(json::object{{"owed", std::move(ids)}}) << "\n";
  else if (answer->value.as_array().empty())
    std::cout << "there is no dead letter\n";
  return worst;
}

}  // namespace

int notify(const Options& options) {
  const std::size_t words = options.arguments.size();
  const std::string word = words == 0 ? std::string() : options.arguments.front();
  if (word == "list" && words == 1) return list(options);
  if (word == "test" && words == 2) return test(options);
  if (word == "retry" && (words == 1 || (words == 2 && !options.has("all")))) return retry(options);
  if (words > 0 && std::ranges::find(known, word) == known.end()) return unknown_word("notify", word, known);
  complain("usage: ronda notify list [--incident ID] [--limit N] | test CONTACT|GROUP|ONCALL [--wait DURATION] | retry [ID | --all]");
  return exit_usage;
}

}  // namespace ronda::cli
