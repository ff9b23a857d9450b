// Every call that hive makes to AWS: one table, by which the client sends them and the policy
// documents grant them, so that the two cannot drift. What is not in it cannot be called.
#pragma once

#include <string>
#include <string_view>

#include "cloud/aws/endpoint.h"

namespace hive::cloud::aws {

enum class Op {
  kDescribeVpcs,
  kDescribeSubnets,
  kDescribeImages,
  kCreateImage,
  kDescribeSecurityGroups,
  kCreateSecurityGroup,
  kDeleteSecurityGroup,
  kAuthorizeIngress,
  kRevokeIngress,
  kRunInstances,
  kDescribeInstances,
  kTerminateInstances,
  kGetConsoleOutput,
  kDescribeLaunchTemplates,
  kDescribeLaunchTemplateVersions,
  kCreateLaunchTemplate,
  kCreateLaunchTemplateVersion,
  kModifyLaunchTemplate,
  kDeleteLaunchTemplate,

  kDescribeGroups,
  kCreateGroup,
  kUpdateGroup,
  kDeleteGroup,
  kSetDesiredCapacity,
  kDescribeScalingActivities,
  kSuspendProcesses,
  kAttachTargetGroups,
  kDetachTargetGroups,
  kDescribeLifecycleHooks,
  kPutLifecycleHook,
  kCompleteLifecycleAction,
  kRecordHeartbeat,
  kPutWarmPool,
  kDeleteWarmPool,
  kDescribeWarmPool,
  kSetInstanceProtection,
  kTerminateInGroup,

  kDescribeLoadBalancers,
  kDescribeLoadBalancerAttributes,
  kDescribeLoadBalancerTags,
  kCreateLoadBalancer,
  kDeleteLoadBalancer,
  kCreateListeners,
  kDeleteListeners,
  kConfigureHealthCheck,
  kModifyLoadBalancerAttributes,
  kRegisterInstances,
  kDeregisterInstances,
  kDescribeInstanceHealth,

  kDescribeV2Balancers,
  kDescribeV2Attributes,
  kDescribeV2Tags,
  kCreateV2Balancer,
  kModifyV2Attributes,
  kDeleteV2Balancer,
  kDescribeV2Listeners,
  kCreateV2Listener,
  kModifyV2Listener,
  kDeleteV2Listener,
  kDescribeTargetGroups,
  kDescribeTargetGroupAttributes,
  kCreateTargetGroup,
  kModifyTargetGroup,
  kModifyTargetGroupAttributes,
  kDeleteTargetGroup,
  kRegisterTargets,
  kDeregisterTargets,
  kDescribeTargetHealth,

  kGetRole,
  kCreateRole,
  kDeleteRole,
  kGetRolePolicy,
  kPutRolePolicy,
  kDeleteRolePolicy,
  kGetInstanceProfile,
  kCreateInstanceProfile,
  kDeleteInstanceProfile,
  kAddRoleToInstanceProfile,
  kRemoveRoleFromInstanceProfile,

  kDescribeRepositories,
  kListRepositoryTags,
  kCreateRepository,
  kDeleteRepository,
  kGetLifecyclePolicy,
  kPutLifecyclePolicy,
  kGetAuthorizationToken,

  kGetCallerIdentity,
  kGetMetricData,

  kPutParameter,
  kGetParameter,
  kDeleteParameter,
};

// On what a policy allows a call. Names and tags are the cluster's.
enum class Scope {
  kAny,         // the API knows no narrower one (describing, tokens)
  kTagged,      // things that bear the tag hive:cluster
  kTagging,     // new things, made with that tag
  kLaunching,   // RunInstances: machines made with the tag; the operator out of any image, subnet
                // and type, a manager by the operator's template for managers alone
  kImaging,     // CreateImage: of a machine that bears the tag, made with it
  kRole,        // the cluster's IAM roles
  kProfile,     // its instance profiles
  kBalancer,    // its load balancer and that one's listeners, by name
  kRepository,  // repositories that bear the tag
  kParameter,   // its SSM parameters, by name
};

// Who makes a call, as bits.
enum Callers : unsigned {
  kOperator = 1,  // `hive up`, `down`: a person or a pipeline
  kManager = 2,   // the controllers, by the managers' instance role
  kWorker = 4,    // the agents, by the workers' instance role
};

struct Operation {
  Op op;
  Service service;
  std::string_view name;  // on the wire, and in IAM behind the service's prefix
  Scope scope;
  unsigned callers;
  // Pagination: the parameter that takes a token, and where the answer has the next one.
  std::string_view token_in = {};
  std::string_view token_out = {};
};

struct OperationTable {
  const Operation* first;
  const Operation* last;
  const Operation* begin() const { return first; }
  const Operation* end() const { return last; }
};
OperationTable all_operations();

const Operation& operation(Op op);

// "ec2:RunInstances".
std::string iam_action(const Operation& operation);

}  // namespace hive::cloud::aws
