// SPDX-License-Identifier: Apache-2.0
#include "plugin/encode_options.hpp"

#include "plugin/secret_forms.hpp"
#include "plugin/wire.hpp"

namespace ronda::plugin {
namespace {

void encode(wire::Writer& w, const OptionNode& node);

struct Encoder {
  wire::Writer& w;

  void operator()(std::monostate) const { w.nil(); }
  void operator()(bool value) const { w.boolean(value); }
  void operator()(std::int64_t value) const { w.integer(value); }
  void operator()(double value) const { w.real(value); }
  void operator()(const std::string& value) const { w.text(value); }
  void operator()(const Secret& value) const { w.secret(value.text); }
  void operator()(const OptionList& list) const {
    w.array(list.size());
    for (const OptionNode& item : list) encode(w, item);
  }
  void operator()(const OptionTable& table) const {
    w.map(table.size());
    for (const OptionMember& member : table) {
      w.text(member.key);
      encode(w, member.value);
    }
  }
};

void encode(wire::Writer& w, const OptionNode& node) {
  std::visit(Encoder{w}, node.data());
}

void add_forms(const OptionNode& node, std::vector<std::string>& out) {
  if (const auto* secret = std::get_if<Secret>(&node.data())) {
    for (std::string& form : forms_of(secret->text)) out.push_back(std::move(form));
  } else if (const auto* list = std::get_if<OptionList>(&node.data())) {
    for (const OptionNode& item : *list) add_forms(item, out);
  } else if (const auto* table = std::get_if<OptionTable>(&node.data())) {
    for (const OptionMember& member : *table) add_forms(member.value, out);
  }
}

}  // namespace

std::string encode_options(const OptionNode& options, std::span<const std::string> pieces) {
  std::string out;
  wire::Writer w(out);
  if (options.as_table() == nullptr)
    w.map(0);
  else
    encode(w, options);
  std::vector<std::string> hidden(pieces.begin(), pieces.end());
  add_forms(options, hidden);
  for (const std::string& piece : pieces) {
    for (std::string& form : forms_of(piece)) hidden.push_back(std::move(form));
  }
  if (!hidden.empty()) w.array(hidden.size());
  for (const std::string& one : hidden) w.secret(one);
  return out;
}

}  // namespace ronda::plugin
