// SPDX-License-Identifier: Apache-2.0
// Plugins below the C++ glue, with tables, sizes and functions as a hostile or a later compiler might make them.
#include <algorithm>
#include <catch.hpp>

#include "built_plugin.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;

namespace {

// Every name in capitals can be given by a test; RUN and the others are statements.
const std::string shape = R"(
#define RONDA_NOEXCEPT
#include <ronda/abi.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <regex>
#include <stdexcept>
#include <string>
)"
                          R"(
static const ronda_inst* inst;
static std::string said = "fine";
MORE
static int32_t create(const ronda_inst* own, ronda_str, void** self, ronda_error* err) {
  inst = own, *self = &inst;
  CREATE;
  return 0;
}
static int32_t run(void*, const ronda_call* call, ronda_error* err) {
  RUN;
  auto emit = static_cast<const ronda_emit_1*>(inst->query(inst, RONDA_SERVICE_EMIT));
  ronda_result r{};
  r.size = RESULT_SIZE;
  r.summary = {said.data(), said.size()};
  return emit->result(inst, call, &r);
}
static void cancel(void*, const ronda_call*) { CANCEL; }
static void destroy(void*) { DESTROY; }
static const ronda_check_1 table = {TABLE_SIZE, 0, CREATE_FUNCTION, RUN_FUNCTION, CANCEL_FUNCTION, DESTROY_FUNCTION, nullptr};
static const void* query(const char* kind) { return std::strcmp(kind, RONDA_KIND_CHECK) == 0 ? &table : nullptr; }
static const ronda_plugin plugin = {PLUGIN_SIZE, 0, query, nullptr};
extern "C" __attribute__((visibility("default"))) const ronda_plugin* ronda_plugin_entry_1(const ronda_host*, ronda_error*) {
  return &plugin;
}
)";

using Words = std::map<std::string, std::string>;

/// The plugin with these words in place of the usual ones, supervised.
class Shaped {
 public:
  explicit Shaped(Words words, const std::vector<std::string>& more_flags = {}) {
    words.merge(Words{{"MORE", ""}, {"CREATE", ""}, {"RUN", ""}, {"CANCEL", ""}, {"DESTROY", ""}, {"RESULT_SIZE", "sizeof r"}});
    words.merge(Words{{"TABLE_SIZE", "sizeof table"}, {"PLUGIN_SIZE", "sizeof plugin"}, {"CREATE_FUNCTION", "create"}});
    words.merge(Words{{"RUN_FUNCTION", "run"}, {"CANCEL_FUNCTION", "cancel"}, {"DESTROY_FUNCTION", "destroy"}});
    PluginSource source = PluginSource::with_cpp(shape);
    source.flags = {"-std=c++17", "-fvisibility=hidden", "-fpermissive", "-I" RONDA_SOURCE_DIR "/sdk/include"};
    source.flags.insert(source.flags.end(), more_flags.begin(), more_flags.end());
    std::string head;
    for (const auto& [word, text] : words) head += "#define " + word + " " + text + "\n";
    const std::size_t at = source.code.find("static const ronda_inst* inst;");
    source.code.insert(at, head);
    plugin.path = build_plugin(dir_, "plugin", source);
    plugin.id = "org.example.disk";
    plugin.kinds = {wire::Kind::check};
    bench = std::make_unique<Supervised>(loop, plugin);
  }

  const plugin::CallEnd& run(std::chrono::nanoseconds timeout = 10s) {
    return bench->run(bench->add(wire::Kind::check, "disk", {}), timeout);
  }

  boost::asio::io_context loop;
  PluginUnderTest plugin;
  std::unique_ptr<Supervised> bench;

 private:
  TempDir dir_;
};

std::string summary_of(Words words) {
  Shaped made(std::move(words));
  const auto& end = made.run();
  return end.fate == Fate::finished ? end.outcome.summary : end.cause;
}

}  // namespace

