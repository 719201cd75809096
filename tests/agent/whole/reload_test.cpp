// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "base/clock.hpp"
#include "catch.hpp"
#include "skip.hpp"
#include "slot_account.hpp"
#include "store_rows.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

std::string exec_check(const std::string& name, const std::string& text, const std::string& every = "30d") {
  return "[check." + name + "]\nuse = \"exec.nagios\"\nevery = \"" + every + "\"\ncommand = [\"/bin/echo\", \"" + text + "\"]\n\n";
}

std::set<std::string> check_names(const WholeAgent& agent) {
  std::set<std::string> out;
  const json::value status = agent.status();
  if (!status.is_object()) return out;
  for (const json::value& one : status.at("checks").as_array()) out.insert(std::string(one.at("name").as_string()));
  return out;
}

std::string summary_of(const WholeAgent& agent, const std::string& name) {
  const json::value one = agent.check(name);
  return one.is_object() ? std::string(one.at("summary").as_string()) : std::string();
}

std::size_t lines_of(const std::string& path) {
  const std::string text = read_file(path);
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

}  // namespace

TEST_CASE("a reload tells what it kept, replaced, added and removed", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", exec_check("steady", "one") + exec_check("changes", "two") + exec_check("goes", "three"));
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return summary_of(agent, "changes") == "two"; }));
  agent.configure("10.toml", exec_check("steady", "one") + exec_check("changes", "another"));
  agent.configure("20.toml", exec_check("comes", "four"));
  const Finished reload = agent.ronda({"reload"});
  CHECK(reload.code == 0);
  CHECK(reload.out == "reload #1: 1 kept, 1 replaced, 1 added, 1 removed, 0 failed\n");
  CHECK(reload.err.find("replaced check changes") != std::string::npos);
  CHECK(check_names(agent) == std::set<std::string>{"steady", "changes", "comes"});
  CHECK(eventually([&] { return summary_of(agent, "comes") == "four"; }));
  CHECK(agent.ronda({"check", "changes"}).out.find("another") != std::string::npos);

  SECTION("one with an error changes nothing, says where, and is forgotten once it is mended") {
    agent.configure("20.toml", "[check.comes]\nuse = \"exec.nagios\"\ncommand = 5\n");
    const Finished refused = agent.ronda({"reload"});
    CHECK(refused.code == 1);
    CHECK(refused.out == "reload #2: refused, nothing changed: 1 error\n");
    CHECK(refused.err.find("20.toml:3:11: error:") != std::string::npos);
    CHECK(check_names(agent) == std::set<std::string>{"steady", "changes", "comes"});
    const json::value status = agent.status();
    CHECK(status.at("agent").at("state").as_string() == "degraded");
    CHECK(status.at("agent").at("generation").as_int64() == 2);
    CHECK(agent.ronda({"status"}).code == 1);
    agent.configure("20.toml", exec_check("comes", "four"));
    CHECK(agent.ronda({"reload"}).out == "reload #3: 3 kept, 0 replaced, 0 added, 0 removed, 0 failed\n");
    CHECK(agent.status().at("agent").at("state").as_string() == "ok");
  }
  SECTION("an empty set is refused unless it is meant") {
    agent.configure("10.toml", "");
    agent.configure("20.toml", "");
    const Finished refused = agent.ronda({"reload"});
    CHECK(refused.code == 1);
    CHECK(refused.out.find("--allow-empty") != std::string::npos);
    CHECK(check_names(agent).size() == 3);
    const Finished meant = agent.ronda({"reload", "--allow-empty"});
    CHECK(meant.code == 0);
    CHECK(meant.out == "reload #3: 0 kept, 0 replaced, 0 added, 3 removed, 0 failed\n");
    CHECK(check_names(agent).empty());
  }
  SECTION("and so is one whose files were emptied") {
    for (const char* name : {"10.toml", "20.toml"}) std::filesystem::resize_file(agent.config_directory() + "/" + name, 0);
    const Finished refused = agent.ronda({"reload"});
    CHECK(refused.code == 1);
    CHECK(refused.out.find("--allow-empty") != std::string::npos);
    CHECK(check_names(agent).size() == 3);
    CHECK(agent.status().at("agent").at("state").as_string() == "degraded");
    CHECK(agent.ronda({"reload", "--allow-empty"}).code == 0);
    CHECK(check_names(agent).empty());
  }
  CHECK(agent.stop() == 0);
}

