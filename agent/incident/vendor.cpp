// SPDX-License-Identifier: Apache-2.0
#include "incident/vendor.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "incident/read_keys.hpp"

namespace ronda::people {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_ticket_bytes = 16384;
constexpr std::array<std::string_view, 18> fields = {"account",  "description", "detected", "elapsed",  "host",           "impact",
                                                     "incident", "level",       "reason",   "reporter", "respond_within", "service",
                                                     "status",   "summary",     "timeline", "title",    "vendor",         "vendor_level"};
constexpr std::string_view usual_ticket =
    "Account: {{account}}\nSupport level: {{vendor_level}}\nSeverity: {{level}}\nSince: {{detected}}\nService: {{service}}\n"
    "Our reference: {{incident}}\n\n{{summary}}\n\n{{description}}\n\nImpact: {{impact}}\nStatus: {{status}}\n";

/// Calls `text` for what stands between the fields, `field` for each name; the position of a `{{` that is never
/// closed, or npos.
template <class Text, class Field>
std::size_t walk(std::string_view ticket, Text text, Field field) {
  std::size_t at = 0;
  while (true) {
    const std::size_t open = ticket.find("{{", at);
    text(ticket.substr(at, open == std::string_view::npos ? open : open - at));
    if (open == std::string_view::npos) return open;
    const std::size_t close = ticket.find("}}", open);
    if (close == std::string_view::npos) return open;
    field(trim(ticket.substr(open + 2, close - open - 2)));
    at = close + 2;
  }
}

/// Text from outside for a mail or a form: no control characters but newline and tab.
std::string plain(std::string_view value) {
  std::string out;
  std::string_view rest = value;
  while (true) {
    const std::size_t end = rest.find_first_of("\n\t");
    out += escape_controls(rest.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += rest[end];
    rest.remove_prefix(end + 1);
  }
}

void judge_ticket(config::Scope& scope, const config::Value& value, const std::string& ticket) {
  const std::size_t open = walk(
      ticket, [](std::string_view) {},
      [&](std::string_view name) {
        if (std::ranges::find(fields, name) != fields.end()) return;
        const std::string shown = value.origin() == config::Origin::literal ? " " + quoted(name) + hint(name, fields) : "";
        scope.error(value.place(), "`ticket`: there is no field" + shown);
      });
  if (open != std::string::npos) scope.error(value.place(), "`ticket`: a {{ is not closed by }}");
}

std::string read_address(config::Scope& scope, std::string_view key, const config::Value& value) {
  const std::string text = config::read_text(scope, key, value).value_or("");
  const bool is_url = text.starts_with("https://") || text.starts_with("http://");
  if (key == "url" && !text.empty() && !is_url) config::wrong_text(scope, key, value, "must begin with https:// or http://", "a URL");
  if (key == "email" && !text.empty() && text.find('@') == std::string::npos)
    config::wrong_text(scope, key, value, "must be an address with an @", "an e-mail address");
  return text;
}

VendorLevel read_level(config::Scope& scope, const config::Value& value) {
  constexpr std::array<std::string_view, 6> known = {"email", "name", "phone", "respond_within", "url", "use"};
  VendorLevel out;
  const config::Table* table = value.as_table();
  if (table == nullptr) return out;  // told by the core
  read_keys(scope, *table, known, [&](std::string_view key, const config::Value& one) {
    if (key == "respond_within") {
      out.respond_within = config::read_duration(scope, key, one, 1min);
    } else {
      std::string& text = key == "name"    ? out.name
                          : key == "use"   ? out.use
                          : key == "url"   ? out.url
                          : key == "email" ? out.email
                                           : out.phone;
      text = read_address(scope, key, one);
    }
  });
  if (out.name.empty()) scope.error(value.place(), "a vendor's level needs a `name`");
  if (out.url.empty() && out.email.empty() && out.phone.empty())
    scope.error(value.place(), "a vendor's level needs one of `url`, `email` and `phone`: how it is reached");
  return out;
}

}  // namespace

std::span<const std::string_view> ticket_fields() {
  return fields;
}

std::string ticket_text(const Vendor& vendor, std::size_t level, const TicketFields& given) {
  const VendorLevel* asked = level < vendor.levels.size() ? &vendor.levels[level] : nullptr;
  TicketFields own = {{"vendor", vendor.title}, {"account", vendor.account}};
  if (asked != nullptr) own["vendor_level"] = asked->name;
  if (asked != nullptr && asked->respond_within) own["respond_within"] = format_duration(*asked->respond_within);
  std::string out;
  walk(
      vendor.ticket, [&](std::string_view text) { out += text; },
      [&](std::string_view name) {
        const auto mine = own.find(name);
        const auto other = given.find(name);
        const std::string_view value = mine != own.end() && !mine->second.empty() ? std::string_view(mine->second)
                                       : other != given.end()                     ? std::string_view(other->second)
                                                                                  : std::string_view();
        out += value.empty() ? "-" : plain(value);
      });
  return repair_utf8(out, max_ticket_bytes);
}

std::optional<std::int64_t> owed_until(const VendorLevel& level, std::int64_t opened_ns) {
  if (!level.respond_within) return {};
  return opened_ns + level.respond_within->count();
}

std::optional<Vendor> read_vendor(config::Scope& scope, const config::RawObject& object, std::span<const std::string> checks) {
  constexpr std::array<std::string_view, 5> known = {"account", "levels", "status_check", "ticket", "title"};
  const config::Table* table = object.value.as_table();
  if (table == nullptr) return {};
  Vendor out;
  out.name = out.title = object.name;
  out.place = object.place;
  out.ticket = usual_ticket;
  read_keys(scope, *table, known, [&](std::string_view key, const config::Value& value) {
    if (key == "levels") {
      const config::List* list = value.as_list();
      for (const config::Value& one : list == nullptr ? config::List() : *list) out.levels.push_back(read_level(scope, one));
      return;
    }
    const auto text = config::read_text(scope, key, value);
    if (!text) return;
    if (key == "status_check") {
      const std::vector<std::string_view> names(checks.begin(), checks.end());
      if (std::ranges::find(names, *text) == names.end())
        scope.error(value.place(), "`status_check`: there is no check " + quoted(*text) + hint(*text, names));
    }
    if (key == "ticket") judge_ticket(scope, value, *text);
    (key == "account" ? out.account : key == "status_check" ? out.status_check : key == "ticket" ? out.ticket : out.title) = *text;
  });
  const config::Value* levels = object.value.find("levels");
  if (out.levels.empty() && (levels == nullptr || levels->as_list() != nullptr))
    scope.error(object.place, "vendor `" + object.name + "` has no `levels`: nobody of them can be asked");
  if (!scope.sound()) return {};
  return out;
}

}  // namespace ronda::people
