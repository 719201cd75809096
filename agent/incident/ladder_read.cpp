// SPDX-License-Identifier: Apache-2.0
#include "incident/ladder_read.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "incident/read_keys.hpp"

namespace ronda::escalation {
namespace {

using namespace std::chrono_literals;
using people::hint;
using people::quoted;
using people::read_keys;

constexpr std::array<std::string_view, 8> step_keys = {"business", "from", "impact", "notify", "overrides", "repeat", "to", "until_ack"};
constexpr std::array<std::string_view, 4> end_keys = {"at", "loop_to", "owner", "repeat"};
constexpr std::array<std::string_view, 2> ladder_keys = {"end", "steps"};
constexpr Nanos least_gap = 1min;
constexpr std::size_t most_steps = 100;

class LadderReader {
 public:
  LadderReader(const Known& known, config::Diagnostics& diagnostics, const config::RawObject& object, Level level,
               std::vector<config::Disabled>& disabled)
      : known_(known), diagnostics_(diagnostics), object_(object), disabled_(disabled) {
    out_.level = level;
    out_.place = object.place;
  }

  std::optional<Ladder> run();

 private:
  void read_steps(const config::Value& value);
  std::optional<Step> read_step(config::Scope& scope, const config::Value& value);
  std::vector<std::string> read_targets(config::Scope& scope, std::string_view key, const config::Value& value);
  void judge_overrides(config::Scope& scope, const config::Value& value, std::vector<std::string>& names);
  static std::vector<Nanos> read_gaps(config::Scope& scope, std::string_view key, const config::Value& value);
  void read_end(config::Scope& scope, const config::Value& value);
  void judge_end(config::Scope& scope, const config::Value& value, const config::Value* loop_to);
  void note(config::Place place, std::string reason) { disabled_.push_back({"escalation", object_.name, place, std::move(reason)}); }

