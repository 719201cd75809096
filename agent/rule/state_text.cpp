// SPDX-License-Identifier: Apache-2.0
// The state of an alert as JSON, for the store. What is read back is not believed further than its bounds.
#include <array>
#include <boost/json.hpp>
#include <charconv>

#include "base/text.hpp"
#include "rule/ladder.hpp"

namespace ronda::rule {
namespace {

namespace json = boost::json;
using config::Level;

constexpr std::int64_t version = 1;
constexpr std::size_t most_results = 1000, most_name = 128;
constexpr std::int64_t all_bits = 0xFFFFF;

/// As text: the JSON library does not read back every number that it writes.
std::string number_text(double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end.ptr};
}

json::object rung_object(const RungState& rung) {
  json::object out{{"mark", to_hex({rung.mark, 0}).substr(0, 16)}};
  if (rung.last != Truth::no) out["last"] = static_cast<int>(rung.last);
  if (rung.last_leave != Truth::no) out["leave"] = static_cast<int>(rung.last_leave);
  if (rung.active) out["active"] = true;
  if (rung.held_ns != 0) out["held"] = rung.held_ns;
  if (rung.left_ns != 0) out["left"] = rung.left_ns;
  if (rung.since_ns != 0) out["since"] = rung.since_ns;
  if (!rung.results.empty()) out["results"] = rung.results;
  return out;
}

json::object flapping_object(const Flapping& flapping) {
  return {{"changes", flapping.changes},
          {"since_change", flapping.since_change},
          {"since_fall", flapping.since_fall},
          {"changed", flapping.changed_ns},
          {"fell", flapping.fell_ns},
          {"raw", static_cast<int>(flapping.raw)},
          {"ok_counts", flapping.ok_counts},
          {"on", flapping.on},
          {"restless", flapping.restless}};
}

/// Reads members of an object; a wrong one spoils the whole.
class Members {
 public:
  explicit Members(const json::object& object) : object_(object) {}

  std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high) {
    const json::value* value = object_.if_contains(key);
    if (value == nullptr) return low <= 0 && high >= 0 ? 0 : spoil(key, low);
    const std::int64_t* number = value->if_int64();
    return number == nullptr || *number < low || *number > high ? spoil(key, low) : *number;
  }
  std::int64_t instant(std::string_view key) { return integer(key, 0, INT64_MAX); }
  template <class Choice>
  Choice choice(std::string_view key, Choice last) {
    return static_cast<Choice>(integer(key, 0, static_cast<std::int64_t>(last)));
  }
  bool flag(std::string_view key) {
    const json::value* value = object_.if_contains(key);
    if (value == nullptr) return false;
    if (const bool* flag = value->if_bool()) return *flag;
    return spoil(key, 0) != 0;
  }
  double number(std::string_view key) {
    const std::string text = this->text(key, 32);
    double out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) spoil(key, 0);
    return out;
  }
  std::string text(std::string_view key, std::size_t most) {
    const json::value* value = object_.if_contains(key);
    if (value == nullptr) return {};
    const json::string* text = value->if_string();
    if (text == nullptr || text->size() > most) {
      spoil(key, 0);
      return {};
    }
    return std::string(text->data(), text->size());
  }
  const json::object* object(std::string_view key) {
    const json::value* value = object_.if_contains(key);
    const json::object* found = value == nullptr ? nullptr : value->if_object();
    if (found == nullptr) spoil(key, 0);
    return found;
  }
  std::int64_t spoil(std::string_view key, std::int64_t otherwise) {
    if (wrong_.empty()) wrong_ = key;
    return otherwise;
  }
  const std::string& wrong() const { return wrong_; }

 private:
  const json::object& object_;
  std::string wrong_;
};

Result<std::uint64_t> mark_of(const std::string& text) {
  std::uint64_t out = 0;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return Error(Errc::corrupt, "mark");
    out = out * 16 + static_cast<std::uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return text.size() == 16 ? Result<std::uint64_t>(out) : Error(Errc::corrupt, "mark");
}

