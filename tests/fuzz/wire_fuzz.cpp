// SPDX-License-Identifier: Apache-2.0
// What a runner may send: any stream of bytes is frames of messages or broken, and a message that is taken says the
// same when it is written and read again.
#include <cstdint>
#include <cstdlib>

#include "plugin/messages.hpp"
#include "plugin/wire.hpp"

using namespace ronda::wire;

namespace {

template <class M>
std::string written(const M& message) {
  std::string out;
  Writer w(out);
  encode(w, message);
  return out;
}

template <class M>
bool take(Reader& r) {
  M message;
  if (!decode(r, message)) return false;
  const std::string once = written(message);
  Reader again(once);
  M same;
  read_tag(again);
  if (!decode(again, same) || !again.at_end() || written(same) != once) std::abort();
  if constexpr (std::is_same_v<M, Outcome>) {
    each_metric(message.metrics, [](const Metric&) {});
  }
  return true;
}

bool take_one(Reader& r) {
  std::uint64_t subject = 0;
  switch (read_tag(r)) {
    case Tag::setup:
      return take<Setup>(r);
    case Tag::create:
      return take<Create>(r);
    case Tag::call:
      return take<Call>(r);
    case Tag::reply:
      return take<Reply>(r);
    case Tag::probe:
    case Tag::cancel:
    case Tag::destroy:
    case Tag::shutdown:
      return decode_subject(r, subject);
    case Tag::hello:
      return take<Hello>(r);
    case Tag::loaded:
      return take<Loaded>(r);
    case Tag::created:
      return take<Created>(r);
    case Tag::outcome:
      return take<Outcome>(r);
    case Tag::log:
      return take<Log>(r);
    case Tag::event:
      return take<Event>(r);
    case Tag::progress:
      return take<Progress>(r);
    case Tag::request:
      return take<Request>(r);
    default:
      return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  FrameReader frames;
  frames.feed(bytes.substr(0, size / 2));
  frames.feed(bytes.substr(size / 2));
  std::string_view body;
  while (frames.next(body) == FrameReader::Next::frame) {
    Reader r(body);
    while (!r.at_end() && take_one(r)) {
    }
  }
  // lengths are rarely right by chance: the same bytes once more, without frames
  Reader r(bytes);
  while (!r.at_end() && take_one(r)) {
  }
  return 0;
}
