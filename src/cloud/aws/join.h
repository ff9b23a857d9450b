// Who may join a cluster as what: the rule, pure. A machine is admitted when everything that the
// cloud says of it fits: STS confirms that it holds one of the cluster's instance roles
// (identity.h), EC2 lists the instance that STS names with the cluster's tag and with the role that
// goes with it, and the request comes from that instance's own address. A worker is one of the Auto
// Scaling group, which is not about to end it; one in the group's warm pool is known, and rests.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cloud/aws/account.h"
#include "cloud/aws/autoscaling.h"
#include "cloud/aws/ec2.h"
#include "cloud/aws/names.h"

namespace hive::cloud::aws {

// The port of managers at which machines ask, over TLS with the manager's Swarm certificate.
inline constexpr std::uint16_t kJoinPort = 7072;
inline constexpr const char* kJoinPath = "/v1/join";

struct Asker {
  Identity identity;    // as STS confirmed it
  std::string address;  // of the connection
};

struct Facts {
  std::string account;            // one's own
  std::vector<Machine> machines;  // that bear the cluster's tag
  std::optional<Group> workers;
  std::vector<GroupMember> warm;  // in its warm pool
};

struct Admission {
  std::string role;  // "manager" or "worker"
  std::string instance;
  std::string hostname;  // what the node shall be called
  // In the group's warm pool: it joins once the group takes it. And its launch hook waits for the
  // word that it is prepared.
  bool rests = false;
  bool held = false;
};

// kPermissionDenied with the reason: who asks, and what does not fit.
Result<Admission> admit(const Asker& asker, const Names& names, const Facts& facts);

// The node's name: a manager's is its tag Name, a worker's has the end of its instance's id.
std::string hostname_of(const Machine& machine, const Names& names);

// What an admitted machine is told.
struct Offer {
  std::string token;  // Swarm's, of the role
  std::string hostname;
  std::vector<std::string> managers;  // addresses, without port
  // Instead of all that: it shall not join before its group takes it out of the warm pool.
  bool rests = false;
};
Json to_json(const Offer& offer);
Result<Offer> offer_from_json(const Json& json);  // kCorrupt

}  // namespace hive::cloud::aws
