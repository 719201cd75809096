// SPDX-License-Identifier: Apache-2.0
#include "outgoing/json.hpp"

#include "outgoing/text.hpp"

namespace outgoing {
namespace {

void escape(std::string& to, unsigned char c) {
  constexpr char digits[] = "0123456789abcdef";
  switch (c) {
    case '"':
      to += "\\\"";
      return;
    case '\\':
      to += "\\\\";
      return;
    case '\n':
      to += "\\n";
      return;
    case '\r':
      to += "\\r";
      return;
    case '\t':
      to += "\\t";
      return;
    default:
      break;
  }
  if (c >= 0x20 && c != 0x7f) {
    to += static_cast<char>(c);
    return;
  }
  to += "\\u00";
  to += digits[c >> 4];
  to += digits[c & 15];
}

}  // namespace

void JsonWriter::separate() {
  if (comma_) text_ += ',';
  comma_ = true;
}

JsonWriter& JsonWriter::literal(std::string_view text) {
  separate();
  text_ += text;
  return *this;
}

JsonWriter& JsonWriter::object() {
  literal("{");
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::array() {
  literal("[");
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  text_ += '}';
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  text_ += ']';
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  value(name);
  text_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  text_ += '"';
  for (const char c : valid_utf8(text)) escape(text_, static_cast<unsigned char>(c));
  text_ += '"';
  return *this;
}

JsonWriter& JsonWriter::value(bool yes) {
  return literal(yes ? "true" : "false");
}

}  // namespace outgoing
