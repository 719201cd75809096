// SPDX-License-Identifier: Apache-2.0
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "incident/row_reader.hpp"
#include "incident/silence.hpp"

namespace ronda::incident {
namespace {

namespace json = boost::json;

json::string_view view(std::string_view text) {
  return {text.data(), text.size()};
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

void read_what(RowReader& row, Matcher& out) {
  std::vector<std::string> words;
  row.texts("what", most_matcher_words, words, 2 * max_name_bytes);
  if (!row.sound()) return;
  auto what = parse_matcher(words);
  if (!what || what->empty()) return row.refuse("what", "words like service=api");
  out = *std::move(what);
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
  RowReader row("silence", text);
  Silence out;
  std::int64_t revision = 0;
  row.some_text("id", max_name_bytes, out.id);
  row.number("revision", revision);
  read_what(row, out.what);
  row.author("owner", out.owner);
  row.some_text("reason", max_text_bytes, out.reason);
  row.number("from_ns", out.from_ns);
  row.number("until_ns", out.until_ns);
  if (out.until_ns < out.from_ns) row.refuse("until_ns", "at or after `from_ns`");
  row.flag("until_ok", out.until_ok);
  row.number("ok_since_ns", out.ok_since_ns);
  row.number("ended_ns", out.ended_ns);
  row.author("ended_by", out.ended_by);
  row.flag("end_told", out.end_told);
  row.ids("p1_told", out.p1_told);
  RONDA_TRY([[maybe_unused]] auto read, row.end());
  out.revision = static_cast<std::uint64_t>(revision);
  return out;
}

}  // namespace ronda::incident
