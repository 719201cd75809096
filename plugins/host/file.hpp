// SPDX-License-Identifier: Apache-2.0
// host.file: age, size, mode, owner and content of a file, against what conf.d says or against a baseline
// that is taken once and kept. It reads the file and never changes it; it never runs or interprets what it
// reads.
#pragma once

#include <ronda/plugin.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "file_facts.hpp"

struct stat;

namespace host {

class File : public ronda::check {
 public:
  File();
  static constexpr std::string_view procedure = "host.file";
  ronda::result run(ronda::call& c) override;

 private:
  ronda::result gone(int error);
  void hash(ronda::call& c, const struct stat& info, FileFacts& facts);
  void judge_drift(const FileFacts& facts, Verdict& verdict);

  const std::string path_ = ronda::cfg<std::string>("path");
  const std::string baseline_ = ronda::cfg<std::optional<std::string>>("baseline").value_or("");
  const ronda::status missing_;
  FileWishes wishes_;
};

}  // namespace host
