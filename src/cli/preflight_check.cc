#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/text.h"
#include "cli/preflight.h"

namespace hive::cli {
namespace {

void check_machine(const PreflightFacts& facts, PreflightFindings& found) {
  if (!facts.root)
    found.push_back(
        {true, "the local cloud needs root (namespaces, mounts, engines)", "run 'sudo hive up'"});
  if (!facts.missing_programs.empty())
    found.push_back({true, "not installed, or not in PATH: " + join(facts.missing_programs, ", "),
                     "apt-get install docker.io haproxy docker-registry apache2-utils iproute2 "
                     "iptables util-linux (they are in /usr/sbin)"});
  for (const auto& feature : facts.missing_kernel)
    found.push_back({true, "this kernel has no " + feature,
                     "load its module, or use a kernel that has it (Debian's own does)"});
  if (!facts.kernel_ip_vs)
    found.push_back({false, "this kernel has no IP_VS: a service's virtual IP cannot work here",
                     "services get endpoint_mode dnsrr: their names resolve to tasks directly"});
  if (engine_version_known_bad(facts.engine_version))
    found.push_back({true,
                     "engine " + facts.engine_version +
                         " cuts connections through the mesh when tasks change (moby#51651)",
                     "install 29.1.5 or later, or Debian's own docker.io"});
}

void check_room(const PreflightFacts& facts, const config::Spec& spec, PreflightFindings& found) {
  const std::uint32_t wanted = spec.cluster.managers + spec.cluster.workers.min;
  const std::uint32_t fresh =
      wanted > facts.instances_running ? wanted - facts.instances_running : 0;
  const std::int64_t needed = static_cast<std::int64_t>(fresh) * kMemoryPerInstance;
  if (facts.memory_available > 0 && facts.memory_available < needed)
    found.push_back({true,
                     std::to_string(fresh) + " more instances need " + format_bytes(needed) +
                         " of memory; " + format_bytes(facts.memory_available) + " are available",
                     "free some, or ask for fewer managers or workers in x-hive"});
  if (fresh > 0 && facts.disk_free > 0 && facts.disk_free < kDiskNeeded)
    found.push_back({true,
                     "the state directory's disk has " + format_bytes(facts.disk_free) + " free; " +
                         format_bytes(kDiskNeeded) + " are needed",
                     "free some, or put the state elsewhere with HIVE_STATE_DIR"});
}

void check_ports(const PreflightFacts& facts, PreflightFindings& found) {
  for (const auto& [port, holder] : facts.busy)
    found.push_back({true,
                     "port " + std::to_string(port) + " of the balancer is taken by " + holder,
                     "stop it, or choose another: x-hive: {load_balancer: {listeners: "
                     "[\"8081:8080\"]}}"});
}

// Two services on one listener need rules that tell them apart.
void check_shared_listeners(const config::Spec& spec, PreflightFindings& found) {
  std::map<std::uint32_t, std::vector<const config::Service*>> by_port;
  for (const auto& [name, service] : spec.services) {
    for (const auto& port : service.ports) {
      if (port.published != 0 && port.mode != "host") by_port[port.published].push_back(&service);
    }
  }
  for (const auto& [port, services] : by_port) {
    std::map<std::string, std::string> owner;  // rule -> service
    for (const auto* service : services) {
      std::vector<config::RouteRule> rules;
      if (service->hive) rules = service->hive->routes;
      if (rules.empty()) rules.emplace_back();
      for (const auto& rule : rules) {
        const auto [at, fresh] = owner.emplace(rule.host + "|" + rule.path, service->name);
        if (fresh || at->second == service->name) continue;
        found.push_back({true,
                         spec.where("services." + service->name + ".ports") + ": services " +
                             at->second + " and " + service->name + " both publish port " +
                             std::to_string(port) + " for the same requests",
                         "publish another port, or part them by rules, as in x-hive: {routes: "
                         "[{path: /" +
                             service->name + "}]}"});
      }
    }
  }
}

bool inside(const std::string& path, const std::string& directory) {
  return path == directory ||
         path.starts_with(directory.ends_with('/') ? directory : directory + "/");
}

bool is_shared(const config::Spec& spec, const config::ServiceVolume& volume) {
  if (volume.type == "bind") return true;
  const auto found = spec.volumes.find(volume.source);
  if (found == spec.volumes.end()) return false;
  const auto type = found->second.driver_opts.find("type");
  return type != found->second.driver_opts.end() && type->second.starts_with("nfs");
}

// Tasks that write log files of one name into one directory overwrite each other's.
void check_log_directories(const config::Spec& spec, PreflightFindings& found) {
  for (const auto& [name, service] : spec.services) {
    if (!service.hive || service.hive->logs.paths.empty()) continue;
    const bool several = service.deploy.mode == "global" ||
                         service.deploy.replicas.value_or(1) > 1 || service.hive->autoscale;
    if (!several) continue;
    for (const auto& volume : service.volumes) {
      if (!is_shared(spec, volume) || volume.source.find("{{.Task.ID}}") != std::string::npos)
        continue;
      const bool logs_there =
          std::any_of(service.hive->logs.paths.begin(), service.hive->logs.paths.end(),
                      [&](const std::string& path) { return inside(path, volume.target); });
      if (!logs_there) continue;
      found.push_back(
          {true,
           spec.where("services." + name + ".volumes") + ": tasks of service " + name +
               " would all write their logs into " + volume.source +
               " and overwrite each other's files",
           "give each task its own: \"" + volume.source + "/{{.Task.ID}}:" + volume.target + "\""});
    }
  }
}

// What constraints on name and role say; others are not judged here.
bool may_run(const config::Service& service, const cloud::local::RunningInstance& node) {
  for (const std::string& text : service.deploy.placement.constraints) {
    const auto at = std::min(text.find("=="), text.find("!="));
    if (at == std::string::npos) continue;
    const std::string key(trim(std::string_view(text).substr(0, at)));
    const std::string value(trim(std::string_view(text).substr(at + 2)));
    if (key != "node.role" && key != "node.hostname") continue;
    const bool same = (key == "node.role" ? node.role : node.hostname) == value;
    if (same != (text[at] == '=')) return false;
  }
  return true;
}

// Names the nodes that lack what a service needs of their files. `make`: the command that makes it.
void check_file(const PreflightFacts& facts, const config::Service& service, std::string what,
                const std::string& path, const std::string& make, PreflightFindings& found) {
  const auto missing = facts.missing_files.find(path);
  if (missing == facts.missing_files.end()) return;
  std::vector<std::string> names;
  std::string pids;
  for (const auto& node : missing->second.nodes) {
    if (!may_run(service, node)) continue;
    names.push_back(node.hostname);
    pids += " " + std::to_string(node.pid);
  }
  if (names.empty() && !missing->second.on_new_nodes) return;
  what += " of service " + service.name + " is not there on ";
  const bool there = missing->second.on_this_machine;  // and yet it is not seen
  const std::string unseen =
      "instances see this machine's root file system, without its /root, /home and /tmp and what "
      "is "
      "mounted: choose another place";
  if (names.empty())
    found.push_back(
        {true, what + "any node of the local cloud", there ? unseen : make + " " + path});
  else
    found.push_back({true, what + join(names, ", "),
                     "in their private roots: for p in" + pids + "; do nsenter -m -t $p " + make +
                         " " + path + "; done" + (there ? "\n      or: " + unseen : "")});
}

void check_files(const PreflightFacts& facts, const config::Spec& spec, PreflightFindings& found) {
  for (const auto& [name, service] : spec.services) {
    for (const auto& volume : service.volumes)
      if (volume.type == "bind")
        check_file(facts, service,
                   spec.where("services." + name + ".volumes") + ": bind source " + volume.source,
                   volume.source, "mkdir -p", found);
    if (!service.hive || service.hive->certificate.empty()) continue;
    const std::size_t before = found.size();
    check_file(facts, service,
               spec.where("services." + name + ".x-hive.certificate") + ": certificate " +
                   service.hive->certificate,
               service.hive->certificate, "cp FILE", found);
    if (found.size() > before)
      found.back().hint +=
          "\n      or let the balancer speak TLS: x-hive: {load_balancer: {listeners: [{port: 443, "
          "target: 8080, certificate: FILE}]}}";
  }
  for (const auto& [path, why] : facts.bad_certificates)
    found.push_back({true, "certificate " + path + ": " + why,
                     "one PEM file with the certificate, its chain and its key: cat cert.pem "
                     "chain.pem key.pem > both.pem"});
}

void check_nfs(const PreflightFacts& facts, const config::Spec& spec, PreflightFindings& found) {
  if (facts.kernel_nfs) return;
  for (const auto& [name, volume] : spec.volumes) {
    const auto type = volume.driver_opts.find("type");
    if (type == volume.driver_opts.end() || !type->second.starts_with("nfs")) continue;
    found.push_back({true,
                     spec.where("volumes." + name) + ": volume " + name +
                         " is NFS, and this kernel has no NFS client",
                     "modprobe nfs, or use another kind of volume"});
  }
}

void check_images(const PreflightFacts& facts, const config::Spec& spec, PreflightFindings& found) {
  if (facts.registry_address.empty()) return;
  const std::string prefix = facts.registry_address + "/";
  for (const auto& [name, service] : spec.services) {
    if (!service.image.starts_with(prefix)) continue;
    const std::string reference = service.image.substr(prefix.size());
    const bool given = spec.cluster.registry.images.count(reference) != 0;
    const bool there = facts.images_in_registry && facts.images_in_registry->count(reference) != 0;
    if (given || there) continue;
    found.push_back({true,
                     spec.where("services." + name + ".image") + ": image " + service.image +
                         " is not in the registry",
                     "'hive image push ARCHIVE " + reference +
                         "', or x-hive: {registry: {images: {\"" + reference +
                         "\": ./image.tar}}}"});
  }
  for (const auto& [reference, archive] : spec.cluster.registry.images) {
    const auto bad = facts.bad_archives.find(archive);
    if (bad == facts.bad_archives.end()) continue;
    found.push_back({true,
                     spec.where("x-hive.registry.images") + ": archive " + archive + " of image " +
                         reference + " " + bad->second,
                     "build it (docker save -o " + archive + " IMAGE), or correct the path"});
  }
}

std::string hint_for(const config::Registry& registry, Errc code) {
  if (code == Errc::kUnauthenticated || code == Errc::kPermissionDenied)
    return registry.username.empty()
               ? "log in with 'docker login', or name user and password file in x-hive.registry"
               : "correct x-hive.registry.username (" + registry.username +
                     ") or the password in " + registry.password_file;
  const std::string archive =
      "give the image to the cluster's own registry: x-hive: {registry: {images: {NAME:TAG: "
      "./image.tar}}}, and image: registry.hive:5001/NAME:TAG";
  return code == Errc::kNotFound ? "correct its name, push it there, or " + archive
                                 : "the local cloud's nodes reach this machine alone: " + archive;
}

void check_outside_images(const PreflightFacts& facts, const config::Spec& spec,
                          PreflightFindings& found) {
  for (const auto& [name, service] : spec.services) {
    const auto fault = facts.outside_images.find(service.image);
    if (fault == facts.outside_images.end()) continue;
    found.push_back({true,
                     spec.where("services." + name + ".image") + ": image " + service.image +
                         " of service " + name + " cannot be pulled: " + fault->second.message,
                     hint_for(spec.cluster.registry, fault->second.code)});
  }
}

void check_record(const PreflightFacts& facts, const config::Spec& spec, PreflightFindings& found) {
  if (!facts.corrupt_record.empty()) {
    found.push_back({true, facts.corrupt_record, ""});
    return;
  }
  if (!facts.record || spec.files.empty()) return;
  const auto file = std::filesystem::absolute(spec.files.front()).lexically_normal().string();
  if (facts.record->files.empty() || facts.record->files.front() == file) return;
  const std::string& name = spec.cluster.name;
  found.push_back({true,
                   "there is a cluster " + name + " already, made from " +
                       facts.record->files.front() + ", and this is " + file,
                   "change that file, choose another x-hive.name here, or remove that cluster with "
                   "'hive down --cluster " +
                       name + "'"});
}

}  // namespace

bool engine_version_known_bad(const std::string& version) {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned patch = 0;
  if (std::sscanf(version.c_str(), "%u.%u.%u", &major, &minor, &patch) != 3) return false;
  if (major == 29) return minor == 0 || (minor == 1 && patch <= 4);
  return major == 25 && minor == 0 && (patch == 13 || patch == 14);
}

std::vector<PreflightFinding> check_preflight(const PreflightFacts& facts,
                                              const config::Spec& spec) {
  PreflightFindings found;
  check_machine(facts, found);
  check_record(facts, spec, found);
  check_room(facts, spec, found);
  check_ports(facts, found);
  check_shared_listeners(spec, found);
  check_log_directories(spec, found);
  check_files(facts, spec, found);
  check_nfs(facts, spec, found);
  check_images(facts, spec, found);
  check_outside_images(facts, spec, found);
  return found;
}

}  // namespace hive::cli
