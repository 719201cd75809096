// SPDX-License-Identifier: Apache-2.0
#include "plugin/secret_forms.hpp"

#include <algorithm>

#include "catch.hpp"
#include "plugin/encode_options.hpp"
#include "plugin/scrub.hpp"

using namespace ronda::plugin;

namespace {

/// What is shown of a text by who holds this one secret.
std::string shown(const std::string& secret, const std::string& text) {
  OptionTable options;
  options.emplace_back();
  options.back().key = "token";
  options.back().value = OptionNode(Secret{secret});
  Scrubber scrubber;
  scrubber.add_secrets_of(encode_options(OptionNode(std::move(options))));
  return scrubber.scrub(text);
}

}  // namespace

TEST_CASE("a secret is hidden in the forms in which servers and programs say it back", "[plugin]") {
  const std::string secret = "k3y/+of <mine>&\"co\"";
  for (const char* form : {
           "k3y/+of <mine>&\"co\"",
           "k3y%2F%2Bof%20%3Cmine%3E%26%22co%22",
           "k3y%2f%2bof%20%3cmine%3e%26%22co%22",
           "k3y%2F%2Bof+%3Cmine%3E%26%22co%22",  // a form's
           "k3y/%2Bof%20%3Cmine%3E%26%22co%22",  // a path's
           "k3y/+of%20%3Cmine%3E&%22co%22",      // a whole URL's
           R"(k3y/+of <mine>&\"co\")",
           R"(k3y\/+of <mine>&\"co\")",
           R"(k3y/+of \u003cmine\u003e\u0026\"co\")",
           "k3y/+of &lt;mine&gt;&amp;&quot;co&quot;",
           "k3y/+of &lt;mine&gt;&amp;&#34;co&#34;",
       }) {
    INFO(form);
    CHECK(shown(secret, "no such key: " + std::string(form) + ".") == "no such key: ***.");
  }
}

TEST_CASE("a secret with an apostrophe is hidden in what is written for pages", "[plugin]") {
  for (const char* form : {"Ana&#39;s key", "Ana&#x27;s key", "Ana%27s%20key"}) CHECK(shown("Ana's key", "no: " + std::string(form)) == "no: ***");
}

TEST_CASE("a secret of several lines is hidden in what is written on one", "[plugin]") {
  const std::string secret = "-----BEGIN KEY-----\n\"a/b\"\n-----END KEY-----";
  for (const char* form : {
           R"(-----BEGIN KEY-----\n\"a/b\"\n-----END KEY-----)",
           R"(-----BEGIN KEY-----\n\"a\/b\"\n-----END KEY-----)",
           R"(-----BEGIN KEY-----\u000a\"a/b\"\u000a-----END KEY-----)",
           R"(-----BEGIN KEY-----\n"a/b"\n-----END KEY-----)",
           R"(-----BEGIN KEY-----\x0A\x22a/b\x22\x0A-----END KEY-----)",
           "-----BEGIN KEY-----#012\"a/b\"#012-----END KEY-----",
           "-----BEGIN%20KEY-----%0A%22a%2Fb%22%0A-----END%20KEY-----",
       }) {
    INFO(form);
    CHECK(shown(secret, "no such key: " + std::string(form) + ".").find("END") == std::string::npos);
  }
}

TEST_CASE("a secret is hidden wherever it stands in what is encoded as base64", "[plugin]") {
  // printf 'ana:k3y/+of mine' | base64, with one byte more or less before it, and with more behind it
  CHECK(shown("k3y/+of mine", "YW5hOmszeS8rb2YgbWluZQ==") == "YW5hOm***Q==");
  CHECK(shown("k3y/+of mine", "YTprM3kvK29mIG1pbmU=") == "YTp***U=");
  CHECK(shown("k3y/+of mine", "YWJjazN5LytvZiBtaW5l") == "YWJj***");
  CHECK(shown("k3y/+of mine", "YWJrM3kvK29mIG1pbmVjZA==") == "YWJ***VjZA==");
  CHECK(shown("k3y>>>?????", "azN5Pj4-Pz8_Pz8") == "***8");  // as in URLs
}

TEST_CASE("what is short, long or plain has no more forms than it needs", "[plugin]") {
  CHECK(forms_of("abc").empty());
  CHECK(forms_of("abcdefg").empty());  // base64 of so few bytes is found in innocent text
  CHECK(forms_of("abcdefgh").size() == 3);
  CHECK(forms_of(std::string(5000, '/')).empty());
  for (const std::string& form : forms_of("a b+c/d&e<f>\"g")) {
    INFO(form);
    CHECK(form.size() >= 4);
  }
}
