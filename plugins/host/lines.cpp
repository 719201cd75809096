// SPDX-License-Identifier: Apache-2.0
#include "lines.hpp"

namespace host {

void LineCutter::feed(std::string_view chunk, const OnLine& on_line) {
  while (!chunk.empty()) {
    const std::size_t newline = chunk.find('\n');
    const bool whole = newline != std::string_view::npos;
    const std::string_view piece = chunk.substr(0, newline);
    chunk.remove_prefix(whole ? newline + 1 : chunk.size());
    if (skipping_) {
      taken_ += piece.size() + (whole ? 1 : 0);
      skipping_ = !whole;
    } else if (whole) {
      take_line(piece, on_line);
      ++taken_;
    } else if (begun_.size() + piece.size() > limit_) {
      take_line(piece, on_line);
      skipping_ = true;
    } else {
      begun_ += piece;
    }
  }
}

void LineCutter::finish(const OnLine& on_line) {
  if (!begun_.empty()) take_line({}, on_line);
}

void LineCutter::take_line(std::string_view end, const OnLine& on_line) {
  taken_ += begun_.size() + end.size();
  if (begun_.empty()) {
    on_line(end.substr(0, limit_));
  } else {
    begun_ += end.substr(0, limit_ - begun_.size());
    on_line(begun_);
    begun_.clear();
  }
}

}  // namespace host
