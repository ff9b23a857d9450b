#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/text.h"
#include "cli/context.h"
#include "cli/images.h"
#include "cli/preflight.h"
#include "cli/reach.h"
#include "cli/service_resolve.h"
#include "cloud/local/local.h"
#include "os/process.h"
#include "registry/archive.h"

namespace hive::cli {
namespace {

namespace fs = std::filesystem;

bool file_system_known(const std::string& name) {
  std::ifstream file("/proc/filesystems");
  for (std::string line; std::getline(file, line);) {
    if (std::string(trim(line.substr(line.find('\t') + 1))) == name) return true;
  }
  return false;
}

// The instances' PATH has /usr/sbin, and a shell's (of 'su') may not: who has no dockerd in his is
// told, rather than surprised by which one runs.
bool in_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  const auto directories = split(path == nullptr ? "" : path, ':');
  return std::any_of(directories.begin(), directories.end(), [&](const std::string& directory) {
    return access((fs::path(directory) / name).c_str(), X_OK) == 0;
  });
}

std::vector<std::string> missing_programs() {
  std::vector<std::string> missing;
  for (const char* name :
       {"dockerd", "haproxy", "docker-registry", "htpasswd", "ip", "iptables", "unshare"}) {
    if (!in_path(name)) missing.emplace_back(name);
  }
  return missing;
}

// Tries each kind of link in a network namespace of its own, so that nothing is left behind.
std::vector<std::string> missing_kernel() {
  std::vector<std::string> missing;
  if (!file_system_known("overlay")) missing.emplace_back("overlay file systems");
  constexpr const char* kTryAll =
      "ip link add hb type bridge || echo bridge links;"
      "ip link add hv type veth peer name hw || echo veth links;"
      "ip link add hx type vxlan id 1 dstport 4789 dev lo || echo vxlan links;"
      "iptables -w -t nat -S >/dev/null || echo 'netfilter nat tables'";
  const auto tried =
      os::run({"unshare", "-n", "sh", "-c", kTryAll}, {.deadline = Milliseconds(10'000)});
  if (!tried) return missing;
  for (const auto& line : split(tried->out, '\n')) {
    if (!trim(line).empty()) missing.emplace_back(trim(line));
  }
  return missing;
}

std::int64_t memory_available() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    long long kib = 0;
    if (std::sscanf(line.c_str(), "MemAvailable: %lld kB", &kib) == 1) return kib * 1024;
  }
  return 0;
}

std::int64_t disk_free() {
  fs::path path = state_parent();
  std::error_code ignored;
  while (!fs::exists(path, ignored) && path.has_parent_path() && path != path.parent_path())
    path = path.parent_path();
  struct statvfs stats {};
  if (statvfs(path.c_str(), &stats) != 0) return 0;
  return static_cast<std::int64_t>(stats.f_bavail) * static_cast<std::int64_t>(stats.f_frsize);
}

bool bindable(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return true;
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  void* generic = &address;
  const bool free = bind(fd, static_cast<sockaddr*>(generic), sizeof address) == 0;
  close(fd);
  return free;
}

// Inode of the socket that listens at the port, from /proc/net/tcp and tcp6.
std::string listening_inode(std::uint16_t port) {
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::vector<std::string> words;
      for (std::string word; fields >> word;) words.push_back(word);
      if (words.size() < 10 || words[3] != "0A") continue;
      const auto colon = words[1].rfind(':');
      if (std::stoul(words[1].substr(colon + 1), nullptr, 16) == port) return words[9];
    }
  }
  return "";
}

std::string holder_of(std::uint16_t port) {
  const std::string inode = listening_inode(port);
  if (inode.empty()) return "another process";
  const std::string link = "socket:[" + inode + "]";
  std::error_code error;
  for (fs::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error)) {
    const std::string pid = it->path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code inner;
    for (fs::directory_iterator fd(it->path() / "fd", inner), last; !inner && fd != last;
         fd.increment(inner)) {
      std::error_code ignored;
      if (fs::read_symlink(fd->path(), ignored).string() != link) continue;
      std::ifstream comm(it->path() / "comm");
      std::string name;
      std::getline(comm, name);
      return name + " (pid " + pid + ")";
    }
  }
  return "another process";
}

void probe_ports(const config::Spec& spec, const std::set<std::uint16_t>& own,
                 PreflightFacts& facts) {
  std::set<std::uint16_t> ports;
  // The balancer takes the dashboard's own number only where no listener leads to it.
  bool dashboard = spec.cluster.dashboard_port == 0;
  for (const auto& listener : spec.cluster.listeners) {
    ports.insert(listener.listen);
    dashboard = dashboard || listener.instance == spec.cluster.dashboard_port;
  }
  if (!dashboard) ports.insert(spec.cluster.dashboard_port);
  for (const auto port : ports) {
    if (own.count(port) == 0 && !bindable(port)) facts.busy[port] = holder_of(port);
  }
}

