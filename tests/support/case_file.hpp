// SPDX-License-Identifier: Apache-2.0
// Files of cases that need no C++: "=== title" begins a case, "--- name" a section of it; lines up to the
// first case are a comment. What a section means is the test's business.
#pragma once

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace ronda::test {

struct Case {
  std::string title;
  std::vector<std::pair<std::string, std::string>> sections;  // name, text with its last newline

  std::string section(const std::string& name) const {
    for (const auto& [key, text] : sections) {
      if (key == name) return text;
    }
    return {};
  }
};

struct CaseFile {
  std::string head;
  std::vector<Case> cases;
};

inline CaseFile read_cases(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  CaseFile file;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("=== ")) {
      file.cases.push_back({line.substr(4), {}});
    } else if (line.starts_with("--- ") && !file.cases.empty()) {
      file.cases.back().sections.emplace_back(line.substr(4), "");
    } else if (file.cases.empty()) {
      file.head += line + "\n";
    } else if (!file.cases.back().sections.empty()) {
      file.cases.back().sections.back().second += line + "\n";
    }
  }
  return file;
}

inline std::string to_text(const CaseFile& file) {
  std::ostringstream out;
  out << file.head;
  for (const Case& one : file.cases) {
    out << "=== " << one.title << "\n";
    for (const auto& [name, text] : one.sections) out << "--- " << name << "\n" << text;
  }
  return out.str();
}

}  // namespace ronda::test
