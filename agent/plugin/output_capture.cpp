// SPDX-License-Identifier: Apache-2.0
#include "plugin/output_capture.hpp"

#include "base/text.hpp"

namespace ronda::plugin {

void OutputCapture::end_line(const std::function<void(std::string_view)>& line) {
  if (!partial_.empty()) line(escape_controls(partial_));
  partial_.clear();
}

void OutputCapture::tell_dropped(const std::function<void(std::string_view)>& line) {
  if (dropped_ > 0) line("(" + std::to_string(dropped_) + " bytes of output dropped)");
  dropped_ = 0;
}

void OutputCapture::end(const std::function<void(std::string_view)>& line) {
  end_line(line);
  tell_dropped(line);
}

void OutputCapture::feed(std::string_view bytes, Mono now, const std::function<void(std::string_view)>& line) {
  if (now - minute_start_ >= std::chrono::minutes(1)) {
    tell_dropped(line);
    minute_start_ = now;
    minute_bytes_ = 0;
  }
  const std::size_t room = bytes_per_minute - std::min(bytes_per_minute, minute_bytes_);
  dropped_ += bytes.size() - std::min(room, bytes.size());
  bytes = bytes.substr(0, room);
  minute_bytes_ += bytes.size();
  for (const char c : bytes) {
    if (c != '\n') partial_ += c;
    if (c == '\n' || partial_.size() >= longest_line) end_line(line);
  }
}

}  // namespace ronda::plugin
