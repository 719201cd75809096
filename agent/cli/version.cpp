// SPDX-License-Identifier: Apache-2.0
#include <sqlite3.h>

#include <boost/json.hpp>
#include <boost/version.hpp>
#include <iostream>

#include "cli/cli.hpp"
#include "ronda/abi.h"
#include "ronda/version.h"

namespace ronda::cli {
namespace json = boost::json;

int version(const Options& options) {
  const std::string abi = std::to_string(RONDA_ABI_MAJOR) + "." + std::to_string(RONDA_ABI_MINOR);
  const std::string boost = std::to_string(BOOST_VERSION / 100000) + "." + std::to_string(BOOST_VERSION / 100 % 1000);
  if (options.json) {
    std::cout << json::serialize(json::object{{"version", RONDA_VERSION}, {"abi", abi}, {"wire", RONDA_BUILD}, {"sqlite", ::sqlite3_libversion()}, {"boost", boost}})
              << "\n";
  } else {
    std::cout << "ronda " RONDA_VERSION "\nplugin ABI " << abi << "\nwire " RONDA_BUILD "\nSQLite " << ::sqlite3_libversion() << "\nBoost " << boost << "\n";
  }
  return exit_done;
}

}  // namespace ronda::cli
