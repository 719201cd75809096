// SPDX-License-Identifier: Apache-2.0
// The power goes away at each sync of a whole agent: of its files no more is left than what syncs saw. In one life of an alert the
// agent is stopped at the end of each of its syncs, before it can know of it; what would be left on the disk without that sync,
// and what people and sinks had seen by then, are kept. An agent that starts on any of these goes on: it owes nobody anything of
// which it does not know.
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <thread>

#include "catch.hpp"
#include "plots.hpp"
#include "skip.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

using Files = std::map<std::string, std::string>;  // name: bytes

constexpr std::array<const char*, 6> books = {"accepted", "received", "received.text", "words", "acts", "conf.d/20.toml"};

/// Of each file of a directory what its last sync saw, under the names that the directory's last sync saw.
class Disk {
 public:
  /// `deaf`: a file whose syncs are not heard.
  Disk(std::string directory, std::string deaf) : directory_(std::move(directory)), deaf_(std::move(deaf)) {}

  void on_sync(const std::string& path) {
    if (path == directory_) {
      names_.clear();
      for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
        if (entry.is_regular_file()) names_[entry.path().filename()] = inode_of(entry.path());
      }
      return;
    }
    const std::string name = std::filesystem::path(path).filename();
    names_[name] = inode_of(path);  // a file that is synced for the first time brings its name along
    if (name != deaf_) bytes_[names_[name]] = read_file(path);
  }
  Files left() const {
    Files out;
    for (const auto& [name, inode] : names_) {
      const auto found = bytes_.find(inode);
      out[name] = found == bytes_.end() ? "" : found->second;
    }
    return out;
  }

 private:
  static ino_t inode_of(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
  }

  const std::string directory_, deaf_;
  std::map<std::string, ino_t> names_;
  std::map<ino_t, std::string> bytes_;
};

/// A power loss: what is left of the state, and what had been seen from outside.
struct Loss {
  std::string before;  // the sync that was lost
  Files state, seen;
};

/// Lets an agent below strace, which is stopped after each sync, go on when all is noted.
class Recorder {
 public:
  Recorder(const WholeAgent& agent, std::string log, const std::string& deaf)
      : agent_(agent), log_(std::move(log)), pid_(agent.pid()), disk_(agent.state_directory(), deaf), thread_([this] { run(); }) {}
  ~Recorder() { finish(); }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  std::vector<Loss> finish() {
    ends_ = true;
    if (thread_.joinable()) thread_.join();
    return losses_;
  }

 private:
  void run() {
    std::string rest, syncs, path;  // of a line that has no end yet; the thread that syncs, and what
    std::ifstream in;
    while (!ends_) {
      if (!in.is_open()) in.open(log_);
      std::string line;
      if (!std::getline(in, line) || in.eof()) {
        rest += line;
        in.clear();
        std::this_thread::sleep_for(1ms);
        continue;
      }
      line.insert(0, std::exchange(rest, ""));
      const std::string thread = line.substr(0, line.find(' '));
      if (line.find("sync(") != std::string::npos) {
        syncs = thread;
        path = line.substr(line.find('<') + 1, line.find('>') - line.find('<') - 1);
      } else if (thread == syncs && line.find("stopped by SIGSTOP") != std::string::npos) {
        note(path);
        disk_.on_sync(path);
        ::kill(pid_, SIGCONT);
      }
    }
    note("the end");
  }
  void note(const std::string& before) {
    Loss loss{before, disk_.left(), {}};
    for (const char* book : books) loss.seen[book] = read_file(agent_.scratch() / book);
    losses_.push_back(std::move(loss));
  }

  const WholeAgent& agent_;
  const std::string log_;
  const pid_t pid_;
  Disk disk_;
  std::vector<Loss> losses_;
  std::atomic<bool> ends_{false};
  std::thread thread_;
};

/// All that could be lost in one life of an alert.
std::vector<Loss> record(const std::string& deaf, const Plot& plot) {
  KillBench bench(plot.cast, 0);
  WholeAgent& agent = bench.agent();
  const std::string log = agent.scratch() / "syncs";
  agent.lead_by(traced(agent, "fsync,fdatasync", true, {"-o", log, "-e", "inject=fsync,fdatasync:signal=STOP"}));
  agent.launch();
  Recorder recorder(agent, log, deaf);
  REQUIRE(eventually([&] { return agent.answers(); }, 60s));
  REQUIRE(Story(bench, plot).go_on());
  CHECK(agent.stop() == 0);
  return recorder.finish();
}

std::string wrong_after(const Loss& loss, const Plot& plot, std::chrono::milliseconds limit) {
  KillBench bench(plot.cast, 0);
  for (const auto& [name, bytes] : loss.state) {
    const std::string path = bench.agent().state_directory() + "/" + name;
    std::ofstream(path, std::ios::binary) << bytes;
    std::filesystem::permissions(path, std::filesystem::perms(0600));
  }
  for (const auto& [book, text] : loss.seen) {
    if (!text.empty()) std::ofstream(bench.agent().scratch() / book, std::ios::binary) << text;
  }
  bench.note_end();
  return Story(bench, plot).end(limit);
}

void check_losses(const Plot& plot, std::size_t most, std::mt19937& random) {
  const std::vector<Loss> all = record("", plot);
  CHECK(all.size() > 20);
  std::vector<Loss> some;
  std::ranges::sample(all, std::back_inserter(some), static_cast<std::ptrdiff_t>(most), random);
  for (const Loss& loss : some) {
    INFO("the sync that was lost: " << loss.before << "\nwhat was accepted by then:\n" << loss.seen.at("accepted"));
    CHECK(wrong_after(loss, plot, 30s) == "");
  }
  std::cout << "the power went away at " << some.size() << " of " << all.size() << " syncs" << std::endl;
}

}  // namespace

TEST_CASE("after a power loss at a few of its syncs an agent has what it accepted", "[whole]") {
  if (!may_trace()) return skipped("tracing", "there is no strace, or this user may not trace processes here");
  const unsigned seed = seed_of_run();
  INFO("RONDA_TEST_SEED=" << seed);
  std::mt19937 random(seed);
  check_losses(plot_named(random() % 2 == 0 ? "alert" : "people"), 5, random);
}

TEST_CASE("after a power loss at each of its syncs an agent has what it accepted", "[.long]") {
  if (!may_trace()) return skipped("tracing", "there is no strace, or this user may not trace processes here");
  std::mt19937 random;  // none is left out
  for (const char* name : {"alert", "people"}) check_losses(plot_named(name), 10'000, random);
}

TEST_CASE("a disk that forgets what it said that it synced is found out", "[whole]") {
  if (!may_trace()) return skipped("tracing", "there is no strace, or this user may not trace processes here");
  const Plot plot = plot_named("alert");
  const std::vector<Loss> all = record("ronda.db-wal", plot);
  const auto accepted = [](const Loss& loss) { return std::ranges::count(loss.seen.at("accepted"), '\n'); };
  const auto second = std::ranges::find(all, 2, accepted);
  REQUIRE(second != all.end());
  CHECK(wrong_after(*second, plot, 3s).find("it does not go on\n") != std::string::npos);
}