std::string read_rung(const json::object& object, RungState& rung) {
  Members members(object);
  const auto mark = mark_of(members.text("mark", 16));
  if (!mark) return "mark";
  rung.mark = *mark;
  rung.last = members.choice("last", Truth::yes);
  rung.last_leave = members.choice("leave", Truth::yes);
  rung.active = members.flag("active");
  rung.held_ns = members.instant("held");
  rung.left_ns = members.instant("left");
  rung.since_ns = members.instant("since");
  rung.results = members.text("results", most_results);
  if (rung.results.find_first_not_of("01?") != std::string::npos) members.spoil("results", 0);
  return members.wrong();
}

std::string read_flapping(const json::object& object, Flapping& flapping) {
  Members members(object);
  flapping.changes = static_cast<std::uint32_t>(members.integer("changes", 0, all_bits));
  flapping.since_change = static_cast<std::uint32_t>(members.integer("since_change", 0, quiet_results));
  flapping.since_fall = static_cast<std::uint32_t>(members.integer("since_fall", 0, quiet_results + 1));
  flapping.changed_ns = members.instant("changed");
  flapping.fell_ns = members.instant("fell");
  flapping.raw = members.choice("raw", Raw::unknown);
  flapping.ok_counts = static_cast<std::uint32_t>(members.integer("ok_counts", 0, quiet_results));
  flapping.on = members.flag("on");
  flapping.restless = members.flag("restless");
  return members.wrong();
}

std::string read_state(const json::object& object, AlertState& state) {
  Members members(object);
  if (members.integer("version", version, version) != version) return "version";
  state.level = members.choice("level", Level::p4);
  state.level_since_ns = members.instant("level_since");
  state.started_ns = members.instant("started");
  state.looked_ns = members.instant("looked");
  state.counted_ns = members.instant("counted");
  state.frozen_at_ns = members.instant("frozen_at");
  state.unknown_since_ns = members.instant("unknown_since");
  state.await_after_ns = members.instant("await_after");
  state.clear_ns = members.instant("clear");
  state.next_ns = members.instant("next");
  state.last_clear = members.choice("last_clear", Truth::yes);
  state.no_data = members.flag("no_data");
  state.blocked_by = members.text("blocked_by", most_name);
  state.reason = members.text("reason", most_reason);
  state.value = members.number("value");
  std::string wrong = members.wrong();
  if (const json::object* flapping = members.object("flapping"); flapping != nullptr && wrong.empty())
    wrong = read_flapping(*flapping, state.flapping);
  for (std::size_t i = 0; i < state.rungs.size() && wrong.empty(); ++i) {
    if (const json::object* rung = members.object("p" + std::to_string(i + 1))) wrong = read_rung(*rung, state.rungs[i]);
  }
  return wrong.empty() ? members.wrong() : wrong;
}

}  // namespace

std::string encode_state(const AlertState& state) {
  json::object out{{"version", version},
                   {"level", static_cast<int>(state.level)},
                   {"level_since", state.level_since_ns},
                   {"started", state.started_ns},
                   {"looked", state.looked_ns},
                   {"counted", state.counted_ns},
                   {"frozen_at", state.frozen_at_ns},
                   {"unknown_since", state.unknown_since_ns},
                   {"await_after", state.await_after_ns},
                   {"clear", state.clear_ns},
                   {"next", state.next_ns},
                   {"last_clear", static_cast<int>(state.last_clear)},
                   {"no_data", state.no_data},
                   {"blocked_by", state.blocked_by},
                   {"reason", repair_utf8(state.reason, most_reason)},
                   {"value", number_text(state.value)},
                   {"flapping", flapping_object(state.flapping)}};
  for (std::size_t i = 0; i < state.rungs.size(); ++i) out["p" + std::to_string(i + 1)] = rung_object(state.rungs[i]);
  return json::serialize(out);
}

Result<AlertState> decode_state(std::string_view text) {
  if (text.size() > most_state)
    return Error(Errc::corrupt,
                 "the state of an alert has " + std::to_string(text.size()) + " bytes, more than " + std::to_string(most_state));
  json::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return Error(Errc::corrupt, "the state of an alert is no JSON object");
  AlertState state;
  const std::string wrong = read_state(value.get_object(), state);
  if (!wrong.empty()) return Error(Errc::corrupt, "the state of an alert: `" + wrong + "` is missing or out of range");
  return state;
}

}  // namespace ronda::rule
