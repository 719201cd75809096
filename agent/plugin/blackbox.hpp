// SPDX-License-Identifier: Apache-2.0
// What a runner leaves behind when it dies: one shared page, written by the runner, read by the agent.
// It tells which calls are being executed right now and, after a crash, which call's thread crashed.
// The agent treats every byte as data: a hostile plugin can write here.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace ronda::plugin {

enum class Death : std::uint32_t { none = 0, signal = 1, exit_call = 2, uncaught = 3 };

struct Blackbox {
  static constexpr std::size_t slot_count = 256;
  static constexpr std::size_t left_count = 128;  // more than are told: some are about to end

  std::atomic<std::uint64_t> culprit{0};      // call whose thread crashed or called exit; 0: not known
  std::atomic<std::uint32_t> death{0};        // a Death
  std::atomic<std::int32_t> signal{0};        // of the crash
  std::atomic<std::uint64_t> offset{0};       // of the faulting instruction in its module
  std::array<char, 128> module{};             // NUL-terminated path of that module
  std::atomic<std::int32_t> wait_status{-1};  // of the worker, written by its keeper
  std::atomic<std::uint32_t> phase{0};        // 0 starting, 1 loading, 2 serving
  std::array<std::atomic<std::uint64_t>, slot_count> running{};  // call id by thread; 0: idle
  std::array<std::atomic<std::int32_t>, left_count> left{};      // who stays, written by the keeper of a detached runner; 0: nobody
};

static_assert(sizeof(Blackbox) <= 4096 && std::atomic<std::uint64_t>::is_always_lock_free);

/// The descriptors a runner is started with; it closes the blackbox once it is mapped.
inline constexpr int runner_socket_fd = 3;
inline constexpr int runner_plugin_fd = 4;
inline constexpr int runner_blackbox_fd = 5;

}  // namespace ronda::plugin
