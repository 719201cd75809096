// SPDX-License-Identifier: Apache-2.0
// Which mails a server has taken, in the agent's store: one that comes again, because another recipient's was not taken or because
// the agent does not know how it ended, is not sent twice. Best effort: without the store a mail may come twice, never less.
#pragma once

#include <ronda/plugin.hpp>

#include <string>
#include <string_view>

namespace smtp {

class Memory {
 public:
  static constexpr std::size_t max_remembered = 256;

  Memory(const ronda::kv_service& kv, std::string_view message_id);
  bool was_taken(std::string_view recipient) const;
  /// Durable now: the process may end before the next recipient.
  void take(std::string_view recipient);

 private:
  std::string name_of(std::string_view recipient) const;

  const ronda::kv_service& kv_;
  std::string id_;
};

}  // namespace smtp
