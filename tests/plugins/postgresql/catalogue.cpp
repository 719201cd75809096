// SPDX-License-Identifier: Apache-2.0
#include "catalogue.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace ronda::test {
namespace {

const std::set<std::string, std::less<>> keywords = {
    "select", "from",  "where", "group", "by",   "order", "limit",   "as",    "on",    "join", "left",  "cross",
    "and",    "or",    "not",   "in",    "is",   "null",  "case",    "when",  "then",  "else", "end",   "desc",
    "exists", "true",  "false", "with",  "over", "nulls", "last",    "lateral", "filter", "epoch", "distinct", "like"};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Words in lower case, '::', and single characters; literals and numbers are left out.
std::vector<std::string> tokens(std::string_view sql) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < sql.size();) {
    if (sql[at] == '\'') {
      at = sql.find('\'', at + 1) + 1;
    } else if (std::isdigit(static_cast<unsigned char>(sql[at])) != 0) {
      while (at < sql.size() && is_word(sql[at])) ++at;
    } else if (is_word(sql[at])) {
      std::string word;
      while (at < sql.size() && is_word(sql[at]))
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(sql[at++])));
      all.push_back(word);
    } else if (sql.substr(at, 2) == "::") {
      all.emplace_back("::");
      at += 2;
    } else {
      if (std::isspace(static_cast<unsigned char>(sql[at])) == 0) all.emplace_back(1, sql[at]);
      ++at;
    }
  }
  return all;
}

class Statement {
 public:
  Statement(std::string_view sql, const Relations& catalogue) : words_(tokens(sql)), catalogue_(catalogue) {
    skip_.resize(words_.size());
    mark_extract();
    bind_aliases();
    check_names();
  }
  std::vector<std::string> found() && { return std::move(found_); }

 private:
  const std::string& at(std::size_t i) const {
    static const std::string none;
    return i < words_.size() ? words_[i] : none;
  }
  static bool is_name(const std::string& word) {
    return !word.empty() && is_word(word[0]) && keywords.count(word) == 0;
  }
  std::size_t past_parentheses(std::size_t i) const {
    int depth = 0;
    do {
      if (at(i) == "(") ++depth;
      if (at(i) == ")") --depth;
      ++i;
    } while (depth > 0 && i < words_.size());
    return i;
  }

  /// In extract(epoch FROM x) no relation follows FROM.
  void mark_extract() {
    for (std::size_t i = 0; i < words_.size(); ++i)
      if (at(i) == "extract" && at(i + 3) == "from") skip_[i + 3] = true;
  }

  void bind_aliases() {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      // name AS (SELECT ...), and (...) AS name or name(column, ...)
      if (at(i) == "as" && at(i + 1) == "(") derived(i - 1);
      if (at(i) == ")" && at(i + 1) == "as") derived(i + 2);
    }
    for (std::size_t i = 0; i < words_.size(); ++i)
      if ((at(i) == "from" || at(i) == "join" || at(i) == "lateral") && !skip_[i] && is_name(at(i + 1))) bind(i + 1);
  }

  void derived(std::size_t i) {
    aliases_[at(i)] = "";
    skip_[i] = true;
    if (at(i + 1) == "(" && at(i) != "as")
      for (std::size_t j = i + 1; j < past_parentheses(i + 1); ++j) skip_[j] = true;
  }

  void bind(std::size_t i) {
    const std::size_t name = at(i + 1) == "." ? i + 2 : i;
    for (std::size_t j = i; j <= name; ++j) skip_[j] = true;
    const bool function = at(name + 1) == "(";
    const std::size_t as = function ? past_parentheses(name + 1) : name + 1;
    if (at(as) != "as") return found_.push_back(at(name) + " has no alias");
    const std::string& relation = at(name);
    const bool known = catalogue_.count(relation) != 0;
    const bool named_here = aliases_.count(relation) != 0;
    if (!known && !named_here && !function) found_.push_back("no relation " + relation);
    if (function && !has("functions", relation)) found_.push_back("no function " + relation);
    const std::string meaning = known ? relation : "";
    const auto [place, fresh] = aliases_.emplace(at(as + 1), meaning);
    if (!fresh && !known && !function) place->second = "";
    else if (!fresh && known && !place->second.empty() && place->second != meaning)
      found_.push_back("alias " + at(as + 1) + " means two relations");
    else if (known) place->second = meaning;
  }

  bool has(std::string_view relation, const std::string& column) const {
    const auto columns = catalogue_.find(relation);
    return columns != catalogue_.end() &&
           std::find(columns->second.begin(), columns->second.end(), column) != columns->second.end();
  }

  void check_names() {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if (!is_name(at(i)) || skip_[i]) continue;
      const std::string before = i == 0 ? "" : at(i - 1);
      if (before == "as" || before == "::") continue;
      if (before == ".") check_column(at(i - 2), at(i));
      else if (at(i + 1) == "(") {
        if (!has("functions", at(i))) found_.push_back("no function " + at(i));
      } else if (at(i + 1) != ".") {
        found_.push_back("unqualified name: " + at(i));
      }
    }
  }

  void check_column(const std::string& alias, const std::string& column) {
    const auto relation = aliases_.find(alias);
    if (relation == aliases_.end()) return found_.push_back("no alias " + alias);
    if (!relation->second.empty() && !has(relation->second, column))
      found_.push_back(relation->second + " has no column " + column);
  }

  std::vector<std::string> words_;
  const Relations& catalogue_;
  std::vector<bool> skip_;
  std::map<std::string, std::string> aliases_;  // to a relation; "" is a sub-select or a function
  std::vector<std::string> found_;
};

}  // namespace

Relations read_catalogue(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  Relations relations;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream rest(line.substr(line.find(':') + 1));
    auto& columns = relations[line.substr(0, line.find(':'))];
    for (std::string column; rest >> column;) columns.push_back(column);
  }
  return relations;
}

std::vector<std::string> strangers(std::string_view sql, const Relations& catalogue) {
  return Statement(sql, catalogue).found();
}

}  // namespace ronda::test
