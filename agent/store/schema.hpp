// SPDX-License-Identifier: Apache-2.0
// The shape of the database and how an older file becomes it: numbered steps, each in one transaction with its
// number. It never changes a file that is newer, or not ours.
#pragma once

#include "store/database.hpp"

namespace ronda::store {

inline constexpr std::int64_t application_id = 0x526F6E64;  // "Rond"
/// The number of the newest step.
int schema_version();

/// Only while nobody has the file open. Errc::invalid: newer, and byte for byte as it was; Errc::corrupt: damaged.
Status refuse_newer_file(const std::string& path);
/// The same through the WAL, where the version may still be. Errc::invalid also for another program's file.
Status refuse_foreign(Database& db, const std::string& path);
/// Applies the steps that are missing.
Status migrate(Database& db);

}  // namespace ronda::store
