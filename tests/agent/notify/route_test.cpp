// SPDX-License-Identifier: Apache-2.0
#include "notify/route.hpp"

#include <map>
#include <set>
#include <stdexcept>

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

/// All that became of one message.
class Sent {
 public:
  explicit Sent(Routed first) { take(std::move(first)); }
  const store::OutboxRow& by(const std::string& notifier, const std::string& contact = "") const { return *find(notifier, contact); }
  void arrive(const std::string& notifier, const std::string& contact = "") {
    find(notifier, contact)->state = store::OutboxState::delivered;
  }
  /// What it brings.
  Routed fail(const std::string& notifier, const People& people, const std::string& contact = "") {
    const auto failed = find(notifier, contact);
    failed->state = store::OutboxState::dead;
    std::vector<store::OutboxRow> others = rows_;
    others.erase(others.begin() + (failed - rows_.begin()));
    Routed next = route_fallback(*failed, others, people, Templates());
    const store::OutboxRow was = *failed;
    for (const store::OutboxRow& row : next.rows) CHECK(message_of(row.id) == message_of(was.id));
    take(next);
    return next;
  }
  const std::vector<store::OutboxRow>& rows() const { return rows_; }

 private:
  void take(Routed routed) {
    for (store::OutboxRow& row : routed.rows) {
      CHECK(std::ranges::find(rows_, row.id, &store::OutboxRow::id) == rows_.end());
      rows_.push_back(std::move(row));
    }
  }
  std::vector<store::OutboxRow>::iterator find(const std::string& notifier, const std::string& contact) {
    const auto found = std::ranges::find_if(rows_, [&](const store::OutboxRow& row) {
      return row.notifier == notifier && row.contact.find(contact) != std::string::npos && row.state == store::OutboxState::queued;
    });
    if (found == rows_.end()) throw std::runtime_error("nothing is owed by " + notifier);
    return found;
  }
  std::vector<store::OutboxRow>::const_iterator find(const std::string& notifier, const std::string& contact) const {
    return const_cast<Sent*>(this)->find(notifier, contact);
  }
  std::vector<store::OutboxRow> rows_;
};

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
  Sent sent(routed);
  CHECK(sent.fail("slack", people).troubles.empty());
  routed = sent.fail("mail", people);
  CHECK(routed.rows.empty());
  CHECK(routed.troubles.at(0).what == What::unnamed);
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

TEST_CASE("what failed for good by all channels of a contact goes to its fallback, then to last_resort, then to what has not been tried",
          "[notify]") {
  FakePeople people;
  Sent sent(route(message({"cto"}), people, Templates()));
  const store::OutboxRow mail = sent.by("mail");
  CHECK(shown(sent.fail("mail", people)).empty());
  CHECK(shown(sent.fail("slack", people)).empty());
  Routed next = sent.fail("sms", people);
  REQUIRE(shown(next) == Shown{"pager::cto"});
  CHECK(next.troubles.empty());
  CHECK(next.rows[0].event == "open");
  CHECK(next.rows[0].level == "p1");
  CHECK(next.rows[0].text.title == mail.text.title);
  next = sent.fail("pager", people);
  REQUIRE(shown(next) == Shown{"log::"});
  CHECK(next.troubles.at(0).what == What::last_resort);
  next = sent.fail("log", people);
  CHECK(next.rows.empty());
  CHECK(next.troubles.at(0).what == What::nobody);
}

TEST_CASE("who was reached by one channel, or still may be, is told by no fallback, and nobody else for him", "[notify]") {
  FakePeople people;
  people.all["cto"] = {{{"mail", "cto@example.com", false, 0}, Level::p4}, {{"sms", "+54911", false, 0}, Level::p1}};
  const bool has_fallback = GENERATE(false, true);
  if (has_fallback) people.all["cto"].push_back({{"pager", "", true, 0}, Level::p4});
  const Shown instead = has_fallback ? Shown{"pager::cto"} : Shown{"log::"};
  Sent sent(route(message({"cto"}), people, Templates()));
  SECTION("the mail arrived and the SMS is refused") {
    sent.arrive("mail");
    const Routed next = sent.fail("sms", people);
    CHECK(shown(next).empty());
    CHECK(next.troubles.empty());
  }
  SECTION("the SMS is refused while the mail is tried yet, and that is refused later") {
    CHECK(shown(sent.fail("sms", people)).empty());
    CHECK(shown(sent.fail("mail", people)) == instead);
  }
  SECTION("both are refused, the mail first") {
    CHECK(shown(sent.fail("mail", people)).empty());
    CHECK(shown(sent.fail("sms", people)) == instead);
  }
}

