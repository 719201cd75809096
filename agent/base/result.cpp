// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

#include <system_error>

namespace ronda {

Error system_error(std::string_view doing, int errno_value) {
  Errc code = Errc::system;
  if (errno_value == ENOENT) code = Errc::not_found;
  if (errno_value == EACCES || errno_value == EPERM) code = Errc::denied;
  if (errno_value == EEXIST) code = Errc::exists;
  return {code, std::string(doing) + ": " + std::generic_category().message(errno_value)};
}

}  // namespace ronda
