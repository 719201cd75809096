// SPDX-License-Identifier: Apache-2.0
#include "remedy.hpp"

#include <ronda/text.hpp>

#include <cmath>

#include "sql.hpp"

namespace postgresql {
namespace {

struct Advice {
  std::string_view sqlstate;
  std::string_view text;
};

constexpr Advice advices[] = {
    {"28P01", "check the user and the password that dsn refers to"},
    {"28000", "check the user of dsn and the server's pg_hba.conf"},
    {"3D000", "check dbname in dsn"},
    {"42501", "run as a superuser: GRANT pg_monitor TO {role}"},
    {"42703", "this server has no such column: Ronda's SQL is for PostgreSQL 13 to 18, and this one is {version}"},
    {"42P01", "this server has no such relation: Ronda's SQL is for PostgreSQL 13 to 18, and this one is {version}"},
    {"42883", "this server has no such function: Ronda's SQL is for PostgreSQL 13 to 18, and this one is {version}"},
    {"53300", "the server has no free connection slot left"},
    {"55P03", "another session holds a lock on what is measured; the check postgresql.locks names it"},
    {"55000", "put pg_stat_statements into shared_preload_libraries and restart the server"},
    {"57014", "the server ended it at its time limit, which is below this check's timeout: raise timeout if it may take longer"},
    {"57P03", "the server is starting up, shutting down or recovering"},
    {"25006", "Ronda's sessions are read-only"},
    {"08P01", "a connection pooler that refuses startup options needs ignore_startup_parameters = options; better connect "
              "to the server itself"},
};

std::string two(double seconds, double large, const char* large_unit, double small, const char* small_unit) {
  const auto whole = std::floor(seconds / large);
  const auto rest = std::floor((seconds - whole * large) / small);
  std::string text = ronda::text(static_cast<long long>(whole), large_unit);
  if (rest > 0) text += ronda::text(" ", static_cast<long long>(rest), small_unit);
  return text;
}

}  // namespace

std::string remedy(const Failure& failure, std::string_view role, int version) {
  // "not in the state for it" has many reasons
  if (failure.sqlstate == "55000" && failure.text.find("shared_preload_libraries") == std::string::npos) return {};
  if (failure.sqlstate == "08P01" && failure.text.find("startup parameter") == std::string::npos) return {};
  for (const Advice& advice : advices)
    if (advice.sqlstate == failure.sqlstate)
      return substitute(substitute(advice.text, "role", role), "version", version_text(version));
  return {};
}

std::string version_text(int version) {
  return std::to_string(version / 10000) + '.' + std::to_string(version % 10000);
}

std::string span_text(double seconds) {
  if (seconds < 60) return ronda::text(std::chrono::duration<double>(seconds));
  if (seconds < 3600) return two(seconds, 60, "m", 1, "s");
  if (seconds < 86400) return two(seconds, 3600, "h", 60, "m");
  return two(seconds, 86400, "d", 3600, "h");
}

std::string qualified(std::string_view schema, std::string_view name) {
  return std::string(schema) + '.' + std::string(name);
}

}  // namespace postgresql
