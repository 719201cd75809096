// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "config/fields.hpp"
#include "config/unread_name.hpp"
#include "incident/maintenance.hpp"

namespace ronda::incident {
namespace {

using config::Member;
using config::Scope;
using config::Value;
using namespace std::chrono_literals;

constexpr std::array<std::string_view, 14> known_keys = {"announce", "at",     "at_most",  "checks", "cron",  "lasts", "notify",
                                                         "owner",    "reason", "services", "tags",   "title", "tz",    "until_ok"};
constexpr Nanos longest_window{longest_window_ns};

class Reader {
 public:
  Reader(const config::RawObject& object, const KnownNames& known, schedule::ZoneDatabase& zones, const schedule::ZonePtr& zone,
         config::Diagnostics& diagnostics)
      : object_(object), known_(known), zones_(zones), zone_(zone), scope_(diagnostics) {}

  std::optional<Window> read() {
    if (object_.value.as_table() == nullptr) return std::nullopt;
    for (const Member& member : *object_.value.as_table()) read_key(member);
    auto calendar = read_calendar();
    check_lengths();
    check_words();
    if (calendar) check_gaps(*calendar);
    if (!scope_.sound() || !calendar) return std::nullopt;
    std::ranges::sort(announce_, std::greater<>());
    return Window{object_.name,
                  title_,
                  std::move(*calendar),
                  lasts_.count(),
                  std::move(what_),
                  std::move(announce_),
                  until_ok_,
                  until_ok_ ? at_most_.value_or(std::min(2 * lasts_, longest_window)).count() : 0,
                  std::move(notify_),
                  notify_place_,
                  object_.place,
                  owner_,
                  owner_place_,
                  reason_};
  }

 private:
  void read_key(const Member& member) {
    const std::string& key = member.key;
    const Value& value = member.value;
    if (key == "lasts")
      lasts_ = config::read_duration(scope_, key, value, 1s).value_or(0ns);
    else if (key == "at_most")
      at_most_ = config::read_duration(scope_, key, value, 1s);
    else if (key == "until_ok")
      until_ok_ = config::read_flag(scope_, key, value).value_or(false);
    else if (key == "title")
      title_ = config::read_text(scope_, key, value).value_or("");
    else if (key == "reason")
      reason_ = trim(config::read_text(scope_, key, value).value_or(""));
    else if (key == "owner") {  // as notify
      owner_ = config::read_text(scope_, key, value).value_or("");
      owner_place_ = value.place();
    } else if (key == "services")
      what_.services = read_names("service", key, value, known_.services);
    else if (key == "checks")
      what_.checks = read_names("check", key, value, known_.checks);
    else if (key == "tags")
      what_.tags = read_names("tag", key, value, known_.tags);
    else if (key == "announce")
      read_announce(value);
    else if (key == "notify") {  // who that is, is known to people: plan.cpp
      notify_ = config::read_texts(scope_, key, value);
      notify_place_ = value.place();
    } else if (key != "at" && key != "cron" && key != "tz")
      scope_.error(member.key_place, config::unknown_key(key, known_keys));
  }

  std::vector<std::string> read_names(std::string_view kind, std::string_view key, const Value& value,
                                      const std::vector<std::string>& known) {
    std::vector<std::string> names = config::read_texts(scope_, key, value);
    const bool are_all_read = std::ranges::find(known, config::unread_name) == known.end();
    for (std::size_t i = 0; are_all_read && i < names.size(); ++i) {
      if (std::ranges::find(known, names[i]) != known.end() || (kind == "check" && is_inbound_name(names[i]))) continue;
      const std::vector<std::string_view> views(known.begin(), known.end());
      const std::string_view close = nearest(names[i], views);
      const Value& where = value.as_list() != nullptr && i < value.as_list()->size() ? (*value.as_list())[i] : value;
      const std::string what = where.origin() == config::Origin::literal ? " `" + names[i].substr(0, 128) + "`" : " of that name";
      scope_.error(where.place(),
                   "there is no " + std::string(kind) + what + (close.empty() ? "" : "; did you mean `" + std::string(close) + "`?"));
    }
    if (value.as_list() != nullptr && value.as_list()->empty())
      scope_.error(value.place(), "`" + std::string(key) + "` is empty; leave it out to cover everything");
    return names;
  }

  void read_announce(const Value& value) {
    const config::List* list = value.as_list();
    if (list == nullptr) return config::wrong_type(scope_, "announce", value, "a list of durations like [\"1h\"]");
    for (const Value& element : *list) {
      const auto before = config::read_duration(scope_, "announce", element, 1s);
      if (before && *before > longest_window)
        scope_.error(element.place(), "`announce` may be at most " + format_duration(longest_window) + " ahead");
      else if (before)
        announce_.push_back(before->count());
    }
  }

