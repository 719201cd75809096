/* SPDX-License-Identifier: Apache-2.0 */
/* The same check as everything.cpp, on abi.h alone: C11 and also C++17, there without exceptions and RTTI. */
#include <ronda/abi.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { most_words = 8 };
enum kind_of_end { ends_well, ends_in_error = 70000, ends_oddly }; /* one byte or four, as the flags say: it crosses nothing */

typedef struct everything {
  const ronda_inst *inst;
  const ronda_emit_1 *emit;
  const ronda_config_1 *config;
  const ronda_log_1 *log;
  const ronda_kv_1 *kv;
  ronda_str who, words[most_words];
  uint64_t word_count;
  int64_t span_ns;
  double share;
  int32_t strict, absent;
  const ronda_value *weights;
  enum kind_of_end end;
} everything;

static ronda_str str(const char *text) {
  ronda_str s;
  s.ptr = text;
  s.len = strlen(text);
  return s;
}

static int equals(ronda_str a, const char *b) { return a.len == strlen(b) && memcmp(a.ptr, b, (size_t)a.len) == 0; }

static int32_t fail(ronda_error *err, int32_t code, const char *text) {
  err->code = code;
  snprintf(err->msg, sizeof err->msg, "%s", text);
  return code;
}

static int read_options(everything *e) {
  const ronda_config_1 *config = e->config;
  const ronda_value *root = config->root(e->inst), *words = config->member(root, str("words"));
  ronda_str end = {NULL, 0};
  int bad = config->get_str(config->member(root, str("who")), &e->who) != RONDA_OK;
  bad |= config->get_str(config->member(root, str("end")), &end) != RONDA_OK;
  bad |= config->get_i64(config->member(root, str("span")), &e->span_ns) != RONDA_OK;
  bad |= config->get_f64(config->member(root, str("share")), &e->share) != RONDA_OK;
  bad |= config->get_bool(config->member(root, str("strict")), &e->strict) != RONDA_OK;
  e->word_count = config->length(words);
  bad |= e->word_count == 0 || e->word_count > most_words;
  for (uint64_t i = 0; !bad && i < e->word_count; ++i) bad |= config->get_str(config->item(words, i), &e->words[i]) != RONDA_OK;
  e->weights = config->member(root, str("weights"));
  bad |= config->type(e->weights) != RONDA_TYPE_TABLE;
  e->absent = config->type(config->member(root, str("absent"))) == RONDA_TYPE_NONE;
  if (bad) return 0;
  e->end = equals(end, "error") ? ends_in_error : equals(end, "odd") ? ends_oddly : ends_well;
  return 1;
}

static int32_t create(const ronda_inst *inst, ronda_str procedure, void **self, ronda_error *err) RONDA_NOEXCEPT {
  static const char name[] = "everything"; /* and after it of which build it is */
  if (procedure.len < sizeof name - 1 || memcmp(procedure.ptr, name, sizeof name - 1) != 0)
    return fail(err, RONDA_E_NOTFOUND, "there is no such procedure");
  everything *e = (everything *)calloc(1, sizeof *e);
  if (e == NULL) return fail(err, RONDA_E_INTERNAL, "out of memory");
  e->inst = inst;
  e->emit = (const ronda_emit_1 *)inst->query(inst, RONDA_SERVICE_EMIT);
  e->config = (const ronda_config_1 *)inst->query(inst, RONDA_SERVICE_CONFIG);
  e->log = (const ronda_log_1 *)inst->query(inst, RONDA_SERVICE_LOG);
  e->kv = (const ronda_kv_1 *)inst->query(inst, RONDA_SERVICE_KV);
  if (e->emit == NULL || e->config == NULL || e->log == NULL || e->kv == NULL || !read_options(e)) {
    free(e);
    return fail(err, RONDA_E_INVALID, "an option or a service is missing");
  }
  *self = e;
  return RONDA_OK;
}

