#include "cli/aws_cluster.h"

#include <iostream>
#include <optional>

#include "cli/aws_session.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/converge.h"
#include "cloud/aws/apply.h"
#include "cloud/aws/board.h"
#include "cloud/aws/cost.h"
#include "cloud/aws/ec2.h"
#include "cloud/aws/plan.h"

namespace hive::cli {
namespace {

namespace aws = cloud::aws;

bool agreed(Context& context, const std::string& question) {
  context.print(question + " [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

enum class Outcome { kNothingToDo, kRefused, kDeclined, kDone };

// Shows the plan, asks, and says whether to go on.
std::optional<Outcome> decided(Context& context, const aws::Plan& plan, const std::string& question,
                               bool yes) {
  context.print(aws::render(plan));
  if (!plan.refusals.empty()) return Outcome::kRefused;
  if (plan.steps.empty()) return Outcome::kNothingToDo;
  if (!yes && !agreed(context, question)) return Outcome::kDeclined;
  return std::nullopt;
}

aws::Applier applier_of(Context& context, AwsSession& session, const aws::Names& names,
                        aws::World world) {
  return {session.client(), names, std::move(world),
          [&context](const aws::Step& step, const std::string& how) {
            context.line(aws_done_line(step, how));
          }};
}

Result<Outcome> apply(Context& context, AwsSession& session, bool yes) {
  HIVE_TRY(session.open());
  HIVE_ASSIGN(const auto desired, session.desired());
  HIVE_ASSIGN(auto world, session.world());
  const auto plan = aws::plan_up(desired, world);
  const std::string question = "Do this in " + session.where() + "? It costs money.";
  if (const auto end = decided(context, plan, question, yes)) return *end;
  HIVE_TRY(applier_of(context, session, desired.names, std::move(world)).apply(plan, desired));
  return Outcome::kDone;
}

// A manager that is still going may write to the notice board yet.
Status wait_until_ended(aws::Client& client, const aws::Names& names) {
  constexpr Milliseconds kPatience{300'000};
  constexpr Milliseconds kLook{1'000};
  const auto begin = client.clock().now();
  while (true) {
    HIVE_ASSIGN(const auto machines, aws::describe_instances(client, names.cluster));
    if (machines.empty()) return {};
    if (client.clock().now() - begin > kPatience)
      return fail(Errc::kDeadlineExceeded,
                  machines.front().id + " has not ended in five minutes: run 'hive down' again");
    if (!client.pause(kLook)) return fail(Errc::kCancelled, "interrupted");
  }
}

Result<Outcome> remove_cluster(Context& context, AwsSession& session, bool yes) {
  HIVE_TRY(session.open());
  HIVE_ASSIGN(auto world, session.world());
  const aws::Names names(session.settings().cluster);
  const auto plan = aws::plan_down(names, world);
  const std::string question = "Remove this from " + session.where() + "?";
  const auto end = decided(context, plan, question, yes);
  if (end && *end != Outcome::kNothingToDo) return *end;
  if (!end) HIVE_TRY(applier_of(context, session, names, std::move(world)).remove(plan));
  HIVE_TRY(wait_until_ended(session.client(), names));
  // Last: what is on it tells a run that was cut short what there was.
  HIVE_TRY(aws::Board(session.client(), names).clear());
  return end ? *end : Outcome::kDone;
}

int finish(Context& context, const Result<Outcome>& outcome, const std::string& nothing,
           const std::string& done) {
  if (!outcome) return context.fail(outcome.error());
  switch (*outcome) {
    case Outcome::kRefused:
      return context.fail(kExitRefused, "nothing was done");
    case Outcome::kDeclined:
      context.line("left as it is");
      return kExitFailed;
    case Outcome::kNothingToDo:
      context.line(nothing);
      return kExitOk;
    case Outcome::kDone:
      if (!done.empty()) context.line(done);
      return kExitOk;
  }
  return kExitFailed;
}

}  // namespace

std::string aws_done_line(const aws::Step& step, const std::string& how) {
  const char* verb = step.effect == aws::Effect::kMake     ? "made "
                     : step.effect == aws::Effect::kRemove ? "removed "
                                                           : "changed ";
  if (how.starts_with("kept")) return step.subject + " " + how;
  return verb + step.subject + (how.empty() ? "" : " (" + how + ")");
}

int aws_dry_run(Context& context, const config::Spec& spec) {
  AwsSession session(context, spec);
  if (const auto opened = session.open(); !opened) return context.fail(opened.error());
  const auto desired = session.desired();
  if (!desired) return context.fail(desired.error());
  const auto world = session.world();
  if (!world) return context.fail(world.error());
  const auto plan = aws::plan_up(*desired, *world);
  context.line("cluster " + spec.cluster.name + " in " + session.where() + ":");
  context.print(aws::render(plan));
  if (plan.steps.empty()) context.line("everything is as the file asks");
  context.print(aws::render(aws::estimate(session.settings(), spec.cluster.aws.prices)));
  return plan.refusals.empty() ? kExitOk : kExitRefused;
}

int aws_apply(Context& context, const config::Spec& spec, bool yes) {
  catch_interrupts();
  AwsSession session(context, spec);
  return finish(context, apply(context, session, yes),
                "everything is as the file asks; nothing changed",
                "made. 'hive up' goes on: the machines form a Swarm, and the stack is deployed");
}

int aws_remove(Context& context, const config::Spec& spec, bool yes) {
  catch_interrupts();
  AwsSession session(context, spec);
  return finish(context, remove_cluster(context, session, yes),
                "nothing of cluster " + spec.cluster.name + " is left in AWS",
                "cluster " + spec.cluster.name + " is removed from AWS");
}

}  // namespace hive::cli