namespace {

/// Of one check: its runs, the turns that were skipped with a reason, the turn that comes next, and what its program wrote.
struct Account {
  std::int64_t runs = 0, skips = 0;
  double next_s = 0;
  std::vector<double> stamps;  // seconds since the boot
};

std::vector<double> stamps_of(const std::string& path) {
  std::istringstream in(read_file(path));
  return {std::istream_iterator<double>(in), {}};
}

/// Taken between two runs, so that everything before `next` is settled; `file` is what its program writes to.
Account account_of(const WholeAgent& agent, const std::string& name, const std::string& file) {
  Account out;
  const auto runs_of = [](const json::value& explained) { return explained.at("runs").to_number<std::int64_t>(); };
  const bool taken = eventually([&] {
    const json::value explained = agent.get("/v1/explain/" + name);
    if (!explained.is_object() || explained.at("running").as_bool() || !explained.at("next_run").is_string()) return false;
    out.runs = runs_of(explained);
    out.skips = explained.at("skips").to_number<std::int64_t>();
    out.stamps = stamps_of(file);
    const json::value again = agent.get("/v1/explain/" + name);
    if (!again.is_object() || again.at("running").as_bool() || runs_of(again) != out.runs) return false;
    const std::string next(explained.at("next_run").as_string());
    std::tm utc{};
    if (::strptime(next.c_str(), "%Y-%m-%dT%H:%M:%S", &utc) == nullptr) return false;
    out.next_s = static_cast<double>(::timegm(&utc)) + std::stod(next.substr(19, 4));
    return true;
  });
  REQUIRE(taken);
  return out;
}

/// Each run appends the time since the boot, which is what its turns are counted by.
std::string appending_check(const std::string& name, const std::string& directory) {
  return "[check." + name +
         "]\nuse = \"exec.nagios\"\nevery = \"1s\"\ncommand = [\"/bin/sh\", \"-c\", \"read up idle </proc/uptime; echo $up >>$0\", \"" +
         directory + "/" + name + "\"]\n\n";
}

/// By how much each of these came after its turn, where turns are a second apart and the earliest came on time; in seconds,
/// of which the whole ones say by how many turns the count is wrong.
std::vector<double> offsets_of(const std::vector<double>& stamps) {
  std::vector<double> out;
  for (std::size_t i = 0; i < stamps.size(); ++i) out.push_back(stamps[i] - stamps.front() - static_cast<double>(i));
  const double earliest = out.empty() ? 0 : *std::ranges::min_element(out);
  for (double& one : out) one -= earliest;
  return out;
}

/// Processor time, in seconds.
double seconds_of(const rusage& used) {
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// That of all that this process has started and waited for, and of what these have.
double spent_by_children() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  return seconds_of(used);
}

/// How busy this machine is: as many programs as the checks start in a second, and a write that is on the disk, as each slot of a
/// task has one; the longest time from when they were due to the end of the last, and the processor time they took. The agent
/// beside it takes its share of that.
class Metronome {
 public:
  Metronome(int programs, std::string output)
      : beat_([this, programs, output = std::move(output)](const std::stop_token& stop) {
          for (auto due = std::chrono::steady_clock::now(); !stop.stop_requested(); due += 1s) {
            std::this_thread::sleep_until(due);
            std::vector<pid_t> started(static_cast<std::size_t>(programs));
            for (pid_t& one : started) one = start_program({"/bin/sh", "-c", "read up idle </proc/uptime; echo $up"}, output, output);
            const int disk = ::open((output + ".disk").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
            if (disk >= 0 && ::write(disk, "beat", 4) == 4) static_cast<void>(::fdatasync(disk));
            if (disk >= 0) ::close(disk);
            for (const pid_t one : started) {
              rusage used{};
              if (one > 0 && ::wait4(one, nullptr, 0, &used) == one) spent_ += seconds_of(used);
            }
            longest_ = std::max(longest_, std::chrono::duration<double>(std::chrono::steady_clock::now() - due));
          }
        }) {}

  struct Heard {
    double longest_s, spent_s;
  };

  Heard stop() {
    beat_.request_stop();
    if (beat_.joinable()) beat_.join();
    return {longest_.count(), spent_};
  }

 private:
  std::chrono::duration<double> longest_{0};
  double spent_ = 0;
  std::jthread beat_;
};

}  // namespace

TEST_CASE("a thousand SIGHUPs with edits under load: the same process, the last content, no run missed or doubled", "[whole]") {
  constexpr int checks = 50;
  WholeAgent agent;
  std::string steady;
  for (int i = 0; i < checks; ++i) steady += appending_check("steady" + std::to_string(i), agent.open_directory());
  const std::string each_second = agent.open_directory() + "/each-second";
  steady +=
      "[task.each-second]\nuse = \"exec.command\"\nat = \"*-*-* *:*:*\"\n"
      "command = [\"/bin/sh\", \"-c\", \"echo here >>$0\", \"" +
      each_second + "\"]\n\n";
  agent.configure("10.toml", steady);
  agent.configure("20.toml", exec_check("edited", "version 0", "1s"));
  const double spent_before = spent_by_children();
  Metronome metronome(checks, agent.scratch() / "metronome");
  REQUIRE(agent.start());
  const pid_t pid = agent.pid();
  for (int i = 0; i < checks; ++i)  // the first run is none of the grid
    REQUIRE(eventually([&] { return agent.get("/v1/explain/steady" + std::to_string(i)).at("runs").to_number<int>() >= 2; }));
  const auto take = [&](const std::string& name) { return account_of(agent, name, agent.open_directory() + "/" + name); };
  std::map<std::string, Account> before;
  for (int i = 0; i < checks; ++i) before["steady" + std::to_string(i)] = take("steady" + std::to_string(i));
  before["edited"] = take("edited");

  int version = 0;
  const auto begun = std::chrono::steady_clock::now();
  const auto seconds_since = [](auto then) { return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count(); };
  for (int i = 0; i < 1000; ++i) {
    if (i % 40 == 0) {
      agent.configure("20.toml", exec_check("edited", "version " + std::to_string(++version), "1s"));
      agent.configure("30.toml", version % 2 == 0 ? std::string() : exec_check("now-and-then", "here"));
    }
    agent.signal(SIGHUP);
    std::this_thread::sleep_for(10ms);
  }
  agent.configure("20.toml", exec_check("edited", "the last version", "1s"));
  agent.signal(SIGHUP);
  const auto last_signal = std::chrono::steady_clock::now();
  CHECK(eventually([&] { return summary_of(agent, "edited") == "the last version"; }));
  const double settled = seconds_since(last_signal), took = seconds_since(begun);
  CHECK(agent.pid() == pid);
  CHECK(is_alive(pid));
  const auto reloads = [log = agent.log()] {
    int count = 0;
    for (std::size_t at = log.find(" kept, "); at != std::string::npos; at = log.find(" kept, ", at + 1)) ++count;
    return count;
  }();
  INFO(reloads << " reloads in " << took << " s");
  CHECK(reloads >= 3);
  CHECK(reloads <= static_cast<int>(took) + 2);  // one at once, one a second after, and the last signal's
  std::map<std::string, Account> after;
  for (const auto& [name, first] : before) after[name] = take(name);
  CHECK(agent.stop() == 0);
  // how busy the machine was say other programs: an agent that is slow while they are not fails here
  const auto [longest, beats] = metronome.stop();
  const double spent = spent_by_children() - spent_before - beats;
  const bool busy = longest > 0.5;
  INFO("as many programs without an agent took up to " << longest << " s");
  if (busy)
    skipped("busy-machine", std::to_string(checks) + " programs took " + std::to_string(longest) + " s: turns that were late are let pass");
  // and so does one that makes it busy itself: with its programs it takes no more than as many do without it, 0.4 of it on 2026-11-30
  INFO("the agent and its programs took " << spent << " s of processor time, those of the metronome " << beats << " s");
  CHECK((!busy || spent < beats));
  CHECK((busy || settled < 5));
  for (const auto& [name, first] : before) {
    const Account& last = after.at(name);
    const auto turns = std::lround(last.next_s - first.next_s);
    INFO(name << ": " << first.runs << " runs then, " << last.runs << " now; next " << first.next_s << ", " << last.next_s);
    CHECK(last.runs - first.runs <= turns);
    // each run wrote its line
    if (name != "edited") CHECK(static_cast<std::int64_t>(last.stamps.size()) == last.runs);
    if (busy) continue;
    CHECK(last.skips == first.skips);
    CHECK(last.runs - first.runs == turns);
    if (name == "edited") continue;
    // and each turn since has one of its own
    REQUIRE(last.stamps.size() >= first.stamps.size());
    const std::vector<double> since(last.stamps.begin() + static_cast<std::ptrdiff_t>(first.stamps.size()), last.stamps.end());
    CHECK(static_cast<long>(since.size()) == turns);
    const std::vector<double> late = offsets_of(since);
    INFO(Catch::StringMaker<std::vector<double>>::convert(late));
    CHECK(std::ranges::all_of(late, [](double one) { return one < 1; }));
  }

  // each second of the calendar stands in the store once, as done or as missed with its reason, and what is done wrote its line
  const SlotAccount slots = slots_of(agent, "each-second");
  INFO(Catch::StringMaker<std::vector<std::string>>::convert(column(
      agent,
      "SELECT scheduled || ' ' || state || ' ' || outcome FROM slot UNION SELECT first || ' to ' || last || ' ' || reason FROM missed")));
  CHECK(slots.said.size() >= 10);
  for (const auto& [second, times] : slots.said) {
    INFO("second " << second);
    CHECK(times == 1);
  }
  CHECK(static_cast<std::int64_t>(lines_of(each_second)) == slots.done);
  if (!busy) CHECK(slots.done == static_cast<std::int64_t>(slots.said.size()));
}

namespace {

std::string sha_of_exec(const WholeAgent& agent) {
  const json::object plugin = agent.plugin("org.ronda.exec");
  return plugin.contains("sha256") ? std::string(plugin.at("sha256").as_string()) : std::string();
}

/// The process in which its code runs; -1: none does.
pid_t worker_of_exec(const WholeAgent& agent) {
  const json::object plugin = agent.plugin("org.ronda.exec");
  if (!plugin.contains("runners") || plugin.at("runners").as_array().empty()) return -1;
  return plugin.at("runners").at(0).at("pid").to_number<pid_t>();
}

bool has_text(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Asks for reloads in either way, and hears what came of them.
class Reloads {
 public:
  explicit Reloads(const WholeAgent& agent) : agent_(agent) {}

  /// What was told beside the line that says `outcome`: to who asked by `ronda reload`, or in the log to who asked by signal.
  std::string ask(bool by_signal, const std::string& outcome) {
    const std::string line = "reload #" + std::to_string(++count_) + ": " + outcome + "\n";
    if (!by_signal) {
      const Finished told = agent_.ronda({"reload"});
      CHECK(told.out == line);
      CHECK(told.code == (has_text(outcome, " 0 failed") ? 0 : 1));
      return told.err;
    }
    const std::size_t said = agent_.log().size();
    agent_.signal(SIGHUP);
    CHECK(eventually([&] { return has_text(agent_.log().substr(said), line); }));
    return agent_.log().substr(said);
  }

 private:
  const WholeAgent& agent_;
  int count_ = 0;
};

}  // namespace

TEST_CASE("a plugin file that is replaced, overwritten or cut hurts nothing that runs", "[whole]") {
  WholeAgent agent;
  const std::string object = agent.copy_plugins() + "/exec.so";
  const std::string built = read_file(object);
  agent.configure("10.toml", exec_check("often", "well", "1s"));
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("often") == "ok"; }));
  const std::string first = sha_of_exec(agent);
  // bytes after the last section change the hash and nothing else
  const auto variant = [&](const std::string& tail) { return built + tail; };
  const auto still_runs = [&] {
    const auto runs = agent.get("/v1/explain/often").at("runs").to_number<int>();
    return eventually([&] { return agent.get("/v1/explain/often").at("runs").to_number<int>() >= runs + 2; }) &&
           agent.check_status("often") == "ok";
  };
  const auto file_now = [&] { return agent.plugin("org.ronda.exec").at("file").as_string(); };
  CHECK(file_now() == "same");
  CHECK_FALSE(has_text(agent.ronda({"status"}).out, "file differs"));
  Reloads reloads(agent);
  // who asks by signal has the same code, or the same reason, as who asks by `ronda reload`
  const auto is_taken_with = [&](bool by_signal) {
    const std::string before = sha_of_exec(agent);
    CHECK(still_runs());
    CHECK(sha_of_exec(agent) == before);
    CHECK(file_now() == "differs");
    CHECK(has_text(agent.ronda({"status"}).out, "file differs: "));
    const std::string told = reloads.ask(by_signal, "0 kept, 1 replaced, 0 added, 0 removed, 0 failed");
    CHECK(has_text(told, "replaced check often"));
    CHECK(sha_of_exec(agent) != before);
    CHECK(file_now() == "same");
    CHECK(still_runs());
  };

  SECTION("renamed into place") {
    for (const bool by_signal : {false, true}) {
      INFO("by signal: " << by_signal);
      std::filesystem::rename(agent.scratch().write("plugins/exec.new", variant(by_signal ? "A" : "AA")), object);
      is_taken_with(by_signal);
    }
  }
  SECTION("copied over") {
    for (const bool by_signal : {false, true}) {
      INFO("by signal: " << by_signal);
      std::ofstream(object, std::ios::binary | std::ios::trunc) << variant(by_signal ? "B" : "BB");
      is_taken_with(by_signal);
    }
  }
  SECTION("cut: the old code is kept, with the reason, until the file is whole again") {
    for (const bool by_signal : {false, true}) {
      INFO("by signal: " << by_signal);
      std::ofstream(object, std::ios::binary | std::ios::trunc) << built.substr(0, 8192);  // inside what is loaded
      CHECK(still_runs());
      const std::string reason = "org.ronda.exec keeps its running code: " + object + ": ";
      CHECK(has_text(reloads.ask(by_signal, "1 kept, 0 replaced, 0 added, 0 removed, 1 failed"), reason));
      CHECK(sha_of_exec(agent) == first);
      CHECK(file_now() == "differs");
      const Finished status = agent.ronda({"status"});
      CHECK(status.code == 1);
      CHECK(has_text(status.out, reason));
      const Finished why = agent.ronda({"plugin", "why", "org.ronda.exec"});
      CHECK(why.code == 1);
      CHECK(has_text(why.out, object + " is refused"));
      CHECK(has_text(why.out, "it runs what the file held before, sha256 " + first));
      CHECK(still_runs());
      std::ofstream(object, std::ios::binary | std::ios::trunc) << built;
      reloads.ask(by_signal, "1 kept, 0 replaced, 0 added, 0 removed, 0 failed");
      CHECK(agent.status().at("agent").at("state").as_string() == "ok");
      CHECK(file_now() == "same");
      CHECK(still_runs());
    }
  }
  SECTION("emptied: who asks why is told of the file and of what runs") {
    std::ofstream(object, std::ios::binary | std::ios::trunc).flush();
    CHECK(still_runs());
    const Finished why = agent.ronda({"plugin", "why", "org.ronda.exec"});
    CHECK(why.code == 1);
    CHECK(has_text(why.out, object + " is refused"));
    CHECK(has_text(why.out, "it runs what the file held before, sha256 " + first));
  }
  SECTION("gone: the configuration names what is missing, and what runs goes on") {
    std::filesystem::remove(object);
    CHECK(still_runs());
    // a runner that ends comes back from the copy that was staged
    const pid_t worker = worker_of_exec(agent);
    REQUIRE(worker > 0);
    ::kill(worker, SIGKILL);
    CHECK(eventually([&] { return worker_of_exec(agent) > 0 && worker_of_exec(agent) != worker; }));
    CHECK(still_runs());
    CHECK(sha_of_exec(agent) == first);
    CHECK(agent.ronda({"reload"}).code == 1);
    CHECK(file_now() == "missing");
    CHECK(has_text(agent.ronda({"status"}).out, "file is missing: "));
    CHECK(still_runs());
  }
  CHECK(agent.stop() == 0);
}

