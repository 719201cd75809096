// SPDX-License-Identifier: Apache-2.0
#include "plugin/start_gate.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch.hpp>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

using namespace ronda;
using namespace std::chrono_literals;
using plugin::StartGate;

namespace {

/// Who asked, with the pass of each that was let in.
struct Askers {
  explicit Askers(std::size_t most, std::chrono::nanoseconds patience = 1h) : gate(std::make_unique<StartGate>(loop, most, patience)) {}
  void ask(int who, StartGate::For what = StartGate::For::calls) {
    gate->ask(what, [this, who](StartGate::Pass pass) {
      in.push_back(who);
      passes.push_back(std::move(pass));
    });
  }
  void poll() {
    loop.restart();
    loop.poll();
  }

  boost::asio::io_context loop;
  std::unique_ptr<StartGate> gate;
  std::vector<int> in;
  std::vector<StartGate::Pass> passes;
};

}  // namespace

TEST_CASE("so many runners start at once, in the order in which they asked, and one more as one is done", "[plugin]") {
  Askers bench(2);
  for (int i = 0; i < 5; ++i) bench.ask(i);
  CHECK(bench.in.empty());  // never from the question itself
  bench.poll();
  CHECK(bench.in == std::vector<int>{0, 1});
  bench.passes[1].give_back();
  bench.passes[1].give_back();  // once for all
  bench.poll();
  CHECK(bench.in == std::vector<int>{0, 1, 2});
  bench.passes[0] = StartGate::Pass();
  bench.passes[2] = StartGate::Pass();
  bench.poll();
  CHECK(bench.in == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE("between two starts the loop does what else there is", "[plugin]") {
  Askers bench(10);
  std::vector<std::size_t> let_in;  // as others see it
  const std::function<void()> other = [&] {
    let_in.push_back(bench.in.size());
    if (let_in.size() < 3) boost::asio::post(bench.loop, other);
  };
  for (int i = 0; i < 3; ++i) bench.ask(i);
  boost::asio::post(bench.loop, other);
  bench.poll();
  CHECK(let_in == std::vector<std::size_t>{1, 2, 3});
}

TEST_CASE("a runner that does not come up keeps others from starting only for so long", "[plugin]") {
  Askers bench(1, 20ms);
  bench.ask(0);
  bench.ask(1);
  bench.poll();
  CHECK(bench.in == std::vector<int>{0});
  bench.loop.restart();
  bench.loop.run_for(5s);  // ends when nothing is waited for any more
  CHECK(bench.in == std::vector<int>{0, 1});
}

TEST_CASE("a pass that counts no longer frees no second place when it is given back", "[plugin]") {
  Askers bench(1, 200ms);
  bench.ask(0);
  bench.poll();
  bench.loop.restart();
  bench.ask(1);
  bench.loop.run_for(5s);
  REQUIRE(bench.in == std::vector<int>{0, 1});
  bench.ask(2);
  bench.passes[0].give_back();
  bench.poll();
  CHECK(bench.in == std::vector<int>{0, 1});
}

TEST_CASE("what is due goes before what is only tried", "[plugin]") {
  Askers bench(1);
  for (int i = 0; i < 2; ++i) bench.ask(i, StartGate::For::trial);
  bench.poll();
  bench.ask(2);
  for (std::size_t i = 0; i < 2; ++i) {
    bench.passes[i].give_back();
    bench.poll();
  }
  CHECK(bench.in == std::vector<int>{0, 2, 1});
}

TEST_CASE("a pass may outlive its gate, and who still asks then is not called", "[plugin]") {
  Askers bench(1);
  bench.ask(0);
  bench.ask(1);
  bench.poll();
  bench.gate.reset();
  CHECK(bench.passes.front());
  bench.passes.front().give_back();
  CHECK_FALSE(bench.passes.front());
  bench.poll();
  CHECK(bench.in == std::vector<int>{0});
}
