// What autoscalers have learned, on this manager's disk: a file for each service, so that a restart
// does not begin anew. Losing it is harmless.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"

namespace hive::controller {

class AutoscaleStore {
 public:
  static constexpr std::size_t kMaxBytes = 1U << 20;  // of a file
  static constexpr std::size_t kMaxFiles = 1'000;

  // An empty directory keeps nothing.
  explicit AutoscaleStore(std::filesystem::path directory) : directory_(std::move(directory)) {}

  struct Kept {
    std::vector<double> lead_s;  // decide::autoscale::LeadTime's
    std::string learned;         // decide::autoscale::Autoscaler::save()'s
  };
  Status save(const std::string& service_id, const Kept& kept) const;
  // kNotFound, kCorrupt.
  Result<Kept> load(const std::string& service_id) const;
  // Removes the files of all other services.
  void keep_only(const std::set<std::string>& service_ids) const;

 private:
  Result<std::filesystem::path> file_of(const std::string& service_id) const;

  std::filesystem::path directory_;
};

}  // namespace hive::controller