TEST_CASE("a reload applies what it read, whatever becomes of the files meanwhile", "[whole]") {
  WholeAgent agent;
  std::string comments;  // so that parsing takes long enough to be caught
  while (comments.size() < (12 << 20)) comments += "# nothing that matters, and a lot of it\n";
  agent.configure("05-job.toml", "[check.job]\nuse = \"heartbeat.job\"\nevery = \"1h\"\nexpect = \"1d\"\n");
  agent.configure("10.toml", exec_check("before", "one"));
  agent.configure("90-long.toml", comments);
  REQUIRE(agent.start());
  agent.configure("10.toml", exec_check("read", "two"));
  const pid_t asks = start_program({ronda_program(), "--socket", agent.socket(), "reload"}, agent.scratch() / "reload.out",
                                   agent.scratch() / "reload.err");
  const pid_t parser = hold_parser(agent);
  REQUIRE(parser > 0);
  agent.configure("10.toml", GENERATE(as<std::string>(), exec_check("later", "three"), "this is [no TOML", ""));
  agent.configure("90-long.toml", "");
  CHECK(agent.answers());
  CHECK(check_names(agent) == std::set<std::string>{"before", "job"});
  // nor does it lose what is told to it in between
  CHECK(agent.ronda({"ping", "job", "fail", "--text", "told during the reload"}).code == 0);
  CHECK(agent.ronda({"check", "before"}).out.find("one") != std::string::npos);
  ::kill(parser, SIGCONT);
  CHECK(wait_program(asks, 30s) == 0);
  CHECK(read_file(agent.scratch() / "reload.out") == "reload #1: 1 kept, 0 replaced, 1 added, 1 removed, 0 failed\n");
  CHECK(check_names(agent) == std::set<std::string>{"read", "job"});
  CHECK(eventually([&] { return agent.check_status("job") == "critical"; }));
  CHECK(agent.ronda({"check", "read"}).out.find("two") != std::string::npos);
  CHECK(agent.stop() == 0);
}

