// SPDX-License-Identifier: Apache-2.0
#include "store/start_count.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>

#include "base/descriptor.hpp"
#include "store/state_dir.hpp"

namespace ronda::store {
namespace {

constexpr std::size_t digits = 4;  // of StartCount::largest

unsigned read(int fd) {
  std::array<char, digits> text{};
  if (::pread(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) return 0;
  unsigned count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc() && end == text.data() + text.size() ? count : 0;
}

}  // namespace

StartCount::StartCount(const std::string& state_directory) : path_(state_directory + "/" + std::string(starts_name)) {}

Result<unsigned> StartCount::begin() {
  before_ = present();
  const Status written = write(before_ + 1, true);
  counted_ = written.has_value() || present() == before_ + 1;  // where only the sync failed it may be there all the same
  if (!written) return written.error();
  return before_;
}

unsigned StartCount::present() const {
  const Descriptor file(::open(path_.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return file ? read(file.get()) : 0;
}

Status StartCount::take_back() {
  if (!counted_) return done();
  counted_ = false;
  return write(before_, false);
}

Status StartCount::clear() {
  counted_ = false;
  before_ = 0;
  return write(0, false);
}

Status StartCount::write(unsigned count, bool durably) const {
  const Descriptor file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return system_error("open '" + path_ + "'", errno);
  std::array<char, digits + 2> text{};
  std::snprintf(text.data(), text.size(), "%04u\n", std::min(count, largest));
  const auto size = static_cast<ssize_t>(text.size() - 1);
  if (::pwrite(file.get(), text.data(), text.size() - 1, 0) != size || (durably && ::fsync(file.get()) != 0))
    return system_error("write '" + path_ + "'", errno);
  return done();
}

}  // namespace ronda::store
