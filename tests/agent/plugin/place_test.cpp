// SPDX-License-Identifier: Apache-2.0
// Services used where they have no business: after destroy, by a thread of the plugin's own, from within a service's callback;
// and secrets that are not closed. The plugin is C on abi.h alone; its procedure says what a run does.
#include <catch.hpp>

#include "built_plugin.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;

namespace {

const std::string out_of_place = R"(
#include <ronda/abi.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { const ronda_inst *inst; char mode[32]; int32_t early; } own_t;
static const ronda_kv_1 *kv;
static const ronda_emit_1 *emit;
static const ronda_exec_1 *exec;
static const ronda_secret_1 *secret;
static const ronda_inbox_1 *inbox;
static const ronda_clock_1 *clocks;
static const ronda_config_1 *config;
static const ronda_log_1 *logs;
static const ronda_facts_1 *facts;
static const ronda_inst *kept_inst;
static const ronda_call *kept_call;
static ronda_str kept_view;
static pthread_t thread;
static sem_t go;
static char said[1024];

static ronda_str str(const char *text) { ronda_str s = {text, strlen(text)}; return s; }
static void tell(const char *what, int value) {
  size_t n = strlen(said);
  snprintf(said + n, sizeof said - n, "%s%s %d", n > 0 ? ", " : "", what, value);
}
static int32_t give(const ronda_inst *inst, const ronda_call *call, const char *text) {
  ronda_result r = {sizeof r, 0};
  r.summary = str(text);
  return emit->result(inst, call, &r);
}
static int32_t start(const ronda_inst *inst, const ronda_call *call) {
  ronda_str argv[] = {str("/bin/true")};
  ronda_exec_spec spec = {sizeof spec, 0, argv, 1};
  ronda_exec_result result = {sizeof result};
  return exec->run(inst, call, &spec, &result, 0);
}
static int32_t open_word(const ronda_inst *inst, ronda_str *view) {
  return secret->open(inst, config->member(config->root(inst), str("word")), view);
}
/* the kernel reads it for us, and says so where there is nothing to read */
static int has_word(ronda_str view) {
  char got[64] = "";
  int ends[2];
  if (pipe(ends) != 0) return -1;
  ssize_t n = write(ends[1], view.ptr, view.len);
  if (n > 0) n = read(ends[0], got, sizeof got - 1);
  close(ends[0]), close(ends[1]);
  return n > 0 && strcmp(got, "open sesame") == 0;
}

static int32_t count_key(void *user, ronda_str key, ronda_str value) { ++*(int *)user; return 0; }
static int32_t count_event(void *user, const ronda_inbox_event *event) { ++*(int *)user; return 0; }
static void try_all(const ronda_inst *inst, const ronda_call *call) {
  ronda_str out = {0, 0};
  ronda_metric m = {sizeof m};
  ronda_event e = {sizeof e};
  int seen = 0;
  m.name = e.name = e.text = str("late");
  tell("get", kv->get(inst, str("a"), &out));
  tell("put", kv->put(inst, str("a"), str("1"), 0));
  tell("del", kv->del(inst, str("a")));
  tell("each", kv->each(inst, str(""), count_key, &seen));
  tell("commit", kv->commit(inst));
  tell("metric", emit->metric(inst, call, &m));
  tell("event", emit->event(inst, call, &e));
  tell("progress", emit->progress(inst, call, 0.5, str("late")));
  tell("result", give(inst, call, "late"));
  tell("exec", start(inst, call));
  tell("secret", open_word(inst, &out));
  tell("inbox", inbox->take(inst, call, count_event, &seen));
  tell("sleep", clocks->sleep(inst, call, 1));
  tell("seen", seen);
  tell("fact", facts->get(inst, str("instance.name"), &out));
  logs->write(inst, RONDA_LOG_INFO, str("a line of one that is gone"), 0, 0);
}
static void *speak_late(void *unused) {
  sem_wait(&go);
  try_all(kept_inst, kept_call);
  return unused;
}

static int results_within;
static int32_t inner_event(void *user, const ronda_inbox_event *event) {
  if (results_within++ == 0) tell("result", give(kept_inst, kept_call, "from within"));
  return 0;
}
static int32_t outer_event(void *user, const ronda_inbox_event *event) {
  if (++*(int *)user == 1) tell("take", inbox->take(kept_inst, kept_call, inner_event, 0));
  return 0;
}
static int32_t all_within(void *user, ronda_str key, ronda_str value) {
  ronda_str out = {0, 0};
  int again = 0, events = 0;
  if (++*(int *)user > 1) return 0;
  tell("get", kv->get(kept_inst, key, &out));
  tell("put", kv->put(kept_inst, str("within"), str("1"), 0));
  tell("del", kv->del(kept_inst, key));
  tell("each", kv->each(kept_inst, str(""), count_key, &again));
  tell("saw", again);
  tell("commit", kv->commit(kept_inst));
  tell("exec", start(kept_inst, kept_call));
  tell("secret", open_word(kept_inst, &out));
  tell("sleep", clocks->sleep(kept_inst, kept_call, 1));
  tell("take", inbox->take(kept_inst, kept_call, outer_event, &events));
  tell("events", events);
  tell("value", value.len == 1 && *value.ptr == '1');
  return 0;
}
static void recurse(void) {
  int seen = 0;
  kv->put(kept_inst, str("a"), str("1"), 0);
  kv->put(kept_inst, str("b"), str("2"), 0);
  tell("each", kv->each(kept_inst, str(""), all_within, &seen));
  tell("seen", seen);
}

static int32_t create(const ronda_inst *inst, ronda_str procedure, void **self, ronda_error *err) {
  own_t *own = calloc(1, sizeof *own);
  own->inst = inst;
  memcpy(own->mode, procedure.ptr, procedure.len < sizeof own->mode ? procedure.len : 0);
  kv = inst->query(inst, RONDA_SERVICE_KV);
  emit = inst->query(inst, RONDA_SERVICE_EMIT);
  exec = inst->query(inst, RONDA_SERVICE_EXEC);
  secret = inst->query(inst, RONDA_SERVICE_SECRET);
  inbox = inst->query(inst, RONDA_SERVICE_INBOX);
  clocks = inst->query(inst, RONDA_SERVICE_CLOCK);
  config = inst->query(inst, RONDA_SERVICE_CONFIG);
  logs = inst->query(inst, RONDA_SERVICE_LOG);
  facts = inst->query(inst, RONDA_SERVICE_FACTS);
  ronda_str view;
  own->early = strcmp(own->mode, "open-early") == 0 ? open_word(inst, &view) : 1;
  *self = own;
  return 0;
}
static int32_t run(void *self, const ronda_call *call, ronda_error *err) {
  own_t *own = self;
  const char *mode = own->mode;
  said[0] = 0;
  if (strcmp(mode, "after") == 0) {
    try_all(kept_inst, kept_call);
  } else if (strcmp(mode, "join") == 0) {
    sem_post(&go);
    pthread_join(thread, 0);
  } else if (strcmp(mode, "look") == 0) {
    tell("held", has_word(kept_view));
  } else if (strcmp(mode, "open-early") == 0) {
    tell("early", own->early);
  } else if (strcmp(mode, "open") == 0) {
    ronda_str second;
    tell("first", open_word(own->inst, &kept_view));
    tell("second", open_word(own->inst, &second));
    tell("open", has_word(kept_view) + has_word(second));
    secret->close(own->inst, second);
    tell("closed", has_word(second));
    tell("held", has_word(kept_view));
    secret->close(own->inst, second);
    secret->close(own->inst, str("no view"));
  } else {
    kept_inst = own->inst;
    kept_call = call;
    if (strcmp(mode, "thread") == 0) sem_init(&go, 0, 0), pthread_create(&thread, 0, speak_late, 0);
    if (strcmp(mode, "recursive") == 0) recurse();
  }
  const int32_t code = give(own->inst, call, said);
  if (code != 0) tell("result", code);
  logs->write(own->inst, RONDA_LOG_INFO, str(said), 0, 0);
  return code;
}
static void destroy(void *self) { free(self); }
static const ronda_check_1 table = {sizeof table, 0, create, run, 0, destroy};
static const void *query(const char *kind) { return strcmp(kind, RONDA_KIND_CHECK) == 0 ? &table : 0; }
static const ronda_plugin plugin = {sizeof plugin, 0, query, 0};
__attribute__((visibility("default"))) const ronda_plugin *ronda_plugin_entry_1(const ronda_host *host, ronda_error *err) {
  return &plugin;
}
)";

