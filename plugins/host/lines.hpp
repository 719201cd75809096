// SPDX-License-Identifier: Apache-2.0
// Cuts a stream of bytes into whole lines. Pure. A line that is longer than the limit is handed over once,
// cut, and the rest of it is skipped: neither memory nor progress depends on what somebody writes to a log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace host {

using OnLine = std::function<void(std::string_view)>;

class LineCutter {
 public:
  /// `skipping`: the stream begins inside a line that was already handed over.
  LineCutter(std::size_t limit, bool skipping) : limit_(limit), skipping_(skipping) {}

  void feed(std::string_view chunk, const OnLine& on_line);
  /// The stream is over: what is left counts as a line.
  void finish(const OnLine& on_line);

  /// Bytes that need not be fed again; the unfinished line is not among them.
  std::uint64_t taken() const { return taken_; }
  bool skipping() const { return skipping_; }

 private:
  void take_line(std::string_view end, const OnLine& on_line);

  std::size_t limit_;
  bool skipping_;
  std::string begun_;
  std::uint64_t taken_ = 0;
};

}  // namespace host
