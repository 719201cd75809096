// SPDX-License-Identifier: Apache-2.0
// JSON as notifiers need it: a writer for what is sent, and a reader for the first level of what comes back. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace outgoing {

/// Writes a document in the order of the calls. Commas, escapes and broken UTF-8 (which becomes U+FFFD) are its business;
/// that what was opened is closed, and that each value of an object has a key, is the caller's.
class JsonWriter {
 public:
  JsonWriter& object();
  JsonWriter& end_object();
  JsonWriter& array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool yes);
  template <class T, class = std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>>>
  JsonWriter& value(T number) {
    return literal(std::to_string(number));
  }
  template <class T>
  JsonWriter& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }
  const std::string& text() const { return text_; }

 private:
  JsonWriter& literal(std::string_view text);
  void separate();

  std::string text_;
  bool comma_ = false;  // something stands before what comes next
};

struct JsonMember {
  enum class Kind { null, boolean, number, text, composite };
  std::string name;
  Kind kind = Kind::null;
  std::string text;  ///< of a text without quotes and escapes; of anything else as it stood
};

/// The members of one object, of several with one name all of them.
class JsonObject {
 public:
  explicit JsonObject(std::vector<JsonMember> members) : members_(std::move(members)) {}
  /// The first of that name; null when there is none.
  const JsonMember* find(std::string_view name) const;
  /// The text of that name; empty when there is none, or it is no text.
  std::string_view text(std::string_view name) const;
  bool is_true(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name) const;
  const std::vector<JsonMember>& members() const { return members_; }

 private:
  std::vector<JsonMember> members_;
};

/// Nothing when the text is not one whole, well-formed object, or is nested deeper than 32.
std::optional<JsonObject> parse_json_object(std::string_view text);

}  // namespace outgoing
