// SPDX-License-Identifier: Apache-2.0
#include "give_back.hpp"

#include <malloc.h>

#include <chrono>

#include "base/code_pages.hpp"

namespace ronda {
namespace {

using std::chrono::seconds;

constexpr seconds start_over{2};
constexpr seconds first_runs_look{8};
constexpr int most_looks = 40;  // with very many checks one may always be in flight

}  // namespace

void GiveBack::begin() {
  ::malloc_trim(0);
  look_later(most_looks);
}

void GiveBack::look_later(int looks) {
  const bool first = looks == most_looks;
  timer_.expires_after(first ? start_over : first_runs_look);
  timer_.async_wait([this, looks, first](const boost::system::error_code& error) {
    if (error) return;
    const bool over = looks == 0 || calm_();
    if (first || over) {
      ::malloc_trim(0);
      release_code_pages();
    }
    if (first || !over) look_later(looks - 1);
  });
}

}  // namespace ronda
