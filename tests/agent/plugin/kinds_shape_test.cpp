// SPDX-License-Identifier: Apache-2.0
// Tables, sizes and functions of tasks and notifiers as a hostile or a later compiler might make them; abi_shape_test.cpp has the
// checks. One plugin in C: the name of the host says how it is shaped.
#include <catch.hpp>

#include "built_plugin.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;

namespace {

const std::string shaped_kinds = R"(
#include <ronda/abi.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char what[32];
static unsigned long size;
static const ronda_inst *inst;

static int is(const char *word) { return strcmp(what, word) == 0; }
static int32_t create(const ronda_inst *own, ronda_str procedure, void **self, ronda_error *err) {
  inst = own, *self = &inst;
  return 0;
}
static int32_t say(const ronda_call *call) {
  const ronda_emit_1 *emit = inst->query(inst, RONDA_SERVICE_EMIT);
  ronda_metric m = {is("metric") ? size : sizeof m};
  ronda_event e = {is("event") ? size : sizeof e};
  ronda_result r = {is("result") ? size : sizeof r};
  struct pollfd fd = {call->cancel_fd, POLLIN};
  if (is("cancel")) poll(&fd, 1, -1);
  m.name.ptr = e.name.ptr = e.text.ptr = "m";
  m.name.len = e.name.len = e.text.len = 1;
  r.summary.ptr = "fine";
  r.summary.len = 4;
  int32_t code = emit->metric(inst, call, &m);
  if (code == 0) code = emit->event(inst, call, &e);
  return code != 0 ? code : emit->result(inst, call, &r);
}
static int32_t run(void *self, const ronda_call *call, ronda_error *err) { return say(call); }
static int32_t deliver(void *self, const ronda_call *call, const ronda_message *message, ronda_error *err) { return say(call); }
static void cancel(void *self, const ronda_call *call) {}
static void destroy(void *self) {}
static ronda_task_1 task = {sizeof task, 0, create, run, cancel, destroy};
static ronda_notifier_1 notifier = {sizeof notifier, 0, create, deliver, cancel, destroy};
static const void *query(const char *kind) {
  return strcmp(kind, RONDA_KIND_TASK) == 0 ? (void *)&task : strcmp(kind, RONDA_KIND_NOTIFIER) == 0 ? (void *)&notifier : 0;
}
static const ronda_plugin plugin = {sizeof plugin, 0, query, 0};
__attribute__((visibility("default"))) const ronda_plugin *ronda_plugin_entry_1(const ronda_host *host, ronda_error *err) {
  const ronda_facts_1 *facts = host->query(host, RONDA_SERVICE_FACTS);
  ronda_str name = {"hostname", 8}, shape;
  char text[64] = "";
  if (facts->get(host, name, &shape) == 0 && shape.len < sizeof text) memcpy(text, shape.ptr, shape.len);
  sscanf(text, "%31s %lu", what, &size);
  if (is("table")) task.size = notifier.size = size;
  if (is("create")) task.create = 0, notifier.create = 0;
  if (is("work")) task.run = 0, notifier.deliver = 0;
  if (is("cancel")) task.cancel = 0, notifier.cancel = 0;
  if (is("destroy")) task.destroy = 0, notifier.destroy = 0;
  return &plugin;
}
)";

/// The plugin, built once for all its shapes.
class ShapedKinds {
 public:
  ShapedKinds()
      : path_(build_plugin(dir_, "plugin", PluginSource::with_code(shaped_kinds, {"-std=c11", "-I" RONDA_SOURCE_DIR "/sdk/include"}))) {}

  /// What its run or deliver said, or why there was none.
  std::string said(wire::Kind kind, const std::string& shape) const {
    const plugin::CallEnd end = ended(kind, shape, 10s);
    return end.fate == Fate::finished ? end.outcome.summary : end.cause;
  }
  plugin::CallEnd ended(wire::Kind kind, const std::string& shape, std::chrono::nanoseconds timeout) const {
    PluginUnderTest under_test;
    under_test.path = path_;
    under_test.id = "org.example.disk";
    under_test.kinds = {kind};
    under_test.hostname = shape;
    boost::asio::io_context loop;
    Supervised bench(loop, under_test);
    return bench.run(bench.add(kind, "disk", {}), timeout);
  }

 private:
  TempDir dir_;
  std::string path_;
};

struct KindWords {
  wire::Kind kind;
  const char *id, *work;
};
constexpr KindWords other_kinds[] = {{wire::Kind::task, "kind ronda.task/1: ", "run"},
                                     {wire::Kind::notifier, "kind ronda.notifier/1: ", "deliver"}};

}  // namespace

TEST_CASE("the structs of tasks and notifiers too are believed no further than their size", "[plugin]") {
  const ShapedKinds made;
  for (const KindWords& words : other_kinds) {
    INFO(words.id);
    for (const char* shape :
         {"none 0", "table 40", "table 41", "table 4096", "metric 4294967295", "event 4294967295", "result 4294967295"}) {
      INFO(shape);
      CHECK(made.said(words.kind, shape) == "fine");
    }
    for (const std::string size : {"0", "4", "39", "4294967295"}) {
      CHECK_THAT(made.said(words.kind, "table " + size),
                 Catch::EndsWith(words.id + ("its table says size " + size) + ", at least 40 is needed; rebuild the plugin with this SDK"));
    }
    for (const char* shape :
         {"metric 0", "metric 4", "metric 111", "event 0", "event 4", "event 55", "result 0", "result 4", "result 47"}) {
      INFO(shape);
      CHECK(made.said(words.kind, shape) == "failed with code -6");
    }
  }
}

TEST_CASE("of tasks and notifiers too a function that may be absent is skipped, and one that may not is named", "[plugin]") {
  const ShapedKinds made;
  for (const KindWords& words : other_kinds) {
    INFO(words.id);
    CHECK_THAT(made.said(words.kind, "create 0"), Catch::EndsWith(words.id + std::string("member create is NULL")));
    CHECK_THAT(made.said(words.kind, "work 0"), Catch::EndsWith(words.id + ("member " + std::string(words.work)) + " is NULL"));
    CHECK_THAT(made.said(words.kind, "destroy 0"), Catch::EndsWith(words.id + std::string("member destroy is NULL")));
    const plugin::CallEnd end = made.ended(words.kind, "cancel 0", 300ms);
    CHECK(end.fate == Fate::finished);
    CHECK(end.outcome.timed_out);
  }
}
