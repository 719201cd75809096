// SPDX-License-Identifier: Apache-2.0
// The checks of the plugin, one class for each procedure; its options are read where they are declared.
// Each .cpp of the same name measures and judges. Nothing here keeps state between runs but kv.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "probe.hpp"
#include "sample.hpp"

namespace postgresql {

using Seconds = std::chrono::duration<double>;

class Connect : public Probe {
 public:
  static constexpr std::string_view procedure = "postgresql.connect";

 private:
  ronda::result measure(Client& client, ronda::call& call) override;
  ronda::result failed(const Failure& failure) const override;

  bool new_session_ = ronda::cfg<bool>("new_session");
};

class Connections : public Probe {
 public:
  static constexpr std::string_view procedure = "postgresql.connections";

 private:
  ronda::result measure(Client& client, ronda::call& call) override;
  /// No free slot is what this check is for.
  ronda::result failed(const Failure& failure) const override;

  double warn_ = ronda::cfg<double>("warn_at");
  double crit_ = ronda::cfg<double>("crit_at");
  Seconds idle_warn_ = ronda::cfg<Seconds>("max_idle_in_transaction");
};

class SlowStatements : public Probe {
 public:
  static constexpr std::string_view procedure = "postgresql.slow_statements";

 private:
  struct Extension;
  ronda::result measure(Client& client, ronda::call& call) override;
  Answer<Extension> find_extension(Client& client);
  Answer<Sample> read_counters(Client& client, const Extension& extension);
  struct Texts;
  Answer<Texts> read_texts(Client& client, const Extension& extension, const Difference& diff);
  ronda::result report(ronda::call& call, const Texts& texts, const Difference& diff);

  Seconds slow_ = ronda::cfg<Seconds>("slow_above");
  std::int64_t top_ = ronda::cfg<std::int64_t>("top");
  std::int64_t limit_ = ronda::cfg<std::int64_t>("max_statements");
  bool all_databases_ = ronda::cfg<bool>("all_databases");
};

class TableSizes : public Probe {
 public:
  static constexpr std::string_view procedure = "postgresql.table_sizes";

 private:
  ronda::result measure(Client& client, ronda::call& call) override;

  std::vector<std::string> schemas_ = ronda::cfg<std::vector<std::string>>("schemas");
  std::int64_t top_ = ronda::cfg<std::int64_t>("top");
};

class TableActivity : public Probe {
 public:
  static constexpr std::string_view procedure = "postgresql.table_activity";

 private:
  ronda::result measure(Client& client, ronda::call& call) override;
  ronda::result report(ronda::call& call, const Rows& rows, const Difference& diff) const;

  std::vector<std::string> schemas_ = ronda::cfg<std::vector<std::string>>("schemas");
  std::int64_t top_ = ronda::cfg<std::int64_t>("top");
};

class Indexes : public Probe {
 public:
  static constexpr std::string_view procedure = "postgresql.indexes";

 private:
  ronda::result measure(Client& client, ronda::call& call) override;

  std::int64_t unused_bytes_ = ronda::cfg<std::int64_t>("unused_larger_than");
  Seconds unused_for_ = ronda::cfg<Seconds>("unused_for");
};

class CacheHit : public Probe {
 public:
  static constexpr std::string_view procedure = "postgresql.cache_hit";

 private:
  ronda::result measure(Client& client, ronda::call& call) override;

  double warn_ = ronda::cfg<double>("warn_below");
  double crit_ = ronda::cfg<double>("crit_below");
  std::int64_t min_blocks_ = ronda::cfg<std::int64_t>("min_blocks");
};

class Locks : public Probe {
 public:
  static constexpr std::string_view procedure = "postgresql.locks";

 private:
  ronda::result measure(Client& client, ronda::call& call) override;

  Seconds warn_ = ronda::cfg<Seconds>("warn_at");
  Seconds crit_ = ronda::cfg<Seconds>("crit_at");
};

class Replication : public Probe {
 public:
  static constexpr std::string_view procedure = "postgresql.replication";

 private:
  using Findings = std::vector<ronda::result>;
  ronda::result measure(Client& client, ronda::call& call) override;
  void judge_standbys(const Rows& rows, ronda::call& call, Findings& findings) const;
  void judge_slots(const Rows& rows, ronda::call& call, Findings& findings) const;
  void judge_receiver(const Rows& rows, ronda::call& call, Findings& findings) const;
  void judge_archiver(const Rows& rows, ronda::call& call, Findings& findings) const;

  std::int64_t expect_standbys_ = ronda::cfg<std::int64_t>("expect_standbys");
  double warn_bytes_ = ronda::cfg<double>("warn_bytes");
  double crit_bytes_ = ronda::cfg<double>("crit_bytes");
  Seconds warn_time_ = ronda::cfg<Seconds>("warn_time");
  Seconds crit_time_ = ronda::cfg<Seconds>("crit_time");
  double slot_warn_ = ronda::cfg<double>("slot_warn_bytes");
  double slot_crit_ = ronda::cfg<double>("slot_crit_bytes");
};

class Wraparound : public Probe {
 public:
  static constexpr std::string_view procedure = "postgresql.wraparound";

 private:
  ronda::result measure(Client& client, ronda::call& call) override;

  double warn_ = ronda::cfg<double>("warn_at");
  double crit_ = ronda::cfg<double>("crit_at");
};

/// One column of the user's own statement.
struct Column {
  std::string name;
  std::string unit;
  bool counter = false;
  bool label = false;
};

class Query : public Probe {
 public:
  static constexpr std::string_view procedure = "postgresql.query";
  Query();

 private:
  ronda::result measure(Client& client, ronda::call& call) override;
  ronda::result failed(const Failure& failure) const override;
  /// Where each wanted column stands in the answer; a failure names what is missing.
  Answer<std::vector<int>> locate(const Rows& rows) const;
  std::vector<Column> columns_of(const Rows& rows) const;

  std::string sql_ = ronda::cfg<std::string>("sql");
  std::int64_t max_rows_ = ronda::cfg<std::int64_t>("max_rows");
  std::vector<Column> columns_;  // empty: take every column by its type
};

}  // namespace postgresql
