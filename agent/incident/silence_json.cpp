// SPDX-License-Identifier: Apache-2.0
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "incident/silence.hpp"

namespace ronda::incident {
namespace {

namespace json = boost::json;

Error wrong(std::string_view member, std::string_view must) {
  return {Errc::corrupt, "silence: `" + std::string(member) + "` must be " + std::string(must)};
}

json::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

Result<std::string> read_text(const json::object& object, std::string_view name, std::size_t most) {
  const json::value* value = object.if_contains(view(name));
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  if (text == nullptr || text->empty() || text->size() > most) return wrong(name, "a text of 1 to " + std::to_string(most) + " bytes");
  return std::string(*text);
}

Result<std::int64_t> read_number(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(view(name));
  const std::int64_t* number = value == nullptr ? nullptr : value->if_int64();
  if (number == nullptr || *number < 0) return wrong(name, "a whole number, not negative");
  return *number;
}

Result<bool> read_flag(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(view(name));
  if (value == nullptr || !value->is_bool()) return wrong(name, "true or false");
  return value->get_bool();
}

Result<std::vector<std::string>> read_words(const json::object& object, std::string_view name, std::size_t most) {
  std::vector<std::string> out;
  const json::value* value = object.if_contains(view(name));
  const json::array* list = value == nullptr ? nullptr : value->if_array();
  if (list == nullptr || list->size() > most) return wrong(name, "a list of texts");
  for (const json::value& element : *list) {
    if (!element.is_string() || element.get_string().size() > 2 * max_name_bytes) return wrong(name, "a list of texts");
    out.emplace_back(element.get_string());
  }
  return out;
}

json::array words_of(const Matcher& matcher) {
  json::array out;
  const std::string text = to_text(matcher);  // names hold no blanks
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    out.emplace_back(view(std::string_view(text).substr(begin, end - begin)));
    begin = end + 1;
  }
  return out;
}

Status read_times(const json::object& object, Silence& out) {
  RONDA_TRY(out.from_ns, read_number(object, "from_ns"));
  RONDA_TRY(out.until_ns, read_number(object, "until_ns"));
  if (out.until_ns < out.from_ns) return wrong("until_ns", "at or after `from_ns`");
  RONDA_TRY(out.ok_since_ns, read_number(object, "ok_since_ns"));
  RONDA_TRY(out.ended_ns, read_number(object, "ended_ns"));
  RONDA_TRY(const auto revision, read_number(object, "revision"));
  out.revision = static_cast<std::uint64_t>(revision);
  return done();
}

Status read_people(const json::object& object, Silence& out) {
  RONDA_TRY(const auto owner, read_text(object, "owner", 2 * max_name_bytes));
  RONDA_TRY(out.owner, parse_author(owner));
  RONDA_TRY(const auto ended_by, read_text(object, "ended_by", 2 * max_name_bytes));
  RONDA_TRY(out.ended_by, parse_author(ended_by));
  RONDA_TRY(out.reason, read_text(object, "reason", max_text_bytes));
  return done();
}

}  // namespace

std::string to_json(const Silence& silence) {
  json::object out;
  out["id"] = silence.id;
  out["revision"] = silence.revision;
  out["what"] = words_of(silence.what);
  out["owner"] = to_text(silence.owner);
  out["reason"] = silence.reason;
  out["from_ns"] = silence.from_ns;
  out["until_ns"] = silence.until_ns;
  out["until_ok"] = silence.until_ok;
  out["ok_since_ns"] = silence.ok_since_ns;
  out["ended_ns"] = silence.ended_ns;
  out["ended_by"] = to_text(silence.ended_by);
  out["end_told"] = silence.end_told;
  out["p1_told"] = json::array(silence.p1_told.begin(), silence.p1_told.end());
  return json::serialize(out);
}

Result<Silence> parse_silence(std::string_view text) {
  if (text.size() > max_event_bytes) return Error(Errc::corrupt, "silence: longer than " + std::to_string(max_event_bytes) + " bytes");
  json::error_code failure;
  const json::value value = json::parse(view(text), failure);
  const json::object* object = failure ? nullptr : value.if_object();
  if (object == nullptr) return Error(Errc::corrupt, "silence: not a JSON object");
  Silence out;
  RONDA_TRY(out.id, read_text(*object, "id", max_name_bytes));
  RONDA_TRY(const auto words, read_words(*object, "what", 64));
  const auto what = parse_matcher(words);
  if (!what || what->empty()) return wrong("what", "words like service=api");
  out.what = *what;
  RONDA_TRY([[maybe_unused]] auto times, read_times(*object, out));
  RONDA_TRY([[maybe_unused]] auto people, read_people(*object, out));
  RONDA_TRY(out.until_ok, read_flag(*object, "until_ok"));
  RONDA_TRY(out.end_told, read_flag(*object, "end_told"));
  RONDA_TRY(const auto told, read_words(*object, "p1_told", 10000));
  out.p1_told.insert(told.begin(), told.end());
  return out;
}

}  // namespace ronda::incident
