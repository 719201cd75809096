// SPDX-License-Identifier: Apache-2.0
// The people's side of a candidate: contacts to ladders, compiled from what was loaded. Start, reload, `validate`,
// `ronda escalation` and `ronda oncall` are this one function. Reads calendar files of on-call rotas, nothing else.
#pragma once

#include <sys/types.h>

#include "incident/policies.hpp"
#include "schedule/candidate.hpp"

namespace ronda::escalation {

struct Staff {
  people::People people;
  Policies policies;
};

/// A notifier that can be used, with what its plugin's manifest says.
people::Notifier notifier_of(const schedule::Candidate& candidate, const schedule::Prepared& prepared);

/// `now_ns` (wall clock): gaps of rotas are looked for from there, and calendar files are read around it. Calendar files
/// must be trusted for `uid` like conf.d itself.
Staff staff_of(const schedule::Candidate& candidate, schedule::ZoneDatabase& zones, std::int64_t now_ns, uid_t uid,
               config::Diagnostics& diagnostics);

Result<std::string> read_calendar_file(const std::string& path, uid_t uid);

/// One rota of the generation that is active again, with these bytes as its calendar file. None: they are wrong, which was told.
std::optional<people::Rota> rota_anew(const schedule::Candidate& active, schedule::ZoneDatabase& zones, const people::People& people,
                                      std::string_view rota, const std::string& calendar, std::int64_t now_ns,
                                      config::Diagnostics& diagnostics);

/// For CandidateRequest::judges: tells what is wrong, and adds what is left out to `disabled`.
std::function<void(schedule::Candidate&)> judge_staff(schedule::ZoneDatabase& zones, std::int64_t now_ns, uid_t uid);

}  // namespace ronda::escalation
