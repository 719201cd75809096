/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin boundary of Ronda, ABI major 1. C11 and C++17; includes nothing but stddef and stdint.
 *
 * A plugin exports one function, ronda_plugin_entry_1. It is handed the host and returns its own
 * description; from there on both sides find each other's interfaces by string id ("ronda.log/1").
 * An unknown id answers NULL and breaks nothing.
 *
 * Rules that hold for everything below (sdk/README.md numbers them and says who enforces each):
 *  - Strings are UTF-8, carried as pointer and length; no NUL is promised.
 *  - Pointers passed in are borrowed until the call returns. What the host returns lives until the
 *    current call (run, deliver) or the current create ends. Nothing is ever freed across the border.
 *  - Functions return 0 or a negative RONDA_E_*; text goes to a ronda_error where one is passed.
 *  - Time is int64 or uint64 nanoseconds; wall time counts from 1970-01-01 UTC.
 *  - A struct whose first member is `size` grows by appending; test RONDA_HAS before touching a
 *    member added after 1.0. Structs called frozen never change.
 *  - No exception may leave a plugin.
 *  - [worker]: the runner calls this, serialised for one instance; [any]: from any thread, during a call.
 */
#ifndef RONDA_ABI_H
#define RONDA_ABI_H

#include <stddef.h>
#include <stdint.h>

/* What the host has compiled once for all plugins. Packing, short enums and other sizes of bool or wchar_t change nothing
 * here: there are no enums, and no member needs padding. */
#if UINTPTR_MAX != UINT64_MAX
#error "ronda/abi.h: the agent loads 64-bit plugins only; this target has other pointers (-m32, -mx32)"
#endif
#if defined(__x86_64__) && !defined(__cplusplus) && defined(__GNUC__)
_Static_assert(__builtin_types_compatible_p(void (*)(void), void (__attribute__((sysv_abi)) *)(void)),
               "ronda/abi.h: functions are called by the convention of the platform, without -mabi=ms");
#endif

/* A host that wants to catch what a plugin wrongly throws defines this empty before it includes the
 * header: through a pointer to a noexcept function the compiler may drop the host's catch. */
#ifndef RONDA_NOEXCEPT
#ifdef __cplusplus
#define RONDA_NOEXCEPT noexcept
#else
#define RONDA_NOEXCEPT
#endif
#endif

/* The minor that is aimed at; declarations newer than it are hidden. Give -DRONDA_TARGET_MINOR=n for
 * a plugin that should also load into older agents; the manifest's abi.minor says the same number. */
#ifndef RONDA_TARGET_MINOR
#define RONDA_TARGET_MINOR 0
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* true if the sender's struct is large enough to hold the whole of `field` */
#define RONDA_HAS(p, field) \
  ((p)->size >= offsetof(__typeof__(*(p)), field) + sizeof((p)->field))

typedef struct ronda_str { const char *ptr; uint64_t len; } ronda_str;  /* frozen */
typedef struct ronda_kv { ronda_str key, value; } ronda_kv;             /* frozen */

/* ---- results and errors ------------------------------------------------------------------- */
#define RONDA_OK 0
#define RONDA_E_AGAIN (-1)    /* not now; try later */
#define RONDA_E_TIMEOUT (-2)  /* the deadline passed */
#define RONDA_E_DENIED (-3)   /* the manifest or trust.toml does not grant this */
#define RONDA_E_NOTFOUND (-4)
#define RONDA_E_RANGE (-5)    /* a quota or a size limit */
#define RONDA_E_INVALID (-6)  /* the caller broke a rule */
#define RONDA_E_INTERNAL (-7)

typedef struct ronda_error {  /* the caller owns it, the callee fills it; writes at most `size` bytes */
  uint32_t size;
  int32_t code;
  char msg[504];              /* NUL-terminated */
} ronda_error;

/* ---- the two sides ------------------------------------------------------------------------ */
typedef struct ronda_host {   /* the host side of the whole plugin: ronda.log/1, ronda.facts/1 */
  uint32_t size, abi_minor;   /* abi_minor: what the host has */
  const void *(*query)(const struct ronda_host *host, const char *service_id) RONDA_NOEXCEPT;
} ronda_host;

typedef struct ronda_inst {   /* the host side of ONE instance: every service */
  uint32_t size, abi_minor;
  const void *(*query)(const struct ronda_inst *inst, const char *service_id) RONDA_NOEXCEPT;
} ronda_inst;

