// SPDX-License-Identifier: Apache-2.0
#include "agent/api/absent_agent.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <exception>
#include <optional>

#include "catch.hpp"
#include "scratch.hpp"

using namespace ronda;
using namespace ronda::api;
using namespace ronda::test;

namespace {

struct StoreIsAsked : std::exception {};

/// An agent of which only its directory is known; whoever gets as far as the store throws.
class Bare final : public AbsentAgent {
 public:
  explicit Bare(std::string backups) : backups_(std::move(backups)) {}
  store::Store& store() override { throw StoreIsAsked(); }
  std::string backup_directory() const override { return backups_; }

 private:
  std::string backups_;
};

/// The status of the answer; 0 when the store would have been asked to write there.
int backup_as(AgentView& agent, uid_t uid, const std::string& path) {
  Request request;
  request.method = "POST";
  request.path = "/v1/backup";
  request.query = {{"path", path}};
  request.who.uid = request.who.gid = uid;
  request.who.name = "unix:someone";
  request.who.role = Role::operator_;
  std::optional<int> status;
  try {
    make_routes(agent)(request, [&](const Response& response) { status = response.status; });
  } catch (const StoreIsAsked&) {
    status = 0;
  }
  return status.value_or(-1);
}

}  // namespace

TEST_CASE("who operates without the agent's own rights makes backups in its directory only", "[api]") {
  const Scratch scratch;
  Bare agent(scratch / "backups");
  const uid_t member = ::geteuid() + 4711;
  for (const std::string& path :
       {std::string("/etc/nologin"), scratch / "backups", scratch / "backups/", scratch / "backups/../x", scratch / "backups/a/b",
        scratch / "backups/.hidden", scratch / "backups-too/x", scratch / "x", scratch / "backups//x"}) {
    INFO(path);
    CHECK(backup_as(agent, member, path) == 403);
  }
  struct stat made {};
  CHECK(::stat((scratch / "backups").c_str(), &made) != 0);  // a refusal makes nothing
  CHECK(backup_as(agent, member, scratch / "backups/today.db") == 0);
  REQUIRE(::stat((scratch / "backups").c_str(), &made) == 0);
  CHECK((made.st_mode & 07777) == 0700);
  CHECK(backup_as(agent, member, scratch / "backups/today.db") == 0);
  CHECK(backup_as(agent, ::geteuid(), scratch / "x") == 0);
  CHECK(backup_as(agent, 0, "/var/backups/x") == 0);
  CHECK(backup_as(agent, 0, "relative") == 400);
}
