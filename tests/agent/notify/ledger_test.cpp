// SPDX-License-Identifier: Apache-2.0
// kill -9 at random moments of a process that accepts and sends messages: by the ledgers that others keep nothing that
// was accepted is lost, what came twice was in flight when a kill came, and each incident came in order. And the
// same eyes find the mistakes that are planted.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "agent/store/support.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

using Ids = std::set<std::string>;

/// One life of the sender.
class Life {
 public:
  Life(const std::string& state, const std::string& ledgers, int number, const std::string& plant) {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const std::string program = RONDA_BINARY_DIR "/tests/agent/notify/message_sender", life = std::to_string(number);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execl(program.c_str(), "message_sender", state.c_str(), ledgers.c_str(), life.c_str(), plant.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    out_ = ends[0];
  }
  ~Life() {
    if (pid_ > 0) kill();
    ::close(out_);
  }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  bool has_begun() const {
    char byte = 0;
    return ::read(out_, &byte, 1) == 1;
  }
  void kill() {
    ::kill(pid_, SIGKILL);
    CHECK(WIFSIGNALED(wait()));
  }
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
};

struct Receipt {
  std::string sink, id;
};

/// All that the ledgers say, and what the store had in flight at each kill.
class Books {
 public:
  explicit Books(const Scratch& scratch) : state_(scratch / "state"), ledgers_(scratch / "ledgers") {
    std::filesystem::create_directory(ledgers_);
  }

  void live_and_die(int life, const std::string& plant, std::mt19937& random) {
    Life sender(state_, ledgers_, life, plant);
    REQUIRE(sender.has_begun());
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 30'000));  // the moment of the kill, nothing is awaited
    sender.kill();
  }

  void drain() {
    Life sender(state_, ledgers_, 0, "drain");
    const int status = sender.wait();
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == 0);
    const auto store = open_at(state_);
    for (const OutboxRow& row : must<std::vector<OutboxRow>>(*store, &Store::list_outbox, std::string(), std::int64_t{1'000'000}))
      stored_.insert(row.id);
    read_flying();
  }

  std::vector<std::string> find_wrong() const {
    std::vector<std::string> wrong;
    std::map<std::string, std::size_t> first;
    repeats_.clear();
    const std::vector<Receipt> received = receipts();
    for (std::size_t i = 0; i < received.size(); ++i) {
      const std::string& id = received[i].id;
      if (!first.emplace(id, i).second && ++repeats_[id] > in_flight_times(id)) wrong.push_back("too often: " + id);
      if (!stored_.contains(id)) wrong.push_back("sent and never stored: " + id);
    }
    const Ids dropped = lines("dropped");
    for (const std::string& id : lines("accepted")) {
      if (!first.contains(id) && !dropped.contains(id)) wrong.push_back("lost: " + id);
      if (!first.contains(id) && dropped.contains(id) && !first.contains(id + "/f")) wrong.push_back("lost, and its fallback too: " + id);
    }
    find_disorder(first, wrong);
    return wrong;
  }

  std::size_t accepted() const { return lines("accepted").size(); }
  std::size_t repeated() const {
    std::size_t all = 0;
    for (const auto& [id, times] : repeats_) all += times;
    return all;
  }
  const std::map<std::size_t, int>& histogram() const { return histogram_; }

 private:
  /// What each life found in flight: the one before it was killed then, unless there was none or it had drained.
  void read_flying() {
    in_flight_.clear();
    histogram_.clear();
    std::ifstream in(ledgers_ + "/flying");
    std::string what, name, life = "0";
    std::size_t messages = 0;
    bool was_killed = false;
    while (in >> what >> name) {
      if (what == "life") {
        if (was_killed) ++histogram_[messages];
        was_killed = life != "0";
        messages = 0;
        life = name;
      } else {
        ++in_flight_[name];
        messages += what == "message" ? 1 : 0;
      }
    }
    if (was_killed) ++histogram_[messages];
  }