#define RONDA_REASON_SCHEDULE 0u /* ronda_call.reason */
#define RONDA_REASON_MANUAL 1u
#define RONDA_REASON_EVENT 2u    /* an inbox event made it due */
#define RONDA_REASON_CATCH_UP 3u /* a slot missed while the agent was down */
#define RONDA_REASON_FIRST 4u    /* soon after start or reload */

#define RONDA_CALL_DRY_RUN 1u    /* ronda_call.flags: a task says what it would do and changes nothing */

typedef struct ronda_call {   /* one run */
  uint32_t size, flags;
  uint64_t id;
  uint64_t deadline_mono_ns;  /* CLOCK_MONOTONIC; be back by then */
  int32_t cancel_fd;          /* readable once the call should end; poll it beside your own descriptors */
  uint32_t reason;
  int64_t scheduled_wall_ns;  /* the slot this run is for; 0 when it has none */
} ronda_call;

typedef struct ronda_plugin { /* static storage of the plugin; valid until the process ends */
  uint32_t size, abi_minor;   /* abi_minor: what the plugin needs */
  const void *(*query)(const char *kind_id) RONDA_NOEXCEPT; /* [worker]; NULL for a kind it lacks */
  void (*shutdown)(void) RONDA_NOEXCEPT;                    /* nullable; [worker]; after the last destroy */
} ronda_plugin;

/* The only export. Called once, before anything else. NULL with `err` filled refuses to load. */
typedef const ronda_plugin *(*ronda_plugin_entry_fn)(const ronda_host *host, ronda_error *err);
/* A plugin defines it as extern "C" with default visibility: everything else stays hidden. */
#define RONDA_ENTRY_SYMBOL "ronda_plugin_entry_1"

/* ---- kinds (plugin -> host) --------------------------------------------------------------- */
/* create, destroy, entry and shutdown are serialised for the whole plugin. run/deliver is never
 * concurrent for one instance and may be for two. cancel may come from another thread during the
 * call; it may only set a flag or write a descriptor. `self` belongs to the plugin. */

#define RONDA_STATUS_OK 0
#define RONDA_STATUS_WARNING 1
#define RONDA_STATUS_CRITICAL 2
#define RONDA_STATUS_UNKNOWN 3

#define RONDA_KIND_CHECK "ronda.check/1"
typedef struct ronda_check_1 {
  uint32_t size, reserved;
  int32_t (*create)(const ronda_inst *inst, ronda_str procedure, void **self, ronda_error *err) RONDA_NOEXCEPT;
  /* reports by ronda.emit/1 result, once; returning an error means UNKNOWN with err's text */
  int32_t (*run)(void *self, const ronda_call *call, ronda_error *err) RONDA_NOEXCEPT;
  void (*cancel)(void *self, const ronda_call *call) RONDA_NOEXCEPT; /* nullable */
  void (*destroy)(void *self) RONDA_NOEXCEPT;
  /* nullable; state kept by an older state_version of the manifest is being handed to this one */
  int32_t (*migrate)(void *self, uint32_t from_version, uint32_t to_version, ronda_error *err) RONDA_NOEXCEPT;
} ronda_check_1;

#define RONDA_TASK_CHANGED 0
#define RONDA_TASK_UNCHANGED 1
#define RONDA_TASK_FAILED 2
#define RONDA_TASK_SKIPPED 3

#define RONDA_KIND_TASK "ronda.task/1"
typedef struct ronda_task_1 { /* as a check; the result's status is RONDA_TASK_* */
  uint32_t size, reserved;
  int32_t (*create)(const ronda_inst *inst, ronda_str procedure, void **self, ronda_error *err) RONDA_NOEXCEPT;
  int32_t (*run)(void *self, const ronda_call *call, ronda_error *err) RONDA_NOEXCEPT;
  void (*cancel)(void *self, const ronda_call *call) RONDA_NOEXCEPT; /* nullable */
  void (*destroy)(void *self) RONDA_NOEXCEPT;
  int32_t (*migrate)(void *self, uint32_t from_version, uint32_t to_version, ronda_error *err) RONDA_NOEXCEPT;
} ronda_task_1;

