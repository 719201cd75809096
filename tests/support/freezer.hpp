// SPDX-License-Identifier: Apache-2.0
// A group of the freezer of cgroup v1: who is in it ignores even SIGKILL until it is thawed, as in state D.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

namespace ronda::test {

class Freezer {
 public:
  Freezer() : path_("/sys/fs/cgroup/freezer/ronda-test-" + std::to_string(::getpid())) {
    usable_ = ::mkdir(path_.c_str(), 0755) == 0 && ::access((path_ + "/freezer.state").c_str(), W_OK) == 0;
  }
  Freezer(const Freezer&) = delete;
  Freezer& operator=(const Freezer&) = delete;
  ~Freezer() {
    thaw();
    for (int i = 0; i < 500 && ::rmdir(path_.c_str()) != 0 && errno == EBUSY; ++i) ::usleep(10'000);
  }
  bool is_usable() const { return usable_; }
  void add(int pid) const { std::ofstream(path_ + "/cgroup.procs") << pid << std::endl; }
  void freeze() const { std::ofstream(path_ + "/freezer.state") << "FROZEN" << std::endl; }
  void thaw() const { std::ofstream(path_ + "/freezer.state") << "THAWED" << std::endl; }

 private:
  std::string path_;
  bool usable_ = false;
};

}  // namespace ronda::test
