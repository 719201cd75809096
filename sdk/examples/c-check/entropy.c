/* A check in C11, on abi.h alone: what the C++ glue does is written out. */
#include <ronda/abi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entropy {
  const ronda_inst *inst;
  const ronda_emit_1 *emit;
  int64_t low;
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
  (void)procedure; /* one check, so there is nothing to choose */
  const ronda_config_1 *config = inst->query(inst, RONDA_SERVICE_CONFIG);
  const ronda_emit_1 *emit = inst->query(inst, RONDA_SERVICE_EMIT);
  if (config == NULL || emit == NULL) return fail(err, RONDA_E_NOTFOUND, "the host lacks config or emit");
  struct entropy *e = calloc(1, sizeof *e);
  if (e == NULL) return fail(err, RONDA_E_INTERNAL, "out of memory");
  e->inst = inst;
  e->emit = emit;
  if (config->get_i64(config->member(config->root(inst), str("low")), &e->low) != RONDA_OK) {
    free(e);
    return fail(err, RONDA_E_INVALID, "config key 'low' is not an integer");
  }
  *self = e;
  return RONDA_OK;
}

static int32_t run(void *self, const ronda_call *call, ronda_error *err) {
  struct entropy *e = self;
  long long bits = 0;
  FILE *file = fopen("/proc/sys/kernel/random/entropy_avail", "re");
  int read = file != NULL ? fscanf(file, "%lld", &bits) : 0;
  if (file != NULL) fclose(file);
  if (read != 1) return fail(err, RONDA_E_INTERNAL, "/proc/sys/kernel/random/entropy_avail cannot be read");

  char crit[32], summary[64];
  snprintf(crit, sizeof crit, "%lld:", (long long)e->low);
  snprintf(summary, sizeof summary, "%lld bits of entropy", bits);
  ronda_metric m = {.size = sizeof m, .type = RONDA_METRIC_I64, .name = str("bits"), .i64 = bits, .crit = str(crit)};
  e->emit->metric(e->inst, call, &m);
  ronda_result r = {.size = sizeof r, .summary = str(summary)};
  r.status = bits < e->low ? RONDA_STATUS_CRITICAL : RONDA_STATUS_OK;
  return e->emit->result(e->inst, call, &r);
}

static void destroy(void *self) { free(self); }

static const void *query(const char *kind) {
  static const ronda_check_1 check = {.size = sizeof check, .create = create, .run = run, .destroy = destroy};
  return strcmp(kind, RONDA_KIND_CHECK) == 0 ? &check : NULL;
}

__attribute__((visibility("default"))) const ronda_plugin *ronda_plugin_entry_1(const ronda_host *host,
                                                                               ronda_error *err);
const ronda_plugin *ronda_plugin_entry_1(const ronda_host *host, ronda_error *err) {
  (void)host, (void)err;
  static const ronda_plugin plugin = {.size = sizeof plugin, .abi_minor = RONDA_TARGET_MINOR, .query = query};
  return &plugin;
}
