// SPDX-License-Identifier: Apache-2.0
// What a call has opened of its instance's secrets: copies on pages of their own, which are not swapped. They are wiped and given
// back when the plugin closes them, and with the end of the call at the latest (RONDA-P-033): a view that is kept shows nothing.
#pragma once

#include <cstddef>
#include <mutex>
#include <string_view>
#include <vector>

namespace ronda::runner {

class OpenSecrets {
 public:
  OpenSecrets() = default;
  OpenSecrets(const OpenSecrets&) = delete;
  OpenSecrets& operator=(const OpenSecrets&) = delete;
  ~OpenSecrets() { close_all(); }

  /// Where a copy of the bytes is; null when the call is over, or without memory. [any]
  const char* open(std::string_view bytes);
  /// Nothing, unless it is one of them. [any]
  void close(const char* at);
  /// From here on nothing is opened. [any]
  void close_all();

 private:
  struct Copy {
    char* at;
    std::size_t size;
  };
  static void give_back(const Copy& copy);

  std::mutex mutex_;  // a thread of the plugin's own may be in the middle of it when the call ends
  std::vector<Copy> copies_;
  bool over_ = false;
};

}  // namespace ronda::runner
