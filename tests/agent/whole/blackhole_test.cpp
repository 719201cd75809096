// SPDX-License-Identifier: Apache-2.0
// Servers that accept and never answer must cost nobody but their own checks.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <thread>
#include <vector>

#include "base/descriptor.hpp"
#include "catch.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

/// Listens on a free loopback port. Answers every request with 200, takes them and says nothing for ever, or does not
/// even take up a connection.
class Server {
 public:
  enum class Manner { answers, silent, full };
  explicit Server(Manner manner) : manner_(manner), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_.get(), manner == Manner::full ? 0 : 1024) == 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ::ntohs(address.sin_port);
    if (manner == Manner::full)
      fill(address);
    else
      thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    ended_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int port() const { return port_; }
  std::size_t accepted() const { return accepted_; }

  /// Ends it. Of every request but the first of its kind, seconds after its turn, where turns are `every` apart and the
  /// earliest request of a kind was on time; sorted.
  std::vector<double> lateness(double every) {
    ended_ = true;
    thread_.join();
    std::vector<double> out;
    for (const auto& [request, times] : arrivals_) {
      std::vector<double> offsets;
      for (std::size_t i = 1; i < times.size(); ++i)
        offsets.push_back(std::chrono::duration<double>(times[i] - times[1]).count() - static_cast<double>(i - 1) * every);
      if (offsets.empty()) continue;
      const double earliest = *std::ranges::min_element(offsets);
      for (const double offset : offsets) out.push_back(offset - earliest);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  /// Takes the places of its queue, so that the kernel lets all who come later wait.
  void fill(const sockaddr_in& address) {
    for (int i = 0; i < 4; ++i) {
      Descriptor one(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      static_cast<void>(::connect(one.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
      queued_.push_back(std::move(one));
    }
  }

  void serve() {
    std::vector<pollfd> wanted{{listener_.get(), POLLIN, 0}};
    std::vector<Descriptor> open;  // open[i] belongs to wanted[i + 1]
    while (!ended_) {
      ::poll(wanted.data(), wanted.size(), 50);
      for (std::size_t i = wanted.size() - 1; i > 0; --i) {
        if (wanted[i].revents == 0 || answer(wanted[i].fd)) continue;
        wanted.erase(wanted.begin() + static_cast<std::ptrdiff_t>(i));
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(i - 1));
      }
      if (wanted.front().revents == 0) continue;
      Descriptor one(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!one) continue;
      ++accepted_;
      wanted.push_back({one.get(), POLLIN, 0});
      open.push_back(std::move(one));
    }
  }

  /// Takes what came; false once the other side has gone.
  bool answer(int fd) {
    char buffer[4096];
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    const std::string_view request(buffer, static_cast<std::size_t>(got));
    arrivals_[std::string(request.substr(0, request.find(" HTTP/")))].push_back(std::chrono::steady_clock::now());
    constexpr std::string_view fine = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: text/plain\r\n\r\nok\n";
    return manner_ == Manner::silent || ::send(fd, fine.data(), fine.size(), MSG_NOSIGNAL) > 0;
  }

  Manner manner_;
  Descriptor listener_;
  int port_ = 0;
  std::atomic<bool> ended_{false};
  std::atomic<std::size_t> accepted_{0};
  std::vector<Descriptor> queued_;
  std::map<std::string, std::vector<std::chrono::steady_clock::time_point>> arrivals_;  // the thread's, while it runs
  std::thread thread_;
};

std::string http_check(const std::string& name, int port, const std::string& every, const std::string& timeout) {
  return "[check." + name + "]\nuse = \"http.request\"\nevery = \"" + every + "\"\ntimeout = \"" + timeout +
         "\"\nurl = \"http://127.0.0.1:" + std::to_string(port) + "/" + name + "\"\n";
}

/// Seconds since midnight of "2026-11-24T03:04:05.678Z".
double second_of_day(const json::value& instant) {
  const std::string text(instant.as_string());
  return std::stoi(text.substr(11, 2)) * 3600 + std::stoi(text.substr(14, 2)) * 60 + std::stod(text.substr(17, 6));
}

/// What the last trip of a check (of today or begun yesterday) spent on waiting, from being due to its end,
/// without the work itself.
double waited(const WholeAgent& agent, const std::string& name) {
  json::value explained;
  eventually([&] {
    explained = agent.get("/v1/explain/" + name);
    return explained.is_object() && !explained.at("running").as_bool() && explained.at("trail").as_array().size() >= 3;
  });
  const json::array& trail = explained.at("trail").as_array();
  const double took = second_of_day(trail.at(2).at("at")) - second_of_day(trail.at(0).at("at"));
  return (took < -43200 ? took + 86400 : took) - explained.at("duration_s").to_number<double>();
}

struct Crowd {
  int good, bad, every_s;
  std::string timeout;
};

double at_share(const std::vector<double>& sorted, double share) {
  return sorted.empty() ? 1e9 : sorted[static_cast<std::size_t>(static_cast<double>(sorted.size() - 1) * share)];
}

/// Until `good0` has run so often: good checks beside bad ones, all of one plugin. Half of the bad ones find a server
/// that says nothing, half one that does not take up their connection.
void keep_the_others_on_time(const Crowd& crowd, int runs_wanted, double share, double longest_wait) {
  Server answers(Server::Manner::answers), silent(Server::Manner::silent), full(Server::Manner::full);
  WholeAgent agent;
  std::string text;
  const std::string every = std::to_string(crowd.every_s) + "s";
  for (int i = 0; i < crowd.good; ++i) text += http_check("good" + std::to_string(i), answers.port(), every, crowd.timeout);
  for (int i = 0; i < crowd.bad; ++i)
    text += http_check("bad" + std::to_string(i), (i % 2 == 0 ? silent : full).port(), every, crowd.timeout);
  agent.configure("10.toml", text);
  REQUIRE(agent.start());
  const auto runs_of = [&](const std::string& name) { return agent.get("/v1/explain/" + name).at("runs").to_number<int>(); };
  CHECK(eventually([&] { return runs_of("good0") >= runs_wanted && runs_of("bad0") >= 1; }, 180s));
  const json::value status = agent.status();
  int fine = 0, dead = 0;
  for (const json::value& one : status.at("checks").as_array()) {
    const bool is_good = std::string_view(one.at("name").as_string().c_str()).starts_with("good");
    const auto word = one.at("status").as_string();
    (is_good ? fine : dead) += (word == "ok") == is_good && word != "pending" ? 1 : 0;
  }
  CHECK(fine == crowd.good);
  CHECK(dead > crowd.bad / 2);
  CHECK(silent.accepted() > 0);
  const json::value lateness = status.at("agent").at("lateness");
  INFO("lateness " << lateness);
  CHECK(lateness.at("samples").to_number<int>() > 100);
  CHECK(lateness.at("p99_s").to_number<double>() <= 0.25);
  std::vector<double> waits;
  for (int i = 0; i < crowd.good; ++i) waits.push_back(waited(agent, "good" + std::to_string(i)));
  std::ranges::sort(waits);
  INFO("waited " << at_share(waits, share) << " s, at most " << waits.back() << " s");
  CHECK(at_share(waits, share) <= longest_wait);
  CHECK(agent.stop() == 0);
  // from the first turn on, as the servers that answer saw it
  const std::vector<double> late = answers.lateness(crowd.every_s);
  INFO("late at " << late.size() << " servers: " << at_share(late, share) << " s, at most " << late.back() << " s");
  CHECK(late.size() >= static_cast<std::size_t>(crowd.good * (runs_wanted - 2)));
  CHECK(at_share(late, share) <= longest_wait);
}

}  // namespace

TEST_CASE("thirty servers that never answer do not delay the checks of others", "[whole]") {
  keep_the_others_on_time({60, 30, 4, "2s"}, 4, 0.9, 1.0);
}

TEST_CASE("of five hundred HTTP checks a hundred are black holes: the others are on time", "[whole]") {
  keep_the_others_on_time({400, 100, 5, "4s"}, 5, 0.99, 0.25);
}

TEST_CASE("of a thousand HTTP checks every ten seconds two hundred are black holes", "[.long]") {
  keep_the_others_on_time({800, 200, 10, "9s"}, 6, 0.99, 0.25);
}

TEST_CASE("of a thousand HTTP checks every thirty seconds two hundred are black holes", "[.long]") {
  keep_the_others_on_time({800, 200, 30, "9s"}, 3, 0.99, 0.25);
}
