#include "cli/aws_cluster.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>

#include "cli/command.h"
#include "cli/compose_input.h"
#include "cli/converge.h"
#include "cloud/aws/account.h"
#include "cloud/aws/apply.h"
#include "cloud/aws/cost.h"
#include "cloud/aws/observe.h"
#include "cloud/aws/plan.h"

namespace hive::cli {
namespace {

namespace aws = cloud::aws;

constexpr Milliseconds kPauseSlice{100};

// HTTP unless it is tcp; TLS ends at the balancer where the listener has a certificate.
aws::BalancerListener listener(const config::ClusterListener& from) {
  const bool http = from.mode == "http";
  const bool tls = !from.certificate.empty();
  return {.port = from.listen,
          .instance_port = from.instance,
          .protocol = http ? (tls ? "HTTPS" : "HTTP") : (tls ? "SSL" : "TCP"),
          .instance_protocol = http ? "HTTP" : "TCP",
          .certificate = from.certificate};
}

aws::Settings settings_of(const config::Cluster& cluster, const std::string& region) {
  const config::Aws& from = cluster.aws;
  aws::Settings out{.cluster = cluster.name,
                    .region = region,
                    .vpc = from.vpc,
                    .subnets = from.subnets,
                    .image = from.image,
                    .image_owner = from.image_owner,
                    .managers = cluster.managers,
                    .manager_type = from.manager_type,
                    .workers_min = cluster.workers.min,
                    .workers_max = cluster.workers.max,
                    .worker_types = from.worker_types,
                    .spot_percent = from.spot_percent,
                    .disk_gib = from.disk_gib,
                    .internal = from.internal,
                    .sources = from.sources,
                    .draining_s = from.draining_s,
                    .repositories = from.repositories};
  bool dashboard = cluster.dashboard_port == 0;
  for (const auto& one : cluster.listeners) {
    out.listeners.push_back(listener(one));
    dashboard =
        dashboard || one.listen == cluster.dashboard_port || one.instance == cluster.dashboard_port;
  }
  if (!dashboard)
    out.listeners.push_back(
        {.port = cluster.dashboard_port, .instance_port = cluster.dashboard_port});
  return out;
}

// One command's dealings with AWS.
class Session {
 public:
  Session(Context& context, const config::Spec& spec) : context_(context), spec_(spec) {}

  Status open() {
    aws::ClientOptions options{.profile = spec_.cluster.aws.profile,
                               .environment = own_environment(),
                               .clock = &context_.clock};
    HIVE_ASSIGN(options.region, aws::region_in_force(options.environment, options.profile,
                                                     spec_.cluster.aws.region));
    options.seed = static_cast<std::uint64_t>(context_.clock.wall_now().time_since_epoch().count() ^
                                              static_cast<long>(getpid()));
    options.pause = [](Milliseconds time) {
      for (; time > Milliseconds(0) && !interrupted(); time -= kPauseSlice)
        std::this_thread::sleep_for(std::min(time, kPauseSlice));
      return !interrupted();
    };
    client_ = std::make_unique<aws::Client>(std::move(options));
    settings_ = settings_of(spec_.cluster, client_->region());
    HIVE_ASSIGN(identity_, aws::get_caller_identity(*client_));
    return {};
  }

  Result<aws::Desired> desired() {
    HIVE_ASSIGN(const auto place, aws::find_place(*client_, settings_));
    return aws::desired_of(settings_, place);
  }
  Result<aws::World> world() {
    return aws::observe(*client_, aws::Names(settings_.cluster), settings_.repositories);
  }

  aws::Client& client() { return *client_; }
  const aws::Settings& settings() const { return settings_; }
  std::string where() const { return "account " + identity_.account + ", " + client_->region(); }

 private:
  Context& context_;
  const config::Spec& spec_;
  std::unique_ptr<aws::Client> client_;
  aws::Settings settings_;
  aws::Identity identity_;
};

bool agreed(Context& context, const std::string& question) {
  context.print(question + " [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

std::string done_line(const aws::Step& step, const std::string& how) {
  const char* verb = step.effect == aws::Effect::kMake     ? "made "
                     : step.effect == aws::Effect::kRemove ? "removed "
                                                           : "changed ";
  if (how.starts_with("kept")) return step.subject + " " + how;
  return verb + step.subject + (how.empty() ? "" : " (" + how + ")");
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

aws::Applier applier_of(Context& context, Session& session, const aws::Names& names,
                        aws::World world) {
  return {session.client(), names, std::move(world),
          [&context](const aws::Step& step, const std::string& how) {
            context.line(done_line(step, how));
          }};
}

Result<Outcome> apply(Context& context, Session& session, bool yes) {
  HIVE_TRY(session.open());
  HIVE_ASSIGN(const auto desired, session.desired());
  HIVE_ASSIGN(auto world, session.world());
  const auto plan = aws::plan_up(desired, world);
  const std::string question = "Do this in " + session.where() + "? It costs money.";
  if (const auto end = decided(context, plan, question, yes)) return *end;
  HIVE_TRY(applier_of(context, session, desired.names, std::move(world)).apply(plan, desired));
  return Outcome::kDone;
}

Result<Outcome> remove(Context& context, Session& session, bool yes) {
  HIVE_TRY(session.open());
  HIVE_ASSIGN(auto world, session.world());
  const aws::Names names(session.settings().cluster);
  const auto plan = aws::plan_down(names, world);
  const std::string question = "Remove this from " + session.where() + "?";
  if (const auto end = decided(context, plan, question, yes)) return *end;
  HIVE_TRY(applier_of(context, session, names, std::move(world)).remove(plan));
  return Outcome::kDone;
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

int aws_dry_run(Context& context, const config::Spec& spec) {
  Session session(context, spec);
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
  Session session(context, spec);
  return finish(context, apply(context, session, yes),
                "everything is as the file asks; nothing changed",
                "made. The machines do not form a Swarm by themselves yet");
}

int aws_remove(Context& context, const config::Spec& spec, bool yes) {
  catch_interrupts();
  Session session(context, spec);
  return finish(context, remove(context, session, yes),
                "nothing of cluster " + spec.cluster.name + " is left in AWS",
                "cluster " + spec.cluster.name + " is removed from AWS");
}

}  // namespace hive::cli
