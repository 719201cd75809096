// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <set>
#include <stdexcept>

#include "chaos.hpp"

namespace chaos {
namespace {

ronda::result count(const Deed& deed) {
  const ronda::kv_service kv(deed.inst);
  const std::int64_t before = kv.get_i64("count").value_or(0);
  const ronda::outcome put = kv.put("count", before + 1);
  return put ? ronda::ok("count ", before + 1) : ronda::unknown("put: ", put.error());
}

ronda::result all_state(const Deed& deed) {
  const auto all = ronda::kv_service(deed.inst).all();
  if (!all) return ronda::unknown("all: ", all.error());
  std::size_t bytes = 0;
  for (const auto& [key, value] : *all) bytes += value.size();
  return ronda::ok(all->size(), " keys, ", bytes, " bytes");
}

ronda::result inbox(const Deed& deed) {
  const auto events = ronda::inbox_service(deed.inst).take(deed.call);
  if (!events) return ronda::unknown("inbox: ", events.error());
  std::string text;
  for (const auto& event : *events) text += event.event + "=" + event.text + ";";
  return ronda::ok(text);
}

/// Writes or takes, and then does not end as it should.
bool write_then(const Deed& deed, ronda::result& result) {
  const std::string_view mode = deed.mode;
  const std::size_t then = mode.find("-then-");
  if (then == std::string_view::npos) return false;
  const ronda::kv_service kv(deed.inst);
  if (mode.substr(0, then) == "kv-commit") {
    static_cast<void>(kv.put("before", "1"));
    static_cast<void>(kv.commit());
  }
  if (mode.substr(0, then) == "inbox")
    static_cast<void>(ronda::inbox_service(deed.inst).take(deed.call));
  else
    static_cast<void>(kv.put("after", "1"));
  const std::string_view end = mode.substr(then + 6);
  if (end == "throw") throw std::runtime_error("after what it wrote");
  if (end == "segv") ::raise(SIGSEGV);
  if (end == "late") sleep_ms(2000);
  result = ronda::ok("wrote");
  return true;
}

/// One value under `n` keys, which is the one after the largest that is there; a run that cannot commit it fails.
ronda::result commit_batch(const Deed& deed) {
  const ronda::kv_service kv(deed.inst);
  const auto before = kv.all("batch/");
  if (!before) return ronda::unknown("all: ", before.error());
  std::int64_t last = 0;
  for (const auto& [key, value] : *before) last = std::max(last, std::int64_t{std::atoll(value.c_str())});
  const std::string next = std::to_string(last + 1) + " " + std::string(1000, 'b');
  for (std::int64_t i = 0; i < deed.n; ++i) {
    const auto put = kv.put(ronda::text("batch/", i), next);
    if (!put) return ronda::unknown("put: ", put.error());
  }
  if (deed.mode == "kv-batch-late") sleep_ms(1500);
  const auto kept = kv.commit();
  if (deed.mode == "kv-batch-then-die") ::kill(::getpid(), SIGKILL);
  if (!kept) throw std::runtime_error(ronda::text("commit: ", kept.code(), " ", kept.error()));
  return ronda::ok("committed ", last + 1);
}

/// What stands under the keys of the batch: "20 keys, 1 value, 7".
ronda::result look_at_batch(const Deed& deed) {
  const auto all = ronda::kv_service(deed.inst).all("batch/");
  if (!all) return ronda::unknown("all: ", all.error());
  std::set<std::int64_t> values;
  for (const auto& [key, value] : *all) values.insert(std::atoll(value.c_str()));
  return ronda::ok(all->size(), " keys, ", values.size(), " value, ", values.empty() ? 0 : *values.begin());
}

ronda::result calendar(const Deed& deed) {
  const auto next = ronda::calendar_service(deed.inst).next("daily", ronda::wall_time());
  return next ? ronda::ok("next ", next->time_since_epoch().count()) : ronda::unknown("calendar: ", next.error());
}

ronda::result facts(const Deed& deed) {
  const ronda::facts_service facts(deed.inst);
  return ronda::ok(facts.get("hostname").value_or("?"), " ", facts.get("instance.name").value_or("?"), " ",
                   facts.get("instance.kind").value_or("?"));
}

/// A program that would take half a gigabyte.
ronda::result exec_swell(const Deed& deed) {
  const ronda::exec_service exec(deed.inst);
  const auto done = exec.run(deed.call, {"/bin/sh", "-c", "head -c 512M /dev/zero | tail -n 1 >/dev/null"});
  return done ? ronda::ok("exit ", done->exit_code) : ronda::unknown("exec: ", done.error());
}

ronda::result exec(const Deed& deed) {
  const ronda::exec_service exec(deed.inst);
  const auto done = exec.run(deed.call, {"/bin/echo", "from", "a", "child"});
  return done ? ronda::ok("exit ", done->exit_code, " ", done->out) : ronda::unknown("exec: ", done.error());
}

/// What a program that is started finds open, besides its own three.
ronda::result exec_descriptors(const Deed& deed) {
  const auto done = ronda::exec_service(deed.inst).run(deed.call, {"/bin/ls", "-l", "/proc/self/fd"});
  return done ? ronda::ok(done->out) : ronda::unknown("exec: ", done.error());
}

/// What a program starts with after its plugin has spoiled its own signals.
ronda::result exec_signals(const Deed& deed) {
  ::signal(SIGUSR2, SIG_IGN);
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  const auto done = ronda::exec_service(deed.inst).run(deed.call, {"/bin/grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"});
  ::pthread_sigmask(SIG_UNBLOCK, &blocked, nullptr);
  return done ? ronda::ok(done->out) : ronda::unknown("exec: ", done.error());
}

/// The mask of a program whose plugin has changed its own.
ronda::result exec_umask(const Deed& deed) {
  const mode_t mask = ::umask(0777);
  const auto done = ronda::exec_service(deed.inst).run(deed.call, {"/bin/grep", "Umask", "/proc/self/status"});
  ::umask(mask);
  return done ? ronda::ok(done->out) : ronda::unknown("exec: ", done.error());
}

/// A program whose plugin has closed the places of the standard streams, where its pipes would come to lie.
ronda::result exec_closed_streams(const Deed& deed) {
  for (int fd = 0; fd < 3; ++fd) ::close(fd);
  ronda::exec_options how;
  how.input = "in,";
  const auto done = ronda::exec_service(deed.inst).run(deed.call, {"/bin/sh", "-c", "cat; echo out; echo err >&2"}, how);
  return done ? ronda::ok(done->out, done->err) : ronda::unknown("exec: ", done.error());
}

ronda::result exec_missing(const Deed& deed) {
  const auto done = ronda::exec_service(deed.inst).run(deed.call, {"/nonexistent/program"});
  return done ? ronda::ok("exit ", done->exit_code) : ronda::unknown("exec: ", done.error());
}

/// Past the service, as code would that has read how frames are made.
ronda::result own_descriptors(const Deed&) {
  std::string open;
  for (int fd = 0; fd < 16; ++fd) {
    char target[PATH_MAX] = {};
    if (::readlink(ronda::text("/proc/self/fd/", fd).c_str(), target, sizeof target - 1) > 0) open += ronda::text(fd, " ", target, "\n");
  }
  return ronda::ok(open);
}

ronda::result exec_long(const Deed& deed) {
  const auto done = ronda::exec_service(deed.inst).run(deed.call, {"/bin/sleep", "600"});
  return done ? ronda::ok("ended ", done->timed_out ? "at its deadline" : "by itself") : ronda::unknown("exec: ", done.error());
}

ronda::result clock(const Deed& deed) {
  const ronda::clock_service clock(deed.inst);
  const auto before = clock.mono();
  const ronda::outcome slept = clock.sleep(deed.call, std::chrono::milliseconds(deed.n));
  return ronda::ok(slept ? "slept " : "woken ", (clock.mono() - before) / std::chrono::milliseconds(1) >= deed.n ? "long" : "short");
}

/// Who and where this process is, as the tests of confinement compare it.
ronda::result self(const Deed&) {
  const mode_t mask = ::umask(077);
  ::umask(mask);
  char cwd[PATH_MAX] = {};
  static_cast<void>(::getcwd(cwd, sizeof cwd));
  const char* const lang = std::getenv("LANG");
  const char* const zone = std::getenv("TZ");
  const auto handled = [](int number) {
    struct sigaction now {};
    ::sigaction(number, nullptr, &now);
    return now.sa_handler == SIG_IGN ? "ignored" : now.sa_handler == SIG_DFL ? "default" : "handled";
  };
  return ronda::ok("uid ", ::getuid(), " groups ", ::getgroups(0, nullptr), " pid ", ::getpid(), " ppid ", ::getppid(), " cwd ", cwd,
                   " umask ", mask, " lang ", lang == nullptr ? "" : lang, " tz ", zone == nullptr ? "" : zone, " locale ",
                   ::setlocale(LC_ALL, nullptr), " sigpipe ", handled(SIGPIPE), " sigsegv ", handled(SIGSEGV), " sigterm ",
                   handled(SIGTERM));
}

}  // namespace

bool ask(Deed& deed, ronda::result& result) {
  const std::string_view mode = deed.mode;
  if (mode != "kv-batch-then-die" && write_then(deed, result)) return true;
  if (mode == "ok-from") {  // the n-th run and those after it are well
    const ronda::kv_service kv(deed.inst);
    const std::int64_t run = kv.get_i64("runs").value_or(0) + 1;
    static_cast<void>(kv.put("runs", run));
    result = run >= deed.n ? ronda::ok("run ", run) : ronda::critical("run ", run);
    return true;
  }
  if (mode == "destroy-kv")
    static_cast<void>(ronda::kv_service(deed.inst).put("before", "this"));
  else if (mode == "kv")
    result = count(deed);
  else if (mode.substr(0, 8) == "kv-batch")
    result = commit_batch(deed);
  else if (mode == "kv-look")
    result = look_at_batch(deed);
  else if (mode == "kv-all")
    result = all_state(deed);
  else if (mode == "inbox")
    result = inbox(deed);
  else if (mode == "calendar")
    result = calendar(deed);
  else if (mode == "facts")
    result = facts(deed);
  else if (mode == "exec")
    result = exec(deed);
  else if (mode == "exec-swell")
    result = exec_swell(deed);
  else if (mode == "exec-descriptors")
    result = exec_descriptors(deed);
  else if (mode == "exec-signals")
    result = exec_signals(deed);
  else if (mode == "exec-umask")
    result = exec_umask(deed);
  else if (mode == "exec-closed-streams")
    result = exec_closed_streams(deed);
  else if (mode == "exec-missing")
    result = exec_missing(deed);
  else if (mode == "own-descriptors")
    result = own_descriptors(deed);
  else if (mode == "exec-long")
    result = exec_long(deed);
  else if (mode == "clock")
    result = clock(deed);
  else if (mode == "self")
    result = self(deed);
  else if (mode == "log")
    ronda::log_service(deed.inst).warning("a line of the log");
  else if (mode == "log-flood") {
    for (std::int64_t i = 0; i < deed.n; ++i) ronda::log_service(deed.inst).warning("line ", i);
  } else if (mode == "event") {
    deed.call.event("happened", "something worth a line");
  } else if (mode == "progress") {
    for (int i = 0; i <= 100; ++i) deed.call.progress(i / 100.0, "on the way");
  } else {
    return false;
  }
  return true;
}

}  // namespace chaos
