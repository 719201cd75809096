// SPDX-License-Identifier: Apache-2.0
// The plugin of the host's own health: everything that /proc, files and logs tell. Each check is a file of its own;
// this one names them.
#include "disk.hpp"
#include "load.hpp"
#include "log.hpp"
#include "memory.hpp"
#include "process.hpp"

RONDA_PLUGIN(host::Disk, host::Memory, host::Load, host::ProcessCheck, host::Log)
