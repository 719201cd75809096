// SPDX-License-Identifier: Apache-2.0
#include "kill_bench.hpp"

#include <signal.h>
#include <sqlite3.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <sstream>

#include "catch.hpp"
#include "door_client.hpp"
#include "servers.hpp"

namespace ronda::test {
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view one_contact = R"([check.quick]
use = "exec.nagios"
every = "1s"
command = ["/bin/true"]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ana"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["ana"] }]
)";

const std::vector<std::string> steps_of_alert = {"open:p2", "open:p1", "resolve:p1"};

std::string first_lines_of(const std::vector<std::string>& lines, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < std::min(most, lines.size()); ++i) out += lines[i] + "\n";
  if (lines.size() > most) out += "... " + std::to_string(lines.size()) + " in all\n";
  return out;
}

}  // namespace

std::vector<std::string> column_of(const std::string& database, const std::string& query) {
  sqlite3* opened = nullptr;
  ::sqlite3_open_v2(database.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
  std::vector<std::string> out;
  const auto row = [](void* rows, int, char** values, char**) {
    static_cast<std::vector<std::string>*>(rows)->push_back(values[0] == nullptr ? "" : values[0]);
    return 0;
  };
  if (::sqlite3_exec(opened, query.c_str(), row, &out, nullptr) != SQLITE_OK) out = {::sqlite3_errmsg(opened)};
  ::sqlite3_close(opened);
  return out;
}

unsigned seed_of_run() {
  const char* given = std::getenv("RONDA_TEST_SEED");
  return given == nullptr ? std::random_device()() : static_cast<unsigned>(std::strtoul(given, nullptr, 10));
}

KillBench::Cast KillBench::cast_of(const std::vector<std::string>& notifiers, Way way) {
  std::string text(one_contact), channels;
  const auto add = [&](const std::string& name, const std::string& more) {
    text += "[notifier." + name + "]\nuse = \"webhook\"\nurl = \"SINK/" + name + "\"\n";
    channels += (channels.empty() ? "" : ", ") + ("{ notifier = \"" + name + "\"" + more + " }");
  };
  if (way == Way::by_fallback) add("gone", "");
  for (const std::string& name : notifiers) add(name, way == Way::by_fallback ? ", fallback = true" : "");
  return {text + "[contact.ana]\nchannels = [" + channels + "]\n", notifiers, steps_of_alert};
}

KillBench::KillBench(const std::vector<std::string>& notifiers, int hold_ms, Way way) : KillBench(cast_of(notifiers, way), hold_ms) {}

KillBench::KillBench(Cast cast, int hold_ms) : cast_(std::move(cast)), hold_ms_(hold_ms), port_(free_port()) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // whoever is left behind becomes our child, however it left its group
  const std::string text = replaced(cast_.configuration, "SINK", "http://127.0.0.1:" + std::to_string(port_));
  agent_.configure("10.toml", replaced(text, "OPEN", agent_.open_directory()));
  start_sink();
}

KillBench::~KillBench() {
  ::kill(sink_, SIGKILL);
  ::waitpid(sink_, nullptr, 0);
}

void KillBench::start_sink() {
  const std::string program = RONDA_BINARY_DIR "/tests/agent/whole/ledger_sink", log = agent_.scratch() / "sink.log";
  sink_ = start_program({program, std::to_string(port_), agent_.scratch() / "received", std::to_string(hold_ms_)}, log, log);
  REQUIRE(eventually([&] { return !ask_raw(port_, "GET / HTTP/1.1\r\n\r\n").empty(); }));
}

bool KillBench::post(const std::string& alert, std::size_t step) const {
  return post(alert, cast_.events.at(step));
}

bool KillBench::post(const std::string& alert, const std::string& event) const {
  if (!tell(alert, event)) return false;
  note_accepted(alert, event);
  return true;
}

bool KillBench::tell(const std::string& alert, const std::string& event) const {
  const bool ends = event.starts_with("resolve");
  json::object body{{"alert", alert}, {"status", ends ? "resolved" : "firing"}};
  if (!ends) body["level"] = event.substr(event.find(':') + 1);
  return agent_.ask("POST", "/v1/events", json::serialize(body)).status == 200;
}

void KillBench::note_accepted(const std::string& alert, const std::string& event) const {
  append_line(agent_.scratch() / "accepted", alert + " " + event);
}

bool KillBench::start() {
  if (agent_.start()) return true;
  const std::string log = agent_.log();
  UNSCOPED_INFO("the end of its log: " << log.substr(log.size() - std::min<std::size_t>(log.size(), 2000)));
  return false;
}

void KillBench::stop_agent() {
  CHECK(agent_.stop() == 0);
  check_nobody_left();
}

void KillBench::kill_agent() {
  agent_.kill_hard();
  note_end();
}

void KillBench::note_end() {
  note_flying();
  check_nobody_left();
  fs::remove(agent_.state_directory() + "/starts");  // so many quick ends would have it run no task
}

void KillBench::kill_sink() {
  agent_.signal(SIGSTOP);
  REQUIRE(eventually([&] { return is_stopped(agent_.pid()); }));
  ::kill(sink_, SIGKILL);
  ::waitpid(sink_, nullptr, 0);
  note_flying();
  agent_.signal(SIGCONT);
  start_sink();
}

