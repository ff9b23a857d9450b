// What a machine is started with: a #cloud-config document, the same for stock Debian images and
// for images with hive in them. It holds no secret, since anything on the machine can read it: the
// machine is told its cluster, its role and its region, and asks for the rest (join.h).
//
// Of cloud-init only write_files and runcmd are used, so that the local cloud's instances can run
// it too. The script that it carries installs what the image lacks and then ends as `hive
// node-boot`.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace hive::cloud::aws {

// Where a node finds this again, at every start: /etc/hive/node.json.
struct NodeFile {
  std::string cluster;
  std::string role;  // "manager" or "worker"
  std::string region;
  bool operator==(const NodeFile&) const = default;
};
inline constexpr const char* kNodeFile = "/etc/hive/node.json";
Json to_json(const NodeFile& node);
// kInvalidArgument names what is missing.
Result<NodeFile> parse_node_file(const std::string& text);

struct UserData {
  NodeFile node;
  // hive's Debian package, for images that have no hive: an https URL, and the SHA-256 of what is
  // there, hexadecimal. Empty: the image has hive.
  std::string package;
  std::string package_sha256;
};
std::string user_data(const UserData& from);

// Of a machine that is to become an image (image_bake.h): it installs the package, removes what is
// one machine's own, and powers itself off. One that failed does not.
std::string bake_user_data(const std::string& package, const std::string& package_sha256);
inline constexpr const char* kBakedMark = "/run/hive-baked";  // it is done

}  // namespace hive::cloud::aws
