// SPDX-License-Identifier: Apache-2.0
// host.logins: failed logins of sshd and PostgreSQL since the last run, by source; from log files, or from
// the journal where no syslog writes files.
#pragma once

#include <ronda/plugin.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "login_failures.hpp"
#include "verdict.hpp"

namespace host {

class Logins : public ronda::check {
 public:
  Logins();
  static constexpr std::string_view procedure = "host.logins";
  ronda::result run(ronda::call& c) override;

 private:
  /// What could not be read is added to `unread`.
  void read_file_log(ronda::call& c, const std::string& path, FailureCount& count, Verdict& unread);
  void read_journal(ronda::call& c, FailureCount& count, Verdict& unread);
  /// Without a cursor only the newest entry's is kept. False: what was said is not all here, and the cursor is where it was.
  bool read_journal_from(ronda::call& c, std::optional<std::string_view> cursor, FailureCount& count, Verdict& unread);
  ronda::result judge(ronda::call& c, const FailureCount& count, const Verdict& unread) const;

  const std::vector<std::string> logs_ = ronda::cfg<std::vector<std::string>>("logs");
  const bool journal_ = ronda::cfg<bool>("journal");
  const std::uint64_t from_one_source_ = ronda::cfg<std::uint64_t>("from_one_source");
  const std::uint64_t in_all_ = ronda::cfg<std::uint64_t>("in_all");
  const std::size_t top_ = ronda::cfg<std::size_t>("top");
};

}  // namespace host
