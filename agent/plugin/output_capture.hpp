// SPDX-License-Identifier: Apache-2.0
// What a plugin writes to stdout and stderr, cut into log lines: bounded in length and in rate, never protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "plugin/runner_life.hpp"

namespace ronda::plugin {

class OutputCapture {
 public:
  static constexpr std::size_t bytes_per_minute = 64 << 10;
  static constexpr std::size_t longest_line = 8 << 10;

  /// Calls line(text) for each whole line within the rate; what is beyond is counted and told once a minute.
  void feed(std::string_view bytes, Mono now, const std::function<void(std::string_view)>& line);
  /// Nothing more comes: tells the unfinished line and what was dropped.
  void end(const std::function<void(std::string_view)>& line);

 private:
  void tell_dropped(const std::function<void(std::string_view)>& line);
  void end_line(const std::function<void(std::string_view)>& line);

  std::string partial_;
  Mono minute_start_{0};
  std::size_t minute_bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace ronda::plugin
