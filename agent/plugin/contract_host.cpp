// SPDX-License-Identifier: Apache-2.0
// ronda-contract PLUGIN KINDS KIND PROCEDURE RULE SEED NETWORK < options: tries one rule of the contract in
// this process, against the SDK's testing host, and says what broke it. Started by `ronda plugin test`, one
// process a rule: what a plugin does to its process ends with it. Exit codes: 0 holds, 1 broken, 77 does not
// apply; anything else is the plugin's doing. Programs are not run, tasks are only asked what they would do,
// and with NETWORK "none" nobody can be reached.
#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <ronda/testing.hpp>
#include <thread>

#include "base/clock.hpp"
#include "plugin/contract_rules.hpp"
#include "plugin/wire.hpp"

namespace {

using namespace ronda::testing;
using namespace std::chrono_literals;

constexpr int holds = 0, broken = 1, not_applicable = 77;
constexpr auto come_back_limit = 5s;  // after a cancel, on a busy machine
constexpr uid_t nobody = 65534;

/// What the command line says.
struct Trial {
  std::string path;   // by descriptor, so that a change of user does not hide it
  std::string kinds;  // of the manifest's procedures, one each, with a comma after each
  std::string kind, procedure;
  std::uint64_t seed = 0;
  std::string options;  // as encode_options makes them
};

int report_fd = -1;  // where the verdict goes: a plugin may have closed what stands for it by custom

void say(const std::string& why) {
  std::fflush(stdout);
  const std::string line = why + "\n";
  for (const int fd : {report_fd, STDOUT_FILENO, STDERR_FILENO})
    if (fd >= 0 && ::write(fd, line.data(), line.size()) > 0) return;
}

int fail(const std::string& why) {
  say(why);
  return broken;
}

int skip(const std::string& why) {
  say(why);
  return not_applicable;
}

node read_node(ronda::wire::Reader& r) {
  using ronda::wire::Type;
  switch (r.peek()) {
    case Type::boolean:
      return r.boolean();
    case Type::integer:
      return r.integer();
    case Type::real:
      return r.real();
    case Type::secret:
      return node::secret(std::string(r.secret()));
    case Type::text:
      return std::string(r.text());
    case Type::array: {
      node::list items;
      for (std::size_t left = r.array(); left > 0 && r.ok(); --left) items.push_back(read_node(r));
      return items;
    }
    case Type::map: {
      node::table members;
      for (std::size_t left = r.map(); left > 0 && r.ok(); --left) {
        std::string key(r.text());
        members.emplace_back(std::move(key), read_node(r));
      }
      return members;
    }
    default:
      r.skip();
      return {};
  }
}

/// Gives a host the options of the trial.
void prepare(host& h, const Trial& trial) {
  ronda::wire::Reader r(trial.options);
  for (std::size_t left = r.map(); left > 0 && r.ok(); --left) {
    const std::string key(r.text());
    h.set(key, read_node(r));
  }
  h.on_calendar([](std::string_view, ronda::wall_time at, bool next) -> std::optional<ronda::wall_time> {
    return next ? at + 1h : at - 1h;
  });
}

report call(subject& made, const Trial& trial, const run_options& how = {}) {
  if (trial.kind == RONDA_KIND_NOTIFIER) return made.deliver({}, how);
  run_options quiet = how;
  quiet.dry_run = trial.kind == RONDA_KIND_TASK;
  return made.run(quiet);
}

/// The result of a call judged; empty when all is well.
std::string judge(const report& r, const host& h) {
  std::string out;
  if (!r.ended() && r.code == RONDA_OK) out += "the call gave no result\n";
  if (r.code != RONDA_OK && r.error.empty()) out += "the call failed without a text\n";
  if (r.ended() && r.summary.empty()) out += "the result has no summary\n";
  for (const std::string& rule : h.broken()) out += rule + "\n";
  return out;
}

int told(const std::string& problems) {
  return problems.empty() ? holds : fail(problems.substr(0, problems.size() - 1));
}

// ---- the plugin as a whole ----

int loads(const Trial& trial) {
  const library file(trial.path);
  const ronda_plugin& plugin = file.plugin();
  if (plugin.size < sizeof(ronda_plugin) || plugin.size > 4096)
    return fail("its description has size " + std::to_string(plugin.size));
  if (plugin.abi_minor > RONDA_ABI_MINOR)
    return fail("it needs minor " + std::to_string(plugin.abi_minor) + " of the SDK");
  return plugin.query == nullptr ? fail("its query is NULL") : holds;
}

template <class Table, class Work>
std::string missing_functions(const void* raw, Work Table::*work, const char* work_name) {
  const auto* table = static_cast<const Table*>(raw);
  if (table->size < offsetof(Table, destroy) + sizeof(table->destroy))
    return "its table says size " + std::to_string(table->size);
  if (table->create == nullptr) return "create is NULL";
  if (table->*work == nullptr) return std::string(work_name) + " is NULL";
  return table->destroy == nullptr ? "destroy is NULL" : "";
}

std::string missing_in(const library& file, const std::string& kind) {
  const void* table = file.plugin().query(kind.c_str());
  if (table == nullptr) return "query returns NULL";
  if (kind == RONDA_KIND_CHECK) return missing_functions(table, &ronda_check_1::run, "run");
  if (kind == RONDA_KIND_TASK) return missing_functions(table, &ronda_task_1::run, "run");
  return missing_functions(table, &ronda_notifier_1::deliver, "deliver");
}

int has_kinds(const Trial& trial) {
  const std::string missing = missing_in(library(trial.path), trial.kind);
  return missing.empty() ? holds : fail(trial.kind + ": " + missing);
}

int has_no_other_kinds(const Trial& trial) {
  const library file(trial.path);
  for (const std::string kind : {RONDA_KIND_CHECK, RONDA_KIND_TASK, RONDA_KIND_NOTIFIER}) {
    if (trial.kinds.find(kind + ",") == std::string::npos && file.plugin().query(kind.c_str()) != nullptr)
      return fail("it has " + kind + ", which no [[provides]] of its manifest names");
  }
  return holds;
}

int knows_no_strangers(const Trial& trial) {
  const library file(trial.path);
  const std::string trailing = trial.kind + "x", longest(1 << 20, 'k');
  for (const std::string& kind : {std::string("org.example.unknown/1"), trailing, std::string(),
                                  trial.kind.substr(0, trial.kind.size() - 1), longest}) {
    if (file.plugin().query(kind.c_str()) != nullptr)
      return fail("query of \"" + kind.substr(0, 40) + "\" returns a table");
  }
  return holds;
}

// ---- instances ----

int creates(const Trial& trial) {
  host h;
  prepare(h, trial);
  {
    const subject made = library(trial.path).create(h, trial.kind.c_str(), trial.procedure);
    if (!made) return fail("create failed: " + made.error());
  }
  return told(judge({RONDA_OK, {}, 1, 0, "-", {}, {}, {}, {}, {}}, h));
}

/// Whether create works, or fails as it should.
int creates_or_says_why(const Trial& trial, host& h, const std::string& procedure) {
  const subject made = library(trial.path).create(h, trial.kind.c_str(), procedure);
  if (made) return holds;
  return made.error().find_first_not_of(" \n") == std::string::npos ? fail("create failed without a text")
                                                                    : holds;
}

/// How many procedures of the trial's kind the manifest names.
std::size_t procedures_of_kind(const Trial& trial) {
  const std::string word = trial.kind + ",";
  std::size_t count = 0;
  for (std::size_t at = trial.kinds.find(word); at != std::string::npos;
       at = trial.kinds.find(word, at + word.size()))
    ++count;
  return count;
}

int refuses_unknown_procedures(const Trial& trial) {
  host h;
  prepare(h, trial);
  // where there is one procedure of a kind, its name is not needed to choose it
  if (procedures_of_kind(trial) == 1) return creates_or_says_why(trial, h, "no.such-procedure");
  const subject made = library(trial.path).create(h, trial.kind.c_str(), "no.such-procedure");
  if (made) return fail("create made an instance of the procedure \"no.such-procedure\"");
  return made.error().empty() ? fail("create failed without a text") : holds;
}

int bears_no_options(const Trial& trial) {
  host h;
  return creates_or_says_why(trial, h, trial.procedure);
}

int bears_denial(const Trial& trial) {
  host h;
  prepare(h, trial);
  for (const char* service :
       {RONDA_SERVICE_LOG, RONDA_SERVICE_KV, RONDA_SERVICE_SECRET, RONDA_SERVICE_EXEC, RONDA_SERVICE_CLOCK,
        RONDA_SERVICE_FACTS, RONDA_SERVICE_INBOX, RONDA_SERVICE_CALENDAR})
    h.deny(service);
  return creates_or_says_why(trial, h, trial.procedure);
}

int lives_beside_itself(const Trial& trial) {
  const library file(trial.path);
  host first_host, second_host;
  prepare(first_host, trial);
  prepare(second_host, trial);
  std::optional<subject> first(file.create(first_host, trial.kind.c_str(), trial.procedure));
  const subject second = file.create(second_host, trial.kind.c_str(), trial.procedure);
  if (!*first || !second) return fail("create failed: " + first->error() + second.error());
  first.reset();  // in the order of creation; C++ would take the other
  return told(judge({RONDA_OK, {}, 1, 0, "-", {}, {}, {}, {}, {}}, second_host));
}

// ---- calls ----

int calls(const Trial& trial, int times) {
  host h;
  prepare(h, trial);
  std::string problems;
  std::size_t known = 0;
  {
    subject made = library(trial.path).create(h, trial.kind.c_str(), trial.procedure);
    if (!made) return fail("create failed: " + made.error());
    for (int i = 0; i < times; ++i) {
      h.advance(1min);
      const report r = call(made, trial);
      if (i + 1 == times) problems = judge(r, h);
    }
    known = h.broken().size();
  }
  // in destroy it may do what it must not, too; a thread that it leaves behind has a rule of its own
  const std::vector<std::string>& all = h.broken();
  for (std::size_t i = known; i < all.size(); ++i)
    if (all[i].find("RONDA-P-043") == std::string::npos) problems += all[i] + "\n";
  return told(problems);
}

int calls_once(const Trial& trial) {
  return calls(trial, 1);
}
int calls_twice(const Trial& trial) {
  return calls(trial, 2);
}

int leaves_no_thread(const Trial& trial) {
  host h;
  prepare(h, trial);
  {
    subject made = library(trial.path).create(h, trial.kind.c_str(), trial.procedure);
    if (!made) return fail("create failed: " + made.error());
    call(made, trial);
  }
  std::string problems;
  for (const std::string& rule : h.broken())
    if (rule.find("RONDA-P-043") != std::string::npos) problems += rule + "\n";
  return told(problems);
}

/// A call, cancelled after a time if one is given: is it back soon after that?
int comes_back(const Trial& trial, const run_options& how,
               std::optional<std::chrono::microseconds> cancel_after) {
  host h;
  prepare(h, trial);
  subject made = library(trial.path).create(h, trial.kind.c_str(), trial.procedure);
  if (!made) return fail("create failed: " + made.error());
  auto since = ronda::monotonic();
  std::thread canceller;
  if (cancel_after && cancel_after->count() == 0) {
    made.cancel();
  } else if (cancel_after) {
    since += *cancel_after;
    canceller = std::thread([&made, wait = *cancel_after] {
      std::this_thread::sleep_for(wait);
      made.cancel();
    });
  }
  const report r = call(made, trial, how);
  const auto took = ronda::monotonic() - since;
  if (canceller.joinable()) canceller.join();
  if (took > come_back_limit)
    return fail("it came back " +
                std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()) +
                " ms later; 2 s are the grace of an agent");
  if (!r.ended() && r.code == RONDA_OK) return fail("the call gave no result");
  return holds;
}

