// SPDX-License-Identifier: Apache-2.0
// The one plugin of this process: opened, entered, asked for its kinds. Never unloaded but by exit.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/result.hpp"
#include "plugin/messages.hpp"
#include "runner/instance.hpp"
#include "ronda/abi.h"

namespace ronda::runner {

class PluginObject {
 public:
  /// Loads from the staged descriptor; the setup's grants and facts must outlive it.
  static Result<std::unique_ptr<PluginObject>> load(const wire::Setup& setup, Link& link);
  ~PluginObject();
  /// The plugin's own shutdown, when no instance is left. Once.
  void shut_down();

  std::int32_t create(const Instance& instance, void** self, ronda_error& error);
  std::int32_t run(wire::Kind kind, void* self, const ronda_call& call, const ronda_message* message, ronda_error& error) const;
  void cancel(wire::Kind kind, void* self, const ronda_call& call) const;
  void destroy(wire::Kind kind, void* self);
  /// RONDA_E_NOTFOUND: the plugin takes no older state over.
  std::int32_t migrate(wire::Kind kind, void* self, std::uint32_t from, std::uint32_t to, ronda_error& error);
  std::int64_t abi_minor() const { return plugin_->abi_minor; }

 private:
  PluginObject() = default;
  Status enter(const wire::Setup& setup, Link& link, ronda_plugin_entry_fn entry);
  Status find_kinds(const wire::Setup& setup);

  struct Library;
  std::unique_ptr<Library> library_;
  HostSide host_{};
  const ronda_plugin* plugin_ = nullptr;
  const ronda_check_1* check_ = nullptr;
  const ronda_task_1* task_ = nullptr;
  const ronda_notifier_1* notifier_ = nullptr;
  std::mutex lifecycle_;  // entry, create, destroy and shutdown are serialised for the whole plugin
};

}  // namespace ronda::runner
