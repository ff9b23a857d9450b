#include "cli/aws_stack.h"

#include "os/file.h"

namespace hive::cli {
namespace {

constexpr std::size_t kLargestFile = 512U << 10;  // Swarm's own bound of a secret is less

class Bundle {
 public:
  // The name below the stack's directory that stands for the file.
  Result<std::string> take(const std::string& path) {
    HIVE_ASSIGN(auto content, os::read_file(path, kLargestFile));
    std::string name = "files/" + std::to_string(files.size());
    files[name] = std::move(content);
    return name;
  }
  cloud::aws::StackFiles files;
};

Status take_objects(Bundle& bundle, std::map<std::string, config::FileObject>& objects) {
  for (auto& [key, object] : objects) {
    if (object.file.empty()) continue;
    auto name = bundle.take(object.file);
    if (!name) return annotate(name.error(), key);
    object.file = "./" + *name;
  }
  return {};
}

// x-hive is passed on as it was written: what it names of this machine is replaced or left out.
Status take_hive(Bundle& bundle, config::Cluster& cluster, const std::string& region) {
  HIVE_ASSIGN(auto json, parse_json(cluster.json.empty() ? "{}" : cluster.json, "x-hive"));
  // The managers are in it, and have a role of their own.
  Json& aws = json["aws"];
  if (!aws.is_object()) aws = Json::object();
  aws["region"] = region;
  aws.erase("profile");
  if (json.contains("registry") && json["registry"].is_object()) json["registry"].erase("images");
  if (!cluster.registry.password_file.empty()) {
    HIVE_ASSIGN(const auto name, bundle.take(cluster.registry.password_file));
    json["registry"]["password_file"] = "./" + name;
  }
  cluster.json = json.dump();
  return {};
}

}  // namespace

Result<cloud::aws::StackFiles> stack_files(config::Spec spec, const std::string& region) {
  Bundle bundle;
  HIVE_TRY(take_objects(bundle, spec.configs));
  HIVE_TRY(take_objects(bundle, spec.secrets));
  HIVE_TRY(take_hive(bundle, spec.cluster, region));
  bundle.files[kStackFile] = config::render_yaml(spec);
  return std::move(bundle.files);
}

}  // namespace hive::cli