int cancels_at_once(const Trial& trial) {
  return comes_back(trial, {}, 0us);
}

int cancels_somewhere(const Trial& trial) {
  std::mt19937_64 random(trial.seed);
  return comes_back(trial, {}, std::chrono::microseconds(1 + random() % 100'000));
}

int minds_deadlines(const Trial& trial) {
  run_options late;
  late.deadline = -1s;
  return comes_back(trial, late, std::nullopt);
}

std::string nonsense(std::mt19937_64& random, std::size_t length) {
  std::string out(length, '\0');
  for (char& c : out) c = static_cast<char>(random() & 0xFFU);
  return out;
}

/// What is kept under each key, damaged: cut, garbled, empty, replaced.
int bears_damaged_state(const Trial& trial) {
  const library file(trial.path);
  host clean;
  prepare(clean, trial);
  {
    subject made = file.create(clean, trial.kind.c_str(), trial.procedure);
    if (!made) return fail("create failed: " + made.error());
    call(made, trial), clean.advance(1min), call(made, trial);
  }
  if (clean.kept().empty()) return skip("it keeps nothing with these options");
  std::mt19937_64 random(trial.seed);
  for (int round = 0; round < 40; ++round) {
    host h;
    prepare(h, trial);
    for (const auto& [key, text] : clean.kept()) {
      std::string bytes = text;
      if (round % 4 == 0)
        bytes = nonsense(random, random() % 300);
      else if (round % 4 == 1)
        bytes.resize(bytes.empty() ? 0 : random() % bytes.size());
      else if (round % 4 == 2 && !bytes.empty())
        bytes[random() % bytes.size()] = static_cast<char>(random() & 0xFFU);
      else
        bytes += bytes;
      h.keep(key, bytes);
    }
    subject made = file.create(h, trial.kind.c_str(), trial.procedure);
    if (!made) continue;
    const report r = call(made, trial);
    if (!r.ended() && r.code == RONDA_OK) return fail("with damaged state the call gave no result");
  }
  return holds;
}

int bears_nonsense_in_its_inbox(const Trial& trial) {
  const library file(trial.path);
  std::mt19937_64 random(trial.seed);
  host h;
  prepare(h, trial);
  const char* const events[] = {"start", "success", "fail", "heartbeat", "log", "", "no such event"};
  for (int i = 0; i < 200; ++i)
    h.send(events[random() % std::size(events)], nonsense(random, random() % 2000),
           static_cast<std::int32_t>(random()));
  subject made = file.create(h, trial.kind.c_str(), trial.procedure);
  if (!made) return fail("create failed: " + made.error());
  const std::size_t before = h.inbox_left();
  const report r = call(made, trial);
  if (!r.ended() && r.code == RONDA_OK) return fail("the call gave no result");
  return h.inbox_left() == before ? skip("it does not look into its inbox") : holds;
}

// ---- the process ----

using ProcessState = std::map<std::string, std::string>;

void add_signals(ProcessState& out) {
  sigset_t blocked;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  std::string& mask = out["the signal mask"];
  for (int number = 1; number <= SIGRTMAX; ++number) {
    struct sigaction action {};
    mask += ::sigismember(&blocked, number) == 1 ? "b" : "-";
    if (number == SIGKILL || number == SIGSTOP || ::sigaction(number, nullptr, &action) != 0) continue;
    const char* const name = ::sigabbrev_np(number);
    out["the handling of " + (name == nullptr ? "signal " + std::to_string(number) : "SIG" + std::string(name))] =
        std::to_string(reinterpret_cast<std::uintptr_t>(action.sa_handler));
  }
}

/// Of all that is open: by what it is, so that another file in the place of one that was closed is seen too.
void add_descriptors(ProcessState& out) {
  DIR* const all = ::opendir("/proc/self/fd");
  if (all == nullptr) return;
  while (const dirent* entry = ::readdir(all)) {
    struct stat facts {};
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] == '.' || fd == ::dirfd(all) || ::fstat(fd, &facts) != 0) continue;
    out["descriptor " + std::to_string(fd)] = std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino);
  }
  ::closedir(all);
}

