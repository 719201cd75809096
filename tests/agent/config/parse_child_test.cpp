// SPDX-License-Identifier: Apache-2.0
#include "config/parse_child.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>

#include "base/sanitized.hpp"
#include "catch.hpp"
#include "config/build.hpp"
#include "scratch.hpp"

using namespace ronda;
using namespace ronda::config;
using namespace std::chrono_literals;

namespace {

const std::string helper = RONDA_BINARY_DIR "/tests/agent/config/parse_child_helper";

Result<ParseAnswer> validate(const Sources& sources, const Environment& environment = {}, const std::string& how = "parse",
                             std::chrono::milliseconds deadline = 30s) {
  return validate_in_child({helper, how}, sources, environment, ::geteuid(), deadline);
}

std::string failure(const std::string& how, std::chrono::milliseconds deadline = 30s) {
  const auto got = validate({{"a.toml", "", false}}, {}, how, deadline);
  return got ? "an answer" : got.error().message();
}

}  // namespace

TEST_CASE("the child says what building here would say", "[config]") {
  const test::Scratch scratch;
  const std::string secret = scratch.write("secret", "x");  // 0644: refused
  const Sources sources = {
      {"a.toml", "[check.a]\nuse = \"x\"\nevery = 5\nk = \"${file:" + secret + "}\"\nl = \"${env:SET}${env:NOT}\"\n", false},
      {"b.toml", "[check.a]\nuse = \"x\"\n[task.t]\nuse = \"x\"\n[check.w]\nuse = \"y\"\n", false},
      {"c.toml", "", true}};
  Environment environment;
  environment.variables = {{"SET", "1"}};
  const auto there = validate(sources, environment);
  REQUIRE(there);
  environment.read_file = trusted_file_reader(::geteuid());
  Diagnostics here;
  const Generation generation = build_generation(sources, environment, here);
  CHECK(render_all(there->diagnostics, sources) == render_all(here, sources));
  CHECK(there->diagnostics.errors() == 4);
  CHECK(there->instances == generation.instances.size());
}

TEST_CASE("a parser that misbehaves is a rejected configuration with a reason", "[config]") {
  CHECK(failure("crash") == "parsing the configuration crashed (Segmentation fault); it is rejected");
  CHECK(failure("exit") == "parsing the configuration failed with code 7; it is rejected");
  CHECK(failure("garbage") == "the parser gave a damaged answer");
  CHECK(failure("flood") == "the parser gave an answer that is too large");
  CHECK(failure("hang", 50ms) == "parsing the configuration took too long; it is rejected");
  const auto none = validate_in_child({"/none"}, {}, {}, 0, 1s);
  CHECK(none.error().message() == "starting the parser /none: No such file or directory");
}

TEST_CASE("a configuration that does not fit the child's memory is rejected, not answered", "[config]") {
  if (is_sanitized) return;  // such a program needs much more for itself
  std::string text;
  for (int i = 0; text.size() < (15 << 20); ++i) text += "[check.c" + std::to_string(i) + "]\nuse='x'\na={b=[[1]]}\n";
  // what conf.d may hold fits into the child's own limit; here it has a lower one, as on a host that has set one
  const auto got =
      validate_in_child({"/usr/bin/prlimit", "--data=67108864", helper, "parse"}, {{"a.toml", text, false}}, {}, ::geteuid(), 30s);
  REQUIRE_FALSE(got);
  CHECK(got.error().message() == "parsing the configuration failed with code 4 (out of memory); it is rejected");
}

TEST_CASE("a million keys are judged within the child's limits", "[config]") {
  std::string text = "[agent]\n";
  for (int i = 0; i < 1'000'000; ++i) text += "k" + std::to_string(i) + "=1\n";
  REQUIRE(text.size() < (16 << 20));
  const auto got = validate({{"a.toml", text, false}}, {}, "parse", 30s);
  if (got) {
    CHECK(got->diagnostics.errors() == 1'000'000);
    CHECK(got->diagnostics.all().size() <= 1000);
  } else {
    CHECK(got.error().message().find("it is rejected") != std::string::npos);
  }
}

TEST_CASE("more errors than are kept come back counted", "[config]") {
  std::string text = "[agent]\n";
  for (int i = 0; i < 3000; ++i) text += "k" + std::to_string(i) + " = 1\n";
  const auto got = validate({{"a.toml", text, false}});
  REQUIRE(got);
  CHECK(got->diagnostics.errors() == 3000);
  CHECK(got->diagnostics.all().size() == 1000);
  CHECK(got->diagnostics.not_kept() == 2000);
}

TEST_CASE("a started child that is not needed any more is gone with its owner", "[config]") {
  int fd = -1;
  {
    auto child = ParseChild::start({helper, "hang"}, {}, {}, 0);
    REQUIRE(child);
    fd = child->pidfd();
    CHECK(fd >= 0);
  }
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("request and answer cut at any byte are refused", "[config]") {
  const Sources sources = {{"a.toml", "x = 1", false}};
  Environment environment;
  environment.variables = {{"A", "1"}};
  const std::string request = encode_request(sources, environment, 7);
  REQUIRE(decode_request(request));
  CHECK(decode_request(request)->uid == 7);
  CHECK(decode_request(request)->environment.variables == environment.variables);
  for (std::size_t size = 0; size < request.size(); ++size) CHECK_FALSE(decode_request(request.substr(0, size)));
  ParseAnswer answer;
  answer.diagnostics.error({0, 1, 2}, "wrong", Place{9, 1, 1});
  answer.diagnostics.warning({5, 1, 2}, "odd");
  const std::string bytes = encode_answer(answer);
  const auto got = decode_answer(bytes, sources);
  REQUIRE(got);
  CHECK(got->diagnostics.all().at(0).first->file == no_file);
  CHECK(got->diagnostics.all().at(1).where.file == no_file);
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(decode_answer(bytes.substr(0, size), sources));
  CHECK_FALSE(decode_answer(bytes + "x", sources));
}
