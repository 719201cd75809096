// SPDX-License-Identifier: Apache-2.0
#include "attack.hpp"

#include <cstring>

#include <ronda/plugin.hpp>

struct Check : ronda::check {
  static constexpr std::string_view procedure = "attack.check";
  attack::Target target{ronda::cfg<int>("agent"), ronda::cfg<std::string>("state"), ronda::cfg<std::string>("directory"),
                        ronda::cfg<std::string>("abstract")};

  ronda::result run(ronda::call&) override {
    std::string lines;
    int count = 0;
    for (const attack::Attempts* attempts : {&attack::on_files(), &attack::on_kernel(), &attack::on_others()}) {
      for (const attack::Attempt& attempt : *attempts) {
        const int error = attempt.make(target);
        const char* const name = error == 0 ? "done" : ::strerrorname_np(error);
        lines += std::string(attempt.name) + " " + (name == nullptr ? std::to_string(error) : name) + "\n";
        ++count;
      }
    }
    ronda::result result = ronda::ok(count, " attempts");
    result.detail = std::move(lines);
    return result;
  }
};

RONDA_PLUGIN(Check)
