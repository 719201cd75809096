// SPDX-License-Identifier: Apache-2.0
// A mail read back as a mail program would: an independent reader of RFC 5322, 2045 and 2047, for what the plugin writes.
#pragma once

#include <string>
#include <utility>
#include <vector>

struct ReadMail {
  std::vector<std::pair<std::string, std::string>> headers;  ///< unfolded, encoded words not decoded, in their order
  std::string raw_body;                                      ///< lines end in \n
  std::string body;                                          ///< decoded

  /// Of the first of that name; throws when there is none.
  std::string raw(const std::string& name) const;
  /// Its text as people see it: encoded words decoded.
  std::string shown(const std::string& name) const;
  bool has(const std::string& name) const;
};

/// Lines may end in CRLF or LF.
ReadMail read_mail(const std::string& text);