  std::optional<schedule::Calendar> read_calendar() {
    const schedule::ZonePtr named = read_zone();
    const schedule::ZonePtr& zone = named == nullptr ? zone_ : named;
    const Value* at = object_.value.find("at");
    const Value* cron = object_.value.find("cron");
    if ((at == nullptr) == (cron == nullptr)) {
      scope_.error(object_.place,
                   "window `" + object_.name + "` needs one of `at` and `cron`; a single one is begun with `ronda maintenance start`");
      return std::nullopt;
    }
    const Value& value = at != nullptr ? *at : *cron;
    const std::string_view key = at != nullptr ? "at" : "cron";
    const auto text = config::read_text(scope_, key, value);
    if (!text) return std::nullopt;
    auto calendar = at != nullptr ? schedule::parse_calendar(*text, zones_, zone) : schedule::parse_cron(*text, zone);
    if (!calendar) {
      config::wrong_text(scope_, key, value, calendar.error().message(), "a calendar expression");
      return std::nullopt;
    }
    if (!calendar->possible()) scope_.error(value.place(), "`" + std::string(key) + "`: no such day ever comes");
    for (const std::string& warning : calendar->warnings()) scope_.warning(value.place(), "`" + std::string(key) + "`: " + warning);
    if (named == nullptr) return std::nullopt;
    return std::move(*calendar);
  }

  schedule::ZonePtr read_zone() {
    const Value* tz = object_.value.find("tz");
    if (tz == nullptr) return zone_;
    const auto name = config::read_zone(scope_, "tz", *tz);
    if (!name) return nullptr;
    auto zone = zones_.find(*name);
    if (zone) return *zone;
    config::wrong_text(scope_, "tz", *tz, zone.error().message(), "a time zone");
    return nullptr;
  }

  /// Who hears of nothing while it is open can ask whom, and why.
  void check_words() {
    const auto require = [&](std::string_view key, std::string_view example) {
      const Value* value = object_.value.find(key);
      const std::string* text = value == nullptr ? nullptr : value->as_string();
      if (value == nullptr)
        scope_.error(object_.place, "window `" + object_.name + "` lacks `" + std::string(key) + "`: " + std::string(example));
      else if (text != nullptr && !text->empty() && trim(*text).empty())
        scope_.error(value->place(), "`" + std::string(key) + "` is empty: " + std::string(example));
    };
    require("owner", "owner = \"CONTACT, GROUP or ONCALL\", who answers for it");
    require("reason", "reason = \"TEXT\", why nobody is told meanwhile");
  }

  void check_lengths() {
    const auto place_of = [&](std::string_view key) {
      const Value* value = object_.value.find(key);
      return value == nullptr ? object_.place : value->place();
    };
    if (object_.value.find("lasts") == nullptr) scope_.error(object_.place, "window `" + object_.name + "` lacks `lasts`");
    if (lasts_ > longest_window) scope_.error(place_of("lasts"), "`lasts` may be at most " + format_duration(longest_window));
    if (at_most_ && *at_most_ > longest_window)
      scope_.error(place_of("at_most"), "`at_most` may be at most " + format_duration(longest_window));
    const Value* until_ok = object_.value.find("until_ok");
    const bool is_fixed = until_ok == nullptr || (until_ok->as_bool() != nullptr && !until_ok_);
    if (at_most_ && is_fixed) scope_.error(place_of("at_most"), "`at_most` has a meaning with `until_ok = true` only");
    if (at_most_ && until_ok_ && *at_most_ < lasts_) scope_.error(place_of("at_most"), "`at_most` is shorter than `lasts`");
  }

  /// One that opens again before it has ended hides what it covers without a break. Looked at for a year, or for as many openings as
  /// a week of minutes has.
  void check_gaps(const schedule::Calendar& calendar) {
    constexpr int most_openings = 7 * 24 * 60 + 1;
    constexpr schedule::sys_seconds from = std::chrono::sys_days(std::chrono::year(2027) / 1 / 1);
    const Value* lasts = object_.value.find("lasts");
    const auto first = calendar.next(from);
    if (!first || lasts == nullptr || lasts_ < 1s) return;
    schedule::sys_seconds opens = *first;
    for (int i = 0; i < most_openings && opens - *first < std::chrono::days(366); ++i) {
      const auto again = calendar.next(opens);
      if (!again || *again - opens > lasts_) return;
      opens = *again;
    }
    const auto days = std::chrono::floor<std::chrono::days>(opens - *first).count();
    if (days >= 7)
      scope_.warning(lasts->place(), "it opens again before `lasts` has passed, for " + std::to_string(days) +
                                         " days at least: nobody is told of what it covers in all that time");
  }

  const config::RawObject& object_;
  const KnownNames& known_;
  schedule::ZoneDatabase& zones_;
  const schedule::ZonePtr& zone_;
  Scope scope_;
  std::string title_;
  Nanos lasts_{0};
  std::optional<Nanos> at_most_;
  bool until_ok_ = false;
  Coverage what_;
  std::vector<std::int64_t> announce_;
  std::vector<std::string> notify_;
  config::Place notify_place_;
  std::string owner_, reason_;
  config::Place owner_place_;
};

}  // namespace

std::vector<Window> compile_windows(std::span<const config::RawObject> objects, const KnownNames& known, schedule::ZoneDatabase& zones,
                                    const schedule::ZonePtr& zone, config::Diagnostics& diagnostics) {
  std::vector<Window> out;
  for (const config::RawObject& object : objects) {
    if (auto window = Reader(object, known, zones, zone, diagnostics).read()) out.push_back(std::move(*window));
  }
  return out;
}

}  // namespace ronda::incident
