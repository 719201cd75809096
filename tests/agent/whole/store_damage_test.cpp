// SPDX-License-Identifier: Apache-2.0
// The store itself is damaged, or a newer agent's: a P1 is told all the same, and nothing of what was there is thrown away.
#include <sqlite3.h>

#include "catch.hpp"
#include "shop_on_disk.hpp"
#include "skip.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

enum class Harm { header, middle, cut, text };

/// In place, and never empty meanwhile: the same file, as a disk or a careless program leaves it.
void overwrite(const std::string& path, const std::string& bytes) {
  std::fstream(path, std::ios::binary | std::ios::in | std::ios::out) << bytes;
  fs::resize_file(path, bytes.size());
}

void harm(const std::string& path, Harm how) {
  std::string bytes = read_file(path);
  const auto flip = [&](std::size_t from, std::size_t count) {
    for (std::size_t i = from; i < std::min(from + count, bytes.size()); ++i) bytes[i] = static_cast<char>(~bytes[i]);
  };
  switch (how) {
    case Harm::header:
      flip(0, 64);
      break;
    case Harm::middle:
      flip(bytes.size() / 2 - 3000, 6000);
      break;
    case Harm::cut:
      bytes.resize(bytes.size() / 2);
      break;
    case Harm::text:
      bytes.assign(20'000, 'x');
      break;
  }
  overwrite(path, bytes);
}

std::vector<std::string> set_aside(const std::string& directory) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("ronda.db.corrupt-") && !name.ends_with("-wal") && !name.ends_with("-shm")) out.push_back(entry.path());
  }
  return out;
}

}  // namespace

TEST_CASE("a store that is damaged at the start is set aside: that is told, and so is a P1, which the fresh one keeps", "[whole]") {
  const Harm how = GENERATE(Harm::header, Harm::middle, Harm::cut, Harm::text);
  CAPTURE(static_cast<int>(how));
  Shop shop;
  shop.configure();
  shop.start();
  shop.break_it("door");
  const std::string before = shop.await_p1("door");
  REQUIRE(shop.await_agreement());
  CHECK(shop.agent().stop() == 0);
  const std::string database = shop.agent().state_directory() + "/ronda.db";
  harm(database, how);
  const std::string damaged = read_file(database);

  shop.start();
  CHECK(shop.await_p2("the store was damaged ("));
  CHECK(shop.status_says("store: degraded: the store was damaged ("));
  REQUIRE(set_aside(shop.agent().state_directory()).size() == 1);
  CHECK(read_file(set_aside(shop.agent().state_directory()).front()) == damaged);
  shop.break_it("gate");
  const std::string id = shop.await_p1("gate");
  check_taken(shop.ack(id), id, true, "");
  CHECK(shop.is_same());
  shop.crash_and_start();
  INFO(shop.story());
  CHECK(shop.store_state() == "ok");
  CHECK(shop.stage(id) == "acknowledged");
  CHECK(shop.heard("open", "p1", "gate: ").size() == 1);
  CHECK(eventually([&] { return shop.heard("open", "p1", "door: ").size() == 2; }));  // the fresh one knows nothing of the first: told once more, not lost
  CHECK(set_aside(shop.agent().state_directory()).size() == 1);
}

TEST_CASE("a store that is damaged while the agent runs is set aside, and what people work on stays what it is", "[whole]") {
  const Harm how = GENERATE(Harm::header, Harm::middle, Harm::cut, Harm::text);
  CAPTURE(static_cast<int>(how));
  Shop shop;
  shop.configure();
  shop.start();
  shop.break_it("door");
  const std::string before = shop.await_p1("door");
  REQUIRE(shop.await_agreement());
  harm(shop.agent().state_directory() + "/ronda.db", how);
  shop.break_it("gate");
  const std::string id = shop.await_p1("gate");
  CHECK(shop.await_p2("the store was damaged ("));
  CHECK(shop.status_says("store: degraded: the store was damaged ("));
  CHECK(set_aside(shop.agent().state_directory()).size() == 1);
  for (const std::string& one : {before, id}) {
    INFO(one);
    check_taken(shop.ack(one), one, true, "");
    CHECK(shop.stage(one) == "acknowledged");
  }
  CHECK(shop.is_same());
  shop.crash_and_start();
  INFO(shop.story());
  CHECK(shop.store_state() == "ok");
  CHECK(shop.stage(id) == "acknowledged");
  CHECK(shop.heard("open", "p1", "gate: ").size() == 1);
  CHECK(eventually([&] { return shop.heard("open", "p1", "door: ").size() == 2; }));  // what was before lies in what was set aside: told once more, not lost
}

namespace {

/// The same database as a later version would leave it.
void make_newer(const std::string& path) {
  sqlite3* database = nullptr;
  REQUIRE(::sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  CHECK(::sqlite3_exec(database, "PRAGMA journal_mode=DELETE; PRAGMA user_version=99; UPDATE meta SET value=99 WHERE name='schema'", nullptr,
                       nullptr, nullptr) == SQLITE_OK);
  ::sqlite3_close(database);
}

}  // namespace

TEST_CASE("a store of a newer agent is left as it is: no start with it, and while the agent runs it alarms by memory alone", "[whole]") {
  Shop shop;
  shop.configure();
  shop.start();
  shop.break_it("door");
  const std::string door = shop.await_p1("door");
  REQUIRE(shop.await_agreement());
  CHECK(shop.agent().stop() == 0);
  const std::string database = shop.agent().state_directory() + "/ronda.db", ours = read_file(database);
  make_newer(database);
  const std::string newer = read_file(database);
  const std::string why = "'" + database + "' was written by a newer ronda (schema 99, this one knows ";

  shop.agent().launch();
  CHECK(shop.agent().wait() == 1);
  CHECK(has(shop.agent().log(), why));
  CHECK(has(shop.agent().log(), "; nothing was changed; install that version again, or restore a backup"));
  CHECK(read_file(database) == newer);

  overwrite(database, ours);
  shop.start();
  CHECK(shop.stage(door) == "open");
  overwrite(database, newer);
  shop.break_it("gate");
  const std::string gate = shop.await_p1("gate");
  CHECK(shop.await_p2(why));
  CHECK(shop.status_says("store: failed: " + why));
  check_taken(shop.ack(gate), gate, false, "a newer ronda");
  CHECK(shop.is_same());
  CHECK(read_file(database) == newer);
  CHECK(shop.heard("open", "p1", "").size() == 2);
}
