// SPDX-License-Identifier: Apache-2.0
#include "incident/row_reader.hpp"

#include <boost/json/parse.hpp>

#include "incident/times.hpp"

namespace ronda::incident {
namespace {

namespace json = boost::json;

constexpr std::size_t most_incidents = 10'000;

json::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

RowReader::RowReader(std::string_view what, std::string_view row) : what_(what) {
  if (row.size() > max_event_bytes) {
    trouble_ = what_ + ": longer than " + std::to_string(max_event_bytes) + " bytes";
    return;
  }
  json::error_code failure;
  value_ = json::parse(view(row), failure);
  if (failure || !value_.is_object()) trouble_ = what_ + ": not a JSON object";
}

void RowReader::text(std::string_view name, std::size_t most, std::string& out) {
  const json::value* value = find(name);
  const json::string* found = value == nullptr ? nullptr : value->if_string();
  if (found == nullptr || found->size() > most) return refuse(name, "a text of at most " + std::to_string(most) + " bytes");
  out.assign(found->data(), found->size());
}

void RowReader::some_text(std::string_view name, std::size_t most, std::string& out) {
  const json::value* value = find(name);
  const json::string* found = value == nullptr ? nullptr : value->if_string();
  if (found == nullptr || found->empty() || found->size() > most) return refuse(name, "a text of 1 to " + std::to_string(most) + " bytes");
  out.assign(found->data(), found->size());
}

void RowReader::number(std::string_view name, std::int64_t& out) {
  const json::value* value = find(name);
  const std::int64_t* found = value == nullptr ? nullptr : value->if_int64();
  if (found == nullptr || *found < 0 || *found > latest_ns) return refuse(name, "a whole number, not negative");
  out = *found;
}

void RowReader::flag(std::string_view name, bool& out) {
  const json::value* value = find(name);
  if (value == nullptr || !value->is_bool()) return refuse(name, "true or false");
  out = value->get_bool();
}

void RowReader::author(std::string_view name, Author& out) {
  std::string word;
  text(name, 2 * max_name_bytes, word);
  if (!sound()) return;
  auto parsed = parse_author(word);
  if (!parsed) return refuse(name, "an author");
  out = *std::move(parsed);
}

void RowReader::texts(std::string_view name, std::size_t most, std::vector<std::string>& out, std::size_t longest) {
  const json::value* value = find(name);
  const json::array* list = value == nullptr ? nullptr : value->if_array();
  if (list == nullptr || list->size() > most) return refuse(name, "a list of texts");
  for (const json::value& one : *list) {
    if (!one.is_string() || one.get_string().size() > longest) return refuse(name, "a list of texts");
    out.emplace_back(one.get_string());
  }
}

void RowReader::ids(std::string_view name, std::set<std::string>& out) {
  std::vector<std::string> all;
  texts(name, most_incidents, all);
  out.insert(all.begin(), all.end());
}

void RowReader::numbers(std::string_view name, std::size_t most, std::vector<std::int64_t>& out) {
  const json::value* value = find(name);
  const json::array* list = value == nullptr ? nullptr : value->if_array();
  if (list == nullptr || list->size() > most) return refuse(name, "a list of numbers");
  for (const json::value& one : *list) {
    if (!one.is_int64() || one.get_int64() < 0 || one.get_int64() > latest_ns) return refuse(name, "a list of numbers");
    out.push_back(one.get_int64());
  }
}

void RowReader::refuse(std::string_view name, std::string_view must) {
  if (sound()) trouble_ = what_ + ": `" + std::string(name) + "` must be " + std::string(must);
}

Status RowReader::end() const {
  return sound() ? done() : Status(Error(Errc::corrupt, trouble_));
}

const json::value* RowReader::find(std::string_view name) const {
  return sound() ? value_.get_object().if_contains(view(name)) : nullptr;
}

}  // namespace ronda::incident
