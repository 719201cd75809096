// SPDX-License-Identifier: Apache-2.0
#include "config/fields.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace ronda::config {
namespace {

constexpr std::array<std::string_view, 4> level_names = {"p1", "p2", "p3", "p4"};

std::string tick(std::string_view key) {
  return "`" + std::string(key.substr(0, 200)) + "`";
}

std::string join(std::span<const std::string_view> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += "\"" + std::string(words[i]) + "\"";
  }
  return out;
}

/// " ; did you mean "30s"?" for the bare number 30.
std::string number_hint(const Value& value, std::string_view unit) {
  const std::int64_t* number = value.as_int();
  if (number == nullptr || *number < 0) return {};
  return "; did you mean \"" + std::to_string(*number) + std::string(unit) + "\"?";
}

}  // namespace

void wrong_type(Scope& scope, std::string_view key, const Value& value, std::string_view expected) {
  if (value.is_nothing()) return scope.spoil();
  scope.error(value.place(),
              tick(key) + " must be " + std::string(expected) + ", got " + std::string(value.type_name()));
}

void wrong_text(Scope& scope, std::string_view key, const Value& value, const std::string& problem,
                std::string_view expected) {
  if (value.origin() == Origin::literal) {
    const std::string_view joint = problem.starts_with("must ") ? " " : ": ";
    return scope.error(value.place(), tick(key) + std::string(joint) + problem);
  }
  scope.error(value.place(), tick(key) + ": what the reference gives is not " + std::string(expected));
}

std::string unknown_key(std::string_view key, std::span<const std::string_view> known) {
  const std::string_view close = nearest(key, known);
  std::string message = "unknown key " + tick(key);
  if (!close.empty()) message += "; did you mean " + tick(close) + "?";
  return message;
}

std::optional<std::string> read_text(Scope& scope, std::string_view key, const Value& value) {
  const std::string* text = value.as_string();
  if (text == nullptr) {
    wrong_type(scope, key, value, "a string");
    return {};
  }
  if (text->empty()) {
    wrong_text(scope, key, value, "must not be empty", "a text");
    return {};
  }
  return *text;
}

std::optional<bool> read_flag(Scope& scope, std::string_view key, const Value& value) {
  if (const bool* flag = value.as_bool()) return *flag;
  wrong_type(scope, key, value, "true or false");
  return {};
}

std::optional<std::int64_t> read_integer(Scope& scope, std::string_view key, const Value& value,
                                         std::int64_t low, std::int64_t high) {
  const std::int64_t* number = value.as_int();
  if (number != nullptr && *number >= low && *number <= high) return *number;
  const std::string expected = "an integer from " + std::to_string(low) + " to " + std::to_string(high);
  if (number == nullptr) {
    wrong_type(scope, key, value, expected);
  } else {
    scope.error(value.place(), tick(key) + " must be " + expected + ", got " + std::to_string(*number));
  }
  return {};
}

std::optional<Nanos> read_duration(Scope& scope, std::string_view key, const Value& value, Nanos least) {
  const std::string* text = value.as_string();
  if (text == nullptr) {
    if (value.is_nothing()) {
      scope.spoil();
      return {};
    }
    scope.error(value.place(), tick(key) + " must be a duration like \"30s\", got " +
                                   std::string(value.type_name()) + number_hint(value, "s"));
    return {};
  }
  const auto duration = parse_duration(*text);
  if (!duration) {
    wrong_text(scope, key, value, duration.error().message(), "a duration like \"30s\"");
    return {};
  }
  if (*duration < least) {
    wrong_text(scope, key, value, "must be at least " + format_duration(least), "a duration that long");
    return {};
  }
  return *duration;
}

std::optional<double> read_percent(Scope& scope, std::string_view key, const Value& value) {
  const std::string* text = value.as_string();
  if (text == nullptr) {
    wrong_type(scope, key, value, "a percentage like \"99.9%\"");
    return {};
  }
  const auto ratio = parse_percent(*text);
  if (ratio) return *ratio;
  wrong_text(scope, key, value, ratio.error().message(), "a percentage like \"99.9%\"");
  return {};
}

std::optional<std::size_t> read_choice(Scope& scope, std::string_view key, const Value& value,
                                       std::span<const std::string_view> choices) {
  const std::string* text = value.as_string();
  if (text == nullptr) {
    wrong_type(scope, key, value, join(choices));
    return {};
  }
  const auto found = std::ranges::find(choices, *text);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  const std::string_view close = nearest(*text, choices);
  std::string problem = "must be " + join(choices) + ", got \"" + text->substr(0, 64) + "\"";
  if (!close.empty()) problem += "; did you mean \"" + std::string(close) + "\"?";
  wrong_text(scope, key, value, problem, join(choices));
  return {};
}

std::optional<Level> read_level(Scope& scope, std::string_view key, const Value& value) {
  const auto index = read_choice(scope, key, value, level_names);
  if (!index) return {};
  return static_cast<Level>(*index + 1);
}

std::vector<std::string> read_texts(Scope& scope, std::string_view key, const Value& value) {
  std::vector<std::string> texts;
  const List* list = value.as_list();
  if (list == nullptr) {
    const std::string* text = value.as_string();
    const bool shown = text != nullptr && value.origin() == Origin::literal && text->size() <= 64;
    wrong_type(scope, key, value, shown ? "a list like [\"" + *text + "\"]" : "a list of strings");
    return texts;
  }
  texts.reserve(list->size());
  for (const Value& element : *list) {
    if (auto text = read_text(scope, key, element)) texts.push_back(*std::move(text));
  }
  return texts;
}

bool is_zone_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '/';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '/' && name.back() != '/' &&
         name.find("//") == std::string_view::npos && std::ranges::all_of(name, plain);
}

std::optional<std::string> read_zone(Scope& scope, std::string_view key, const Value& value) {
  auto zone = read_text(scope, key, value);
  if (zone && !is_zone_name(*zone)) {
    wrong_text(scope, key, value,
               "\"" + zone->substr(0, 64) + "\" is no time zone; write for example \"Europe/Madrid\"",
               "a time zone");
    return {};
  }
  return zone;
}

}  // namespace ronda::config
