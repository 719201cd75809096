// SPDX-License-Identifier: Apache-2.0
// How a crash names its culprit: the call of the thread that crashed, called exit or threw past its border is
// written to the blackbox, from a signal handler on a stack of its own.
#pragma once

#include <cstdint>
#include <string_view>

#include "plugin/blackbox.hpp"

namespace ronda::runner {

/// Handlers for the fatal signals, std::terminate and exit. Once, before the plugin is loaded.
/// The plugin's module is called by its id; its file has the name of a hash.
void install_crash_handlers(plugin::Blackbox& blackbox, std::string_view plugin_id, std::string_view plugin_path);

/// What the calling thread is doing from here on; 0: nothing of a plugin's.
void enter_call(std::uint64_t call_id);

/// Ends this process as a runner that has nothing more to do: nobody is to blame. No exit handler runs.
[[noreturn]] void leave_in_peace(int status);

/// The alternate signal stack of a thread, so that a stack overflow can be told.
class CrashStack {
 public:
  CrashStack();
  ~CrashStack();
  CrashStack(const CrashStack&) = delete;
  CrashStack& operator=(const CrashStack&) = delete;

 private:
  void* memory_ = nullptr;
};

}  // namespace ronda::runner