  std::size_t in_flight_times(const std::string& id) const {
    const auto found = in_flight_.find(id);
    return found == in_flight_.end() ? 0 : found->second;
  }

  std::vector<Receipt> receipts() const {
    std::ifstream in(ledgers_ + "/received");
    std::vector<Receipt> all;
    std::string sink, id, number;
    while (in >> sink >> id >> number) all.push_back({sink, id});
    return all;
  }

  Ids lines(const std::string& name) const {
    std::ifstream in(ledgers_ + "/" + name);
    Ids all;
    for (std::string line; std::getline(in, line);) all.insert(line);
    return all;
  }

  /// Of one incident and sink: "INCIDENT:SEQ:SINK" by SEQ.
  static void find_disorder(const std::map<std::string, std::size_t>& first, std::vector<std::string>& wrong) {
    std::map<std::string, std::map<int, std::size_t>> lanes;
    for (const auto& [id, at] : first) {
      if (id.ends_with("/f")) continue;
      const std::size_t one = id.find(':'), two = id.rfind(':');
      lanes[id.substr(0, one) + id.substr(two)][std::stoi(id.substr(one + 1, two - one - 1))] = at;
    }
    for (const auto& [lane, seqs] : lanes) {
      std::size_t last = 0;
      for (const auto& [seq, at] : seqs) {
        if (at < last) wrong.push_back("out of order: " + lane + " " + std::to_string(seq));
        last = std::max(last, at);
      }
    }
  }

  const std::string state_, ledgers_;
  Ids stored_;
  std::map<std::string, std::size_t> in_flight_;  // id: kills that found it in flight
  mutable std::map<std::string, std::size_t> repeats_;
  std::map<std::size_t, int> histogram_;  // messages in flight: kills
};

void check_kills(int rounds) {
  const Scratch scratch;
  std::mt19937 random(std::random_device{}());
  Books books(scratch);
  for (int life = 1; life <= rounds; ++life) books.live_and_die(life, "none", random);
  books.drain();
  CHECK(books.find_wrong() == std::vector<std::string>{});
  int in_flight = 0, all_in_flight = 0;
  std::ostringstream shown;
  for (const auto& [messages, kills] : books.histogram()) {
    shown << "\n  " << messages << " in flight: " << kills << " kills";
    if (messages > 0) in_flight += kills;
    all_in_flight += static_cast<int>(messages) * kills;
  }
  WARN(rounds << " kills, " << books.accepted() << " accepted, 0 lost, " << books.repeated() << " repeated of " << all_in_flight
              << " in flight" << shown.str());
  CHECK(books.accepted() > static_cast<std::size_t>(rounds));
  CHECK(in_flight * 10 >= rounds * 3);
}

/// Kills until a mistake of that kind is found, at most `most`.
bool finds(const std::string& plant, const std::string& kind, int most) {
  const Scratch scratch;
  std::mt19937 random(std::random_device{}());
  Books books(scratch);
  for (int life = 1; life <= most; ++life) {
    books.live_and_die(life, plant, random);
    if (life % 5 != 0) continue;
    books.drain();
    for (const std::string& wrong : books.find_wrong()) {
      if (wrong.starts_with(kind)) return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("200 kills of a sending process lose nothing, repeat only what was in flight and keep the order", "[notify]") {
  check_kills(200);
}

TEST_CASE("1000 kills of a sending process lose nothing, repeat only what was in flight and keep the order", "[notify][.long]") {
  check_kills(1000);
}

TEST_CASE("the ledgers find each mistake that is planted in the process", "[notify]") {
  CHECK(finds("send-before-commit", "sent and never stored: ", 60));
  CHECK(finds("ack-before-commit", "lost", 60));
  CHECK(finds("lost-resolve", "lost", 60));
  CHECK(finds("order", "out of order: ", 60));
  CHECK(finds("double", "too often: ", 60));
}
