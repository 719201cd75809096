// SPDX-License-Identifier: Apache-2.0
// What people ask for by hand beside incidents and silences: each is told when it is durable.
#include <algorithm>

#include "base/text.hpp"
#include "response/response.hpp"
#include "response/upkeep.hpp"

namespace ronda::response {
namespace {

/// Of names of conf.d, with the nearest of them.
template <class All>
Status check_name(std::string_view kind, const std::string& name, const All& all) {
  std::vector<std::string_view> names;
  for (const auto& one : all) names.push_back(one.name);
  if (std::ranges::find(names, std::string_view(name)) != names.end()) return done();
  const std::string_view near = nearest(name, names);
  return Error(Errc::invalid, "there is no " + std::string(kind) + " `" + repair_utf8(name, 64) + "`" +
                                  (near.empty() ? std::string() : "; did you mean `" + std::string(near) + "`?"));
}

Status check_targets(const people::People& people, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!people.members_of(name).empty() || people.find_oncall(name) != nullptr) continue;
    if (auto known = check_name("contact, group or oncall", name, people.contacts); !known) return known;
  }
  return done();
}

template <class T>
std::function<void(const incident::Reply&)> answer(std::function<void(const Result<T>&)> told, T made) {
  return [told = std::move(told), made = std::move(made)](const incident::Reply& reply) {
    reply.done ? told(made) : told(Error(reply.code, reply.text));
  };
}

Error gone(std::string_view what) {
  return {Errc::internal, std::string(what) + " has ended and is forgotten already"};
}

}  // namespace

void Response::maintain(incident::OneOffRequest request, std::function<void(const Result<incident::OneOff>&)> told) {
  if (!begun_) return waiting_.push_back([this, request = std::move(request), told = std::move(told)] { maintain(request, told); });
  const Plan& plan = desk_.plan();
  if (const auto known = incident::check_names(request.what, plan.names); !known) return told(known.error());
  if (const auto known = check_targets(plan.people, request.notify); !known) return told(known.error());
  auto made = incident::make_one_off(std::move(request), wall_ns(), ports_.random());
  if (!made) return told(made.error());
  Output output = desk_.start_maintenance(*made, wall_ns());
  apply(std::move(output), answer(std::move(told), *std::move(made)));
}

void Response::end_maintenance(std::string id, incident::Author author, std::function<void(const Result<incident::OneOff>&)> told) {
  if (!begun_) {
    return waiting_.push_back(
        [this, id = std::move(id), author = std::move(author), told = std::move(told)] { end_maintenance(id, author, told); });
  }
  auto output = desk_.end_maintenance(id, author, wall_ns());
  if (!output) return told(output.error());
  const incident::OneOff* ended = desk_.upkeep().find(id);
  if (ended == nullptr) return told(gone("maintenance " + id));
  apply(*std::move(output), answer(std::move(told), *ended));
}

void Response::override_oncall(incident::OnCallOverride wanted, std::function<void(const Result<incident::OnCallOverride>&)> told) {
  if (!begun_) return waiting_.push_back([this, wanted = std::move(wanted), told = std::move(told)] { override_oncall(wanted, told); });
  const people::People& people = desk_.plan().people;
  if (const auto known = check_name("oncall", wanted.rota, people.oncalls); !known) return told(known.error());
  if (const auto known = check_name("contact", wanted.contact, people.contacts); !known) return told(known.error());
  auto made = incident::make_override(std::move(wanted), wall_ns(), ports_.random());
  if (!made) return told(made.error());
  Output output = desk_.override_oncall(*made, wall_ns());
  apply(std::move(output), answer(std::move(told), *std::move(made)));
}

void Response::end_override(std::string id, incident::Author author, std::function<void(const Result<incident::OnCallOverride>&)> told) {
  if (!begun_) {
    return waiting_.push_back(
        [this, id = std::move(id), author = std::move(author), told = std::move(told)] { end_override(id, author, told); });
  }
  auto output = desk_.end_override(id, author, wall_ns());
  if (!output) return told(output.error());
  const auto& all = desk_.upkeep().overrides;
  const auto ended = std::ranges::find(all, id, &incident::OnCallOverride::id);
  if (ended == all.end()) return told(gone("override " + id));
  apply(*std::move(output), answer(std::move(told), *ended));
}

void Response::send_test(std::string contact, incident::Author author, std::function<void(const Result<std::string>&)> told) {
  if (!begun_) {
    return waiting_.push_back(
        [this, contact = std::move(contact), author = std::move(author), told = std::move(told)] { send_test(contact, author, told); });
  }
  const std::string key = std::string(test_prefix) + incident::random_word(ports_.random(), 10);
  auto output = desk_.send_test(contact, author, key, wall_ns());
  if (!output) return told(output.error());
  apply(*std::move(output), answer(std::move(told), key));
}

void Response::retry(std::string id, store::Done<Unit> told) {
  if (!begun_) return waiting_.push_back([this, id = std::move(id), told = std::move(told)] { retry(id, told); });
  courier_.revive(std::move(id), std::move(told));
}

}  // namespace ronda::response