class Placed {
 public:
  Placed() {
    PluginUnderTest under_test;
    const PluginSource source =
        PluginSource::with_code(out_of_place, {"-std=c11", "-D_GNU_SOURCE", "-pthread", "-I" RONDA_SOURCE_DIR "/sdk/include"});
    under_test.path = build_plugin(dir_, "plugin", source);
    under_test.id = "org.example.disk";
    under_test.kinds = {wire::Kind::check};
    under_test.concurrency = 1;  // one after the other, what is destroyed too
    bench = std::make_unique<Supervised>(loop, under_test);
  }
  std::uint32_t add(const std::string& mode) {
    return bench->add(wire::Kind::check, mode, {{"word", plugin::OptionNode(plugin::OptionNode::Data(plugin::Secret{"open sesame"}))}});
  }
  std::string run(std::uint32_t instance) {
    const auto& end = bench->run(instance);
    return end.fate == Fate::finished ? end.outcome.summary : end.cause;
  }

  boost::asio::io_context loop;
  std::unique_ptr<Supervised> bench;

 private:
  TempDir dir_;
};

const std::string all_refused =
    "get -6, put -6, del -6, each -6, commit -6, metric -6, event -6, progress -6, result -6, exec -6, secret -6, inbox -6, sleep -6, seen "
    "0, "
    "fact 0";

}  // namespace

