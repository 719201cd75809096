// SPDX-License-Identifier: Apache-2.0
// Secrets taken out of text that comes piece by piece: what a runner prints, which nobody has scrubbed before.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ronda::plugin {

class Scrubber {
 public:
  /// The secrets among encoded options. Those of fewer than four bytes would cut every text to pieces and protect nothing.
  void add_secrets_of(std::string_view encoded_options);
  /// What may be shown by now: "***" for each secret; the end of it is kept back while it may be a secret's beginning.
  std::string feed(std::string_view bytes);
  /// What was kept back.
  std::string end();
  /// A whole text.
  std::string scrub(std::string text) const;

 private:
  std::vector<std::string> secrets_;  // the longest first: one may hold another
  std::string kept_;
};

}  // namespace ronda::plugin
