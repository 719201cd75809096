// SPDX-License-Identifier: Apache-2.0
// Has everything that a reload reads for the first time read by throw-away children while the event loop goes on:
// the bytes of conf.d, and those of each plugin file that is new. What is due during a reload does not wait for a
// parser. Takes over nothing and decides nothing. [loop]
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/descriptor.hpp"
#include "config/parse_child.hpp"
#include "plugin/vet_child.hpp"
#include "schedule/candidate.hpp"

namespace ronda {

/// A child, its end and its deadline on the event loop.
template <class Child>
class Watched {
 public:
  explicit Watched(boost::asio::io_context& loop) : ended_(loop), timer_(loop) {}
  ~Watched() { drop(); }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  /// `ended` is called once by the loop, when the child can be taken; `late` before it, if the deadline came first. They
  /// may be called when this is gone and have to know. An error: neither will be called, and the child is gone.
  Status watch(Child child, std::chrono::milliseconds deadline, std::function<void(std::uint64_t)> late, std::function<void()> ended);
  /// The child that `late` was told of; null when it has ended since.
  Child* child(std::uint64_t number) { return child_ && number == number_ ? &*child_ : nullptr; }
  /// The child that has ended.
  Child take() {
    drop();
    Child out = std::move(*child_);
    child_.reset();
    return out;
  }

 private:
  void drop();

  std::optional<Child> child_;
  std::uint64_t number_ = 0;
  boost::asio::posix::stream_descriptor ended_;
  boost::asio::steady_timer timer_;
};

class Vetting final : public std::enable_shared_from_this<Vetting> {
 public:
  struct Limits {
    std::chrono::milliseconds config, plugin;  // for all of conf.d, for one plugin file
  };
  /// Called once, from the loop, unless the last reference is gone before.
  using Told = std::function<void(schedule::VettedFiles)>;

  static std::shared_ptr<Vetting> start(boost::asio::io_context& loop, const schedule::CandidateRequest& request, const Limits& limits,
                                        Told told);

  explicit Vetting(boost::asio::io_context& loop) : loop_(loop), config_(loop), plugin_(loop) {}

 private:
  void begin_config(const schedule::CandidateRequest& request);
  void begin_plugins(const schedule::CandidateRequest& request);
  void next_plugin();
  void post_next();
  void finish_part();

  boost::asio::io_context& loop_;
  Limits limits_{};
  schedule::VettedFiles files_;
  Told told_;
  int open_parts_ = 2;
  Watched<config::ParseChild> config_;
  Watched<plugin::VetChild> plugin_;          // one at a time: a reload is not to take the machine
  std::vector<std::string> paths_;            // of plugin files still to be looked at, the next one last
  std::set<std::string, std::less<>> known_;  // hashes that were read before
  uid_t uid_ = 0;
};

}  // namespace ronda
