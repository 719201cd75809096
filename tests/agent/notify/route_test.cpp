// SPDX-License-Identifier: Apache-2.0
#include "notify/route.hpp"

#include <map>
#include <set>

#include "catch.hpp"

using namespace ronda;
using namespace ronda::notify;
using config::Level;
using What = RouteTrouble::What;

namespace {

struct FakePeople : People {
  std::vector<Channel> channels(std::string_view contact, Level level) const override {
    const auto found = all.find(std::string(contact));
    if (found == all.end()) return {};
    std::vector<Channel> out;
    for (const auto& [channel, worst] : found->second) {
      if (level <= worst) out.push_back(channel);
    }
    return out;
  }
  bool is_usable(std::string_view notifier) const override { return notifiers.contains(std::string(notifier)); }
  Markup markup(std::string_view notifier) const override {
    return notifier == "sms" ? Markup::sms : notifier == "slack" ? Markup::mrkdwn : Markup::plain;
  }
  Language language(std::string_view contact) const override { return contact == "dba" ? Language::es : Language::en; }
  std::vector<std::string> last_resort() const override { return resort; }
  std::vector<std::string> usable() const override { return {notifiers.begin(), notifiers.end()}; }
  std::vector<Channel> everybody(std::string_view notifier, Level level) const override {
    std::vector<Channel> out;
    for (const auto& [name, channels] : all) {
      for (const auto& [channel, worst] : channels) {
        if (channel.notifier == notifier && level <= worst && (!channel.to.empty() || out.empty())) out.push_back(channel);
      }
    }
    if (out.empty()) out.push_back({std::string(notifier), "", false, 0});
    return out;
  }

  std::map<std::string, std::vector<std::pair<Channel, Level>>> all = {
      {"cto",
       {{{"slack", "", false, 0}, Level::p4},
        {{"mail", "cto@example.com", false, 0}, Level::p4},
        {{"sms", "+54911", false, 0}, Level::p1},
        {{"pager", "", true, 0}, Level::p4}}},
      {"dba", {{{"slack", "", false, 0}, Level::p4}, {{"mail", "dba@example.com", false, 0}, Level::p4}}},
      {"broken", {{{"gone", "", false, 0}, Level::p4}}},
      {"backup-only", {{{"pager", "", true, 0}, Level::p4}}},
  };
  std::set<std::string> notifiers = {"slack", "mail", "sms", "pager", "log"};
  std::vector<std::string> resort = {"log"};
};

Message message(std::vector<std::string> contacts, Level level = Level::p1) {
  Message out;
  out.key = "INC-1/3";
  out.incident = out.group = "INC-1";
  out.level = level;
  out.contacts = std::move(contacts);
  out.fields = {{"severity", "P1"}, {"title", "Supplier API <down>"}, {"system", "Mini Market"}};
  return out;
}

/// "notifier:address:contacts", sorted
std::set<std::string> shown(const Routed& routed) {
  std::set<std::string> out;
  for (const store::OutboxRow& row : routed.rows) out.insert(row.notifier + ":" + row.to + ":" + row.contact);
  return out;
}
using Shown = std::set<std::string>;

}  // namespace

TEST_CASE("each recipient gets one envelope for each channel that fits the level, and who shares one gets it once", "[notify]") {
  const FakePeople people;
  const Templates templates;
  CHECK(shown(route(message({"cto", "dba"}), people, templates)) ==
        Shown{"slack::cto,dba", "mail:cto@example.com:cto", "mail:dba@example.com:dba", "sms:+54911:cto"});
  CHECK(shown(route(message({"cto"}, Level::p3), people, templates)) == Shown{"slack::cto", "mail:cto@example.com:cto"});
}

