// SPDX-License-Identifier: Apache-2.0
#include "plugin/runner_link.hpp"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>

#include "base/clock.hpp"

namespace ronda::plugin {
namespace asio = boost::asio;

namespace {
constexpr std::size_t reads_per_turn = 16;                  // then other work of the loop has its turn
constexpr std::size_t last_words = std::size_t{256} << 10;  // bytes of output still taken from a process that is gone
}  // namespace

class RunnerLink::Impl : public std::enable_shared_from_this<RunnerLink::Impl> {
 public:
  Impl(asio::io_context& loop, RunnerProcess process, RunnerEvents& events)
      : loop_(loop),
        process_(std::move(process)),
        events_(&events),
        socket_(loop, process_.socket.release()),
        output_(loop, process_.output.release()),
        exit_(loop, process_.pidfd.release()) {}

  void start() {
    read_more();
    read_output();
    exit_.async_wait(asio::posix::descriptor_base::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->finish();
    });
  }

  /// Nobody listens any more.
  void abandon() {
    events_ = nullptr;
    close(socket_);
    close(output_);
  }

  void flush() {
    if (unsent_.empty())
      unsent_ = frames_.take();
    else
      unsent_ += frames_.take();
    write();
  }

  void schedule_flush() {
    if (std::exchange(flush_scheduled_, true)) return;
    asio::post(loop_, [self = shared_from_this()] {
      self->flush_scheduled_ = false;
      self->flush();
    });
  }

  void signal(int number) {
    if (exit_.is_open()) ::syscall(SYS_pidfd_send_signal, exit_.native_handle(), number, nullptr, 0);
  }

  wire::FrameWriter frames_;
  std::string unsent_;
  wire::FrameReader incoming_;
  Mono partial_since_{0};
  const RunnerProcess& process() const { return process_; }

 private:
  // Taken from the reactor first: a child may still hold the descriptor for a moment, and then close alone would
  // leave an entry that fires on whoever gets the slot next.
  static void close(asio::posix::stream_descriptor& descriptor) {
    if (descriptor.is_open()) Descriptor(descriptor.release()).reset();
  }

  void write() {
    while (!unsent_.empty() && socket_.is_open()) {
      const ssize_t sent = ::send(socket_.native_handle(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) {
        unsent_.erase(0, static_cast<std::size_t>(sent));
        continue;
      }
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno == EAGAIN) return wait_writable();
      unsent_.clear();  // the reader will see the end of the stream and say so
    }
  }

  void wait_writable() {
    if (std::exchange(waiting_writable_, true)) return;
    socket_.async_wait(asio::posix::descriptor_base::wait_write, [self = shared_from_this()](const boost::system::error_code& error) {
      self->waiting_writable_ = false;
      if (!error) self->write();
    });
  }

