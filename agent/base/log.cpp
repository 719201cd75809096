// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>

#include "base/text.hpp"

namespace ronda {
namespace {

constexpr std::size_t queue_lines = 2048;  // each takes 400 bytes, used or not

// The log is reached from everywhere and belongs to nobody: the one global of the agent, behind three functions.
std::shared_ptr<spdlog::details::thread_pool> writer;
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
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
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
  return writer == nullptr ? 0 : writer->overrun_counter();
}

void stop_log() {
  if (logger != nullptr) logger->flush();
  logger.reset();
  writer.reset();
}

}  // namespace ronda
