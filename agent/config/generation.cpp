// SPDX-License-Identifier: Apache-2.0
#include "config/generation.hpp"

#include <algorithm>
#include <tuple>

namespace ronda::config {
namespace {

auto position(Place place) {
  return std::tuple(place.file, place.line, place.column);
}

}  // namespace

std::string_view kind_name(Kind kind) {
  constexpr std::array<std::string_view, 3> names = {"check", "task", "notifier"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view level_name(Level level) {
  constexpr std::array<std::string_view, 5> names = {"", "p1", "p2", "p3", "p4"};
  return names[static_cast<std::size_t>(level)];
}

const Judgement& Instance::no_judgement() {
  static const Judgement nothing;
  return nothing;
}

const Rare& Instance::no_rare() {
  static const Rare nothing;
  return nothing;
}

Judgement& Instance::make_judgement() {
  if (!judgement_) judgement_ = std::make_unique<Judgement>();
  return *judgement_;
}

Rare& Instance::make_rare() {
  if (!rare_) rare_ = std::make_unique<Rare>();
  return *rare_;
}

const Instance* Generation::find(Kind kind, std::string_view name) const {
  const auto span = all(kind);
  const auto found = std::ranges::lower_bound(span, name, {}, &Instance::name);
  return found != span.end() && found->name == name ? &*found : nullptr;
}

std::span<const Instance> Generation::all(Kind kind) const {
  return {std::ranges::lower_bound(instances, kind, {}, &Instance::kind), std::ranges::upper_bound(instances, kind, {}, &Instance::kind)};
}

const Service* Generation::find_service(std::string_view name) const {
  const auto found = std::ranges::lower_bound(services, name, {}, &Service::name);
  return found != services.end() && found->name == name ? &*found : nullptr;
}

std::span<const RawObject> Generation::raw(std::string_view kind) const {
  return {std::ranges::lower_bound(objects, kind, {}, &RawObject::kind), std::ranges::upper_bound(objects, kind, {}, &RawObject::kind)};
}

const RawObject* Generation::find_raw(std::string_view kind, std::string_view name) const {
  const auto span = raw(kind);
  const auto found = std::ranges::lower_bound(span, name, {}, &RawObject::name);
  return found != span.end() && found->name == name ? &*found : nullptr;
}

std::string_view Generation::written_at(Place place) const {
  const auto less = [](const Written& a, Place b) { return position(a.place) < position(b); };
  const auto found = std::lower_bound(written.begin(), written.end(), place, less);
  return found != written.end() && position(found->place) == position(place) ? found->text
                                                                             : std::string_view();
}

}  // namespace ronda::config
