#include "cloud/aws/observe.h"

#include <algorithm>

#include "base/text.h"
#include "cloud/aws/ecr.h"
#include "cloud/aws/iam.h"

namespace hive::cloud::aws {
namespace {

Result<Vpc> pick_vpc(Client& client, const std::string& wanted) {
  HIVE_ASSIGN(const auto vpcs, describe_vpcs(client));
  std::vector<std::string> there;
  std::vector<Vpc> fits;
  for (const auto& vpc : vpcs) {
    const std::string name = tag_of(vpc.tags, "Name");
    there.push_back(vpc.id + (name.empty() ? "" : " (" + name + ")"));
    if (wanted.empty() ? vpc.is_default : vpc.id == wanted || name == wanted) fits.push_back(vpc);
  }
  if (fits.size() == 1) return fits.front();
  const std::string what = wanted.empty() ? "default VPC" : "VPC " + wanted;
  if (fits.size() > 1)
    return fail(Errc::kInvalidArgument, "several VPCs are named " + wanted +
                                            ": give x-hive.aws.vpc "
                                            "an id");
  return fail(Errc::kNotFound, "there is no " + what + " in " + client.region() +
                                   ": set x-hive.aws.vpc to one of " + join(there, ", "));
}

Result<std::vector<Subnet>> pick_subnets(Client& client, const std::string& vpc,
                                         const std::vector<std::string>& wanted) {
  HIVE_ASSIGN(auto all, describe_subnets(client, vpc));
  std::sort(all.begin(), all.end(), [](const Subnet& a, const Subnet& b) {
    return std::tuple(a.zone, !a.default_for_zone, a.id) <
           std::tuple(b.zone, !b.default_for_zone, b.id);
  });
  std::vector<Subnet> out;
  if (wanted.empty()) {
    for (const auto& subnet : all)
      if (out.empty() || out.back().zone != subnet.zone) out.push_back(subnet);
  }
  for (const auto& one : wanted) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Subnet& subnet) {
      return subnet.id == one || tag_of(subnet.tags, "Name") == one;
    });
    if (found == all.end()) return fail(Errc::kNotFound, "VPC " + vpc + " has no subnet " + one);
    for (const auto& other : out)
      if (other.zone == found->zone)
        return fail(Errc::kInvalidArgument, "subnets " + other.id + " and " + found->id +
                                                " are both in " + found->zone +
                                                ": name one of each zone");
    out.push_back(*found);
  }
  if (out.empty()) return fail(Errc::kNotFound, "VPC " + vpc + " has no subnets");
  std::sort(out.begin(), out.end(),
            [](const Subnet& a, const Subnet& b) { return a.zone < b.zone; });
  return out;
}

Result<Image> pick_image(Client& client, const Settings& settings) {
  HIVE_ASSIGN(const auto images, describe_images(client, settings.image, settings.image_owner));
  if (images.empty())
    return fail(Errc::kNotFound, "there is no image " + settings.image + " of " +
                                     settings.image_owner + " in " + client.region());
  return *std::max_element(images.begin(), images.end(), [](const Image& a, const Image& b) {
    return std::tuple(a.created, a.id) < std::tuple(b.created, b.id);
  });
}

bool ours(const Tags& tags, const std::string& cluster) {
  const auto tag = tags.find(kClusterTag);
  return tag != tags.end() && tag->second == cluster;
}

// Absence is a fact here, not a fault.
template <typename T>
Result<std::optional<T>> unless_absent(Result<T> found) {
  if (found) return std::optional<T>(std::move(*found));
  if (found.error().code == Errc::kNotFound) return std::optional<T>();
  return tl::unexpected(std::move(found).error());
}

Status observe_role(Client& client, const Names& names, const std::string& name, World& world) {
  RoleState state;
  HIVE_ASSIGN(const auto role, unless_absent(get_role(client, name)));
  if (role) {
    state.role = true;
    state.foreign = !ours(role->tags, names.cluster);
    HIVE_ASSIGN(state.policy, unless_absent(get_role_policy(client, name)));
  }
  HIVE_ASSIGN(const auto profile, unless_absent(get_instance_profile(client, name)));
  state.profile = profile.has_value();
  state.joined = profile && profile->role == name;
  if (state.role || state.profile) world.roles[name] = std::move(state);
  return {};
}

Status observe_repository(Client& client, const Names& names, const std::string& name,
                          World& world) {
  HIVE_ASSIGN(const auto there, unless_absent(describe_repository(client, name)));
  if (!there) return {};
  RepositoryState state;
  HIVE_ASSIGN(const auto tags, repository_tags(client, there->arn));
  state.ours = ours(tags, names.cluster);
  HIVE_ASSIGN(state.lifecycle_policy, unless_absent(get_lifecycle_policy(client, name)));
  world.repositories[name] = std::move(state);
  return {};
}

