// SPDX-License-Identifier: Apache-2.0
#include "config/references.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "catch.hpp"
#include "config/redact.hpp"
#include "config/toml.hpp"
#include "scratch.hpp"

using namespace ronda;
using namespace ronda::config;

namespace {

Environment environment() {
  Environment out;
  out.credentials_directory = "/creds";
  out.read_file = [](const std::string& path, FileUse) -> Result<std::string> {
    if (path == "/secret") return std::string("pass\nword\n\n");
    if (path == "/creds/token") return std::string("t0ken");
    if (path == "/empty" || path == "/creds/empty") return std::string();
    if (path == "/line-end") return std::string("\n");
    if (path == "/nul") return std::string("a\0b", 3);
    return Error(Errc::not_found, "opening " + path + ": No such file or directory");
  };
  return out;
}

struct Resolved {
  Value value;
  std::string messages;
  std::vector<Written> written;
  std::vector<std::string> secrets;
};

Resolved resolve(const std::string& text) {
  const Environment env = environment();
  Resolver resolver(env, {{"A", "alpha"}, {"EMPTY", ""}, {"URL", "https://u:p@h/x?k=v"}, {"T", "x}${env:A}\"\n"}});
  Diagnostics diagnostics;
  Resolved out;
  out.value = Value(text, {0, 3, 5});
  const bool sound = resolver.resolve(out.value, diagnostics);
  for (const Diagnostic& d : diagnostics.all()) out.messages += headline(d, {{"f", ""}}) + "\n";
  CHECK(sound == out.messages.empty());
  out.written = resolver.take_written();
  out.secrets = resolver.take_secrets();
  return out;
}

}  // namespace

TEST_CASE("what a variable brings is taken out of results, but for what names a place", "[config]") {
  const Environment env = environment();
  const Variables variables{{"TOKEN", "s3cret-T0ken"},
                            {"PIN", "4711"},
                            {"BASE", "https://api.example/v1"},
                            {"FULL", "https://u:pass@h/x?k=v&key=12345"},
                            {"HOST", "db1.example"},
                            {"LOG", "/var/log/app-errors.log"},
                            {"ADDRESS", "10.0.0.17:5432"},
                            {"SIX", "[2001:db8::17]:5432"},
                            {"PORT", "db-one:5432"},
                            {"LOGIN", "admin:hunter2hunter2"},
                            {"PAIRS", "admin:word:other.word"},
                            {"WORD", "prod"}};
  using Texts = std::vector<std::string>;
  const auto [text, expected] = GENERATE(table<std::string, Texts>({
      {"http://h/?token=${env:TOKEN}", {"s3cret-T0ken"}},
      {"http://h/?pin=${env:PIN}&host=${env:HOST}", {"4711", "db1.example"}},
      {"https://${env:PIN}:${env:WORD}@${env:HOST}/x", {"4711", "prod"}},
      {"https://${env:HOST}:8443/${env:WORD}/${env:TOKEN}", {"s3cret-T0ken"}},
      {"${env:BASE}/status", {}},
      {"${env:FULL}", {"12345", "pass", "u:pass", "v"}},
      {"Bearer ${env:TOKEN}", {"s3cret-T0ken"}},
      {"${env:TOKEN}", {"s3cret-T0ken"}},
      {"${env:NONE:-a-default-text}", {}},
      {"--host=${env:HOST} ${env:ADDRESS} ${env:LOG} ${env:WORD}", {}},
      {"--host=${env:SIX} ${env:PORT}", {}},
      {"${env:LOGIN}", {"admin:hunter2hunter2"}},
      {"${env:PAIRS}", {"admin:word:other.word"}},
      {"${env:TOKEN} ${file:/secret}", {"pass\nword\n", "s3cret-T0ken"}},
  }));
  CAPTURE(text);
  Resolver resolver(env, variables);
  Diagnostics diagnostics;
  Value value(text, {0, 3, 5});
  REQUIRE(resolver.resolve(value, diagnostics));
  CHECK(resolver.take_pieces() == expected);
  CHECK(resolver.take_pieces().empty());
}

