// A typed Compose file becomes what Swarm's API takes: exactly the objects that `docker stack
// deploy` (docker CLI 20.10, API 1.41) would send. What hive does differently is applied after it,
// as a step of its own (stack/differences.h).
//
// Pure but for `read_file`; no call to an engine. Rules: docker/cli 20.10, cli/compose/convert.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "config/compose.h"

namespace hive::stack {

inline constexpr const char* kNamespaceLabel = "com.docker.stack.namespace";
inline constexpr const char* kImageLabel = "com.docker.stack.image";

struct ConvertOptions {
  std::string stack;  // the namespace: names are "<stack>_<key>"
  // Contents of configs and secrets by absolute path. Default: the file system, at most 1 MiB.
  std::function<Result<std::string>(const std::string& path)> read_file;
};

// `spec` is the body of the create call: NetworkCreate with its Name, SecretSpec, ConfigSpec (Data
// in base64) or ServiceSpec.
struct Object {
  std::string key;   // in the Compose file
  std::string name;  // in the swarm
  Json spec;
};

struct Conversion {
  std::string stack;
  std::vector<Object> networks;  // those that a service uses and that are not external
  std::vector<std::string> external_networks;  // names, to be found in the swarm's scope
  std::vector<Object> secrets;
  std::vector<Object> configs;
  // SecretID and ConfigID of references are empty, since they are known only once the objects are
  // there: fill_references().
  std::vector<Object> services;
};

// All faults at once, a line each with its place in the file: kInvalidArgument where the file asks
// for what Swarm cannot have, else what read_file failed with.
Result<Conversion> convert(const config::Spec& spec, const ConvertOptions& options);

// Name to id of the swarm's configs and secrets.
struct ObjectIds {
  std::map<std::string, std::string> secrets;
  std::map<std::string, std::string> configs;
};
// Fills the ids into a service's references. Names missing in `ids` are returned and left empty.
std::vector<std::string> fill_references(Json& service_spec, const ObjectIds& ids);

}  // namespace hive::stack
