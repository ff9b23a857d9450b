// Makes every typed call once, at the endpoint that the environment names, and prints what came of
// each as a line of JSON. e2e/aws/models_test.py plays AWS by botocore's models: it checks the
// requests and answers them. `aws_samples figures CLUSTER` asks for what that cluster's balancer
// measured alone (e2e/aws/moto_test.py). Not part of hive.
#include <unistd.h>

#include <iostream>
#include <string>

#include "cloud/aws/account.h"
#include "cloud/aws/autoscaling.h"
#include "cloud/aws/balancer_figures.h"
#include "cloud/aws/cloud_port.h"
#include "cloud/aws/desired.h"
#include "cloud/aws/ec2.h"
#include "cloud/aws/ecr.h"
#include "cloud/aws/elb.h"
#include "cloud/aws/elbv2.h"
#include "cloud/aws/iam.h"
#include "cloud/aws/names.h"
#include "cloud/aws/target_group.h"

namespace hive::cloud::aws {
namespace {

const Tags kTags{{kClusterTag, "shop"}, {kRoleTag, "worker"}, {"Name", "shop-worker"}};

Json shown(const std::string& text) { return text; }
Json shown(std::int64_t number) { return number; }
Json shown(const Json& json) { return json; }
Json shown(const Tags& tags) { return tags; }
Json shown(const Vpc& vpc) {
  return {{"id", vpc.id}, {"cidr", vpc.cidr}, {"tags", vpc.tags}, {"default", vpc.is_default}};
}
Json shown(const Subnet& subnet) {
  return {{"id", subnet.id},
          {"zone", subnet.zone},
          {"cidr", subnet.cidr},
          {"tags", subnet.tags},
          {"default", subnet.default_for_zone}};
}
Json shown(const Image& image) {
  return {{"id", image.id},
          {"name", image.name},
          {"created", image.created},
          {"root_device", image.root_device}};
}
Json shown(const SecurityGroup& group) {
  Json rules = Json::array();
  for (const auto& rule : group.ingress)
    rules.push_back({{"protocol", rule.protocol},
                     {"from", rule.from_port},
                     {"to", rule.to_port},
                     {rule.group.empty() ? "cidr" : "group", rule.cidr + rule.group}});
  return {{"id", group.id},
          {"name", group.name},
          {"vpc", group.vpc},
          {"rules", rules},
          {"tags", group.tags}};
}
Json shown(const Machine& machine) {
  return {{"id", machine.id},         {"state", std::string(to_string(machine.state))},
          {"type", machine.type},     {"zone", machine.zone},
          {"subnet", machine.subnet}, {"address", machine.address},
          {"image", machine.image},   {"launched", machine.launched},
          {"tags", machine.tags}};
}
Json shown(const LaunchTemplate& one) {
  return {{"id", one.id},
          {"name", one.name},
          {"default_version", one.default_version},
          {"latest_version", one.latest_version},
          {"tags", one.tags}};
}
Json shown(const GroupMember& member) {
  return {{"id", member.id},
          {"zone", member.zone},
          {"state", member.lifecycle_state},
          {"healthy", member.healthy},
          {"protected", member.protected_from_scale_in}};
}
Json shown(const WarmPool& pool) {
  return {{"size", pool.size}, {"prepared", pool.prepared}, {"state", pool.state}};
}
Json shown(const Group& group) {
  Json members = Json::array();
  for (const auto& member : group.members) members.push_back(shown(member));
  return {{"name", group.name},
          {"min", group.spec.min},
          {"max", group.spec.max},
          {"desired", group.desired},
          {"template", group.spec.launch_template},
          {"types", group.spec.types},
          {"spot_percent", group.spec.spot_percent},
          {"subnets", group.spec.subnets},
          {"balancers", group.spec.balancers},
          {"target_groups", group.spec.target_groups},
          {"protected", group.spec.protected_from_scale_in},
          {"suspended", group.suspended},
          {"status", group.status},
          {"members", members},
          {"warm_pool", group.warm_pool ? shown(*group.warm_pool) : Json::object()},
          {"tags", group.tags}};
}
Json shown(const Activity& one) {
  return {{"description", one.description}, {"status", one.status}, {"message", one.message}};
}
Json shown(const LifecycleHook& hook) {
  return {{"name", hook.name}, {"launching", hook.launching}, {"heartbeat_s", hook.heartbeat_s}};
}
Json shown(const Balancer& balancer) {
  Json listeners = Json::array();
  for (const auto& one : balancer.listeners)
    listeners.push_back({{"port", one.port},
                         {"instance_port", one.instance_port},
                         {"protocol", one.protocol},
                         {"instance_protocol", one.instance_protocol},
                         {"certificate", one.certificate}});
  return {{"name", balancer.name},
          {"dns_name", balancer.dns_name},
          {"subnets", balancer.subnets},
          {"security_groups", balancer.security_groups},
          {"listeners", listeners},
          {"health",
           {{"target", balancer.health.target},
            {"interval", balancer.health.interval_s},
            {"timeout", balancer.health.timeout_s},
            {"unhealthy", balancer.health.unhealthy},
            {"healthy", balancer.health.healthy}}},
          {"instances", balancer.instances}};
}
Json shown(const BalancerAttributes& one) {
  return {{"draining", one.draining},
          {"draining_timeout_s", one.draining_timeout_s},
          {"cross_zone", one.cross_zone},
          {"idle_timeout_s", one.idle_timeout_s}};
}
Json shown(const InstanceHealth& one) {
  return {{"instance", one.instance}, {"state", one.state}, {"description", one.description}};
}
Json shown(const V2Balancer& one) {
  return {{"arn", one.arn},
          {"name", one.name},
          {"type", std::string(to_string(one.type))},
          {"dns_name", one.dns_name},
          {"internal", one.internal},
          {"subnets", one.subnets},
          {"security_groups", one.security_groups}};
}
Json shown(const V2Listener& one) {
  return {{"arn", one.arn},
          {"port", one.port},
          {"protocol", one.protocol},
          {"certificate", one.certificate}};
}
Json shown(const TargetGroup& one) {
  return {{"arn", one.arn},
          {"name", one.name},
          {"protocol", one.protocol},
          {"port", one.port},
          {"vpc", one.vpc},
          {"check_protocol", one.check.protocol},
          {"check_port", one.check.port},
          {"check_path", one.check.path},
          {"codes", one.check.codes},
          {"interval", one.check.interval_s},
          {"timeout", one.check.timeout_s},
          {"unhealthy", one.check.unhealthy},
          {"healthy", one.check.healthy}};
}
Json shown(const TargetState& one) {
  return {{"instance", one.instance},
          {"state", one.state},
          {"reason", one.reason},
          {"description", one.description}};
}
Json shown(const std::map<std::string, Tags>& tags) { return tags; }
Json shown(const Role& role) {
  return {{"name", role.name}, {"arn", role.arn}, {"tags", role.tags}};
}
Json shown(const InstanceProfile& one) { return {{"name", one.name}, {"role", one.role}}; }
Json shown(const Repository& one) {
  return {{"name", one.name}, {"arn", one.arn}, {"uri", one.uri}};
}
Json shown(const RegistryLogin& one) {
  return {{"username", one.username},
          {"password", one.password.reveal()},
          {"address", one.address},
          {"expires", one.expires.time_since_epoch().count() > 0}};
}
Json shown(const Identity& one) { return {{"account", one.account}, {"arn", one.arn}}; }
Json shown(const os::Secret& secret) { return secret.reveal(); }
Json shown(const std::map<std::string, MetricSeries>& told) {
  Json out = Json::object();
  for (const auto& [id, series] : told)
    for (const auto& point : series.points) out[id].push_back(point.value);
  return out;
}
template <typename T>
Json shown(const std::vector<T>& list) {
  Json out = Json::array();
  for (const auto& one : list) out.push_back(shown(one));
  return out;
}

void print(const char* call, const Error& error) {
  std::cout << Json{{"call", call}, {"error", describe(error)}}.dump() << "\n";
}
template <typename T>
void report(const char* call, const Result<T>& result) {
  if (!result) return print(call, result.error());
  std::cout << Json{{"call", call}, {"value", shown(*result)}}.dump() << "\n";
}
void report(const char* call, const Status& result) {
  if (!result) return print(call, result.error());
  std::cout << Json{{"call", call}}.dump() << "\n";
}

LaunchSpec launch_spec() {
  return {.image = "ami-1",
          .type = "m5.large",
          .instance_profile = "hive-shop-worker",
          .security_groups = {"sg-1", "sg-2"},
          .user_data = "#cloud-config\n",
          .root_device = "/dev/xvda",
          .disk_gib = 30,
          .tags = kTags};
}

void ec2(Client& client) {
  report("DescribeVpcs", describe_vpcs(client));
  report("DescribeSubnets", describe_subnets(client, "vpc-1"));
  report("DescribeImages", describe_images(client, "debian-12-amd64-*", "136693071363"));
  report("DescribeImages", describe_images(client, "ami-1", ""));
  report("DescribeImages", describe_own_images(client, "hive-0.1.0"));
  report("CreateImage", create_image(client, "i-1", "hive-0.1.0", "words", kTags));
  report("DescribeSecurityGroups", describe_security_groups(client, "shop"));
  report("CreateSecurityGroup", create_security_group(client, "g", "words", "vpc-1", kTags));
  const std::vector<IngressRule> rules{{"tcp", 80, 80, "0.0.0.0/0", ""},
                                       {"udp", 4789, 4789, "", "sg-1"},
                                       {"50", -1, -1, "", "sg-1"},
                                       {"tcp", 443, 443, "::/0", ""},
                                       {"tcp", 443, 443, "pl-12345678", ""}};
  report("AuthorizeSecurityGroupIngress", authorize_ingress(client, "sg-1", rules));
  report("RevokeSecurityGroupIngress", revoke_ingress(client, "sg-1", rules));
  report("DeleteSecurityGroup", delete_security_group(client, "sg-1"));
  report("RunInstances", run_instance(client, launch_spec(), "subnet-1", "token"));
  report("RunInstances",
         run_from_template(client, "hive-shop-manager", "subnet-1", kTags, "another-token"));
  report("DescribeInstances", describe_instances(client, "shop"));
  report("TerminateInstances", terminate_instances(client, {"i-1", "i-2"}));
  report("GetConsoleOutput", console_output(client, "i-1"));
  report("DescribeLaunchTemplates", describe_launch_templates(client, "shop"));
  report("DescribeLaunchTemplateVersions", launch_template_note(client, "lt-1"));
  report("CreateLaunchTemplate",
         create_launch_template(client, "name", launch_spec(), "note", kTags, "token"));
  report("CreateLaunchTemplateVersion",
         create_launch_template_version(client, "lt-1", launch_spec(), "note", "token"));
  report("ModifyLaunchTemplate", set_default_version(client, "lt-1", 2));
  report("DeleteLaunchTemplate", delete_launch_template(client, "lt-1"));
}

void autoscaling(Client& client) {
  const GroupSpec spec{.min = 2,
                       .max = 8,
                       .launch_template = "lt-1",
                       .types = {"m5.large", "m5a.large"},
                       .spot_percent = 50,
                       .subnets = {"subnet-1", "subnet-2"},
                       .balancers = {"hive-shop"},
                       .target_groups = {"arn:aws:elasticloadbalancing:x"}};
  report("DescribeAutoScalingGroups", describe_groups(client, "shop"));
  report("CreateAutoScalingGroup",
         create_group(client, "g", spec, {{"h", true, 600}, {"t", false, 600}}, kTags));
  report("UpdateAutoScalingGroup", update_group(client, "g", spec));
  report("DeleteAutoScalingGroup", delete_group(client, "g"));
  report("SetDesiredCapacity", set_desired(client, "g", 3));
  report("DescribeScalingActivities", describe_activities(client, "g"));
  report("AttachLoadBalancerTargetGroups", attach_target_groups(client, "g", {"arn:x", "arn:y"}));
  report("DetachLoadBalancerTargetGroups", detach_target_groups(client, "g", {"arn:x"}));
  report("SuspendProcesses", suspend_processes(client, "g", {"AZRebalance"}));
  report("DescribeLifecycleHooks", describe_hooks(client, "g"));
  report("PutLifecycleHook", put_hook(client, "g", {"h", true, 600}));
  report("CompleteLifecycleAction", complete_lifecycle_action(client, "g", "h", "i-1", true));
  report("RecordLifecycleActionHeartbeat", record_heartbeat(client, "g", "h", "i-1"));
  report("PutWarmPool", put_warm_pool(client, "g", {.size = 2, .prepared = 2}));
  report("DeleteWarmPool", delete_warm_pool(client, "g"));
  report("DescribeWarmPool", warm_members(client, "g"));
  report("SetInstanceProtection", set_instance_protection(client, "g", {"i-1", "i-2"}, true));
  report("TerminateInstanceInAutoScalingGroup", terminate_in_group(client, "i-1", true));
}

void elb(Client& client) {
  const Balancer spec{
      .name = "hive-shop",
      .internal = true,
      .subnets = {"subnet-1", "subnet-2"},
      .security_groups = {"sg-1"},
      .listeners = {{80, 8080, "HTTP", "HTTP", ""}, {443, 8080, "HTTPS", "HTTP", "arn:aws:acm:x"}}};
  report("DescribeLoadBalancers", describe_balancer(client, "b"));
  report("DescribeTags", balancer_tags(client, "b"));
  report("DescribeLoadBalancerAttributes", balancer_attributes(client, "b"));
  report("CreateLoadBalancer", create_balancer(client, spec, kTags));
  report("DeleteLoadBalancer", delete_balancer(client, "b"));
  report("CreateLoadBalancerListeners", create_listeners(client, "b", {{80, 8080}}));
  report("DeleteLoadBalancerListeners", delete_listeners(client, "b", {80, 5000}));
  report("ConfigureHealthCheck", configure_health_check(client, "b", {}));
  report("ModifyLoadBalancerAttributes", modify_balancer(client, "b", {.draining = true}));
  report("RegisterInstancesWithLoadBalancer", register_instances(client, "b", {"i-1", "i-2"}));
  report("DeregisterInstancesFromLoadBalancer", deregister_instances(client, "b", {"i-1"}));
  report("DescribeInstanceHealth", describe_instance_health(client, "b"));
}

void elbv2(Client& client) {
  const V2Balancer spec{.name = "hive-shop",
                        .type = BalancerType::kNetwork,
                        .internal = true,
                        .subnets = {"subnet-1", "subnet-2"},
                        .security_groups = {"sg-1"}};
  const V2Listener listener{.arn = "arn:listener",
                            .port = 443,
                            .protocol = "TLS",
                            .certificate = "arn:aws:acm:x",
                            .target_group = "arn:group"};
  const TargetGroup group{
      .name = "hive-shop-tcp-8080", .protocol = "TCP", .port = 8080, .vpc = "vpc-1"};
  report("DescribeLoadBalancers", describe_v2_balancer(client, "b"));
  report("DescribeLoadBalancerAttributes", v2_balancer_attributes(client, "arn:b"));
  report("DescribeTags", v2_tags(client, {"arn:b", "arn:t"}));
  report("DescribeListeners", describe_v2_listeners(client, "arn:b"));
  report("CreateLoadBalancer", create_v2_balancer(client, spec, kTags));
  report("ModifyLoadBalancerAttributes", modify_v2_balancer(client, "arn:b", {{"a", "true"}}));
  report("DeleteLoadBalancer", delete_v2_balancer(client, "arn:b"));
  report("CreateListener", create_v2_listener(client, "arn:b", listener, kTags));
  report("ModifyListener", modify_v2_listener(client, listener));
  report("DeleteListener", delete_v2_listener(client, "arn:listener"));
  report("DescribeTargetGroups", describe_target_groups(client));
  report("DescribeTargetGroups", target_groups_of(client, "arn:b"));
  report("DescribeTargetGroupAttributes", target_group_attributes(client, "arn:t"));
  report("CreateTargetGroup", create_target_group(client, group, kTags));
  report("ModifyTargetGroup", modify_target_group(client, "arn:t", {}));
  report("ModifyTargetGroupAttributes",
         modify_target_group_attributes(client, "arn:t", {{"a", "1"}, {"b", "2"}}));
  report("DeleteTargetGroup", delete_target_group(client, "arn:t"));
  report("RegisterTargets", register_targets(client, "arn:t", {"i-1", "i-2"}));
  report("DeregisterTargets", deregister_targets(client, "arn:t", {"i-1"}));
  report("DescribeTargetHealth", describe_target_health(client, "arn:t"));
}

void iam(Client& client) {
  report("GetRole", get_role(client, "r"));
  report("GetRolePolicy", get_role_policy(client, "r"));
  report("GetInstanceProfile", get_instance_profile(client, "p"));
  report("CreateRole", create_role(client, "r", "words", kTags));
  report("PutRolePolicy", put_role_policy(client, "r", Json{{"Version", "2012-10-17"}}));
  report("DeleteRolePolicy", delete_role_policy(client, "r"));
  report("DeleteRole", delete_role(client, "r"));
  report("CreateInstanceProfile", create_instance_profile(client, "p", kTags));
  report("AddRoleToInstanceProfile", add_role_to_profile(client, "p", "r"));
  report("RemoveRoleFromInstanceProfile", remove_role_from_profile(client, "p", "r"));
  report("DeleteInstanceProfile", delete_instance_profile(client, "p"));
}

void rest(Client& client) {
  report("DescribeRepositories", describe_repository(client, "shop"));
  report("ListTagsForResource", repository_tags(client, "arn:aws:ecr:x"));
  report("CreateRepository", create_repository(client, "shop", kTags));
  report("DeleteRepository", delete_repository(client, "shop"));
  report("GetLifecyclePolicy", get_lifecycle_policy(client, "shop"));
  report(
      "PutLifecyclePolicy",
      put_lifecycle_policy(client, "shop", desired_of({.cluster = "shop"}, {}).lifecycle_policy));
  report("GetAuthorizationToken", get_authorization_token(client));
  report("GetCallerIdentity", get_caller_identity(client));
  const auto queries =
      figure_queries("hive-shop", {BalancerFigure::kRequests, BalancerFigure::kLatency,
                                   BalancerFigure::kSurgeQueue, BalancerFigure::kSpillover});
  const WallTime now = client.clock().wall_now();
  report("GetMetricData", get_metric_data(client, queries, now - kFiguresWindow, now));
  report("PutParameter", put_parameter(client, "/hive/shop/x", os::Secret("v")));
  report("GetParameter", get_parameter(client, "/hive/shop/x"));
  report("DeleteParameter", delete_parameter(client, "/hive/shop/x"));
}

// By the port, as a manager asks.
int figures(Client& client, const std::string& cluster) {
  const auto told =
      connect(client, Names(cluster))
          ->balancer_figures({BalancerFigure::kRequests, BalancerFigure::kLatency,
                              BalancerFigure::kSurgeQueue, BalancerFigure::kSpillover});
  if (!told) {
    print("figures", told.error());
    return 1;
  }
  const char* const names[] = {"requests", "latency", "surge_queue", "spillover"};
  Json out;
  for (const auto& [figure, one] : *told)
    out[names[static_cast<int>(figure)]] = {{"value", one.value ? Json(*one.value) : Json()},
                                            {"until_unix_ms", one.until_unix_ms},
                                            {"whole", one.whole},
                                            {"trouble", one.trouble}};
  std::cout << out.dump() << "\n";
  return 0;
}

// A manager by the port, as another manager launches it.
int launch(Client& client, const std::string& cluster, const std::string& name) {
  const auto made = connect(client, Names(cluster))
                        ->launch({.role = "manager",
                                  .hostname = name,
                                  .user_data = "",
                                  .standard_user_data = true,
                                  .idempotency_token = "the token of " + name});
  if (!made) {
    print("launch", made.error());
    return 1;
  }
  std::cout << Json{{"id", made->id}, {"detour", made->detour}}.dump() << "\n";
  return 0;
}

int run(int argc, char** argv) {
  const SystemClock clock;
  ClientOptions options{.region = "eu-central-1", .clock = &clock, .max_attempts = 1};
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string text = *one;
    const auto equals = text.find('=');
    if (equals != std::string::npos)
      options.environment[text.substr(0, equals)] = text.substr(equals + 1);
  }
  options.pause = [](Milliseconds) { return false; };
  Client client(options);
  if (argc == 3 && argv[1] == std::string("figures")) return figures(client, argv[2]);
  if (argc == 4 && argv[1] == std::string("launch")) return launch(client, argv[2], argv[3]);
  ec2(client);
  autoscaling(client);
  elb(client);
  elbv2(client);
  iam(client);
  rest(client);
  return 0;
}

}  // namespace
}  // namespace hive::cloud::aws

int main(int argc, char** argv) { return hive::cloud::aws::run(argc, argv); }
