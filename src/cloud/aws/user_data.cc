#include "cloud/aws/user_data.h"

#include "base/text.h"

namespace hive::cloud::aws {
namespace {

// Every step looks first whether it is done, is tried for some minutes, and says what it does on
// the console, which AWS keeps (`hive instance console`). A step that fails ends the script: a
// machine that does not become a node is replaced by its group.
constexpr const char* kInstall = R"(set -u
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
)";

std::string boot_script() {
  return std::string(
             "#!/bin/sh\n# Makes this machine a node of its cluster. Safe to run again.\n") +
         kInstall + "exec hive node-boot\n";
}

// What is one machine's own goes: an image's machines make theirs at their first start.
constexpr const char* kForget = R"(say "removes what is this machine's own"
if [ -d /run/systemd/system ]; then systemctl stop docker.socket docker containerd; fi
rm -rf /var/lib/docker/* /var/lib/containerd/* /etc/docker/key.json
apt-get -q clean
rm -rf /var/lib/apt/lists/* /var/cache/hive.deb
rm -f /etc/ssh/ssh_host_* /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys
rm -f /etc/hive/boot.env /usr/local/lib/hive/boot.sh
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id /var/lib/systemd/random-seed
rm -rf /var/log/journal/* /var/log/hive/*
find /var/log -type f -exec truncate -s 0 {} +
sync
say "done: powers off"
touch )";

std::string bake_script() {
  return std::string("#!/bin/sh\n# Makes this machine's disk an image's. Safe to run again.\n") +
         kInstall + kForget + kBakedMark + "\n";
}

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

// The files that install hive, and the script that ends as the last one says.
std::string installing(const std::string& package, const std::string& package_sha256,
                       const std::string& script) {
  return file("/etc/hive/boot.env", "0644",
              "PACKAGE=" + quoted(package) + "\nPACKAGE_SHA256=" + quoted(package_sha256)) +
         // Before the engine's first start, where the image has none yet.
         file("/etc/docker/daemon.json", "0644", kDaemon) +
         file("/usr/local/lib/hive/boot.sh", "0755", script) +
         "runcmd:\n  - [/bin/sh, /usr/local/lib/hive/boot.sh]\n";
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
         // The node's name is hive's, at later starts too.
         file("/etc/cloud/cloud.cfg.d/90-hive.cfg", "0644", "preserve_hostname: true") +
         installing(from.package, from.package_sha256, boot_script());
}

std::string bake_user_data(const std::string& package, const std::string& package_sha256) {
  return "#cloud-config\nwrite_files:\n" + installing(package, package_sha256, bake_script()) +
         // Once all else is done; a machine whose script failed stays, and its console says why.
         "power_state:\n  mode: poweroff\n  timeout: 60\n  condition: test -e " + kBakedMark + "\n";
}

}  // namespace hive::cloud::aws