void KillBench::kill_below(std::size_t random) {
  agent_.signal(SIGSTOP);
  REQUIRE(eventually([&] { return is_stopped(agent_.pid()); }));
  const std::vector<pid_t> below = descendants(agent_.pid());
  if (!below.empty()) ::kill(below[random % below.size()], SIGKILL);
  note_flying();
  agent_.signal(SIGCONT);
}

void KillBench::note_flying() {
  const std::string state = agent_.state_directory(), copy = agent_.scratch() / "copy";
  fs::remove_all(copy);
  fs::create_directory(copy);
  for (const char* name : {"ronda.db", "ronda.db-wal"}) {
    if (fs::exists(state + "/" + name)) fs::copy_file(state + "/" + name, copy + "/" + name);
  }
  std::size_t messages = 0;
  if (fs::exists(copy + "/ronda.db")) {
    for (const std::string& id : column_of(copy + "/ronda.db", "SELECT id FROM outbox WHERE state = 1")) {
      ++in_flight_[id];
      ++messages;
    }
  }
  flying_.push_back(messages);
}

void KillBench::check_nobody_left() {
  std::vector<pid_t> left;
  const bool gone = eventually(
      [&] {
        left.clear();
        for (const pid_t one : descendants(::getpid())) {
          if (one == sink_) continue;
          if (is_alive(one))
            left.push_back(one);
          else
            ::waitpid(one, nullptr, WNOHANG);  // where it is ours by now
        }
        return left.empty();
      },
      5s);
  for (const pid_t one : left) UNSCOPED_INFO("left: " << one << " " << read_file("/proc/" + std::to_string(one) + "/cmdline"));
  CHECK(gone);
}

Ledgers KillBench::ledgers() const {
  Ledgers out;
  out.notifiers = cast_.notifiers;
  out.events = cast_.events;
  out.accepted = read_accepted(agent_.scratch() / "accepted");
  out.received = read_received(agent_.scratch() / "received");
  out.in_flight = in_flight_;
  return out;
}

bool KillBench::is_told() const {
  return std::ranges::none_of(find_wrong(ledgers()), [](const std::string& line) { return line.starts_with("lost: "); });
}

bool KillBench::is_drained() const {
  const json::value status = agent_.status();
  return is_told() && status.is_object() && std::ranges::all_of(status.at("sinks").as_array(), [](const json::value& sink) {
           return sink.at("waiting").to_number<int>() == 0;
         });
}

Ledgers KillBench::last_ledgers() const {
  Ledgers all = ledgers();
  for (const std::string& id : rows("SELECT id FROM outbox")) all.stored.insert(id);
  return all;
}

std::vector<std::string> KillBench::rows(const std::string& query) const {
  return column_of(agent_.state_directory() + "/ronda.db", query);
}

std::string KillBench::received_text() const {
  return read_file(agent_.scratch() / "received.text");
}

void KillBench::mend_late() const {
  append_line(agent_.scratch() / "received.mended", "yes");
}

int KillBench::plant(const std::string& statement) const {
  const auto changed = rows(statement + "; SELECT changes()");
  REQUIRE(changed.size() == 1);
  INFO(changed.front());
  REQUIRE(std::ranges::all_of(changed.front(), [](char c) { return c >= '0' && c <= '9'; }));
  return std::stoi(changed.front());
}

/// Of the alert of a line "lost: NOTIFIER ALERT EVENT": its messages as the store has them and what came of them. All of it is gone with
/// the directory of the test.
std::vector<std::string> KillBench::evidence_of(const std::string& lost) const {
  std::istringstream words(lost);
  std::string word, notifier, alert;
  words >> word >> notifier >> alert;
  const std::string incidents = "SELECT incident FROM outbox WHERE title LIKE '%" + alert + ":%' OR title LIKE '%" + alert + "'";
  std::vector<std::string> out = rows(
      "SELECT '  stored: ' || id || ' ' || incident || ' ' || notifier || ' ' || event || ':' || level || ' state ' || state || ' attempts ' || "
      "attempts || ' carrier ' || carrier || ' queued ' || queued_at || ' ' || last_error FROM outbox WHERE incident IN (" +
      incidents + ") ORDER BY ord");
  const std::vector<std::string> ids = rows("SELECT id FROM outbox WHERE incident IN (" + incidents + ")");
  for (const Receipt& one : read_received(agent_.scratch() / "received")) {
    if (std::ranges::find(ids, one.id) != ids.end())  // by its id: what came without its text does not name its alert
      out.push_back("  received: " + one.notifier + " " + one.alert + " " + one.event + " " + one.id + " attempt " + std::to_string(one.attempt));
  }
  return out;
}

std::string KillBench::said_wrong() const {
  std::vector<std::string> wrong = find_wrong(last_ledgers());
  const auto first_lost = std::ranges::find_if(wrong, [](const std::string& line) { return line.starts_with("lost: "); });
  if (first_lost != wrong.end()) {
    const std::vector<std::string> evidence = evidence_of(*first_lost);
    wrong.insert(first_lost + 1, evidence.begin(), evidence.end());
  }
  const auto whole = rows("PRAGMA integrity_check");
  if (whole != std::vector<std::string>{"ok"}) wrong.insert(wrong.end(), whole.begin(), whole.end());
  for (const std::string& id : rows("SELECT id FROM outbox WHERE state <> 2 AND notifier <> 'gone'"))
    wrong.push_back("not delivered: " + id);
  if (agent_.log().find("set aside") != std::string::npos) wrong.emplace_back("the database was set aside");
  return first_lines_of(wrong, 60);
}

}  // namespace ronda::test
