// SPDX-License-Identifier: Apache-2.0
// ${env:NAME}, ${env:NAME:-default}, ${file:PATH} and ${cred:NAME} in string values, resolved after parsing,
// so that no referenced text can become syntax. $${ is a literal ${. Reads files only through the reader it
// is given; a resolved value never appears in a message.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/diagnostic.hpp"
#include "config/env_file.hpp"

namespace ronda::config {

enum class FileUse : std::uint8_t { secret, environment };
using FileReader = std::function<Result<std::string>(const std::string& path, FileUse use)>;

/// Reads files that only root or `uid` can write, up to 64 KiB; a secret must not be readable by everyone.
FileReader trusted_file_reader(uid_t uid);

/// What references may refer to; fixed for one load of the configuration.
struct Environment {
  Variables variables;                // of the process; those of env files stand above them
  std::string env_file;               // --env-file, or empty; stands above [agent] env_file
  std::string credentials_directory;  // $CREDENTIALS_DIRECTORY, or empty
  FileReader read_file;
};

/// That of this process, with `env_file` (may be empty) and files that only root or `uid` can write.
Environment environment_of_process(std::string env_file, uid_t uid);

/// A string value as it was written, for all that held a reference: what `config show` prints instead of a
/// secret.
struct Written {
  Place place;
  std::string text;
};

class Resolver {
 public:
  Resolver(const Environment& environment, Variables variables)
      : environment_(environment), variables_(std::move(variables)) {}

  /// Replaces references in all strings of the value. What cannot be resolved is reported at the place of the
  /// string, which becomes nothing; false then.
  bool resolve(Value& value, Diagnostics& diagnostics);

  /// In the order of resolving.
  std::vector<Written> take_written() { return std::move(written_); }
  /// Referenced texts that must not leave: contents of files and credentials, and longer values of variables.
  std::vector<std::string> take_secrets();
  /// Texts to be taken out of what leaves, of the references since this was last called: those of one object, also
  /// where they are a part of a longer text. Contents of files and credentials; of variables what may be a secret:
  /// not the base of a URL, a path, a host or a short word. Sorted, without duplicates.
  std::vector<std::string> take_pieces();

 private:
  struct Part {
    std::string text;
    Origin origin = Origin::literal;
    bool variable = false;  // its value, no default
  };

  bool resolve_text(Value& value, const std::string& text, Diagnostics& diagnostics);
  Result<Part> lookup(std::string_view body);
  Result<Part> variable(std::string_view body);
  Result<Part> credential(std::string_view name);
  Result<Part> file(const std::string& path);

  const Environment& environment_;
  Variables variables_;
  std::unordered_map<std::string, Result<std::string>> files_;
  std::vector<Written> written_;
  std::vector<std::string> secrets_;
  std::vector<std::string> pieces_;
};

}  // namespace ronda::config
