// SPDX-License-Identifier: Apache-2.0
#include "runner/ambient.hpp"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <string_view>

#include "base/clock.hpp"
#include "base/sanitized.hpp"

namespace ronda::runner {
namespace {

constexpr std::int64_t look_interval_ns = 500'000'000;

/// Set by the functions at the end of this file, also in a child of spawn() until it has become its program: that costs a look.
std::atomic<bool> the_files_hint{false}, the_signals_hint{false};

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

bool is_same(const struct sigaction& a, const struct sigaction& b) {
  constexpr int restorer = 0x04000000;  // the C library's own affair
  return a.sa_handler == b.sa_handler && ((a.sa_flags ^ b.sa_flags) & ~restorer) == 0;
}

/// "a, b and c"
std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) out += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return out;
}

}  // namespace

Ambient::Ambient() {
  ::stat(".", &directory_);
  mask_ = ::umask(077);
  ::umask(mask_);
  for (int number = 1; number < signals_end; ++number) ::sigaction(number, nullptr, &signals_[static_cast<std::size_t>(number)]);
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) variables_.push_back(*variable);
  environment_ = variables_;
  environment_.push_back(nullptr);
  environ = environment_.data();
  if (const char* const locale = ::setlocale(LC_ALL, nullptr)) locale_ = locale;
  the_files_hint = the_signals_hint = false;
}

std::string Ambient::put_back(bool look) const {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = monotonic().count();
  const bool all = look || now - looked_at_ >= look_interval_ns;
  if (all) looked_at_ = now;
  std::vector<std::string> changed;
  // asked before it is unset, so that a call that changes nothing writes nothing
  if (all || (the_files_hint && the_files_hint.exchange(false))) put_back_files(changed);
  if (all || (the_signals_hint && the_signals_hint.exchange(false))) put_back_signals(changed);
  put_back_environment(changed);
  put_back_locale(changed);
  return listed(changed);
}

void Ambient::put_back_files(std::vector<std::string>& changed) const {
  if (::syscall(SYS_umask, mask_) != static_cast<long>(mask_)) changed.emplace_back("the umask");
  struct stat now {};
  if (::stat(".", &now) == 0 && now.st_dev == directory_.st_dev && now.st_ino == directory_.st_ino) return;
  changed.emplace_back("the working directory");
  static_cast<void>(::syscall(SYS_chdir, "/"));  // where every runner begins
}

void Ambient::put_back_signals(std::vector<std::string>& changed) const {
  if constexpr (is_sanitized) return;  // it has its own handlers
  for (int number = 1; number < signals_end; ++number) {
    const struct sigaction& before = signals_[static_cast<std::size_t>(number)];
    struct sigaction now {};
    if (::sigaction(number, nullptr, &now) != 0 || is_same(now, before)) continue;
    changed.push_back("the handling of SIG" + std::string(::sigabbrev_np(number)));
    ::sigaction(number, &before, nullptr);
    the_signals_hint = false;
  }
}

/// Not one text of it is read, nor anything of an array that is not ours.
bool Ambient::has_environment() const {
  return environ == environment_.data() && std::equal(variables_.begin(), variables_.end(), environment_.begin()) &&
         environment_.back() == nullptr;
}

void Ambient::put_back_environment(std::vector<std::string>& changed) const {
  if (has_environment()) return;
  std::set<std::string_view> before(variables_.begin(), variables_.end()), names;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (before.erase(*variable) == 0) names.insert(name_of(*variable));
  }
  for (const std::string_view gone : before) names.insert(name_of(gone));
  for (const std::string_view name : names) changed.emplace_back(name.substr(0, 64));
  if (names.empty()) changed.emplace_back("the environment");
  std::ranges::copy(variables_, environment_.begin());
  environment_.back() = nullptr;
  environ = environment_.data();
  ::tzset();
}

void Ambient::put_back_locale(std::vector<std::string>& changed) const {
  const char* const now = ::setlocale(LC_ALL, nullptr);
  const bool is_own = ::uselocale(nullptr) != LC_GLOBAL_LOCALE;  // of this thread
  if (!is_own && now != nullptr && locale_ == now) return;
  changed.emplace_back("the locale");
  ::uselocale(LC_GLOBAL_LOCALE);
  ::setlocale(LC_ALL, locale_.c_str());
}

}  // namespace ronda::runner

// A plugin's calls of these come here, because a program's own symbols are looked at first; so do the calls of its libraries, but for
// those of the C library itself.
extern "C" {
int libc_sigaction(int number, const struct sigaction* wanted, struct sigaction* before) noexcept __asm__("__sigaction");

__attribute__((visibility("default"))) int chdir(const char* path) noexcept {
  ronda::runner::the_files_hint = true;
  return static_cast<int>(::syscall(SYS_chdir, path));
}
__attribute__((visibility("default"))) int fchdir(int directory) noexcept {
  ronda::runner::the_files_hint = true;
  return static_cast<int>(::syscall(SYS_fchdir, directory));
}
__attribute__((visibility("default"))) mode_t umask(mode_t mask) noexcept {
  ronda::runner::the_files_hint = true;
  return static_cast<mode_t>(::syscall(SYS_umask, mask));
}
__attribute__((visibility("default"))) int sigaction(int number, const struct sigaction* wanted, struct sigaction* before) noexcept {
  if (wanted != nullptr) ronda::runner::the_signals_hint = true;
  return ::libc_sigaction(number, wanted, before);
}
__attribute__((visibility("default"))) sighandler_t signal(int number, sighandler_t handler) noexcept {
  struct sigaction wanted {
  }, before{};
  wanted.sa_handler = handler;
  wanted.sa_flags = SA_RESTART;
  ::sigemptyset(&wanted.sa_mask);
  ::sigaddset(&wanted.sa_mask, number);
  return ::sigaction(number, &wanted, &before) == 0 ? before.sa_handler : SIG_ERR;
}
}
