// SPDX-License-Identifier: Apache-2.0
#include "safe_mode.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace ronda {
namespace {

constexpr auto well_after = std::chrono::seconds(60);  // a life that lasts this long was no crash at the start
constexpr unsigned quick_ends_allowed = 4;

}  // namespace

SafeMode::SafeMode(boost::asio::io_context& loop, const std::string& state_directory, bool asked_for)
    : starts_(state_directory), well_timer_(loop), asked_for_(asked_for) {}

void SafeMode::count_start() {
  if (auto counted = starts_.begin(); !counted) trouble_ = counted.error().message();
}

void SafeMode::judge(store::Store& store) {
  if (!trouble_.empty()) log(LogLevel::warning, "starts are not counted, so none ends in safe mode: " + trouble_);
  if (asked_for_) {
    reason_ = "no task runs by itself, only plugins of the system directory; it was started with --safe-mode";
  } else if (starts_.before() > quick_ends_allowed) {
    reason_ = "no task runs by itself: " + std::to_string(starts_.before()) +
              " times in a row the agent ended by itself within a minute of its start; 'ronda safe-mode leave' ends this";
  }
  if (reason_.empty()) return;
  log(LogLevel::warning, "safe mode: " + reason_);
  store::JournalEvent event;
  event.kind = "agent.safe_mode";
  event.subject = "agent";
  event.wall = wall_clock().count();
  event.data = "{\"quick_ends\": " + std::to_string(starts_.before()) + "}";
  store.append_journal(std::move(event), [](auto) {});
}

void SafeMode::watch() {
  well_timer_.expires_after(well_after);
  well_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    forget_starts();
    if (!asked_for_ && !reason_.empty()) log(LogLevel::info, "well for a minute: the next start is not in safe mode");
  });
}

void SafeMode::leave() {
  if (asked_for_) return;
  reason_.clear();
  forget_starts();
  log(LogLevel::info, "safe mode is over: an operator says so");
}

void SafeMode::end_orderly() {
  if (auto taken = starts_.take_back(); !taken) log(LogLevel::warning, "this start stays counted: " + taken.error().message());
}

void SafeMode::forget_starts() {
  if (auto cleared = starts_.clear(); !cleared) log(LogLevel::warning, "the count of starts stays: " + cleared.error().message());
}

}  // namespace ronda
