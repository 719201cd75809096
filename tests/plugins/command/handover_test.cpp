// SPDX-License-Identifier: Apache-2.0
#include "handover.hpp"

#include <boost/json.hpp>
#include <catch.hpp>
#include <map>
#include <random>

using namespace command;

namespace {

struct Parts {
  std::string id = "m-1", to = "ops", title = "API is down", body = "connection refused\nsince 09:05", level = "p1", event = "open",
              incident = "I-7";
  std::uint32_t attempt = 2;
  std::vector<std::pair<std::string, std::string>> fields = {};
};

/// The message that `parts` describe, handed to `use`.
template <class Use>
auto with(const Parts& parts, Use&& use) {
  std::vector<ronda_kv> fields;
  for (const auto& [name, value] : parts.fields) fields.push_back({ronda::to_abi(name), ronda::to_abi(value)});
  ronda_message raw{};
  raw.size = sizeof raw, raw.attempt = parts.attempt;
  raw.id = ronda::to_abi(parts.id), raw.to = ronda::to_abi(parts.to), raw.title = ronda::to_abi(parts.title);
  raw.body = ronda::to_abi(parts.body), raw.level = ronda::to_abi(parts.level), raw.event = ronda::to_abi(parts.event);
  raw.incident = ronda::to_abi(parts.incident), raw.fields = fields.data(), raw.field_count = fields.size();
  return use(ronda::message(&raw));
}

std::map<std::string, std::string> environment(const Parts& parts) {
  const auto list = with(parts, [](const ronda::message& m) { return as_environment(m); });
  std::map<std::string, std::string> out(list.begin(), list.end());
  CHECK(out.size() == list.size());  // no name twice
  return out;
}

}  // namespace

TEST_CASE("as text it is the title, an empty line and the body, and ends with a line's end", "[command]") {
  const auto text = [](const std::string& title, const std::string& body) {
    Parts parts;
    parts.title = title, parts.body = body;
    return with(parts, [](const ronda::message& m) { return as_text(m); });
  };
  CHECK(text("API is down", "refused\nsince 09:05") == "API is down\n\nrefused\nsince 09:05\n");
  CHECK(text("API is down", "") == "API is down\n");
  CHECK(text("", "only a body\n") == "only a body\n");
  CHECK(text("", "") == "");
  CHECK(text("a", std::string("b\0c", 3)) == std::string("a\n\nb\0c\n", 7));
}

TEST_CASE("as json it has everything and reads back as it was, whatever the bytes", "[command]") {
  Parts parts;
  parts.fields = {{"service", "shop"}, {"quote", "\"\\\n\x1b"}};
  const auto line = with(parts, [](const ronda::message& m) { return as_json(m); });
  CHECK(line.find('\n') == line.size() - 1);
  const auto read = boost::json::parse(line).as_object();
  CHECK(read.at("id").as_string() == "m-1");
  CHECK(read.at("attempt").as_int64() == 2);
  CHECK(read.at("to").as_string() == "ops");
  CHECK(read.at("level").as_string() == "p1");
  CHECK(read.at("event").as_string() == "open");
  CHECK(read.at("incident").as_string() == "I-7");
  CHECK(read.at("title").as_string() == "API is down");
  CHECK(read.at("body").as_string() == parts.body);
  CHECK(read.at("fields").as_object().at("quote").as_string() == "\"\\\n\x1b");
  std::mt19937 random(3);
  for (int i = 0; i < 300; ++i) {
    Parts wild;
    for (auto* text : {&wild.title, &wild.body, &wild.to, &wild.id}) {
      text->resize(random() % 40);
      for (char& c : *text) c = static_cast<char>(random());
    }
    CHECK_NOTHROW(boost::json::parse(with(wild, [](const ronda::message& m) { return as_json(m); })));
  }
}

TEST_CASE("the environment has the values, with names that are names", "[command]") {
  Parts parts;
  parts.fields = {{"service", "shop"}, {"http.code", "500"}, {"http-code", "501"}, {"\xc3\xa9=x\n", "odd"}};
  CHECK(environment(parts) == std::map<std::string, std::string>{{"RONDA_MESSAGE_ID", "m-1"},
                                                                 {"RONDA_ATTEMPT", "2"},
                                                                 {"RONDA_TO", "ops"},
                                                                 {"RONDA_TITLE", "API is down"},
                                                                 {"RONDA_LEVEL", "p1"},
                                                                 {"RONDA_EVENT", "open"},
                                                                 {"RONDA_INCIDENT", "I-7"},
                                                                 {"RONDA_FIELD_SERVICE", "shop"},
                                                                 {"RONDA_FIELD_HTTP_CODE", "500"},
                                                                 {"RONDA_FIELD____X_", "odd"}});
}

TEST_CASE("values in the environment are bounded and hold no NUL", "[command]") {
  Parts parts;
  parts.title = std::string("before\0after", 12);
  parts.to = std::string(1 << 20, 'x');
  for (int i = 0; i < 1000; ++i) parts.fields.emplace_back("f" + std::to_string(i), "v");
  const auto env = environment(parts);
  CHECK(env.at("RONDA_TITLE") == "before");
  CHECK(env.at("RONDA_TO").size() == max_value_bytes + 3);
  CHECK(env.size() == 7 + max_fields);
}
