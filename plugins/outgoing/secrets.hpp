// SPDX-License-Identifier: Apache-2.0
// The secrets of one delivery: opened here, and taken out of whatever is told about it. A server may repeat a URL or a
// token in its answer, and a part of it gives away as much as the whole.
#pragma once

#include <ronda/services.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "outgoing/url.hpp"

namespace outgoing {

class Secrets {
 public:
  using Open = std::function<ronda::secret_view(const ronda::value&)>;
  explicit Secrets(Open open) : open_(std::move(open)) {}
  ~Secrets();
  Secrets(const Secrets&) = delete;
  Secrets& operator=(const Secrets&) = delete;

  /// Of an option that may be a secret. Hides it from now on if it is one.
  ronda::reply<std::string> read(const ronda::value& option);
  /// The same of a URL: all of it but scheme, host and port is hidden, secret or not.
  ronda::reply<Url> read_url(const ronda::value& option);
  /// Also percent-encoded, and as a part of what is encoded as base64.
  void hide(std::string_view secret);
  /// "user:password", also as basic authentication sends it.
  void hide_login(const std::string& login);

  /// The text with "***" for each secret and each part of one of at least 6 bytes.
  std::string without(std::string text) const;

 private:
  void add(std::string secret);
  void hide_url(const std::string& text);

  Open open_;
  std::vector<std::string> hidden_;  // the longest first
};

}  // namespace outgoing