/// What a plugin may not change for its neighbours, by what people call it.
ProcessState process_state() {
  ProcessState out;
  char directory[4096] = {};
  out["working directory"] = ::getcwd(directory, sizeof directory) == nullptr ? "?" : directory;
  const mode_t mask = ::umask(022);
  ::umask(mask);
  out["umask"] = std::to_string(mask);
  out["locale"] = ::setlocale(LC_ALL, nullptr);
  out["locale of the thread"] = ::uselocale(nullptr) == LC_GLOBAL_LOCALE ? "the process's" : "its own";
  out["time zone"] = std::string(::tzname[0]) + " " + ::tzname[1] + " " + std::to_string(::timezone);
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    out["environment " + std::string(variable.substr(0, variable.find('=')))] = variable;
  }
  add_signals(out);
  add_descriptors(out);
  return out;
}

/// What of `before` is not so any more, or is new; that something was opened is no harm.
std::string changes(const ProcessState& before, const ProcessState& after) {
  std::string out;
  for (const auto& [what, value] : before) {
    const auto now = after.find(what);
    if (now == after.end() || now->second != value) out += "changed: " + what + "\n";
  }
  for (const auto& [what, value] : after)
    if (before.count(what) == 0 && what.find("descriptor ") != 0) out += "changed: " + what + "\n";
  return out;
}

