// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.hpp"

#include <exception>
#include <iostream>

int main(int argc, char** argv) {
  try {
    return ronda::cli::main(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "ronda: internal error: " << e.what() << "\n";
    return 3;
  }
}