TEST_CASE("services that are asked for an instance after its destroy refuse, and nobody is harmed", "[plugin]") {
  Placed placed;
  placed.bench->state["a"] = "kept";
  placed.bench->inbox = {{"start", "one"}};
  const auto old = placed.add("keep");
  CHECK(placed.run(old).empty());
  placed.bench->supervisor().forget(old);
  CHECK(placed.run(placed.add("after")) == all_refused);
  CHECK(placed.bench->has_log("a line of one that is gone"));
  CHECK(placed.bench->state == std::map<std::string, std::string>{{"a", "kept"}});
  CHECK(placed.bench->events.empty());
  CHECK(placed.bench->progress.empty());
  CHECK(placed.bench->status().deaths == 0);
}

TEST_CASE("services refuse a thread of the plugin's own whose call is over, and are no other call's", "[plugin]") {
  Placed placed;
  placed.bench->state["a"] = "kept";
  const auto instance = placed.add("thread");
  CHECK(placed.run(instance).empty());
  CHECK(placed.run(placed.add("join")) == all_refused);
  CHECK(placed.bench->state == std::map<std::string, std::string>{{"a", "kept"}});
  CHECK(placed.bench->status().deaths == 0);
}

TEST_CASE("services that are used from within the callback of another answer as in any call", "[plugin]") {
  Placed placed;
  placed.bench->inbox = {{"start", "one"}, {"success", "two"}};
  const auto& end = placed.bench->run(placed.add("recursive"));
  REQUIRE(end.fate == Fate::finished);
  CHECK(end.outcome.end == wire::End::reported);
  CHECK(end.outcome.summary == "from within");  // the result was given there, and there is one
  const std::string told =
      "get 0, put 0, del 0, each 0, saw 2, commit -3, exec 0, secret 0, sleep 0, result 0, take 0, take 0, events 2, value 1, each 0, seen "
      "2, "
      "result -6";
  CHECK(placed.bench->until([&] { return placed.bench->has_log(told); }, 5s));
  INFO((placed.bench->logs.empty() ? "" : placed.bench->logs.back()));
  CHECK(placed.bench->has_log(told));
  CHECK(placed.bench->state == std::map<std::string, std::string>{{"b", "2"}, {"within", "1"}});
  CHECK(placed.bench->status().deaths == 0);
}

TEST_CASE("a secret is there until it is closed, and no longer than its call", "[plugin]") {
  Placed placed;
  CHECK(placed.run(placed.add("open")) == "first 0, second 0, open 2, closed 0, held 1");
  CHECK(placed.run(placed.add("look")) == "held 0");
  CHECK(placed.run(placed.add("open-early")) == "early -6");  // in create
  CHECK(placed.bench->status().deaths == 0);
}
