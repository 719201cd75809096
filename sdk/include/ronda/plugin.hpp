// SPDX-License-Identifier: Apache-2.0
// The C++17 glue of the plugin SDK, header only: derive from check, task or notifier, read the config in
// member initialisers, and name the classes once in RONDA_PLUGIN(...).
// No exception leaves a plugin through it, nothing of C++ crosses the border, and it needs no library.
#pragma once

#include <ronda/version.h>
#include <ronda/services.hpp>

#include <memory>
#include <new>

namespace ronda {

/// What every instance has. Created and destroyed by the host; never copied.
class instance {
 public:
  instance(const instance&) = delete;
  instance& operator=(const instance&) = delete;
  virtual ~instance() = default;

  /// [any], during a call: may only set an atomic flag or write a descriptor. Most need none of it:
  /// they poll call::cancel_fd().
  virtual void cancel() noexcept {}
  /// State kept by an older state_version of the manifest is handed to this one; rewrite it through kv().
  /// False, or not overridden: it cannot be used, and the host keeps the old code.
  virtual bool migrate(std::uint32_t /*from*/, std::uint32_t /*to*/) { return false; }

 protected:
  instance() : inst_(&detail::creating_or_throw("a check, task or notifier")) {}

  value config() const { return detail::config_of(*inst_); }
  log_service log() const noexcept { return log_service(inst_); }
  kv_service kv() const noexcept { return kv_service(inst_); }
  exec_service exec() const noexcept { return exec_service(inst_); }
  inbox_service inbox() const noexcept { return inbox_service(inst_); }
  calendar_service calendar() const noexcept { return calendar_service(inst_); }
  clock_service clock() const noexcept { return clock_service(inst_); }
  facts_service facts() const noexcept { return facts_service(inst_); }
  /// A value of type secret, read anew at each open; only during a call.
  secret_view secret(std::string_view key) const { return secret(config()[key]); }
  secret_view secret(const value& option) const noexcept { return secret_view(inst_, option.handle()); }

 private:
  friend struct glue;
  const ronda_inst* inst_;
};

/// Measures and judges. run() is never called twice at once for one instance.
class check : public instance {
 public:
  virtual result run(call& c) = 0;
};

/// Changes something, or says in a dry run (c.dry_run()) what it would change.
class task : public instance {
 public:
  virtual task_result run(call& c) = 0;
};

/// What a notifier hands over. Borrowed until deliver() returns.
class message {
 public:
  explicit message(const ronda_message* raw) noexcept : raw_(raw) {}
  std::uint32_t attempt() const noexcept { return raw_->attempt; }     // from 1
  std::string_view id() const noexcept { return from_abi(raw_->id); }  // the same in all attempts
  std::string_view to() const noexcept { return from_abi(raw_->to); }  // may be empty
  std::string_view title() const noexcept { return from_abi(raw_->title); }
  std::string_view body() const noexcept { return from_abi(raw_->body); }
  std::string_view level() const noexcept { return from_abi(raw_->level); }        // "p1".."p4"
  std::string_view event() const noexcept { return from_abi(raw_->event); }        // open update resolve test
  std::string_view incident() const noexcept { return from_abi(raw_->incident); }  // may be empty

  std::size_t field_count() const noexcept {
    return raw_->fields == nullptr ? 0 : static_cast<std::size_t>(raw_->field_count);
  }
  std::pair<std::string_view, std::string_view> field(std::size_t i) const noexcept {
    return {from_abi(raw_->fields[i].key), from_abi(raw_->fields[i].value)};
  }
  /// Empty when there is none of that name.
  std::string_view field(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < field_count(); ++i)
      if (field(i).first == name) return field(i).second;
    return {};
  }

 private:
  const ronda_message* raw_;
};

/// Hands a message over; idempotent by message id: a second attempt may follow a success.
class notifier : public instance {
 public:
  virtual delivery deliver(call& c, const message& m) = 0;
};

