// Preflight's facts about files: what a service binds or speaks TLS with must be on every node that
// may run it. Of the local cloud's nodes that run, each root is looked at; for those that will be
// launched, this machine's files are.
#include <filesystem>

#include "cli/preflight.h"
#include "os/file.h"

namespace hive::cli {
namespace {

constexpr std::size_t kMaxCertificateBytes = 1U << 20;

// Why the file is no certificate with its key; empty when it is.
std::string certificate_fault(const std::string& path) {
  const auto text = os::read_file(path, kMaxCertificateBytes);
  if (!text) return text.error().message;
  if (text->find("-----BEGIN CERTIFICATE-----") == std::string::npos)
    return path + " has no certificate in PEM form";
  if (text->find("PRIVATE KEY-----") == std::string::npos)
    return path + " has no private key beside the certificate";
  return "";
}

std::set<std::string> paths_on_nodes(const config::Spec& spec) {
  std::set<std::string> paths;
  for (const auto& [name, service] : spec.services) {
    for (const auto& volume : service.volumes)
      if (volume.type == "bind" && volume.source.find("{{") == std::string::npos)
        paths.insert(volume.source);
    if (service.hive && !service.hive->certificate.empty()) paths.insert(service.hive->certificate);
  }
  return paths;
}

}  // namespace

void probe_files(const config::Spec& spec, const std::string& cluster, bool launches,
                 PreflightFacts& facts) {
  const auto place = cloud::local::paths_of(cluster);
  const auto running = cloud::local::running_instances(cluster);
  if (!place || !running) return;
  for (const std::string& path : paths_on_nodes(spec)) {
    MissingFile missing;
    missing.on_new_nodes = launches && !cloud::local::new_instance_sees(*place, path);
    for (const auto& node : *running)
      if (!cloud::local::sees(node, path)) missing.nodes.push_back(node);
    std::error_code ignored;
    missing.on_this_machine = std::filesystem::exists(path, ignored);
    if (missing.on_new_nodes || !missing.nodes.empty()) facts.missing_files[path] = missing;
  }
  for (const auto& [name, service] : spec.services)
    if (service.hive && !service.hive->certificate.empty())
      facts.bad_certificates[service.hive->certificate] =
          certificate_fault(service.hive->certificate);
  for (const auto& listener : spec.cluster.listeners)
    if (!listener.certificate.empty())
      facts.bad_certificates[listener.certificate] = certificate_fault(listener.certificate);
  std::erase_if(facts.bad_certificates, [](const auto& entry) { return entry.second.empty(); });
}

}  // namespace hive::cli
