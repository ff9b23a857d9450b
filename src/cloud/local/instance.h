// Instances of the local cloud: a process tree of its own with namespaces, cgroup, disk, address.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "cloud/local/state.h"

namespace hive::cloud::local {

// What the rest of the daemon does for an instance at its boundaries.
struct InstanceHooks {
  // Its namespaces exist, nothing runs in it yet: the metadata address is opened here.
  std::function<Status(const InstanceRecord&)> booting;
  // It is no longer running (or never came to it).
  std::function<void(const std::string& id)> gone;
};

// Thread-safe. Long waits (an orderly stop) hold no lock.
class Instances {
 public:
  Instances(Paths paths, LocalCluster cluster, InstanceHooks hooks);

  Result<Instance> launch(const LaunchRequest& request);
  Result<std::vector<Instance>> list();
  Result<InstanceRecord> record(const std::string& id);
  Status start(const std::string& id);
  Status stop(const std::string& id);
  Status terminate(const std::string& id);
  Status power_off(const std::string& id);
  Result<std::string> console_output(const std::string& id, std::size_t max_bytes);
  Result<std::string> user_data(const std::string& id);

  // After a restart of the daemon: opens what the running instances need, and takes back launches
  // that were cut off before the instance ran.
  Status adopt();
  // Notices instances that ended by themselves.
  void reap();

 private:
  Result<InstanceRecord> allocate(const LaunchRequest& request, bool& is_new);
  Status boot(InstanceRecord record);
  Status end(const std::string& id, bool orderly);
  Instance view(const InstanceRecord& record) const;
  std::vector<std::string> write_boot_file(const InstanceRecord& record, Status& status);

  const Paths paths_;
  const LocalCluster cluster_;
  const InstanceHooks hooks_;
  std::mutex mutex_;  // records on disk
};

}  // namespace hive::cloud::local
