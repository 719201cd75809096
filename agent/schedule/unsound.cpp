// SPDX-License-Identifier: Apache-2.0
#include "schedule/unsound.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <tuple>
#include <utility>

namespace ronda::schedule {
namespace {

auto position(config::Place place) {
  return std::tuple(place.file, place.line, place.column);
}

using Position = decltype(position({}));

/// Where the parts of one object begin; without an owner it is none that judges own: a setting, a service, an instance.
struct Part {
  Position begin;
  const config::RawObject* owner;
};

void add_parts(const config::Value& value, const config::RawObject* owner, std::vector<Part>& out) {
  out.push_back({position(value.place()), owner});
  if (const config::List* list = value.as_list()) {
    for (const config::Value& one : *list) add_parts(one, owner, out);
  }
  if (const config::Table* table = value.as_table()) {
    for (const config::Member& one : *table) {
      out.push_back({position(one.key_place), owner});
      add_parts(one.value, owner, out);
    }
  }
}

bool is_before(const config::RawObject& a, const config::RawObject& b) {
  return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
}

/// Says of a place whose object it is in; a place inside a text, as in a condition, is of that text.
class Owners {
 public:
  explicit Owners(const Candidate& candidate) {
    const config::Generation& generation = candidate.generation;
    const auto add_foreign = [&](config::Place place) { parts_.push_back({position(place), nullptr}); };
    for (const config::Place place : candidate.places) add_foreign(place);
    for (const config::Service& one : generation.services) add_foreign(one.place);
    for (const config::Disabled& one : generation.disabled) add_foreign(one.place);
    for (const config::Value* one : {&generation.agent.drill, &generation.store}) add_parts(*one, nullptr, parts_);
    for (const config::RawObject& one : generation.objects) {
      parts_.push_back({position(one.place), &one});
      add_parts(one.value, &one, parts_);
    }
    std::ranges::stable_sort(parts_, {}, &Part::begin);  // of a disabled object, which is foreign above, its own comes last
  }

  const config::RawObject* of(config::Place place) const {
    const auto after = std::ranges::upper_bound(parts_, position(place), {}, &Part::begin);
    if (after == parts_.begin()) return nullptr;
    const Part& part = *std::prev(after);
    return std::get<0>(part.begin) == place.file ? part.owner : nullptr;
  }

 private:
  std::vector<Part> parts_;
};

/// Errors of unsound objects alone: without them the others are judged again, and what is said then holds.
std::vector<config::Diagnostic> judge_with(const std::vector<std::function<void(Candidate&)>>& judges,
                                           std::vector<config::RawObject> unsound, Candidate& candidate) {
  std::vector<config::RawObject>& objects = candidate.generation.objects;
  std::set<std::pair<std::string, std::string>> names;
  for (const config::RawObject& one : unsound) names.emplace(one.kind, one.name);
  const auto is_unsound = [&](const config::RawObject& one) { return names.contains({one.kind, one.name}); };
  std::ranges::move(unsound, std::back_inserter(objects));
  std::ranges::sort(objects, is_before);
  const std::vector<config::Disabled> disabled = candidate.generation.disabled;
  config::Diagnostics told = std::exchange(candidate.diagnostics, {});
  for (const auto& judge : judges) judge(candidate);
  const config::Diagnostics said = std::exchange(candidate.diagnostics, std::move(told));
  candidate.generation.disabled = disabled;
  const Owners owners(candidate);
  std::vector<config::Diagnostic> out;
  for (const config::Diagnostic& one : said.all()) {
    const config::RawObject* owner = one.severity == config::Severity::error ? owners.of(one.where) : nullptr;
    if (owner != nullptr && is_unsound(*owner)) out.push_back(one);
  }
  std::erase_if(objects, is_unsound);
  return out;
}

}  // namespace

void add_untold(const config::Diagnostics& more, config::Place whole, config::Diagnostics& told) {
  const auto where = [](const config::Diagnostic& one) { return position(one.where); };
  const std::size_t before = told.all().size();
  for (const config::Diagnostic& one : more.all()) {
    const bool is_told = std::ranges::any_of(std::span(told.all()).first(before), [&](const config::Diagnostic& other) {
      // a warning leaves an error to be told
      return where(other) == where(one) && (other.severity == config::Severity::error || one.severity == config::Severity::warning);
    });
    if (where(one) == position(whole) || !is_told) told.add(one);
  }
}

void judge_all(const std::vector<std::function<void(Candidate&)>>& judges, std::vector<config::RawObject> unsound, Candidate& candidate) {
  std::vector<config::Diagnostic> more;
  std::set<Position> wholes;
  for (const config::RawObject& one : unsound) wholes.insert(position(one.place));
  // these first: what judges keep of a candidate is of the last one they saw
  if (!unsound.empty()) more = judge_with(judges, std::move(unsound), candidate);
  for (const auto& judge : judges) judge(candidate);
  std::set<std::pair<Position, std::string>> known;  // of an object as a whole with the message
  const auto key_of = [&](const config::Diagnostic& one) {
    return std::pair(position(one.where), wholes.contains(position(one.where)) ? one.message : std::string());
  };
  for (const config::Diagnostic& one : candidate.diagnostics.all()) {
    if (one.severity == config::Severity::error) known.insert(key_of(one));
  }
  for (config::Diagnostic& one : more) {
    if (!known.contains(key_of(one))) candidate.diagnostics.add(std::move(one));
  }
}

}  // namespace ronda::schedule
