// SPDX-License-Identifier: Apache-2.0
// Calendar files of rotas that change while they are in use: which are to be read anew, and when. One that has changed is read once
// it stood still between two looks, so that one that is being written is let be. Parses nothing and holds no timer. Decision 0042.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "base/result.hpp"
#include "incident/oncall.hpp"

namespace ronda::people {

class CalendarWatch {
 public:
  static constexpr std::chrono::seconds usual{60}, soon{10};

  struct Ports {
    std::function<Result<std::string>(const std::string& path)> read;
    /// Takes over what the file of that rota says now, or says why not.
    std::function<Status(const Rota& rota, const std::string& bytes)> take;
  };

  explicit CalendarWatch(Ports ports) : ports_(std::move(ports)) {}

  /// At the files of these, which are in use and outlast the call. How long until it is to look again.
  std::chrono::seconds look(std::span<const Rota> rotas);
  /// Others are in use: what was wrong with a file was said of those before.
  void forget() { files_.clear(); }
  /// What is wrong with files that were not taken; empty: nothing.
  std::string trouble() const;

 private:
  struct Facts {
    std::uint64_t device = 0, inode = 0;
    std::int64_t size = -1, changed_ns = 0;  // -1: it is not there
    bool operator==(const Facts&) const = default;
  };
  struct File {
    std::string path;
    Facts facts;
    bool is_read = false;  // as it is by these facts
    std::string trouble;
  };

  static Facts facts_of(const std::string& path);
  bool look(const Rota& rota, File& file);

  Ports ports_;
  std::map<std::string, File, std::less<>> files_;  // by rota
};

}  // namespace ronda::people
