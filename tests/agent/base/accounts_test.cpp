// SPDX-License-Identifier: Apache-2.0
#include "base/accounts.hpp"

#include "catch.hpp"

using namespace ronda;
using namespace std::chrono_literals;

TEST_CASE("the name service is asked once a while for each name and number, also where it knows none", "[base]") {
  std::chrono::nanoseconds now{1h};
  int asked = 0;
  Accounts accounts({[&](uid_t uid) { return ++asked, uid == 7 ? std::string("seven") : std::string(); },
                     [&](const std::string& name) { return ++asked, name == "seven" ? std::optional<uid_t>(7) : std::nullopt; },
                     [&](const std::string& name) { return ++asked, name == "ronda" ? std::optional<gid_t>(9) : std::nullopt; },
                     [&] { return now; }});
  for (int i = 0; i < 3; ++i) {
    CHECK(accounts.user_name(7) == "seven");
    CHECK(accounts.user_name(8) == "8");
    CHECK(accounts.user_id("seven") == uid_t{7});
    CHECK_FALSE(accounts.user_id("nobody-of-this-name"));
    CHECK(accounts.group_id("ronda") == gid_t{9});
    CHECK_FALSE(accounts.group_id("seven"));
    now += 19s;
  }
  CHECK(asked == 6);
  now += 3s;
  CHECK(accounts.user_name(7) == "seven");
  CHECK(asked == 7);
  for (uid_t uid = 100; uid < 100 + 3 * Accounts::most; ++uid) accounts.user_name(uid);  // it does not grow for ever
  const int before = asked;
  CHECK(accounts.user_name(100) == "100");
  CHECK(asked == before + 1);
}

TEST_CASE("root is known to the name service", "[base]") {
  Accounts accounts;
  CHECK(accounts.user_name(0) == "root");
  CHECK(accounts.user_id("root") == uid_t{0});
  CHECK(accounts.group_id("root") == gid_t{0});
}
