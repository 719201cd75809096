// SPDX-License-Identifier: Apache-2.0
// In what other forms a server or a program may say a secret back that it was given: who reads these has the secret. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ronda::plugin {

/// Percent-encoded, escaped as in JSON, HTML and logs, and as a part of whatever is encoded as base64; only what differs from the
/// secret, each once. None of a secret over 4 KiB: nobody repeats a key as a whole.
std::vector<std::string> forms_of(std::string_view secret);

}  // namespace ronda::plugin
