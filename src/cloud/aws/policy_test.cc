#include "cloud/aws/policy.h"

#include <gtest/gtest.h>

#include <set>

#include "cloud/aws/names.h"

namespace hive::cloud::aws {
namespace {

std::set<std::string> granted(const Json& document) {
  std::set<std::string> out;
  for (const auto& statement : document["Statement"])
    for (const auto& action : statement["Action"]) out.insert(action.get<std::string>());
  return out;
}

// What a call needs beside its own action.
const std::set<std::string> kBeside{
    "ec2:CreateTags",    "autoscaling:CreateOrUpdateTags", "ecr:TagResource",
    "iam:TagRole",       "iam:TagInstanceProfile",         "elasticloadbalancing:AddTags",
    "iam:PassRole",      "iam:CreateServiceLinkedRole",    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"};

TEST(Policy, GrantsEveryCallOfItsCallerAndNothingElse) {
  for (const Callers who : {kOperator, kManager, kWorker}) {
    // Two APIs of Elastic Load Balancing have one name in IAM for the same verb.
    std::set<std::string> called;
    for (const auto& operation : all_operations())
      if ((operation.callers & who) != 0) called.insert(iam_action(operation));
    const auto given = granted(policy_document(who, "shop", "eu-central-1"));
    for (const auto& action : called) EXPECT_EQ(given.count(action), 1U) << action << " " << who;
    for (const auto& action : given)
      EXPECT_TRUE(called.count(action) + kBeside.count(action) == 1) << action << " " << who;
  }
}

TEST(Policy, NothingIsChangedWithoutTheClustersTagOrName) {
  for (const Callers who : {kOperator, kManager, kWorker}) {
    const Json document = policy_document(who, "shop", "eu-central-1");
    for (const auto& statement : document["Statement"]) {
      if (statement["Sid"] == "Look") {
        for (const auto& action : statement["Action"]) {
          const auto name = action.get<std::string>();
          const auto verb = name.substr(name.find(':') + 1);
          EXPECT_TRUE(verb.starts_with("Describe") || verb.starts_with("Get") ||
                      verb.starts_with("List"))
              << name;
        }
        continue;
      }
      const std::string text = statement.dump();
      const std::set<std::string> open{"LaunchFrom", "LaunchInto", "MakeInVpc", "PullImages",
                                       "ServiceRoles"};
      if (open.count(statement["Sid"]) == 0) {
        EXPECT_NE(text.find("shop"), std::string::npos) << text;
      }
      EXPECT_EQ(text.find(":*\"]"), std::string::npos) << text;  // no "service:*"
    }
  }
}

TEST(Policy, WorkersChangeNothing) {
  for (const auto& action : granted(policy_document(kWorker, "shop", "eu-central-1"))) {
    const auto verb = action.substr(action.find(':') + 1);
    EXPECT_TRUE(verb.starts_with("Get") || verb.starts_with("Batch")) << action;
  }
}

TEST(Policy, WorkersReadOneNoticeAlone) {
  const auto text = policy_document(kWorker, "shop", "eu-central-1").dump();
  EXPECT_NE(text.find(":parameter/hive/shop/swarm\""), std::string::npos);
  EXPECT_EQ(text.find(":parameter/hive/shop/*"), std::string::npos);
}

Json statement_of(const Json& document, const std::string& sid) {
  for (const auto& statement : document["Statement"])
    if (statement["Sid"] == sid) return statement;
  return nullptr;
}

TEST(Policy, AManagerLaunchesAnotherManagerByTheOperatorsTemplateAlone) {
  const Json document = policy_document(kManager, "shop", "eu-central-1");
  const Json of_template{{"ec2:IsLaunchTemplateResource", "true"}};
  EXPECT_EQ(statement_of(document, "Launch")["Condition"]["Bool"], of_template);
  EXPECT_EQ(statement_of(document, "LaunchFrom")["Condition"]["Bool"], of_template);
  const Json made{{"aws:RequestTag/hive:cluster", "shop"}, {"aws:RequestTag/hive:role", "manager"}};
  EXPECT_EQ(statement_of(document, "Launch")["Condition"]["StringEquals"], made);
  const Json by{{"aws:ResourceTag/hive:cluster", "shop"}, {"aws:ResourceTag/hive:role", "manager"}};
  EXPECT_EQ(statement_of(document, "LaunchBy")["Condition"]["StringEquals"], by);
  EXPECT_EQ(statement_of(document, "GiveRoles")["Resource"],
            "arn:aws:iam::*:role/hive-shop-manager")
      << "and no worker's role";
  EXPECT_EQ(
      statement_of(document, "TagWhatIsMade")["Condition"]["StringEquals"]["ec2:CreateAction"],
      "RunInstances");
  for (const char* sid : {"Launch", "GiveRoles", "TagWhatIsMade"})
    EXPECT_TRUE(statement_of(policy_document(kWorker, "shop", "eu-central-1"), sid).is_null());
}

TEST(Policy, FitsIntoItsQuota) {
  // Inline policies of a role: 10,240 characters; a managed policy: 6,144, spaces apart.
  const std::string longest(40, 'x');
  EXPECT_LE(policy_document(kManager, longest, "ap-northeast-2").dump().size(), 10'240U);
  EXPECT_LE(policy_document(kOperator, longest, "ap-northeast-2").dump().size(), 6'144U);
}

TEST(Policy, ABalancerOfEveryTypeIsTheClustersAlone) {
  const std::string text = policy_document(kOperator, "shop", "eu-central-1").dump();
  for (const char* resource : {":loadbalancer/hive-shop\"", ":l*/*/hive-shop/*\""})
    EXPECT_NE(text.find(resource), std::string::npos) << resource;
  // A name of which this one is the beginning is another cluster's.
  EXPECT_EQ(text.find("/hive-shop*"), std::string::npos);
}

TEST(Policy, OfOtherPartitions) {
  const auto text = policy_document(kManager, "shop", "cn-north-1").dump();
  EXPECT_EQ(text.find("arn:aws:"), std::string::npos);
  EXPECT_NE(text.find("arn:aws-cn:"), std::string::npos);
}

TEST(Names, FitTheirLimits) {
  const Names shop("shop");
  EXPECT_EQ(shop.balancer, "hive-shop");
  EXPECT_EQ(shop.manager(2), "shop-manager-2");
  const std::string a = std::string(39, 'x') + "a";
  const std::string b = std::string(39, 'x') + "b";
  EXPECT_LE(Names(a).balancer.size(), 32U);
  EXPECT_NE(Names(a).balancer, Names(b).balancer);
  EXPECT_LE(Names(a).worker_role.size(), 64U);
}

TEST(Names, TargetGroupsFitTheirLimits) {
  EXPECT_EQ(Names("shop").target_group("HTTP", 8080), "hive-shop-http-8080");
  // AWS takes no two dashes in a row there.
  for (const std::string& cluster :
       {std::string("shop"), std::string(40, 'x'), std::string("a--b"),
        "a-very-long-na-" + std::string("-me-of-a-cluster"), std::string("twelve-lette-ers")}) {
    const std::string name = Names(cluster).target_group("HTTP", 65'535);
    EXPECT_LE(name.size(), 32U) << name;
    EXPECT_EQ(name.find("--"), std::string::npos) << name;
    EXPECT_TRUE(Names(cluster).is_target_group(name)) << name;
  }
  EXPECT_NE(Names(std::string(39, 'x') + "a").target_group("TCP", 80),
            Names(std::string(39, 'x') + "b").target_group("TCP", 80));
  EXPECT_NE(Names("a--b").target_group("TCP", 80), Names("a-b").target_group("TCP", 80));
  EXPECT_FALSE(Names("shop").is_target_group("hive-shopping-http-80"));
}

}  // namespace
}  // namespace hive::cloud::aws
