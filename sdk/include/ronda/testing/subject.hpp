// SPDX-License-Identifier: Apache-2.0
// One instance under test, driven through the C border exactly as a runner drives it: from a class in
// this program, make<Disk>(host), or from a plugin file, library("disk.so").create(host, ...).
#pragma once

#include <ronda/plugin.hpp>
#include <ronda/testing/host.hpp>

#include <dirent.h>
#include <dlfcn.h>

namespace ronda::testing {

struct run_options {
  bool dry_run = false;
  ronda::reason reason = ronda::reason::schedule;
  std::optional<wall_time> scheduled = {};
  std::chrono::nanoseconds deadline = std::chrono::seconds(10);  // from the host's now
};

struct message_options {
  std::string id = "m-1", to, title = "title", body = "body", level = "p1", event = "open", incident;
  std::uint32_t attempt = 1;
  testing::fields fields = {};
};

/// Threads of this process.
inline std::size_t thread_count() {
  std::size_t count = 0;
  DIR* tasks = ::opendir("/proc/self/task");
  if (tasks == nullptr) return 0;
  while (const dirent* entry = ::readdir(tasks)) count += entry->d_name[0] != '.';
  ::closedir(tasks);
  return count;
}

class subject {
 public:
  /// `query` is the plugin's; the kind decides which table is used.
  subject(host& h, const void* (*query)(const char*), const char* kind, std::string_view procedure)
      : host_(&h), threads_(thread_count()) {
    std::string_view id = kind;
    const void* table = query(kind);
    if (table == nullptr)
      error_ = text("the plugin has no kind ", kind);
    else if (id == RONDA_KIND_CHECK)
      bind(*static_cast<const ronda_check_1*>(table), procedure);
    else if (id == RONDA_KIND_TASK)
      bind(*static_cast<const ronda_task_1*>(table), procedure);
    else if (id == RONDA_KIND_NOTIFIER)
      bind(*static_cast<const ronda_notifier_1*>(table), procedure);
    else
      error_ = text("no such kind: ", kind);
  }
  ~subject() {
    if (self_ == nullptr) return;
    host_->enter(host::frame::destroy);
    destroy_(self_);
    host_->leave(RONDA_OK, {});
    if (thread_count() > threads_) host_->note("RONDA-P-043: a thread of the plugin's outlived destroy");
  }
  subject(subject&& other) noexcept { *this = std::move(other); }
  subject& operator=(subject&& other) noexcept {
    // all of it: what was here is destroyed by its own table
    std::swap(host_, other.host_), std::swap(self_, other.self_), std::swap(error_, other.error_);
    std::swap(run_, other.run_), std::swap(deliver_, other.deliver_), std::swap(cancel_, other.cancel_);
    std::swap(destroy_, other.destroy_), std::swap(migrate_, other.migrate_);
    std::swap(threads_, other.threads_), std::swap(call_id_, other.call_id_);
    return *this;
  }

  /// False when create failed; error() says why.
  explicit operator bool() const noexcept { return self_ != nullptr; }
  const std::string& error() const noexcept { return error_; }
  /// The object itself; only for one of make<P>().
  template <class P>
  P& as() {
    return *static_cast<P*>(static_cast<instance*>(static_cast<base_of<P>*>(self_)));
  }

  report run(const run_options& how = {}) {
    if (self_ == nullptr || run_ == nullptr) return refused();
    return frame(how, [this](const ronda_call* c, ronda_error* err) { return run_(self_, c, err); });
  }
  report deliver(const message_options& m = {}, const run_options& how = {}) {
    if (self_ == nullptr || deliver_ == nullptr) return refused();
    std::vector<ronda_kv> named;
    for (const auto& [key, data] : m.fields) named.push_back({to_abi(key), to_abi(data)});
    ronda_message raw{sizeof raw,         m.attempt,      to_abi(m.id),    to_abi(m.to),
                      to_abi(m.title),    to_abi(m.body), to_abi(m.level), to_abi(m.event),
                      to_abi(m.incident), named.data(),   named.size()};
    return frame(how, [&](const ronda_call* c, ronda_error* err) { return deliver_(self_, c, &raw, err); });
  }
  /// Cancels what runs, or what runs next; from any thread.
  void cancel() {
    std::lock_guard lock(host_->call_lock());  // the call cannot end between the two
    host_->cancel();
    if (self_ != nullptr && cancel_ != nullptr && call_ != nullptr) cancel_(self_, call_);
  }
  /// RONDA_OK when the state of that version was taken over.
  std::int32_t migrate(std::uint32_t from, std::uint32_t to) {
    if (self_ == nullptr || migrate_ == nullptr) return RONDA_E_NOTFOUND;
    ronda_error err = detail::empty_error();
    host_->enter(host::frame::migrate);
    std::int32_t code = migrate_(self_, from, to, &err);
    host_->leave(code, err.msg);
    error_ = err.msg;
    return code;
  }

