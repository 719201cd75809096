// SPDX-License-Identifier: Apache-2.0
#include "under_test.hpp"

#include "../manifest_defaults.hpp"

void prepare(host& h, const std::string& base) {
  const auto& name = under_test().name;
  set_defaults(h, RONDA_SOURCE_DIR "/plugins/" + name + "/plugin.toml", name);
  h.set_wall(ronda::wall_time(std::chrono::seconds(test_now_s)));
  under_test().aim(h, base);
}

ronda::testing::subject create(host& h) {
  static const ronda::testing::library file(RONDA_BINARY_DIR "/plugins/" + under_test().name + ".so");
  return file.create(h, RONDA_KIND_NOTIFIER, under_test().name);
}

report deliver(host& h, const message_options& message, std::chrono::nanoseconds deadline) {
  auto subject = create(h);
  if (!subject) throw std::runtime_error(subject.error());
  ronda::testing::run_options how;
  how.deadline = deadline;
  return subject.deliver(message, how);
}
