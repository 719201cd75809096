// SPDX-License-Identifier: Apache-2.0
#include "runner/plugin_object.hpp"

#include <dlfcn.h>
#include <link.h>

#include <cstring>
#include <exception>

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

#include "plugin/blackbox.hpp"
#include "ronda/version.h"
#include "runner/services.hpp"

namespace ronda::runner {
namespace {

constexpr std::string_view kind_names[] = {RONDA_KIND_CHECK, RONDA_KIND_TASK, RONDA_KIND_NOTIFIER};

/// A kind's table is used only up to the size that the plugin states, and only with its mandatory functions.
template <class Table, class Run>
Status accept(const Table* table, Run Table::*run, std::string_view kind, std::string_view run_name) {
  const std::string where = "kind " + std::string(kind) + ": ";
  if (table == nullptr) return Error(Errc::invalid, where + "the manifest provides it but the plugin's query does not");
  const std::size_t need = offsetof(Table, destroy) + sizeof(table->destroy);
  if (table->size < need || table->size > 4096) {
    return Error(Errc::invalid, where + "its table says size " + std::to_string(table->size) + ", at least " +
                                    std::to_string(need) + " is needed; rebuild the plugin with this SDK");
  }
  if (table->create == nullptr) return Error(Errc::invalid, where + "member create is NULL");
  if (table->*run == nullptr) return Error(Errc::invalid, where + "member " + std::string(run_name) + " is NULL");
  if (table->destroy == nullptr) return Error(Errc::invalid, where + "member destroy is NULL");
  return done();
}

std::string text_of(const ronda_error& error, std::string_view fallback) {
  const std::size_t length = ::strnlen(error.msg, sizeof error.msg);
  return length == 0 ? std::string(fallback) : std::string(error.msg, length);
}

/// A debugger opens a loaded object by the name in the link map; /proc/self/fd would be its own.
void name_for_debuggers(void* handle, const std::string& path) {
  link_map* map = nullptr;
  if (path.empty() || ::dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) return;
  map->l_name = ::strdup(path.c_str());
}

}  // namespace

struct PluginObject::Library {
  boost::dll::shared_library object;
};

PluginObject::~PluginObject() { static_cast<void>(library_.release()); }  // exit is the only unload

void PluginObject::shut_down() {
  if (plugin_->shutdown != nullptr) plugin_->shutdown();
}

Result<std::unique_ptr<PluginObject>> PluginObject::load(const wire::Setup& setup, Link& link) {
  std::unique_ptr<PluginObject> plugin(new PluginObject);
  plugin->library_ = std::make_unique<Library>();
  ronda_plugin_entry_fn entry = nullptr;
  try {
    using boost::dll::load_mode::type;
    const std::string path = "/proc/self/fd/" + std::to_string(plugin::runner_plugin_fd);
    plugin->library_->object.load(path, type::rtld_now | type::rtld_local);
    name_for_debuggers(plugin->library_->object.native(), setup.exec_path);
    entry = plugin->library_->object.get<const ronda_plugin*(const ronda_host*, ronda_error*)>(RONDA_ENTRY_SYMBOL);
  } catch (const std::exception& e) {
    return Error(Errc::invalid, std::string("it does not load: ") + e.what());
  } catch (...) {
    return Error(Errc::invalid, "it does not load: a static constructor threw");
  }
  RONDA_TRY([[maybe_unused]] auto entered, plugin->enter(setup, link, entry));
  RONDA_TRY([[maybe_unused]] auto found, plugin->find_kinds(setup));
  return plugin;
}

Status PluginObject::enter(const wire::Setup& setup, Link& link, ronda_plugin_entry_fn entry) {
  host_.size = sizeof(ronda_host);
  host_.abi_minor = RONDA_ABI_MINOR;
  host_.query = find_host_service;
  host_.link = &link;
  host_.setup = &setup;
  ronda_error error{sizeof(ronda_error), 0, {}};
  const ronda_plugin* offered = entry(&host_, &error);
  if (offered == nullptr) return Error(Errc::invalid, "its entry refused: " + text_of(error, "no reason given"));
  // what 1.0 had: a plugin of that time is no larger, whatever is appended here later
  constexpr std::size_t needed = offsetof(ronda_plugin, shutdown) + sizeof(ronda_plugin::shutdown);
  if (offered->size < needed || offered->size > 4096 || offered->query == nullptr) {
    return Error(Errc::invalid, "its entry returned a description of size " + std::to_string(offered->size) +
                                    "; rebuild the plugin with this SDK");
  }
  if (offered->abi_minor > RONDA_ABI_MINOR) {
    return Error(Errc::invalid, "it needs SDK 1." + std::to_string(offered->abi_minor) + ", agent has 1." +
                                    std::to_string(RONDA_ABI_MINOR));
  }
  plugin_ = offered;
  return done();
}

Status PluginObject::find_kinds(const wire::Setup& setup) {
  for (const wire::Kind kind : setup.kinds) {
    const std::string_view name = kind_names[static_cast<std::size_t>(kind)];
    const void* table = plugin_->query(name.data());
    Status accepted = done();
    if (kind == wire::Kind::check) {
      accepted = accept(check_ = static_cast<const ronda_check_1*>(table), &ronda_check_1::run, name, "run");
    } else if (kind == wire::Kind::task) {
      accepted = accept(task_ = static_cast<const ronda_task_1*>(table), &ronda_task_1::run, name, "run");
    } else {
      accepted = accept(notifier_ = static_cast<const ronda_notifier_1*>(table), &ronda_notifier_1::deliver, name, "deliver");
    }
    if (!accepted) return accepted;
  }
  return done();
}

/// The same function without its promise: a plugin that breaks it is reported, not std::terminate.
template <class R, class... A>
auto unpromised(R (*function)(A...) noexcept) -> R (*)(A...) {
  R (*volatile plain)(A...) = function;
  return plain;
}

std::int32_t PluginObject::create(const Instance& instance, void** self, ronda_error& error) {
  const std::lock_guard lock(lifecycle_);
  const ronda_str procedure{instance.spec().procedure().data(), instance.spec().procedure().size()};
  switch (instance.spec().kind) {
    case wire::Kind::check: return check_ ? unpromised(check_->create)(&instance, procedure, self, &error) : RONDA_E_NOTFOUND;
    case wire::Kind::task: return task_ ? unpromised(task_->create)(&instance, procedure, self, &error) : RONDA_E_NOTFOUND;
    case wire::Kind::notifier: return notifier_ ? unpromised(notifier_->create)(&instance, procedure, self, &error) : RONDA_E_NOTFOUND;
  }
  return RONDA_E_INTERNAL;
}

std::int32_t PluginObject::run(wire::Kind kind, void* self, const ronda_call& call, const ronda_message* message,
                               ronda_error& error) const {
  switch (kind) {
    case wire::Kind::check: return unpromised(check_->run)(self, &call, &error);
    case wire::Kind::task: return unpromised(task_->run)(self, &call, &error);
    case wire::Kind::notifier: return unpromised(notifier_->deliver)(self, &call, message, &error);
  }
  return RONDA_E_INTERNAL;
}

void PluginObject::cancel(wire::Kind kind, void* self, const ronda_call& call) const {
  const auto cancel = kind == wire::Kind::check  ? check_->cancel
                      : kind == wire::Kind::task ? task_->cancel
                                                 : notifier_->cancel;
  if (cancel != nullptr) unpromised(cancel)(self, &call);
}

std::int32_t PluginObject::migrate(wire::Kind kind, void* self, std::uint32_t from, std::uint32_t to, ronda_error& error) {
  const std::lock_guard lock(lifecycle_);
  decltype(ronda_check_1::migrate) hook = nullptr;
  if (kind == wire::Kind::check && RONDA_HAS(check_, migrate)) hook = check_->migrate;
  if (kind == wire::Kind::task && RONDA_HAS(task_, migrate)) hook = task_->migrate;
  return hook == nullptr ? RONDA_E_NOTFOUND : unpromised(hook)(self, from, to, &error);
}

void PluginObject::destroy(wire::Kind kind, void* self) {
  const std::lock_guard lock(lifecycle_);
  if (kind == wire::Kind::check) unpromised(check_->destroy)(self);
  if (kind == wire::Kind::task) unpromised(task_->destroy)(self);
  if (kind == wire::Kind::notifier) unpromised(notifier_->destroy)(self);
}

}  // namespace ronda::runner
