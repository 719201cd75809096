// SPDX-License-Identifier: Apache-2.0
#include "runner/options.hpp"

#include <utility>

#include "runner/instance.hpp"
#include "runner/services.hpp"

ronda_value& ronda_value::operator=(ronda_value&& other) noexcept {
  if (this == &other) return *this;
  drop_items();
  type = other.type;
  other.type = RONDA_TYPE_NONE;
  key_size = other.key_size;
  size = other.size;
  key_data = other.key_data;
  integer = other.integer;  // whichever member it is, it has these 8 bytes
  return *this;
}

void ronda_value::drop_items() {
  if (has_items()) delete[] items;
}

void ronda_value::set_items(std::uint8_t of_type, std::size_t count) {
  items = count > 0 ? new ronda_value[count] : nullptr;
  size = static_cast<std::uint32_t>(count);
  type = of_type;
}

void ronda_value::set_text(std::uint8_t of_type, std::string_view text) {
  type = of_type;
  size = static_cast<std::uint32_t>(text.size());
  text_data = text.data();
}

namespace ronda::runner {
namespace {

void decode(wire::Reader& r, ronda_value& out, int depth);

/// The reader has made sure that there are bytes for `count` items.
void decode_items(wire::Reader& r, ronda_value& out, std::uint8_t type, std::size_t count, int depth) {
  out.set_items(type, count);
  for (std::size_t i = 0; i < count && r.ok(); ++i) {
    ronda_value& item = out.items[i];
    if (type == RONDA_TYPE_TABLE) {
      const std::string_view key = r.text();
      item.key_data = key.data();
      item.key_size = static_cast<std::uint32_t>(key.size()) & 0xFFFFFF;
    }
    decode(r, item, depth + 1);
  }
}

void decode(wire::Reader& r, ronda_value& out, int depth) {
  if (depth >= wire::max_depth) r.fail();
  switch (r.peek()) {
    case wire::Type::nil:
      r.nil();
      break;
    case wire::Type::boolean:
      out.type = RONDA_TYPE_BOOL, out.integer = r.boolean() ? 1 : 0;
      break;
    case wire::Type::integer:
      out.type = RONDA_TYPE_I64, out.integer = r.integer();
      break;
    case wire::Type::real:
      out.type = RONDA_TYPE_F64, out.real = r.real();
      break;
    case wire::Type::text:
      out.set_text(RONDA_TYPE_STR, r.text());
      break;
    case wire::Type::bytes:
      out.set_text(RONDA_TYPE_STR, r.bytes());
      break;
    case wire::Type::secret:
      out.set_text(RONDA_TYPE_SECRET, r.secret());
      break;
    case wire::Type::array:
      decode_items(r, out, RONDA_TYPE_LIST, r.array(), depth);
      break;
    case wire::Type::map:
      decode_items(r, out, RONDA_TYPE_TABLE, r.map(), depth);
      break;
    case wire::Type::invalid:
      r.fail();
      break;
  }
}

std::uint32_t value_type(const ronda_value* v) noexcept {
  return v == nullptr ? RONDA_TYPE_NONE : v->type;
}

const ronda_value* member(const ronda_value* table, ronda_str key) noexcept {
  if (value_type(table) != RONDA_TYPE_TABLE) return nullptr;
  for (std::uint32_t i = 0; i < table->size; ++i) {
    if (table->items[i].key() == view(key)) return &table->items[i];
  }
  return nullptr;
}

std::uint64_t length(const ronda_value* v) noexcept {
  return v == nullptr || !v->has_items() ? 0 : v->size;
}

const ronda_value* item(const ronda_value* v, std::uint64_t index) noexcept {
  return index < length(v) ? &v->items[index] : nullptr;
}

ronda_str key_at(const ronda_value* table, std::uint64_t index) noexcept {
  if (value_type(table) != RONDA_TYPE_TABLE || index >= length(table)) return {"", 0};
  return {table->items[index].key_data, table->items[index].key_size};
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
  if (value_type(v) == RONDA_TYPE_F64)
    *out = v->real;
  else if (value_type(v) == RONDA_TYPE_I64)
    *out = static_cast<double>(v->integer);
  else
    return RONDA_E_INVALID;
  return RONDA_OK;
}

std::int32_t get_str(const ronda_value* v, ronda_str* out) noexcept {
  if (value_type(v) == RONDA_TYPE_SECRET) return RONDA_E_DENIED;
  if (value_type(v) != RONDA_TYPE_STR || out == nullptr) return RONDA_E_INVALID;
  *out = {v->text_data, v->size};
  return RONDA_OK;
}

const ronda_value* root(const ronda_inst* inst) noexcept {
  return &Instance::of(inst)->options();
}

}  // namespace

ronda_value decode_options(std::string_view encoded) {
  wire::Reader r(encoded);
  ronda_value out;
  if (r.peek() == wire::Type::map) decode(r, out, 0);
  if (!r.ok() || out.type != RONDA_TYPE_TABLE) {
    out = {};
    out.set_items(RONDA_TYPE_TABLE, 0);
  }
  return out;
}

void collect_secrets(const ronda_value& value, std::vector<std::string_view>& out) {
  if (value.type == RONDA_TYPE_SECRET) out.push_back(value.text());
  for (std::uint64_t i = 0; i < length(&value); ++i) collect_secrets(value.items[i], out);
}

void collect_pieces(std::string_view encoded, std::vector<std::string_view>& out) {
  wire::Reader r(encoded);
  r.skip();
  if (!r.ok() || r.rest().empty()) return;
  for (std::size_t left = r.array(); left > 0 && r.ok(); --left) out.push_back(r.secret());
}

const ronda_config_1 config_service = {
    sizeof(ronda_config_1), 0, root, value_type, member, length, item, key_at, get_bool, get_i64, get_f64, get_str};

}  // namespace ronda::runner
