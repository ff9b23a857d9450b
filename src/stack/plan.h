// What is to be done so that the swarm holds what a Compose file says: compares with what is
// there, found by the stack's label, and lists the actions. Reads only; apply() writes.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "stack/convert.h"
#include "stack/differences.h"

namespace hive::stack {

enum class ResolveImage { kAlways, kChanged, kNever };

struct DeployOptions {
  std::string stack;
  bool prune = false;  // remove the stack's services that the file does not have
  ResolveImage resolve_image = ResolveImage::kAlways;
  ClusterTraits traits;
  // Reference to digest ("sha256:..."), from its registry. Absent, or failing: deployed by tag with
  // a warning, as docker does; an update of an unchanged image keeps the digest it has.
  std::function<Result<std::string>(const std::string& reference)> resolve;
  std::function<Result<std::string>(const std::string& path)> read_file;
};

enum class Verb { kCreate, kUpdate, kUnchanged, kRemove };
enum class Kind { kNetwork, kSecret, kConfig, kService };

struct Action {
  Verb verb = Verb::kUnchanged;
  Kind kind = Kind::kService;
  std::string name;
  std::string id;      // empty for kCreate
  std::string reason;  // "not there yet", "differs in TaskTemplate.ContainerSpec.Image", ...
  Json spec;           // null for kRemove
  // Replicas are those of the service when it is written (it is autoscaled), within these bounds.
  bool keep_replicas = false;
  std::uint64_t min_replicas = 0;
  std::uint64_t max_replicas = 0;
  bool keep_image = false;  // the service's pinned image stays: the file names the same one
};

struct Plan {
  std::string stack;
  std::vector<Action> actions;  // in the order of their doing
  std::vector<Applied> differences;
  std::vector<std::string> warnings;
  bool changes_nothing() const;
};

// kFailedPrecondition: not a manager, an external network that is missing or of local scope;
// kNotFound: an external config or secret that is missing; kInvalidArgument: changed content of a
// config (Swarm cannot change it; the message says what to do). A secret's content cannot be read
// back: it is compared by the engine when the plan is applied.
Result<Plan> make_plan(engine::Engine& engine, const config::Spec& spec,
                       const DeployOptions& options);

std::string_view to_string(Verb verb);
std::string_view to_string(Kind kind);
// One line an action: "create  network  shop_default  (not there yet)".
std::string render(const Plan& plan);

// A service's spec without what the engine fills in, drops or defaults, for comparing. `networks`
// maps network ids to names.
Json normalized(Json service_spec, const std::map<std::string, std::string>& networks);

// Dotted paths at which two values differ, at most `limit`.
std::vector<std::string> differing_paths(const Json& a, const Json& b, std::size_t limit = 5);

}  // namespace hive::stack
