// SPDX-License-Identifier: Apache-2.0
// Certificates for tests, made on the spot: a CA of its own, and whatever goes wrong with one.
#pragma once

#include <string>
#include <vector>

struct CertificateWish {
  std::string file;                ///< DIR/file.crt and DIR/file.key
  std::vector<std::string> names;  ///< "DNS:localhost", "IP:127.0.0.1"
  long begins_in_s = -3600;
  long ends_in_s = 90L * 86400;
  bool self_signed = false;
};

/// Writes DIR/ca.crt and the wishes; throws std::runtime_error.
void make_certificates(const std::string& dir, const std::vector<CertificateWish>& wishes);
