// SPDX-License-Identifier: Apache-2.0
// The agent's end of one runner, on the event loop: frames out, messages in, output captured, its end noticed.
// Everything that comes in is data from a process that may be hostile; the first byte that is not as it must
// be ends the conversation. Decides nothing.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string_view>

#include "plugin/messages.hpp"
#include "plugin/runner_life.hpp"
#include "plugin/runner_process.hpp"

namespace ronda::plugin {

class RunnerLink;

/// What a runner says and how it ends. All [loop].
class RunnerEvents {
 public:
  virtual void on_hello(const wire::Hello& hello) = 0;
  virtual void on_loaded(const wire::Loaded& loaded) = 0;
  virtual void on_created(const wire::Created& created) = 0;
  virtual void on_outcome(wire::Outcome outcome) = 0;
  virtual void on_log(wire::Log log) = 0;
  virtual void on_event(wire::Event event) = 0;
  virtual void on_progress(wire::Progress progress) = 0;
  virtual void on_request(wire::Request request) = 0;
  virtual void on_output(std::string_view bytes) = 0;
  /// All that could be read has been told.
  virtual void on_read() = 0;
  /// It closed its end of the socket: it is ending, or has lost its mind; nothing more is read.
  virtual void on_hung_up() = 0;
  /// It broke the protocol; nothing more is read.
  virtual void on_broken(std::string_view why) = 0;
  /// The process is gone and reaped; the last event.
  virtual void on_end(const RunnerEnd& end) = 0;

 protected:
  ~RunnerEvents() = default;
};

class RunnerLink {
 public:
  /// Both references must outlive this object. A process that outlives it is still reaped by the loop.
  RunnerLink(boost::asio::io_context& loop, RunnerProcess process, RunnerEvents& events);
  ~RunnerLink();
  RunnerLink(const RunnerLink&) = delete;
  RunnerLink& operator=(const RunnerLink&) = delete;

  /// Queues a message; all that is queued in one turn of the loop leaves in one write.
  template <class M>
  void post(const M& message) {
    frames().message([&](wire::Writer& w) { wire::encode(w, message); });
    schedule_flush();
  }
  void post(wire::Tag tag, std::uint64_t subject);

  /// Queues a call; it leaves with the next flush.
  void queue(const wire::Call& call);
  void queue(const wire::Call& call, const wire::Message& message);
  /// Writes what is queued now, without another turn of the loop.
  void flush();

  void signal(int number);
  const RunnerProcess& process() const;
  /// Bytes that the runner has not read yet.
  std::size_t unread_bytes() const;
  /// Since when half a frame has been waiting for its rest; zero when none does.
  Mono partial_frame_since() const;

 private:
  class Impl;
  wire::FrameWriter& frames();
  void schedule_flush();
  std::shared_ptr<Impl> impl_;
};

}  // namespace ronda::plugin
