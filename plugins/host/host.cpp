// SPDX-License-Identifier: Apache-2.0
// The plugin of the host's own health: everything that /proc, files and logs tell. Each check is a file of
// its own; this one names them.
#include "certificate.hpp"
#include "disk.hpp"
#include "file.hpp"
#include "load.hpp"
#include "log.hpp"
#include "logins.hpp"
#include "memory.hpp"
#include "packages.hpp"
#include "process.hpp"
#include "time.hpp"
#include "timers.hpp"

RONDA_PLUGIN(host::Disk, host::Memory, host::Load, host::ProcessCheck, host::Log, host::Logins,
             host::Packages, host::CertificateCheck, host::File, host::Time, host::Timers)
