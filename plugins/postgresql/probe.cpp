// SPDX-License-Identifier: Apache-2.0
#include "probe.hpp"

#include "remedy.hpp"

namespace postgresql {

ronda::result Probe::run(ronda::call& call) {
  if (!pool_) {
    const auto first = login();
    if (!first) return failed(first.failure());
    pool_ = Pool::of(first->target.key);
    place_ = first->target.place;
    role_ = first->target.role;
  }
  Client client(*pool_, {[this] { return login(); }, [this] { return clock().mono(); }}, call);
  return measure(client, call);
}

Answer<Login> Probe::login() const {
  const ronda::value option = config()["dsn"];
  std::string dsn;
  if (option.is_secret()) {
    const ronda::secret_view view = secret(option);
    if (!view) return Failure{Cause::setup, ronda::text("dsn cannot be read: ", view.error()), ""};
    dsn = view.view();
  } else {
    dsn = option.as<std::string>();
  }
  const auto target = parse_dsn(dsn);
  if (!target) return target.failure();
  return Login{std::move(dsn), *target};
}

std::string Probe::explain(const Failure& failure) const {
  const std::string advice = remedy(failure, role_, version_);
  return advice.empty() ? failure.text : failure.text + " (" + advice + ")";
}

ronda::result Probe::failed(const Failure& failure) const {
  return ronda::unknown(place_, place_.empty() ? "" : ": ", explain(failure));
}

Answer<std::string> Probe::text_for(Client& client, Statement statement) {
  const auto version = client.version();
  if (!version) return version.failure();
  version_ = *version;
  std::string text = sql_for(statement, *version / 10000);
  if (!text.empty()) return text;
  return Failure{Cause::statement,
                 "PostgreSQL " + version_text(*version) + " is too old: " + std::to_string(oldest_supported) +
                     " and later are supported",
                 ""};
}

Answer<Rows> Probe::ask(Client& client, Statement statement) {
  const auto text = text_for(client, statement);
  if (!text) return text.failure();
  return client.query(*text);
}

std::string fill_schemas(std::string_view sql, const std::vector<std::string>& schemas) {
  std::string list = "''";
  for (const std::string& schema : schemas) {
    list += ", '";
    for (const char c : schema) list += c == '\'' ? std::string("''") : std::string(1, c);
    list += '\'';
  }
  return substitute(substitute(sql, "any_schema", schemas.empty() ? "true" : "false"), "schemas", list);
}

}  // namespace postgresql
