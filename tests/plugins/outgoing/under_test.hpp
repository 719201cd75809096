// SPDX-License-Identifier: Apache-2.0
// One notifier's file under the SDK's fake host, with its manifest's defaults. Each test program of a notifier says which
// one it is about; transport_test.cpp then tries on it what every sink can do wrong.
#pragma once

#include <ronda/testing.hpp>

#include <functional>
#include <string>

using namespace std::chrono_literals;
using ronda::delivery_status;
using ronda::testing::host;
using ronda::testing::message_options;
using ronda::testing::node;
using ronda::testing::report;

struct UnderTest {
  std::string name;                                         ///< of plugin, procedure and folder
  std::function<void(host&, const std::string& base)> aim;  ///< makes it send to a server at that scheme://host:port
  std::string accepted;                                     ///< body of the answer that is taken as delivered, with status 200
  std::vector<std::string> canaries;                        ///< secrets that aim() configures, and parts of them
  message_options message{};                                ///< one that can be sent
};

/// The test program's.
const UnderTest& under_test();

/// The wall clock of the host that starts() makes: 2026-11-29 01:00:00 UTC.
constexpr std::int64_t test_now_s = 1795914000;

/// Gives the host defaults, time and aim.
void prepare(host& h, const std::string& base);
ronda::testing::subject create(host& h);

/// One delivery by a new instance; throws std::runtime_error when it cannot be created.
report deliver(host& h, const message_options& message, std::chrono::nanoseconds deadline = 10s);
