// SPDX-License-Identifier: Apache-2.0
#include "runner/options.hpp"

#include "runner/instance.hpp"
#include "runner/services.hpp"

namespace ronda::runner {
namespace {

ronda_value decode(wire::Reader& r, int depth);

void decode_list(wire::Reader& r, ronda_value& out, int depth) {
  out.type = RONDA_TYPE_LIST;
  for (std::size_t n = r.array(); n > 0 && r.ok(); --n) out.items.push_back(decode(r, depth + 1));
}

void decode_table(wire::Reader& r, ronda_value& out, int depth) {
  out.type = RONDA_TYPE_TABLE;
  for (std::size_t n = r.map(); n > 0 && r.ok(); --n) {
    out.keys.push_back(r.text());
    out.items.push_back(decode(r, depth + 1));
  }
}

ronda_value decode(wire::Reader& r, int depth) {
  ronda_value out;
  if (depth >= wire::max_depth) r.fail();
  switch (r.peek()) {
    case wire::Type::nil: r.nil(); break;
    case wire::Type::boolean: out.type = RONDA_TYPE_BOOL, out.integer = r.boolean() ? 1 : 0; break;
    case wire::Type::integer: out.type = RONDA_TYPE_I64, out.integer = r.integer(); break;
    case wire::Type::real: out.type = RONDA_TYPE_F64, out.real = r.real(); break;
    case wire::Type::text: out.type = RONDA_TYPE_STR, out.text = r.text(); break;
    case wire::Type::bytes: out.type = RONDA_TYPE_STR, out.text = r.bytes(); break;
    case wire::Type::secret: out.type = RONDA_TYPE_SECRET, out.text = r.secret(); break;
    case wire::Type::array: decode_list(r, out, depth); break;
    case wire::Type::map: decode_table(r, out, depth); break;
    case wire::Type::invalid: r.fail(); break;
  }
  return out;
}

std::uint32_t value_type(const ronda_value* v) noexcept { return v == nullptr ? RONDA_TYPE_NONE : v->type; }

const ronda_value* member(const ronda_value* table, ronda_str key) noexcept {
  if (value_type(table) != RONDA_TYPE_TABLE) return nullptr;
  for (std::size_t i = 0; i < table->keys.size(); ++i) {
    if (table->keys[i] == view(key)) return &table->items[i];
  }
  return nullptr;
}

std::uint64_t length(const ronda_value* v) noexcept { return v == nullptr ? 0 : v->items.size(); }

const ronda_value* item(const ronda_value* v, std::uint64_t index) noexcept {
  return index < length(v) ? &v->items[index] : nullptr;
}

ronda_str key_at(const ronda_value* table, std::uint64_t index) noexcept {
  if (table == nullptr || index >= table->keys.size()) return {"", 0};
  return {table->keys[index].data(), table->keys[index].size()};
}

std::int32_t get_bool(const ronda_value* v, std::int32_t* out) noexcept {
  if (value_type(v) != RONDA_TYPE_BOOL || out == nullptr) return RONDA_E_INVALID;
  *out = static_cast<std::int32_t>(v->integer);
  return RONDA_OK;
}

std::int32_t get_i64(const ronda_value* v, std::int64_t* out) noexcept {
  if (value_type(v) != RONDA_TYPE_I64 || out == nullptr) return RONDA_E_INVALID;
  *out = v->integer;
  return RONDA_OK;
}

std::int32_t get_f64(const ronda_value* v, double* out) noexcept {
  if (out == nullptr) return RONDA_E_INVALID;
  if (value_type(v) == RONDA_TYPE_F64) *out = v->real;
  else if (value_type(v) == RONDA_TYPE_I64) *out = static_cast<double>(v->integer);
  else return RONDA_E_INVALID;
  return RONDA_OK;
}

std::int32_t get_str(const ronda_value* v, ronda_str* out) noexcept {
  if (value_type(v) == RONDA_TYPE_SECRET) return RONDA_E_DENIED;
  if (value_type(v) != RONDA_TYPE_STR || out == nullptr) return RONDA_E_INVALID;
  *out = {v->text.data(), v->text.size()};
  return RONDA_OK;
}

const ronda_value* root(const ronda_inst* inst) noexcept { return &Instance::of(inst)->options(); }

}  // namespace

ronda_value decode_options(std::string_view encoded) {
  wire::Reader r(encoded);
  ronda_value out;
  if (r.peek() == wire::Type::map) out = decode(r, 0);
  if (!r.ok() || out.type != RONDA_TYPE_TABLE) {
    out = {};
    out.type = RONDA_TYPE_TABLE;
  }
  return out;
}

void collect_secrets(const ronda_value& value, std::vector<std::string_view>& out) {
  if (value.type == RONDA_TYPE_SECRET) out.push_back(value.text);
  for (const ronda_value& child : value.items) collect_secrets(child, out);
}

const ronda_config_1 config_service = {sizeof(ronda_config_1), 0, root,    value_type, member,  length,
                                       item,                   key_at, get_bool, get_i64, get_f64, get_str};

}  // namespace ronda::runner
