// hive aws: what concerns AWS alone.
#include <memory>

#include "cli/aws_cluster.h"
#include "cli/aws_up.h"
#include "cli/commands.h"
#include "cli/compose_input.h"
#include "cli/context.h"
#include "cloud/aws/policy.h"

namespace hive::cli {
namespace {

struct PolicyArgs {
  std::vector<std::string> files;
  std::optional<std::string> role;
  std::optional<std::string> region;
};

int print_policy(Context& context, const PolicyArgs& args) {
  std::string name = context.globals.cluster;
  if (name.empty()) name = cluster_of_compose(args.files);
  if (name.empty())
    return context.fail(kExitUsage,
                        "the policy is one cluster's: give --cluster NAME, or a file with "
                        "x-hive.name");
  const std::string role = args.role.value_or("operator");
  const auto who = role == "manager"  ? cloud::aws::kManager
                   : role == "worker" ? cloud::aws::kWorker
                                      : cloud::aws::kOperator;
  context.line(cloud::aws::policy_document(who, name, args.region.value_or("")).dump(2));
  return kExitOk;
}

Command policy_command() {
  return {
      .name = "policy",
      .summary = "Print the IAM policy that hive needs, and no more",
      .declare = [](Declare& declare) -> Action {
        auto args = std::make_shared<PolicyArgs>();
        declare.list("-f,--file", "FILE", &args->files, "Compose file that names the cluster",
                     ValueKind::kFile);
        declare.text(OptionInfo{.names = "--role",
                                .value_name = "ROLE",
                                .help = "Whose: operator (who runs hive; the default), manager or "
                                        "worker (the instances')",
                                .choices = {"operator", "manager", "worker"}},
                     &args->role);
        declare.text("--region", "REGION", &args->region, "Only in this region (default: in all)");
        return [args](Context& context) { return print_policy(context, *args); };
      }};
}

struct ChangeArgs {
  std::vector<std::string> files;
  bool yes = false;
};

Command change_command(const char* name, const char* summary,
                       int (*act)(Context&, const config::Spec&, bool)) {
  return {.name = name, .summary = summary, .declare = [act](Declare& declare) -> Action {
            auto args = std::make_shared<ChangeArgs>();
            declare.list("-f,--file", "FILE", &args->files, "Compose file with cloud: aws",
                         ValueKind::kFile);
            declare.flag("-y,--yes", &args->yes, "Do not ask");
            return [args, act](Context& context) {
              const auto spec = load_compose(context, args->files, true);
              if (!spec) return kExitRefused;
              if (spec->cluster.cloud != "aws")
                return context.fail(kExitRefused, "the file says cloud: " + spec->cluster.cloud +
                                                      ", not cloud: aws");
              return act(context, *spec, args->yes);
            };
          }};
}

// By managers, with what the notice board told.
Command aws_deploy_command() {
  Command out{.name = "deploy",
              .summary = "Deploy the stack on this manager",
              .declare = [](Declare& declare) -> Action {
                auto args = std::make_shared<ChangeArgs>();
                declare.list("-f,--file", "FILE", &args->files, "Compose file with cloud: aws",
                             ValueKind::kFile);
                return [args](Context& context) {
                  const auto spec = load_compose(context, args->files, true);
                  return spec ? aws_deploy(context, *spec) : kExitRefused;
                };
              }};
  out.hidden = true;
  return out;
}

}  // namespace

Command aws_command() {
  return {.name = "aws",
          .summary = "What concerns AWS alone",
          .children = {policy_command(),
                       change_command("apply",
                                      "Make the AWS resources that the file asks for, and no more "
                                      "of what hive up does",
                                      aws_apply),
                       change_command("remove", "As hive down does", aws_remove),
                       aws_deploy_command()}};
}

}  // namespace hive::cli
