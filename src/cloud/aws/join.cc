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

const GroupMember* member_in(const std::vector<GroupMember>& members, const std::string& id) {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const GroupMember& one) { return one.id == id; });
  return found == members.end() ? nullptr : &*found;
}

Status fits_group(const Facts& facts, Admission& who) {
  if (!facts.workers) return refuse(who.instance, "the cluster has no worker group");
  const auto* member = member_in(facts.workers->members, who.instance);
  if (member == nullptr) member = member_in(facts.warm, who.instance);
  if (member == nullptr)
    return refuse(who.instance, "it is no member of worker group " + facts.workers->name);
  const std::string& state = member->lifecycle_state;
  if (state.starts_with("Terminat") || state.starts_with("Warmed:Terminat"))
    return refuse(who.instance, "its group is ending it (" + state + ")");
  // The hook begins a moment later.
  if (state == "Warmed:Pending")
    return refuse(who.instance, "its group has just put it into its warm pool");
  who.rests = state.starts_with("Warmed:");
  who.held = state == "Warmed:Pending:Wait";
  return {};
}

}  // namespace

std::string hostname_of(const Machine& machine, const Names& names) {
  std::string name = tag_of(machine.tags, "Name");
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
  Admission out{role, who, hostname_of(*machine, names)};
  if (!manager) HIVE_TRY(fits_group(facts, out));
  return out;
}

Json to_json(const Offer& offer) {
  if (offer.rests) return {{"rests", true}};
  return {{"token", offer.token}, {"hostname", offer.hostname}, {"managers", offer.managers}};
}

Result<Offer> offer_from_json(const Json& json) {
  Offer out{
      json_string(json, "token"), json_string(json, "hostname"), {}, json_bool(json, "rests")};
  if (out.rests) return out;
  if (const Json* list = json_member(json, "managers"); list != nullptr && list->is_array())
    for (const auto& one : *list)
      if (one.is_string()) out.managers.push_back(one.get<std::string>());
  if (out.token.empty() || out.hostname.empty() || out.managers.empty())
    return fail(Errc::kCorrupt, "the manager's offer lacks its token, name or managers");
  return out;
}

}  // namespace hive::cloud::aws