TEST_CASE("references are replaced by what they name", "[config]") {
  auto [text, expected, origin] = GENERATE(table<std::string, std::string, Origin>({
      {"plain $ $A $(x) $$", "plain $ $A $(x) $$", Origin::literal},
      {"$${env:A}", "${env:A}", Origin::literal},
      {"a-${env:A}-b", "a-alpha-b", Origin::env},
      {"${env:NONE:-d e}", "d e", Origin::env},
      {"${env:NONE:-}", "", Origin::env},
      {"${env:EMPTY}", "", Origin::env},
      {"${env:EMPTY:-d}", "d", Origin::env},
      {"${env:A:-d}", "alpha", Origin::env},
      {"${file:/secret}", "pass\nword\n", Origin::secret},
      {"${cred:token}/${env:A}", "t0ken/alpha", Origin::secret},
      {"${env:T}", "x}${env:A}\"\n", Origin::env},
  }));
  CAPTURE(text);
  const Resolved got = resolve(text);
  CHECK(got.messages.empty());
  CHECK(std::get<std::string>(got.value.data()) == expected);
  CHECK(got.value.origin() == origin);
  CHECK(got.written.size() == (origin == Origin::literal ? 0 : 1));
}

TEST_CASE("what cannot be resolved is reported at the string, all of it at once", "[config]") {
  auto [text, message] = GENERATE(table<std::string, std::string>({
      {"${env:NONE}",
       "${env:NONE} is not set, neither in the environment nor in an env file; a default is written "
       "${env:NONE:-default}"},
      {"${env:1X}", "${env:1X}: this is no name of a variable"},
      {"${A}",
       "unknown reference ${A}; did you mean ${env:A}? Known are ${env:NAME}, ${file:PATH} and ${cred:NAME}; "
       "write $${ for a literal ${"},
      {"${env:A", "${ without a closing }; write $${ for a literal ${"},
      {"${file:/none}", "${file:/none}: opening /none: No such file or directory"},
      {"${file:/nul}", "${file:/nul}: /nul contains a NUL byte"},
      {"${file:/empty}", "${file:/empty}: /empty is empty"},
      {"${file:/line-end}", "${file:/line-end}: /line-end is empty"},
      {"${cred:empty}", "${cred:empty}: ${file:/creds/empty}: /creds/empty is empty"},
      {"${cred:../x}", "${cred:../x}: this is no name of a credential"},
      {"${cred:none}", "${cred:none}: ${file:/creds/none}: opening /creds/none: No such file or directory"},
  }));
  CAPTURE(text);
  const Resolved got = resolve(text);
  CHECK(got.messages == "f:3:5: error: " + message + "\n");
  CHECK(got.value.is_nothing());
}

TEST_CASE("two broken references in one string are two errors", "[config]") {
  CHECK(resolve("${env:X1:x}${env:}").messages ==
        "f:3:5: error: ${env:X1:x}: this is no name of a variable\n"
        "f:3:5: error: ${env:}: this is no name of a variable\n");
}

TEST_CASE("a credential without systemd names what the unit needs", "[config]") {
  Environment env = environment();
  env.credentials_directory.clear();
  Resolver resolver(env, {});
  Diagnostics diagnostics;
  Value value(std::string("${cred:token}"), {0, 1, 1});
  CHECK_FALSE(resolver.resolve(value, diagnostics));
  CHECK(diagnostics.all().at(0).message == "${cred:token}: there are no credentials; the systemd unit needs LoadCredential=token:PATH");
}