#define RONDA_DELIVERY_OK 0
#define RONDA_DELIVERY_RETRY 1 /* again_at_wall_ns may say when */
#define RONDA_DELIVERY_DROP 2  /* never will; the text says why */

typedef struct ronda_message {  /* what a notifier hands over */
  uint32_t size, attempt;       /* attempt: from 1 */
  ronda_str id;                 /* the same in all attempts: the idempotency key */
  ronda_str to;                 /* the channel's address; empty when the notifier has its own */
  ronda_str title, body;        /* rendered and escaped for this channel */
  ronda_str level;              /* "p1".."p4" */
  ronda_str event;              /* "open", "update", "resolve", "test" */
  ronda_str incident;           /* incident id; threads on it; empty when there is none */
  const ronda_kv *fields;       /* nullable; the named values the text was made from */
  uint64_t field_count;
} ronda_message;

#define RONDA_KIND_NOTIFIER "ronda.notifier/1"
typedef struct ronda_notifier_1 {
  uint32_t size, reserved;
  int32_t (*create)(const ronda_inst *inst, ronda_str procedure, void **self, ronda_error *err) RONDA_NOEXCEPT;
  /* idempotent by message id; reports by ronda.emit/1 result with RONDA_DELIVERY_* */
  int32_t (*deliver)(void *self, const ronda_call *call, const ronda_message *message, ronda_error *err) RONDA_NOEXCEPT;
  void (*cancel)(void *self, const ronda_call *call) RONDA_NOEXCEPT; /* nullable */
  void (*destroy)(void *self) RONDA_NOEXCEPT;
} ronda_notifier_1;

/* ---- services (host -> plugin) ------------------------------------------------------------ */
/* A service the manifest was not granted answers RONDA_E_DENIED, or NULL from query. */

#define RONDA_LOG_DEBUG 0
#define RONDA_LOG_INFO 1
#define RONDA_LOG_WARNING 2
#define RONDA_LOG_ERROR 3

#define RONDA_SERVICE_LOG "ronda.log/1"
typedef struct ronda_log_1 {  /* [any]; rate-limited per plugin, secrets scrubbed */
  uint32_t size, level;       /* level: lines below it are dropped */
  void (*write)(const void *host_or_inst, uint32_t level, ronda_str text, const ronda_kv *fields,
                uint64_t field_count) RONDA_NOEXCEPT;
} ronda_log_1;

#define RONDA_METRIC_F64 0u
#define RONDA_METRIC_I64 1u
#define RONDA_METRIC_GAUGE 0u
#define RONDA_METRIC_COUNTER 1u

typedef struct ronda_metric {
  uint32_t size, type, kind, reserved;
  ronda_str name;             /* [A-Za-z0-9_.-]+ is kept as it is; the host repairs the rest */
  ronda_str unit;             /* "s", "B", "ratio", "%", "c", "" ...; "%" is divided by 100 by the host */
  double f64;
  int64_t i64;
  ronda_str warn, crit;       /* Nagios ranges, in the metric's own unit; empty: none */
  const ronda_kv *labels;     /* nullable */
  uint64_t label_count;
} ronda_metric;

typedef struct ronda_result {
  uint32_t size;
  int32_t status;             /* RONDA_STATUS_*, RONDA_TASK_* or RONDA_DELIVERY_* by kind */
  ronda_str summary;          /* one line */
  ronda_str detail;           /* more lines; may be empty */
  int64_t again_at_wall_ns;   /* 0: nothing; else due then, besides its schedule */
} ronda_result;

typedef struct ronda_event {  /* something worth a line on the timeline */
  uint32_t size, level;       /* level: RONDA_LOG_* */
  ronda_str name, text;
  const ronda_kv *fields;     /* nullable */
  uint64_t field_count;
} ronda_event;

#define RONDA_SERVICE_EMIT "ronda.emit/1"
typedef struct ronda_emit_1 { /* [any], only during a call */
  uint32_t size, reserved;
  int32_t (*metric)(const ronda_inst *inst, const ronda_call *call, const ronda_metric *metric) RONDA_NOEXCEPT;
  int32_t (*result)(const ronda_inst *inst, const ronda_call *call, const ronda_result *result) RONDA_NOEXCEPT;
  int32_t (*event)(const ronda_inst *inst, const ronda_call *call, const ronda_event *event) RONDA_NOEXCEPT;
  /* share of the work done, 0..1, for a progress bar */
  int32_t (*progress)(const ronda_inst *inst, const ronda_call *call, double share, ronda_str what) RONDA_NOEXCEPT;
} ronda_emit_1;