TEST_CASE("a struct is believed no further than its size, and not at all when that cannot be", "[plugin]") {
  CHECK(summary_of({}) == "fine");
  CHECK(summary_of({{"TABLE_SIZE", "offsetof(ronda_check_1, migrate)"}}) == "fine");
  CHECK(summary_of({{"TABLE_SIZE", "sizeof table + 8"}}) == "fine");  // of a later minor
  for (const char* size : {"0", "4", "39", "0xffffffff"}) {
    INFO(size);
    CHECK_THAT(summary_of({{"TABLE_SIZE", size}}), Catch::Contains("kind ronda.check/1: its table says size ") &&
                                                       Catch::EndsWith("at least 40 is needed; rebuild the plugin with this SDK"));
  }
  for (const char* size : {"0", "4", "23", "0xffffffff"}) {
    INFO(size);
    CHECK_THAT(summary_of({{"PLUGIN_SIZE", size}}), Catch::Contains("its entry returned a description of size "));
  }
  for (const char* size : {"0", "4", "39"}) {
    INFO(size);
    CHECK(summary_of({{"RESULT_SIZE", size}}) == "failed with code -6");
  }
}

TEST_CASE("a function that may be absent is skipped, one that may not is named", "[plugin]") {
  CHECK_THAT(summary_of({{"CREATE_FUNCTION", "nullptr"}}), Catch::EndsWith("kind ronda.check/1: member create is NULL"));
  CHECK_THAT(summary_of({{"RUN_FUNCTION", "nullptr"}}), Catch::EndsWith("kind ronda.check/1: member run is NULL"));
  CHECK_THAT(summary_of({{"DESTROY_FUNCTION", "nullptr"}}), Catch::EndsWith("kind ronda.check/1: member destroy is NULL"));
  Shaped made(Words{{"CANCEL_FUNCTION", "nullptr"}, {"RUN", "pollfd fd{call->cancel_fd, POLLIN, 0}; poll(&fd, 1, -1)"}});
  const auto& end = made.run(300ms);
  CHECK(end.fate == Fate::finished);
  CHECK(end.outcome.timed_out);
  CHECK(made.bench->status().deaths == 0);
}

TEST_CASE("a run that returns without a result is told so, and is unknown", "[plugin]") {
  Shaped made(Words{{"RUN", "return 0"}});
  const auto& end = made.run(20s);
  CHECK(end.fate == Fate::finished);
  CHECK(end.outcome.end == wire::End::silent);
  CHECK(end.outcome.status == 3);
  CHECK(end.outcome.summary == "returned without a result");
  CHECK(made.bench->status().deaths == 0);
}

TEST_CASE("an id that is not exactly one of ours has no service", "[plugin]") {
  const std::string ask =
      "const std::string ids[] = {\"\", \"nothing\", \"ronda.emit/1x\", \"ronda.emit/2\", \"ronda.emit\", std::string(1 << 20, 'r')};"
      "for (const auto& id : ids) if (inst->query(inst, id.c_str()) != nullptr) said = \"there is \" + id.substr(0, 40)";
  CHECK(summary_of({{"RUN", ask}}) == "fine");
}

TEST_CASE("the host writes no further into the plugin's structs than they say", "[plugin]") {
  const std::string poke =
      "alignas(8) unsigned char error[64], result[128]; std::memset(error, 0xaa, 64); std::memset(result, 0xaa, 128);"
      "auto* e = reinterpret_cast<ronda_error*>(error); e->size = 16;"
      "auto* x = reinterpret_cast<ronda_exec_result*>(result); x->size = 16;"
      "auto exec = static_cast<const ronda_exec_1*>(inst->query(inst, RONDA_SERVICE_EXEC));"
      "ronda_str argv[] = {{\"/bin/true\", 9}}; ronda_exec_spec spec{}; spec.size = sizeof spec; spec.argv = argv; spec.argc = 1;"
      "const int code = exec->run(inst, call, &spec, x, e);"
      "said = \"code \" + std::to_string(code) + \" \" + e->msg;"
      "for (int i = 16; i < 64; ++i) if (error[i] != 0xaa) said += \" error overrun\";"
      "for (int i = 16; i < 128; ++i) if (result[i] != 0xaa) said += \" result overrun\"";
  CHECK(summary_of({{"RUN", poke}}) == "code -6 exec ne");
}

TEST_CASE("a create that fails without a word is told by its code", "[plugin]") {
  CHECK(summary_of({{"CREATE", "return -7"}}) == "create failed with code -7");
  CHECK(summary_of({{"CREATE", "*self = nullptr"}}) == "fine");  // the plugin's own business
  CHECK(summary_of({{"CREATE", "throw std::runtime_error(\"not today\")"}}) == "create threw: not today");
  CHECK(summary_of({{"CREATE", "throw 7"}}) == "create threw: something that is no std::exception");
}

