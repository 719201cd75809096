// SPDX-License-Identifier: Apache-2.0
// One row of silences and upkeep as the store has it, a JSON object read member by member. What is stored was written here, but
// a disk may be damaged and a row edited: everything is bounded and of its type, or the row is refused with what is wrong.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "incident/event.hpp"

namespace ronda::incident {

/// The first trouble is kept, and of what follows nothing is looked at.
class RowReader {
 public:
  /// `what` is what people read: "silence".
  RowReader(std::string_view what, std::string_view row);

  void text(std::string_view name, std::size_t most, std::string& out);
  /// One that is not empty.
  void some_text(std::string_view name, std::size_t most, std::string& out);
  /// Of a clock, a length or a count: not negative.
  void number(std::string_view name, std::int64_t& out);
  void flag(std::string_view name, bool& out);
  void author(std::string_view name, Author& out);
  /// Each of at most `longest` bytes.
  void texts(std::string_view name, std::size_t most, std::vector<std::string>& out, std::size_t longest = max_name_bytes);
  /// Ids of incidents.
  void ids(std::string_view name, std::set<std::string>& out);
  void numbers(std::string_view name, std::size_t most, std::vector<std::int64_t>& out);
  /// What holds between members, said by the caller.
  void refuse(std::string_view name, std::string_view must);

  /// For what rows of before do not have.
  bool has(std::string_view name) const { return find(name) != nullptr; }
  bool sound() const { return trouble_.empty(); }
  Status end() const;

 private:
  const boost::json::value* find(std::string_view name) const;

  std::string what_;
  boost::json::value value_;
  std::string trouble_;
};

}  // namespace ronda::incident
