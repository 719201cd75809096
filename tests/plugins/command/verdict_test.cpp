// SPDX-License-Identifier: Apache-2.0
#include "verdict.hpp"

#include <catch.hpp>
#include <csignal>

using namespace command;
using namespace std::chrono_literals;
using ronda::delivery_status;

namespace {

ronda::exec_result ended(std::int32_t code, std::string_view err = {}) {
  ronda::exec_result out;
  out.exit_code = code, out.err = err, out.err_total = err.size();
  return out;
}

std::string said(const ronda::exec_result& how, bool is_cancelled = false) {
  const auto d = judge("/bin/p", how, is_cancelled, {});
  const char* words[] = {"delivered: ", "retry: ", "drop: "};
  return words[static_cast<int>(d.status)] + d.summary;
}

}  // namespace

TEST_CASE("0 is delivered, 75 is tried again, every other code is for good", "[command]") {
  CHECK(said(ended(0, "noise")) == "delivered: handed to /bin/p");
  CHECK(said(ended(75, "queue full\n")) == "retry: /bin/p asks to try again (exit code 75): queue full");
  CHECK(said(ended(1)) == "drop: /bin/p ended with exit code 1");
  CHECK(said(ended(67, "no such user\n")) == "drop: /bin/p ended with exit code 67: no such user");
}

TEST_CASE("what did not end by itself is tried again, unless it crashed", "[command]") {
  auto late = ended(-1, "connecting");
  late.timed_out = true, late.duration = 9500ms;
  CHECK(said(late) == "retry: /bin/p was not done within 9.5s and was ended: connecting");
  CHECK(said(late, true) == "retry: /bin/p was ended because the delivery was cancelled: connecting");
  auto killed = ended(-1);
  killed.signal = SIGKILL;
  CHECK(said(killed) == "retry: /bin/p was killed by SIGKILL");
  killed.signal = SIGSEGV;
  CHECK(said(killed) == "drop: /bin/p was killed by SIGSEGV");
}

TEST_CASE("what it said last is told, on one line and not all of it", "[command]") {
  CHECK(told("", true, {}).empty());
  CHECK(told("\n \n", true, {}).empty());
  CHECK(told("first\r\nsecond\n", true, {}) == "first / second");
  CHECK(told("a\x1b[31mred\xe2\x80\xae", true, {}) == "a\\x1b[31mred\\xe2\\x80\\xae");
  CHECK(told(std::string(2000, 'x') + "the end", true, {}) == "..." + std::string(max_told_bytes - 7, 'x') + "the end");
  CHECK(told("\xe2\x82\xac" + std::string(max_told_bytes - 1, 'x'), true, {}) == "..." + std::string(max_told_bytes - 1, 'x'));
}

TEST_CASE("a secret is not told, whole or cut", "[command]") {
  const std::vector<std::string_view> secrets = {"hunter2-canary", "abc"};
  CHECK(told("login hunter2-canary failed: hunter2-canaryhunter2-canary", true, secrets) == "login *** failed: ******");
  // the cut for people would begin in the middle of it
  CHECK(told("hunter2-canary" + std::string(max_told_bytes - 5, 'x'), true, secrets) == "***" + std::string(max_told_bytes - 5, 'x'));
  // the host kept only the beginning
  CHECK(told("token=hunter2-ca", false, secrets) == "token=");
  CHECK(told("token=hunter2-ca", true, secrets) == "token=hunter2-ca");
  CHECK(told("abc is too short to hide", true, secrets) == "abc is too short to hide");
}
