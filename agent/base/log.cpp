// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <poll.h>
#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/text.hpp"

namespace ronda {
namespace {

constexpr std::size_t queue_lines = 2048;  // each takes 400 bytes, used or not

/// stderr, written to only when it takes something at once: whoever reads it may stop reading for good, and the writer
/// must come to its end all the same. stderr is shared with others, so it is not made non-blocking.
class StderrSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  /// From here on what is not written within a second is given up.
  void end() { give_up_at_ = (monotonic() + std::chrono::seconds(1)).count(); }
  std::uint64_t lost() const { return lost_; }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (!write({line.data(), line.size()})) ++lost_;
  }
  void flush_() override {}

  bool write(std::string_view text) const {
    while (!text.empty()) {
      if (!await()) return false;
      // what poll promises room for
      const ssize_t size = ::write(STDERR_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
      if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (size <= 0) return false;  // nobody is there to read it any more, or its disk is full
      text.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }

  bool await() const {
    constexpr int look_again_ms = 100;
    pollfd room{STDERR_FILENO, POLLOUT, 0};
    while (monotonic().count() < give_up_at_) {
      if (::poll(&room, 1, look_again_ms) > 0) return true;
    }
    return false;
  }

  std::atomic<std::int64_t> give_up_at_ = INT64_MAX;
  std::atomic<std::uint64_t> lost_ = 0;
};

// The log is reached from everywhere and belongs to nobody: the one global of the agent, behind three functions.
std::shared_ptr<spdlog::details::thread_pool> writer;
std::shared_ptr<StderrSink> sink;
std::shared_ptr<spdlog::async_logger> logger;

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

void start_log(LogLevel level) {
  writer = std::make_shared<spdlog::details::thread_pool>(queue_lines, 1);
  sink = std::make_shared<StderrSink>();
  logger = std::make_shared<spdlog::async_logger>("ronda", sink, writer, spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(level_of(level));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  logger->flush_on(spdlog::level::warn);
}

void log(LogLevel level, std::string_view text) {
  if (logger == nullptr || !logger->should_log(level_of(level))) return;
  const std::string line = escape_controls(text);  // names and text of plugins come from outside
  logger->log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
}

std::uint64_t dropped_log_lines() {
  return writer == nullptr ? 0 : writer->overrun_counter() + sink->lost();
}

void stop_log() {
  if (sink != nullptr) sink->end();
  logger.reset();
  writer.reset();  // waits for its thread, and that for the sink
  sink.reset();
}

}  // namespace ronda
