// SPDX-License-Identifier: Apache-2.0
#include "signature.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdexcept>

namespace webhook {

std::string signature_of(std::string_view key, std::int64_t timestamp_s, std::string_view body) {
  const auto text = std::to_string(timestamp_s).append(".").append(body);
  unsigned char sum[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(), sum,
           &size) == nullptr)
    throw std::runtime_error("the crypto library makes no HMAC-SHA256");
  constexpr char digits[] = "0123456789abcdef";
  std::string out = "sha256=";
  for (unsigned i = 0; i < size; ++i) out.append({digits[sum[i] >> 4], digits[sum[i] & 15]});
  return out;
}

}  // namespace webhook
