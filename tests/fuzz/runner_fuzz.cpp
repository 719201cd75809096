// SPDX-License-Identifier: Apache-2.0
// A hostile runner at the agent's end of the wire: any messages in any order and cut anywhere, beside what the agent asks of it
// meanwhile. Each call comes to exactly one end, what is said of a call counts only while that lasts, texts come out sound, and
// who asks without reading does not fill the agent's memory. Clock and processes are made here; the rest is what the agent runs.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>

#include "base/text.hpp"
#include "input.hpp"
#include "plugin/supervisor_impl.hpp"

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
std::int64_t clock_ns = 1000 * second_ns;

}  // namespace

// Time passes when the input says so. All else asks the kernel, as this would.
extern "C" int clock_gettime(clockid_t clock, timespec* out) noexcept {
  if (clock != CLOCK_MONOTONIC) return static_cast<int>(::syscall(SYS_clock_gettime, clock, out));
  out->tv_sec = clock_ns / second_ns;
  out->tv_nsec = clock_ns % second_ns;
  return 0;
}
// The kernel's timers go by another clock: without them the loop looks at its own each time.
extern "C" int timerfd_create(int, int) noexcept {
  errno = ENOSYS;
  return -1;
}

namespace {

using namespace ronda;
using namespace ronda::plugin;

void expect(bool holds) {
  if (!holds) std::abort();
}

bool is_sound(std::string_view text) {
  return text.size() <= 2 * wire::text_limit && repair_utf8(text, text.size()) == text;
}

/// The other end of one runner, and how it will have ended.
struct Fake {
  pid_t pid = 0;
  Descriptor socket, output, life;  // `life` closed: the process is gone
  std::unique_ptr<Blackbox> box;
  RunnerEnd end;
  std::string body, unsent;
  wire::FrameReader told;
  std::size_t got = 0;  // bytes
};

std::vector<std::unique_ptr<Fake>> fakes;
bool refuses_to_start = false;

class Script : public fuzz::Input {
 public:
  using Input::Input;
  std::string text() {
    const std::size_t size = byte();
    return size == 255 ? std::string(wire::text_limit + 100, static_cast<char>(byte())) : std::string(bytes(size % 16));
  }
  std::int64_t number() {
    constexpr std::array<std::int64_t, 8> odd = {-1, INT64_MIN, INT64_MAX, 0, second_ns, 255, 1 << 20, INT32_MIN};
    return Input::number(odd);
  }
};

constexpr std::uint32_t instances = 4;
constexpr std::string_view secret = "s3cret-of-an-instance";

wire::Kind kind_of(std::uint32_t instance) {
  return static_cast<wire::Kind>(instance % 3);
}

class Client final : public SupervisorClient {
 public:
  struct Call {
    std::uint32_t instance = 0;
    bool ended = false, goes_on = false, over = false;
  };
  std::map<std::uint64_t, Call> calls;
  std::array<std::size_t, instances + 1> probes{};  // not answered yet
  std::vector<std::function<void(std::int32_t, std::string)>> later;
  std::uint8_t answers = 0;

  wire::Create describe(std::uint32_t instance) override {
    wire::Create out{instance, kind_of(instance), "procedure", "name", {}};
    wire::Writer w(out.options);
    w.map(1), w.text("token"), w.secret(secret);
    return out;
  }
  void on_call_end(CallEnd end) override {
    const auto found = calls.find(end.id);
    expect(found != calls.end() && !found->second.ended && found->second.instance == end.instance);
    found->second.ended = true;
    found->second.goes_on = end.goes_on;
    expect(is_sound(end.cause) && !text_of(end).empty());
    if (end.fate != Fate::finished) return expect(!end.cause.empty());
    const wire::Outcome& outcome = end.outcome;
    expect(outcome.call == end.id && is_sound(outcome.summary) && is_sound(outcome.detail));
    expect(outcome.status >= 0 && outcome.status <= 3);
    std::size_t metrics = 0;
    expect(wire::each_metric(outcome.metrics, [&](wire::Metric&& one) {
      ++metrics;
      expect(!one.name.empty() && is_sound(one.unit));
    }));
    expect(metrics <= wire::metrics_limit);
  }
  void on_call_over(std::uint64_t id) override {
    const auto found = calls.find(id);
    expect(found != calls.end() && found->second.ended && !found->second.over);
    found->second.over = true;
  }
  void on_probed(std::uint32_t instance, bool, std::string_view error) override {
    expect(instance >= 1 && instance <= instances && probes[instance] > 0 && is_sound(error));
    probes[instance] = 0;
  }
  void on_log(std::string_view, std::uint32_t instance, std::int64_t, std::string_view text) override {
    expect(instance <= instances && is_sound(text) && text.find(secret) == std::string_view::npos);
  }
  void on_event(const wire::Event& event) override {
    expect(is_open(event.call) && is_sound(event.text) && event.fields.size() <= wire::labels_limit);
  }
  void on_progress(const wire::Progress& progress) override {
    expect(is_open(progress.call) && progress.share >= 0 && progress.share <= 1 && is_sound(progress.what));
  }
  void on_request(wire::Request request, std::function<void(std::int32_t, std::string)> reply) override {
    expect(request.instance >= 1 && request.instance <= instances && request.ask != wire::Ask::inbox_take);  // no grant for that
    static const std::string large(1'000'000, 'x');
    if (answers == 1) return reply(0, large);  // seldom, for it costs much
    if (answers % 4 < 2) return reply(0, "value");
    if (answers % 4 == 2) later.push_back(std::move(reply));
  }
  void on_trouble(std::string_view, std::uint32_t instance, std::string_view text) override {
    expect(instance <= instances && !text.empty() && is_sound(text));
  }
  void on_quarantine(const QuarantineChange& change) override {
    expect(change.instance <= instances && is_sound(change.reason) && (!change.holds || !change.reason.empty()));
  }

