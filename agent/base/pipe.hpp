// SPDX-License-Identifier: Apache-2.0
// A pipe whose both ends are closed by themselves, and in every program that is started.
#pragma once

#include "base/descriptor.hpp"
#include "base/result.hpp"

namespace ronda {

struct Pipe {
  Descriptor read, write;
};

Result<Pipe> make_pipe();

}  // namespace ronda
