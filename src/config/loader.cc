// The whole way: parse each file, check it, type it, merge, check the whole.
#include <fmt/core.h>

#include <filesystem>

#include "config/check.h"
#include "config/compose.h"
#include "config/convert.h"
#include "config/document.h"
#include "config/findings.h"
#include "config/merge.h"
#include "config/swarm_rules.h"
#include "config/validate.h"
#include "config/values.h"
#include "model/cluster.h"
#include "os/file.h"
#include "os/time_zone.h"

namespace hive::config {

namespace {

constexpr std::size_t kMaxFiles = 50;
constexpr std::size_t kMaxEnvFileBytes = 1 << 20;

Result<std::string> read_env_file_default(const std::string& path) {
  return os::read_file(path, kMaxEnvFileBytes);
}

std::optional<FileModel> load_one(const std::vector<SourceFile>& files, std::uint32_t index,
                                  const LoadOptions& options, Findings& findings,
                                  std::optional<int>& version) {
  auto root = parse_document(files, index, findings);
  if (!root) return std::nullopt;
  std::optional<int> own = version;
  if (!root->is_null()) own = file_version(*root, findings);
  if (own && version && *own != *version)
    findings.fault(root->find("version")->position,
                   fmt::format("version \"3.{}\" differs from the \"3.{}\" of {}", *own, *version,
                               files[0].name),
                   "all files must say the same version");
  if (!version) version = own;
  std::map<std::string, Position> positions;
  // Without a version the rest is still checked, as the newest.
  constexpr int kAssumed = 13;
  validate(*root,
           ValidateOptions{&options.environment, own.value_or(kAssumed), options.has_dot_env},
           findings, positions);
  if (!root->is_map()) return std::nullopt;
  return convert(*root, options, findings, std::move(positions));
}

// A zone that is lost takes no more of a service with it than its share.
void spread_over_zones(Spec& spec) {
  if (spec.cluster.cloud != "aws") return;
  for (auto& [name, service] : spec.services) {
    Placement& placement = service.deploy.placement;
    if (service.deploy.mode != "global" && placement.spread.empty() && !placement.no_spread)
      placement.spread = {fmt::format("node.labels.{}", model::kZoneLabel)};
  }
}

void finish_hive(FileModel& model, const LoadOptions& options, Findings& findings) {
  if (model.hive) {
    model.spec.has_hive = true;
    model.spec.cluster = convert_cluster(*model.hive, options, findings);
    spread_over_zones(model.spec);
  }
  for (const auto& [name, node] : model.service_hive) {
    Service& service = model.spec.services[name];
    service.hive = convert_service_hive(node, name, options, findings);
    Node resolved = node;
    // Nodes, to which the label carries it, do not know this file's directory.
    if (Node* certificate = resolved.find("certificate"); certificate != nullptr)
      certificate->text = service.hive->certificate;
    service.hive_json = to_json(resolved);
  }
}

}  // namespace

tl::expected<Loaded, Failure> load(const std::vector<SourceFile>& files, const LoadOptions& given) {
  LoadOptions options = given;
  if (!options.read_file) options.read_file = read_env_file_default;
  Findings findings(files);
  std::vector<std::string> names;
  names.reserve(files.size());
  for (const auto& file : files) names.push_back(file.name);
  std::optional<FileModel> whole;
  std::optional<int> version;
  if (files.empty()) findings.fault({}, "no Compose file is given", "name one with -f");
  if (files.size() > kMaxFiles)
    findings.fault({}, fmt::format("more than {} Compose files", kMaxFiles));
  for (std::uint32_t i = 0; i < files.size() && files.size() <= kMaxFiles; ++i) {
    auto one = load_one(files, i, options, findings, version);
    if (!one) continue;
    if (whole)
      merge(*whole, std::move(*one), findings);
    else
      whole = std::move(one);
  }
  if (whole) {
    whole->spec.files = names;
    whole->spec.version = fmt::format("3.{}", version.value_or(0));
    finish_hive(*whole, options, findings);
    check_whole(whole->spec, findings);
    check_swarm_rules(whole->spec, findings);
  }
  if (whole && !findings.has_faults()) return Loaded{std::move(whole->spec), findings.warnings()};
  Failure failure{names, findings.faults(), findings.warnings(), findings.dropped()};
  if (failure.faults.size() > kMaxFaults) {
    failure.dropped += failure.faults.size() - kMaxFaults;
    failure.faults.resize(kMaxFaults);
  }
  return tl::unexpected(std::move(failure));
}

tl::expected<Loaded, Failure> load_paths(const std::vector<std::string>& paths,
                                         const StringMap& environment) {
  std::vector<SourceFile> files;
  Failure unreadable;
  unreadable.files = paths;
  for (std::uint32_t i = 0; i < paths.size(); ++i) {
    auto content = os::read_file(paths[i], kMaxFileBytes);
    if (!content)
      unreadable.faults.push_back(Finding{Severity::kFault, Position{i, 0, 0},
                                          "the file cannot be read: " + content.error().message, "",
                                          ""});
    files.push_back(SourceFile{paths[i], content.value_or("")});
  }
  if (!unreadable.faults.empty()) return tl::unexpected(std::move(unreadable));
  LoadOptions options;
  options.environment = environment;
  std::error_code ignored;
  const auto here = std::filesystem::current_path(ignored).string();
  const std::string first = paths.empty() ? here : absolute_path(here, paths[0]);
  options.working_dir = std::filesystem::path(first).parent_path().string();
  options.has_dot_env = std::filesystem::exists(options.working_dir + "/.env", ignored);
  options.time_zones = [] { return os::time_zone_names(); };
  return load(files, options);
}

}  // namespace hive::config