TEST_CASE("an envelope has all that a plugin wants to know, in the words of its channel and language", "[notify]") {
  const FakePeople people;
  const Templates templates;
  const Routed routed = route(message({"cto", "dba"}), people, templates);
  CHECK(routed.troubles.empty());
  std::set<std::string> ids;
  for (const store::OutboxRow& row : routed.rows) {
    ids.insert(row.id);
    CHECK(row.id.starts_with("INC-1/3/"));
    CHECK(row.incident == "INC-1");
    CHECK(row.group == "INC-1");
    CHECK(row.level == "p1");
    CHECK(row.event == "open");
    CHECK(row.state == store::OutboxState::queued);
    const Fields fields = fields_from_json(row.text.fields);
    CHECK(value_of(fields, "title") == "Supplier API <down>");
    CHECK(value_of(fields, "topic") == "open");
    if (row.notifier == "slack") CHECK(row.text.title == "🚨 INCIDENT ALERT - P1: Supplier API &lt;down&gt;");
    if (row.to == "dba@example.com") CHECK(row.text.title == "🚨 ALERTA DE INCIDENTE - P1: Supplier API <down>");
    if (row.notifier == "sms") CHECK(row.text.body.starts_with("P1 Mini Market: Supplier API <down>"));
  }
  CHECK(ids.size() == routed.rows.size());
  const Routed again = route(message({"cto", "dba"}), people, templates);
  for (std::size_t i = 0; i < routed.rows.size(); ++i) CHECK(again.rows[i].id == routed.rows[i].id);
}

TEST_CASE("a drill is marked and says so to plugins", "[notify]") {
  Message drill = message({"dba"});
  drill.drill = true;
  for (const store::OutboxRow& row : route(drill, FakePeople(), Templates()).rows) {
    CHECK(row.text.title.starts_with("[DRILL] "));
    CHECK(value_of(fields_from_json(row.text.fields), "drill") == "yes");
  }
}

TEST_CASE("a route that loses its targets goes to last_resort, else to all that is usable, and never in silence", "[notify]") {
  FakePeople people;
  const Templates templates;
  const auto troubles = [](const Routed& routed) {
    std::vector<What> out;
    for (const RouteTrouble& trouble : routed.troubles) out.push_back(trouble.what);
    return out;
  };
  Routed routed = route(message({"broken", "nobody-knows"}), people, templates);
  CHECK(shown(routed) == Shown{"log::"});
  CHECK(troubles(routed) == std::vector{What::no_channel, What::no_channel, What::last_resort});
  CHECK(routed.troubles[1].contact == "nobody-knows");
  people.resort = {"gone"};
  CHECK(shown(route(message({"broken"}), people, templates)) ==
        Shown{"slack::", "mail:cto@example.com:", "mail:dba@example.com:", "sms:+54911:", "pager::", "log::"});
  people.resort = {"mail"};
  CHECK(shown(route(message({"broken"}), people, templates)) == Shown{"mail:cto@example.com:", "mail:dba@example.com:"});
  people.notifiers.clear();
  routed = route(message({"cto"}), people, templates);
  CHECK(routed.rows.empty());
  CHECK(troubles(routed) == std::vector{What::no_channel, What::nobody});
}

TEST_CASE("a P4 rings at no notifier that conf.d does not name for it", "[notify]") {
  FakePeople people;
  Message small = message({});
  small.level = Level::p4;
  CHECK(shown(route(small, people, Templates())) == Shown{"log::"});
  people.resort.clear();
  Routed routed = route(small, people, Templates());
  CHECK(routed.rows.empty());
  REQUIRE(routed.troubles.size() == 1);
  CHECK(routed.troubles[0].what == What::unnamed);
  small.contacts = {"dba"};
  routed = route(small, people, Templates());
  REQUIRE(routed.rows.size() == 2);
  CHECK(route_fallback(routed.rows[0], people, Templates()).rows.empty());
  small.level = Level::p3;
  small.contacts.clear();
  CHECK(shown(route(small, people, Templates())).size() == 6);  // mail to both who have an address
}

TEST_CASE("a contact whose ordinary channels are all unusable is told by its fallback", "[notify]") {
  FakePeople people;
  CHECK(shown(route(message({"backup-only"}), people, Templates())) == Shown{"pager::backup-only"});
  people.notifiers = {"pager", "log"};
  CHECK(shown(route(message({"cto"}), people, Templates())) == Shown{"pager::cto"});
}