#define RONDA_TYPE_NONE 0     /* the key is absent and has no default */
#define RONDA_TYPE_BOOL 1
#define RONDA_TYPE_I64 2      /* also durations (ns) and sizes (bytes) */
#define RONDA_TYPE_F64 3      /* also percentages, as ratio: 80% is 0.8 */
#define RONDA_TYPE_STR 4
#define RONDA_TYPE_LIST 5
#define RONDA_TYPE_TABLE 6
#define RONDA_TYPE_SECRET 7   /* read it by ronda.secret/1 */

typedef struct ronda_value ronda_value; /* opaque; borrowed; lives as long as the instance */

#define RONDA_SERVICE_CONFIG "ronda.config/1"
typedef struct ronda_config_1 { /* [worker]; already checked, defaulted and in base units */
  uint32_t size, reserved;
  const ronda_value *(*root)(const ronda_inst *inst) RONDA_NOEXCEPT; /* a table; never NULL */
  uint32_t (*type)(const ronda_value *v) RONDA_NOEXCEPT;             /* NULL is RONDA_TYPE_NONE */
  const ronda_value *(*member)(const ronda_value *table, ronda_str key) RONDA_NOEXCEPT; /* NULL: absent */
  uint64_t (*length)(const ronda_value *v) RONDA_NOEXCEPT;           /* of a list or a table, else 0 */
  const ronda_value *(*item)(const ronda_value *v, uint64_t index) RONDA_NOEXCEPT; /* NULL: past the end */
  ronda_str (*key)(const ronda_value *table, uint64_t index) RONDA_NOEXCEPT;
  int32_t (*get_bool)(const ronda_value *v, int32_t *out) RONDA_NOEXCEPT; /* RONDA_E_INVALID: other type */
  int32_t (*get_i64)(const ronda_value *v, int64_t *out) RONDA_NOEXCEPT;
  int32_t (*get_f64)(const ronda_value *v, double *out) RONDA_NOEXCEPT;   /* takes an i64 too */
  int32_t (*get_str)(const ronda_value *v, ronda_str *out) RONDA_NOEXCEPT; /* RONDA_E_DENIED: a secret */
} ronda_config_1;

#define RONDA_SERVICE_KV "ronda.kv/1"
/* Per-instance namespace in the agent's store; survives restart, reload and upgrade. Grant `state`.
 * Key at most 256 bytes, value at most 64 KiB, 1 MiB an instance, 256 KiB written between commits (RONDA_E_RANGE).
 * Only during a call, create and migrate; in destroy it can be read, and put, del and commit answer RONDA_E_INVALID:
 * the instance that takes over may have begun. Writes of one call are applied together when the call's result is accepted. */
typedef int32_t (*ronda_kv_each_fn)(void *user, ronda_str key, ronda_str value); /* non-zero ends it */
typedef struct ronda_kv_1 {
  uint32_t size, reserved;
  int32_t (*get)(const ronda_inst *inst, ronda_str key, ronda_str *value) RONDA_NOEXCEPT; /* NOTFOUND */
  int32_t (*put)(const ronda_inst *inst, ronda_str key, ronda_str value, int64_t ttl_ns) RONDA_NOEXCEPT; /* ttl 0: for ever */
  int32_t (*del)(const ronda_inst *inst, ronda_str key) RONDA_NOEXCEPT;
  int32_t (*each)(const ronda_inst *inst, ronda_str prefix, ronda_kv_each_fn fn, void *user) RONDA_NOEXCEPT;
  /* makes what was put or deleted so far durable now, all of it or nothing */
  int32_t (*commit)(const ronda_inst *inst) RONDA_NOEXCEPT;
} ronda_kv_1;

#define RONDA_SERVICE_SECRET "ronda.secret/1"
typedef struct ronda_secret_1 { /* grant `secrets`; bytes live until close or the end of the call */
  uint32_t size, reserved;
  int32_t (*open)(const ronda_inst *inst, const ronda_value *option, ronda_str *view) RONDA_NOEXCEPT;
  void (*close)(const ronda_inst *inst, ronda_str view) RONDA_NOEXCEPT;
} ronda_secret_1;

