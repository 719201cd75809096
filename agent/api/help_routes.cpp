// SPDX-License-Identifier: Apache-2.0
// Whose help an incident has: who has which role, and what was asked of vendors.
#include <array>
#include <boost/json.hpp>
#include <charconv>

#include "api/body.hpp"
#include "api/incident_door.hpp"
#include "api/incident_json.hpp"
#include "api/json.hpp"
#include "base/text.hpp"
#include "response/ticket.hpp"

namespace ronda::api {
namespace json = boost::json;
using incident::Verb;

namespace {

const response::Plan& plan_of(const Context& c) {
  return c.agent.response().desk().plan();
}

/// `known` are objects with names.
template <class Known>
Error no_such(std::string_view kind, std::string_view name, const Known& known) {
  std::vector<std::string_view> names;
  for (const auto& one : known) names.push_back(one.name);
  const std::string_view near = nearest(name, names);
  return {Errc::invalid, "there is no " + std::string(kind) + " `" + repair_utf8(name, 64) + "`" +
                             (near.empty() ? std::string() : "; did you mean `" + std::string(near) + "`?")};
}

// ---- roles ----------------------------------------------------------------------------------

/// {"role": "commander", "contact": "cto"}
Result<incident::Command> read_role(const Context& c) {
  RONDA_TRY(const Body body, Body::parse(c.request.body, {"role", "contact", "text", "based_on"}));
  incident::Command command;
  command.verb = Verb::role;
  RONDA_TRY(command.role, body.text("role", incident::max_name_bytes));
  RONDA_TRY(command.subject, body.text("contact", incident::max_name_bytes));
  RONDA_TRY(command.text, body.text("text", incident::max_text_bytes));
  RONDA_TRY(command.based_on, body.number("based_on"));
  const people::People& people = plan_of(c).people;
  if (command.subject.empty()) return Error(Errc::invalid, "`contact` is missing: to whom the role goes");
  if (people.find_contact(command.subject) == nullptr) return no_such("contact", command.subject, people.contacts);
  return command;
}

void post_role(Context& c) {
  auto command = read_role(c);
  if (!command) return c.respond(error_of(command.error()));
  give_command(c, *std::move(command));
}

// ---- tickets --------------------------------------------------------------------------------

struct Asked {
  const people::Vendor* vendor = nullptr;
  std::size_t level = 0;  // index

  const people::VendorLevel& at() const { return vendor->levels[level]; }
};

/// `level` counts from 1; 0: not said, which is the first.
Result<Asked> find_asked(const people::People& people, std::string_view vendor, std::uint64_t level) {
  if (vendor.empty()) return Error(Errc::invalid, "`vendor` is missing: whose help is asked for");
  Asked out;
  out.vendor = people.find_vendor(vendor);
  if (out.vendor == nullptr) return no_such("vendor", vendor, people.vendors);
  const auto& levels = out.vendor->levels;
  if (level > levels.size()) {
    std::string names;
    for (std::size_t i = 0; i < levels.size(); ++i) names += (i == 0 ? "" : ", ") + std::to_string(i + 1) + " " + levels[i].name;
    return Error(Errc::range, "`level`: vendor `" + out.vendor->name + "` has " + names);
  }
  out.level = level == 0 ? 0 : level - 1;
  return out;
}

json::value text_or_null(std::string_view text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object ticket_json(AgentView& agent, const ReadIncident& told, const Asked& asked, const incident::Author& reporter) {
  const std::int64_t now = agent.response().now_ns();
  const people::VendorLevel& level = asked.at();
  const auto fields = response::ticket_fields_of(agent.response().desk().plan(), told.incident, told.events, reporter, now);
  return {{"incident", told.incident.id},
          {"vendor", asked.vendor->name},
          {"title", asked.vendor->title},
          {"account", text_or_null(asked.vendor->account)},
          {"level", asked.level + 1},
          {"level_name", level.name},
          {"levels", asked.vendor->levels.size()},
          {"use", text_or_null(level.use)},
          {"url", text_or_null(level.url)},
          {"email", text_or_null(level.email)},
          {"phone", text_or_null(level.phone)},
          {"respond_within_s",
           level.respond_within ? json::value(std::chrono::duration<double>(*level.respond_within).count()) : json::value(nullptr)},
          {"owed_until", time_json(people::owed_until(level, now).value_or(0))},
          {"status_check", status_check_json(agent, asked.vendor->status_check)},
          {"text", people::ticket_text(*asked.vendor, asked.level, fields)}};
}

/// The text to be sent: ?vendor=NAME&level=N
void get_ticket(Context& c) {
  std::uint64_t level = 0;
  if (const std::string_view text = c.request.parameter("level"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
    if (error != std::errc() || end != text.data() + text.size() || level == 0)
      return c.respond(error_response(400, "level is a number from 1"));
  }
  const auto asked = find_asked(plan_of(c).people, c.request.parameter("vendor"), level);
  if (!asked) return c.respond(error_of(asked.error()));
  // by name: a reload while the store is asked has other vendors
  load_incident(c, [&agent = c.agent, respond = c.respond, vendor = asked->vendor->name, level,
                    reporter = author_of(c)](const std::shared_ptr<ReadIncident>& told) {
    const auto again = find_asked(agent.response().desk().plan().people, vendor, level);
    if (!again) return respond(error_of(again.error()));
    respond(json_response(ticket_json(agent, *told, *again, reporter)));
  });
}

/// {"vendor": "supabase", "level": 2, "text": "their number 4711"}: it was opened; with "answered": they have answered.
Result<incident::Command> read_ticket(const Context& c) {
  RONDA_TRY(const Body body, Body::parse(c.request.body, {"vendor", "level", "text", "answered"}));
  RONDA_TRY(const auto vendor, body.text("vendor", incident::max_name_bytes));
  RONDA_TRY(const auto level, body.number("level"));
  RONDA_TRY(const auto answered, body.flag("answered"));
  incident::Command command;
  RONDA_TRY(command.text, body.text("text", incident::max_text_bytes));
  if (answered) {  // also of one that has left the configuration
    if (vendor.empty()) return Error(Errc::invalid, "`vendor` is missing: who has answered");
    if (level != 0) return Error(Errc::invalid, "`level` has no meaning with `answered`");
    command.verb = Verb::answered;
    command.subject = vendor;
    return command;
  }
  RONDA_TRY(const Asked asked, find_asked(plan_of(c).people, vendor, level));
  command.verb = Verb::ticket;
  command.subject = asked.vendor->name;
  command.vendor_level = asked.at().name;
  command.for_ns = asked.at().respond_within.value_or(Nanos(0)).count();
  return command;
}

void post_ticket(Context& c) {
  auto command = read_ticket(c);
  if (!command) return c.respond(error_of(command.error()));
  give_command(c, *std::move(command));
}

constexpr std::string_view an_incident = "/v1/incidents/";
constexpr std::array help_table = {
    Route{"POST", an_incident, "/role", true, Role::operator_, post_role},
    Route{"GET", an_incident, "/ticket", true, Role::operator_, get_ticket},
    Route{"POST", an_incident, "/ticket", true, Role::operator_, post_ticket},
};

}  // namespace

std::span<const Route> help_routes() {
  return help_table;
}

}  // namespace ronda::api