int leaves_the_process_alone(const Trial& trial) {
  host h;
  prepare(h, trial);
  ::tzset();  // anybody may ask for the local time, which sets the zone
  const ProcessState before = process_state();
  {
    subject made = library(trial.path).create(h, trial.kind.c_str(), trial.procedure);
    if (!made) return fail("create failed: " + made.error());
    call(made, trial);
  }
  return told(changes(before, process_state()));
}

struct Case {
  std::string_view number;
  int (*run)(const Trial& trial);
};
constexpr Case cases[] = {{"RONDA-P-001", loads},
                          {"RONDA-P-007", has_kinds},
                          {"RONDA-P-009", has_no_other_kinds},
                          {"RONDA-P-015", knows_no_strangers},
                          {"RONDA-P-016", creates},
                          {"RONDA-P-017", refuses_unknown_procedures},
                          {"RONDA-P-018", bears_no_options},
                          {"RONDA-P-019", lives_beside_itself},
                          {"RONDA-P-022", bears_denial},
                          {"RONDA-P-030", calls_once},
                          {"RONDA-P-037", calls_twice},
                          {"RONDA-P-040", cancels_at_once},
                          {"RONDA-P-048", cancels_somewhere},
                          {"RONDA-P-049", minds_deadlines},
                          {"RONDA-P-043", leaves_no_thread},
                          {"RONDA-P-050", bears_damaged_state},
                          {"RONDA-P-051", bears_nonsense_in_its_inbox},
                          {"RONDA-P-045", leaves_the_process_alone}};
