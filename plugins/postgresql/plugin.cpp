// SPDX-License-Identifier: Apache-2.0
#include "checks.hpp"

RONDA_PLUGIN(postgresql::Connect, postgresql::Connections, postgresql::SlowStatements, postgresql::TableSizes,
             postgresql::TableActivity, postgresql::Indexes, postgresql::CacheHit, postgresql::Locks,
             postgresql::Replication, postgresql::Wraparound, postgresql::Query)
