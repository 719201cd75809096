// SPDX-License-Identifier: Apache-2.0
// The options of one instance as its plugin reads them: checked, defaulted, in base units. Plain data.
// Durations are int64 nanoseconds, sizes int64 bytes, percentages double ratios, timestamps int64 ns UTC.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ronda::plugin {

/// Text that reaches the plugin only through ronda.secret/1 and is shown to nobody.
struct Secret {
  std::string text;
  bool operator==(const Secret&) const = default;
};

class OptionNode;
struct OptionMember;
using OptionList = std::vector<OptionNode>;
/// In the order of the manifest, or of conf.d where keys are free; absent options are not in it.
using OptionTable = std::vector<OptionMember>;

class OptionNode {
 public:
  using Data = std::variant<std::monostate, bool, std::int64_t, double, std::string, Secret, OptionList, OptionTable>;

  // defined below, where OptionMember is complete: clang makes the vector's destructor as soon as it sees one used
  OptionNode();
  OptionNode(Data data);
  OptionNode(const OptionNode&);
  OptionNode(OptionNode&&) noexcept;
  OptionNode& operator=(const OptionNode&);
  OptionNode& operator=(OptionNode&&) noexcept;
  ~OptionNode();

  const Data& data() const { return data_; }
  Data& data() { return data_; }
  const bool* as_bool() const { return std::get_if<bool>(&data_); }
  const std::int64_t* as_int() const { return std::get_if<std::int64_t>(&data_); }
  const double* as_float() const { return std::get_if<double>(&data_); }
  const std::string* as_string() const { return std::get_if<std::string>(&data_); }
  const Secret* as_secret() const { return std::get_if<Secret>(&data_); }
  const OptionList* as_list() const { return std::get_if<OptionList>(&data_); }
  const OptionTable* as_table() const { return std::get_if<OptionTable>(&data_); }

  /// The member of a table, or null.
  const OptionNode* find(std::string_view key) const;
  bool operator==(const OptionNode& other) const;

 private:
  Data data_;
};

struct OptionMember {
  std::string key;
  OptionNode value;
  bool operator==(const OptionMember&) const = default;
};

inline OptionNode::OptionNode() = default;
inline OptionNode::OptionNode(Data data) : data_(std::move(data)) {}
inline OptionNode::OptionNode(const OptionNode&) = default;
inline OptionNode::OptionNode(OptionNode&&) noexcept = default;
inline OptionNode& OptionNode::operator=(const OptionNode&) = default;
inline OptionNode& OptionNode::operator=(OptionNode&&) noexcept = default;
inline OptionNode::~OptionNode() = default;

inline bool OptionNode::operator==(const OptionNode& other) const {
  return data_ == other.data_;
}

inline const OptionNode* OptionNode::find(std::string_view key) const {
  const OptionTable* table = as_table();
  if (table == nullptr) return nullptr;
  for (const OptionMember& member : *table) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

}  // namespace ronda::plugin