static_assert(std::size(cases) == ronda::plugin::contract_rules.size());

/// Code of a stranger does not run as root, not even for a test.
bool drop_root() {
  if (::geteuid() != 0) return true;
  return ::setresgid(nobody, nobody, nobody) == 0 && ::setresuid(nobody, nobody, nobody) == 0 &&
         ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

/// A network of its own, without a single device that is up; where the kernel allows it.
void leave_network() {
  if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
    std::fprintf(stderr, "the network stays in reach\n");
}

std::string read_all(int fd) {
  std::string out;
  char buffer[4096];
  for (ssize_t got; (got = ::read(fd, buffer, sizeof buffer)) > 0;)
    out.append(buffer, static_cast<std::size_t>(got));
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8)
    return std::fprintf(stderr,
                        "usage: ronda-contract PLUGIN KINDS KIND PROCEDURE RULE SEED NETWORK < options\n"),
           2;
  const int file = ::open(argv[1], O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::perror(argv[1]), 2;
  const std::string options = read_all(STDIN_FILENO);
  report_fd = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 64);  // above what a plugin would guess at
  if (std::string_view(argv[7]) == "none") leave_network();
  if (!drop_root()) return std::perror("become nobody"), 2;
  Trial trial{"/proc/self/fd/" + std::to_string(file), argv[2], argv[3], argv[4],
              std::strtoull(argv[6], nullptr, 10),     options};
  const auto* const found = std::ranges::find(cases, std::string_view(argv[5]), &Case::number);
  if (found == std::end(cases)) return std::fprintf(stderr, "there is no rule %s\n", argv[5]), 2;
  try {
    const int verdict = found->run(trial);
    std::fflush(stdout);
    ::_exit(verdict);  // as in a runner, no exit handler of the plugin is run
  } catch (const std::exception& e) {
    return fail(e.what());
  }
}
