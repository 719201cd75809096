// SPDX-License-Identifier: Apache-2.0
// What people ask about by hand is answered by the clock that the desk judges by, also while the wall clock has just been set.
#include <boost/json.hpp>
#include <optional>

#include "agent/api/absent_agent.hpp"
#include "agent/response/shell.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::api;
using namespace ronda::test;
namespace json = boost::json;

namespace {

const std::string two_turns = R"(
[contact.ana]
name = "Ana"
channels = [{ notifier = "mail", to = "ana@example.com" }]
[contact.bob]
name = "Bob"
channels = [{ notifier = "mail", to = "bob@example.com" }]
[oncall.ops]
members = ["ana", "bob"]
start = "2026-01-05"
handover = "00:00"
shift = "1d"
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ops"] }]
)";

/// An agent that has a desk and nothing else.
class Desked final : public AbsentAgent {
 public:
  explicit Desked(Shell& shell) : shell_(shell) {}
  store::Store& store() override { return *shell_.store; }
  response::Response& response() override { return *shell_.response; }
  const schedule::Candidate& active() const override { return active_; }

 private:
  Shell& shell_;
  schedule::Candidate active_;
};

struct Asked {
  int status = 0;
  json::value body;
};

Asked ask(Shell& shell, const std::string& method, const std::string& path, const std::string& body = {}) {
  Desked agent(shell);
  Request request;
  request.method = method;
  request.path = path;
  request.body = body;
  request.who.name = "unix:root";
  request.who.role = Role::operator_;
  std::optional<Asked> out;
  make_routes(agent)(request, [&](const Response& response) { out = Asked{response.status, json::parse(response.body)}; });
  REQUIRE(shell.until([&] { return out.has_value(); }));
  return *out;
}

}  // namespace

TEST_CASE("windows, overrides and turns are shown as the desk has them while the wall clock was just set forward", "[api]") {
  const Scratch scratch;
  Shell shell(two_turns, scratch / "state");
  shell.begin();
  const auto calendar = schedule::parse_calendar("Mon 00:00", zones(), zone("UTC"));
  REQUIRE(calendar);
  const auto plan = plan_of(two_turns);
  std::const_pointer_cast<response::Plan>(plan)->windows.push_back(
      {"nightly", "", *calendar, hour, {}, {}, false, 0, {}, {}, {}, "ana", {}, "upkeep"});
  shell.response->use(plan);
  shell.settle();
  shell.set_by = 30 * hour;  // Tuesday, of which nothing is believed yet

  const auto windows = ask(shell, "GET", "/v1/maintenance").body.as_array();
  REQUIRE(windows.size() == 1);
  CHECK(windows[0].at("active").as_bool());
  const auto refused = ask(shell, "POST", "/v1/maintenance/nightly/end");
  CHECK(refused.status == 409);
  CHECK(json::serialize(refused.body).find("open until Mon 2026-01-05 01:00") != std::string::npos);

  const auto made = ask(shell, "POST", "/v1/oncall/ops/override", R"({"who": "bob", "for": "2h", "reason": "swap"})");
  REQUIRE(made.status == 200);
  const std::int64_t until = shell.response->desk().upkeep().overrides.at(0).until_ns;
  CHECK(until - shell.response->now_ns() <= 2 * hour);
  CHECK(ask(shell, "GET", "/v1/overrides").body.as_array().size() == 1);
  CHECK(ask(shell, "POST", "/v1/overrides/" + std::string(made.body.at("id").as_string()) + "/end").status == 200);

  const auto test = ask(shell, "POST", "/v1/contacts/ops/test");
  CHECK(test.status == 202);
  CHECK(json::serialize(test.body.at("contacts")) == R"(["ana"])");
  CHECK(std::string(ask(shell, "GET", "/v1/oncall").body.as_array().at(0).at("on_call").as_array().at(0).as_string()) == "ana");
}