 private:
  bool is_open(std::uint64_t id) const {
    const auto found = calls.find(id);
    return found != calls.end() && !found->second.ended;
  }
};

RunnerSpec spec() {
  RunnerSpec out;
  out.plugin_id = "org.example.hostile";
  out.plugin_fd = std::make_shared<const Descriptor>();
  out.setup.concurrency = 4;
  out.setup.grants = {"state"};
  return out;
}

class World {
 public:
  World(const std::uint8_t* data, std::size_t size) : in_(data, size), supervisor_(loop_, spec(), client_) {}

  void run() {
    for (int steps = 0; !in_.at_end() && steps < 400; ++steps) step();
    read_all();
    end();
  }

 private:
  /// One of the last three that lives; null: it does not.
  Fake* current() const {
    if (fakes.empty()) return nullptr;
    Fake* const out = fakes[fakes.size() - 1 - focus_ % std::min<std::size_t>(fakes.size(), 3)].get();
    return out->life ? out : nullptr;
  }

  void turn() {
    for (std::size_t ran = 1; ran > 0; ran = loop_.poll()) loop_.restart();
    const SupervisorStatus status = supervisor_.status();
    expect(is_sound(status.last_trouble) && is_sound(status.refused));
    for (const RunnerStatus& one : status.runners) expect(is_sound(one.locked));
  }

  void step() {
    const std::uint8_t what = in_.byte();
    switch (what % 16) {
      case 0:
      case 1:
        dispatch();
        break;
      case 10:
        pass_time();
        break;
      case 11:
        if (Fake* fake = current()) fake->socket.reset();
        break;
      case 12:
        if (Fake* fake = current()) end_process(*fake);
        break;
      case 13:
        if (Fake* fake = current()) {
          const std::size_t thread = in_.byte() % 8;
          fake->box->running[thread] = in_.byte();
        }
        break;
      case 14:
        if (Fake* fake = current()) {
          const std::string text = in_.text();
          static_cast<void>(::write(fake->output.get(), text.data(), text.size()));
        }
        break;
      case 15:
        ask_of_agent();
        break;
      default:
        if (Fake* fake = current()) say(*fake, what);
        return;  // it turns the loop or does not, as the input says
    }
    turn();
  }

  void dispatch() {
    CallSpec call;
    call.id = ++last_call_;
    call.instance = 1 + in_.byte() % instances;
    call.kind = kind_of(call.instance);
    const std::uint8_t how = in_.byte();
    constexpr std::array<std::int64_t, 4> timeouts = {second_ns, 5 * second_ns, 60 * second_ns, second_ns / 10};
    call.timeout = std::chrono::nanoseconds(timeouts[how % 4]);
    call.quick = (how & 4) != 0;
    call.exclusive = (how & 8) != 0;
    if (call.kind == wire::Kind::notifier)
      call.message = std::make_shared<const wire::Message>(wire::Message{"id", "to", "t", "b", "p1", "open", "", 1, {}});
    client_.calls[call.id].instance = call.instance;
    supervisor_.dispatch({call});
  }

