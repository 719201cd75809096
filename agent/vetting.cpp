// SPDX-License-Identifier: Apache-2.0
#include "vetting.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

#include "base/descriptor.hpp"

namespace ronda {
namespace asio = boost::asio;

template <class Child>
Status Watched<Child>::watch(Child child, std::chrono::milliseconds deadline, std::function<void(std::uint64_t)> late,
                             std::function<void()> ended) {
  Descriptor end(::fcntl(child.pidfd(), F_DUPFD_CLOEXEC, 3));
  if (!end) return system_error("watching what reads it", errno);
  child_.emplace(std::move(child));
  ++number_;
  ended_.assign(end.release());
  ended_.async_wait(asio::posix::descriptor_base::wait_read, [ended = std::move(ended)](const boost::system::error_code& error) {
    if (!error) ended();
  });
  timer_.expires_after(deadline);
  timer_.async_wait([number = number_, late = std::move(late)](const boost::system::error_code& error) {
    if (!error) late(number);  // its end is then seen above
  });
  return done();
}

// From the reactor first: the child holds its pidfd for as long as it likes.
template <class Child>
void Watched<Child>::drop() {
  timer_.cancel();
  if (ended_.is_open()) Descriptor(ended_.release()).reset();
}

std::shared_ptr<Vetting> Vetting::start(asio::io_context& loop, const schedule::CandidateRequest& request, const Limits& limits,
                                        Told told) {
  auto vetting = std::make_shared<Vetting>(loop);
  vetting->limits_ = limits;
  vetting->told_ = std::move(told);
  vetting->begin_config(request);
  vetting->begin_plugins(request);
  return vetting;
}

void Vetting::begin_config(const schedule::CandidateRequest& request) {
  files_.files = config::read_directory(request.config_directory, request.config_directory, request.uid, files_.diagnostics);
  auto child = config::ParseChild::start({"/proc/self/exe", "--parse-child"}, files_.files.sources, request.environment, request.uid);
  if (!child) {
    files_.verdict = child.error();
    return finish_part();
  }
  const Status watched = config_.watch(
      std::move(*child), limits_.config,
      [weak = weak_from_this()](std::uint64_t number) {
        const auto self = weak.lock();
        config::ParseChild* late = self ? self->config_.child(number) : nullptr;
        if (late != nullptr) late->kill();
      },
      [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        const auto answer = self->config_.take().finish(self->files_.files.sources);
        if (!answer) self->files_.verdict = answer.error();
        self->finish_part();
      });
  if (watched) return;
  files_.verdict = watched.error();
  finish_part();
}

void Vetting::begin_plugins(const schedule::CandidateRequest& request) {
  paths_ = plugin::list_plugin_files(request.plugin_directories, request.uid);
  std::reverse(paths_.begin(), paths_.end());
  uid_ = request.uid;
  if (request.previous != nullptr) known_ = plugin::hashes_of(*request.previous);
  post_next();
}

/// What is due comes between two files.
void Vetting::post_next() {
  asio::post(loop_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->next_plugin();
  });
}

void Vetting::next_plugin() {
  if (paths_.empty()) return finish_part();
  const std::string path = std::move(paths_.back());
  paths_.pop_back();
  const auto bytes = plugin::read_listed_plugin(path, uid_);
  if (!bytes || !known_.insert(bytes->sha256).second) return post_next();
  auto child = plugin::VetChild::start({"/proc/self/exe", "--vet-plugin"}, bytes->bytes);
  if (!child) {
    files_.plugins.emplace(bytes->sha256, child.error());
    return post_next();
  }
  const Status watched = plugin_.watch(
      std::move(*child), limits_.plugin,
      [weak = weak_from_this()](std::uint64_t number) {
        const auto self = weak.lock();
        plugin::VetChild* late = self ? self->plugin_.child(number) : nullptr;
        if (late != nullptr) late->give_up(self->limits_.plugin);
      },
      [weak = weak_from_this(), sha256 = bytes->sha256] {
        const auto self = weak.lock();
        if (!self) return;
        self->files_.plugins.emplace(sha256, self->plugin_.take().finish());
        self->next_plugin();
      });
  if (watched) return;
  files_.plugins.emplace(bytes->sha256, watched.error());
  post_next();
}

void Vetting::finish_part() {
  if (--open_parts_ > 0) return;
  asio::post(loop_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->told_) std::exchange(self->told_, nullptr)(std::move(self->files_));
  });
}

}  // namespace ronda
