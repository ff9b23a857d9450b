#include "cloud/aws/user_data.h"

#include "base/text.h"

namespace hive::cloud::aws {
namespace {

// Every step looks first whether it is done, is tried for some minutes, and says what it does on
// the console, which AWS keeps (`hive instance console`). A step that fails ends the script: a
// machine that does not become a node is replaced by its group.
constexpr const char* kBoot = R"(#!/bin/sh
# Makes this machine a node of its cluster. Safe to run again.
set -u
. /etc/hive/boot.env
say() { echo "hive boot: $*"; }
again() {
  for wait in 1 2 4 8 15 30 30 60 60 0; do
    "$@" && return 0
    [ "$wait" -gt 0 ] || break
    say "failed, and is tried again in $wait s: $*"
    sleep "$wait"
  done
  say "gave up: $*"
  exit 1
}
fetch() {
  curl -fsSL --retry 0 --max-time 300 -o /var/cache/hive.deb.part "$PACKAGE" &&
    echo "$PACKAGE_SHA256  /var/cache/hive.deb.part" | sha256sum -c - &&
    mv /var/cache/hive.deb.part /var/cache/hive.deb
}
install() { DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$@"; }
if ! command -v hive >/dev/null; then
  if [ -z "$PACKAGE" ]; then
    say "this image has no hive in it, and x-hive.aws.package is not set"
    exit 1
  fi
  again apt-get -q update
  command -v curl >/dev/null || again install curl ca-certificates
  again fetch
  again install /var/cache/hive.deb
fi
exec hive node-boot
)";

constexpr const char* kDaemon = R"({
  "init-path": "/usr/local/bin/hive-init",
  "log-driver": "json-file",
  "log-opts": {"max-size": "50m", "max-file": "3"},
  "userland-proxy": false
}
)";

// A value between single quotes of sh.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// A file as an entry of write_files: its text as a block, which needs no escapes.
std::string file(const std::string& path, const std::string& mode, const std::string& content) {
  std::string out = "  - path: " + path + "\n    permissions: \"" + mode + "\"\n    content: |\n";
  for (const auto& line : split(content, '\n'))
    if (!line.empty()) out += "      " + line + "\n";
  return out;
}

}  // namespace

Json to_json(const NodeFile& node) {
  return {{"cluster", node.cluster}, {"role", node.role}, {"region", node.region}};
}

Result<NodeFile> parse_node_file(const std::string& text) {
  HIVE_ASSIGN(const Json json, parse_json(text, kNodeFile));
  NodeFile out{json_string(json, "cluster"), json_string(json, "role"),
               json_string(json, "region")};
  if (out.cluster.empty() || out.region.empty())
    return fail(Errc::kInvalidArgument, std::string(kNodeFile) + " names no cluster or no region");
  if (out.role != "manager" && out.role != "worker")
    return fail(Errc::kInvalidArgument, std::string(kNodeFile) + " has the role '" + out.role +
                                            "': it must be manager or worker");
  return out;
}

std::string user_data(const UserData& from) {
  return "#cloud-config\nwrite_files:\n" + file(kNodeFile, "0644", to_json(from.node).dump()) +
         file("/etc/hive/boot.env", "0644",
              "PACKAGE=" + quoted(from.package) +
                  "\nPACKAGE_SHA256=" + quoted(from.package_sha256)) +
         // Before the engine's first start, where the image has none yet.
         file("/etc/docker/daemon.json", "0644", kDaemon) +
         // The node's name is hive's, at later starts too.
         file("/etc/cloud/cloud.cfg.d/90-hive.cfg", "0644", "preserve_hostname: true") +
         file("/usr/local/lib/hive/boot.sh", "0755", kBoot) +
         "runcmd:\n  - [/bin/sh, /usr/local/lib/hive/boot.sh]\n";
}

}  // namespace hive::cloud::aws
