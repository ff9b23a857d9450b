// The cluster's notice board: what operator, managers and machines tell one another where no
// network leads from one to the other, as SecureString parameters of SSM below /hive/CLUSTER/. IAM
// decides who reads and writes them: managers all, workers read `swarm` alone, the operator founds,
// deploys and watches. Nothing on it opens the Swarm: join tokens go from a manager to a machine
// (join.h).
//
//   founder  the instance that begins the Swarm, when there is none. Written once, by the operator
//   swarm    the Swarm's certificate authority and its managers' addresses. Written by the leader
//   status   what the leader sees, for the operator's eyes
//   stack/N  the Compose file that shall run, in pieces; stack says how many, and its revision
//
// Source: AWS Systems Manager, parameter tiers (4 KB a standard parameter).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cloud/aws/client.h"
#include "cloud/aws/names.h"

namespace hive::cloud::aws {

inline constexpr const char* kSwarmNotice = "swarm";
inline constexpr std::size_t kPieceBytes = 4'000;
inline constexpr std::size_t kMostPieces = 100;

struct SwarmPlace {
  std::string id;                     // of the Swarm
  std::string ca;                     // PEM
  std::vector<std::string> managers;  // addresses, without port, sorted
  bool operator==(const SwarmPlace&) const = default;
};
Json to_json(const SwarmPlace& place);
Result<SwarmPlace> swarm_place_from_json(const Json& json);  // kCorrupt

// The leader's view, small whatever the cluster's size.
struct ClusterStatus {
  std::string swarm;  // its id
  std::uint32_t managers_ready = 0;
  std::uint32_t workers_ready = 0;
  std::vector<std::string> waiting;  // nodes that are not ready, the first ten
  std::string revision;              // of the stack that was deployed last, or is being deployed
  std::string stack;                 // "", "deploying", "deployed", "failed"
  std::string message;               // of a failure
  std::int64_t unix_s = 0;           // when it was written
  // Without the time.
  bool says_the_same(const ClusterStatus& other) const;
};
Json to_json(const ClusterStatus& status);
ClusterStatus cluster_status_from_json(const Json& json);

// A file of the stack: its name below the stack's directory, and its content.
using StackFiles = std::map<std::string, std::string>;
struct Stack {
  std::string revision;
  StackFiles files;
};
// A hash of the files, and what tells one asking for them from the next.
std::string revision_of(const StackFiles& files, const std::string& asking);

// Errors as in client.h. Nothing: there is no such notice.
class Board {
 public:
  Board(Client& client, Names names) : client_(client), names_(std::move(names)) {}

  Result<std::optional<std::string>> founder();
  // The founder's id: this one, unless there is one already.
  Result<std::string> found(const std::string& instance);
  Status forget_founder();

  Result<std::optional<SwarmPlace>> swarm();
  Status put_swarm(const SwarmPlace& place);
  Result<std::optional<ClusterStatus>> status();
  Status put_status(const ClusterStatus& status);

  Result<std::optional<std::string>> stack_revision();
  // kCorrupt while it is being written: look again later.
  Result<std::optional<Stack>> stack();
  // Its revision is revision_of(). kResourceExhausted when it is larger than the board takes.
  Status put_stack(const StackFiles& files, const std::string& asking);

  // Takes all of it away.
  Status clear();

 private:
  Result<std::optional<std::string>> read(const std::string& name);
  Result<std::optional<Json>> read_json(const std::string& name);
  Status write(const std::string& name, const std::string& value);
  Status remove(const std::string& name);
  Result<std::size_t> pieces();

  Client& client_;
  const Names names_;
};

}  // namespace hive::cloud::aws
