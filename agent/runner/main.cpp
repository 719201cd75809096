// SPDX-License-Identifier: Apache-2.0
// ronda-runner: loads ONE plugin and serves calls to it over a socketpair. It holds no configuration, decides
// nothing, and ends with the agent. Started by the agent only, with the descriptors of plugin/blackbox.hpp.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <new>
#include <optional>

#include "base/clock.hpp"
#include "base/code_pages.hpp"
#include "plugin/blackbox.hpp"
#include "plugin/messages.hpp"
#include "runner/ambient.hpp"
#include "runner/by_id.hpp"
#include "runner/confine.hpp"
#include "runner/crash.hpp"
#include "runner/keeper.hpp"
#include "runner/link.hpp"
#include "runner/plugin_object.hpp"
#include "runner/pool.hpp"
#include "runner/programs.hpp"

namespace ronda::runner {
namespace {

constexpr std::size_t default_stack_bytes = std::size_t{512} << 10;
constexpr int descendants_ms = 1500;  // for all of them to be gone
constexpr timespec first_calls_look{5, 0};
constexpr int first_calls_looks = 60;

plugin::Blackbox* map_blackbox() {
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, plugin::runner_blackbox_fd, 0);
  ::close(plugin::runner_blackbox_fd);  // the mapping is enough, and a fork inherits it
  return page == MAP_FAILED ? nullptr : new (page) plugin::Blackbox;
}

/// What the runner was started with is no business of programs that its plugin starts.
void keep_from_programs() {
  for (const int fd : {plugin::runner_socket_fd, plugin::runner_plugin_fd}) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/// What this process has started itself. The keeper does it too, unless it is gone.
void end_own(const wire::Setup& setup, const Programs* programs) {
  if (programs != nullptr) return programs->end_all();
  if (!setup.pid_namespace) end_descendants(descendants_ms);
}

/// Exit is the only unload.
[[noreturn]] void leave(const wire::Setup& setup, const Programs* programs) {
  end_own(setup, programs);
  leave_in_peace(0);  // from here, while everything that other threads use is still there
}

/// Serves the frames of one agent.
class Server {
 public:
  Server(Link& link, plugin::Blackbox& blackbox) : link_(link), blackbox_(blackbox) {}

  /// Reads the setup, which the agent sends once the limits around this process are in place.
  bool read_setup(wire::Setup& setup);
  /// From here on the threads of the pool serve, this one among them; they end the process when the agent says so or is gone.
  [[noreturn]] void serve(const wire::Setup& setup, PluginObject& plugin, Programs* programs);

 private:
  void read();
  void begin_end();
  static void* enter_end(void* self);
  [[noreturn]] void end();
  static void* enter_watch(void* self);
  void watch();
  bool handle_frame(std::string_view body);
  bool handle_frames();
  bool handle(wire::Tag tag, wire::Reader& r);
  bool add_instance(wire::Reader& r);
  bool add_call(wire::Reader& r, bool deliver);
  bool on_instance(wire::Tag tag, wire::Reader& r);

  Link& link_;
  plugin::Blackbox& blackbox_;
  wire::FrameReader frames_;
  std::optional<Surroundings> around_;  // from serve() on
  Pool* pool_ = nullptr;
  ById<Instance> instances_;
  ById<Instance> ending_;     // what was left of them at the shutdown
  std::vector<Job> jobs_;     // of the frame being read
  std::string behind_setup_;  // first calls that came in the same frame
  bool shutdown_ = false;
};

bool Server::read_setup(wire::Setup& setup) {
  std::string_view body;
  while (true) {
    const auto next = frames_.next(body);
    if (next == wire::FrameReader::Next::broken) return false;
    if (next == wire::FrameReader::Next::frame) break;
    if (!link_.receive(frames_)) return false;
  }
  wire::Reader r(body);
  if (wire::read_tag(r) != wire::Tag::setup || !wire::decode(r, setup)) return false;
  behind_setup_ = r.rest();
  return true;
}

bool Server::add_instance(wire::Reader& r) {
  wire::Create spec;
  // the instance has its own copy, which is wiped with it: there may be secrets in it
  struct Wiped {
    std::string& text;
    ~Wiped() { ::explicit_bzero(text.data(), text.size()); }
  } const wiped{spec.options};
  if (!wire::decode(r, spec)) return false;
  instances_.put(spec.instance, std::make_shared<Instance>(spec, *around_));
  return true;
}

bool Server::add_call(wire::Reader& r, bool deliver) {
  Job job;
  job.what = deliver ? Job::What::deliver : Job::What::call;
  if (!wire::decode(r, job.call) || (deliver && !wire::decode(r, job.message))) return false;
  job.instance = instances_.find(job.call.instance);
  if (job.instance == nullptr) return false;
  jobs_.push_back(std::move(job));
  return true;
}

bool Server::on_instance(wire::Tag tag, wire::Reader& r) {
  std::uint64_t id = 0;
  if (!wire::decode_subject(r, id)) return false;
  Job job;
  job.what = tag == wire::Tag::probe ? Job::What::probe : Job::What::destroy;
  job.instance = instances_.find(static_cast<std::uint32_t>(id));
  if (job.instance == nullptr) return shutdown_;  // then whoever ends all of them has it
  jobs_.push_back(std::move(job));
  if (tag == wire::Tag::destroy) instances_.erase(static_cast<std::uint32_t>(id));
  return true;
}

bool Server::handle(wire::Tag tag, wire::Reader& r) {
  std::uint64_t subject = 0;
  wire::Reply reply;
  switch (tag) {
    case wire::Tag::create:
      return add_instance(r);
    case wire::Tag::call:
      return add_call(r, false);
    case wire::Tag::deliver:
      return add_call(r, true);
    case wire::Tag::probe:
    case wire::Tag::destroy:
      return on_instance(tag, r);
    case wire::Tag::cancel:
      if (!wire::decode_subject(r, subject)) return false;
      pool_->cancel(subject);
      return true;
    case wire::Tag::reply:
      if (!wire::decode(r, reply)) return false;
      link_.answer(std::move(reply));
      return true;
    case wire::Tag::shutdown:
      shutdown_ = wire::decode_subject(r, subject);
      return shutdown_;
    default:
      return false;
  }
}

bool Server::handle_frame(std::string_view body) {
  wire::Reader r(body);
  while (!r.at_end()) {
    if (!handle(wire::read_tag(r), r)) return false;
  }
  if (!jobs_.empty()) pool_->submit(std::exchange(jobs_, {}));
  return r.ok();
}

/// All whole frames that have come; false when the agent's bytes make no sense.
bool Server::handle_frames() {
  std::string_view body;
  auto next = frames_.next(body);
  for (; next == wire::FrameReader::Next::frame; next = frames_.next(body)) {
    if (!handle_frame(body)) return false;
  }
  return next != wire::FrameReader::Next::broken;
}

void Server::read() {
  const bool ends = shutdown_;
  if (!link_.receive(frames_) || !handle_frames()) leave(around_->setup, around_->programs);
  if (shutdown_ && !ends) begin_end();
}

/// On a thread of its own: what is destroyed may ask the agent, whose answers somebody has to read, and jobs that came
/// with the last word have to be done by somebody too.
void Server::begin_end() {
  ending_ = std::exchange(instances_, {});
  if (!Pool::start_thread(enter_end, this)) end();
}

void* Server::enter_end(void* self) {
  const CrashStack crash_stack;
  static_cast<Server*>(self)->end();
}

void Server::end() {
  // whoever still runs would lose its instance under its feet
  if (pool_->drain(monotonic() + std::chrono::seconds(2))) {
    ending_.each([](Instance& instance) {
      const std::lock_guard turn(instance.turn());
      instance.destroy();
    });
    around_->plugin.shut_down();
  }
  leave(around_->setup, around_->programs);
}

void Server::serve(const wire::Setup& setup, PluginObject& plugin, Programs* programs) {
  around_.emplace(Surroundings{plugin, link_, setup, programs});
  const Wear& wear = *new Wear(setup);
  const Ambient& ambient = *new Ambient;
  // never destroyed: its threads wait on it until the process ends, and a destructor would wait for them
  pool_ =
      new Pool(link_, blackbox_, wear, ambient, static_cast<std::size_t>(std::max<std::int64_t>(setup.concurrency, 1)), [this] { read(); });
  blackbox_.phase.store(2);
  if (!handle_frame(behind_setup_) || !handle_frames()) leave(setup, programs);
  const bool ends = shutdown_;  // from the start on, the threads of the pool read
  if (ends) ending_ = std::exchange(instances_, {});
  if (ends && !Pool::start_thread(enter_end, this)) end();
  if (!Pool::start_thread(enter_watch, this)) leave_in_peace(126);
  pool_->join();
}

void* Server::enter_watch(void* self) {
  static_cast<Server*>(self)->watch();
  return nullptr;
}

/// Waits for the keeper's death. It has nothing else to do, so it gives back what only the start and the first calls needed. The
/// process's first thread does not do this: a debugger shows that one first, and people want to see what the plugin does.
void Server::watch() {
  const bool pid_namespace = around_->setup.pid_namespace;
  sigset_t term;
  ::sigemptyset(&term);
  if (!pid_namespace) ::sigaddset(&term, SIGTERM);  // within one, SIGKILL comes by itself
  bool ends = false;
  for (int look = 0; look < first_calls_looks && !ends; ++look) {
    ends = ::sigtimedwait(&term, nullptr, &first_calls_look) == SIGTERM;
    if (pool_->is_calm()) break;
  }
  release_code_pages();
  if (pid_namespace) return;
  while (!ends) ends = ::sigwaitinfo(&term, nullptr) == SIGTERM;
  end_own(around_->setup, around_->programs);
  ::kill(::getpid(), SIGKILL);
  leave_in_peace(0);
}

/// Threads that libraries make without saying how large: a resolver's, say. The usual 8 MiB would each count against
/// the limit of memory.
void set_default_stack() {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, default_stack_bytes);
  ::pthread_setattr_default_np(&attributes);
  ::pthread_attr_destroy(&attributes);
}

/// Without a PID namespace: should somebody kill the keeper, what this process started itself still ends with it. A thread of
/// its own waits for that.
void prepare_for_orphans() {
  sigset_t term;
  ::sigemptyset(&term);
  ::sigaddset(&term, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &term, nullptr);
}

int run() {
  plugin::Blackbox* blackbox = map_blackbox();
  if (blackbox == nullptr) return 126;
  keep_from_programs();
  Link link(plugin::runner_socket_fd);
  Server server(link, *blackbox);
  wire::Setup setup;
  if (!server.read_setup(setup)) return 0;
  if (setup.build != RONDA_BUILD) {
    link.send(wire::Loaded{
        false, "ronda-runner is of build " RONDA_BUILD ", the agent of build " + setup.build + "; restart the agent after an upgrade", 0});
    return 0;
  }
  Programs* const programs = setup.detached ? Programs::make() : nullptr;
  if (setup.detached && programs == nullptr) {
    link.send(wire::Loaded{false, "no memory for the list of its programs", 0});
    return 0;
  }
  become_keeper(*blackbox, setup.detached ? Orphans::stay : setup.pid_namespace ? Orphans::kernel_ends : Orphans::keeper_ends, programs);
  std::vector<std::string> remarks;
  if (auto confined = confine(setup, remarks); !confined) {
    link.send(wire::Loaded{false, confined.error().message(), 0});
    return 0;
  }
  die_with_parent(setup.pid_namespace ? SIGKILL : SIGTERM);  // again: a change of user clears it
  set_default_stack();
  if (!setup.pid_namespace) prepare_for_orphans();
  install_crash_handlers(*blackbox, setup.plugin_id, setup.exec_path);
  const CrashStack crash_stack;
  link.send(wire::Hello{RONDA_BUILD, ::getpid(), lock_down(setup)});
  for (std::string& remark : remarks) link.log(wire::Log{0, RONDA_LOG_WARNING, std::move(remark)});
  blackbox->phase.store(1);
  auto loaded = PluginObject::load(setup, link);
  if (!loaded) {
    link.send(wire::Loaded{false, loaded.error().message(), 0});
    return 0;
  }
  link.send(wire::Loaded{true, {}, (*loaded)->abi_minor()});
  server.serve(setup, *loaded->release(), programs);
}

}  // namespace
}  // namespace ronda::runner

int main() {
  // first of all, before there is anything that could be left behind
  ronda::runner::die_with_parent(SIGKILL);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
  const int status = ronda::runner::run();
  ronda::runner::leave_in_peace(status);
}
