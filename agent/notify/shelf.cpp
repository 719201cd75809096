// SPDX-License-Identifier: Apache-2.0
#include "notify/shelf.hpp"

#include <utility>

namespace ronda::notify {
namespace {

constexpr std::size_t texts_kept_bytes = std::size_t{32} * 1024 * 1024;

std::size_t size_of(const Held& held) {
  return held.row.text.body.size() + held.row.text.fields.size();
}

}  // namespace

Held& Shelf::put(const store::OutboxRow& row, bool has_text) {
  Held& held = held_[row.id];
  forget_text(held);
  held.row = row;
  held.has_text = has_text;
  if (has_text) text_bytes_ += size_of(held);
  return held;
}

Held* Shelf::find(const std::string& id) {
  const auto found = held_.find(id);
  return found == held_.end() ? nullptr : &found->second;
}

const Held* Shelf::find(const std::string& id) const {
  const auto found = held_.find(id);
  return found == held_.end() ? nullptr : &found->second;
}

void Shelf::set_text(Held& held, store::OutboxText text) {
  forget_text(held);
  held.row.text = std::move(text);
  held.has_text = true;
  text_bytes_ += size_of(held);
}

void Shelf::forget_text(Held& held) {
  if (!held.has_text) return;
  text_bytes_ -= size_of(held);
  held.has_text = false;
  std::string().swap(held.row.text.body);  // assigned, it would keep its memory
  std::string().swap(held.row.text.fields);
}

void Shelf::forget_text(const std::string& id) {
  if (Held* held = find(id)) forget_text(*held);
}

void Shelf::relieve(Held& held) {
  if (held.is_stored && text_bytes_ > texts_kept_bytes) forget_text(held);
}

std::vector<const store::OutboxRow*> Shelf::rows(const std::vector<std::string>& ids) const {
  std::vector<const store::OutboxRow*> all;
  for (const std::string& id : ids) {
    if (const Held* held = find(id)) all.push_back(&held->row);
  }
  return all;
}

}  // namespace ronda::notify
