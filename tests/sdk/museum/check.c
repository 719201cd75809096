/* SPDX-License-Identifier: Apache-2.0 */
/* A museum piece in C11: a check that uses what no grant is needed for, and says in its summary what it saw. */
#include <ronda/abi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct piece {
  const ronda_inst *inst;
  const ronda_config_1 *config;
  const ronda_emit_1 *emit;
  const ronda_log_1 *log;
  const ronda_clock_1 *clock;
  const ronda_facts_1 *facts;
  int32_t cancels;
};

static ronda_str str(const char *text) {
  ronda_str s = {text, strlen(text)};
  return s;
}

static int32_t fail(ronda_error *err, int32_t code, const char *text) {
  err->code = code;
  snprintf(err->msg, sizeof err->msg, "%s", text);
  return code;
}

static int32_t create(const ronda_inst *inst, ronda_str procedure, void **self, ronda_error *err) {
  if (procedure.len != 5 || memcmp(procedure.ptr, "piece", 5) != 0) return fail(err, RONDA_E_NOTFOUND, "no such piece");
  struct piece *p = calloc(1, sizeof *p);
  if (p == NULL) return fail(err, RONDA_E_INTERNAL, "out of memory");
  p->inst = inst;
  p->config = inst->query(inst, RONDA_SERVICE_CONFIG);
  p->emit = inst->query(inst, RONDA_SERVICE_EMIT);
  p->log = inst->query(inst, RONDA_SERVICE_LOG);
  p->clock = inst->query(inst, RONDA_SERVICE_CLOCK);
  p->facts = inst->query(inst, RONDA_SERVICE_FACTS);
  if (!p->config || !p->emit || !p->log || !p->clock || !p->facts) {
    free(p);
    return fail(err, RONDA_E_NOTFOUND, "the host lacks a service that every plugin may use");
  }
  *self = p;
  return RONDA_OK;
}

/* the sum of the list `sizes`, walked by index */
static int64_t sum(const struct piece *p) {
  const ronda_value *list = p->config->member(p->config->root(p->inst), str("sizes"));
  int64_t all = 0;
  for (uint64_t i = 0; i < p->config->length(list); ++i) {
    int64_t one = 0;
    if (p->config->get_i64(p->config->item(list, i), &one) == RONDA_OK) all += one;
  }
  return all;
}

static int32_t run(void *self, const ronda_call *call, ronda_error *err) {
  struct piece *p = self;
  const ronda_value *root = p->config->root(p->inst);
  ronda_str path, name;
  double limit = 0;
  int32_t loud = 0;
  if (p->config->get_str(p->config->member(root, str("path")), &path) != RONDA_OK ||
      p->config->get_f64(p->config->member(root, str("limit")), &limit) != RONDA_OK ||
      p->config->get_bool(p->config->member(root, str("loud")), &loud) != RONDA_OK)
    return fail(err, RONDA_E_INVALID, "a key is missing or of another type");
  if (p->facts->get(p->inst, str("instance.name"), &name) != RONDA_OK) return fail(err, RONDA_E_NOTFOUND, "no name");
  if (p->clock->mono_ns(p->inst) >= call->deadline_mono_ns) return fail(err, RONDA_E_TIMEOUT, "too late");

  ronda_kv labels[] = {{str("path"), path}};
  ronda_metric m = {.size = sizeof m, .type = RONDA_METRIC_I64, .name = str("sum"), .unit = str("B"), .i64 = sum(p),
                    .warn = str("10"), .crit = str("20"), .labels = labels, .label_count = 1};
  int32_t code = p->emit->metric(p->inst, call, &m);
  ronda_metric f = {.size = sizeof f, .type = RONDA_METRIC_F64, .kind = RONDA_METRIC_COUNTER, .name = str("limit"), .f64 = limit};
  if (code == RONDA_OK) code = p->emit->metric(p->inst, call, &f);
  ronda_event e = {.size = sizeof e, .level = RONDA_LOG_WARNING, .name = str("seen"), .text = str("an old piece"),
                   .fields = labels, .field_count = 1};
  if (code == RONDA_OK) code = p->emit->event(p->inst, call, &e);
  if (code == RONDA_OK) code = p->emit->progress(p->inst, call, 0.5, str("half"));
  if (code != RONDA_OK) return fail(err, code, "emit refused");
  if (loud) p->log->write(p->inst, RONDA_LOG_ERROR, str("loud"), labels, 1);

  char summary[128];
  snprintf(summary, sizeof summary, "%.*s: %lld bytes in %.*s", (int)name.len, name.ptr, (long long)m.i64, (int)path.len, path.ptr);
  ronda_result r = {.size = sizeof r, .status = RONDA_STATUS_WARNING, .summary = str(summary), .detail = str("more"),
                    .again_at_wall_ns = p->clock->wall_ns(p->inst) + 1000000000};
  return p->emit->result(p->inst, call, &r);
}

static void cancel(void *self, const ronda_call *call) {
  (void)call;
  ((struct piece *)self)->cancels = 1;
}

static void destroy(void *self) { free(self); }

static int32_t migrate(void *self, uint32_t from, uint32_t to, ronda_error *err) {
  (void)self;
  return from + 1 == to ? RONDA_OK : fail(err, RONDA_E_INVALID, "one step at a time");
}

static const void *query(const char *kind) {
  static const ronda_check_1 check = {
      .size = sizeof check, .create = create, .run = run, .cancel = cancel, .destroy = destroy, .migrate = migrate};
  return strcmp(kind, RONDA_KIND_CHECK) == 0 ? &check : NULL;
}

static void shut_down(void) {}

__attribute__((visibility("default"))) const ronda_plugin *ronda_plugin_entry_1(const ronda_host *host, ronda_error *err);
const ronda_plugin *ronda_plugin_entry_1(const ronda_host *host, ronda_error *err) {
  static const ronda_plugin plugin = {sizeof plugin, RONDA_TARGET_MINOR, query, shut_down};
  if (host->abi_minor >= RONDA_TARGET_MINOR) return &plugin;
  fail(err, RONDA_E_INVALID, "the host is older than this plugin needs");
  return NULL;
}
