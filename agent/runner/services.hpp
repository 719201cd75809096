// SPDX-License-Identifier: Apache-2.0
// The tables that a plugin finds by service id.
#pragma once

#include <string_view>

#include "ronda/abi.h"

namespace ronda::runner {

inline std::string_view view(ronda_str s) {
  return s.ptr == nullptr ? std::string_view() : std::string_view(s.ptr, s.len);
}

/// ronda_host::query: what a plugin may ask for as a whole.
const void* find_host_service(const ronda_host* host, const char* id) noexcept;
/// ronda_inst::query: every service that was granted; NULL otherwise.
const void* find_inst_service(const ronda_inst* inst, const char* id) noexcept;

extern const ronda_emit_1 emit_service;      // emit.cpp
extern const ronda_exec_1 exec_service;      // exec.cpp
extern const ronda_kv_1 kv_service;          // state.cpp
extern const ronda_inbox_1 inbox_service;    // state.cpp
extern const ronda_calendar_1 calendar_service;
extern const ronda_secret_1 secret_service;
extern const ronda_config_1 config_service;  // options.cpp

}  // namespace ronda::runner
