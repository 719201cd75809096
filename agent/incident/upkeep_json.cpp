// SPDX-License-Identifier: Apache-2.0
// One-off maintenance, overrides of on-call, and what was told of windows, as the rows in which they are stored.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "incident/upkeep.hpp"

namespace ronda::incident {
namespace {

namespace json = boost::json;

constexpr std::size_t most_names = 1000, most_incidents = 10'000;

json::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

/// A row that is read member by member; the first trouble is kept and the rest is not looked at.
class Members {
 public:
  Members(std::string_view what, std::string_view text) : what_(what) {
    json::error_code failure;
    if (text.size() <= max_event_bytes) value_ = json::parse(view(text), failure);
    if (failure || !value_.is_object()) trouble("", "a JSON object");
  }
  void text(std::string_view name, std::size_t most, std::string& out) {
    const json::value* value = find(name);
    const json::string* found = value == nullptr ? nullptr : value->if_string();
    if (found == nullptr || found->size() > most) return trouble(name, "a text of at most " + std::to_string(most) + " bytes");
    out.assign(found->data(), found->size());
  }
  void time(std::string_view name, std::int64_t& out) {
    const json::value* value = find(name);
    const std::int64_t* found = value == nullptr ? nullptr : value->if_int64();
    if (found == nullptr || *found < 0) return trouble(name, "a whole number, not negative");
    out = *found;
  }
  void flag(std::string_view name, bool& out) {
    const json::value* value = find(name);
    if (value == nullptr || !value->is_bool()) return trouble(name, "true or false");
    out = value->get_bool();
  }
  void texts(std::string_view name, std::size_t most, std::vector<std::string>& out) {
    const json::value* value = find(name);
    const json::array* list = value == nullptr ? nullptr : value->if_array();
    if (list == nullptr || list->size() > most) return trouble(name, "a list of texts");
    for (const json::value& one : *list) {
      if (!one.is_string() || one.get_string().size() > max_name_bytes) return trouble(name, "a list of texts");
      out.emplace_back(one.get_string());
    }
  }
  void set(std::string_view name, std::set<std::string>& out) {
    std::vector<std::string> all;
    texts(name, most_incidents, all);
    out.insert(all.begin(), all.end());
  }
  void times(std::string_view name, std::vector<std::int64_t>& out) {
    const json::value* value = find(name);
    const json::array* list = value == nullptr ? nullptr : value->if_array();
    if (list == nullptr || list->size() > most_names) return trouble(name, "a list of numbers");
    for (const json::value& one : *list) {
      if (!one.is_int64()) return trouble(name, "a list of numbers");
      out.push_back(one.get_int64());
    }
  }
  void author(std::string_view name, Author& out) {
    std::string word;
    text(name, 2 * max_name_bytes, word);
    if (!trouble_.empty()) return;
    auto parsed = parse_author(word);
    if (!parsed) return trouble(name, "an author");
    out = *std::move(parsed);
  }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  Status end() const { return trouble_.empty() ? done() : Status(Error(Errc::corrupt, trouble_)); }

 private:
  const json::value* find(std::string_view name) const { return trouble_.empty() ? value_.get_object().if_contains(view(name)) : nullptr; }
  void trouble(std::string_view name, const std::string& must) {
    if (trouble_.empty()) trouble_ = what_ + ": " + (name.empty() ? "" : "`" + std::string(name) + "` ") + "must be " + must;
  }

  std::string what_;
  json::value value_;
  std::string trouble_;
};

json::array array_of(const std::vector<std::string>& names) {
  return json::array(names.begin(), names.end());
}

Result<OnCallOverride> parse_override(std::string_view text) {
  Members members("override", text);
  OnCallOverride out;
  members.text("id", max_name_bytes, out.id);
  members.text("rota", max_name_bytes, out.rota);
  members.text("contact", max_name_bytes, out.contact);
  members.author("author", out.author);
  members.text("reason", max_text_bytes, out.reason);
  members.time("made_ns", out.made_ns);
  members.time("from_ns", out.from_ns);
  members.time("until_ns", out.until_ns);
  members.time("ended_ns", out.ended_ns);
  members.author("ended_by", out.ended_by);
  RONDA_TRY([[maybe_unused]] auto read, members.end());
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
  Members members("maintenance", text);
  OneOff out;
  members.text("id", max_name_bytes, out.id);
  members.texts("services", most_names, out.what.services);
  members.texts("checks", most_names, out.what.checks);
  members.texts("tags", most_names, out.what.tags);
  members.author("owner", out.owner);
  members.text("reason", max_text_bytes, out.reason);
  members.time("from_ns", out.from_ns);
  members.time("lasts_ns", out.lasts_ns);
  members.flag("until_ok", out.until_ok);
  members.time("at_most_ns", out.at_most_ns);
  members.time("ended_ns", out.ended_ns);
  members.author("ended_by", out.ended_by);
  members.times("announce_ns", out.announce_ns);
  members.texts("notify", most_names, out.notify);
  members.flag("begin_told", out.begin_told);
  members.flag("end_told", out.end_told);
  members.set("p1_told", out.p1_told);
  RONDA_TRY([[maybe_unused]] auto read, members.end());
  return out;
}

bool is_upkeep_row(std::string_view id) {
  return id == "A" || id.starts_with("M-") || id.starts_with("O-") || id.starts_with("W-");
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
  return {"W-" + window, mark.begin_ns, json::serialize(out)};
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
    Members members("window", data);
    WindowMark mark;
    members.time("begin_ns", mark.begin_ns);
    members.flag("end_told", mark.end_told);
    members.set("p1_told", mark.p1_told);
    RONDA_TRY([[maybe_unused]] auto read, members.end());
    book.marks[std::string(id.substr(2))] = std::move(mark);
  } else {
    Members members("announced", data);
    members.time("announced_ns", book.announced_ns);
    return members.end();
  }
  return done();
}
    if (members.has("announced")) members.texts("announced", most_names, book.announced);  // rows of before have none

}  // namespace ronda::incident