  void pass_time() {
    constexpr std::array<std::int64_t, 8> steps = {10'000'000,    500'000'000,    600'000'000,    2 * second_ns,
                                                   5 * second_ns, 11 * second_ns, 61 * second_ns, 601 * second_ns};
    clock_ns += steps[in_.byte() % 8];
    for (const auto& reply : std::exchange(client_.later, {})) reply(0, "late");
  }

  void end_process(Fake& fake) {
    const std::uint8_t how = in_.byte();
    fake.end.by_itself = (how & 1) != 0;
    fake.end.wait_status = how >> 4;  // a signal, or none
    fake.end.culprit_call = fake.end.by_itself ? in_.byte() : 0;
    fake.life.reset();
  }

  void ask_of_agent() {
    const std::uint8_t what = in_.byte(), whom = in_.byte();
    const std::uint32_t instance = 1 + whom % instances;
    switch (what % 8) {
      case 0:
        return supervisor_.cancel(whom);
      case 1:
        return supervisor_.forget(instance);
      case 2:
        client_.probes[instance]++;
        return supervisor_.probe(instance);
      case 3:
        return whom % 8 == 0 ? supervisor_.retire() : supervisor_.set_idle_limit(std::chrono::seconds(whom));
      case 4:
        return supervisor_.clear_quarantine(whom % (instances + 1));
      case 5:
        return supervisor_.restore_quarantine(instance, std::chrono::seconds(whom), "before");
      case 6:
        client_.answers = whom;
        focus_ = whom / 64;
        return;
      default:
        refuses_to_start = whom % 4 == 0;
    }
  }

  void say(Fake& fake, std::uint8_t what) {
    wire::Writer w(fake.body);
    if (what / 16 == 15)
      fake.body += in_.text();
    else
      encode(w, what);
    const std::uint8_t how = in_.byte();
    if ((how & 1) == 0) {  // else what follows is in the same frame
      auto size = static_cast<std::uint32_t>(fake.body.size());
      if ((how & 0x70) == 0x70) size = static_cast<std::uint32_t>(in_.number());
      for (int shift = 0; shift < 32; shift += 8) fake.unsent += static_cast<char>(size >> shift & 0xff);
      fake.unsent += std::exchange(fake.body, {});
    }
    const std::size_t most = (how & 2) != 0 ? in_.byte() : fake.unsent.size();
    const std::string_view now = std::string_view(fake.unsent).substr(0, most);
    const ssize_t sent = ::send(fake.socket.get(), now.data(), now.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) fake.unsent.erase(0, static_cast<std::size_t>(sent));
    if ((how & 4) == 0) turn();
  }

  void encode(wire::Writer& w, std::uint8_t what) {
    switch (what % 16) {
      case 2:
        return wire::encode(w, wire::Loaded{in_.byte() % 4 != 0, in_.text(), 0});
      case 3: {
        wire::Outcome out;
        out.call = in_.byte();
        out.end = static_cast<wire::End>(in_.byte() % 8);
        out.status = static_cast<std::int32_t>(static_cast<std::int8_t>(in_.byte() % 8 - 1));
        out.duration_ns = in_.number();
        out.summary = in_.text();
        out.worn = static_cast<wire::Worn>(in_.byte() % 8);
        out.metrics = in_.text();
        if (out.metrics.size() % 2 == 0) {
          out.metrics.clear();
          wire::Writer metrics(out.metrics);
          wire::encode_metric(metrics, {in_.text(), static_cast<double>(in_.number()), false, false, in_.text(), in_.text(), "", {}});
        }
        return wire::encode(w, out);
      }
      case 4:
        return wire::encode(w, wire::Event{in_.byte(), in_.number(), in_.text(), in_.text(), {{in_.text(), in_.text()}}});
      case 5:
        return wire::encode(w, wire::Progress{in_.byte(), static_cast<double>(in_.number()) / 100, in_.text()});
      case 6: {
        wire::Request out;
        out.sequence = in_.byte();
        out.instance = in_.byte() % (instances + 2);
        out.ask = static_cast<wire::Ask>(in_.byte() % 7);
        out.text = in_.text();
        out.at_wall_ns = in_.number();
        out.call = in_.byte();
        return wire::encode(w, out);
      }
      case 7:
        return wire::encode(w, wire::Created{static_cast<std::uint32_t>(in_.number() & 7), in_.byte() % 2 == 0, in_.text()});
      case 8:
        return wire::encode(w, wire::Hello{in_.text(), in_.number(), in_.text()});
      default:
        return wire::encode(
            w, wire::Log{static_cast<std::uint32_t>(in_.byte() % 8), in_.number(), in_.byte() % 8 == 0 ? std::string(secret) : in_.text()});
    }
  }