  void read_more() {
    socket_.async_wait(asio::posix::descriptor_base::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->on_readable();
    });
  }

  void on_readable() {
    read_frames();
    if (events_ != nullptr) events_->on_read();
    if (socket_.is_open()) read_more();
  }

  void read_frames() {
    for (std::size_t turn = 0; turn < reads_per_turn && socket_.is_open(); ++turn) {
      const ssize_t got = ::recv(socket_.native_handle(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) break;
      if (got <= 0) return hung_up();
      incoming_.feed({buffer_.data(), static_cast<std::size_t>(got)});
      if (!take_frames()) return;
      if (static_cast<std::size_t>(got) < buffer_.size()) break;
    }
  }

  bool take_frames() {
    std::string_view body;
    while (socket_.is_open()) {
      const auto next = incoming_.next(body);
      if (next == wire::FrameReader::Next::frame) partial_since_ = Mono{0};
      if (next == wire::FrameReader::Next::more) {
        if (!incoming_.is_partial())
          partial_since_ = Mono{0};
        else if (partial_since_ == Mono{0})
          partial_since_ = monotonic();
        return true;
      }
      if (next == wire::FrameReader::Next::broken || !take_messages(body)) {
        broken("it sent bytes that are no message");
        return false;
      }
    }
    return false;
  }

  bool take_messages(std::string_view body) {
    wire::Reader r(body);
    while (!r.at_end() && events_ != nullptr) {
      if (!take_message(wire::read_tag(r), r)) return false;
    }
    return r.ok();
  }

  template <class M, class Handler>
  bool hand_over(wire::Reader& r, Handler handler) {
    M message;
    if (!wire::decode(r, message)) return false;
    (events_->*handler)(std::move(message));
    return true;
  }

  bool take_message(wire::Tag tag, wire::Reader& r) {
    switch (tag) {
      case wire::Tag::hello: return hand_over<wire::Hello>(r, &RunnerEvents::on_hello);
      case wire::Tag::loaded: return hand_over<wire::Loaded>(r, &RunnerEvents::on_loaded);
      case wire::Tag::created: return hand_over<wire::Created>(r, &RunnerEvents::on_created);
      case wire::Tag::outcome: return hand_over<wire::Outcome>(r, &RunnerEvents::on_outcome);
      case wire::Tag::log: return hand_over<wire::Log>(r, &RunnerEvents::on_log);
      case wire::Tag::event: return hand_over<wire::Event>(r, &RunnerEvents::on_event);
      case wire::Tag::progress: return hand_over<wire::Progress>(r, &RunnerEvents::on_progress);
      case wire::Tag::request: return hand_over<wire::Request>(r, &RunnerEvents::on_request);
      default: return false;
    }
  }

  void hung_up() {
    close(socket_);
    if (events_ != nullptr) events_->on_hung_up();
  }

  void broken(std::string_view why) {
    close(socket_);
    if (events_ != nullptr) events_->on_broken(why);
  }

  void read_output() {
    output_.async_wait(asio::posix::descriptor_base::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->on_output_readable();
    });
  }

  void on_output_readable() {
    std::array<char, 65536> buffer;
    const ssize_t got = ::read(output_.native_handle(), buffer.data(), buffer.size());
    if (got > 0 && events_ != nullptr) events_->on_output({buffer.data(), static_cast<std::size_t>(got)});
    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) return read_output();
    close(output_);
  }

  void finish() {
    // what it had sent before it went still counts
    if (socket_.is_open()) {
      std::array<char, 65536> buffer;
      ssize_t got = 0;
      while ((got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0) {
        incoming_.feed({buffer.data(), static_cast<std::size_t>(got)});
        if (!take_frames()) break;
      }
      if (events_ != nullptr) events_->on_read();
    }
    std::array<char, 65536> buffer;
    for (std::size_t total = 0; output_.is_open() && total < last_words;) {
      const ssize_t got = ::read(output_.native_handle(), buffer.data(), buffer.size());
      if (got <= 0) break;
      total += static_cast<std::size_t>(got);
      if (events_ != nullptr) events_->on_output({buffer.data(), static_cast<std::size_t>(got)});
    }
    const RunnerEnd end = reap_runner(process_);
    close(socket_);
    close(output_);
    close(exit_);
    if (events_ != nullptr) events_->on_end(end);
  }

  asio::io_context& loop_;
  RunnerProcess process_;
  RunnerEvents* events_;
  asio::posix::stream_descriptor socket_, output_, exit_;
  std::array<char, 65536> buffer_;  // not on the stack: hardening would clear it at every wake-up
  bool flush_scheduled_ = false;
  bool waiting_writable_ = false;
};

RunnerLink::RunnerLink(asio::io_context& loop, RunnerProcess process, RunnerEvents& events)
    : impl_(std::make_shared<Impl>(loop, std::move(process), events)) {
  impl_->start();
}

RunnerLink::~RunnerLink() {
  impl_->abandon();
}

wire::FrameWriter& RunnerLink::frames() {
  return impl_->frames_;
}
void RunnerLink::schedule_flush() {
  impl_->schedule_flush();
}

void RunnerLink::queue(const wire::Call& call) {
  frames().message([&](wire::Writer& w) { wire::encode(w, call); });
}

void RunnerLink::queue(const wire::Call& call, const wire::Message& message) {
  frames().message([&](wire::Writer& w) { wire::encode(w, call, message); });
}

void RunnerLink::flush() {
  impl_->flush();
}

void RunnerLink::post(wire::Tag tag, std::uint64_t subject) {
  frames().message([&](wire::Writer& w) { wire::encode(w, tag, subject); });
  schedule_flush();
}

void RunnerLink::signal(int number) {
  impl_->signal(number);
}
const RunnerProcess& RunnerLink::process() const {
  return impl_->process();
}
std::size_t RunnerLink::unread_bytes() const {
  return impl_->unsent_.size() + impl_->frames_.size();
}
Mono RunnerLink::partial_frame_since() const {
  return impl_->partial_since_;
}

}  // namespace ronda::plugin
