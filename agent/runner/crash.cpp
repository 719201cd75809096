// SPDX-License-Identifier: Apache-2.0
#include "runner/crash.hpp"

#include <dlfcn.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>

namespace ronda::runner {
namespace {

constexpr std::size_t crash_stack_bytes = 32 << 10;

// A signal handler and exit are handed nothing: these are the only state they can reach.
plugin::Blackbox* the_blackbox = nullptr;
pid_t the_process = 0;
std::array<char, 128> the_plugin_id{};
std::array<char, 256> the_plugin_path{};
thread_local std::uint64_t this_call __attribute__((tls_model("initial-exec"))) = 0;

void record(plugin::Death death, int signal, const void* address) {
  if (::getpid() != the_process) return;  // a child that the plugin forked: its end is not the runner's
  plugin::Blackbox& box = *the_blackbox;
  std::uint32_t none = 0;
  if (!box.death.compare_exchange_strong(none, static_cast<std::uint32_t>(death))) return;  // the first one counts
  box.culprit.store(this_call);
  box.signal.store(signal);
  Dl_info info{};
  if (address != nullptr && ::dladdr(address, &info) != 0 && info.dli_fname != nullptr) {
    // before it is named for debuggers, the plugin is what was opened through a descriptor
    const bool is_plugin = ::strncmp(info.dli_fname, "/proc/self/fd/", 14) == 0 || ::strcmp(info.dli_fname, the_plugin_path.data()) == 0;
    ::strncpy(box.module.data(), is_plugin ? the_plugin_id.data() : info.dli_fname, box.module.size() - 1);
    box.offset.store(static_cast<std::uint64_t>(static_cast<const char*>(address) - static_cast<const char*>(info.dli_fbase)));
  }
}

const void* instruction(void* context) {
#if defined(__x86_64__)
  return reinterpret_cast<const void*>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return reinterpret_cast<const void*>(static_cast<ucontext_t*>(context)->uc_mcontext.pc);
#else
  return nullptr;
#endif
}

void on_fatal(int signal, siginfo_t*, void* context) {
  record(plugin::Death::signal, signal, instruction(context));
  // SA_RESETHAND has put the default back: the signal comes again when the handler returns, or now
  ::syscall(SYS_tgkill, ::getpid(), static_cast<pid_t>(::syscall(SYS_gettid)), signal);
}

void on_terminate() {
  record(plugin::Death::uncaught, SIGABRT, nullptr);
  std::abort();
}

[[noreturn]] void leave(int status) {
  if (the_blackbox != nullptr) record(plugin::Death::exit_call, 0, nullptr);
  ::syscall(SYS_exit_group, status);
  __builtin_unreachable();
}

template <std::size_t N>
void keep(std::array<char, N>& to, std::string_view text) {
  to[text.copy(to.data(), N - 1)] = '\0';
}

}  // namespace

void install_crash_handlers(plugin::Blackbox& blackbox, std::string_view plugin_id, std::string_view plugin_path) {
  the_blackbox = &blackbox;
  the_process = ::getpid();
  keep(the_plugin_id, plugin_id);
  keep(the_plugin_path, plugin_path);
  struct sigaction action {};
  action.sa_sigaction = on_fatal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | static_cast<int>(SA_RESETHAND) | SA_NODEFER;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP, SIGXCPU, SIGXFSZ}) {
    ::sigaction(signal, &action, nullptr);
  }
  std::set_terminate(on_terminate);
}

void enter_call(std::uint64_t call_id) { this_call = call_id; }

void leave_in_peace(int status) {
  ::syscall(SYS_exit_group, status);
  __builtin_unreachable();
}

CrashStack::CrashStack() {
  memory_ = ::mmap(nullptr, crash_stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory_ == MAP_FAILED) return;
  stack_t stack{};
  stack.ss_sp = memory_;
  stack.ss_size = crash_stack_bytes;
  ::sigaltstack(&stack, nullptr);
}

CrashStack::~CrashStack() {
  if (memory_ != MAP_FAILED) ::munmap(memory_, crash_stack_bytes);
}

}  // namespace ronda::runner

// Exported by the runner so that a plugin's exit finds these: it leaves no other trace of who called it. No exit
// handler runs: a plugin's could hang or crash, and there is nothing of ours to do in them.
extern "C" {
__attribute__((visibility("default"), noreturn)) void exit(int status) { ronda::runner::leave(status); }
__attribute__((visibility("default"), noreturn)) void _exit(int status) { ronda::runner::leave(status); }
__attribute__((visibility("default"), noreturn)) void _Exit(int status) { ronda::runner::leave(status); }
__attribute__((visibility("default"), noreturn)) void quick_exit(int status) { ronda::runner::leave(status); }
}