TEST_CASE("a secret file that everyone can read is refused", "[config]") {
  const test::Scratch scratch;
  const std::string path = scratch.write("secret", "s");
  const FileReader read = trusted_file_reader(::geteuid());
  CHECK(read(path, FileUse::secret).error().message() == path + " is readable by everyone; correct it with chmod o-r");
  CHECK(*read(path, FileUse::environment) == "s");
  ::chmod(path.c_str(), 0640);
  CHECK(*read(path, FileUse::secret) == "s");
  CHECK(read("secret", FileUse::secret).error().message() == "secret is not an absolute path");
  REQUIRE(::truncate(path.c_str(), 70'000) == 0);
  CHECK(read(path, FileUse::secret).error().message() == path + " is larger than 64KiB");
}

TEST_CASE("an env file is read as systemd reads it", "[config]") {
  Variables variables = {{"A", "old"}};
  REQUIRE(
      read_env_file("# c\n; c\n\nA=1\nB = two words \nC='a \"b\" \\'\nD=\"x \\\"y\\\" \\n $z\"\nexport E=\nF=a # b\r\n", "/e", variables)
          .empty());
  CHECK(variables == Variables{{"A", "1"}, {"B", "two words"}, {"C", "a \"b\" \\"}, {"D", "x \"y\" \\n $z"}, {"E", ""}, {"F", "a # b"}});
}

TEST_CASE("a broken env file names the line and never its content", "[config]") {
  auto [text, line, message] = GENERATE(table<std::string, std::uint32_t, std::string>({
      {"A=1\nsecret", 2, "a line must be NAME=VALUE or a comment"},
      {"1A=x", 1, "a line must be NAME=VALUE or a comment"},
      {"\nA=\"x", 2, "the quotes around the value of A do not match; the lines after it are not read"},
      {"A='x'y", 1, "the quotes around the value of A do not match; the lines after it are not read"},
  }));
  Variables variables;
  const std::vector<Error> got = read_env_file(text, "/e", variables);
  REQUIRE(got.size() == 1);
  CHECK(got[0].message() == message);
  REQUIRE(got[0].where());
  CHECK(got[0].where()->line == line);
}

TEST_CASE("of a broken env file all that is wrong is told, and its good lines count", "[config]") {
  Variables variables = {{"B", "old"}};
  const std::vector<Error> got = read_env_file("A=1\nsecret\nC=3\n=4\nD=5\nB='2", "/e", variables);
  std::vector<std::uint32_t> lines;
  for (const Error& one : got) lines.push_back(one.where() ? one.where()->line : 0);
  CHECK(lines == std::vector<std::uint32_t>{2, 4, 6});
  CHECK(variables == Variables{{"A", "1"}, {"B", "old"}, {"C", "3"}, {"D", "5"}});
}

TEST_CASE("of a secret of several lines in an env file no line is taken for a name", "[config]") {
  Variables variables;
  const std::vector<Error> got = read_env_file("A=1\nKEY=\"MIIEvQ\nZ3VyZQ=\"\nFOO=bar\"\n", "/e", variables);
  REQUIRE(got.size() == 1);
  CHECK(got[0].message() == "the quotes around the value of KEY do not match; the lines after it are not read");
  CHECK(variables == Variables{{"A", "1"}});
}

TEST_CASE("a file that is no env file is told in a few lines", "[config]") {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "not at all\n";
  Variables variables;
  const std::vector<Error> got = read_env_file(text + "A=1\n", "/e", variables);
  REQUIRE(got.size() == 11);
  CHECK(got[9].where()->line == 10);
  CHECK(got[10].message() == "the lines after that are not read: this seems to be no such file");
  CHECK(variables.empty());
}

TEST_CASE("an address is shown without userinfo and query", "[config]") {
  CHECK(cut_address("https://u:p@s@host:8/p/a?k=v#f") == "https://host:8/p/a");
  CHECK(cut_address("postgresql://u:p@h/db?password=x") == "postgresql://h/db");
  CHECK(cut_address("u:p@host") == "host");
  CHECK(cut_address("/a/b@c") == "/a/b@c");
  CHECK(cut_address("") == "");
  CHECK(hide_userinfo("https://u:p@h/p?k=v") == "https://***@h/p?k=v");
  CHECK(hide_userinfo("mail@example.com") == "mail@example.com");
}

TEST_CASE("a shown value never holds a referenced secret", "[config]") {
  const Resolved secret = resolve("https://${cred:token}@h/");
  CHECK(shown_text(secret.value, secret.written.at(0).text, true) == "https://${cred:token}@h/");
  CHECK(shown_text(secret.value, "", true) == "***");
  CHECK(hide_secrets("log: t0ken!", secret.secrets) == "log: ***!");
  const std::vector<std::string> nested = {"", "abc", "abcdef", "abcd"};
  CHECK(hide_secrets("x abcdef y abcd z abc", nested) == "x *** y *** z ***");  // of none a tail is left
  const Resolved env = resolve("${env:URL}");
  CHECK(shown_text(env.value, env.written.at(0).text, true) == "https://h/x");
  CHECK(shown_text(env.value, env.written.at(0).text, false) == "${env:URL}");
  CHECK(shown_text(Value(std::string("https://u:p@h"), {}), "", false) == "https://***@h");
  CHECK(is_address_key("webhook_url"));
  CHECK_FALSE(is_address_key("curl"));
}