TEST_CASE("what cancel or destroy throws is told, and the next run works", "[plugin]") {
  Shaped made(Words{{"MORE", "static std::atomic<bool> cancelled;"},
                    {"CANCEL", "cancelled = true; throw std::runtime_error(\"no cancel\")"},
                    {"DESTROY", "throw std::runtime_error(\"no end\")"},
                    {"RUN", "while (!cancelled) poll(nullptr, 0, 5)"}});
  const auto instance = made.bench->add(wire::Kind::check, "disk", {});
  // where the machine stands still just then it is a timeout
  const auto comes_back = [&] { return made.bench->run(instance, 200ms).fate == Fate::finished; };
  CHECK((comes_back() || comes_back() || comes_back()));
  CHECK(made.bench->until([&] { return made.bench->has_log("cancel threw: no cancel"); }));
  CHECK(made.bench->run(instance).outcome.summary == "fine");
  made.bench->supervisor().retire();
  CHECK(made.bench->until([&] { return made.bench->supervisor().is_empty(); }, 10s));
  CHECK(made.bench->has_log("destroy threw: no end"));
  CHECK(made.bench->status().deaths == 0);
}

TEST_CASE("a jump out of a run ends the runner at most", "[plugin]") {
  Shaped made(Words{{"MORE", "static jmp_buf gone; __attribute__((noinline)) static int mark() { return setjmp(gone); }"},
                    {"CREATE", "mark()"},
                    {"RUN", "longjmp(gone, 1)"}});
  for (int i = 0; i < 2; ++i) {
    const auto& end = made.run(2s);
    INFO(end.cause);
    const bool told = end.fate == Fate::crashed || end.fate == Fate::timeout || end.outcome.end != wire::End::reported;
    CHECK(told);
  }
  Shaped other(Words{});
  CHECK(other.run().outcome.summary == "fine");
}

TEST_CASE("handlers and destructors that a plugin leaves behind are not run when its runner leaves", "[plugin]") {
  Shaped made(Words{{"MORE",
                     "struct Bomb { ~Bomb() { std::abort(); } int x = 0; }; static Bomb bomb; static thread_local Bomb own;"
                     "static pthread_key_t key;"},
                    {"RUN",
                     "own.x = 1; std::atexit([] { std::abort(); });"
                     "pthread_key_create(&key, [](void*) { std::abort(); }); pthread_setspecific(key, &bomb)"}});
  CHECK(made.run().outcome.summary == "fine");
  CHECK(made.run().outcome.summary == "fine");
  made.bench->supervisor().retire();
  CHECK(made.bench->until([&] { return made.bench->supervisor().is_empty(); }, 10s));
  CHECK(made.bench->status().deaths == 0);
}

TEST_CASE("two builds of one plugin share nothing, whatever the linker made unique", "[plugin]") {
  const auto build = [](const std::string& version) {
    return std::make_unique<Shaped>(
        Words{{"MORE", "struct Once { inline static int count = 0; }; static int& single() { static int one = 0; return one; }"},
              {"RUN",
               "const std::regex digits(\"[0-9]+\"); ++Once::count; ++single();"
               "said = std::string(\"" +
                   version +
                   " \") + std::to_string(Once::count) + std::to_string(single()) + (std::regex_match(\"42\", digits) ? \"\" : \" no\")"}},
        std::vector<std::string>{"-fvisibility=default"});
  };
  const auto one = build("one"), two = build("two");
  CHECK(one->run().outcome.summary == "one 11");
  CHECK(one->run().outcome.summary == "one 22");
  CHECK(two->run().outcome.summary == "two 11");
  CHECK(one->run().outcome.summary == "one 33");
}

TEST_CASE("ten copies of a plugin with thread-local variables of the initial-exec model all run", "[plugin]") {
  const Shaped first(Words{{"MORE", "static thread_local char block[512];"}, {"RUN", "block[call->id % 512] = 1"}},
                     {"-ftls-model=initial-exec"});
  for (int i = 0; i < 10; ++i) {
    boost::asio::io_context loop;
    Supervised bench(loop, first.plugin);
    CHECK(bench.run(bench.add(wire::Kind::check, "disk", {})).outcome.summary == "fine");
  }
}
