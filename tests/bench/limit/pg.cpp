// SPDX-License-Identifier: Apache-2.0
// The bare PostgreSQL client: SELECT 1 on one kept session, RATE times a second.
#include <libpq-fe.h>

#include <cstdlib>

#include "measure.hpp"

namespace {

std::int64_t paced(PGconn* session, std::int64_t rate, std::int64_t until) {
  const std::int64_t begin = bench::now_ns();
  std::int64_t runs = 0;
  for (; begin + runs * 1'000'000'000 / rate < until; ++runs) {
    bench::sleep_until(begin + runs * 1'000'000'000 / rate);
    PGresult* const result = ::PQexec(session, "SELECT 1");
    const bool good = ::PQresultStatus(result) == PGRES_TUPLES_OK;
    ::PQclear(result);
    if (!good) return -1;
  }
  return runs;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: pg CONNINFO RATE SECONDS\n"), 2;
  PGconn* const session = ::PQconnectdb(argv[1]);
  if (::PQstatus(session) != CONNECTION_OK) return std::fputs(::PQerrorMessage(session), stderr), 1;
  const std::int64_t until = bench::now_ns() + static_cast<std::int64_t>(std::atof(argv[3]) * 1e9);
  const bench::Meter meter;
  const std::int64_t runs = paced(session, std::atoll(argv[2]), until);
  meter.print(runs);
  ::PQfinish(session);
  return runs >= 0 ? 0 : 1;
}
