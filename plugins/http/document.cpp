// SPDX-License-Identifier: Apache-2.0
#include "document.hpp"

#include <boost/json/src.hpp>  // the only file with it: the plugin links no Boost
#include <charconv>
#include <cmath>

namespace http {

namespace json = boost::json;

namespace {

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

JsonValue from_integer(std::int64_t integer) {
  JsonValue v;
  v.type = JsonValue::Type::number;
  v.number = static_cast<double>(integer);
  v.is_integer = true;
  v.integer = integer;
  return v;
}

JsonValue from_json(const json::value& found) {
  JsonValue v;
  switch (found.kind()) {
    case json::kind::null: v.type = JsonValue::Type::null; break;
    case json::kind::bool_:
      v.type = JsonValue::Type::boolean;
      v.boolean = found.get_bool();
      break;
    case json::kind::int64: return from_integer(found.get_int64());
    case json::kind::uint64:
      v.type = JsonValue::Type::number;
      v.number = static_cast<double>(found.get_uint64());
      break;
    case json::kind::double_:
      v.type = JsonValue::Type::number;
      v.number = found.get_double();
      break;
    case json::kind::string:
      v.type = JsonValue::Type::string;
      v.string = std::string_view(found.get_string().data(), found.get_string().size());
      v.length = characters(v.string);
      break;
    case json::kind::array:
      v.type = JsonValue::Type::array;
      v.length = found.get_array().size();
      break;
    case json::kind::object:
      v.type = JsonValue::Type::object;
      v.length = found.get_object().size();
      break;
  }
  return v;
}

const json::value* step_into(const json::value& at, const JsonPath::Step& step) {
  if (!step.is_index) return at.is_object() ? at.get_object().if_contains(step.name) : nullptr;
  if (!at.is_array()) return nullptr;
  const auto size = static_cast<std::int64_t>(at.get_array().size());
  const auto index = step.index < 0 ? step.index + size : step.index;
  return index >= 0 && index < size ? &at.get_array()[static_cast<std::size_t>(index)] : nullptr;
}

/// A document many times larger than its text would be at the cost of every other check of this process.
class BoundedResource : public json::memory_resource {
 public:
  explicit BoundedResource(std::size_t limit) : left_(limit) {}

 private:
  void* do_allocate(std::size_t size, std::size_t align) override {
    if (size > left_) throw std::bad_alloc();
    void* piece = inner_.allocate(size, align);
    left_ -= size;
    return piece;
  }
  void do_deallocate(void* piece, std::size_t size, std::size_t align) override { inner_.deallocate(piece, size, align); }
  bool do_is_equal(const json::memory_resource& other) const noexcept override { return this == &other; }

  json::monotonic_resource inner_;  // gives back only at its end
  std::size_t left_;
};

}  // namespace

struct Document::Impl {
  json::value root;
};

Document::Document() : impl_(std::make_unique<Impl>()) {}
Document::~Document() = default;

std::string Document::parse(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == text.npos) return "the body is empty, not JSON";
  json::parse_options options;
  options.max_depth = max_json_depth;
  json::error_code error;
  try {
    impl_->root = json::parse(json::string_view(text.data(), text.size()), error,
                              json::make_shared_resource<BoundedResource>(max_document_bytes), options);
  } catch (const std::bad_alloc&) {
    impl_->root = nullptr;
    return ronda::text("the body read as JSON takes more than ", max_document_bytes >> 20, " MiB of memory: lower max_body");
  }
  return error ? "the body is not JSON (" + error.message() + ")" : std::string();
}

JsonValue Document::find(const JsonPath& path) const {
  const json::value* at = &impl_->root;
  for (const auto& step : path.steps)
    if (at = step_into(*at, step); at == nullptr) break;
  JsonValue v;
  if (path.apply == JsonPath::Apply::presence) {
    v.type = JsonValue::Type::boolean;
    v.boolean = at != nullptr;
    return v;
  }
  if (at == nullptr) return v;
  v = from_json(*at);
  if (path.apply == JsonPath::Apply::value) return v;
  const bool has_length = v.type == JsonValue::Type::array || v.type == JsonValue::Type::object ||
                          v.type == JsonValue::Type::string;
  return has_length ? from_integer(static_cast<std::int64_t>(v.length)) : JsonValue();
}

std::optional<double> JsonValue::as_number() const {
  if (type == Type::number) return number;
  if (type != Type::string || string.empty()) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(string.data(), string.data() + string.size(), value);
  if (error != std::errc{} || end != string.data() + string.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string JsonValue::describe() const {
  switch (type) {
    case Type::missing: return "nothing";
    case Type::null: return "null";
    case Type::boolean: return boolean ? "true" : "false";
    case Type::number: return is_integer ? std::to_string(integer) : ronda::text(number);
    case Type::string: return "\"" + std::string(string.substr(0, 80)) + (string.size() > 80 ? "...\"" : "\"");
    case Type::array: return "a list of " + std::to_string(length);
    case Type::object: return "an object of " + std::to_string(length);
  }
  return {};
}

}  // namespace http