/// From the C border to the classes: every function is noexcept and catches everything.
struct glue {
  static std::int32_t fail(ronda_error* err, std::int32_t code, std::string_view why) noexcept {
    if (err == nullptr || err->size <= offsetof(ronda_error, msg)) return code;
    std::size_t room = err->size - offsetof(ronda_error, msg);
    if (room > sizeof err->msg) room = sizeof err->msg;
    std::size_t length = why.size() < room - 1 ? why.size() : room - 1;
    why.copy(err->msg, length);
    err->msg[length] = '\0';
    err->code = code;
    return code;
  }

  template <class Work>
  static std::int32_t guarded(ronda_error* err, Work&& work) noexcept {
    try {
      return work();
    } catch (const std::exception& e) {
      return fail(err, RONDA_E_INTERNAL, e.what());
    } catch (...) {
      return fail(err, RONDA_E_INTERNAL, "an exception that is not a std::exception");
    }
  }

  template <class Table>
  static const Table* service(const ronda_inst* inst, const char* id) noexcept {
    return static_cast<const Table*>(inst->query(inst, id));
  }

  template <class Status>
  static std::int32_t report(const ronda_inst* inst, const ronda_call* raw, const ronda_emit_1* emit,
                             const basic_result<Status>& r, ronda_error* err) {
    if (emit == nullptr) return fail(err, RONDA_E_DENIED, "the host has no ronda.emit/1");
    ronda_result out{};
    out.size = sizeof out;
    out.status = static_cast<std::int32_t>(r.status);
    out.summary = to_abi(r.summary);
    out.detail = to_abi(r.detail);
    out.again_at_wall_ns = r.again_at.time_since_epoch().count();
    if (r.again_after.count() > 0)
      out.again_at_wall_ns = (clock_service(inst).wall() + r.again_after).time_since_epoch().count();
    return emit->result(inst, raw, &out);
  }

  /// Builds the call, lets `work` make a result of it, and reports that.
  template <class Work>
  static std::int32_t run(const instance& self, const ronda_call* raw, ronda_error* err,
                          Work&& work) noexcept {
    return guarded(err, [&] {
      const ronda_inst* inst = self.inst_;
      const auto* emit = service<ronda_emit_1>(inst, RONDA_SERVICE_EMIT);
      call c(inst, raw, emit, service<ronda_clock_1>(inst, RONDA_SERVICE_CLOCK));
      return report(inst, raw, emit, work(c), err);
    });
  }

  static std::int32_t run_check(void* self, const ronda_call* raw, ronda_error* err) noexcept {
    auto* p = static_cast<check*>(self);
    return run(*p, raw, err, [p](call& c) { return p->run(c); });
  }
  static std::int32_t run_task(void* self, const ronda_call* raw, ronda_error* err) noexcept {
    auto* p = static_cast<task*>(self);
    return run(*p, raw, err, [p](call& c) { return p->run(c); });
  }
  static std::int32_t deliver(void* self, const ronda_call* raw, const ronda_message* m,
                              ronda_error* err) noexcept {
    auto* p = static_cast<notifier*>(self);
    return run(*p, raw, err, [p, m](call& c) { return p->deliver(c, message(m)); });
  }

  template <class Kind>
  static void cancel(void* self, const ronda_call*) noexcept {
    static_cast<Kind*>(self)->cancel();
  }
  template <class Kind>
  static void destroy(void* self) noexcept {
    guarded(nullptr, [self] { return delete static_cast<Kind*>(self), RONDA_OK; });
  }
  template <class Kind>
  static std::int32_t migrate(void* self, std::uint32_t from, std::uint32_t to, ronda_error* err) noexcept {
    return guarded(err, [=] {
      if (static_cast<Kind*>(self)->migrate(from, to)) return RONDA_OK;
      return fail(err, RONDA_E_INVALID, text("state of version ", from, " cannot be used by version ", to));
    });
  }
};