static void send_metrics(everything *e, const ronda_call *call) {
  ronda_metric m;
  memset(&m, 0, sizeof m);
  m.size = sizeof m;
  m.name = str("share");
  m.unit = str("ratio");
  m.f64 = e->share;
  m.warn = str("~:0.5");
  m.crit = str("~:0.75");
  e->emit->metric(e->inst, call, &m);
  for (uint64_t i = 0; i < e->config->length(e->weights); ++i) {
    ronda_kv label;
    label.key = str("name");
    label.value = e->config->key(e->weights, i);
    memset(&m, 0, sizeof m);
    m.size = sizeof m;
    m.type = RONDA_METRIC_I64;
    m.name = str("weight");
    m.labels = &label;
    m.label_count = 1;
    if (e->config->get_i64(e->config->member(e->weights, label.value), &m.i64) == RONDA_OK) e->emit->metric(e->inst, call, &m);
  }
}

static void tell(everything *e, const ronda_call *call) {
  char line[200];
  ronda_kv field;
  ronda_event event;
  field.key = str("first");
  field.value = e->words[0];
  memset(&event, 0, sizeof event);
  event.size = sizeof event;
  event.level = RONDA_LOG_INFO;
  event.name = str("seen");
  event.text = e->who;
  event.fields = &field;
  event.field_count = 1;
  e->emit->event(e->inst, call, &event);
  e->emit->progress(e->inst, call, 0.5, str("half of it"));
  snprintf(line, sizeof line, "before %.*s come %" PRIu64 " words", (int)e->who.len, e->who.ptr, e->word_count);
  e->log->write(e->inst, RONDA_LOG_INFO, str(line), NULL, 0);
}

static int keep(everything *e) {
  ronda_str kept = {NULL, 0};
  return e->kv->put(e->inst, str("runs"), str("1"), 0) == RONDA_OK && e->kv->get(e->inst, str("runs"), &kept) == RONDA_OK &&
         equals(kept, "1");
}

static int32_t run(void *self, const ronda_call *call, ronda_error *err) RONDA_NOEXCEPT {
  everything *e = (everything *)self;
  char summary[200], detail[200] = "";
  size_t written = 0;
  ronda_result r;
  if (e->end == ends_in_error) {
    snprintf(summary, sizeof summary, "as it was told to, %.*s", (int)e->who.len, e->who.ptr);
    return fail(err, RONDA_E_INTERNAL, summary);
  }
  if (e->end == ends_oddly) return fail(err, RONDA_E_INTERNAL, "an exception that is not a std::exception");
  send_metrics(e, call);
  tell(e, call);
  for (uint64_t i = 0; i < e->word_count && written < sizeof detail; ++i)
    written += (size_t)snprintf(detail + written, sizeof detail - written, "[%.*s]\n", (int)e->words[i].len, e->words[i].ptr);
  snprintf(summary, sizeof summary, "%s%.*s%s%gs, %g%%, %s", keep(e) ? "" : "nothing is kept; ", (int)e->who.len, e->who.ptr,
           e->strict ? " waits " : " may wait ", (double)e->span_ns / 1e9, e->share * 100, e->absent ? "no more" : "more");
  memset(&r, 0, sizeof r);
  r.size = sizeof r;
  r.status = RONDA_STATUS_WARNING;
  r.summary = str(summary);
  r.detail = str(detail);
  return e->emit->result(e->inst, call, &r);
}

static void destroy(void *self) RONDA_NOEXCEPT { free(self); }

static const void *query(const char *kind) RONDA_NOEXCEPT {
  static const ronda_check_1 check = {sizeof check, 0, create, run, NULL, destroy, NULL};
  return kind != NULL && strcmp(kind, RONDA_KIND_CHECK) == 0 ? &check : NULL;
}

__attribute__((visibility("default"))) const ronda_plugin *ronda_plugin_entry_1(const ronda_host *host, ronda_error *err);
const ronda_plugin *ronda_plugin_entry_1(const ronda_host *host, ronda_error *err) {
  static const ronda_plugin plugin = {sizeof plugin, RONDA_TARGET_MINOR, query, NULL};
  (void)host;
  (void)err;
  return &plugin;
}

#ifdef __cplusplus
}
#endif