TEST_CASE("while checks run and a backup is made a reload takes nothing away from them", "[whole]") {
  WholeAgent agent;
  const std::string mark = agent.open_directory() + "/gone";
  const std::string goes =
      "[check.goes]\nuse = \"exec.nagios\"\nevery = \"30d\"\ncommand = [\"/bin/sh\", \"-c\", \"sleep 2; echo ran >>$0\", \"" + mark +
      "\"]\n";
  agent.configure("10.toml", exec_check("stays", "here") + appending_check("often", agent.open_directory()));
  agent.configure("20.toml", goes);
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.get("/v1/explain/goes").at("running").as_bool(); }));
  agent.configure("20.toml", "");
  CHECK(agent.ronda({"reload"}).out == "reload #1: 2 kept, 0 replaced, 0 added, 1 removed, 0 failed\n");
  CHECK(check_names(agent) == std::set<std::string>{"stays", "often"});
  CHECK_FALSE(std::filesystem::exists(mark));
  CHECK(eventually([&] { return lines_of(mark) == 1; }));  // it ended by itself

  const std::string copy = agent.scratch() / "copy.db";
  const pid_t asks = start_program({ronda_program(), "--socket", agent.socket(), "state", "backup", copy}, agent.scratch() / "backup.out",
                                   agent.scratch() / "backup.err");
  int reloads = 1, made = -1;
  while ((made = wait_program(asks, 0ms)) == -1 && reloads < 100) {
    agent.configure("20.toml", ++reloads % 2 == 0 ? goes : std::string());
    CHECK(agent.ronda({"reload"}).code == 0);
  }
  CHECK(made == 0);
  CHECK(agent.check_status("stays") == "ok");
  CHECK(check_names(agent).contains("often"));
  CHECK(agent.stop() == 0);
  CHECK(agent.ronda({"state", "restore", copy}).code == 0);
  agent.configure("20.toml", "");
  REQUIRE(agent.start());
  CHECK(agent.check_status("stays") == "ok");  // as it was known when the copy was made
}

