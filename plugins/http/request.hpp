// SPDX-License-Identifier: Apache-2.0
// http.request: one request, judged by status AND headers AND body.
#pragma once

#include <ronda/plugin.hpp>

#include <memory>

#include "pool.hpp"
#include "settings.hpp"

namespace http {

class RequestCheck : public ronda::check {
 public:
  static constexpr std::string_view procedure = "http.request";

  RequestCheck();
  ronda::result run(ronda::call& call) override;

 private:
  ronda::result run(ronda::call& call, const Request& request, const Policy& policy);

  RequestSettings settings_;
  PolicySettings policy_;
  Rules rules_;
  Request ready_;  // used when nothing of it is secret
  bool is_ready_ = false;
  std::shared_ptr<ClientPool> clients_ = ClientPool::shared();
};

}  // namespace http
