// SPDX-License-Identifier: Apache-2.0
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "agent/store/support.hpp"
#include "catch.hpp"
#include "skip.hpp"
#include "store/schema.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

/// Statements in a connection of their own, as an administrator or another version of the agent would run them.
void sql(const std::string& path, const std::string& text) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  char* error = nullptr;
  const int code = sqlite3_exec(db, text.c_str(), nullptr, nullptr, &error);
  INFO((error != nullptr ? error : ""));
  CHECK(code == SQLITE_OK);
  sqlite3_free(error);
  sqlite3_close(db);
}

Error refusal(const std::string& directory) {
  auto store = Store::open(options_at(directory));
  REQUIRE_FALSE(store);
  return store.error();
}

}  // namespace

TEST_CASE("a second agent on the same directory is refused and told which the first is", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state";
  auto first = open_at(state);
  const Error error = refusal(state);
  CHECK(error.code() == Errc::exists);
  CHECK(error.message() == "'" + state + "' is in use by another agent, pid " + std::to_string(::getpid()) +
                               " since 20260921T141320Z; stop that one, or give this one its own --state DIR");
  SECTION("also when the file that names it is gone") {
    std::filesystem::remove(state + "/lock");
    CHECK(refusal(state).message().find("pid " + std::to_string(::getpid())) != std::string::npos);
  }
  SECTION("from another process") {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(Store::open(options_at(state)) ? 0 : 7);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 7);
  }
  CHECK(append(*first, "still mine"));
  first.reset();
  CHECK(Store::open(options_at(state)));
}

TEST_CASE("state that others could read is refused, with the remedy", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state";
  open_at(state)->close();
  SECTION("the directory") {
    std::filesystem::permissions(state, std::filesystem::perms(0755));
    CHECK(refusal(state).message() == "'" + state + "' is open to others (mode 0755), and state may hold what checks saw; chmod 700 it");
  }
  SECTION("the database") {
    std::filesystem::permissions(state + "/ronda.db", std::filesystem::perms(0640));
    CHECK(refusal(state).message() ==
          "'" + state + "/ronda.db' is open to others (mode 0640), and state may hold what checks saw; chmod 600 it");
  }
  SECTION("a link in the place of the database") {
    std::filesystem::rename(state + "/ronda.db", scratch / "elsewhere");
    std::filesystem::create_symlink(scratch / "elsewhere", state + "/ronda.db");
    CHECK(refusal(state).message() == "'" + state + "/ronda.db' is not a file; remove it");
  }
  CHECK(refusal(state).code() == Errc::denied);
}

TEST_CASE("a state directory that others lead to, or could replace, is refused and nothing is written there", "[store]") {
  const Scratch scratch;
  const std::string shared = scratch / "shared", remedy = ", or give --state DIR";
  std::filesystem::create_directory(shared);
  std::string state = shared + "/state", place = shared;
  std::string why = shared + " has mode 0777: others than its owner can change it; correct it with chmod go-w";
  ::chmod(shared.c_str(), 0777);
  SECTION("one that is there") {
    std::filesystem::create_directory(state);
    ::chmod(state.c_str(), 0700);
    place = state;
  }
  SECTION("one that is missing is not made either") {}
  SECTION("over a link that somebody else has made in a sticky directory") {
    if (::geteuid() != 0) return ronda::test::skipped("other-users", "only root can give files away");
    ::chmod(shared.c_str(), 01777);
    std::filesystem::create_directory(place = scratch / "target");
    ::chmod(place.c_str(), 0700);
    std::filesystem::create_symlink(place, state);
    REQUIRE(::lchown(state.c_str(), 65534, 65534) == 0);
    why = state + " is owned by uid 65534, not by root; correct it with chown";
    SECTION("the last step") {}
    SECTION("further up") {
      ::rename(state.c_str(), (shared + "/way").c_str());
      why = shared + "/way is owned by uid 65534, not by root; correct it with chown";
      state = shared + "/way/state";
    }
  }
  const Error error = refusal(state);
  CHECK(error.code() == Errc::denied);
  CHECK(error.message() == "the state directory '" + state + "': " + why + remedy);
  CHECK(std::ranges::count_if(std::filesystem::directory_iterator(place), [](const auto& entry) { return !entry.is_symlink(); }) == 0);
}

TEST_CASE("a state directory may be reached over links of root or the agent's user, as systemd makes them", "[store]") {
  const Scratch scratch;
  std::filesystem::create_directories(scratch / "private");
  std::filesystem::create_symlink("private/ronda", scratch / "ronda");
  std::filesystem::create_directory(scratch / "private/ronda");
  ::chmod((scratch / "private/ronda").c_str(), 0700);
  CHECK(append(*open_at(scratch / "ronda/"), "here"));
  CHECK(std::filesystem::exists(scratch / "private/ronda/ronda.db"));
  CHECK(append(*open_at(scratch / "private/new//"), "made"));
}

