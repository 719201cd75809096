// SPDX-License-Identifier: Apache-2.0
// From when to when certificates in a file are valid, and whose they are. Pure; it verifies nothing.
// Own reader of this little DER: libcrypto would cost the runner 3 MiB for two dates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace host {

struct Certificate {
  std::int64_t not_before_s = 0;
  std::int64_t not_after_s = 0;
  std::string name;  // the subject's common name, else its organisation; may be empty; data from outside
};

/// One certificate in DER; nothing when it is none. Never reads past the text, however its lengths lie.
std::optional<Certificate> parse_der(std::string_view der);

struct Certificates {
  std::vector<Certificate> good;
  std::size_t broken = 0;  // PEM blocks that are no certificates
};
/// All certificates of a PEM file, or the one of a DER file. Keys and comments between them are passed over.
Certificates parse_certificates(std::string_view file);

/// Nothing when there is a character that does not belong there.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace host