TEST_CASE("what failed for good goes to the fallback, then to last_resort, then to what has not been tried, and ends", "[notify]") {
  FakePeople people;
  const Templates templates;
  const Routed first = route(message({"cto"}), people, templates);
  const auto mail = std::ranges::find(first.rows, "mail", &store::OutboxRow::notifier);
  REQUIRE(mail != first.rows.end());
  Routed next = route_fallback(*mail, people, templates);
  REQUIRE(shown(next) == Shown{"pager::cto"});
  CHECK(next.troubles.empty());
  CHECK(next.rows[0].id.starts_with(mail->id + "/"));
  CHECK(next.rows[0].event == "open");
  CHECK(next.rows[0].level == "p1");
  CHECK(next.rows[0].text.title == mail->text.title);
  next = route_fallback(next.rows[0], people, templates);
  REQUIRE(shown(next) == Shown{"log::cto"});
  CHECK(next.troubles.at(0).what == What::last_resort);
  next = route_fallback(next.rows[0], people, templates);
  CHECK(shown(next) == Shown{"slack::cto", "sms:+54911:cto"});
  const store::OutboxRow last = next.rows.back();
  REQUIRE(last.notifier == "sms");
  people.notifiers = {"mail", "pager", "log", last.notifier};
  next = route_fallback(last, people, templates);
  CHECK(next.rows.empty());
  CHECK(next.troubles.at(0).what == What::nobody);
}

TEST_CASE("of those that are the last resort together one makes up for what all of them fail of", "[notify]") {
  FakePeople people;
  people.resort = {"slack", "mail"};
  const Templates templates;
  const Routed first = route(message({"broken"}), people, templates);
  REQUIRE(shown(first) == Shown{"slack::", "mail:cto@example.com:", "mail:dba@example.com:"});
  for (const store::OutboxRow& row : first.rows) {
    const Routed next = route_fallback(row, people, templates);
    const bool makes_up = row.to == "dba@example.com";
    CHECK(shown(next) == (makes_up ? Shown{"log::", "pager::", "sms:+54911:"} : Shown{}));
    CHECK(next.troubles.size() == (makes_up ? 1 : 0));
  }
}

TEST_CASE("where every notifier refuses, each gets what one message becomes once", "[notify]") {
  FakePeople people;
  people.resort.clear();
  people.all = {{"cto", {{{"mail", "cto@example.com", false, 0}, Level::p4}}}};
  for (char c = 'a'; c <= 'h'; ++c) people.notifiers.insert(std::string("sink-") + c);
  const Templates templates;
  std::map<std::string, int> sent;
  std::vector<store::OutboxRow> open = route(message({"cto"}), people, templates).rows;
  for (int steps = 0; !open.empty(); ++steps) {
    REQUIRE(steps < 1000);
    const store::OutboxRow failed = open.back();
    open.pop_back();
    ++sent[failed.notifier];
    const Routed next = route_fallback(failed, people, templates);
    open.insert(open.end(), next.rows.begin(), next.rows.end());
  }
  CHECK(sent.size() == people.notifiers.size());
  for (const auto& [notifier, times] : sent) {
    INFO(notifier);
    CHECK(times == 1);
  }
}

TEST_CASE("what is about a notifier goes by another one as long as there is one", "[notify]") {
  FakePeople people;
  Message about = message({"dba"});
  about.avoid = {"slack"};
  CHECK(shown(route(about, people, Templates())) == Shown{"mail:dba@example.com:dba"});
  about.avoid = {"slack", "mail"};
  CHECK(shown(route(about, people, Templates())) == Shown{"log::"});
  people.notifiers = {"slack"};
  CHECK(shown(route(about, people, Templates())) == Shown{"slack::dba"});
}

TEST_CASE("what heard of it as the last resort hears the rest too, once, and as long as it can be used", "[notify]") {
  FakePeople people;
  Message rest = message({"dba"});
  rest.notifiers = {"log", "mail"};
  CHECK(shown(route(rest, people, Templates())) == Shown{"slack::dba", "mail:dba@example.com:dba", "log::", "mail:cto@example.com:"});
  rest.notifiers = {"slack"};
  CHECK(shown(route(rest, people, Templates())) == Shown{"slack::dba", "mail:dba@example.com:dba"});
  rest.contacts.clear();
  rest.notifiers = {"gone"};
  CHECK(shown(route(rest, people, Templates())).empty());  // nobody else waits for it
}

TEST_CASE("quiet hours of a channel hold its envelope, and of two who share it the earlier end counts", "[notify]") {
  FakePeople people;
  people.all["cto"] = {{{"slack", "", false, 500}, Level::p4}};
  people.all["dba"] = {{{"slack", "", false, 300}, Level::p4}};
  const Routed routed = route(message({"cto", "dba"}, Level::p3), people, Templates());
  REQUIRE(routed.rows.size() == 1);
  CHECK(routed.rows[0].next_at == 300);
}
