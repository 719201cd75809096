// SPDX-License-Identifier: Apache-2.0
#include "certificate.hpp"

#include <algorithm>

#include "file_facts.hpp"
#include "text.hpp"
#include "verdict.hpp"
#include "x509.hpp"

namespace host {

ronda::result CertificateCheck::run(ronda::call& c) {
  const Contents contents = read_file(path_, 4 << 20);
  if (contents.error != 0) return ronda::unknown(shown(path_), ": ", cannot_read(contents.error));
  const Certificates found = parse_certificates(contents.text);
  if (found.good.empty()) {
    return ronda::unknown(shown(path_),
                          found.broken > 0 ? " holds damaged certificates only" : " holds no certificate",
                          "; PEM or DER is expected");
  }
  const auto first_to_end =
      std::min_element(found.good.begin(), found.good.end(),
                       [](const auto& a, const auto& b) { return a.not_after_s < b.not_after_s; });
  const std::int64_t now_s =
      std::chrono::duration_cast<std::chrono::seconds>(clock().wall().time_since_epoch()).count();
  const std::int64_t left_s = first_to_end->not_after_s - now_s;
  const auto warn = static_cast<double>(warn_before_.count());
  const auto crit = static_cast<double>(crit_before_.count());
  c.metric("expires_in", static_cast<double>(left_s), ronda::seconds, ronda::range::below(warn),
           ronda::range::below(crit));
  c.metric("certificates", found.good.size());
  const std::string who = "certificate of " + shown(first_to_end->name, 80);
  Verdict verdict;
  verdict.add(below(static_cast<double>(left_s), warn, crit),
              left_s < 0 ? who + " expired " + span_text(-left_s) + " ago"
                         : who + " expires in " + span_text(left_s));
  for (const Certificate& certificate : found.good) {
    if (certificate.not_before_s <= now_s) continue;
    verdict.add(ronda::status::critical, "certificate of " + shown(certificate.name, 80) +
                                             " is not valid for another " +
                                             span_text(certificate.not_before_s - now_s));
  }
  if (found.broken > 0)
    verdict.add(ronda::status::warning, ronda::text(found.broken, " damaged in the same file"));
  return verdict.result();
}

}  // namespace host
