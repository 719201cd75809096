// SPDX-License-Identifier: Apache-2.0
#include "config/example_names.hpp"

#include <string>

#include "catch.hpp"

using ronda::config::names_an_example;

TEST_CASE("names that are reserved for examples are known wherever they stand in a text", "[config]") {
  const std::string text =
      GENERATE(as<std::string>{}, "https://slack.shop.example/hook", "mail.shop.example:587", "Ronda <ronda@Shop.EXAMPLE>",
               "cto@example.com", "example.org", "a.example.net.", "http://x.invalid", "a@b.c, d@e.example");
  CAPTURE(text);
  CHECK(names_an_example(text));
}

TEST_CASE("a word, a path or another domain that looks like an example is none", "[config]") {
  const std::string text = GENERATE(as<std::string>{}, "", "example", "/srv/example", "an example.", "example.com.ar", "notexample.com",
                                    "my.example-shop.com", "https://hooks.slack.com/services/T0/B0/x", "+5491155550001");
  CAPTURE(text);
  CHECK_FALSE(names_an_example(text));
}
