#include "cloud/aws/operations.h"

#include <algorithm>
#include <iterator>

namespace hive::cloud::aws {
namespace {

constexpr unsigned kAll = kOperator | kManager | kWorker;
constexpr unsigned kBoth = kOperator | kManager;

constexpr Operation kTable[] = {
    {Op::kDescribeVpcs, Service::kEc2, "DescribeVpcs", Scope::kAny, kOperator, "NextToken",
     "nextToken"},
    {Op::kDescribeSubnets, Service::kEc2, "DescribeSubnets", Scope::kAny, kOperator, "NextToken",
     "nextToken"},
    {Op::kDescribeImages, Service::kEc2, "DescribeImages", Scope::kAny, kOperator, "NextToken",
     "nextToken"},
    {Op::kCreateImage, Service::kEc2, "CreateImage", Scope::kImaging, kOperator},
    {Op::kDescribeSecurityGroups, Service::kEc2, "DescribeSecurityGroups", Scope::kAny, kOperator,
     "NextToken", "nextToken"},
    {Op::kCreateSecurityGroup, Service::kEc2, "CreateSecurityGroup", Scope::kTagging, kOperator},
    {Op::kDeleteSecurityGroup, Service::kEc2, "DeleteSecurityGroup", Scope::kTagged, kOperator},
    {Op::kAuthorizeIngress, Service::kEc2, "AuthorizeSecurityGroupIngress", Scope::kTagged,
     kOperator},
    {Op::kRevokeIngress, Service::kEc2, "RevokeSecurityGroupIngress", Scope::kTagged, kOperator},
    {Op::kRunInstances, Service::kEc2, "RunInstances", Scope::kLaunching, kBoth},
    {Op::kDescribeInstances, Service::kEc2, "DescribeInstances", Scope::kAny, kBoth, "NextToken",
     "nextToken"},
    {Op::kTerminateInstances, Service::kEc2, "TerminateInstances", Scope::kTagged, kBoth},
    {Op::kGetConsoleOutput, Service::kEc2, "GetConsoleOutput", Scope::kTagged, kOperator},
    {Op::kDescribeLaunchTemplates, Service::kEc2, "DescribeLaunchTemplates", Scope::kAny, kOperator,
     "NextToken", "nextToken"},
    {Op::kDescribeLaunchTemplateVersions, Service::kEc2, "DescribeLaunchTemplateVersions",
     Scope::kAny, kOperator, "NextToken", "nextToken"},
    {Op::kCreateLaunchTemplate, Service::kEc2, "CreateLaunchTemplate", Scope::kTagging, kOperator},
    {Op::kCreateLaunchTemplateVersion, Service::kEc2, "CreateLaunchTemplateVersion", Scope::kTagged,
     kOperator},
    {Op::kModifyLaunchTemplate, Service::kEc2, "ModifyLaunchTemplate", Scope::kTagged, kOperator},
    {Op::kDeleteLaunchTemplate, Service::kEc2, "DeleteLaunchTemplate", Scope::kTagged, kOperator},

    {Op::kDescribeGroups, Service::kAutoScaling, "DescribeAutoScalingGroups", Scope::kAny, kBoth,
     "NextToken", "NextToken"},
    {Op::kCreateGroup, Service::kAutoScaling, "CreateAutoScalingGroup", Scope::kTagging, kOperator},
    {Op::kUpdateGroup, Service::kAutoScaling, "UpdateAutoScalingGroup", Scope::kTagged, kOperator},
    {Op::kDeleteGroup, Service::kAutoScaling, "DeleteAutoScalingGroup", Scope::kTagged, kOperator},
    {Op::kSetDesiredCapacity, Service::kAutoScaling, "SetDesiredCapacity", Scope::kTagged,
     kManager},
    {Op::kDescribeScalingActivities, Service::kAutoScaling, "DescribeScalingActivities",
     Scope::kAny, kManager},
    {Op::kSuspendProcesses, Service::kAutoScaling, "SuspendProcesses", Scope::kTagged, kOperator},
    {Op::kAttachTargetGroups, Service::kAutoScaling, "AttachLoadBalancerTargetGroups",
     Scope::kTagged, kOperator},
    {Op::kDetachTargetGroups, Service::kAutoScaling, "DetachLoadBalancerTargetGroups",
     Scope::kTagged, kOperator},
    {Op::kDescribeLifecycleHooks, Service::kAutoScaling, "DescribeLifecycleHooks", Scope::kAny,
     kOperator},
    {Op::kPutLifecycleHook, Service::kAutoScaling, "PutLifecycleHook", Scope::kTagged, kOperator},
    {Op::kCompleteLifecycleAction, Service::kAutoScaling, "CompleteLifecycleAction", Scope::kTagged,
     kManager},
    {Op::kRecordHeartbeat, Service::kAutoScaling, "RecordLifecycleActionHeartbeat", Scope::kTagged,
     kManager},
    {Op::kPutWarmPool, Service::kAutoScaling, "PutWarmPool", Scope::kTagged, kOperator},
    {Op::kDeleteWarmPool, Service::kAutoScaling, "DeleteWarmPool", Scope::kTagged, kOperator},
    {Op::kDescribeWarmPool, Service::kAutoScaling, "DescribeWarmPool", Scope::kAny, kManager,
     "NextToken", "NextToken"},
    {Op::kSetInstanceProtection, Service::kAutoScaling, "SetInstanceProtection", Scope::kTagged,
     kManager},
    {Op::kTerminateInGroup, Service::kAutoScaling, "TerminateInstanceInAutoScalingGroup",
     Scope::kTagged, kManager},

    {Op::kDescribeLoadBalancers, Service::kElb, "DescribeLoadBalancers", Scope::kAny, kBoth,
     "Marker", "NextMarker"},
    {Op::kDescribeLoadBalancerAttributes, Service::kElb, "DescribeLoadBalancerAttributes",
     Scope::kAny, kOperator},
    {Op::kDescribeLoadBalancerTags, Service::kElb, "DescribeTags", Scope::kAny, kOperator},
    {Op::kCreateLoadBalancer, Service::kElb, "CreateLoadBalancer", Scope::kBalancer, kOperator},
    {Op::kDeleteLoadBalancer, Service::kElb, "DeleteLoadBalancer", Scope::kBalancer, kOperator},
    {Op::kCreateListeners, Service::kElb, "CreateLoadBalancerListeners", Scope::kBalancer,
     kOperator},
    {Op::kDeleteListeners, Service::kElb, "DeleteLoadBalancerListeners", Scope::kBalancer,
     kOperator},
    {Op::kConfigureHealthCheck, Service::kElb, "ConfigureHealthCheck", Scope::kBalancer, kOperator},
    {Op::kModifyLoadBalancerAttributes, Service::kElb, "ModifyLoadBalancerAttributes",
     Scope::kBalancer, kOperator},
    {Op::kRegisterInstances, Service::kElb, "RegisterInstancesWithLoadBalancer", Scope::kBalancer,
     kBoth},
    {Op::kDeregisterInstances, Service::kElb, "DeregisterInstancesFromLoadBalancer",
     Scope::kBalancer, kManager},
    {Op::kDescribeInstanceHealth, Service::kElb, "DescribeInstanceHealth", Scope::kAny, kBoth},

    {Op::kDescribeV2Balancers, Service::kElbV2, "DescribeLoadBalancers", Scope::kAny, kBoth,
     "Marker", "NextMarker"},
    {Op::kDescribeV2Attributes, Service::kElbV2, "DescribeLoadBalancerAttributes", Scope::kAny,
     kOperator},
    {Op::kDescribeV2Tags, Service::kElbV2, "DescribeTags", Scope::kAny, kOperator},
    {Op::kCreateV2Balancer, Service::kElbV2, "CreateLoadBalancer", Scope::kBalancer, kOperator},
    {Op::kModifyV2Attributes, Service::kElbV2, "ModifyLoadBalancerAttributes", Scope::kBalancer,
     kOperator},
    {Op::kDeleteV2Balancer, Service::kElbV2, "DeleteLoadBalancer", Scope::kBalancer, kOperator},
    {Op::kDescribeV2Listeners, Service::kElbV2, "DescribeListeners", Scope::kAny, kBoth, "Marker",
     "NextMarker"},
    {Op::kCreateV2Listener, Service::kElbV2, "CreateListener", Scope::kBalancer, kOperator},
    {Op::kModifyV2Listener, Service::kElbV2, "ModifyListener", Scope::kBalancer, kOperator},
    {Op::kDeleteV2Listener, Service::kElbV2, "DeleteListener", Scope::kBalancer, kOperator},
    {Op::kDescribeTargetGroups, Service::kElbV2, "DescribeTargetGroups", Scope::kAny, kBoth,
     "Marker", "NextMarker"},
    {Op::kDescribeTargetGroupAttributes, Service::kElbV2, "DescribeTargetGroupAttributes",
     Scope::kAny, kOperator},
    {Op::kCreateTargetGroup, Service::kElbV2, "CreateTargetGroup", Scope::kTagging, kOperator},
    {Op::kModifyTargetGroup, Service::kElbV2, "ModifyTargetGroup", Scope::kTagged, kOperator},
    {Op::kModifyTargetGroupAttributes, Service::kElbV2, "ModifyTargetGroupAttributes",
     Scope::kTagged, kOperator},
    {Op::kDeleteTargetGroup, Service::kElbV2, "DeleteTargetGroup", Scope::kTagged, kOperator},
    {Op::kRegisterTargets, Service::kElbV2, "RegisterTargets", Scope::kTagged, kBoth},
    {Op::kDeregisterTargets, Service::kElbV2, "DeregisterTargets", Scope::kTagged, kManager},
    {Op::kDescribeTargetHealth, Service::kElbV2, "DescribeTargetHealth", Scope::kAny, kBoth},

    {Op::kGetRole, Service::kIam, "GetRole", Scope::kRole, kOperator},
    {Op::kCreateRole, Service::kIam, "CreateRole", Scope::kRole, kOperator},
    {Op::kDeleteRole, Service::kIam, "DeleteRole", Scope::kRole, kOperator},
    {Op::kGetRolePolicy, Service::kIam, "GetRolePolicy", Scope::kRole, kOperator},
    {Op::kPutRolePolicy, Service::kIam, "PutRolePolicy", Scope::kRole, kOperator},
    {Op::kDeleteRolePolicy, Service::kIam, "DeleteRolePolicy", Scope::kRole, kOperator},
    {Op::kGetInstanceProfile, Service::kIam, "GetInstanceProfile", Scope::kProfile, kOperator},
    {Op::kCreateInstanceProfile, Service::kIam, "CreateInstanceProfile", Scope::kProfile,
     kOperator},
    {Op::kDeleteInstanceProfile, Service::kIam, "DeleteInstanceProfile", Scope::kProfile,
     kOperator},
    {Op::kAddRoleToInstanceProfile, Service::kIam, "AddRoleToInstanceProfile", Scope::kProfile,
     kOperator},
    {Op::kRemoveRoleFromInstanceProfile, Service::kIam, "RemoveRoleFromInstanceProfile",
     Scope::kProfile, kOperator},

    {Op::kDescribeRepositories, Service::kEcr, "DescribeRepositories", Scope::kAny, kOperator,
     "nextToken", "nextToken"},
    {Op::kListRepositoryTags, Service::kEcr, "ListTagsForResource", Scope::kAny, kOperator},
    {Op::kCreateRepository, Service::kEcr, "CreateRepository", Scope::kTagging, kOperator},
    {Op::kDeleteRepository, Service::kEcr, "DeleteRepository", Scope::kRepository, kOperator},
    {Op::kGetLifecyclePolicy, Service::kEcr, "GetLifecyclePolicy", Scope::kAny, kOperator},
    {Op::kPutLifecyclePolicy, Service::kEcr, "PutLifecyclePolicy", Scope::kRepository, kOperator},
    {Op::kGetAuthorizationToken, Service::kEcr, "GetAuthorizationToken", Scope::kAny, kAll},

    {Op::kGetCallerIdentity, Service::kSts, "GetCallerIdentity", Scope::kAny, kAll},
    {Op::kGetMetricData, Service::kCloudWatch, "GetMetricData", Scope::kAny, kManager, "NextToken",
     "NextToken"},

    {Op::kPutParameter, Service::kSsm, "PutParameter", Scope::kParameter, kBoth},
    {Op::kGetParameter, Service::kSsm, "GetParameter", Scope::kParameter, kAll},
    {Op::kDeleteParameter, Service::kSsm, "DeleteParameter", Scope::kParameter, kOperator},
};

}  // namespace

OperationTable all_operations() { return {std::begin(kTable), std::end(kTable)}; }

const Operation& operation(Op op) {
  return *std::find_if(std::begin(kTable), std::end(kTable),
                       [&](const Operation& one) { return one.op == op; });
}

std::string iam_action(const Operation& operation) {
  const auto& service = info_of(operation.service);
  // IAM has one prefix of CloudWatch that is not its signing name.
  const auto prefix =
      operation.service == Service::kCloudWatch ? "cloudwatch" : service.signing_name;
  return std::string(prefix) + ":" + std::string(operation.name);
}

}  // namespace hive::cloud::aws
