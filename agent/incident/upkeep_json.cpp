// SPDX-License-Identifier: Apache-2.0
// One-off maintenance, overrides of on-call, and what was told of windows, as the rows in which they are stored.
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "incident/row_reader.hpp"
#include "incident/upkeep.hpp"

namespace ronda::incident {
namespace {

namespace json = boost::json;

constexpr std::size_t most_names = 1000;

json::array array_of(const std::vector<std::string>& names) {
  return json::array(names.begin(), names.end());
}

Result<OnCallOverride> parse_override(std::string_view text) {
  RowReader row("override", text);
  OnCallOverride out;
  row.text("id", max_name_bytes, out.id);
  row.text("rota", max_name_bytes, out.rota);
  row.text("contact", max_name_bytes, out.contact);
  row.author("author", out.author);
  row.text("reason", max_text_bytes, out.reason);
  row.number("made_ns", out.made_ns);
  row.number("from_ns", out.from_ns);
  row.number("until_ns", out.until_ns);
  row.number("ended_ns", out.ended_ns);
  row.author("ended_by", out.ended_by);
  RONDA_TRY([[maybe_unused]] auto read, row.end());
  return out;
}

}  // namespace

std::string to_json(const OneOff& one) {
  json::object out;
  out["id"] = one.id;
  out["services"] = array_of(one.what.services);
  out["checks"] = array_of(one.what.checks);
  out["tags"] = array_of(one.what.tags);
  out["owner"] = to_text(one.owner);
  out["reason"] = one.reason;
  out["from_ns"] = one.from_ns;
  out["lasts_ns"] = one.lasts_ns;
  out["until_ok"] = one.until_ok;
  out["at_most_ns"] = one.at_most_ns;
  out["ended_ns"] = one.ended_ns;
  out["ended_by"] = to_text(one.ended_by);
  out["announce_ns"] = json::array(one.announce_ns.begin(), one.announce_ns.end());
  out["notify"] = array_of(one.notify);
  out["begin_told"] = one.begin_told;
  out["end_told"] = one.end_told;
  out["p1_told"] = json::array(one.p1_told.begin(), one.p1_told.end());
  return json::serialize(out);
}

Result<OneOff> parse_one_off(std::string_view text) {
  RowReader row("maintenance", text);
  OneOff out;
  row.text("id", max_name_bytes, out.id);
  row.texts("services", most_names, out.what.services);
  row.texts("checks", most_names, out.what.checks);
  row.texts("tags", most_names, out.what.tags);
  row.author("owner", out.owner);
  row.text("reason", max_text_bytes, out.reason);
  row.number("from_ns", out.from_ns);
  row.number("lasts_ns", out.lasts_ns);
  row.flag("until_ok", out.until_ok);
  row.number("at_most_ns", out.at_most_ns);
  row.number("ended_ns", out.ended_ns);
  row.author("ended_by", out.ended_by);
  row.numbers("announce_ns", most_names, out.announce_ns);
  row.texts("notify", most_names, out.notify);
  row.flag("begin_told", out.begin_told);
  row.flag("end_told", out.end_told);
  row.ids("p1_told", out.p1_told);
  RONDA_TRY([[maybe_unused]] auto read, row.end());
  return out;
}

bool is_upkeep_row(std::string_view id) {
  return id == "A" || id.starts_with("M-") || id.starts_with("O-") || id.starts_with("W-");
}

std::string mark_row_id(std::string_view window) {
  return "W-" + std::string(window);
}

UpkeepRow row_of(const OneOff& one) {
  return {one.id, one.from_ns + std::max(one.lasts_ns, one.at_most_ns), to_json(one)};
}

UpkeepRow row_of(const OnCallOverride& one) {
  json::object out;
  out["id"] = one.id;
  out["rota"] = one.rota;
  out["contact"] = one.contact;
  out["author"] = to_text(one.author);
  out["reason"] = one.reason;
  out["made_ns"] = one.made_ns;
  out["from_ns"] = one.from_ns;
  out["until_ns"] = one.until_ns;
  out["ended_ns"] = one.ended_ns;
  out["ended_by"] = to_text(one.ended_by);
  return {one.id, one.until_ns, json::serialize(out)};
}

UpkeepRow row_of(const UpkeepBook& book, const std::string& window) {
  const WindowMark& mark = book.marks.at(window);
  json::object out;
  out["begin_ns"] = mark.begin_ns;
  out["end_told"] = mark.end_told;
  out["p1_told"] = json::array(mark.p1_told.begin(), mark.p1_told.end());
  return {mark_row_id(window), mark.begin_ns, json::serialize(out)};
}

UpkeepRow cursor_row(const UpkeepBook& book) {
  const json::object out = {{"announced_ns", book.announced_ns}, {"announced", array_of(book.announced)}};
  return {"A", book.announced_ns, json::serialize(out)};
}

Status restore_row(UpkeepBook& book, std::string_view id, std::string_view data) {
  if (id.starts_with("M-")) {
    RONDA_TRY(auto one, parse_one_off(data));
    add(book, std::move(one));
  } else if (id.starts_with("O-")) {
    RONDA_TRY(auto one, parse_override(data));
    add(book, std::move(one));
  } else if (id.starts_with("W-")) {
    RowReader row("window", data);
    WindowMark mark;
    row.number("begin_ns", mark.begin_ns);
    row.flag("end_told", mark.end_told);
    row.ids("p1_told", mark.p1_told);
    RONDA_TRY([[maybe_unused]] auto read, row.end());
    book.marks[std::string(id.substr(2))] = std::move(mark);
  } else {
    RowReader row("announced", data);
    row.number("announced_ns", book.announced_ns);
    if (row.has("announced")) row.texts("announced", most_names, book.announced);  // rows of before have none
    return row.end();
  }
  return done();
}

}  // namespace ronda::incident
