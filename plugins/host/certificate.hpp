// SPDX-License-Identifier: Apache-2.0
// host.certificate: how long the certificates in a file are still valid. It needs to read the file, nothing
// else; what a server really shows is http.request's to say.
#pragma once

#include <ronda/plugin.hpp>

#include <string>
#include <string_view>

namespace host {

class CertificateCheck : public ronda::check {
 public:
  static constexpr std::string_view procedure = "host.certificate";
  ronda::result run(ronda::call& c) override;

 private:
  const std::string path_ = ronda::cfg<std::string>("path");
  const std::chrono::seconds warn_before_ = ronda::cfg<std::chrono::seconds>("warn_before");
  const std::chrono::seconds crit_before_ = ronda::cfg<std::chrono::seconds>("crit_before");
};

}  // namespace host