  const Known& known_;
  config::Diagnostics& diagnostics_;
  const config::RawObject& object_;
  std::vector<config::Disabled>& disabled_;
  Ladder out_;
  std::vector<std::size_t> numbers_;  // of the steps that stayed, as written, from 1
  std::size_t written_ = 0;           // steps in the file
};

std::vector<std::string> LadderReader::read_targets(config::Scope& scope, std::string_view key, const config::Value& value) {
  std::vector<std::string> out;
  const config::List* list = value.as_list();
  if (list == nullptr || list->empty()) {
    scope.error(value.place(), "`" + std::string(key) + "` must be a list of contacts, groups and oncalls like [\"ops\"]");
    return out;
  }
  for (const config::Value& one : *list) {
    const auto name = config::read_text(scope, key, one);
    if (!name || std::ranges::find(out, *name) != out.end()) continue;
    if (std::ranges::find(known_.targets, *name) != known_.targets.end()) {
      out.push_back(*name);
    } else if (known_.names_complete) {
      const std::string message =
          "`" + std::string(key) + "`: there is no contact, group or oncall " + quoted(*name) + hint(*name, known_.targets);
      diagnostics_.error(one.place(), message);
      note(one.place(), message);
    }
  }
  return out;
}

std::vector<Nanos> LadderReader::read_gaps(config::Scope& scope, std::string_view key, const config::Value& value) {
  std::vector<Nanos> out;
  const config::List* list = value.as_list();
  if (list == nullptr) {
    config::wrong_type(scope, key, value, "a list of durations like [\"15m\", \"1h\"]; the last one repeats");
    return out;
  }
  for (const config::Value& one : *list) {
    if (const auto gap = config::read_duration(scope, key, one, least_gap)) out.push_back(*gap);
  }
  return out;
}

void LadderReader::judge_overrides(config::Scope& scope, const config::Value& value, std::vector<std::string>& names) {
  const std::string own = object_.name.substr(0, object_.name.rfind('.'));
  for (const std::string& name : names) {
    if (name == own) {
      scope.error(value.place(), "`overrides` names its own escalation");
    } else if (std::ranges::find(known_.escalations, name) == known_.escalations.end()) {
      scope.error(value.place(), "`overrides`: there is no escalation " + quoted(name) + hint(name, known_.escalations));
    }
  }
}

std::optional<Step> LadderReader::read_step(config::Scope& scope, const config::Value& value) {
  const config::Table* table = value.as_table();
  if (table == nullptr) return {};  // told by the core
  Step out;
  out.place = value.place();
  bool has_from = false;
  std::optional<bool> until_ack;
  read_keys(scope, *table, step_keys, [&](std::string_view key, const config::Value& one) {
    if (key == "from") {
      has_from = true;
      out.from = config::read_duration(scope, key, one, 0ns).value_or(0ns);
    } else if (key == "to") {
      out.to = config::read_duration(scope, key, one, 0ns);
    } else if (key == "notify") {
      out.targets = read_targets(scope, key, one);
    } else if (key == "repeat") {
      out.repeat = read_gaps(scope, key, one);
    } else if (key == "until_ack") {
      until_ack = config::read_flag(scope, key, one);
    } else if (key == "business") {
      out.business = config::read_flag(scope, key, one).value_or(false);
    } else if (key == "impact") {
      out.impact = config::read_texts(scope, key, one);
    } else {
      out.overrides = config::read_texts(scope, key, one);
      judge_overrides(scope, one, out.overrides);
    }
  });
  if (!has_from) scope.error(value.place(), "a step lacks `from`, for example \"15m\"");
  if (value.find("notify") == nullptr) scope.error(value.place(), "a step lacks `notify`, whom it tells");
  if (out.to && *out.to <= out.from) scope.error(value.find("to")->place(), "`to` must be later than `from`, " + format_duration(out.from));
  if (out.business && until_ack == true) scope.error(value.find("until_ack")->place(), "a `business` notice does not end with an ack");
  out.until_ack = until_ack.value_or(!out.business);
  return scope.sound() ? std::optional(std::move(out)) : std::nullopt;
}

void LadderReader::read_steps(const config::Value& value) {
  const config::List* list = value.as_list();
  if (list == nullptr) return;  // told by the core
  written_ = list->size();
  Nanos before{0};
  for (const config::Value& one : *list) {
    const std::size_t number = static_cast<std::size_t>(&one - list->data()) + 1;
    config::Scope scope(diagnostics_);
    auto step = read_step(scope, one);
    if (step && step->from < before)
      scope.error(one.place(), "steps stand in the order of `from`: this one begins at " + format_duration(step->from) +
                                   ", the one before it at " + format_duration(before));
    if (number > most_steps) scope.error(one.place(), "more than 100 steps");
    if (!step || !scope.sound()) {
      note(one.place(), "step " + std::to_string(number) + ": " + scope.reason());
      if (number > most_steps) return;
      continue;
    }
    before = step->from;
    if (step->targets.empty()) continue;  // all its names were wrong
    out_.steps.push_back(*std::move(step));
    numbers_.push_back(number);
  }
}

void LadderReader::judge_end(config::Scope& scope, const config::Value& value, const config::Value* loop_to) {
  const bool last_is_wrong = numbers_.empty() || numbers_.back() < written_;  // that may say it, and was told
  if (!out_.end && (last_is_wrong || value.find("at") != nullptr)) return scope.spoil();
  if (!out_.end) out_.end = out_.steps.back().to;
  if (!out_.end) return scope.error(value.place(), "`end` lacks `at`: the last step has no `to`, so the rows are never through");
  if (!out_.steps.empty() && *out_.end <= out_.steps.back().from)
    return scope.error(value.place(), "`end` is at " + format_duration(*out_.end) + ", before the last step begins at " +
                                          format_duration(out_.steps.back().from));
  if (loop_to == nullptr) return;
  if (written_ == 0) return scope.spoil();  // there are no steps, which was told
  const auto number = config::read_integer(scope, "loop_to", *loop_to, 1, static_cast<std::int64_t>(std::max<std::size_t>(written_, 1)));
  if (!number) return;
  const auto found = std::ranges::find(numbers_, static_cast<std::size_t>(*number));
  if (found == numbers_.end()) return scope.spoil();  // that step was wrong, which was told
  const auto index = static_cast<std::size_t>(found - numbers_.begin());
  if (*out_.end - out_.steps[index].from < least_gap)
    return scope.error(loop_to->place(), "the ladder would begin anew more than once a minute");
  out_.loop_to = index;
}

void LadderReader::read_end(config::Scope& scope, const config::Value& value) {
  const config::Table* table = value.as_table();
  if (table == nullptr) return;
  const config::Value* loop_to = nullptr;
  read_keys(scope, *table, end_keys, [&](std::string_view key, const config::Value& one) {
    if (key == "at") {
      out_.end = config::read_duration(scope, key, one, 0ns);
    } else if (key == "loop_to") {
      loop_to = &one;
    } else if (key == "owner") {
      const auto name = config::read_text(scope, key, one);
      if (name) out_.owner = read_targets(scope, key, config::Value(config::List{one}, one.place()));
    } else {
      out_.owner_repeat = read_gaps(scope, key, one);
    }
  });
  const bool has_owner = value.find("owner") != nullptr;
  if ((loop_to != nullptr) == has_owner)
    return scope.error(value.place(), "`end` needs one of `loop_to`, a step's number, and `owner`, a person's name");
  if (!has_owner && !out_.owner_repeat.empty()) scope.error(value.find("repeat")->place(), "`repeat` of `end` belongs to `owner`");
  judge_end(scope, value, loop_to);
  if (has_owner && out_.owner.empty()) out_.end.reset();  // nobody would be told from then on
}

std::optional<Ladder> LadderReader::run() {
  const config::Table* table = object_.value.as_table();
  if (table == nullptr) return {};
  config::Scope scope(diagnostics_);
  read_keys(scope, *table, ladder_keys, [](std::string_view, const config::Value&) {});
  const config::Value* steps = object_.value.find("steps");
  if (steps != nullptr) read_steps(*steps);
  if (steps != nullptr && steps->as_list() != nullptr && written_ == 0)
    scope.error(object_.place, "[escalation." + object_.name + "] has no steps");
  if (const config::Value* end = object_.value.find("end")) {
    config::Scope of_end(diagnostics_);
    read_end(of_end, *end);
    if (!of_end.sound()) {
      note(end->place(), "`end`: " + of_end.reason());
      out_.end.reset();
      out_.owner.clear();
    }
  }
  if (!scope.sound()) note(object_.place, scope.reason());
  if (out_.steps.empty()) return {};
  return std::move(out_);
}

}  // namespace

std::optional<Ladder> read_ladder(const Known& known, config::Diagnostics& diagnostics, const config::RawObject& object, Level level,
                                  std::vector<config::Disabled>& disabled) {
  return LadderReader(known, diagnostics, object, level, disabled).run();
}

}  // namespace ronda::escalation