TEST_CASE("a database that is newer, or another program's, is refused and stays as it is", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  open_at(state)->close();
  std::string message;
  SECTION("newer") {
    sql(file, "PRAGMA user_version=7; UPDATE meta SET value=7 WHERE name='schema'; CREATE TABLE future(x);");
    message = "'" + file + "' was written by a newer ronda (schema 7, this one knows " + std::to_string(schema_version()) +
              "); nothing was changed; install that version "
              "again, or restore a backup";
  }
  SECTION("of another program") {
    std::filesystem::remove(file);
    sql(file, "PRAGMA application_id=42; CREATE TABLE theirs(x);");
    message = "'" + file +
              "' is a database of another program (application id 42); nothing was changed; move it away, or give "
              "--state another directory";
  }
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  const std::string before = bytes_of(file);
  const Error error = refusal(state);
  CHECK(error.code() == Errc::invalid);
  CHECK(error.message() == message);
  CHECK(bytes_of(file) == before);
  CHECK(names_in(state, "ronda.db") == std::vector<std::string>{"ronda.db"});
}

TEST_CASE("a newer database whose news is still in the WAL is refused too", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  open_at(state)->close();
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
  REQUIRE(sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA user_version=7; UPDATE meta SET value=7 WHERE name='schema';", nullptr, nullptr,
                       nullptr) == SQLITE_OK);
  const Scratch copy;  // as a kill would leave it
  std::string page_one_alone = bytes_of(file);
  SECTION("all of it") {}
  SECTION("but the header, which a checkpoint had come to") {
    page_one_alone[63] = 7;
  }
  std::filesystem::create_directory(copy / "state");
  std::filesystem::permissions(copy / "state", std::filesystem::perms(0700));
  write_bytes(copy / "state/ronda.db", page_one_alone);
  write_bytes(copy / "state/ronda.db-wal", bytes_of(file + "-wal"));
  sqlite3_close(db);
  const Error error = refusal(copy / "state");
  CHECK(error.code() == Errc::invalid);
  CHECK(bytes_of(copy / "state/ronda.db") == page_one_alone);
  CHECK(names_in(copy / "state", "ronda.db.corrupt").empty());
}

TEST_CASE("an older copy of the database is noticed", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  open_at(state)->close();
  const std::string old = bytes_of(file);
  open_at(state)->close();
  CHECK(open_at(state)->report().notices.empty());
  write_bytes(file, old);
  const auto store = open_at(state);
  REQUIRE(store->report().notices.size() == 1);
  CHECK(store->report().notices[0] == "the database is an older copy (generation 2, it was 6): what was stored since is missing");
  CHECK(count_of(journal(*store), "store.other_copy") == 1);
}

TEST_CASE("an outsider's lock is waited for and then told; the store works as soon as it is gone", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  open_at(state)->close();
  sqlite3* outsider = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &outsider) == SQLITE_OK);
  REQUIRE(sqlite3_exec(outsider, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) == SQLITE_OK);
  const auto seconds_since = [](auto start) { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  auto start = std::chrono::steady_clock::now();
  const auto store = open_at(state);
  CHECK(seconds_since(start) > 1.8);  // it may be gone in a moment
  CHECK(seconds_since(start) < 15);   // two, and what a busy machine adds
  CHECK(store->health().state == HealthState::failed);
  CHECK(store->health().reason == "lock the database for this agent alone: database is locked");
  start = std::chrono::steady_clock::now();
  CHECK(append(*store, "x").error().code() == Errc::unavailable);
  CHECK(seconds_since(start) < 15);  // the store may just be trying again
  sqlite3_exec(outsider, "COMMIT", nullptr, nullptr, nullptr);
  sqlite3_close(outsider);
  CHECK(wait_for_health(*store, HealthState::ok));
  CHECK(append(*store, "x"));
}

TEST_CASE("while the store runs nobody else can lock, read or write its database, so nobody can hold its WAL", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  const auto store = open_at(state);
  REQUIRE(append(*store, "x"));
  // another process: SQLite's locks are those of a process, and closing a file here would drop the store's
  const auto outsider = [&](const std::string& sql) {
    const std::string out = scratch / "out";
    const int code = std::system(("sqlite3 '" + file + "' '" + sql + "' >'" + out + "' 2>&1").c_str());
    return std::pair(code, bytes_of(out));
  };
  for (const char* sql : {"SELECT count(*) FROM journal", "BEGIN EXCLUSIVE", "DELETE FROM journal", "PRAGMA wal_checkpoint"}) {
    INFO(sql);
    const auto [code, said] = outsider(sql);
    CHECK((code != 0 || said.find('1') == 0));  // wal_checkpoint answers "1|..." when it is busy
    CHECK((said.find("locked") != std::string::npos || said.starts_with("1|")));
  }
  CHECK(append(*store, "y"));
  CHECK(store->health().state == HealthState::ok);
  CHECK(count_of(journal(*store), "test") == 2);
  CHECK(count_of(journal(*store), "store.touched") == 0);
}