TEST_CASE(
    "of the recipients of one message the one who is not reached is told by his fallback, and the last resort only where all are lost",
    "[notify]") {
  FakePeople people;
  people.all["cto"] = {{{"sms", "+54911", false, 0}, Level::p4}};
  people.all["dba"] = {{{"mail", "dba@example.com", false, 0}, Level::p4}};
  people.all["ops"] = {{{"slack", "", false, 0}, Level::p4}, {{"mail", "ops@example.com", true, 0}, Level::p4}};
  Sent sent(route(message({"cto", "dba", "ops"}), people, Templates()));
  CHECK(shown(sent.fail("sms", people)).empty());
  CHECK(shown(sent.fail("slack", people)) == Shown{"mail:ops@example.com:ops"});  // also on a notifier that others are told by
  SECTION("one of them was reached") {
    sent.arrive("mail", "dba");
    CHECK(shown(sent.fail("mail", people)).empty());
  }
  SECTION("none of them was, whichever is the last") {
    const bool is_dba_last = GENERATE(false, true);
    CHECK(shown(sent.fail("mail", people, is_dba_last ? "ops" : "dba")).empty());
    CHECK(shown(sent.fail("mail", people)) == Shown{"log::"});
  }
}

TEST_CASE("who shares an address with one who was reached otherwise is told by his own fallback", "[notify]") {
  FakePeople people;
  people.all["dba"] = {{{"slack", "", false, 0}, Level::p4}, {{"mail", "dba@example.com", true, 0}, Level::p4}};
  Sent sent(route(message({"cto", "dba"}), people, Templates()));
  REQUIRE(sent.by("slack").contact == "cto,dba");
  CHECK(shown(sent.fail("slack", people)) == Shown{"mail:dba@example.com:dba"});
}

TEST_CASE("where nothing is known of the others, what failed goes on as if it had been alone", "[notify]") {
  FakePeople people;
  Sent sent(route(message({"dba"}), people, Templates()));
  const Routed next = route_fallback(sent.by("slack"), {}, people, Templates());
  REQUIRE(shown(next) == Shown{"log::"});
  CHECK(shown(route_fallback(next.rows[0], {}, people, Templates())) ==
        Shown{"mail:cto@example.com:", "mail:dba@example.com:", "sms:+54911:", "pager::"});
}

TEST_CASE("what was told as the last resort goes on to the rest when all of it failed, once", "[notify]") {
  FakePeople people;
  people.resort = {"slack", "mail"};
  Sent sent(route(message({"broken"}), people, Templates()));
  REQUIRE(shown({sent.rows(), {}}) == Shown{"slack::", "mail:cto@example.com:", "mail:dba@example.com:"});
  CHECK(shown(sent.fail("mail", people)).empty());
  CHECK(shown(sent.fail("slack", people)).empty());
  const Routed next = sent.fail("mail", people);
  CHECK(shown(next) == Shown{"log::", "pager::", "sms:+54911:"});
  CHECK(next.troubles.size() == 1);
}

TEST_CASE("where every notifier refuses, each gets what one message becomes once", "[notify]") {
  FakePeople people;
  people.resort.clear();
  people.all = {{"cto", {{{"mail", "cto@example.com", false, 0}, Level::p4}}}};
  for (char c = 'a'; c <= 'h'; ++c) people.notifiers.insert(std::string("sink-") + c);
  std::map<std::string, int> sent;
  Sent all(route(message({"cto"}), people, Templates()));
  for (int steps = 0;; ++steps) {
    REQUIRE(steps < 1000);
    const auto open = std::ranges::find(all.rows(), store::OutboxState::queued, &store::OutboxRow::state);
    if (open == all.rows().end()) break;
    ++sent[open->notifier];
    all.fail(std::string(open->notifier), people);
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
