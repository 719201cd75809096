// SPDX-License-Identifier: Apache-2.0
// A check that does nothing: what is left is the price of the way through agent and runner.
#include <ronda/plugin.hpp>

struct Trivial : ronda::check {
  ronda::result run(ronda::call&) override { return ronda::ok("fine"); }
};

RONDA_PLUGIN(Trivial)
