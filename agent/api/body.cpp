// SPDX-License-Identifier: Apache-2.0
#include "api/body.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "base/units.hpp"

namespace ronda::api {
namespace json = boost::json;

namespace {

constexpr std::size_t most_key_bytes = 64;

Error wrong(std::string_view key, std::string_view must) {
  return {Errc::invalid, "`" + std::string(key) + "` must be " + std::string(must)};
}

Result<std::string> text_of(const json::value& value, std::string_view key, std::size_t most_bytes) {
  const json::string* text = value.if_string();
  if (text == nullptr || text->size() > most_bytes) return wrong(key, "a text of at most " + std::to_string(most_bytes) + " bytes");
  return std::string(*text);
}

}  // namespace

Result<Body> Body::parse(const std::string& text, std::initializer_list<std::string_view> known) {
  if (trim(text).empty()) return Body(json::object());
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) return Error(Errc::invalid, "the body is no JSON object");
  const std::vector<std::string_view> names(known);
  for (const auto& member : value.get_object()) {
    const std::string key(member.key());
    if (std::ranges::find(names, key) != names.end()) continue;
    const std::string_view near = nearest(key, names);
    return Error(Errc::invalid, "there is no `" + repair_utf8(key, 64) + "` here" +
                                    (near.empty() ? std::string() : "; did you mean `" + std::string(near) + "`?"));
  }
  return Body(std::move(value.get_object()));
}

const json::value* Body::find(std::string_view key) const {
  const json::value* value = object_.if_contains(json::string_view(key.data(), key.size()));
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<std::string> Body::text(std::string_view key, std::size_t most_bytes) const {
  const json::value* value = find(key);
  if (value == nullptr) return std::string();
  return text_of(*value, key, most_bytes);
}

Result<bool> Body::flag(std::string_view key) const {
  const json::value* value = find(key);
  if (value == nullptr) return false;
  if (!value->is_bool()) return wrong(key, "true or false");
  return value->get_bool();
}

Result<std::uint64_t> Body::number(std::string_view key) const {
  const json::value* value = find(key);
  if (value == nullptr) return std::uint64_t{0};
  if (const std::int64_t* number = value->if_int64(); number != nullptr && *number >= 0) return static_cast<std::uint64_t>(*number);
  return wrong(key, "a whole number, not negative");
}

Result<std::int64_t> Body::duration_ns(std::string_view key) const {
  RONDA_TRY(const std::string text, this->text(key, 64));
  if (text.empty()) return std::int64_t{0};
  const auto parsed = parse_duration(text);
  if (!parsed) return parsed.error().with_context("`" + std::string(key) + "`");
  if (parsed->count() <= 0) return wrong(key, "longer than nothing");
  return parsed->count();
}

Result<config::Level> Body::level(std::string_view key) const {
  RONDA_TRY(const std::string text, this->text(key, 64));
  if (text.empty()) return config::Level::none;
  for (const config::Level level : {config::Level::p1, config::Level::p2, config::Level::p3, config::Level::p4}) {
    if (text == config::level_name(level)) return level;
  }
  return wrong(key, "p1, p2, p3 or p4");
}

Result<std::vector<std::string>> Body::texts(std::string_view key, std::size_t most, std::size_t most_bytes) const {
  const json::value* value = find(key);
  if (value == nullptr) return std::vector<std::string>();
  const json::array* array = value->if_array();
  if (array == nullptr || array->size() > most) return wrong(key, "a list of at most " + std::to_string(most) + " texts");
  std::vector<std::string> out;
  for (const json::value& one : *array) {
    RONDA_TRY(auto text, text_of(one, key, most_bytes));
    out.push_back(std::move(text));
  }
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> Body::fields(std::string_view key, std::size_t most,
                                                                      std::size_t most_bytes) const {
  std::vector<std::pair<std::string, std::string>> out;
  const json::value* value = find(key);
  if (value == nullptr) return out;
  const json::object* object = value->if_object();
  if (object == nullptr || object->size() > most) return wrong(key, "an object of at most " + std::to_string(most) + " texts");
  for (const auto& member : *object) {
    if (member.key().size() > most_key_bytes)
      return wrong(key, "an object whose names have at most " + std::to_string(most_key_bytes) + " bytes");
    RONDA_TRY(auto text, text_of(member.value(), key, most_bytes));
    out.emplace_back(std::string(member.key()), std::move(text));
  }
  return out;
}

}  // namespace ronda::api
