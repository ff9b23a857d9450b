#include "cli/aws_session.h"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "cli/compose_input.h"
#include "cli/context.h"
#include "cli/converge.h"
#include "cloud/aws/observe.h"
#include "cloud/aws/shared_config.h"
#include "config/autoscale_policy.h"

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

aws::BalancerType type_of(const std::string& word) {
  for (const auto type : {aws::BalancerType::kApplication, aws::BalancerType::kNetwork})
    if (word == aws::to_string(type)) return type;
  return aws::BalancerType::kClassic;
}

aws::Settings settings_of(const config::Spec& spec, const std::string& region) {
  const config::Cluster& cluster = spec.cluster;
  const config::Aws& from = cluster.aws;
  aws::Settings out{.cluster = cluster.name,
                    .region = region,
                    .vpc = from.vpc,
                    .subnets = from.subnets,
                    .image = from.image,
                    .image_owner = from.image_owner,
                    .package = from.package,
                    .package_sha256 = from.package_sha256,
                    .managers = cluster.managers,
                    .manager_type = from.manager_type,
                    .workers_min = cluster.workers.min,
                    .workers_max = cluster.workers.max,
                    .worker_types = from.worker_types,
                    .spot_percent = from.spot_percent,
                    .warm_workers = from.warm_workers,
                    .warm_running = from.warm_running,
                    .disk_gib = from.disk_gib,
                    .balancer = type_of(cluster.balancer_type),
                    .internal = from.internal,
                    .sources = from.sources,
                    .draining_s = from.draining_s,
                    .repositories = from.repositories};
  out.balancer_figures = static_cast<std::uint32_t>(config::cloudwatch_figures(spec).size());
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

}  // namespace

Status AwsSession::open() {
  aws::ClientOptions options{.region = "",
                             .profile = spec_.cluster.aws.profile,
                             .environment = own_environment(),
                             .clock = &context_.clock};
  HIVE_ASSIGN(options.region,
              aws::region_in_force(options.environment, options.profile, spec_.cluster.aws.region));
  HIVE_ASSIGN(const auto attempts,
              aws::max_attempts_in_force(options.environment, options.profile));
  options.max_attempts = attempts.value_or(options.max_attempts);
  options.seed = static_cast<std::uint64_t>(context_.clock.wall_now().time_since_epoch().count() ^
                                            static_cast<long>(getpid()));
  options.pause = [](Milliseconds time) {
    for (; time > Milliseconds(0) && !interrupted(); time -= kPauseSlice)
      std::this_thread::sleep_for(std::min(time, kPauseSlice));
    return !interrupted();
  };
  client_ = std::make_unique<aws::Client>(std::move(options));
  settings_ = settings_of(spec_, client_->region());
  HIVE_ASSIGN(identity_, aws::get_caller_identity(*client_));
  return {};
}

Result<aws::Desired> AwsSession::desired() {
  HIVE_ASSIGN(const auto place, aws::find_place(*client_, settings_));
  return aws::desired_of(settings_, place);
}

Result<aws::World> AwsSession::world() {
  return aws::observe(*client_, aws::Names(settings_.cluster), settings_.repositories);
}

}  // namespace hive::cli