TEST_CASE("what is wrong with the configuration that is active is told beside a reload that was refused", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", exec_check("sound", "one"));
  agent.configure("20.toml", "[check.bad]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = 5\n");
  REQUIRE(agent.start());
  const auto told = [&] {
    const json::value status = agent.status();
    const json::value& word = status.at("agent").at("config");
    return word.is_string() ? std::string(word.as_string()) : std::string();
  };
  const std::string at_start = told();
  CHECK(at_start.find("20.toml:4:11") != std::string::npos);
  const auto both_are_told = [&] {
    const std::string now = told();
    INFO(now);
    CHECK(now.find("in the configuration; the old one is active; ") != std::string::npos);
    CHECK(now.find(at_start) != std::string::npos);
  };
  agent.configure("30.toml", "this is [no TOML");
  CHECK(agent.ronda({"reload"}).code == 1);
  both_are_told();
  agent.configure("30.toml", "");
  CHECK(agent.ronda({"reload"}).code == 1);  // for what was wrong at the start, as before
  both_are_told();
  agent.configure("20.toml", "");
  CHECK(agent.ronda({"reload"}).code == 0);
  CHECK(told().empty());
  CHECK(agent.status().at("agent").at("state").as_string() == "ok");
  CHECK(agent.stop() == 0);
}

