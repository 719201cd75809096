// SPDX-License-Identifier: Apache-2.0
// Lets runners start a few at a time, one in each turn of the loop. Two hundred that were started at once would leave no processor to
// the loop, and it would start them all before it did anything else: what is due meanwhile would be seconds late. [loop]
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace ronda::plugin {

class StartGate {
  class State;

 public:
  /// Whoever has it may start one runner, and keeps it until that has loaded its plugin or has ended. Outlives the gate harmlessly.
  class Pass {
   public:
    Pass() = default;
    ~Pass() { give_back(); }
    Pass(Pass&& other) noexcept;
    Pass& operator=(Pass&& other) noexcept;

    explicit operator bool() const { return number_ != 0; }
    void give_back();

   private:
    friend class State;
    Pass(std::weak_ptr<State> state, std::uint64_t number) : state_(std::move(state)), number_(number) {}

    std::weak_ptr<State> state_;
    std::uint64_t number_ = 0;
  };

  /// At most `most` have one. After `patience` a pass counts no longer: a plugin that hangs while it is loaded keeps others from
  /// starting for so long, and then not any more.
  StartGate(boost::asio::io_context& loop, std::size_t most, std::chrono::nanoseconds patience = std::chrono::milliseconds(250));
  ~StartGate();
  StartGate(const StartGate&) = delete;
  StartGate& operator=(const StartGate&) = delete;

  /// What a runner is wanted for. What is due goes before what is only tried.
  enum class For : std::uint8_t { calls, trial };
  /// Calls `begin` from the loop, never from here, in the order in which they asked.
  void ask(For what, std::function<void(Pass)> begin);

 private:
  std::shared_ptr<State> state_;
};

}  // namespace ronda::plugin
