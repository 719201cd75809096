// SPDX-License-Identifier: Apache-2.0
// The steps that more than one plot has.
#pragma once

#include <string>
#include <vector>

#include "story.hpp"

namespace ronda::test {

inline Step act(const std::string& name, std::function<bool(Story&)> how) {
  return {name, std::move(how), false};
}
inline Step await(const std::string& name, std::function<bool(Story&)> how) {
  return {name, std::move(how), true};
}

/// A program posts it, until the agent takes it; once taken it is owed.
inline Step post(const std::string& alert, const std::string& event) {
  return act("post " + alert + " " + event, [=](Story& s) { return s.bench().post(alert, event); });
}
/// The same where nobody is to hear of it, or not now.
inline Step tell(const std::string& alert, const std::string& event) {
  return act("tell " + alert + " " + event, [=](Story& s) { return s.bench().tell(alert, event); });
}
/// That notifier has taken so many messages of it.
inline Step heard(const std::string& notifier, const std::string& alert, const std::string& event, int times = 1) {
  return await("heard " + notifier + " " + alert + " " + event + " " + std::to_string(times),
               [=](Story& s) { return s.heard(notifier, alert, event) >= times; });
}
/// All that is owed has been told.
inline Step told(const std::string& what) {
  return await("told " + what, [](Story& s) { return s.bench().is_told(); });
}
inline Step found(const std::string& alert) {
  return await("found " + alert, [=](Story& s) { return s.find_incident(alert); });
}
/// A person does with the incident what these words say.
inline Step by_hand(const std::string& verb, const std::vector<std::string>& more = {}) {
  return act(verb, [=](Story& s) {
    std::vector<std::string> words{"incident", verb, s.recall("incident")};
    words.insert(words.end(), more.begin(), more.end());
    return s.does(words);
  });
}
inline Step at_stage(const std::string& stage) {
  return await(stage, [=](Story& s) { return s.is_at(stage); });
}
/// Empty, or the line.
inline std::string wrong_if(bool is_wrong, const std::string& line) {
  return is_wrong ? line + "\n" : std::string();
}
inline std::string hook(const std::string& name) {
  return "[notifier." + name + "]\nuse = \"webhook\"\nurl = \"SINK/" + name + "\"\n";
}

}  // namespace ronda::test
