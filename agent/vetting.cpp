// SPDX-License-Identifier: Apache-2.0
#include "vetting.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/post.hpp>

#include "base/descriptor.hpp"

namespace ronda {
namespace asio = boost::asio;

std::shared_ptr<Vetting> Vetting::start(asio::io_context& loop, const schedule::CandidateRequest& request,
                                        std::chrono::milliseconds deadline, Told told) {
  auto vetting = std::make_shared<Vetting>(loop);
  vetting->told_ = std::move(told);
  vetting->begin(request, deadline);
  return vetting;
}

// From the reactor first: the child holds its pidfd for as long as it likes.
Vetting::~Vetting() {
  if (ended_.is_open()) Descriptor(ended_.release()).reset();
}

void Vetting::begin(const schedule::CandidateRequest& request, std::chrono::milliseconds deadline) {
  files_.files = config::read_directory(request.config_directory, request.config_directory, request.uid, files_.diagnostics);
  auto child = config::ParseChild::start({"/proc/self/exe", "--parse-child"}, files_.files.sources, request.environment, request.uid);
  Descriptor ended(child ? ::fcntl(child->pidfd(), F_DUPFD_CLOEXEC, 3) : -1);
  if (ended) {
    child_.emplace(std::move(*child));
    return watch(std::move(ended), deadline);
  }
  files_.verdict = child ? system_error("watching the parser", errno) : child.error();
  asio::post(loop_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->tell();
  });
}

void Vetting::watch(Descriptor ended, std::chrono::milliseconds deadline) {
  ended_.assign(ended.release());
  ended_.async_wait(asio::posix::descriptor_base::wait_read, [weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (self && !error) self->on_ended();
  });
  timer_.expires_after(deadline);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (self && !error && self->child_) self->child_->kill();  // its end is then seen above
  });
}

void Vetting::on_ended() {
  timer_.cancel();
  const auto answer = child_->finish(files_.files.sources);
  if (!answer) files_.verdict = answer.error();
  child_.reset();
  tell();
}

void Vetting::tell() {
  std::exchange(told_, nullptr)(std::move(files_));
}

}  // namespace ronda
