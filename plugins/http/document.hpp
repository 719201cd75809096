// SPDX-License-Identifier: Apache-2.0
// A JSON document from outside: parsed with a cap on depth, asked by path.
// Never throws for what stands in the document, never keeps more of it than the document itself.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "json_path.hpp"

namespace http {

constexpr std::size_t max_json_depth = 32;
constexpr std::size_t max_document_bytes = std::size_t{64} << 20;  // in memory, several times its text

/// What stands at a path; `string` is borrowed from the document.
struct JsonValue {
  enum class Type { missing, null, boolean, number, string, array, object };
  Type type = Type::missing;
  bool boolean = false;
  double number = 0;
  bool is_integer = false;  ///< then `integer` has every digit
  std::int64_t integer = 0;
  std::string_view string;
  std::size_t length = 0;  ///< of an array, an object, or a string in characters

  /// A number, or a string that is written like one.
  std::optional<double> as_number() const;
  /// For messages: 12, "text" (cut at 80 bytes), true, null, "a list of 3", "nothing".
  std::string describe() const;
};

class Document {
 public:
  Document();
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  /// Takes the place of what was parsed before. Empty, or a sentence on why `text`, which is a body, was not taken.
  std::string parse(std::string_view text);
  JsonValue find(const JsonPath& path) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace http
