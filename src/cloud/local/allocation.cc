#include "cloud/local/allocation.h"

#include <fmt/core.h>

#include <set>

namespace hive::cloud::local {
namespace {

constexpr int kFirstHost = 10;  // below are the gateway and what a later version may want
constexpr int kLastHost = 250;

}  // namespace

Result<InstanceRecord> new_instance(const std::vector<InstanceRecord>& records,
                                    const LocalCluster& cluster, const LaunchRequest& request) {
  std::set<std::string> names;
  std::set<int> numbers;
  for (const auto& record : records) {
    names.insert(record.hostname);
    numbers.insert(record.host_number);
  }
  InstanceRecord out;
  out.hostname = request.hostname;
  for (int n = 1; out.hostname.empty(); ++n) {
    const auto name = fmt::format("{}-{}-{}", cluster.name, request.role, n);
    if (!names.contains(name)) out.hostname = name;
  }
  if (names.contains(out.hostname))
    return fail(Errc::kAlreadyExists,
                fmt::format("there is an instance named {} already", out.hostname));
  for (out.host_number = kFirstHost; numbers.contains(out.host_number);) ++out.host_number;
  if (out.host_number > kLastHost)
    return fail(Errc::kResourceExhausted, "no address is free in " + cluster.subnet);
  out.role = request.role;
  out.address = fmt::format("10.77.{}.{}", cluster.network, out.host_number);
  out.token = request.idempotency_token;
  return out;
}

}  // namespace hive::cloud::local