// What a cluster of that name has already.
void probe_cluster(const config::Spec& spec, PreflightFacts& facts, std::set<std::uint16_t>& own) {
  const auto record = read_record(spec.cluster.name);
  if (record)
    facts.record = *record;
  else if (record.error().code == Errc::kCorrupt)
    facts.corrupt_record = record.error().message;
  const auto cluster = cloud::local::read_cluster(spec.cluster.name);
  if (!cluster) {
    if (cluster.error().code == Errc::kCorrupt && facts.corrupt_record.empty())
      facts.corrupt_record = cluster.error().message;
    facts.registry_address = "registry.hive:5001";
    return;
  }
  facts.registry_address = cluster->registry;
  facts.images_in_registry = images_in_registry(*cluster, spec);
  const auto cloud = cloud::local::connect(spec.cluster.name);
  if (const auto instances = cloud->list_instances()) {
    for (const auto& instance : *instances) {
      if (instance.state == cloud::InstanceState::kRunning) ++facts.instances_running;
    }
  }
  // Ports that this cluster's own balancer holds, with its daemon alive or dead.
  if (facts.record) own.insert(facts.record->listeners.begin(), facts.record->listeners.end());
}

// Those whose images are there already are not needed any more.
void probe_archives(const config::Spec& spec, PreflightFacts& facts) {
  for (const auto& [reference, archive] : spec.cluster.registry.images) {
    if (facts.images_in_registry && facts.images_in_registry->count(reference) != 0) continue;
    std::error_code ignored;
    if (!fs::exists(archive, ignored)) {
      facts.bad_archives[archive] = "is not there";
    } else if (!registry::read_archive(archive)) {
      facts.bad_archives[archive] = "is no image of 'docker save'";
    }
  }
}

std::string local_engine_version() {
  const auto out = os::run_ok({"dockerd", "--version"}, {.deadline = Milliseconds(5'000)});
  if (!out) return "";
  char version[64] = "";
  return std::sscanf(out->c_str(), "Docker version %63[^, ]", version) == 1 ? version : "";
}

}  // namespace

PreflightFacts probe_preflight(const config::Spec& spec) {
  PreflightFacts facts;
  facts.root = geteuid() == 0;
  facts.missing_programs = missing_programs();
  std::set<std::uint16_t> own;
  // The slow ones, each a child process or a call, side by side.
  std::thread kernel([&] {
    if (facts.root) facts.missing_kernel = missing_kernel();
  });
  std::thread version([&] { facts.engine_version = local_engine_version(); });
  probe_cluster(spec, facts, own);
  std::thread images([&] {
    probe_archives(spec, facts);
    facts.outside_images = outside_image_faults(spec, facts.registry_address);
  });
  facts.kernel_ip_vs = kernel_has_ip_vs();
  facts.kernel_nfs = file_system_known("nfs") || file_system_known("nfs4");
  facts.memory_available = memory_available();
  facts.disk_free = disk_free();
  probe_ports(spec, own, facts);
  const bool launches = facts.instances_running < spec.cluster.managers + spec.cluster.workers.min;
  if (spec.cluster.cloud == "local") probe_files(spec, spec.cluster.name, launches, facts);
  kernel.join();
  version.join();
  images.join();
  return facts;
}

PreflightFacts probe_deploy(const Context& context, const config::Spec& spec) {
  PreflightFacts facts;
  const auto cluster = pick_cluster(context.globals);
  if (!cluster || !context.globals.host.empty() || geteuid() != 0) return facts;
  facts.kernel_nfs = file_system_known("nfs") || file_system_known("nfs4");
  probe_files(spec, *cluster, false, facts);
  return facts;
}

std::vector<PreflightFinding> preflight_up(Context&, const config::Spec& spec) {
  return check_preflight(probe_preflight(spec), spec);
}

bool print_findings(Context& context, const std::vector<PreflightFinding>& findings) {
  int faults = 0;
  for (const auto& finding : findings) {
    faults += finding.fault ? 1 : 0;
    context.note("hive: " + std::string(finding.fault ? "" : "warning: ") + finding.what +
                 (finding.hint.empty() ? "" : "\n      " + finding.hint));
  }
  if (faults > 0)
    context.note("hive: preflight found " + std::to_string(faults) +
                 (faults == 1 ? " fault" : " faults") + "; nothing was done");
  return faults == 0;
}

}  // namespace hive::cli
