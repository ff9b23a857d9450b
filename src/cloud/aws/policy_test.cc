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
    auto left = granted(policy_document(who, "shop", "eu-central-1"));
    for (const auto& operation : all_operations()) {
      const bool calls = (operation.callers & who) != 0;
      EXPECT_EQ(left.erase(iam_action(operation)) == 1, calls) << operation.name << " " << who;
    }
    for (const auto& action : left) EXPECT_TRUE(kBeside.count(action) == 1) << action;
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

}  // namespace
}  // namespace hive::cloud::aws
