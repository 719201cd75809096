// SPDX-License-Identifier: Apache-2.0
#include "lookup.hpp"

#include <netdb.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

namespace postgresql {
namespace {

using Clock = std::chrono::steady_clock;

/// An answer that came after its run had ended still serves a later one, if that is near: else a resolver that is slower
/// than the check's timeout would never be heard.
constexpr std::chrono::seconds late_age{60};
constexpr int step_ms = 20;  // between two looks at how far it is

Resolved resolve(const std::string& name) {
  addrinfo hint{};
  hint.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(name.c_str(), nullptr, &hint, &found);
  if (error != 0) return {name, {}, error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error)};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, ::freeaddrinfo);
  Resolved resolved{name, {}, {}};
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
      resolved.addresses.emplace_back(text);
  }
  if (resolved.addresses.empty()) resolved.problem = ::gai_strerror(EAI_NODATA);
  return resolved;
}

bool has_address(const std::vector<Resolved>& all) {
  return std::any_of(all.begin(), all.end(), [](const Resolved& one) { return !one.addresses.empty(); });
}

/// The names of one connection string, looked up one after the other by a thread.
class Job {
 public:
  explicit Job(const std::vector<std::string>& names) : names_(names), end_(::eventfd(0, EFD_CLOEXEC)) {
    if (end_ < 0) throw std::system_error(errno, std::generic_category());
  }
  ~Job() { ::close(end_); }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  void work() {
    for (const std::string& name : names_) {
      Resolved one = resolve(name);
      const std::lock_guard lock(mutex_);
      resolved_.push_back(std::move(one));
    }
    static_cast<void>(::eventfd_write(end_, 1));
  }
  const std::vector<std::string>& names() const { return names_; }
  std::vector<Resolved> resolved() const {
    const std::lock_guard lock(mutex_);
    return resolved_;
  }
  bool is_done() const {
    const std::lock_guard lock(mutex_);
    return resolved_.size() == names_.size();
  }
  bool is_young() const { return Clock::now() - begun_ < late_age; }
  /// Readable for good once all names are done.
  int end_fd() const { return end_; }

 private:
  const std::vector<std::string> names_;
  const Clock::time_point begun_ = Clock::now();
  const int end_;
  mutable std::mutex mutex_;
  std::vector<Resolved> resolved_;
};

/// All jobs whose answer nobody has taken. A thread works on a job that stands here, and on nothing else of ours.
class Jobs {
 public:
  /// The file with the threads' code must not leave the memory before them. A runner ends without this.
  ~Jobs() {
    for (Entry& entry : entries_)
      if (entry.thread.joinable()) entry.thread.join();
  }

  /// The one that is under way, or has ended since, or a new one; null: as many as may be are under way. Throws std::system_error.
  std::shared_ptr<Job> of(const std::vector<std::string>& names) {
    const std::lock_guard lock(mutex_);
    forget_old();
    for (const Entry& entry : entries_)
      if (entry.job->names() == names) return entry.job;
    const auto works = [](const Entry& entry) { return entry.thread.joinable(); };
    if (static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), works)) >= max_lookups) return nullptr;
    auto job = std::make_shared<Job>(names);
    std::thread thread(&Job::work, job.get());
    entries_.push_back({job, std::move(thread)});
    return job;
  }

  /// It is done and its answer known to a run: the next one asks anew.
  void taken(const std::shared_ptr<Job>& job) {
    const std::lock_guard lock(mutex_);
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (entry->job != job) continue;
      if (entry->thread.joinable()) entry->thread.join();
      entries_.erase(entry);
      return;
    }
  }

 private:
  struct Entry {
    std::shared_ptr<Job> job;
    std::thread thread;  // not joinable: ended
  };

  /// Ends the threads that are done, and drops what says no, or is too old to go by.
  void forget_old() {
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      const bool done = entry->job->is_done();
      if (done && entry->thread.joinable()) entry->thread.join();
      const bool keep = !done || (entry->job->is_young() && has_address(entry->job->resolved()));
      entry = keep ? std::next(entry) : entries_.erase(entry);
    }
  }

  std::mutex mutex_;
  std::list<Entry> entries_;
};

/// Holds no instance's state: only what is looked up, and what that found.
Jobs& jobs() {
  static Jobs all;
  return all;
}

Failure too_late(const std::string& name, Woken why) {
  if (why == Woken::cancelled) return {Cause::cancelled, "cancelled while the name of the host was looked up", ""};
  return {Cause::timeout, "the host name \"" + name + "\" was not resolved in time: the resolver does not answer", ""};
}

}  // namespace

Answer<std::vector<Resolved>> look_up(const std::vector<std::string>& names, bool has_other, const Limits& limits) try {
  const Clock::time_point begun = Clock::now();
  const std::chrono::milliseconds all(limits.left_ms());
  std::vector<Resolved> resolved;
  for (std::shared_ptr<Job> job; true;) {
    if (!job) job = jobs().of(names);
    const Woken woken = limits.wait(job ? job->end_fd() : -1, POLLIN, step_ms);
    if (job) resolved = job->resolved();
    if (woken == Woken::ready) {
      jobs().taken(job);
      return resolved;
    }
    const auto took = Clock::now() - begun;
    if (woken == Woken::cancelled || took >= all) return too_late(names[std::min(resolved.size(), names.size() - 1)], woken);
    if ((has_other || has_address(resolved)) && took >= all / 2) return resolved;
  }
} catch (const std::system_error& none) {
  return Failure{Cause::setup, std::string("no thread to look up the name of the host: ") + none.code().message(), ""};
}

}  // namespace postgresql