TEST_CASE("of reloads that wait for another, one that accepts an empty set does so for nobody else", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", exec_check("one", "here"));
  std::string comments;  // so that parsing takes long enough to be caught
  while (comments.size() < (12 << 20)) comments += "# nothing that matters, and a lot of it\n";
  agent.configure("90-long.toml", comments);
  REQUIRE(agent.start());
  agent.configure("10.toml", "");
  const auto ask = [&](const char* target) {
    return std::async(std::launch::async, [&agent, target] { return agent.ask("POST", target).body; });
  };
  auto first = ask("/v1/reload");
  const pid_t parser = hold_parser(agent);
  REQUIRE(parser > 0);
  agent.configure("90-long.toml", "# nothing\n");  // the reloads that wait are quick
  auto plain = ask("/v1/reload"), meant = ask("/v1/reload?allow_empty=1");
  // both are connected, and who connects later was answered since
  CHECK(eventually([&] {
    const std::string sockets = read_file("/proc/net/unix");
    std::size_t count = 0;
    for (std::size_t at = sockets.find(agent.socket()); at != std::string::npos; at = sockets.find(agent.socket(), at + 1)) ++count;
    return count >= 4;  // with the one that listens
  }));
  for (int i = 0; i < 3; ++i) CHECK(agent.answers());
  ::kill(parser, SIGCONT);
  const std::string refused = "refused, nothing changed: the configuration is empty; --allow-empty accepts that";
  CHECK(first.get().find("reload #1: " + refused) != std::string::npos);
  CHECK(plain.get().find(refused) != std::string::npos);
  CHECK(meant.get().find(": 0 kept, 0 replaced, 0 added, 1 removed, 0 failed") != std::string::npos);
  CHECK(check_names(agent).empty());
  CHECK(agent.stop() == 0);
}