  /// What the agent has kept for runners that have not read.
  void read_all() {
    std::vector<char> buffer(65536);
    for (bool more = true; more;) {
      turn();
      more = false;
      for (const auto& fake : fakes) {
        for (ssize_t got = 0; fake->socket && (got = ::recv(fake->socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0;) {
          more = true;
          fake->got += static_cast<std::size_t>(got);
          fake->told.feed({buffer.data(), static_cast<std::size_t>(got)});
        }
        std::string_view body;
        wire::FrameReader::Next next{};
        while ((next = fake->told.next(body)) == wire::FrameReader::Next::frame) {
          wire::Reader r(body);
          expect(wire::read_tag(r) != wire::Tag{});
        }
        expect(next == wire::FrameReader::Next::more);
      }
    }
    for (const auto& fake : fakes) expect(fake->got <= unread_limit + 3 * wire::max_frame);
  }

  void end() {
    supervisor_.kill_all();
    turn();
    for (const auto& fake : fakes) fake->life.reset();
    turn();
    for (const auto& reply : std::exchange(client_.later, {})) reply(0, "after its end");
    turn();
    expect(supervisor_.is_empty());
    for (const auto& [id, call] : client_.calls) expect(call.ended && (!call.goes_on || call.over));
    for (const std::size_t open : client_.probes) expect(open == 0);
  }

  Script in_;
  boost::asio::io_context loop_;
  Client client_;
  Supervisor supervisor_;
  std::uint64_t last_call_ = 0;
  std::size_t focus_ = 0;
};

}  // namespace

namespace ronda::plugin {

// ---- in the place of processes and control groups ---------------------------------------------

Result<SharedBlackbox> SharedBlackbox::make() {
  return SharedBlackbox(Descriptor(), fakes.back()->box.get());
}
SharedBlackbox::SharedBlackbox(SharedBlackbox&& other) noexcept : box_(std::exchange(other.box_, nullptr)) {}
SharedBlackbox& SharedBlackbox::operator=(SharedBlackbox&& other) noexcept {
  std::swap(box_, other.box_);
  return *this;
}
SharedBlackbox::~SharedBlackbox() = default;  // the fake keeps it

Result<RunnerProcess> spawn_runner(const SpawnOptions&) {
  if (refuses_to_start) return Error(Errc::system, "no process is left");
  std::array<int, 2> sockets{}, output{}, life{};
  expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets.data()) == 0);
  expect(::pipe2(output.data(), O_NONBLOCK | O_CLOEXEC) == 0 && ::pipe2(life.data(), O_NONBLOCK | O_CLOEXEC) == 0);
  auto fake = std::make_unique<Fake>();
  fake->pid = 100'000'000 + static_cast<pid_t>(fakes.size());
  fake->socket.reset(sockets[1]);
  fake->output.reset(output[1]);
  fake->life.reset(life[1]);
  fake->box = std::make_unique<Blackbox>();
  fake->end.text = "exited with status 0";
  const pid_t pid = fake->pid;
  fakes.push_back(std::move(fake));
  return RunnerProcess{pid, Descriptor(sockets[0]), Descriptor(life[0]), Descriptor(output[0]), *SharedBlackbox::make(), false};
}

pid_t worker_of(const RunnerProcess&, pid_t inner) {
  return inner;
}

RunnerEnd reap_runner(const RunnerProcess& process) {
  return fakes[static_cast<std::size_t>(process.pid - 100'000'000)]->end;
}

std::vector<LeftAlive> left_alive_below(pid_t, pid_t) {
  return {};
}
std::vector<LeftAlive> left_alive_of(std::span<const pid_t>, std::chrono::nanoseconds) {
  return {};
}

RunnerGroup::RunnerGroup(RunnerGroup&&) noexcept {}
RunnerGroup& RunnerGroup::operator=(RunnerGroup&&) noexcept {
  return *this;
}
RunnerGroup::~RunnerGroup() = default;
std::string RunnerGroup::text() const {
  return {};
}
void RunnerGroup::look(std::chrono::nanoseconds) {}
MemoryKill RunnerGroup::memory_kill(std::chrono::nanoseconds) const {
  return MemoryKill::none;
}
RunnerGroup Cgroups::add(pid_t, const GroupLimits&) {
  return {};
}

}  // namespace ronda::plugin

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  clock_ns = 1000 * second_ns;
  refuses_to_start = false;
  expect(std::chrono::steady_clock::now().time_since_epoch() == std::chrono::nanoseconds(clock_ns));
  {
    World world(data, size);
    world.run();
  }
  fakes.clear();
  return 0;
}
