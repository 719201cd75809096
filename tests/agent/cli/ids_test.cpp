// SPDX-License-Identifier: Apache-2.0
#include "cli/ids.hpp"

#include "catch.hpp"

using ronda::cli::ids_meant;

TEST_CASE("an id is meant in any case, by its beginning, or by either end of its last part", "[cli]") {
  const std::vector<std::string> ids = {"INC-20261129-K7Q2M4XD0A", "INC-20261129-K7ZZZZZZZZ", "INC-20261128-0A00000XD0", "sunday"};
  using Some = std::vector<std::string>;
  CHECK(ids_meant("inc-20261129-k7q2m4xd0a", ids) == Some{ids[0]});
  CHECK(ids_meant("k7q", ids) == Some{ids[0]});
  CHECK(ids_meant("D0A", ids) == Some{ids[0]});
  CHECK(ids_meant(" xd0 ", ids) == Some{ids[2]});
  CHECK(ids_meant("INC-20261128", ids) == Some{ids[2]});
  CHECK(ids_meant("inc-20261129", ids) == Some{ids[0], ids[1]});
  CHECK(ids_meant("SUN", ids) == Some{ids[3]});
  CHECK(ids_meant("K7", ids).empty());  // two characters name nobody's incident
  CHECK(ids_meant("", ids).empty());
  CHECK(ids_meant("q2m", ids).empty());  // within
}

TEST_CASE("an id that another one begins with is meant by itself", "[cli]") {
  const std::vector<std::string> ids = {"sunday-night", "sunday"};
  CHECK(ids_meant("sunday", ids) == std::vector<std::string>{"sunday"});
}
