// SPDX-License-Identifier: Apache-2.0
// `ronda oncall`: whose turn it is, and whose next. `show` needs no agent, and asks the one that runs for the overrides that
// people made by hand.
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <iostream>

#include "api/people_json.hpp"
#include "base/clock.hpp"
#include "base/text.hpp"
#include "cli/by_hand.hpp"
#include "cli/ids.hpp"
#include "cli/incident_text.hpp"
#include "cli/local.hpp"
#include "incident/moment.hpp"
#include "incident/people_candidate.hpp"

namespace ronda::cli {
namespace json = boost::json;

namespace {

constexpr unsigned default_days = 14, most_days = 366;

struct Span {
  std::int64_t at_ns = 0;
  std::int64_t until_ns = 0;
};

bool read_asked(const Options& options, const schedule::Zone& zone, Span& out) {
  out.at_ns = std::chrono::nanoseconds(std::chrono::floor<std::chrono::seconds>(wall_clock())).count();
  if (options.has("at")) {
    const auto at = people::parse_moment(options.value("at"), zone);
    if (!at) {
      complain("--at: " + at.error().message());
      return false;
    }
    out.at_ns = *at;
  }
  unsigned days = default_days;
  const std::string text = options.value("days", std::to_string(default_days));
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), days);
  if (error != std::errc() || end != text.data() + text.size() || days < 1 || days > most_days) {
    complain("--days is a number from 1 to 366, not \"" + escape_controls(text) + "\"");
    return false;
  }
  out.until_ns = out.at_ns + Nanos(std::chrono::days(days)).count();
  return true;
}

std::string person(const people::People& people, const std::string& name) {
  const people::Contact* contact = people.find_contact(name);
  return contact == nullptr || contact->title == name ? name : name + " (" + escape_controls(contact->title) + ")";
}

void print_text(const people::People& people, const people::Rota& rota, const Span& asked, const ByHand& by_hand) {
  const auto text = [&](std::int64_t at_ns) { return people::moment_text(at_ns, *rota.zone); };
  std::cout << rota.name << (rota.title == rota.name ? "" : " - " + escape_controls(rota.title)) << ", " << rota.zone->name() << "\n";
  const auto more = by_hand.of(rota);
  if (people::on_call(rota, asked.at_ns, more).empty()) std::cout << "  nobody is on call at " << text(asked.at_ns) << "\n";
  for (const people::Shift& one : people::shifts(rota, asked.at_ns, asked.until_ns, more)) {
    std::cout << "  " << text(one.when.begin_ns) << "  to  " << text(one.when.end_ns) << "  " << person(people, one.contact);
    if (one.source == people::Shift::Source::override_) std::cout << " [override]";
    std::cout << "\n";
  }
  for (const json::value& one : by_hand.of(rota.name)) std::cout << "  " << override_text(one.as_object()) << "\n";
  for (const people::Stretch& one : people::gaps(rota, asked.at_ns, asked.until_ns, more))
    std::cout << "  " << text(one.begin_ns) << "  to  " << text(one.end_ns) << "  NOBODY\n";
}

}  // namespace

namespace {

void print_override(const json::object& one, const schedule::Zone& zone, std::string_view what) {
  std::cout << text_of(one, "id") << ": " << text_of(one, "contact") << " is on call for " << text_of(one, "oncall") << " from "
            << instant_text(one.at("from"), zone) << " to " << instant_text(one.at("to"), zone) << what << "\n";
}

int show_override(const Options& options, const Asked& answer, std::string_view what) {
  if (!answer) return answer.error();
  const json::object& one = answer->value.as_object();
  if (options.json)
    std::cout << answer->text << "\n";
  else
    print_override(one, *zone_of_agent(options), what);
  return exit_done;
}

int override_turn(const Options& options) {
  if (!has_words(options, "reason")) return lacks("an override needs a reason: --reason TEXT");
  if (!options.has("for") && !options.has("to")) return lacks("an override needs an end: --for DURATION or --to TIME");
  json::object body{{"who", repair_utf8(options.arguments[2], 256)}};
  for (const char* flag : {"from", "to", "for", "reason"}) {
    if (options.has(flag)) body[flag] = repair_utf8(options.value(flag), 16384);
  }
  const std::string target = "/v1/oncall/" + percent_encode(options.arguments[1]) + "/override";
  return show_override(options, ask_json(options, "POST", target, json::serialize(body)), "");
}

int undo(const Options& options) {
  const auto id = whole_id(options, "/v1/overrides?all=1", "overrides", options.arguments[1]);
  if (!id) return id.error();
  return show_override(options, ask_json(options, "POST", "/v1/overrides/" + percent_encode(*id) + "/end"), "; undone");
}

}  // namespace

int oncall(const Options& options) {
  const std::size_t words = options.arguments.size();
  const std::string word = words == 0 ? std::string() : options.arguments.front();
  if (word == "override" && words == 3) return override_turn(options);
  if (word == "undo" && words == 2) return undo(options);
  if (word != "show" || words > 2) {
    complain(
        "write: ronda oncall show [NAME] [--at TIME] [--days 14] | override NAME WHO --for DURATION --reason TEXT [--from TIME] | undo ID");
    return exit_usage;
  }
  LocalParts parts;
  const schedule::Candidate candidate = load_local(options, parts);
  if (is_unread(candidate)) return exit_undetermined;
  const schedule::ZonePtr zone = candidate.zone;
  Span asked;
  if (!read_asked(options, *zone, asked)) return exit_usage;
  config::Diagnostics told_already;
  const people::People people = escalation::staff_of(candidate, parts.zones, asked.at_ns, ::geteuid(), told_already).people;
  if (candidate.has_errors()) complain(errors_text(candidate) + "; this is what holds with them");
  const std::string wanted = options.arguments.size() == 2 ? options.arguments[1] : std::string();
  if (!wanted.empty() && people.find_oncall(wanted) == nullptr) {
    std::vector<std::string_view> names;
    for (const people::Rota& one : people.oncalls) names.push_back(one.name);
    const std::string_view near = nearest(wanted, names);
    complain("there is no oncall \"" + escape_controls(wanted) + "\"" +
             (near.empty() ? std::string() : "; did you mean \"" + std::string(near) + "\"?"));
    return exit_usage;
  }
  const ByHand by_hand = read_by_hand(options, **parts.zones.find("UTC"));
  json::array all;
  for (const people::Rota& one : people.oncalls) {
    if (!wanted.empty() && one.name != wanted) continue;
    if (options.json) {
      all.push_back(api::rota_json(one, {asked.at_ns, asked.until_ns}, by_hand.of(one), by_hand.of(one.name)));
    } else {
      print_text(people, one, asked, by_hand);
    }
  }
  if (options.json) std::cout << json::serialize(all) << "\n";
  if (!options.json && people.oncalls.empty()) std::cout << "there is no [oncall.*]\n";
  return candidate.has_errors() ? exit_failed : exit_done;
}

}  // namespace ronda::cli