Status observe_balancer(Client& client, const Names& names, World& world) {
  HIVE_ASSIGN(auto there, unless_absent(describe_balancer(client, names.balancer)));
  if (!there) return {};
  BalancerState state{.balancer = std::move(*there)};
  HIVE_ASSIGN(const auto tags, balancer_tags(client, names.balancer));
  state.ours = ours(tags, names.cluster);
  HIVE_ASSIGN(state.attributes, balancer_attributes(client, names.balancer));
  world.balancer = std::move(state);
  return {};
}

Status observe_v2_balancer(Client& client, const Names& names, World& world) {
  HIVE_ASSIGN(auto there, unless_absent(describe_v2_balancer(client, names.balancer)));
  if (!there) return {};
  V2BalancerState state{.balancer = std::move(*there)};
  const std::string& arn = state.balancer.arn;
  HIVE_ASSIGN(auto tags, v2_tags(client, {arn}));
  state.ours = ours(tags[arn], names.cluster);
  HIVE_ASSIGN(state.attributes, v2_balancer_attributes(client, arn));
  HIVE_ASSIGN(state.listeners, describe_v2_listeners(client, arn));
  world.v2_balancer = std::move(state);
  return {};
}

// They are listed whole: one that no listener sends to any more is the cluster's all the same.
Status observe_target_groups(Client& client, const Names& names, World& world) {
  HIVE_ASSIGN(auto all, describe_target_groups(client));
  std::erase_if(all, [&](const TargetGroup& one) { return !names.is_target_group(one.name); });
  std::vector<std::string> arns;
  for (const auto& one : all) arns.push_back(one.arn);
  HIVE_ASSIGN(auto tags, v2_tags(client, arns));
  for (auto& one : all) {
    TargetGroupState state{.ours = ours(tags[one.arn], names.cluster)};
    const std::string name = one.name;
    if (state.ours) {
      HIVE_ASSIGN(state.attributes, target_group_attributes(client, one.arn));
      HIVE_ASSIGN(const auto targets, describe_target_health(client, one.arn));
      for (const auto& target : targets)
        if (is_registered(target)) state.registered.insert(target.instance);
    }
    state.group = std::move(one);
    world.target_groups[name] = std::move(state);
  }
  return {};
}

Status observe_templates(Client& client, const Names& names, World& world) {
  HIVE_ASSIGN(const auto templates, describe_launch_templates(client, names.cluster));
  for (const auto& one : templates) {
    if (one.name != names.worker_template && one.name != names.manager_template) continue;
    TemplateState state{.launch_template = one};
    HIVE_ASSIGN(state.note, launch_template_note(client, one.id));
    world.templates[one.name] = std::move(state);
  }
  return {};
}

Status observe_workers(Client& client, const Names& names, World& world) {
  HIVE_ASSIGN(auto groups, describe_groups(client, names.cluster));
  for (auto& group : groups) {
    if (group.name != names.worker_group) continue;
    GroupState state{.group = std::move(group)};
    HIVE_ASSIGN(state.hooks, describe_hooks(client, names.worker_group));
    world.workers = std::move(state);
  }
  return {};
}

}  // namespace

Result<Place> find_place(Client& client, const Settings& settings) {
  Place out;
  HIVE_ASSIGN(const auto vpc, pick_vpc(client, settings.vpc));
  out.vpc = vpc.id;
  HIVE_ASSIGN(out.subnets, pick_subnets(client, vpc.id, settings.subnets));
  HIVE_ASSIGN(out.image, pick_image(client, settings));
  return out;
}

Result<World> observe(Client& client, const Names& names,
                      const std::vector<std::string>& repositories) {
  World world;
  HIVE_ASSIGN(auto groups, describe_security_groups(client, names.cluster));
  for (auto& group : groups) world.security_groups[group.name] = std::move(group);
  for (const auto& role : {names.manager_role, names.worker_role})
    HIVE_TRY(observe_role(client, names, role, world));
  for (const auto& name : repositories) HIVE_TRY(observe_repository(client, names, name, world));
  HIVE_TRY(observe_balancer(client, names, world));
  HIVE_TRY(observe_v2_balancer(client, names, world));
  HIVE_TRY(observe_target_groups(client, names, world));
  HIVE_ASSIGN(world.machines, describe_instances(client, names.cluster));
  HIVE_TRY(observe_templates(client, names, world));
  HIVE_TRY(observe_workers(client, names, world));
  return world;
}

}  // namespace hive::cloud::aws
