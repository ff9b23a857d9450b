#include "cloud/aws/names.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/short_hash.h"

namespace hive::cloud::aws {
namespace {

constexpr std::size_t kLongestBalancer = 32;

std::string balancer_name(const std::string& cluster) {
  std::string name = "hive-" + cluster;
  if (name.size() <= kLongestBalancer) return name;
  return name.substr(0, kLongestBalancer - 9) + "-" + short_hash(cluster).substr(0, 8);
}

// What goes before "-http-65535" in a name of at most 32 letters, in which no two dashes meet.
constexpr std::size_t kLongestOfTargets = 32 - 11;

std::string targets_name(const std::string& cluster) {
  std::string name = "hive-" + cluster;
  if (name.size() <= kLongestOfTargets && name.find("--") == std::string::npos) return name;
  std::string out;
  for (const char c : name)
    if (c != '-' || !out.ends_with('-')) out += c;
  out.resize(std::min(out.size(), kLongestOfTargets - 9));
  if (out.ends_with('-')) out.pop_back();
  return out + "-" + short_hash(cluster).substr(0, 8);
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
      parameter_prefix("/hive/" + cluster + "/"),
      target_groups_(targets_name(cluster)) {}

std::string Names::manager(std::size_t number) const {
  return cluster + "-manager-" + std::to_string(number);
}

std::string Names::worker() const { return cluster + "-worker"; }

std::string Names::target_group(const std::string& protocol, std::uint16_t port) const {
  std::string out = target_groups_ + "-";
  for (const char c : protocol)
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out + "-" + std::to_string(port);
}

bool Names::is_target_group(const std::string& name) const {
  return name.starts_with(target_groups_ + "-");
}

}  // namespace hive::cloud::aws