namespace detail {

template <class P, class = void>
struct procedure_of {
  static constexpr std::string_view name = {};
};
template <class P>
struct procedure_of<P, std::void_t<decltype(P::procedure)>> {
  static constexpr std::string_view name = P::procedure;
};

/// Marks an instance as being created on this thread, until the end of the scope.
struct creating_scope {
  explicit creating_scope(const ronda_inst* inst) noexcept { creating() = inst; }
  ~creating_scope() { creating() = nullptr; }
};

/// One plugin's classes, seen from one kind.
template <class Kind, class... Procedures>
struct procedures {
  static constexpr bool any = (std::is_base_of_v<Kind, Procedures> || ...);

  template <class P>
  static bool try_create(std::string_view name, Kind** made) {
    if constexpr (std::is_base_of_v<Kind, P>) {
      if (!procedure_of<P>::name.empty() && procedure_of<P>::name != name) return false;
      *made = new P();
      return true;
    } else {
      return false;
    }
  }

  static std::int32_t create(const ronda_inst* inst, ronda_str procedure, void** self,
                             ronda_error* err) noexcept {
    return glue::guarded(err, [&] {
      *self = nullptr;
      creating_scope scope(inst);
      Kind* made = nullptr;
      if ((try_create<Procedures>(from_abi(procedure), &made) || ...)) return *self = made, RONDA_OK;
      return glue::fail(err, RONDA_E_NOTFOUND,
                        text("the code has no procedure '", from_abi(procedure), "' of this kind"));
    });
  }
};

template <class... Procedures>
struct plugin_of {
  template <class P>
  static constexpr bool one_kind =
      std::is_base_of_v<check, P> + std::is_base_of_v<task, P> + std::is_base_of_v<notifier, P> == 1;
  static_assert((one_kind<Procedures> && ...),
                "each class of RONDA_PLUGIN derives from exactly one of ronda::check, task, notifier");
  using checks = procedures<check, Procedures...>;
  using tasks = procedures<task, Procedures...>;
  using notifiers = procedures<notifier, Procedures...>;

  static const void* query(const char* kind) noexcept {
    static constexpr ronda_check_1 check_table{
        sizeof(ronda_check_1), 0, checks::create, glue::run_check, glue::cancel<check>, glue::destroy<check>,
        glue::migrate<check>};
    static constexpr ronda_task_1 task_table{
        sizeof(ronda_task_1), 0, tasks::create, glue::run_task, glue::cancel<task>, glue::destroy<task>,
        glue::migrate<task>};
    static constexpr ronda_notifier_1 notifier_table{sizeof(ronda_notifier_1), 0,
                                                     notifiers::create,        glue::deliver,
                                                     glue::cancel<notifier>,   glue::destroy<notifier>};
    std::string_view id = kind == nullptr ? "" : kind;
    if (checks::any && id == RONDA_KIND_CHECK) return &check_table;
    if (tasks::any && id == RONDA_KIND_TASK) return &task_table;
    if (notifiers::any && id == RONDA_KIND_NOTIFIER) return &notifier_table;
    return nullptr;
  }

  static const ronda_plugin* entry(const ronda_host* host, ronda_error* err) noexcept {
    static constexpr ronda_plugin plugin{sizeof(ronda_plugin), RONDA_TARGET_MINOR, query, nullptr};
    if (host != nullptr && host->abi_minor >= RONDA_TARGET_MINOR) return &plugin;
    glue::fail(err, RONDA_E_INVALID, "the host is older than this plugin needs");
    return nullptr;
  }
};

}  // namespace detail
}  // namespace ronda

/// The plugin's one export. RONDA_PLUGIN(Disk) or RONDA_PLUGIN(Request, Scenario, Notify): a class with
/// `static constexpr std::string_view procedure = "http.request";` serves that procedure, one without
/// serves every name of its kind, so it comes last.
#define RONDA_PLUGIN(...)                                                                         \
  extern "C" __attribute__((visibility("default"))) const ronda_plugin* ronda_plugin_entry_1(     \
      const ronda_host* host, ronda_error* err);                                                  \
  extern "C" const ronda_plugin* ronda_plugin_entry_1(const ronda_host* host, ronda_error* err) { \
    return ::ronda::detail::plugin_of<__VA_ARGS__>::entry(host, err);                             \
  }
