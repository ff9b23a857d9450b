#include "cloud/aws/names.h"

#include <cstdint>
#include <utility>

namespace hive::cloud::aws {
namespace {

constexpr std::size_t kLongestBalancer = 32;

// FNV-1a: the same on every machine and in every version.
std::string short_hash(const std::string& text) {
  std::uint32_t hash = 2'166'136'261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619U;
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (int shift = 28; shift >= 0; shift -= 4) out += kDigits[(hash >> shift) & 15U];
  return out;
}

std::string balancer_name(const std::string& cluster) {
  std::string name = "hive-" + cluster;
  if (name.size() <= kLongestBalancer) return name;
  return name.substr(0, kLongestBalancer - 9) + "-" + short_hash(cluster);
}

}  // namespace

Names::Names(std::string cluster_name)
    : cluster(std::move(cluster_name)),
      balancer(balancer_name(cluster)),
      balancer_group("hive-" + cluster + "-balancer"),
      node_group("hive-" + cluster + "-nodes"),
      manager_role("hive-" + cluster + "-manager"),
      worker_role("hive-" + cluster + "-worker"),
      manager_template("hive-" + cluster + "-manager"),
      worker_template("hive-" + cluster + "-worker"),
      worker_group("hive-" + cluster + "-workers"),
      parameter_prefix("/hive/" + cluster + "/") {}

std::string Names::manager(std::size_t number) const {
  return cluster + "-manager-" + std::to_string(number);
}

std::string Names::worker() const { return cluster + "-worker"; }

}  // namespace hive::cloud::aws
