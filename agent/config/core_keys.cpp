// SPDX-License-Identifier: Apache-2.0
#include "config/core_keys.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"
#include "config/unread_name.hpp"

namespace ronda::config {
namespace {

using namespace std::chrono_literals;

constexpr Nanos least_interval = 100ms;
constexpr Nanos usual_interval = 60s;

struct Reading {
  Scope& scope;
  std::string_view key;
  const Value& value;
  Instance& instance;
  std::vector<Mention>& mentions;
};

void mention(Reading& r, std::string_view kind, const std::string& target, Place place) {
  r.mentions.push_back({r.key, kind, target, place});
}

/// A list of names of other objects.
std::vector<std::string> read_mentions(Reading& r, std::string_view kind) {
  std::vector<std::string> names = read_texts(r.scope, r.key, r.value);
  const List* list = r.value.as_list();
  if (list == nullptr || names.size() != list->size()) return names;
  for (std::size_t i = 0; i < names.size(); ++i) mention(r, kind, names[i], (*list)[i].place());
  return names;
}

std::string read_mention(Reading& r, std::string_view kind) {
  auto name = read_text(r.scope, r.key, r.value);
  if (name) mention(r, kind, *name, r.value.place());
  return name.value_or("");
}

/// Words of a-z, 0-9, _ and - with dots between them.
bool is_procedure_name(std::string_view text) {
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_object_name(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

void read_use(Reading& r) {
  auto name = read_text(r.scope, r.key, r.value);
  if (name && !is_procedure_name(*name)) {
    wrong_text(
        r.scope, r.key, r.value,
        "\"" + name->substr(0, 64) + "\" is no name of a procedure; write for example \"http.request\"",
        "the name of a procedure");
  }
  r.instance.use = name.value_or("");
  r.instance.use_place = r.value.place();
}

void refuse_second_schedule(Reading& r) {
  const Rare& rare = r.instance.rare();
  const std::string_view other = r.instance.every     ? "every"
                                 : !rare.at.empty()   ? "at"
                                 : !rare.cron.empty() ? "cron"
                                                      : "";
  if (other.empty()) return;
  r.scope.error(r.value.place(), "`" + std::string(r.key) + "` and `" + std::string(other) +
                                     "` exclude each other; one of every, at and cron says when");
}

void read_every(Reading& r) {
  refuse_second_schedule(r);
  r.instance.every = read_duration(r.scope, r.key, r.value, least_interval);
}

void read_at(Reading& r) {
  refuse_second_schedule(r);
  Rare& rare = r.instance.make_rare();
  rare.at = read_text(r.scope, r.key, r.value).value_or("");
  rare.when_place = r.value.place();
}

void read_cron(Reading& r) {
  refuse_second_schedule(r);
  Rare& rare = r.instance.make_rare();
  rare.cron = read_text(r.scope, r.key, r.value).value_or("");
  rare.when_place = r.value.place();
}

void read_tz(Reading& r) {
  Rare& rare = r.instance.make_rare();
  rare.tz = read_zone(r.scope, r.key, r.value).value_or("");
  rare.tz_place = r.value.place();
}

void read_timeout(Reading& r) {
  r.instance.timeout = read_duration(r.scope, r.key, r.value, 1ms);
}
void read_after(Reading& r) {
  r.instance.after = read_mentions(r, kind_name(Kind::check));
}
void read_tags(Reading& r) {
  r.instance.tags = read_texts(r.scope, r.key, r.value);
  const List* list = r.value.as_list();
  if (list == nullptr || r.instance.tags.size() < list->size()) r.instance.tags.emplace_back(unread_name);
}
void read_enabled(Reading& r) {
  r.instance.enabled = read_flag(r.scope, r.key, r.value).value_or(true);
}

std::string limit_text(const Value& value) {
  if (const std::string* text = value.as_string()) return *text;
  if (const std::int64_t* number = value.as_int()) return std::to_string(*number);
  std::array<char, 32> buffer{};
  const double* number = value.as_float();
  if (number == nullptr) return {};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), *number, std::chars_format::fixed);
  return {buffer.data(), end.ptr};
}

std::vector<Limit> read_limits(Reading& r) {
  std::vector<Limit> limits;
  const Table* table = r.value.as_table();
  if (table == nullptr) {
    wrong_type(r.scope, r.key, r.value, "a table of limits per metric like { total = \"500ms\" }");
    return limits;
  }
  limits.reserve(table->size());
  for (const Member& member : *table) {
    const std::string key = std::string(r.key) + "." + member.key;
    const std::string text = limit_text(member.value);
    if (text.empty() && member.value.as_string() == nullptr) {
      wrong_type(r.scope, key, member.value, "a limit like \"500ms\" or a range like \"10:20\"");
      continue;
    }
    const auto range = parse_range(text);
    if (range) {
      limits.push_back({member.key, text, *range, member.value.place()});
    } else {
      wrong_text(r.scope, key, member.value, range.error().message(), "a limit");
    }
  }
  return limits;
}

void read_warn(Reading& r) {
  r.instance.make_judgement().warn = read_limits(r);
}
void read_crit(Reading& r) {
  r.instance.make_judgement().crit = read_limits(r);
}
void read_for(Reading& r) {
  r.instance.make_judgement().hold = read_hold(r.scope, r.value);
}
void read_severity(Reading& r) {
  r.instance.make_judgement().severity = read_level(r.scope, r.key, r.value).value_or(Level::none);
}

void read_title(Reading& r) {
  r.instance.make_rare().title = read_text(r.scope, r.key, r.value).value_or("");
}
void read_service(Reading& r) {
  r.instance.make_rare().service = read_mention(r, "service");
}
void read_runbook(Reading& r) {
  r.instance.make_rare().runbook = read_mention(r, "runbook");
}
void read_locks(Reading& r) {
  r.instance.make_rare().locks = read_texts(r.scope, r.key, r.value);
}
void read_reporters(Reading& r) {
  r.instance.make_rare().reporters = read_texts(r.scope, r.key, r.value);
}

void read_user(Reading& r) {
  auto user = read_text(r.scope, r.key, r.value);
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  if (user && (user->size() > 64 || user->front() == '-' || !std::ranges::all_of(*user, plain))) {
    wrong_text(r.scope, r.key, r.value, "\"" + user->substr(0, 64) + "\" is no name of a user",
               "the name of a user");
  }
  r.instance.make_rare().user = user.value_or("");
}

void read_window(Reading& r) {
  Rare& rare = r.instance.make_rare();
  if (r.value.as_string() != nullptr) {
    rare.windows = {read_mention(r, "window")};
  } else {
    rare.windows = read_mentions(r, "window");
  }
}

void read_retry(Reading& r) {
  constexpr std::array<std::string_view, 2> known = {"times", "wait"};
  constexpr std::int64_t most = 100;
  Retry& retry = r.instance.make_rare().retry;
  const Table* table = r.value.as_table();
  if (table == nullptr) {
    if (r.value.as_int() == nullptr)
      return wrong_type(r.scope, r.key, r.value, "a number of times, or { times = 3, wait = \"10s\" }");
    retry.times = static_cast<std::uint32_t>(read_integer(r.scope, r.key, r.value, 0, most).value_or(0));
    return;
  }
  for (const Member& member : *table) {
    if (member.key == "times") {
      retry.times =
          static_cast<std::uint32_t>(read_integer(r.scope, "retry.times", member.value, 0, most).value_or(0));
    } else if (member.key == "wait") {
      retry.wait = read_duration(r.scope, "retry.wait", member.value, 0ns).value_or(0ns);
    } else {
      r.scope.error(member.key_place, unknown_key(member.key, known));
    }
  }
}

void read_params(Reading& r) {
  const Table* table = r.value.as_table();
  if (table == nullptr)
    return wrong_type(r.scope, r.key, r.value, "a table like { target = { type = \"string\" } }");
  for (const Member& member : *table) {
    const std::string key = "params." + member.key;
    const Value* type = member.value.find("type");
    if (member.value.as_table() == nullptr) {
      wrong_type(r.scope, key, member.value, "a table like { type = \"string\" }");
    } else if (type == nullptr) {
      r.scope.error(member.key_place, "`" + key + "` lacks `type`, for example { type = \"string\" }");
    } else {
      read_text(r.scope, key + ".type", *type);
    }
  }
  r.instance.make_rare().params = r.value;
}

void read_detached(Reading& r) {
  Rare& rare = r.instance.make_rare();
  rare.detached = read_flag(r.scope, r.key, r.value).value_or(false);
  rare.detached_place = r.value.place();
}
void read_changes(Reading& r) {
  r.instance.make_rare().changes = read_flag(r.scope, r.key, r.value);
}
void read_idempotent(Reading& r) {
  r.instance.make_rare().idempotent = read_flag(r.scope, r.key, r.value);
}

void read_scope(Reading& r) {
  constexpr std::array<std::string_view, 2> choices = {"host", "fleet"};
  r.instance.make_rare().fleet = read_choice(r.scope, r.key, r.value, choices).value_or(0) == 1;
}

void read_overlap(Reading& r) {
  constexpr std::array<std::string_view, 3> choices = {"skip", "queue", "kill"};
  r.instance.make_rare().overlap =
      static_cast<Overlap>(read_choice(r.scope, r.key, r.value, choices).value_or(0));
}

void read_ronda(Reading& r) {
  const Table* table = r.value.as_table();
  if (table == nullptr) return wrong_type(r.scope, r.key, r.value, "a table");
  for (const Member& member : *table) {
    r.scope.error(member.key_place, "unknown key `ronda." + member.key + "`: this version has no key there");
  }
}

constexpr unsigned everywhere = 7;
constexpr unsigned check_or_task = 3;  // a bit for each Kind

struct CoreKey {
  std::string_view name;
  void (*read)(Reading&);
  bool has_default;
  unsigned kinds;
};

constexpr std::array<CoreKey, 28> core_keys = {{
    {"after", read_after, false, check_or_task}, {"at", read_at, false, check_or_task},
    {"changes", read_changes, true, everywhere}, {"crit", read_crit, false, check_or_task},
    {"cron", read_cron, false, check_or_task},   {"detached", read_detached, true, everywhere},
    {"enabled", read_enabled, true, everywhere}, {"every", read_every, true, check_or_task},
    {"for", read_for, true, check_or_task},      {"idempotent", read_idempotent, true, everywhere},
    {"locks", read_locks, true, everywhere},     {"overlap", read_overlap, true, everywhere},
    {"params", read_params, false, everywhere},  {"reporters", read_reporters, true, everywhere},
    {"retry", read_retry, true, everywhere},     {"ronda", read_ronda, false, everywhere},
    {"runbook", read_runbook, true, everywhere}, {"scope", read_scope, true, everywhere},
    {"service", read_service, true, everywhere}, {"severity", read_severity, true, check_or_task},
    {"tags", read_tags, true, everywhere},       {"timeout", read_timeout, true, everywhere},
    {"title", read_title, false, everywhere},    {"tz", read_tz, true, check_or_task},
    {"use", read_use, false, everywhere},        {"user", read_user, true, everywhere},
    {"warn", read_warn, false, check_or_task},   {"window", read_window, true, everywhere},
}};

const CoreKey* find_core_key(std::string_view key) {
  const auto found = std::ranges::lower_bound(core_keys, key, {}, &CoreKey::name);
  return found != core_keys.end() && found->name == key ? &*found : nullptr;
}

constexpr auto core_names = [] {
  std::array<std::string_view, core_keys.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = core_keys[i].name;
  return names;
}();

/// Both the day of the month and the day of the week: cron runs when either fits, which few people expect.
bool has_both_days(std::string_view cron) {
  std::array<std::string_view, 5> fields;
  std::size_t count = 0;
  while (!(cron = trim(cron)).empty()) {
    const std::size_t end = std::min(cron.find_first_of(" \t"), cron.size());
    if (count == fields.size()) return false;
    fields[count++] = cron.substr(0, end);
    cron.remove_prefix(end);
  }
  return count == fields.size() && !fields[2].starts_with('*') && !fields[4].starts_with('*');
}

}  // namespace

std::span<const std::string_view> core_key_names() {
  return core_names;
}
std::vector<std::string_view> default_key_names() {
  std::vector<std::string_view> names;
  for (const CoreKey& key : core_keys) {
    if (key.has_default) names.push_back(key.name);
  }
  return names;
}

bool is_core_key(std::string_view key) {
  return find_core_key(key) != nullptr;
}

bool has_default(std::string_view key) {
  const CoreKey* core = find_core_key(key);
  return core != nullptr && core->has_default;
}

bool read_core_key(Scope& scope, const Member& member, Instance& instance, std::vector<Mention>& mentions) {
  const CoreKey* core = find_core_key(member.key);
  if (core == nullptr) return false;
  if ((core->kinds & (1U << static_cast<unsigned>(instance.kind))) == 0) {
    scope.error(member.key_place,
                "`" + member.key + "` has no meaning for a " + std::string(kind_name(instance.kind)));
    return true;
  }
  Reading reading{scope, core->name, member.value, instance, mentions};
  core->read(reading);
  return true;
}

void finish_instance(Scope& scope, Instance& instance) {
  if (instance.use.empty() && instance.use_place.line == 0) {
    scope.error(instance.place, std::string(kind_name(instance.kind)) + " `" + instance.name +
                                    "` lacks `use`, the procedure that it runs, for example use = \"" +
                                    (instance.kind == Kind::notifier ? "slack" : "http.request") + "\"");
  }
  const Rare& rare = instance.rare();
  const bool scheduled = instance.every || !rare.at.empty() || !rare.cron.empty();
  if (instance.kind == Kind::check && !scheduled) instance.every = usual_interval;
  const bool says_when = rare.when_place.line > 0;  // also where it is wrong
  if (!rare.tz.empty() && !says_when)
    scope.warning(rare.tz_place, "`tz` says nothing without `at` or `cron`: `every` knows no zone");
  if (has_both_days(rare.cron)) {
    scope.warning(rare.when_place,
                  "`cron` names a day of the month and a day of the week: it runs on each of them, not where "
                  "both hold");
  }
}

}  // namespace ronda::config
