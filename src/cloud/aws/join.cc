#include "cloud/aws/join.h"

#include <algorithm>

#include "base/text.h"

namespace hive::cloud::aws {
namespace {

constexpr std::size_t kShownOfId = 8;

struct Claim {
  std::string role;
  std::string instance;
};

tl::unexpected<Error> refuse(const std::string& who, const std::string& why) {
  return fail(Errc::kPermissionDenied, who + " may not join: " + why);
}

// "arn:aws:sts::123456789012:assumed-role/ROLE/SESSION": of an instance the session is its id.
Result<Claim> claim_of(const Identity& identity) {
  const auto parts = split(identity.arn, ':');
  const auto path = split(parts.empty() ? "" : parts.back(), '/');
  if (parts.size() != 6 || parts[2] != "sts" || path.size() != 3 || path[0] != "assumed-role")
    return refuse(identity.arn, "it is no instance's role");
  if (!path[2].starts_with("i-"))
    return refuse(identity.arn, "the role is used by something that is no instance");
  return Claim{path[1], path[2]};
}

Status fits_group(const std::string& instance, const std::optional<Group>& workers) {
  if (!workers) return refuse(instance, "the cluster has no worker group");
  const auto& members = workers->members;
  const auto member = std::find_if(members.begin(), members.end(),
                                   [&](const GroupMember& one) { return one.id == instance; });
  if (member == members.end())
    return refuse(instance, "it is no member of worker group " + workers->name);
  if (member->lifecycle_state.starts_with("Terminat"))
    return refuse(instance, "its group is ending it (" + member->lifecycle_state + ")");
  return {};
}

}  // namespace

std::string hostname_of(const Machine& machine, const Names& names) {
  const std::string name = tag_of(machine.tags, "Name");
  if (is_manager(machine) && !name.empty()) return name;
  const auto& id = machine.id;
  const auto end = id.substr(id.size() - std::min(id.size(), kShownOfId));
  return names.worker() + "-" + end;
}

Result<Admission> admit(const Asker& asker, const Names& names, const Facts& facts) {
  HIVE_ASSIGN(const auto claim, claim_of(asker.identity));
  const std::string& who = claim.instance;
  if (asker.identity.account != facts.account)
    return refuse(who, "it is of account " + asker.identity.account);
  const bool manager = claim.role == names.manager_role;
  if (!manager && claim.role != names.worker_role)
    return refuse(who, "its role " + claim.role + " is none of cluster " + names.cluster);
  const auto machine = std::find_if(facts.machines.begin(), facts.machines.end(),
                                    [&](const Machine& one) { return one.id == who; });
  if (machine == facts.machines.end())
    return refuse(who, "EC2 has no such instance of cluster " + names.cluster);
  if (!is_up(*machine)) return refuse(who, "it is " + std::string(to_string(machine->state)));
  if (machine->address != asker.address)
    return refuse(who, "it is at " + machine->address + ", and " + asker.address + " asks");
  const std::string role = manager ? "manager" : "worker";
  if (tag_of(machine->tags, kRoleTag) != role)
    return refuse(who, "it is tagged as " + tag_of(machine->tags, kRoleTag) +
                           " and has the role of a " + role);
  if (!manager) HIVE_TRY(fits_group(who, facts.workers));
  return Admission{role, who, hostname_of(*machine, names)};
}

Json to_json(const Offer& offer) {
  return {{"token", offer.token}, {"hostname", offer.hostname}, {"managers", offer.managers}};
}

Result<Offer> offer_from_json(const Json& json) {
  Offer out{json_string(json, "token"), json_string(json, "hostname"), {}};
  if (const Json* list = json_member(json, "managers"); list != nullptr && list->is_array())
    for (const auto& one : *list)
      if (one.is_string()) out.managers.push_back(one.get<std::string>());
  if (out.token.empty() || out.hostname.empty() || out.managers.empty())
    return fail(Errc::kCorrupt, "the manager's offer lacks its token, name or managers");
  return out;
}

}  // namespace hive::cloud::aws