 private:
  template <class P>
  using base_of = std::conditional_t<std::is_base_of_v<check, P>, check,
                                     std::conditional_t<std::is_base_of_v<task, P>, task, notifier>>;

  template <class Table>
  void bind(const Table& table, std::string_view procedure) {
    if constexpr (std::is_same_v<Table, ronda_notifier_1>)
      deliver_ = table.deliver;
    else
      run_ = table.run, migrate_ = table.migrate;
    cancel_ = table.cancel, destroy_ = table.destroy;
    ronda_error err = detail::empty_error();
    host_->enter(host::frame::create);
    std::int32_t code = table.create(host_->inst(), to_abi(procedure), &self_, &err);
    host_->leave(code, err.msg);
    error_ = err.msg;
    if (code != RONDA_OK) self_ = nullptr;
    if (code != RONDA_OK && error_.empty()) error_ = code_text(code);
  }

  void set_call(const ronda_call* now) {
    std::lock_guard lock(host_->call_lock());
    call_ = now;
  }

  report refused() const {
    report r;
    r.code = RONDA_E_NOTFOUND;
    r.error = r.summary = error_.empty() ? "this kind has no such function" : error_;
    return r;
  }

  template <class Work>
  report frame(const run_options& how, Work&& work) {
    ronda_call raw{};
    raw.size = sizeof raw;
    raw.flags = how.dry_run ? RONDA_CALL_DRY_RUN : 0;
    raw.id = ++call_id_;
    raw.deadline_mono_ns = host_->mono_ns() + static_cast<std::uint64_t>(how.deadline.count());
    raw.cancel_fd = host_->cancel_fd();
    raw.reason = static_cast<std::uint32_t>(how.reason);
    raw.scheduled_wall_ns = how.scheduled ? how.scheduled->time_since_epoch().count() : 0;
    ronda_error err = detail::empty_error();
    host_->enter(host::frame::call, &raw);
    set_call(&raw);
    std::int32_t code = work(&raw, &err);
    set_call(nullptr);
    host_->uncancel();
    return host_->leave(code, err.msg);
  }

  host* host_ = nullptr;
  void* self_ = nullptr;
  const ronda_call* call_ = nullptr;
  decltype(ronda_check_1::run) run_ = nullptr;
  decltype(ronda_notifier_1::deliver) deliver_ = nullptr;
  decltype(ronda_check_1::cancel) cancel_ = nullptr;
  decltype(ronda_check_1::destroy) destroy_ = nullptr;
  decltype(ronda_check_1::migrate) migrate_ = nullptr;
  std::string error_;
  std::size_t threads_ = 0;
  std::uint64_t call_id_ = 0;
};

/// An instance of a class of this program.
template <class P>
subject make(host& h, std::string_view procedure = detail::procedure_of<P>::name) {
  const char* kind = std::is_base_of_v<check, P>  ? RONDA_KIND_CHECK
                     : std::is_base_of_v<task, P> ? RONDA_KIND_TASK
                                                  : RONDA_KIND_NOTIFIER;
  return subject(h, detail::plugin_of<P>::query, kind, procedure);
}

/// A plugin file, loaded into this process. It stays loaded: as in a runner, the end of the process unloads.
class library {
 public:
  explicit library(const std::string& path) {
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) throw std::runtime_error(::dlerror());
    auto entry = reinterpret_cast<ronda_plugin_entry_fn>(::dlsym(handle, RONDA_ENTRY_SYMBOL));
    if (entry == nullptr) throw std::runtime_error(text(path, ": does not export ", RONDA_ENTRY_SYMBOL));
    static constexpr ronda_host host_side{sizeof host_side, RONDA_ABI_MINOR, no_service};
    ronda_error err = detail::empty_error();
    plugin_ = entry(&host_side, &err);
    if (plugin_ == nullptr) throw std::runtime_error(text(path, ": ", err.msg));
  }
  subject create(host& h, const char* kind, std::string_view procedure) const {
    return subject(h, plugin_->query, kind, procedure);
  }
  const ronda_plugin& plugin() const noexcept { return *plugin_; }

 private:
  static const void* no_service(const ronda_host*, const char*) noexcept { return nullptr; }
  const ronda_plugin* plugin_;
};

}  // namespace ronda::testing
