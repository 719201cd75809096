// SPDX-License-Identifier: Apache-2.0
#include "plugin/encode_options.hpp"

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

void encode(wire::Writer& w, const OptionNode& node) { std::visit(Encoder{w}, node.data()); }

}  // namespace

std::string encode_options(const OptionNode& options, std::span<const std::string> pieces) {
  std::string out;
  wire::Writer w(out);
  if (options.as_table() == nullptr) w.map(0);
  else encode(w, options);
  if (!pieces.empty()) w.array(pieces.size());
  for (const std::string& piece : pieces) w.secret(piece);
  return out;
}

}  // namespace ronda::plugin
