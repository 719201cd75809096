// SPDX-License-Identifier: Apache-2.0
#include "store/start_count.hpp"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/store/support.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

/// A life that ends without a word.
unsigned die(const std::string& directory) {
  auto before = StartCount(directory).begin();
  REQUIRE(before);
  return *before;
}

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("lives that end without a word are counted until one is well", "[store]") {
  const Scratch scratch;
  for (unsigned i = 0; i < 7; ++i) CHECK(die(scratch.path()) == i);
  {
    StartCount told_to_stop(scratch.path());
    CHECK(*told_to_stop.begin() == 7);
    CHECK(told_to_stop.take_back());
  }
  {
    StartCount well(scratch.path());
    CHECK(*well.begin() == 7);
    CHECK(well.clear());
    CHECK(well.before() == 0);
    CHECK(well.take_back());  // nothing to take back any more
  }
  CHECK(die(scratch.path()) == 0);
  CHECK(die(scratch.path()) == 1);
}

TEST_CASE("whatever the count of starts holds, there is a count", "[store]") {
  const Scratch scratch;
  const std::string bytes = GENERATE(as<std::string>(), "", "7", "00x3\n", "-001\n", "\xff\xff\xff\xff\xff", "    \n");
  scratch.write("starts", bytes);
  CHECK(die(scratch.path()) == 0);
  CHECK(die(scratch.path()) == 1);
  scratch.write("starts", "9999\n");
  CHECK(die(scratch.path()) == 9999);
  CHECK(die(scratch.path()) == 9999);
}

TEST_CASE("the count of starts follows no link and says when it cannot be kept", "[store]") {
  const Scratch scratch;
  scratch.write("elsewhere", "0003\n");
  REQUIRE(::symlink((scratch / "elsewhere").c_str(), (scratch / "starts").c_str()) == 0);
  StartCount count(scratch.path());
  CHECK_FALSE(count.begin());
  CHECK(count.take_back());
  CHECK(content(scratch / "elsewhere") == "0003\n");
}

TEST_CASE("a start is counted before the database is touched, and only by who has the directory", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state";
  int owned = 0;
  auto options = options_at(state);
  options.on_owned = [&] {
    ++owned;
    CHECK(std::filesystem::exists(state));
    CHECK_FALSE(std::filesystem::exists(state + "/ronda.db"));
  };
  auto store = Store::open(options);
  REQUIRE(store);
  CHECK(owned == 1);
  auto second = options_at(state);
  second.on_owned = [&] { ++owned; };
  CHECK_FALSE(Store::open(second));
  CHECK(owned == 1);
  store->reset();
  scratch.write("state/ronda.db", "this is no database, and yet the start counts");
  ::chmod((state + "/ronda.db").c_str(), 0600);
  CHECK(Store::open(second));
  CHECK(owned == 2);
}
