// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "config/task_prefix.hpp"
#include "incident/alert_names.hpp"
#include "incident/silence.hpp"
#include "rule/objective.hpp"

namespace ronda::incident {
namespace {

constexpr std::array<std::string_view, 5> keys = {"alert", "check", "service", "tag", "level"};

using Names = std::vector<std::string>;

bool is_one_of(const Names& names, std::string_view name) {
  return names.empty() || std::ranges::find(names, name) != names.end();
}

Names* names_of(Matcher& matcher, std::string_view key) {
  if (key == keys[0]) return &matcher.alerts;
  if (key == keys[1]) return &matcher.checks;
  if (key == keys[2]) return &matcher.services;
  return key == keys[3] ? &matcher.tags : nullptr;
}

/// Readable in one go, as words of a command and of a stored row are.
bool is_one_word(std::string_view text) {
  return !text.empty() && text.size() <= max_name_bytes && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_named(std::string_view value, std::string_view prefix) {
  return value.starts_with(prefix) && is_object_name(value.substr(prefix.size()));
}

/// What may be the name of an alert or of a check, whether or not there is one.
bool is_name(std::string_view key, std::string_view value) {
  if (is_object_name(value)) return true;
  const bool is_alert = key == keys[0];
  if ((is_alert || key == keys[1]) && (is_named(value, config::task_prefix) || is_inbound_name(value))) return true;
  if (!is_alert) return false;
  return is_named(value, rule::slo_prefix) || (value.starts_with(own_prefix) && value.size() > own_prefix.size() && is_one_word(value));
}

Status read_level(Matcher& matcher, std::string_view value) {
  for (const config::Level level : {config::Level::p1, config::Level::p2, config::Level::p3, config::Level::p4}) {
    if (value != config::level_name(level)) continue;
    matcher.levels.push_back(level);
    return done();
  }
  return Error(Errc::invalid, "level=" + repair_utf8(value, 64) + ": a level is p1, p2, p3 or p4");
}

Status read_word(Matcher& matcher, std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos)
    return Error(Errc::invalid, "`" + repair_utf8(word, 64) + "`: say what it is: service=" + repair_utf8(word, 64) +
                                    ", check=..., alert=..., tag=... or level=...");
  const std::string_view key = word.substr(0, equals), value = word.substr(equals + 1);
  if (key == keys[4]) return read_level(matcher, value);
  Names* names = names_of(matcher, key);
  if (names == nullptr) {
    const std::string_view close = nearest(key, keys);
    return Error(Errc::invalid, "`" + repair_utf8(key, 64) + "=` is not known" +
                                    (close.empty() ? "" : "; did you mean `" + std::string(close) + "=`?") +
                                    (close.empty() ? "; there are alert, check, service, tag and level" : ""));
  }
  if (!is_name(key, value)) {
    const bool is_alert = key == keys[0];
    return Error(Errc::invalid, std::string(key) + "=" + escape_controls(repair_utf8(value, 64)) + ": not a name of conf.d" +
                                    (is_alert ? ", nor task.NAME, slo/NAME, inbound/SENDER/WORD or ronda/NAME" : ""));
  }
  names->emplace_back(value);
  return done();
}

Status check_kind(std::string_view kind, const Names& names, const Names& known) {
  for (const std::string& name : names) {
    if (kind == keys[0] && is_of_lost_messages(name))
      return Error(Errc::invalid, "`" + name + "` says that messages are lost: nothing hides that");
    if (std::ranges::find(known, name) != known.end() || is_inbound_name(name)) continue;
    const std::vector<std::string_view> views(known.begin(), known.end());
    const std::string_view close = nearest(name, views);
    return Error(Errc::not_found, "there is no " + std::string(kind) + " `" + name + "`" +
                                      (close.empty() ? "" : "; did you mean `" + std::string(close) + "`?"));
  }
  return done();
}

}  // namespace

bool is_inbound_name(std::string_view name) {
  return name.starts_with(inbound_prefix) && name.size() > inbound_prefix.size() && is_one_word(name);
}

bool Matcher::covers(const Subject& subject) const {
  if (empty() || is_of_lost_messages(subject.alert)) return false;
  const bool has_tag = tags.empty() || std::ranges::any_of(subject.tags, [&](const std::string& tag) { return is_one_of(tags, tag); });
  const bool has_level = levels.empty() || std::ranges::find(levels, subject.level) != levels.end();
  return is_one_of(alerts, subject.alert) && is_one_of(checks, subject.check) && is_one_of(services, subject.service) && has_tag &&
         has_level;
}

Result<Matcher> parse_matcher(std::span<const std::string> words) {
  if (words.size() > most_matcher_words) return Error(Errc::range, "more than " + std::to_string(most_matcher_words) + " words");
  Matcher matcher;
  for (const std::string& word : words) {
    RONDA_TRY([[maybe_unused]] auto read, read_word(matcher, word));
  }
  return matcher;
}

std::string to_text(const Matcher& matcher) {
  std::string out;
  const auto add = [&](std::string_view key, std::string_view value) {
    out += (out.empty() ? "" : " ") + std::string(key) + "=" + std::string(value);
  };
  for (const std::string& name : matcher.alerts) add(keys[0], name);
  for (const std::string& name : matcher.checks) add(keys[1], name);
  for (const std::string& name : matcher.services) add(keys[2], name);
  for (const std::string& name : matcher.tags) add(keys[3], name);
  for (const config::Level level : matcher.levels) add(keys[4], config::level_name(level));
  return out;
}

Status check_names(const Matcher& matcher, const KnownNames& known) {
  RONDA_TRY([[maybe_unused]] auto alerts, check_kind("alert", matcher.alerts, known.alerts));
  RONDA_TRY([[maybe_unused]] auto checks, check_kind("check", matcher.checks, known.checks));
  RONDA_TRY([[maybe_unused]] auto services, check_kind("service", matcher.services, known.services));
  return check_kind("tag", matcher.tags, known.tags);
}

Status check_names(const Matcher& matcher, const KnownNames& known, std::span<const Firing> firing) {
  if (auto named = check_names(matcher, known); named || firing.empty()) return named;
  KnownNames all = known;  // of a hundred thousand checks: only of what was refused
  for (const Firing& one : firing) {
    if (!one.alert.empty()) all.alerts.push_back(one.alert);
    if (!one.check.empty()) all.checks.push_back(one.check);
    if (!one.service.empty()) all.services.push_back(one.service);
    all.tags.insert(all.tags.end(), one.tags.begin(), one.tags.end());
  }
  return check_names(matcher, all);
}

}  // namespace ronda::incident