#define RONDA_EXEC_NO_ENV 1u    /* ronda_exec_spec.flags: env is the whole environment */
#define RONDA_EXEC_MERGE_ERR 2u /* stderr goes where stdout goes */

typedef struct ronda_exec_spec {
  uint32_t size, flags;
  const ronda_str *argv;        /* argv[0] is an absolute path; there is no shell and no PATH search */
  uint64_t argc;
  const ronda_kv *env;          /* nullable; added to the runner's clean environment */
  uint64_t env_count;
  ronda_str dir;                /* working directory; empty: / */
  ronda_str input;              /* stdin; empty: /dev/null */
  uint64_t output_limit;        /* bytes kept of each of stdout and stderr; 0: 64 KiB */
  uint64_t deadline_mono_ns;    /* 0: the call's own */
} ronda_exec_spec;

typedef struct ronda_exec_result {
  uint32_t size;
  int32_t exit_code;            /* -1 when it ended otherwise */
  int32_t signal;               /* that ended it, else 0 */
  int32_t timed_out;            /* 1: its process group was ended at the deadline or on cancel */
  ronda_str out, err;           /* borrowed until the call ends */
  uint64_t out_total, err_total; /* bytes written, kept or not */
  int64_t duration_ns;
} ronda_exec_result;

#define RONDA_SERVICE_EXEC "ronda.exec/1"
typedef struct ronda_exec_1 {   /* grant `exec`; own process group, ended with the call */
  uint32_t size, reserved;
  int32_t (*run)(const ronda_inst *inst, const ronda_call *call, const ronda_exec_spec *spec,
                 ronda_exec_result *result, ronda_error *err) RONDA_NOEXCEPT;
} ronda_exec_1;

#define RONDA_SERVICE_INBOX "ronda.inbox/1"
typedef struct ronda_inbox_event {
  uint32_t size;
  int32_t code;                 /* exit code of a job, else 0 */
  int64_t wall_ns;              /* when it was accepted */
  ronda_str event;              /* "start", "success", "fail", "heartbeat", "log" */
  ronda_str text;               /* an output tail or a note; data from outside */
} ronda_inbox_event;
typedef int32_t (*ronda_inbox_fn)(void *user, const ronda_inbox_event *event); /* non-zero ends it */
typedef struct ronda_inbox_1 {  /* grant `inbox`; events are removed when the call's result is accepted */
  uint32_t size, reserved;
  int32_t (*take)(const ronda_inst *inst, const ronda_call *call, ronda_inbox_fn fn, void *user) RONDA_NOEXCEPT;
} ronda_inbox_1;

#define RONDA_SERVICE_CALENDAR "ronda.calendar/1"
typedef struct ronda_calendar_1 { /* expressions of conf.d, judged as the scheduler would */
  uint32_t size, reserved;
  /* the last instant <= at, and the first instant > at; RONDA_E_NOTFOUND when there is none */
  int32_t (*previous)(const ronda_inst *inst, ronda_str expression, int64_t at_wall_ns, int64_t *out) RONDA_NOEXCEPT;
  int32_t (*next)(const ronda_inst *inst, ronda_str expression, int64_t at_wall_ns, int64_t *out) RONDA_NOEXCEPT;
} ronda_calendar_1;

#define RONDA_SERVICE_CLOCK "ronda.clock/1"
typedef struct ronda_clock_1 {  /* [any]; fakeable in tests: use these, not the system's */
  uint32_t size, reserved;
  int64_t (*wall_ns)(const ronda_inst *inst) RONDA_NOEXCEPT;
  uint64_t (*mono_ns)(const ronda_inst *inst) RONDA_NOEXCEPT;
  /* returns RONDA_E_TIMEOUT as soon as the call is cancelled */
  int32_t (*sleep)(const ronda_inst *inst, const ronda_call *call, int64_t ns) RONDA_NOEXCEPT;
} ronda_clock_1;

#define RONDA_SERVICE_FACTS "ronda.facts/1"
typedef struct ronda_facts_1 {  /* [any] */
  uint32_t size, reserved;
  /* "hostname", "agent.version", "instance.name", "instance.kind", "language", "tz", "tag.N",
     "agent.started_ns" (since the epoch, decimal); NOTFOUND */
  int32_t (*get)(const void *host_or_inst, ronda_str name, ronda_str *value) RONDA_NOEXCEPT;
} ronda_facts_1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
