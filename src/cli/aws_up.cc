#include "cli/aws_up.h"

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/aws_cluster.h"
#include "cli/aws_session.h"
#include "cli/aws_stack.h"
#include "cli/cluster_config.h"
#include "cli/command.h"
#include "cli/converge.h"
#include "cli/deploy.h"
#include "cloud/aws/apply.h"
#include "cloud/aws/autoscaling.h"
#include "cloud/aws/balancer_port.h"
#include "cloud/aws/board.h"
#include "cloud/aws/ecr.h"
#include "cloud/aws/founding.h"
#include "cloud/aws/plan.h"
#include "model/image_reference.h"
#include "registry/client.h"
#include "registry/push.h"

namespace hive::cli {
namespace {

namespace aws = cloud::aws;

constexpr Milliseconds kMachinesLook{3'000};
// Managers say at least every half minute that they live; clocks may differ a little.
constexpr std::int64_t kFreshSeconds = 180;
constexpr std::int64_t kSayAgainSeconds = 60;

bool is_of_workers(const aws::Step& step) {
  switch (step.kind) {
    case aws::StepKind::kCreateTemplate:
    case aws::StepKind::kUpdateTemplate:
    case aws::StepKind::kCreateGroup:
    case aws::StepKind::kUpdateGroup:
    case aws::StepKind::kSuspend:
    case aws::StepKind::kPutHook:
    case aws::StepKind::kPutWarmPool:
    case aws::StepKind::kDeleteWarmPool:
      return true;
    default:
      return false;
  }
}

class AwsUp {
 public:
  AwsUp(Context& context, const config::Spec& spec, const AwsUpOptions& options)
      : context_(context),
        spec_(spec),
        options_(options),
        session_(context, spec),
        names_(spec.cluster.name),
        began_(context.clock.now()) {}

  Status run() {
    HIVE_TRY(session_.open());
    // Before anything is made.
    HIVE_ASSIGN(auto files, stack_files(spec_, session_.client().region()));
    board_ = std::make_unique<aws::Board>(session_.client(), names_);
    HIVE_ASSIGN(const auto desired, session_.desired());
    HIVE_ASSIGN(auto world, session_.world());
    HIVE_ASSIGN(const auto swarm, board_->swarm());
    repair_ = aws::quorum_repair(swarm, world.machines);
    if (!repair_.empty()) {
      // What managers said before is of a Swarm that is no more.
      HIVE_ASSIGN(const auto status, board_->status());
      if (status) void_status_s_ = status->unix_s;
    }
    const auto plan = aws::plan_up(desired, world);
    for (const auto& note : plan.notes) context_.note("hive: note: " + note);
    if (!plan.refusals.empty())
      return fail(Errc::kFailedPrecondition, join(plan.refusals, "; ") + ". Nothing was done");
    aws::Applier applier(
        session_.client(), names_, std::move(world),
        [this](const aws::Step& step, const std::string& how) { did(aws_done_line(step, how)); });
    aws::Plan first, second;
    for (const auto& step : plan.steps)
      (is_of_workers(step) ? second : first).steps.push_back(step);
    HIVE_TRY(applier.apply(first, desired));
    HIVE_TRY(found(applier.world().machines));
    HIVE_TRY(wait_for_managers());
    HIVE_TRY(applier.apply(second, desired));
    HIVE_TRY(push_images());
    if (!options_.detach) HIVE_TRY(wait_for_workers());
    HIVE_TRY(deploy(files));
    if (!options_.detach) {
      HIVE_TRY(wait_for_service());
      HIVE_TRY(wait_for_balancer());
    }
    return finish();
  }

 private:
  void did(const std::string& what) {
    const auto passed = std::chrono::duration_cast<Milliseconds>(context_.clock.now() - began_);
    char stamp[32];
    std::snprintf(stamp, sizeof stamp, "[%5.1fs] ", static_cast<double>(passed.count()) / 1000);
    context_.line(stamp + what);
  }

  // Again while somebody else does the same.
  Status found(const std::vector<aws::Machine>& machines) {
    HIVE_ASSIGN(const auto swarm, board_->swarm());
    HIVE_ASSIGN(const auto founder, board_->founder());
    HIVE_ASSIGN(const auto founding, aws::decide_founding(swarm, founder, machines));
    if (founding.forget) HIVE_TRY(board_->forget_founder());
    if (founding.name.empty()) return {};
    HIVE_ASSIGN(const auto named, board_->found(founding.name));
    did("named " + named + " the founder of the Swarm");
    return {};
  }

  std::int64_t now_s() const {
    return std::chrono::duration_cast<std::chrono::seconds>(
               context_.clock.wall_now().time_since_epoch())
        .count();
  }

  // Until `there` says so; `what` it says that is waited for.
  Status wait_until(const std::function<Result<bool>(std::string& what)>& there) {
    const auto begin = context_.clock.now();
    std::string told;
    std::int64_t told_at = 0;
    for (;;) {
      std::string what;
      HIVE_ASSIGN(const bool done, there(what));
      if (done) return {};
      if (what != told && now_s() - told_at >= (told.empty() ? 0 : kSayAgainSeconds)) {
        did("waits for " + what);
        told = what;
        told_at = now_s();
      }
      if (context_.clock.now() - begin > options_.deadline)
        return fail(Errc::kDeadlineExceeded,
                    "gave up waiting for " + what +
                        ". The machines' consoles say more (aws ec2 get-console-output); run "
                        "'hive up' again to go on");
      if (!session_.client().pause(kMachinesLook))
        return fail(Errc::kCancelled, "interrupted; run 'hive up' again to go on");
    }
  }

  // As wait_until(), by the managers' fresh word.
  Result<aws::ClusterStatus> wait(
      const std::function<bool(const aws::ClusterStatus&, std::string& what)>& there) {
    std::optional<aws::ClusterStatus> status;
    HIVE_TRY(wait_until([&](std::string& what) -> Result<bool> {
      HIVE_ASSIGN(status, board_->status());
      const bool fresh =
          status && now_s() - status->unix_s < kFreshSeconds && status->unix_s != void_status_s_;
      what = "a first manager to begin the Swarm and say so";
      if (status && !fresh)
        what = "the managers, of which none has said anything for " +
               std::to_string(now_s() - status->unix_s) + " s" +
               (repair_.empty() ? "" : ": " + repair_);
      return fresh && there(*status, what);
    }));
    return *status;
  }

  static std::string missing(const aws::ClusterStatus& status) {
    return status.waiting.empty() ? "" : " (not ready: " + join(status.waiting, ", ") + ")";
  }

  Status wait_for_managers() {
    const std::uint32_t wanted = spec_.cluster.managers;
    HIVE_TRY(wait([&](const aws::ClusterStatus& status, std::string& what) {
      what = std::to_string(wanted) + " managers, of which " +
             std::to_string(status.managers_ready) + " are ready" + missing(status);
      return status.managers_ready >= wanted;
    }));
    did(std::to_string(wanted) + " managers are ready");
    return {};
  }

  Status wait_for_workers() {
    const std::uint32_t wanted = spec_.cluster.workers.min;
    HIVE_ASSIGN(const auto status, wait([&](const aws::ClusterStatus& now, std::string& what) {
                  what = std::to_string(wanted) + " workers, of which " +
                         std::to_string(now.workers_ready) + " are ready" + missing(now);
                  return now.workers_ready >= wanted;
                }));
    did(std::to_string(status.workers_ready) + " workers are ready");
    return {};
  }

  // A worker is in service once its node is ready, its agent reports, and it has the stack's
  // images: until then the launch hook holds it.
  Status wait_for_service() {
    const std::uint32_t wanted = spec_.cluster.workers.min;
    return wait_until([&](std::string& what) -> Result<bool> {
      HIVE_ASSIGN(const auto groups, aws::describe_groups(session_.client(), names_.cluster));
      std::uint32_t serving = 0;
      for (const auto& group : groups)
        if (group.name == names_.worker_group)
          serving += static_cast<std::uint32_t>(std::count_if(
              group.members.begin(), group.members.end(),
              [](const aws::GroupMember& one) { return one.lifecycle_state == "InService"; }));
      what = std::to_string(wanted) + " workers in service, of which there are " +
             std::to_string(serving);
      return serving >= wanted;
    });
  }

  // By its own health checks of the edges.
  Status wait_for_balancer() {
    return wait_until([&](std::string& what) -> Result<bool> {
      HIVE_ASSIGN(const auto balancer, aws::look_at_balancer(session_.client(), names_));
      what = "the balancer to send to one of its " + std::to_string(balancer.targets.size()) +
             " instances";
      for (const auto& target : balancer.targets)
        if (target.health == cloud::TargetHealth::kInService) return true;
      return false;
    });
  }

  // Archives that the file names, into the account's own registry.
  Status push_images() {
    const auto& images = spec_.cluster.registry.images;
    if (images.empty()) return {};
    HIVE_ASSIGN(const auto login, aws::get_authorization_token(session_.client()));
    registry::Client client(
        login.address, {},
        registry::Credentials{
            .username = login.username, .password = login.password.reveal(), .identity_token = ""});
    for (const auto& [reference, archive] : images) {
      HIVE_ASSIGN(const auto target, model::parse_image_reference(login.address + "/" + reference));
      if (client.resolve(target)) continue;
      if (auto pushed = registry::push_archive(client, archive, target); !pushed)
        return annotate(pushed.error(), reference);
      did("image " + reference + " pushed to " + login.address);
    }
    return {};
  }

  Status deploy(const aws::StackFiles& files) {
    const std::string asking = std::to_string(now_s());
    HIVE_TRY(board_->put_stack(files, asking));
    const std::string revision = aws::revision_of(files, asking);
    if (options_.detach) {
      did("handed the stack to the managers");
      return {};
    }
    HIVE_ASSIGN(const auto status, wait([&](const aws::ClusterStatus& now, std::string& what) {
                  what = "a manager to deploy the stack";
                  if (now.revision == revision) what = "the services of the stack to be up";
                  return now.revision == revision && now.stack != "deploying";
                }));
    if (status.stack != "deployed")
      return fail(Errc::kFailedPrecondition,
                  "the managers could not deploy the stack: " + status.message);
    did("stack " + names_.cluster + " is deployed");
    return {};
  }

  // What clients connect to.
  Result<std::string> balancer_address() {
    if (session_.settings().balancer == aws::BalancerType::kClassic) {
      HIVE_ASSIGN(const auto there, aws::describe_balancer(session_.client(), names_.balancer));
      return there.dns_name;
    }
    HIVE_ASSIGN(const auto there, aws::describe_v2_balancer(session_.client(), names_.balancer));
    return there.dns_name;
  }

  Status finish() {
    HIVE_ASSIGN(const auto address, balancer_address());
    context_.line("cluster " + names_.cluster + " is up in " + session_.where());
    auto listeners = session_.settings().listeners;
    std::sort(listeners.begin(), listeners.end());
    for (const auto& listener : listeners) {
      const bool dashboard = listener.instance_port == spec_.cluster.dashboard_port;
      const bool web = listener.protocol.starts_with("HTTP");
      const std::string scheme = !web ? "tcp" : listener.protocol == "HTTPS" ? "https" : "http";
      context_.line(std::string(dashboard ? "  dashboard    " : "  application  ") + scheme +
                    "://" + address + ":" + std::to_string(listener.port) + "/");
    }
    return {};
  }

  Context& context_;
  const config::Spec& spec_;
  const AwsUpOptions& options_;
  AwsSession session_;
  const aws::Names names_;
  MonotonicTime began_;
  std::unique_ptr<aws::Board> board_;
  std::string repair_;              // that only a person can do; empty: none
  std::int64_t void_status_s_ = 0;  // of a status that counts no more, however young
};

}  // namespace

int aws_up(Context& context, const config::Spec& spec, const AwsUpOptions& options) {
  catch_interrupts();
  const auto done = AwsUp(context, spec, options).run();
  if (done) return kExitOk;
  // Nothing was done then.
  if (done.error().code == Errc::kFailedPrecondition &&
      done.error().message.ends_with("Nothing was done"))
    return context.fail(kExitRefused, done.error().message);
  return context.fail_wait(done.error());
}

namespace {

// A token of ECR for images of the account's own registry, as this manager's role may have one. The
// controller renews it, and brings those of other regions (controller/registry_logins.h).
Result<engine::RegistryAuth> ecr_auth(AwsSession& session, std::optional<aws::RegistryLogin>& login,
                                      const std::string& image) {
  if (image.find(".dkr.ecr.") == std::string::npos) return engine::RegistryAuth();
  if (!login) {
    HIVE_TRY(session.open());
    HIVE_ASSIGN(login, aws::get_authorization_token(session.client()));
  }
  if (!image.starts_with(login->address + "/")) return engine::RegistryAuth();
  engine::RegistryAuth out;
  out.username = login->username;
  out.password = login->password.reveal();
  out.server_address = login->address;
  return out;
}

}  // namespace

int aws_deploy(Context& context, const config::Spec& spec) {
  const auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  const auto written = write_cluster_config(**engine, spec);
  if (!written) return context.fail(written.error());
  DeployRequest request{.stack = spec.cluster.name, .globals = context.globals};
  request.note = [&](const std::string& text) { context.note("hive: " + text); };
  request.did = [&](const std::string& text) { context.line(text); };
  AwsSession session(context, spec);
  std::optional<aws::RegistryLogin> login;
  request.auth = [&](const std::string& image) { return ecr_auth(session, login, image); };
  const auto ids = deploy_spec(**engine, spec, request);
  if (!ids) return context.fail(ids.error());
  if (ids->empty()) return kExitOk;
  const auto done = wait_converged(context, **engine, *ids, {.verify = Milliseconds(0)});
  return done ? kExitOk : context.fail_wait(done.error());
}

}  // namespace hive::cli
