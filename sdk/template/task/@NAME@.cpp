// One class, one task: it changes something, or says in a dry run what it would change.
#include <ronda/plugin.hpp>

#include <filesystem>

namespace fs = std::filesystem;

struct @CLASS@ : ronda::task {
  std::string dir = ronda::cfg<std::string>("dir");
  std::chrono::nanoseconds older_than = ronda::cfg<std::chrono::nanoseconds>("older_than");

  ronda::task_result run(ronda::call& c) override {
    std::error_code problem;
    std::size_t count = 0;
    auto limit = fs::file_time_type::clock::now() - older_than;
    for (fs::directory_iterator entry(dir, problem), end; !problem && entry != end; entry.increment(problem)) {
      if (c.cancelled()) return ronda::failed("stopped after ", count, " files");
      if (!entry->is_regular_file(problem) || entry->last_write_time(problem) > limit) continue;
      if (c.dry_run() || fs::remove(entry->path(), problem)) ++count;
    }
    if (problem) return ronda::failed(dir, ": ", problem.message());
    c.metric("files", count, ronda::none);
    if (count == 0) return ronda::unchanged("nothing in ", dir, " is older");
    return ronda::changed(c.dry_run() ? "would remove " : "removed ", count, " files from ", dir);
  }
};

RONDA_PLUGIN(@CLASS@)
